package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// Parameters are the parameters and their past versions. A name and the same
// one with a slash before it are one parameter's.
type Parameters struct{ db *DB }

const parameterColumns = `account, region, version, record, box`

// Change puts what change makes of a parameter's current version in its place,
// in one transaction: old is nil if there is none, and a nil result removes the
// parameter with all its versions. What was current becomes a past version if
// the new one is another, and of too many the oldest goes. change may run more
// than once and must not block; what it returns as an error is returned, and
// nothing is changed.
func (s *Parameters) Change(ctx context.Context, scope arn.Scope, name string, change func(old *vault.SealedParameter) (*vault.SealedParameter, error)) error {
	path := vault.ParameterPath(name)
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		var old *vault.SealedParameter
		switch was, err := one(ctx, q, scanParameter, `SELECT `+parameterColumns+` FROM parameter WHERE account = $1 AND region = $2 AND path = $3`,
			scope.Account, scope.Region, path); {
		case err == nil:
			old = &was
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		next, err := change(old)
		if err != nil {
			return err
		}
		if next == nil {
			return s.remove(ctx, q, vault.ParameterAbout{Scope: scope, Name: name})
		}
		if old != nil && old.Version != next.Version {
			if err := s.retire(ctx, q, scope, path, next.Version); err != nil {
				return err
			}
		}
		record, err := encode(next.ParameterAbout)
		if err != nil {
			return err
		}
		_, err = q.exec(ctx, `INSERT INTO parameter (account, region, path, version, record, box) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (account, region, path) DO UPDATE SET version = excluded.version, record = excluded.record, box = excluded.box`,
			scope.Account, scope.Region, path, next.Version, record, next.Box)
		return err
	})
	return doing(err, "change parameter %s", name)
}

// retire moves the current version to the past ones, of which those go that are
// too many beside version next.
func (s *Parameters) retire(ctx context.Context, q *statements, scope arn.Scope, path string, next int64) error {
	if _, err := q.exec(ctx, `INSERT INTO past_parameter (account, region, path, version, record, box)
		SELECT account, region, path, version, record, box FROM parameter WHERE account = $1 AND region = $2 AND path = $3`,
		scope.Account, scope.Region, path); err != nil {
		return err
	}
	_, err := q.exec(ctx, `DELETE FROM past_parameter WHERE account = $1 AND region = $2 AND path = $3 AND version <= $4`,
		scope.Account, scope.Region, path, next-vault.MaxParameterVersions)
	return err
}

// remove removes all versions, and what is known of their use.
func (s *Parameters) remove(ctx context.Context, q *statements, a vault.ParameterAbout) error {
	path := vault.ParameterPath(a.Name)
	for _, query := range []string{
		`DELETE FROM parameter WHERE account = $1 AND region = $2 AND path = $3`,
		`DELETE FROM past_parameter WHERE account = $1 AND region = $2 AND path = $3`,
	} {
		if _, err := q.exec(ctx, query, a.Scope.Account, a.Scope.Region, path); err != nil {
			return err
		}
	}
	_, err := q.exec(ctx, `DELETE FROM vault_use WHERE arn = $1`, a.ARN())
	return err
}

// Get returns a version of the parameter with a name, the current one for 0;
// NotFound if there is no such parameter, with the reason vault.NoVersion if it
// is there without that version.
func (s *Parameters) Get(ctx context.Context, scope arn.Scope, name string, version int64) (vault.SealedParameter, error) {
	path := vault.ParameterPath(name)
	p, err := one(ctx, s.db.read, scanParameter, `SELECT `+parameterColumns+` FROM parameter WHERE account = $1 AND region = $2 AND path = $3`,
		scope.Account, scope.Region, path)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return p, noParameter(name)
	case err != nil || version == 0 || version == p.Version:
		return p, doing(err, "read parameter %s", name)
	}
	tags := p.Tags
	p, err = one(ctx, s.db.read, scanParameter, `SELECT `+parameterColumns+` FROM past_parameter WHERE account = $1 AND region = $2 AND path = $3 AND version = $4`,
		scope.Account, scope.Region, path, version)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fault.Because(vault.NoVersion, fault.NotFound, "Systems Manager could not find version %d of %s. Verify the version and try again.", version, name)
	}
	p.Tags = tags
	return p, doing(err, "read parameter %s", name)
}

func noParameter(name string) error {
	return fault.New(fault.NotFound, "Parameter %s not found.", name)
}

// GetMany returns the current versions of those of names that there are, in any
// order.
func (s *Parameters) GetMany(ctx context.Context, scope arn.Scope, names []string) ([]vault.SealedParameter, error) {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = vault.ParameterPath(name)
	}
	text, err := array(paths)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, scanParameter, `SELECT `+parameterColumns+` FROM parameter WHERE account = $1 AND region = $2 AND path `+fmt.Sprintf(oneOf, 3),
		scope.Account, scope.Region, text)
	return all, doing(err, "read parameters")
}

// List returns at most limit current versions below a path, which is empty or
// ends in a slash, by path, from the one after the path after on.
func (s *Parameters) List(ctx context.Context, scope arn.Scope, below, after string, limit int) ([]vault.SealedParameter, error) {
	// What begins with below lies before what a character above the slash follows.
	end := "\U0010ffff"
	if below != "" {
		end = below[:len(below)-1] + "0"
	}
	all, err := many(ctx, s.db.read, scanParameter, `SELECT `+parameterColumns+` FROM parameter
		WHERE account = $1 AND region = $2 AND path > $3 AND path >= $4 AND path < $5 ORDER BY path LIMIT $6`,
		scope.Account, scope.Region, after, below, end, limit)
	return all, doing(err, "list parameters")
}

// History returns at most limit versions of a parameter that come after version
// after, oldest first, the current one included; NotFound if there is none.
func (s *Parameters) History(ctx context.Context, scope arn.Scope, name string, after int64, limit int) ([]vault.SealedParameter, error) {
	current, err := s.Get(ctx, scope, name, 0)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, scanParameter, `SELECT `+parameterColumns+` FROM past_parameter
		WHERE account = $1 AND region = $2 AND path = $3 AND version > $4 AND version < $5 ORDER BY version LIMIT $6`,
		scope.Account, scope.Region, vault.ParameterPath(name), after, current.Version, limit)
	if len(all) < limit && after < current.Version {
		all = append(all, current)
	}
	return all, doing(err, "list the versions of parameter %s", name)
}

func scanParameter(row scan) (p vault.SealedParameter, err error) {
	var scope arn.Scope
	var version int64
	var record string
	err = row(&scope.Account, &scope.Region, &version, &record, &p.Box)
	if err == nil && json.Unmarshal([]byte(record), &p.ParameterAbout) != nil {
		err = errBroken
	}
	p.Scope, p.Version = scope, version
	return p, err
}
