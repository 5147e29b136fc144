CREATE TABLE report_group (
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    name     TEXT NOT NULL,
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    deleting INTEGER NOT NULL, -- it goes once its reports have gone
    record   TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) STRICT;
CREATE INDEX report_group_created ON report_group (account, region, created, name);
CREATE INDEX report_group_modified ON report_group (account, region, modified, name);
CREATE INDEX report_group_deleting ON report_group (account, region, name) WHERE deleting;

-- The order of creation is seq: it is never given twice, so that it can page.
CREATE TABLE report (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    account      TEXT NOT NULL,
    region       TEXT NOT NULL,
    report_group TEXT NOT NULL,
    id           TEXT NOT NULL UNIQUE,
    build        TEXT NOT NULL,
    number       INTEGER NOT NULL, -- of the reports of the build
    status       TEXT NOT NULL,
    created      INTEGER NOT NULL,
    expires      INTEGER NOT NULL,
    record       TEXT NOT NULL,
    UNIQUE (build, number)
) STRICT;
-- SQLite ends every index with seq, being the row's id: these page by it.
CREATE INDEX report_scope ON report (account, region);
CREATE INDEX report_status ON report (account, region, status);
CREATE INDEX report_of_group ON report (account, region, report_group);
CREATE INDEX report_of_group_status ON report (account, region, report_group, status);
CREATE INDEX report_expires ON report (expires);
CREATE INDEX report_deleting ON report (seq) WHERE status = 'DELETING';
CREATE INDEX report_generating ON report (created) WHERE status = 'GENERATING';

CREATE TABLE test_case (
    report   INTEGER NOT NULL, -- seq
    position INTEGER NOT NULL, -- in the report, from 1
    status   TEXT NOT NULL,
    prefix   TEXT NOT NULL,
    name     TEXT NOT NULL,
    suite    TEXT NOT NULL,
    raw_path TEXT NOT NULL,
    duration INTEGER NOT NULL, -- nanoseconds
    message  TEXT NOT NULL,
    PRIMARY KEY (report, position)
) STRICT, WITHOUT ROWID;

-- The part of lines that are covered is in hundredths of a percent, -1 if there
-- are no lines.
CREATE TABLE coverage (
    report          INTEGER NOT NULL, -- seq
    path            TEXT NOT NULL,
    line_part       INTEGER NOT NULL,
    lines           INTEGER NOT NULL, -- covered
    lines_missed    INTEGER NOT NULL,
    branches        INTEGER NOT NULL, -- covered
    branches_missed INTEGER NOT NULL,
    PRIMARY KEY (report, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX coverage_line_part ON coverage (report, line_part, path);
