package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/fault"
)

// codesPerAccount bounds the codes that nobody has used; the oldest go first.
const codesPerAccount = 100

const codeColumns = `hash, account, user_name, session, created, expires, ends`

// PutCode stores a one-time code by its hash. The account's oldest over 100 go,
// and all that have expired. NotFound if the session that made c has ended.
func (s *Sessions) PutCode(ctx context.Context, c accesskey.Code) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if _, err := q.exec(ctx, `DELETE FROM sign_in_code WHERE expires <= $1`, stamp(c.Created)); err != nil {
			return err
		}
		if c.Session != "" { // or its code would stay although it was revoked
			if err := lives(ctx, q, c.Session, c.Created); err != nil {
				return err
			}
		}
		if _, err := q.exec(ctx, `INSERT INTO sign_in_code (`+codeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			c.Hash, c.Account, c.User, c.Session, stamp(c.Created), stamp(c.Expires), stamp(c.Ends)); err != nil {
			return err
		}
		_, err := q.exec(ctx, `DELETE FROM sign_in_code WHERE account = $1 AND hash NOT IN
			(SELECT hash FROM sign_in_code WHERE account = $1 ORDER BY created DESC, hash DESC LIMIT $2)`, c.Account, codesPerAccount)
		return err
	})
	return doing(err, "store a sign-in code")
}

// TakeCode removes the code with this hash and returns it: of several that ask
// for one, one gets it. One that has expired at now, was used or never was is
// NotFound, and writes nothing: anybody may guess.
func (s *Sessions) TakeCode(ctx context.Context, hash []byte, now time.Time) (c accesskey.Code, err error) {
	there, err := one(ctx, s.db.read, scanInto[bool], `SELECT EXISTS (SELECT 1 FROM sign_in_code WHERE hash = $1 AND expires > $2)`, hash, stamp(now))
	if err != nil {
		return c, doing(err, "look for a sign-in code")
	}
	if !there {
		return c, noCode()
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		c, err = one(ctx, q, scanCode, `DELETE FROM sign_in_code WHERE hash = $1 AND expires > $2 RETURNING `+codeColumns, hash, stamp(now))
		if errors.Is(err, sql.ErrNoRows) {
			return noCode()
		}
		return err
	})
	if err != nil {
		return accesskey.Code{}, doing(err, "take a sign-in code")
	}
	return c, nil
}

func noCode() error { return fault.New(fault.NotFound, "There is no such sign-in code") }

func scanCode(row scan) (c accesskey.Code, err error) {
	var created, expires, ends int64
	err = row(&c.Hash, &c.Account, &c.User, &c.Session, &created, &expires, &ends)
	c.Created, c.Expires, c.Ends = moment(created), moment(expires), moment(ends)
	return c, err
}
