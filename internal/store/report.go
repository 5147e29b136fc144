package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// Reports are the reports of builds, in order of creation. One that has expired
// is not found any more.
type Reports struct{ db *DB }

// coveragePage is how many files are stored in one transaction, so that others
// need not wait.
const coveragePage = 1000

const selectReport = `SELECT seq, account, region, report_group, id, build, number, status, record FROM report `

// Put stores a report that has ended, with its content, and returns it. A report
// of the same build and number that is there already is returned instead, as is:
// unless it was left half stored, which is made good. NotFound if the group is
// gone, or going. Until all of a long content is stored the report shows as
// GENERATING.
func (s *Reports) Put(ctx context.Context, r report.Report, content report.Content) (report.Report, error) {
	final := r.Public.Status
	open := false
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		stored, err := one(ctx, q, scanReport, selectReport+`WHERE build = $1 AND number = $2`, r.BuildID, r.Number)
		switch {
		case err == nil && (stored.Scope != r.Scope || stored.Group != r.Group):
			return fault.New(fault.Invalid, "report %d of the build is in another group", r.Number)
		case err == nil:
			public := r.Public
			r = stored
			if open = stored.Public.Status == api.ReportStatusTypeGenerating; open {
				public.ARN, public.Created, public.Expired = stored.Public.ARN, stored.Public.Created, stored.Public.Expired
				r.Public = public
			}
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		g, err := getReportGroup(ctx, q, r.Scope, r.Group)
		if err != nil {
			return err
		}
		if g.Deleting() {
			return fault.New(fault.NotFound, "The report group %s is being deleted", g.Name())
		}
		first := r
		if open = len(content.Coverages) > coveragePage; open {
			first.Public.Status = api.ReportStatusTypeGenerating
		}
		if r.Sequence, err = addReport(ctx, q, first); err != nil {
			return err
		}
		if err := addCases(ctx, q, r.Sequence, content.Cases); err != nil || open {
			return err
		}
		return addCoverages(ctx, q, r.Sequence, content.Coverages)
	})
	if err != nil || !open {
		return r, doing(err, "store report %d of build %s", r.Number, r.BuildID)
	}
	for rest := content.Coverages; len(rest) > 0 && err == nil; {
		page := rest[:min(len(rest), coveragePage)]
		rest = rest[len(page):]
		err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error { return addCoverages(ctx, q, r.Sequence, page) })
	}
	if err == nil {
		r.Public.Status = final
		err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error { return finishReport(ctx, q, r) })
	}
	return r, doing(err, "store report %d of build %s", r.Number, r.BuildID)
}

func addReport(ctx context.Context, q *statements, r report.Report) (seq int64, err error) {
	record, err := encode(r.Public)
	if err != nil {
		return 0, err
	}
	return one(ctx, q, scanInto[int64], `INSERT INTO report (account, region, report_group, id, build, number, status, created, expires, record)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING seq`,
		r.Scope.Account, r.Scope.Region, r.Group, r.ID, r.BuildID, r.Number, string(r.Public.Status), stamp(r.Public.Created.Time), stamp(r.Public.Expired.Time), record)
}

func finishReport(ctx context.Context, q *statements, r report.Report) error {
	record, err := encode(r.Public)
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, `UPDATE report SET status = $1, record = $2 WHERE seq = $3 AND status = 'GENERATING'`, string(r.Public.Status), record, r.Sequence)
	return err
}

// Get returns one report that has not expired at now, or NotFound.
func (s *Reports) Get(ctx context.Context, scope arn.Scope, group, id string, now time.Time) (report.Report, error) {
	r, err := one(ctx, s.db.read, scanReport, selectReport+`WHERE id = $1 AND account = $2 AND region = $3 AND report_group = $4 AND expires > $5`,
		id, scope.Account, scope.Region, group, stamp(now))
	if errors.Is(err, sql.ErrNoRows) {
		return r, noReport(scope, group, id)
	}
	return r, doing(err, "read report %s", id)
}

func noReport(scope arn.Scope, group, id string) error {
	return fault.New(fault.NotFound, "Report cannot be found: %s", scope.Report(group, id))
}

