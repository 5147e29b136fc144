package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
)

// Bounds, so that nobody who may sign in fills the disk. The oldest go first.
const (
	sessionsPerAccount = 1000
	keysPerSession     = 16 // many windows may renew one session at once
)

// Sessions are the users who signed in for a while, and their keys. What has
// expired is not found, and is removed when something is stored.
type Sessions struct{ db *DB }

const sessionColumns = `id, account, user_name, origin, created, expires, ends, parent`

// Create stores a new session and its keys. NotFound if the session that it is
// to end with has ended. The account's oldest session over 1000 goes; gone are the ids of keys that went with it, or had expired.
func (s *Sessions) Create(ctx context.Context, v accesskey.Session, k accesskey.Sealed) (gone []string, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if gone, err = sweep(ctx, q, v.Created); err != nil {
			return err
		}
		if v.Parent != "" { // or it would stay although that was revoked
			if err := lives(ctx, q, v.Parent, v.Created); err != nil {
				return err
			}
		}
		if _, err := q.exec(ctx, `INSERT INTO session (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			v.ID, v.Account, v.User, string(v.Origin), stamp(v.Created), stamp(v.Expires), stamp(v.Ends), v.Parent); err != nil {
			return err
		}
		over, err := many(ctx, q, scanInto[string], `SELECT id FROM session WHERE account = $1 AND id NOT IN
			(SELECT id FROM session WHERE account = $1 ORDER BY created DESC, id DESC LIMIT $2)`, v.Account, sessionsPerAccount)
		if err != nil {
			return err
		}
		for _, id := range over {
			ended, err := endSession(ctx, q, id)
			if err != nil {
				return err
			}
			gone = append(gone, ended...)
		}
		return putSessionKey(ctx, q, v.ID, k)
	})
	if err != nil {
		return nil, doing(err, "store session")
	}
	return gone, nil
}

// Renew gives session v, whose time it sets to v.Expires, another key k. The key
// with id old is good until then at the latest. NotFound if the session has
// ended meanwhile. The session's oldest keys over 16 go; gone are their ids, and
// those of keys that had expired.
func (s *Sessions) Renew(ctx context.Context, v accesskey.Session, k accesskey.Sealed, old string, until time.Time) (gone []string, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if gone, err = sweep(ctx, q, k.Created); err != nil {
			return err
		}
		changed, err := q.exec(ctx, `UPDATE session SET expires = $1 WHERE id = $2`, stamp(v.Expires), v.ID)
		if err != nil {
			return err
		}
		if changed == 0 {
			return noSession()
		}
		if _, err := q.exec(ctx, `UPDATE session_key SET expires = $1 WHERE id = $2 AND session = $3 AND expires > $1`, stamp(until), old, v.ID); err != nil {
			return err
		}
		if err := putSessionKey(ctx, q, v.ID, k); err != nil {
			return err
		}
		over, err := many(ctx, q, scanInto[string], `DELETE FROM session_key WHERE session = $1 AND id NOT IN
			(SELECT id FROM session_key WHERE session = $1 ORDER BY created DESC, id DESC LIMIT $2) RETURNING id`, v.ID, keysPerSession)
		gone = append(gone, over...)
		return err
	})
	if err != nil {
		return nil, doing(err, "renew session %s", v.ID)
	}
	return gone, nil
}

// Key returns a session's key by its id, expired or not, or NotFound.
func (s *Sessions) Key(ctx context.Context, id string) (accesskey.Sealed, error) {
	k, err := one(ctx, s.db.read, scanAccessKey, `SELECT k.id, s.account, s.user_name, k.box, k.created, k.expires
		FROM session_key k JOIN session s ON s.id = k.session WHERE k.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return k, fault.New(fault.NotFound, "The access key does not exist")
	}
	return k, doing(err, "read a session's key")
}

