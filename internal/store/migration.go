package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migration/*.sql
var migrations embed.FS

// migrate brings the schema to this program's version, all in one transaction,
// so that two processes that start at once don't meet halfway. A schema newer
// than the program is an error: writing to it could lose what it keeps.
//
// It is our own because goose, at our few files, took 6 to 10 ms of a start
// where this takes 2, has no lock between processes on SQLite, and would run on
// a newer schema without a word.
func migrate(ctx context.Context, conn *sql.Conn) (err error) {
	names, err := fs.Glob(migrations, "migration/*.sql") // sorted, as the numbers have leading zeros
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, conn)
	if err != nil || version == len(names) {
		return err // the usual start takes no write lock
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() {
		if err != nil {
			_, rollback := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
			err = errors.Join(err, rollback)
		}
	}()
	if version, err = schemaVersion(ctx, conn); err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("its schema has version %d, this program knows up to %d: it was written by a newer Slipway", version, len(names))
	}
	for i, name := range names[version:] {
		if err := apply(ctx, conn, name, version+i+1); err != nil {
			return fmt.Errorf("migrate with %s: %w", name, err)
		}
	}
	if _, err := conn.ExecContext(ctx, `COMMIT`); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// schemaVersion returns how many migrations have been applied.
func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	var known bool
	if err := conn.QueryRowContext(ctx, tableExists, "schema_version").Scan(&known); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if !known {
		return 0, nil
	}
	if err := conn.QueryRowContext(ctx, `SELECT version FROM schema_version`).Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// apply runs the file that leads to version.
func apply(ctx context.Context, conn *sql.Conn, name string, version int) error {
	number, _, _ := strings.Cut(strings.TrimPrefix(name, "migration/"), "_")
	if n, err := strconv.Atoi(number); err != nil || n != version {
		return fmt.Errorf("the file after version %d must have number %d", version-1, version)
	}
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, string(text)); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `UPDATE schema_version SET version = $1`, version)
	return err
}
