package store

import (
	"context"
	"fmt"

	"slipway/internal/vault"
)

// Uses are the last times that values of parameters and secrets were given out.
type Uses struct{ db *DB }

// Record stores uses, durably, each in place of the one before.
func (s *Uses) Record(ctx context.Context, uses ...vault.Use) error {
	if len(uses) == 0 {
		return nil
	}
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		for _, u := range uses {
			if _, err := q.exec(ctx, `INSERT INTO vault_use (arn, at, build_id, project, user_name) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (arn) DO UPDATE SET at = excluded.at, build_id = excluded.build_id, project = excluded.project, user_name = excluded.user_name`,
				u.ARN, stamp(u.At), u.BuildID, u.Project, u.User); err != nil {
				return err
			}
		}
		return nil
	})
	return doing(err, "record the use of a secret")
}

// Last returns the last use of each of the things with these ARNs, by ARN.
func (s *Uses) Last(ctx context.Context, arns []string) (map[string]vault.Use, error) {
	text, err := array(arns)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, func(row scan) (u vault.Use, err error) {
		var at int64
		err = row(&u.ARN, &at, &u.BuildID, &u.Project, &u.User)
		u.At = moment(at)
		return u, err
	}, `SELECT arn, at, build_id, project, user_name FROM vault_use WHERE arn `+fmt.Sprintf(oneOf, 1), text)
	last := make(map[string]vault.Use, len(all))
	for _, u := range all {
		last[u.ARN] = u
	}
	return last, doing(err, "read the last uses of secrets")
}
