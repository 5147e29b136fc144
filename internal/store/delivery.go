package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/webhook"
)

const (
	keptRefused = 200 // badly signed deliveries of a hook that are remembered
	pruneSize   = 500 // rows in one transaction, so that others need not wait
)

// Deliveries are what providers delivered, in order of arrival.
type Deliveries struct{ db *DB }

const selectDelivery = `SELECT seq, account, region, server_type, hook, delivery_id, received, pending, record, header FROM delivery `

// Accept stores a delivery and returns it with its sequence; once it has
// returned, the delivery is durable. One of the same hook and id that is there
// already is returned instead, its repeats counted, and again is true. What is
// refused (its state says so) takes nobody's id; of each hook the latest 200 are
// kept, without their payload.
func (s *Deliveries) Accept(ctx context.Context, d webhook.Delivery) (stored webhook.Delivery, again bool, err error) {
	refused := d.Record.State == slipway.DeliveryStateRefused
	if refused {
		d.Body, d.Pending = nil, false
	}
	record, err := encode(d.Record)
	if err != nil {
		return d, false, err
	}
	header, err := encode(d.Header)
	if err != nil {
		return d, false, err
	}
	packed := pack(d.Body)
	id := d.ID
	if id == "" { // the provider gives none, so that nothing can be compared
		id = "-" + uuid.NewString()
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		stored, again = d, false
		seq, err := one(ctx, q, scanInto[int64], `INSERT INTO delivery (account, region, server_type, hook, delivery_id, received, pending, refused, record, header, body, repository)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (hook, delivery_id) WHERE NOT refused DO NOTHING RETURNING seq`,
			d.Scope.Account, d.Scope.Region, string(d.ServerType), d.Hook, id, stamp(d.Received), d.Pending, refused, record, header, packed, strings.ToLower(d.Record.Repository))
		if errors.Is(err, sql.ErrNoRows) {
			again = true
			stored, err = repeat(ctx, q, d.Hook, id)
			return err
		}
		if err != nil {
			return err
		}
		stored.Sequence = seq
		if !refused {
			return nil
		}
		_, err = q.exec(ctx, `DELETE FROM delivery WHERE seq IN
			(SELECT seq FROM delivery WHERE hook = $1 AND refused ORDER BY seq DESC LIMIT $2 OFFSET $3)`, d.Hook, pruneSize, keptRefused)
		return err
	})
	return stored, again, doing(err, "store a delivery")
}

// repeat counts that a delivery came once more and returns it without payload.
func repeat(ctx context.Context, q *statements, hook, id string) (webhook.Delivery, error) {
	d, err := one(ctx, q, scanDelivery, selectDelivery+`WHERE hook = $1 AND delivery_id = $2 AND NOT refused`, hook, id)
	if err != nil {
		return d, err
	}
	d.Record.Repeats++
	record, err := encode(d.Record)
	if err != nil {
		return d, err
	}
	_, err = q.exec(ctx, `UPDATE delivery SET record = $1 WHERE seq = $2`, record, d.Sequence)
	return d, err
}

