package store

import (
	"context"
	"errors"
	"fmt"

	"slipway/internal/api"
	"slipway/internal/build"
)

// A buildRow is what is derived from a build. The number and the sequence are
// the database's: they live in their columns only.
type buildRow struct {
	id, project          string
	queued, complete     bool
	status, phase        string
	started, ended       int64
	initiator            string
	source, resolved     string
	failedPhase, message string
	state, record        string
}

func newBuildRow(b build.Build) (row buildRow, err error) {
	p := &b.Public
	if p.ID == nil || p.ProjectName == nil {
		return row, errors.New("store build: it has no id or no project")
	}
	failedPhase, message := b.Failure()
	row = buildRow{
		id: *p.ID, project: *p.ProjectName, queued: b.Queued(), complete: b.Finished(),
		status: string(p.BuildStatus), phase: text(p.CurrentPhase), started: recorded(p.StartTime), ended: recorded(p.EndTime),
		initiator: text(p.Initiator), source: text(p.SourceVersion), resolved: text(p.ResolvedSourceVersion),
		failedPhase: string(failedPhase), message: message,
	}
	p.BuildNumber, b.State.Sequence = nil, 0
	if row.state, err = encode(b.State); err != nil {
		return row, err
	}
	row.record, err = encode(b.Public)
	return row, err
}

// recorded is t as the record has it, in whole milliseconds.
func recorded(t api.Timestamp) int64 { return stamp(api.At(t.Time).Time) }

// text returns *s, or "" if s is nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// saveBuild stores b, which was read as before, in this transaction. It names
// only columns that may have changed: SQLite writes the entries of all indexes
// that know a column which is named.
func saveBuild(ctx context.Context, q *statements, before, b build.Build) error {
	row, err := newBuildRow(b)
	if err != nil {
		return err
	}
	if row.id != *before.Public.ID {
		return fmt.Errorf("the change made it build %s", row.id)
	}
	query := `UPDATE build SET state = $1, record = $2, phase = $3, resolved_version = $4`
	args := []any{row.state, row.record, row.phase, row.resolved, before.State.Sequence}
	switch {
	case row.complete:
		query += `, queued = $6, complete = $7, status = $8, ended = $9, failed_phase = $10, message = $11`
		args = append(args, row.queued, row.complete, row.status, row.ended, row.failedPhase, row.message)
	case row.queued != before.Queued():
		query += `, queued = $6`
		args = append(args, row.queued)
	}
	_, err = q.exec(ctx, query+` WHERE seq = $5`, args...)
	return err
}
