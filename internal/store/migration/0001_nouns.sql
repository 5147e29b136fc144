-- Times are microseconds since 1970, 0 for none. A record is the JSON of the
-- public shape; columns beside it are what queries need and are derived from it.

CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
INSERT INTO schema_version (version) VALUES (0);

CREATE TABLE credential (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    server_type TEXT NOT NULL,
    arn         TEXT NOT NULL,
    auth_type   TEXT NOT NULL,
    username    TEXT NOT NULL,
    box         BLOB, -- sealed token
    resource    TEXT NOT NULL,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    PRIMARY KEY (account, region, server_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE project (
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    name             TEXT NOT NULL,
    created          INTEGER NOT NULL,
    modified         INTEGER NOT NULL,
    concurrent_limit INTEGER,
    record           TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) STRICT;
CREATE INDEX project_created ON project (account, region, created, name);
CREATE INDEX project_modified ON project (account, region, modified, name);

-- The order of acceptance is seq: it is never given twice, so that it can page.
CREATE TABLE build (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    project  TEXT NOT NULL,
    number   INTEGER NOT NULL,
    queued   INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    state    TEXT NOT NULL,
    record   TEXT NOT NULL
) STRICT;
-- SQLite ends every index with seq, being the row's id: these page by it.
CREATE INDEX build_scope ON build (account, region);
CREATE INDEX build_project ON build (account, region, project);
CREATE INDEX build_queued ON build (seq) WHERE queued;
CREATE INDEX build_unfinished ON build (account, region, project) WHERE NOT complete;

-- The last number given in a project. It outlives the project.
CREATE TABLE build_number (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    project TEXT NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (account, region, project)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    token       TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    build_id    TEXT NOT NULL,
    expires     INTEGER NOT NULL,
    PRIMARY KEY (account, region, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expires ON idempotency (expires);

CREATE TABLE access_key (
    id        TEXT NOT NULL PRIMARY KEY,
    account   TEXT NOT NULL,
    user_name TEXT NOT NULL,
    box       BLOB NOT NULL, -- sealed secret and session token
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- head marks the oldest owed item of each subject: only that one may be tried,
-- and a long line behind it costs nothing.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    payload      TEXT NOT NULL,
    state        TEXT NOT NULL,
    head         INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    message      TEXT NOT NULL,
    created      INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_subject ON outbox (subject);
CREATE INDEX outbox_due ON outbox (not_before) WHERE head;
CREATE INDEX outbox_owed ON outbox (subject) WHERE state = 'OWED';
