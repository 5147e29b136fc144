-- Users who signed in for a while.
CREATE TABLE session (
    id        TEXT NOT NULL PRIMARY KEY,
    account   TEXT NOT NULL,
    user_name TEXT NOT NULL,
    origin    TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    ends      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account, created, id);
CREATE INDEX session_expires ON session (expires);

-- The keys of sessions: after a renewal a session has several for a moment.
CREATE TABLE session_key (
    id      TEXT NOT NULL PRIMARY KEY,
    session TEXT NOT NULL,
    box     BLOB NOT NULL, -- sealed secret and session token
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_key_session ON session_key (session, created, id);
CREATE INDEX session_key_expires ON session_key (expires);

-- One-time codes of sign-in links.
CREATE TABLE sign_in_code (
    hash      BLOB NOT NULL PRIMARY KEY, -- SHA-256: the code itself is nowhere
    account   TEXT NOT NULL,
    user_name TEXT NOT NULL,
    session   TEXT NOT NULL, -- of the session that made it; empty for a long-lived key
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    ends      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_code_account ON sign_in_code (account, created, hash);
CREATE INDEX sign_in_code_session ON sign_in_code (session) WHERE session <> '';
