package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"slipway/internal/arn"
	"slipway/internal/vault"
)

// Secrets are the secrets and their versions.
type Secrets struct{ db *DB }

const secretColumns = `account, region, name, arn, record`

// Change puts what change makes of a secret in its place, in one transaction.
// The secret is found by its name or its ARN; old is nil if there is none, and a
// nil result removes it for good. change may run more than once and must not
// block; what it returns as an error is returned, and nothing is changed.
func (s *Secrets) Change(ctx context.Context, scope arn.Scope, id string, change func(old *vault.Secret) (*vault.Secret, error)) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		old, err := s.find(ctx, q, scope, id)
		if err != nil {
			return err
		}
		var before []vault.Version
		if old != nil {
			before = slices.Clone(old.Versions)
		}
		next, err := change(old)
		if err != nil {
			return err
		}
		if old != nil && (next == nil || next.ARN != old.ARN) {
			if err := s.remove(ctx, q, old.SecretAbout); err != nil {
				return err
			}
			before = nil
		}
		if next == nil {
			return nil
		}
		return s.put(ctx, q, next, before)
	})
	return doing(err, "change secret %s", id)
}

// find returns the secret that id names, or nil.
func (s *Secrets) find(ctx context.Context, q *statements, scope arn.Scope, id string) (*vault.Secret, error) {
	full, name, ok := vault.FindSecret(scope, id)
	if !ok {
		return nil, nil
	}
	found, err := one(ctx, q, scanSecret, `SELECT `+secretColumns+` FROM secret WHERE account = $1 AND region = $2 AND (arn = $3 OR name = $4)
		ORDER BY arn = $3 DESC LIMIT 1`, scope.Account, scope.Region, full, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found.Versions, err = many(ctx, q, scanVersion, `SELECT id, stages, created, bytes, box FROM secret_version WHERE arn = $1 ORDER BY seq`, found.ARN)
	return &found, err
}

// put stores a secret whose versions were before.
func (s *Secrets) put(ctx context.Context, q *statements, next *vault.Secret, before []vault.Version) error {
	record, err := encode(next.SecretAbout)
	if err != nil {
		return err
	}
	if _, err := q.exec(ctx, `INSERT INTO secret (account, region, name, arn, purge, record) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, region, name) DO UPDATE SET arn = excluded.arn, purge = excluded.purge, record = excluded.record`,
		next.Scope.Account, next.Scope.Region, next.Name, next.ARN, stamp(next.Purge), record); err != nil {
		return err
	}
	for _, old := range before {
		if !slices.ContainsFunc(next.Versions, func(v vault.Version) bool { return v.ID == old.ID }) {
			if _, err := q.exec(ctx, `DELETE FROM secret_version WHERE arn = $1 AND id = $2`, next.ARN, old.ID); err != nil {
				return err
			}
		}
	}
	for _, v := range next.Versions {
		i := slices.IndexFunc(before, func(old vault.Version) bool { return v.ID == old.ID })
		if i >= 0 && slices.Equal(before[i].Stages, v.Stages) {
			continue
		}
		stages, err := encode(append([]string{}, v.Stages...))
		if err != nil {
			return err
		}
		if i >= 0 {
			_, err = q.exec(ctx, `UPDATE secret_version SET stages = $3 WHERE arn = $1 AND id = $2`, next.ARN, v.ID, stages)
		} else {
			_, err = q.exec(ctx, `INSERT INTO secret_version (arn, id, seq, stages, created, bytes, box)
				VALUES ($1, $2, (SELECT coalesce(max(seq), 0) + 1 FROM secret_version WHERE arn = $1), $3, $4, $5, $6)`,
				next.ARN, v.ID, stages, stamp(v.Created), v.Binary, v.Box)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes a secret, its versions and what is known of its use.
func (s *Secrets) remove(ctx context.Context, q *statements, a vault.SecretAbout) error {
	if _, err := q.exec(ctx, `DELETE FROM secret WHERE account = $1 AND region = $2 AND name = $3`, a.Scope.Account, a.Scope.Region, a.Name); err != nil {
		return err
	}
	if _, err := q.exec(ctx, `DELETE FROM secret_version WHERE arn = $1`, a.ARN); err != nil {
		return err
	}
	_, err := q.exec(ctx, `DELETE FROM vault_use WHERE arn = $1`, a.ARN)
	return err
}

// Get returns the secret that id names, with its versions, also if it is marked
// for deletion; NotFound if there is none.
func (s *Secrets) Get(ctx context.Context, scope arn.Scope, id string) (*vault.Secret, error) {
	found, err := s.find(ctx, s.db.read, scope, id)
	if err == nil && found == nil {
		err = vault.ErrNoSecret()
	}
	return found, doing(err, "read secret %s", id)
}

// List returns the secrets of a scope by name, also those that are marked for
// deletion. Of their versions they have only those with stages, without values.
func (s *Secrets) List(ctx context.Context, scope arn.Scope) ([]vault.Secret, error) {
	all, err := many(ctx, s.db.read, scanSecret, `SELECT `+secretColumns+` FROM secret WHERE account = $1 AND region = $2 ORDER BY name`,
		scope.Account, scope.Region)
	if err != nil {
		return nil, doing(err, "list secrets")
	}
	type row struct {
		arn string
		vault.Version
	}
	rows, err := many(ctx, s.db.read, func(scanned scan) (r row, err error) {
		r.Version, err = scanVersion(func(dest ...any) error { return scanned(append([]any{&r.arn}, dest...)...) })
		return r, err
	}, `SELECT v.arn, v.id, v.stages, v.created, v.bytes, NULL FROM secret AS s JOIN secret_version AS v ON v.arn = s.arn
		WHERE s.account = $1 AND s.region = $2 AND v.stages <> '[]' ORDER BY v.arn, v.seq`, scope.Account, scope.Region)
	if err != nil {
		return nil, doing(err, "list the versions of secrets")
	}
	versions := map[string][]vault.Version{}
	for _, r := range rows {
		versions[r.arn] = append(versions[r.arn], r.Version)
	}
	for i := range all {
		all[i].Versions = versions[all[i].ARN]
	}
	return all, nil
}

// Prune removes the secrets that were marked for deletion and whose time has come.
func (s *Secrets) Prune(ctx context.Context, now time.Time) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		over, err := many(ctx, q, scanSecret, `SELECT `+secretColumns+` FROM secret WHERE purge > 0 AND purge <= $1`, stamp(now))
		for _, gone := range over {
			if err == nil {
				err = s.remove(ctx, q, gone.SecretAbout)
			}
		}
		return err
	})
	return doing(err, "remove deleted secrets")
}

func scanSecret(row scan) (s vault.Secret, err error) {
	var record string
	err = row(&s.Scope.Account, &s.Scope.Region, &s.Name, &s.ARN, &record)
	if err == nil && json.Unmarshal([]byte(record), &s.SecretAbout) != nil {
		err = errBroken
	}
	return s, err
}

func scanVersion(row scan) (v vault.Version, err error) {
	var stages string
	var created int64
	err = row(&v.ID, &stages, &created, &v.Binary, &v.Box)
	if err == nil && json.Unmarshal([]byte(stages), &v.Stages) != nil {
		err = errBroken
	}
	v.Created = moment(created)
	return v, err
}