// GetMany returns the reports among ids that exist and have not expired at now,
// in order of creation.
func (s *Reports) GetMany(ctx context.Context, scope arn.Scope, ids []string, now time.Time) ([]report.Report, error) {
	list, err := array(ids)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, scanReport, selectReport+`WHERE id `+fmt.Sprintf(oneOf, 1)+` AND account = $2 AND region = $3 AND expires > $4 ORDER BY seq`,
		list, scope.Account, scope.Region, stamp(now))
	return all, doing(err, "read reports")
}

// List returns a page of at most limit names, group:id, of reports that have not
// expired at now, in order of creation: of one group or, with "", of all, and of
// one status or any. after is 0 or the next that the page before returned; next
// is 0 after the last page.
func (s *Reports) List(ctx context.Context, scope arn.Scope, group string, status api.ReportStatusType, descending bool, now time.Time, after int64, limit int) (names []string, next int64, err error) {
	query, args := reportPage(scope, group, status, descending, now, after, limit+1)
	names, err = keys(ctx, s.db.read, query, args...)
	if err != nil {
		return nil, 0, doing(err, "list reports")
	}
	more := len(names) > limit
	names = names[:min(len(names), limit)]
	var last string
	for i, key := range names {
		last, names[i], _ = strings.Cut(key, "/")
	}
	if more {
		if next, err = strconv.ParseInt(last, 10, 64); err != nil {
			return nil, 0, doing(err, "list reports")
		}
	}
	return names, next, nil
}

func reportPage(scope arn.Scope, group string, status api.ReportStatusType, descending bool, now time.Time, after int64, limit int) (string, []any) {
	index := "report_scope"
	where := ` WHERE account = $1 AND region = $2 AND expires > $3`
	args := []any{scope.Account, scope.Region, stamp(now), after, limit}
	if group != "" {
		args = append(args, group)
		where += ` AND report_group = $` + strconv.Itoa(len(args))
		index = "report_of_group"
	}
	if status != "" {
		args = append(args, string(status))
		where += ` AND status = $` + strconv.Itoa(len(args))
		index = "report_status"
		if group != "" {
			index = "report_of_group_status"
		}
	}
	page := ` AND seq > $4 ORDER BY seq LIMIT $5`
	if descending {
		page = ` AND seq < $4 ORDER BY seq DESC LIMIT $5`
		if after == 0 {
			args[3] = int64(math.MaxInt64)
		}
	}
	return `SELECT seq || '/' || report_group || ':' || id AS key FROM report` + fmt.Sprintf(using, index) + where + page, args
}

// Newest returns at most limit reports of a group that succeeded or failed and
// have not expired at now, newest first.
func (s *Reports) Newest(ctx context.Context, scope arn.Scope, group string, now time.Time, limit int) ([]report.Report, error) {
	all, err := many(ctx, s.db.read, scanReport, newestReports, scope.Account, scope.Region, group, stamp(now), limit)
	return all, doing(err, "read the newest reports of %s", group)
}

var newestReports = selectReport + fmt.Sprintf(using, "report_of_group") + ` WHERE account = $1 AND region = $2 AND report_group = $3 AND expires > $4
	AND status IN ('SUCCEEDED', 'FAILED') ORDER BY seq DESC LIMIT $5`

// Delete has a report removed: it shows as DELETING until Purge has done so.
// That there is none is no error.
func (s *Reports) Delete(ctx context.Context, scope arn.Scope, group, id string) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `UPDATE report SET status = 'DELETING' WHERE id = $1 AND account = $2 AND region = $3 AND report_group = $4`, id, scope.Account, scope.Region, group)
		return err
	})
	return doing(err, "delete report %s", id)
}

func scanReport(row scan) (r report.Report, err error) {
	var status, record string
	if err := row(&r.Sequence, &r.Scope.Account, &r.Scope.Region, &r.Group, &r.ID, &r.BuildID, &r.Number, &status, &record); err != nil {
		return r, err
	}
	if json.Unmarshal([]byte(record), &r.Public) != nil {
		return r, errBroken
	}
	r.Public.Status = api.ReportStatusType(status)
	return r, nil
}
