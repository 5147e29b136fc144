package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// Outbox is what is owed to others. Items come into it with the change that
// makes us owe them: see Builds.Update.
type Outbox struct{ db *DB }

const selectItem = `SELECT id, kind, subject, payload, state, attempts, not_before, message, created, last_attempt, outcome FROM outbox `

// Due returns at most limit owed items whose NotBefore has passed and that are
// the oldest owed of their subject, longest due first.
func (s *Outbox) Due(ctx context.Context, now time.Time, limit int) ([]outbox.Item, error) {
	due, err := many(ctx, s.db.read, scanItem, selectItem+`WHERE head AND not_before <= $1 ORDER BY not_before, id LIMIT $2`, stamp(now), limit)
	return due, doing(err, "read what is due")
}

// NextDue returns when the next item will be due, perhaps in the past; ok is
// false if nothing is owed.
func (s *Outbox) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	next, err := one(ctx, s.db.read, scanInto[int64], `SELECT not_before FROM outbox WHERE head ORDER BY not_before LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, doing(err, "read what is due next")
	}
	return moment(next), true, nil
}

// Settle stores how an attempt at item went: its state, attempts, message, outcome
// and times. NotFound if there is no such item; an item that is no longer owed is
// left as it is.
func (s *Outbox) Settle(ctx context.Context, item outbox.Item) error {
	outcome, err := encodeOutcome(item.Outcome)
	if err != nil {
		return err
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		subject, err := one(ctx, q, scanInto[string], `SELECT subject FROM outbox WHERE id = $1`, item.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no item %d in the outbox", item.ID)
		}
		if err != nil {
			return err
		}
		if _, err := q.exec(ctx, `UPDATE outbox SET state = $1, attempts = $2, not_before = $3, message = $4, last_attempt = $5,
			outcome = $7, head = head AND $1 = 'OWED' WHERE id = $6 AND state = 'OWED'`, string(item.State), item.Attempts,
			stamp(item.NotBefore), item.Message, stamp(item.LastAttempt), item.ID, outcome); err != nil {
			return err
		}
		return promote(ctx, q, subject)
	})
	return doing(err, "settle item %d", item.ID)
}

// BySubject returns the items of a subject, settled or not, oldest first.
func (s *Outbox) BySubject(ctx context.Context, subject string) ([]outbox.Item, error) {
	all, err := many(ctx, s.db.read, scanItem, selectItem+`WHERE subject = $1 ORDER BY id`, subject)
	return all, doing(err, "read what is owed for %s", subject)
}

// addItem puts an item behind the others of its subject; its ID is given here.
func addItem(ctx context.Context, q *statements, item outbox.Item) error {
	if _, err := q.exec(ctx, `INSERT INTO outbox (kind, subject, payload, state, head, attempts, not_before, message, created, last_attempt)
		VALUES ($1, $2, $3, $4, FALSE, $5, $6, $7, $8, $9)`, string(item.Kind), item.Subject, string(item.Payload), string(item.State),
		item.Attempts, stamp(item.NotBefore), item.Message, stamp(item.Created), stamp(item.LastAttempt)); err != nil {
		return err
	}
	return promote(ctx, q, item.Subject)
}

// promote marks the oldest owed item of a subject, if it has one, as its head.
func promote(ctx context.Context, q *statements, subject string) error {
	_, err := q.exec(ctx, `UPDATE outbox SET head = TRUE WHERE NOT head
		AND id = (SELECT id FROM outbox WHERE subject = $1 AND state = 'OWED' ORDER BY id LIMIT 1)`, subject)
	return err
}

// encodeOutcome returns an outcome as its column holds it; most say nothing.
func encodeOutcome(o outbox.Outcome) (string, error) {
	if o == (outbox.Outcome{}) {
		return "", nil
	}
	return encode(o)
}

func scanItem(row scan) (item outbox.Item, err error) {
	var payload []byte
	var outcome string
	var notBefore, created, lastAttempt int64
	err = row(&item.ID, &item.Kind, &item.Subject, &payload, &item.State, &item.Attempts, &notBefore, &item.Message, &created, &lastAttempt, &outcome)
	if err == nil && outcome != "" && json.Unmarshal([]byte(outcome), &item.Outcome) != nil {
		err = errBroken
	}
	item.Payload = payload
	item.NotBefore, item.Created, item.LastAttempt = moment(notBefore), moment(created), moment(lastAttempt)
	return item, err
}
