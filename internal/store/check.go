package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Check looks through the database for damage and returns its size in bytes
// and what is wrong with it, nothing if it is sound. It reads all of it.
func (db *DB) Check(ctx context.Context) (size int64, problems []string, err error) {
	if err := db.pool.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&size); err != nil {
		return 0, nil, fmt.Errorf("read the size of the database: %w", err)
	}
	rows, err := db.pool.QueryContext(ctx, `PRAGMA quick_check(10)`)
	if err != nil {
		return size, nil, fmt.Errorf("check the database: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line sql.NullString
		if err := rows.Scan(&line); err != nil {
			return size, nil, fmt.Errorf("check the database: %w", err)
		}
		if line.String != "ok" {
			problems = append(problems, line.String)
		}
	}
	return size, problems, rows.Err()
}
