-- What lists of builds show and look for, beside the record: before it in the
-- row, so that a long record is not gone through to read them.
CREATE TABLE build_wide (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT NOT NULL UNIQUE,
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    project          TEXT NOT NULL,
    number           INTEGER NOT NULL,
    queued           INTEGER NOT NULL,
    complete         INTEGER NOT NULL,
    status           TEXT NOT NULL,
    started          INTEGER NOT NULL, -- never changes
    ended            INTEGER NOT NULL,
    phase            TEXT NOT NULL,
    initiator        TEXT NOT NULL,
    source_version   TEXT NOT NULL,
    resolved_version TEXT NOT NULL,
    failed_phase     TEXT NOT NULL,
    message          TEXT NOT NULL, -- why it failed, in a line
    state            TEXT NOT NULL,
    record           TEXT NOT NULL
) STRICT;
INSERT INTO build_wide
    SELECT seq, id, account, region, project, number, queued, complete,
        coalesce(record ->> '$.buildStatus', ''),
        CAST(round(coalesce(record ->> '$.startTime', 0) * 1000) AS INTEGER) * 1000,
        CAST(round(coalesce(record ->> '$.endTime', 0) * 1000) AS INTEGER) * 1000,
        coalesce(record ->> '$.currentPhase', ''),
        coalesce(record ->> '$.initiator', ''),
        coalesce(record ->> '$.sourceVersion', ''),
        coalesce(record ->> '$.resolvedSourceVersion', ''),
        '', '', state, record
    FROM build ORDER BY seq;
UPDATE build_wide SET
    failed_phase = coalesce((SELECT p.value ->> '$.phaseType' FROM json_each(record, '$.phases') AS p
        WHERE p.value ->> '$.phaseStatus' IN ('FAILED', 'FAULT', 'TIMED_OUT') ORDER BY p.key LIMIT 1), ''),
    message = coalesce((SELECT (SELECT trim(substr(replace(replace(c.value ->> '$.message', char(13), ' '), char(10), ' '), 1, 500))
            FROM json_each(p.value, '$.contexts') AS c WHERE c.value ->> '$.message' <> '' ORDER BY c.key LIMIT 1)
        FROM json_each(record, '$.phases') AS p
        WHERE p.value ->> '$.phaseStatus' IN ('FAILED', 'FAULT', 'TIMED_OUT') ORDER BY p.key LIMIT 1), '')
    WHERE complete AND status IN ('FAILED', 'FAULT', 'TIMED_OUT');
-- No sequence is given twice, also if the last build was deleted.
DELETE FROM sqlite_sequence WHERE name = 'build_wide';
INSERT INTO sqlite_sequence (name, seq) SELECT 'build_wide', seq FROM sqlite_sequence WHERE name = 'build';
DROP TABLE build;
ALTER TABLE build_wide RENAME TO build;

-- SQLite ends every index with seq, being the row's id: these page by it.
CREATE INDEX build_scope ON build (account, region);
CREATE INDEX build_project ON build (account, region, project);
CREATE INDEX build_started ON build (account, region, started);
CREATE INDEX build_project_started ON build (account, region, project, started);
CREATE INDEX build_queued ON build (seq) WHERE queued;
-- Only the few that run are found by what changes while they do. An index that
-- is to answer alone must have what its condition is about, too.
CREATE INDEX build_unfinished ON build (account, region, project, started, queued, complete) WHERE NOT complete;
-- Entered once, when a build ends. The last holds all that statistics need.
CREATE INDEX build_status ON build (account, region, status, started) WHERE complete;
CREATE INDEX build_project_status ON build (account, region, project, status, started) WHERE complete;
CREATE INDEX build_ended ON build (account, region, started, project, status, ended, complete) WHERE complete;
