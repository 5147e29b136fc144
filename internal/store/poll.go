package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"slipway/internal/fault"
	"slipway/internal/webhook"
)

// Polls are the refs of hooks' repositories as they were when last looked at,
// or heard of.
type Polls struct{ db *DB }

// Refs returns the commits that refs of a hook's repository were at.
func (s *Polls) Refs(ctx context.Context, hook string) (map[string]string, error) {
	rows, err := many(ctx, s.db.read, func(row scan) (r [2]string, err error) { return r, row(&r[0], &r[1]) },
		`SELECT ref, commit_id FROM polled_ref WHERE hook = $1`, hook)
	refs := make(map[string]string, len(rows))
	for _, r := range rows {
		refs[r[0]] = r[1]
	}
	return refs, doing(err, "read the refs that are remembered")
}

// Remember stores where refs are now, drops those that are gone, and changes
// the hook's record, in one transaction; NotFound if there is no such hook.
// Other refs stay as they are remembered. A nil change leaves the record alone;
// it may run more than once and must not block.
func (s *Polls) Remember(ctx context.Context, hook string, now map[string]string, gone []string, change func(*webhook.HookRecord)) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		text, err := one(ctx, q, scanInto[string], `SELECT record FROM hook WHERE key = $1`, hook)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no such webhook")
		}
		if err != nil {
			return err
		}
		if err := rememberRefs(ctx, q, hook, now, gone); err != nil {
			return err
		}
		if change == nil {
			return nil
		}
		var record webhook.HookRecord
		if json.Unmarshal([]byte(text), &record) != nil {
			return errBroken
		}
		change(&record)
		if text, err = encode(record); err != nil {
			return err
		}
		_, err = q.exec(ctx, `UPDATE hook SET record = $1 WHERE key = $2`, text, hook)
		return err
	})
	return doing(err, "remember refs")
}

// rememberRefs stores where refs of a hook's repository are now, and drops
// those that are gone, in this transaction.
func rememberRefs(ctx context.Context, q *statements, hook string, now map[string]string, gone []string) error {
	for ref, commit := range now {
		if _, err := q.exec(ctx, `INSERT INTO polled_ref (hook, ref, commit_id) VALUES ($1, $2, $3)
			ON CONFLICT (hook, ref) DO UPDATE SET commit_id = excluded.commit_id`, hook, ref, commit); err != nil {
			return err
		}
	}
	for _, ref := range gone {
		if _, err := q.exec(ctx, `DELETE FROM polled_ref WHERE hook = $1 AND ref = $2`, hook, ref); err != nil {
			return err
		}
	}
	return nil
}
