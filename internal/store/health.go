package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"slipway/internal/credential"
	"slipway/internal/fault"
)

// Health is what checks of source credentials found. What was found before a
// credential was imported anew is about another token and counts as nothing.
type Health struct{ db *DB }

// Health returns what checks of source credentials found.
func (db *DB) Health() *Health { return &Health{db} }

// Put stores what a check found. A check of a credential that has been imported
// anew or deleted since it began, and one that began before the one that is
// stored, are dropped without an error. The warning that was last given of the
// same token stays as it is.
func (s *Health) Put(ctx context.Context, h credential.Health) error {
	record, err := encode(h.Found)
	if err != nil {
		return err
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		// Of tokens that are gone, those of deleted credentials included.
		if _, err := q.exec(ctx, `DELETE FROM credential_health WHERE NOT EXISTS (SELECT 1 FROM credential AS c
			WHERE c.arn = credential_health.arn AND c.version = credential_health.version AND c.modified <= credential_health.checked)`); err != nil {
			return err
		}
		_, err := q.exec(ctx, `INSERT INTO credential_health (arn, version, checked, warned, record)
			SELECT arn, version, $1, $2, $3 FROM credential WHERE arn = $4 AND version = $5 AND modified <= $1
			ON CONFLICT (arn) DO UPDATE SET checked = excluded.checked, record = excluded.record
				WHERE credential_health.checked <= excluded.checked`,
			stamp(h.Checked), h.Warned, record, h.ARN, h.Version)
		return err
	})
	return doing(err, "store health of source credential %s", h.ARN)
}

// Warned stores that a warning was given so many days before a credential's
// expiry. That it was imported anew since is no error.
func (s *Health) Warned(ctx context.Context, arn string, version int64, days int) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `UPDATE credential_health SET warned = $1 WHERE arn = $2 AND version = $3`, days, arn, version)
		return err
	})
	return doing(err, "store warning of source credential %s", arn)
}

const selectHealth = `SELECT arn, version, checked, warned, record FROM credential_health `

// Get returns what the last check of a credential found, or NotFound if this
// version of it was never checked.
func (s *Health) Get(ctx context.Context, of credential.About) (credential.Health, error) {
	h, err := one(ctx, s.db.read, scanHealth, selectHealth+`WHERE arn = $1 AND version = $2 AND checked >= $3`, of.ARN, of.Version, stamp(of.Modified))
	if errors.Is(err, sql.ErrNoRows) {
		return h, fault.New(fault.NotFound, "The source credential %s has not been checked yet", of.ARN)
	}
	return h, doing(err, "read health of source credential %s", of.ARN)
}

// All returns every credential of every scope by ARN, each with what its last
// check found.
func (s *Health) All(ctx context.Context) ([]credential.Examined, error) {
	found, err := many(ctx, s.db.read, scanHealth, selectHealth)
	if err != nil {
		return nil, doing(err, "list health of source credentials")
	}
	of := make(map[string]*credential.Health, len(found))
	for i := range found {
		of[found[i].ARN] = &found[i]
	}
	sealed, err := many(ctx, s.db.read, scanCredential, `SELECT `+credentialColumns+` FROM credential ORDER BY arn`)
	if err != nil {
		return nil, doing(err, "list source credentials")
	}
	all := make([]credential.Examined, len(sealed))
	for i, c := range sealed {
		all[i].About = c.About
		if h := of[c.ARN]; h != nil && h.Version == c.Version && !h.Checked.Before(c.Modified) {
			all[i].Health = h
		}
	}
	return all, nil
}

func scanHealth(row scan) (h credential.Health, err error) {
	var record []byte
	var checked int64
	err = row(&h.ARN, &h.Version, &checked, &h.Warned, &record)
	if err == nil && json.Unmarshal(record, &h.Found) != nil {
		err = errBroken
	}
	h.Checked = moment(checked)
	return h, err
}