// Pending returns at most limit deliveries after a sequence that are not yet
// evaluated, in order of arrival, without their payload.
func (s *Deliveries) Pending(ctx context.Context, after int64, limit int) ([]webhook.Delivery, error) {
	all, err := many(ctx, s.db.read, scanDelivery, selectDelivery+`WHERE pending AND seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	return all, doing(err, "read what was delivered")
}

// Get returns a delivery with its payload, wherever it is, or NotFound.
func (s *Deliveries) Get(ctx context.Context, sequence int64) (webhook.Delivery, error) {
	return s.load(ctx, sequence, selectWithBody+`WHERE seq = $1`, sequence)
}

// Find returns a delivery with its payload, or NotFound if there is none in scope.
func (s *Deliveries) Find(ctx context.Context, scope arn.Scope, sequence int64) (webhook.Delivery, error) {
	return s.load(ctx, sequence, selectWithBody+`WHERE seq = $1 AND account = $2 AND region = $3`, sequence, scope.Account, scope.Region)
}

const selectWithBody = `SELECT seq, account, region, server_type, hook, delivery_id, received, pending, record, header, body FROM delivery `

func (s *Deliveries) load(ctx context.Context, sequence int64, query string, args ...any) (webhook.Delivery, error) {
	var packed []byte
	d, err := one(ctx, s.db.read, func(row scan) (webhook.Delivery, error) {
		return scanDelivery(func(dest ...any) error { return row(append(dest, &packed)...) })
	}, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return d, noDelivery(sequence)
	}
	if err == nil {
		d.Body, err = unpack(packed)
	}
	return d, doing(err, "read delivery %d", sequence)
}

func noDelivery(sequence int64) error {
	return fault.New(fault.NotFound, "There is no delivery %s. Deliveries are kept for a while only; 'slipway webhook deliveries' lists those that are.", webhook.DeliveryName(sequence))
}

// List returns a page of at most limit deliveries, newest first and without
// payload: all of a scope, or with a project those of the hook that it hears and
// those that came to something for it. before is 0 or the next that the page
// before returned; next is 0 after the last page.
func (s *Deliveries) List(ctx context.Context, scope arn.Scope, project string, before int64, limit int) (page []webhook.Delivery, next int64, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	query, args := `WHERE account = $1 AND region = $2 AND seq < $3 `, []any{scope.Account, scope.Region, before, limit + 1}
	if project != "" {
		query += `AND (hook IN (SELECT hook FROM webhook WHERE account = $1 AND region = $2 AND project = $5)
			OR seq IN (SELECT delivery FROM verdict WHERE account = $1 AND region = $2 AND project = $5)) `
		args = append(args, project)
	}
	page, err = many(ctx, s.db.read, scanDelivery, selectDelivery+query+`ORDER BY seq DESC LIMIT $4`, args...)
	if err != nil {
		return nil, 0, doing(err, "list deliveries")
	}
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].Sequence
	}
	return page, next, nil
}

// About returns at most limit deliveries of a server type that are about one of
// some repositories, by full name in any case, newest first and without payload.
// What was refused is not among them.
func (s *Deliveries) About(ctx context.Context, scope arn.Scope, server api.ServerType, repositories []string, limit int) ([]webhook.Delivery, error) {
	lower := make([]string, len(repositories))
	for i, name := range repositories {
		lower[i] = strings.ToLower(name)
	}
	names, err := encode(lower)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, scanDelivery, selectDelivery+`WHERE account = $1 AND region = $2 AND server_type = $3 AND repository `+fmt.Sprintf(oneOf, 4)+
		` AND NOT refused ORDER BY seq DESC LIMIT $5`, scope.Account, scope.Region, string(server), names, limit)
	return all, doing(err, "list the deliveries of a repository")
}

// Verdicts returns what a delivery came to, by project and event.
func (s *Deliveries) Verdicts(ctx context.Context, sequence int64) ([]webhook.Verdict, error) {
	all, err := many(ctx, s.db.read, func(row scan) (v webhook.Verdict, err error) {
		var record string
		if err := row(&v.Scope.Account, &v.Scope.Region, &v.Event, &record); err != nil {
			return v, err
		}
		if json.Unmarshal([]byte(record), &v.ProjectVerdict) != nil {
			return v, errBroken
		}
		return v, nil
	}, `SELECT account, region, event, record FROM verdict WHERE delivery = $1 ORDER BY account, region, project, event`, sequence)
	return all, doing(err, "read what delivery %d came to", sequence)
}

// Settle stores all that came of a pending delivery, in one durable
// transaction. One that is no longer pending, or gone, is left as it is, and
// settled is false. Repeats that were counted meanwhile stay.
func (s *Deliveries) Settle(ctx context.Context, sequence int64, of webhook.Settlement) (settled bool, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		settled = false
		d, err := one(ctx, q, scanDelivery, selectDelivery+`WHERE seq = $1 AND pending`, sequence)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		settled = true
		of.Record.Repeats = d.Record.Repeats
		record, err := encode(of.Record)
		if err != nil {
			return err
		}
		if _, err := q.exec(ctx, `UPDATE delivery SET pending = FALSE, record = $1, repository = $2 WHERE seq = $3`, record, strings.ToLower(of.Record.Repository), sequence); err != nil {
			return err
		}
		for _, v := range of.Verdicts {
			if err := addVerdict(ctx, q, sequence, v); err != nil {
				return err
			}
		}
		for _, w := range of.Released {
			if _, err := q.exec(ctx, `DELETE FROM withheld WHERE account = $1 AND region = $2 AND project = $3 AND repository = $4 AND pull_request = $5 AND commit_id = $6`,
				w.Scope.Account, w.Scope.Region, w.Project, w.Repository, w.PullRequest, w.Commit); err != nil {
				return err
			}
		}
		for _, w := range of.Withheld {
			if err := withhold(ctx, q, w); err != nil {
				return err
			}
		}
		for _, item := range of.Owed {
			if err := addItem(ctx, q, item); err != nil {
				return err
			}
		}
		return rememberRefs(ctx, q, d.Hook, of.Refs, of.Gone)
	})
	return settled, doing(err, "settle delivery %d", sequence)
}

func addVerdict(ctx context.Context, q *statements, sequence int64, v webhook.Verdict) error {
	record, err := encode(v.ProjectVerdict)
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, `INSERT INTO verdict (delivery, account, region, project, event, record) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (delivery, account, region, project, event) DO UPDATE SET record = excluded.record`,
		sequence, v.Scope.Account, v.Scope.Region, v.ProjectName, v.Event, record)
	return err
}

func withhold(ctx context.Context, q *statements, w webhook.Withheld) error {
	record, err := encode(w.Record)
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, `INSERT INTO withheld (account, region, project, repository, pull_request, commit_id, record, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (account, region, project, repository, pull_request) DO UPDATE SET commit_id = excluded.commit_id, record = excluded.record, created = excluded.created`,
		w.Scope.Account, w.Scope.Region, w.Project, w.Repository, w.PullRequest, w.Commit, record, stamp(w.Created))
	return err
}

// Withheld returns the build of a repository's pull request that waits for
// approval; ok is false if none does.
func (s *Deliveries) Withheld(ctx context.Context, scope arn.Scope, project, repository string, pullRequest int64) (w webhook.Withheld, ok bool, err error) {
	w, err = one(ctx, s.db.read, func(row scan) (webhook.Withheld, error) {
		w := webhook.Withheld{Scope: scope, Project: project, Repository: repository, PullRequest: pullRequest}
		var record string
		var created int64
		if err := row(&w.Commit, &record, &created); err != nil {
			return w, err
		}
		w.Created = moment(created)
		if json.Unmarshal([]byte(record), &w.Record) != nil {
			return w, errBroken
		}
		return w, nil
	}, `SELECT commit_id, record, created FROM withheld WHERE account = $1 AND region = $2 AND project = $3 AND repository = $4 AND pull_request = $5`,
		scope.Account, scope.Region, project, repository, pullRequest)
	if errors.Is(err, sql.ErrNoRows) {
		return w, false, nil
	}
	return w, err == nil, doing(err, "read what is withheld of project %s", project)
}

// Prune forgets evaluated deliveries that were received before a time, with what
// they came to, and builds that have waited for approval since before another.
func (s *Deliveries) Prune(ctx context.Context, received, waiting time.Time) error {
	for {
		var more bool
		err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
			last, err := one(ctx, q, scanInto[sql.Null[int64]], `SELECT max(received) FROM
				(SELECT received FROM delivery WHERE received < $1 AND NOT pending ORDER BY received LIMIT $2) AS page`, stamp(received), pruneSize)
			if err != nil || !last.Valid {
				more = false
				return err
			}
			const page = `SELECT seq FROM delivery WHERE received <= $1 AND NOT pending`
			if _, err := q.exec(ctx, `DELETE FROM verdict WHERE delivery IN (`+page+`)`, last.V); err != nil {
				return err
			}
			_, err = q.exec(ctx, `DELETE FROM delivery WHERE seq IN (`+page+`)`, last.V)
			more = true
			return err
		})
		if err != nil {
			return doing(err, "forget old deliveries")
		}
		if !more {
			break
		}
	}
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `DELETE FROM withheld WHERE created < $1`, stamp(waiting))
		return err
	})
	return doing(err, "forget what was withheld")
}

func scanDelivery(row scan) (d webhook.Delivery, err error) {
	var received int64
	var record, header string
	if err := row(&d.Sequence, &d.Scope.Account, &d.Scope.Region, &d.ServerType, &d.Hook, &d.ID, &received, &d.Pending, &record, &header); err != nil {
		return d, err
	}
	if json.Unmarshal([]byte(record), &d.Record) != nil || json.Unmarshal([]byte(header), &d.Header) != nil {
		return d, errBroken
	}
	d.Received = moment(received)
	return d, nil
}
