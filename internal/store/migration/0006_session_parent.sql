-- The session whose link began this one, with which it ends; empty if none did.
ALTER TABLE session ADD COLUMN parent TEXT NOT NULL DEFAULT '';
CREATE INDEX session_parent ON session (parent) WHERE parent <> '';
