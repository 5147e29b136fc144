package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

// How long is kept what became of credentials.
const (
	usesKept = 90 * 24 * time.Hour
	pastKept = 72 * time.Hour
)

// Record stores uses of credentials, all or none.
func (s *Credentials) Record(ctx context.Context, uses ...credential.Use) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		for _, u := range uses {
			if _, err := q.exec(ctx, `INSERT INTO credential_use (arn, at, purpose, host, repository, project, build_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				u.ARN, stamp(u.At), string(u.Purpose), u.Host, u.Repository, u.Project, u.BuildID); err != nil {
				return err
			}
		}
		return nil
	})
	return doing(err, "record the use of a source credential")
}

// Uses returns a page of at most limit uses of the credential with an ARN,
// newest first. after is "" or the next that the page before returned, or it is
// Invalid; next is "" after the last page. A credential that is gone still has
// its uses.
func (s *Credentials) Uses(ctx context.Context, arn, after string, limit int) (uses []credential.Use, next string, err error) {
	type row struct {
		seq int64
		use credential.Use
	}
	query := `SELECT seq, arn, at, purpose, host, repository, project, build_id FROM credential_use WHERE arn = $1 `
	args := []any{arn, limit + 1}
	if after != "" {
		before, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return nil, "", fault.New(fault.Invalid, "Invalid next token: it is none of this list's")
		}
		query += `AND seq < $3 `
		args = append(args, before)
	}
	rows, err := many(ctx, s.db.read, func(scanned scan) (r row, err error) {
		var at int64
		err = scanned(&r.seq, &r.use.ARN, &at, &r.use.Purpose, &r.use.Host, &r.use.Repository, &r.use.Project, &r.use.BuildID)
		r.use.At = moment(at)
		return r, err
	}, query+`ORDER BY seq DESC LIMIT $2`, args...)
	if err != nil {
		return nil, "", doing(err, "list the uses of a source credential")
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].seq, 10)
	}
	for _, r := range rows {
		uses = append(uses, r.use)
	}
	return uses, next, nil
}

// LastUsed returns when the credential with an ARN was last used for something
// other than to check it; zero if it never was, or too long ago to be known.
func (s *Credentials) LastUsed(ctx context.Context, arn string) (time.Time, error) {
	at, err := one(ctx, s.db.read, scanInto[int64], `SELECT at FROM credential_use WHERE arn = $1 AND purpose <> $2 ORDER BY seq DESC LIMIT 1`,
		arn, string(slipway.CredentialPurposeCheck))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return moment(at), doing(err, "read the last use of a source credential")
}

// Past returns the version of a credential that was replaced, or NotFound. Of
// what is about it only the ARN, the types, the user name, the version and, as
// Modified, when it was replaced are known.
func (s *Credentials) Past(ctx context.Context, arn string, version int64) (credential.Sealed, error) {
	c, err := one(ctx, s.db.read, func(row scan) (c credential.Sealed, err error) {
		var replaced int64
		err = row(&c.ARN, &c.Version, &c.ServerType, &c.AuthType, &c.Username, &c.Box, &replaced)
		c.Modified = moment(replaced)
		return c, err
	}, `SELECT arn, version, server_type, auth_type, username, box, replaced FROM past_credential WHERE arn = $1 AND version = $2`, arn, version)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.New(fault.NotFound, "The token that %s was at version %d is not kept any more", arn, version)
	}
	return c, doing(err, "read a past source credential")
}

// Prune forgets tokens that were replaced more than 72 hours ago, and uses from
// more than 90 days ago.
func (s *Credentials) Prune(ctx context.Context, now time.Time) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `DELETE FROM past_credential WHERE replaced < $1`, stamp(now.Add(-pastKept)))
		if err != nil {
			return err
		}
		_, err = q.exec(ctx, `DELETE FROM credential_use WHERE at < $1`, stamp(now.Add(-usesKept)))
		return err
	})
	return doing(err, "forget what is old about source credentials")
}