// ByKey returns the session that a key is for, or NotFound if either has
// expired at now, or there is none.
func (s *Sessions) ByKey(ctx context.Context, id string, now time.Time) (accesskey.Session, error) {
	v, err := one(ctx, s.db.read, scanSession, `SELECT s.id, s.account, s.user_name, s.origin, s.created, s.expires, s.ends, s.parent
		FROM session_key k JOIN session s ON s.id = k.session WHERE k.id = $1 AND k.expires > $2 AND s.expires > $2`, id, stamp(now))
	if errors.Is(err, sql.ErrNoRows) {
		return v, noSession()
	}
	return v, doing(err, "read the session of a key")
}

// List returns the sessions of an account that have not expired at now, newest first.
func (s *Sessions) List(ctx context.Context, account string, now time.Time) ([]accesskey.Session, error) {
	all, err := many(ctx, s.db.read, scanSession, `SELECT `+sessionColumns+` FROM session
		WHERE account = $1 AND expires > $2 ORDER BY created DESC, id DESC`, account, stamp(now))
	return all, doing(err, "list sessions")
}

// Delete ends a session of an account, with its keys, the codes that it made and
// the sessions that those began, or returns NotFound. gone are the ids of the keys.
func (s *Sessions) Delete(ctx context.Context, account, id string, now time.Time) (gone []string, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := one(ctx, q, scanInto[string], `SELECT id FROM session WHERE account = $1 AND id = $2 AND expires > $3`, account, id, stamp(now))
		if errors.Is(err, sql.ErrNoRows) {
			return noSession()
		}
		if err != nil {
			return err
		}
		gone, err = endSession(ctx, q, id)
		return err
	})
	if err != nil {
		return nil, doing(err, "end session")
	}
	return gone, nil
}

// lives returns noSession unless the session with this id is good at now.
func lives(ctx context.Context, q *statements, id string, now time.Time) error {
	_, err := one(ctx, q, scanInto[string], `SELECT id FROM session WHERE id = $1 AND expires > $2`, id, stamp(now))
	if errors.Is(err, sql.ErrNoRows) {
		return noSession()
	}
	return err
}

func noSession() error { return fault.New(fault.NotFound, "There is no such session") }

func putSessionKey(ctx context.Context, q *statements, session string, k accesskey.Sealed) error {
	_, err := q.exec(ctx, `INSERT INTO session_key (id, session, box, created, expires) VALUES ($1, $2, $3, $4, $5)`,
		k.ID, session, k.Box, stamp(k.Created), stamp(k.Expires))
	return err
}

// endSession removes a session and all that hangs on it: its keys, the codes
// that it made, and in the same way the sessions that those began. It returns
// the ids of the keys.
func endSession(ctx context.Context, q *statements, id string) ([]string, error) {
	if _, err := q.exec(ctx, `DELETE FROM session WHERE id = $1`, id); err != nil {
		return nil, err
	}
	if _, err := q.exec(ctx, `DELETE FROM sign_in_code WHERE session = $1 AND session <> ''`, id); err != nil {
		return nil, err
	}
	gone, err := many(ctx, q, scanInto[string], `DELETE FROM session_key WHERE session = $1 RETURNING id`, id)
	if err != nil {
		return nil, err
	}
	begun, err := many(ctx, q, scanInto[string], `SELECT id FROM session WHERE parent = $1 AND parent <> ''`, id)
	if err != nil {
		return nil, err
	}
	for _, id := range begun {
		more, err := endSession(ctx, q, id)
		if err != nil {
			return nil, err
		}
		gone = append(gone, more...)
	}
	return gone, nil
}

// sweep removes what has expired, and returns the ids of keys that went.
func sweep(ctx context.Context, q *statements, now time.Time) ([]string, error) {
	if _, err := q.exec(ctx, `DELETE FROM session WHERE expires <= $1`, stamp(now)); err != nil {
		return nil, err
	}
	return many(ctx, q, scanInto[string], `DELETE FROM session_key WHERE expires <= $1 RETURNING id`, stamp(now))
}

func scanSession(row scan) (v accesskey.Session, err error) {
	var origin string
	var created, expires, ends int64
	err = row(&v.ID, &v.Account, &v.User, &origin, &created, &expires, &ends, &v.Parent)
	v.Origin, v.Created, v.Expires, v.Ends = slipway.SessionOrigin(origin), moment(created), moment(expires), moment(ends)
	return v, err
}
