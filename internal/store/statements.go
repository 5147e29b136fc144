package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// statements runs queries, preparing each text once. A query is not begun if
// its context has ended, but goes to its end once begun: it is short, and for a
// context that may end the driver starts goroutines which cost as much.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)

	mu   sync.RWMutex // guards kept
	kept map[string]*sql.Stmt
}

func newStatements(prepare func(context.Context, string) (*sql.Stmt, error)) *statements {
	return &statements{prepare: prepare, kept: make(map[string]*sql.Stmt)}
}

// stmt returns query prepared. There are a few dozen texts in all: no text may
// hold a value.
func (s *statements) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	stmt := s.kept[query]
	s.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt := s.kept[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	s.kept[query] = stmt
	return stmt, nil
}

// exec runs a query without rows and returns how many it changed.
func (s *statements) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	stmt, err := s.stmt(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, stmt := range s.kept {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}

// scan hands on the columns of a row.
type scan func(dest ...any) error

// one returns the first row, or sql.ErrNoRows.
func one[T any](ctx context.Context, s *statements, read func(scan) (T, error), query string, args ...any) (T, error) {
	var zero T
	stmt, err := s.stmt(ctx, query)
	if err != nil {
		return zero, err
	}
	return read(stmt.QueryRowContext(context.WithoutCancel(ctx), args...).Scan)
}

// many returns all rows; nil if there are none.
func many[T any](ctx context.Context, s *statements, read func(scan) (T, error), query string, args ...any) (all []T, err error) {
	stmt, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		row, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// keys returns the column named key of query's rows, in its order; query must
// have a LIMIT and no key a line break. They come as one row: to hand them over
// one by one costs several times as much as to find them.
func keys(ctx context.Context, s *statements, query string, args ...any) ([]string, error) {
	lines, err := one(ctx, s, scanInto[sql.NullString], "SELECT string_agg(key, '\n') FROM ("+query+") AS page", args...)
	if err != nil || !lines.Valid {
		return nil, err
	}
	return strings.Split(lines.String, "\n"), nil
}

// scanInto reads a row of one column.
func scanInto[T any](row scan) (v T, err error) { return v, row(&v) }

// array returns names as the parameter of oneOf.
func array(names []string) (string, error) {
	text, err := json.Marshal(names)
	return string(text), err
}

// encode returns v as a record column holds it.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode record: %w", err)
	}
	return string(text), nil
}
