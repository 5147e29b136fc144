package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// purgeSize is how many rows one transaction of Purge removes, so that others
// need not wait.
const purgeSize = 500

// Purge removes some of what is to be deleted or has expired at now, and ends as
// INCOMPLETE reports whose content has not come since a time. more says that
// there is more to remove.
func (s *Reports) Purge(ctx context.Context, now, generating time.Time) (more bool, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		more = false
		if _, err := q.exec(ctx, `UPDATE report SET status = 'INCOMPLETE' WHERE status = 'GENERATING' AND created < $1`, stamp(generating)); err != nil {
			return err
		}
		for left := int64(purgeSize); left > 0; {
			seq, err := nextToPurge(ctx, q, now)
			if errors.Is(err, sql.ErrNoRows) {
				return removeEmptyGroups(ctx, q)
			}
			if err != nil {
				return err
			}
			removed, err := removeContent(ctx, q, seq, left)
			if err != nil {
				return err
			}
			if left -= removed; left > 0 {
				if _, err := q.exec(ctx, `DELETE FROM report WHERE seq = $1`, seq); err != nil {
					return err
				}
				left--
			}
		}
		more = true
		return nil
	})
	return more, doing(err, "remove old reports")
}

// toPurge are the queries for a report that is to go.
var toPurge = []string{
	`SELECT seq FROM report WHERE status = 'DELETING' ORDER BY seq LIMIT 1`,
	`SELECT seq FROM report WHERE expires <= $1 ORDER BY expires LIMIT 1`,
	`SELECT seq FROM report_group JOIN report ON report.account = report_group.account AND report.region = report_group.region AND report.report_group = report_group.name
		WHERE report_group.deleting LIMIT 1`,
}

func nextToPurge(ctx context.Context, q *statements, now time.Time) (seq int64, err error) {
	for i, query := range toPurge {
		var args []any
		if i == 1 {
			args = []any{stamp(now)}
		}
		seq, err = one(ctx, q, scanInto[int64], query, args...)
		if !errors.Is(err, sql.ErrNoRows) {
			return seq, err
		}
	}
	return 0, sql.ErrNoRows
}

// removeContent removes at most limit rows of a report's content.
func removeContent(ctx context.Context, q *statements, seq, limit int64) (removed int64, err error) {
	removed, err = q.exec(ctx, `DELETE FROM test_case WHERE report = $1 AND position IN
		(SELECT position FROM test_case WHERE report = $1 ORDER BY position LIMIT $2)`, seq, limit)
	if err != nil || removed == limit {
		return removed, err
	}
	files, err := q.exec(ctx, `DELETE FROM coverage WHERE report = $1 AND path IN
		(SELECT path FROM coverage WHERE report = $1 ORDER BY path LIMIT $2)`, seq, limit-removed)
	return removed + files, err
}
