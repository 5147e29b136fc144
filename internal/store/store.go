// Package store keeps Slipway's nouns in an SQL database: a file per noun, one
// text per query. What it acknowledges has reached the disk.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"slipway/internal/api"
)

// FileName is the name of the database in the data folder.
const FileName = "slipway.db"

// readers is how many queries run side by side. They are short and mostly come
// from the page cache, so more connections would only cost memory.
const readers = 4

// A DB is an open database. Its methods, and those of what it hands out, may be
// called from several goroutines. Errors without a fault kind are failures of
// the database; no error repeats SQL, a record or a sealed value.
type DB struct {
	pool   *sql.DB // read-only connections
	read   *statements
	single *sql.DB // the writer's only connection
	write  *writer

	projects memory[api.Project]
}

// Open opens the database in dir, making and migrating it as needed; other
// processes may have it open too. A dir it makes has mode 0700, the files in it
// 0600. ctx bounds the opening. The caller must Close the DB.
func Open(ctx context.Context, dir string) (_ *DB, err error) {
	path, err := prepareFile(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
		}
	}()
	if db.single, err = sql.Open(driver, writeName(path)); err != nil {
		return nil, err
	}
	conn, err := db.single.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, conn); err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, undoInMemory); err != nil {
		return nil, err
	}
	db.write = newWriter(ctx, conn)
	if db.pool, err = sql.Open(driver, readName(path)); err != nil {
		return nil, err
	}
	db.pool.SetMaxOpenConns(readers)
	db.pool.SetMaxIdleConns(readers)
	db.read = newStatements(db.pool.PrepareContext)
	return db, nil
}

// Close lets the transactions that wait run to their end, refuses further ones
// with a fault of kind Unavailable, and closes the database. Closing again does nothing.
func (db *DB) Close() error {
	var errs []error
	if db.write != nil {
		errs = append(errs, db.write.close())
	}
	if db.read != nil {
		errs = append(errs, db.read.close())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	if db.single != nil {
		errs = append(errs, db.single.Close())
	}
	return errors.Join(errs...)
}

// HoldsSealed reports whether anything in the database is sealed. If so, the
// key that sealed it must be found: a new one would open nothing.
func (db *DB) HoldsSealed(ctx context.Context) (bool, error) {
	holds, err := one(ctx, db.read, scanInto[bool],
		`SELECT EXISTS (SELECT 1 FROM credential WHERE box IS NOT NULL) OR EXISTS (SELECT 1 FROM past_credential)
			OR EXISTS (SELECT 1 FROM parameter) OR EXISTS (SELECT 1 FROM secret_version)
			OR EXISTS (SELECT 1 FROM hook) OR EXISTS (SELECT 1 FROM access_key) OR EXISTS (SELECT 1 FROM session_key)`)
	if err != nil {
		return false, fmt.Errorf("look for sealed values: %w", err)
	}
	return holds, nil
}

// Credentials returns the source credentials.
func (db *DB) Credentials() *Credentials { return &Credentials{db} }

// Projects returns the projects.
func (db *DB) Projects() *Projects { return &Projects{db} }

// Builds returns the builds.
func (db *DB) Builds() *Builds { return &Builds{db} }

// ReportGroups returns the report groups.
func (db *DB) ReportGroups() *ReportGroups { return &ReportGroups{db} }

// Reports returns the reports of builds.
func (db *DB) Reports() *Reports { return &Reports{db} }

// AccessKeys returns the key pairs that sign requests.
func (db *DB) AccessKeys() *AccessKeys { return &AccessKeys{db} }

// Sessions returns the users who signed in for a while.
func (db *DB) Sessions() *Sessions { return &Sessions{db} }

// Hooks returns the hooks at providers and who hears them.
func (db *DB) Hooks() *Hooks { return &Hooks{db} }

// Deliveries returns what providers delivered and what came of it.
func (db *DB) Deliveries() *Deliveries { return &Deliveries{db} }

// Polls returns what is remembered of the refs of repositories.
func (db *DB) Polls() *Polls { return &Polls{db} }

// Parameters returns the parameters of the Parameter Store.
func (db *DB) Parameters() *Parameters { return &Parameters{db} }

// Secrets returns the secrets of Secrets Manager.
func (db *DB) Secrets() *Secrets { return &Secrets{db} }

// Uses returns the last uses of parameters and secrets.
func (db *DB) Uses() *Uses { return &Uses{db} }

// Outbox returns what is owed to others.
func (db *DB) Outbox() *Outbox { return &Outbox{db} }

// prepareFile makes the folder and an empty database file if they are missing,
// so that the file never has a wider mode than 0600; SQLite gives its log the
// mode of the database. The mode of a folder that exists is its owner's choice.
func prepareFile(dir string) (path string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make data folder: %w", err)
	}
	path = filepath.Join(dir, FileName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if err := os.Chmod(path, 0o600); err != nil { //nolint:gosec // it is the database
			return "", fmt.Errorf("close database to others: %w", err)
		}
		return path, nil
	}
	if err != nil {
		return "", fmt.Errorf("make database: %w", err)
	}
	if err := errors.Join(f.Close(), syncFolder(dir), syncFolder(filepath.Dir(dir))); err != nil {
		return "", fmt.Errorf("make database: %w", err)
	}
	return path, nil
}

// syncFolder makes the names in dir durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
