-- Several credentials in a scope: the account's default for each server type,
-- whose name is empty, and named ones.
CREATE TABLE source_credential (
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    arn              TEXT NOT NULL,
    name             TEXT NOT NULL,
    server_type      TEXT NOT NULL,
    auth_type        TEXT NOT NULL,
    username         TEXT NOT NULL,
    box              BLOB, -- sealed token
    resource         TEXT NOT NULL,
    connection_arn   TEXT NOT NULL, -- a second name, in the form of a connection's
    match_host       TEXT NOT NULL,
    match_owner      TEXT NOT NULL,
    match_repository TEXT NOT NULL,
    hosts            TEXT NOT NULL, -- JSON array: where a self-hosted server's token may go; empty until it is known
    ca               TEXT NOT NULL, -- PEM
    expires          INTEGER NOT NULL, -- as its owner said it
    version          INTEGER NOT NULL, -- counts imports
    created          INTEGER NOT NULL,
    modified         INTEGER NOT NULL,
    PRIMARY KEY (account, region, arn)
) STRICT, WITHOUT ROWID;
INSERT INTO source_credential
    SELECT account, region, arn, '', server_type, auth_type, username, box, resource, '', '', '', '', '[]', '', 0, 1, created, modified FROM credential;
DROP TABLE credential;
ALTER TABLE source_credential RENAME TO credential;
CREATE UNIQUE INDEX credential_name ON credential (account, region, name) WHERE name <> '';
CREATE INDEX credential_type ON credential (account, region, server_type);

-- A token that was replaced, while builds that used it may still run: a
-- status is closed by who opened it.
CREATE TABLE past_credential (
    arn         TEXT NOT NULL,
    version     INTEGER NOT NULL,
    server_type TEXT NOT NULL,
    auth_type   TEXT NOT NULL,
    username    TEXT NOT NULL,
    box         BLOB NOT NULL,
    replaced    INTEGER NOT NULL,
    PRIMARY KEY (arn, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_credential_replaced ON past_credential (replaced);

-- Where a self-hosted server's token may go that is not ours to keep: a secret
-- that sources name by its ARN.
CREATE TABLE bound_secret (
    arn   TEXT NOT NULL PRIMARY KEY,
    hosts TEXT NOT NULL -- JSON array
) STRICT, WITHOUT ROWID;

-- What the last check of a credential found.
CREATE TABLE credential_health (
    arn     TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL, -- of the credential that was checked
    checked INTEGER NOT NULL,
    warned  INTEGER NOT NULL, -- days before its expiry at which a warning was last given; -1 for none
    record  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every time a credential was given out or sent, and for what.
CREATE TABLE credential_use (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    arn        TEXT NOT NULL,
    at         INTEGER NOT NULL,
    purpose    TEXT NOT NULL,
    host       TEXT NOT NULL,
    repository TEXT NOT NULL,
    project    TEXT NOT NULL,
    build_id   TEXT NOT NULL
) STRICT;
CREATE INDEX credential_use_arn ON credential_use (arn);
CREATE INDEX credential_use_at ON credential_use (at);

-- A hook is one URL at which a provider calls. One serves all projects of a
-- repository, but for hooks that a user makes by hand: they are one project's.
CREATE TABLE hook (
    key         TEXT NOT NULL PRIMARY KEY, -- in the payload URL
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    server_type TEXT NOT NULL,
    place       TEXT NOT NULL, -- lower-case host/owner/name, or what the hook's scope is
    project     TEXT NOT NULL, -- whose hook it is; empty if it is shared
    box         BLOB NOT NULL, -- sealed secret
    old_box     BLOB,          -- the secret before, accepted until old_until
    old_until   INTEGER NOT NULL,
    record      TEXT NOT NULL,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hook_place ON hook (account, region, server_type, place, project);

-- Which projects hear which hook.
CREATE TABLE webhook (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    project TEXT NOT NULL,
    hook    TEXT NOT NULL,
    PRIMARY KEY (account, region, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_hook ON webhook (hook);

-- What providers delivered. Pending ones have been answered and not evaluated,
-- refused ones were badly signed: they take nobody's delivery_id. Deliveries
-- outlive their hook, hence the columns that are the hook's, too.
CREATE TABLE delivery (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    server_type TEXT NOT NULL,
    hook        TEXT NOT NULL,
    delivery_id TEXT NOT NULL, -- the provider's
    received    INTEGER NOT NULL,
    pending     INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    record      TEXT NOT NULL,
    header      TEXT NOT NULL,
    body        BLOB -- zstd; NULL if it was not kept
) STRICT;
CREATE UNIQUE INDEX delivery_id ON delivery (hook, delivery_id) WHERE NOT refused;
-- SQLite ends every index with seq, being the row's id: these page by it.
CREATE INDEX delivery_scope ON delivery (account, region);
CREATE INDEX delivery_hook ON delivery (hook);
CREATE INDEX delivery_refused ON delivery (hook) WHERE refused;
CREATE INDEX delivery_pending ON delivery (seq) WHERE pending;
CREATE INDEX delivery_received ON delivery (received);

-- What a delivery came to for each project that heard it.
CREATE TABLE verdict (
    delivery INTEGER NOT NULL,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    project  TEXT NOT NULL,
    event    INTEGER NOT NULL, -- place in the delivery, from 0
    record   TEXT NOT NULL,
    PRIMARY KEY (delivery, account, region, project, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_project ON verdict (account, region, project, delivery);

-- Pull requests whose build waits for an approver's comment.
CREATE TABLE withheld (
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    project      TEXT NOT NULL,
    repository   TEXT NOT NULL, -- lower-case full name: a project may hear many
    pull_request INTEGER NOT NULL,
    commit_id    TEXT NOT NULL,
    record       TEXT NOT NULL,
    created      INTEGER NOT NULL,
    PRIMARY KEY (account, region, project, repository, pull_request)
) STRICT, WITHOUT ROWID;
CREATE INDEX withheld_created ON withheld (created);

-- What refs were when a polled repository was last looked at.
CREATE TABLE polled_ref (
    hook      TEXT NOT NULL,
    ref       TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    PRIMARY KEY (hook, ref)
) STRICT, WITHOUT ROWID;

-- How the last attempt at an item went beyond its message, as JSON; empty
-- before it.
ALTER TABLE outbox ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
