package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"slipway/internal/build"
	"slipway/internal/fault"
)

// Accept stores a new queued build and returns it with its number and sequence,
// in one durable transaction. NotFound if its project is gone, Limit if the
// project's concurrentBuildLimit is reached. With an Idempotency whose token is
// remembered, the build it made is returned and nothing is stored; other
// parameters are Invalid. The build's start time is the clock by which memories
// expire; one whose build was deleted is forgotten, too.
func (s *Builds) Accept(ctx context.Context, b build.Build, once *build.Idempotency) (build.Build, error) {
	row, err := newBuildRow(b)
	if err != nil {
		return build.Build{}, err
	}
	accepted := b
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if once != nil {
			old, err := remembered(ctx, q, b, *once)
			if err == nil {
				accepted = old
				return nil
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if err := checkLimit(ctx, q, b, row.project); err != nil {
			return err
		}
		number, err := one(ctx, q, scanInto[int64], `INSERT INTO build_number (account, region, project, last) VALUES ($1, $2, $3, 1)
			ON CONFLICT (account, region, project) DO UPDATE SET last = build_number.last + 1 RETURNING last`,
			b.Scope.Account, b.Scope.Region, row.project)
		if err != nil {
			return err
		}
		accepted.Public.BuildNumber = &number
		accepted.State.Sequence, err = one(ctx, q, scanInto[int64],
			`INSERT INTO build (id, account, region, project, number, queued, complete, status, started, ended, phase,
				initiator, source_version, resolved_version, failed_phase, message, state, record)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING seq`,
			row.id, b.Scope.Account, b.Scope.Region, row.project, number, row.queued, row.complete, row.status, row.started, row.ended, row.phase,
			row.initiator, row.source, row.resolved, row.failedPhase, row.message, row.state, row.record)
		if err != nil || once == nil {
			return err
		}
		_, err = q.exec(ctx, `INSERT INTO idempotency (account, region, token, fingerprint, build_id, expires)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			b.Scope.Account, b.Scope.Region, once.Token, once.Fingerprint, row.id, stamp(once.Expires))
		return err
	})
	if err != nil {
		return build.Build{}, doing(err, "accept build %s", row.id)
	}
	return accepted, nil
}

// remembered returns the build that once has made already, or sql.ErrNoRows. It
// forgets what has expired, and whatever stands in the way of a new memory.
func remembered(ctx context.Context, q *statements, b build.Build, once build.Idempotency) (old build.Build, err error) {
	if _, err := q.exec(ctx, `DELETE FROM idempotency WHERE expires <= $1`, stamp(b.Public.StartTime.Time)); err != nil {
		return old, err
	}
	type memory struct {
		fingerprint []byte
		id          string
	}
	m, err := one(ctx, q, func(row scan) (m memory, err error) { return m, row(&m.fingerprint, &m.id) },
		`SELECT fingerprint, build_id FROM idempotency WHERE account = $1 AND region = $2 AND token = $3`,
		b.Scope.Account, b.Scope.Region, once.Token)
	if err != nil {
		return old, err
	}
	if !bytes.Equal(m.fingerprint, once.Fingerprint) {
		// CodeBuild's own text is not known: this is ours.
		return old, fault.New(fault.Invalid, "The idempotency token was already used for a request with other parameters")
	}
	old, err = one(ctx, q, scanBuild, selectBuild+`WHERE id = $1`, m.id)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := q.exec(ctx, `DELETE FROM idempotency WHERE account = $1 AND region = $2 AND token = $3`,
			b.Scope.Account, b.Scope.Region, once.Token); err != nil {
			return old, err
		}
	}
	return old, err
}

// checkLimit holds b against its project: that there is one, and that it may
// have one more unfinished build.
func checkLimit(ctx context.Context, q *statements, b build.Build, project string) error {
	limit, err := one(ctx, q, scanInto[sql.Null[int64]], `SELECT concurrent_limit FROM project WHERE account = $1 AND region = $2 AND name = $3`,
		b.Scope.Account, b.Scope.Region, project)
	if errors.Is(err, sql.ErrNoRows) {
		return noProject(b.Scope, project)
	}
	if err != nil || !limit.Valid {
		return err
	}
	active, err := one(ctx, q, scanInto[int64],
		`SELECT count(*) FROM build WHERE account = $1 AND region = $2 AND project = $3 AND NOT complete`,
		b.Scope.Account, b.Scope.Region, project)
	if err == nil && active >= limit.V {
		return fault.New(fault.Limit, "Cannot have more than %d active builds for the project", limit.V)
	}
	return err
}
