-- Parameters: the current version of each, and those before it. A path is the
-- name without a slash before it, by which ARNs know it.
CREATE TABLE parameter (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    path    TEXT NOT NULL,
    version INTEGER NOT NULL,
    record  TEXT NOT NULL, -- JSON, without the value
    box     BLOB NOT NULL, -- sealed value
    PRIMARY KEY (account, region, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE past_parameter (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    path    TEXT NOT NULL,
    version INTEGER NOT NULL,
    record  TEXT NOT NULL,
    box     BLOB NOT NULL,
    PRIMARY KEY (account, region, path, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    arn     TEXT NOT NULL,
    purge   INTEGER NOT NULL, -- when it goes for good
    record  TEXT NOT NULL,    -- JSON, without values
    PRIMARY KEY (account, region, name)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX secret_arn ON secret (account, region, arn);
CREATE INDEX secret_purge ON secret (purge) WHERE purge > 0;

CREATE TABLE secret_version (
    arn     TEXT NOT NULL,
    id      TEXT NOT NULL,
    seq     INTEGER NOT NULL, -- their order within a secret
    stages  TEXT NOT NULL,    -- JSON array
    created INTEGER NOT NULL,
    bytes   INTEGER NOT NULL, -- the value is no text
    box     BLOB NOT NULL,    -- sealed value
    PRIMARY KEY (arn, id)
) STRICT, WITHOUT ROWID;

-- The last time that the value of a parameter or secret was given out.
CREATE TABLE vault_use (
    arn       TEXT NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    build_id  TEXT NOT NULL,
    project   TEXT NOT NULL,
    user_name TEXT NOT NULL -- ARN of who asked, if it was for no build
) STRICT, WITHOUT ROWID;
