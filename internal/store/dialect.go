package store

import (
	"net/url"
	"time"

	_ "modernc.org/sqlite" // registers the driver
)

// This file is what is particular to SQLite. All else is SQL that PostgreSQL
// reads the same way: $1 parameters, ON CONFLICT, RETURNING, row values, and
// conditions on booleans without a comparison, which partial indexes need
// literally as they are declared.

const (
	driver = "sqlite"

	// begin takes the write lock at once: a transaction that starts by reading
	// could not get it later if another process wrote in between.
	begin = `BEGIN IMMEDIATE`

	// undoInMemory keeps what a savepoint may have to take back, every page that
	// it writes to, out of a file. Migrations come before it: what they sort may
	// be larger than memory.
	undoInMemory = `PRAGMA temp_store = MEMORY`

	// oneOf is the right side of "name oneOf" for a parameter that is a JSON
	// array of strings; %d is the parameter's number.
	oneOf = `IN (SELECT value FROM json_each($%d))`

	// using follows a table's name where SQLite would not choose the index that is
	// meant: without statistics of what the columns hold it takes any that begins
	// alike. PostgreSQL has them, and no such words.
	using = ` INDEXED BY %s`

	// tableExists asks for a table by name.
	tableExists = `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1)`
)

// writeName is the data source of the one connection that writes. With
// synchronous=FULL a commit returns after its fsync, which WAL alone does not
// promise. Other processes hold the lock for moments, hence the busy timeout.
// The log is carried over into the database every 4,000 pages, 16 MB, instead of
// every 1,000: everyone waits meanwhile, and pages that many write are carried
// over once for all of them.
func writeName(path string) string {
	return dataSource(path, url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(4000)",
	}})
}

// readName is the data source of connections that cannot write.
func readName(path string) string {
	return dataSource(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}})
}

// dataSource escapes path, which may hold a question mark.
func dataSource(path string, options url.Values) string {
	options.Set("_dqs", "0") // a misspelt column is an error, not a string
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
}

// stamp returns t as columns hold it: microseconds since 1970, 0 for no time.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the inverse of stamp.
func moment(stamp int64) time.Time {
	if stamp == 0 {
		return time.Time{}
	}
	return time.UnixMicro(stamp).UTC()
}
