package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"slipway/internal/arn"
)

// BindHosts binds a self-hosted server's token to host if it is bound to
// nothing yet, and returns the hosts that it is bound to then: of several who
// call at once one wins, durably. name is the ARN of a credential, or of a
// secret that is kept elsewhere.
func (s *Credentials) BindHosts(ctx context.Context, name, host string) (hosts []string, err error) {
	bound, err := encode([]string{host})
	if err != nil {
		return nil, err
	}
	a, _ := arn.Parse(name)
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		text, err := bindCredential(ctx, q, a, name, bound)
		if errors.Is(err, sql.ErrNoRows) {
			text, err = bindSecret(ctx, q, name, bound)
		}
		if err == nil && json.Unmarshal([]byte(text), &hosts) != nil {
			err = errBroken
		}
		return err
	})
	return hosts, doing(err, "bind source credential %s to its host", name)
}

func bindCredential(ctx context.Context, q *statements, a arn.ARN, name, hosts string) (string, error) {
	if _, err := q.exec(ctx, `UPDATE credential SET hosts = $1 WHERE account = $2 AND region = $3 AND arn = $4 AND hosts = '[]'`,
		hosts, a.Account, a.Region, name); err != nil {
		return "", err
	}
	return one(ctx, q, scanInto[string], `SELECT hosts FROM credential WHERE account = $1 AND region = $2 AND arn = $3`,
		a.Account, a.Region, name)
}

func bindSecret(ctx context.Context, q *statements, name, hosts string) (string, error) {
	if _, err := q.exec(ctx, `INSERT INTO bound_secret (arn, hosts) VALUES ($1, $2) ON CONFLICT (arn) DO NOTHING`, name, hosts); err != nil {
		return "", err
	}
	return one(ctx, q, scanInto[string], `SELECT hosts FROM bound_secret WHERE arn = $1`, name)
}
