package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// ReportGroups are the report groups, by name in a scope.
type ReportGroups struct{ db *DB }

// Create stores g; Exists if its name is taken, Limit if the account has as many
// groups as it may.
func (s *ReportGroups) Create(ctx context.Context, g report.Group) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		_, err := getReportGroup(ctx, q, g.Scope, g.Name())
		switch {
		case err == nil:
			return fault.New(fault.Exists, "Report group already exists: %s", g.Scope.ReportGroup(g.Name()))
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
		return addReportGroup(ctx, q, g)
	})
	return doing(err, "create report group %s", g.Name())
}

// Ensure returns the group that has the name of g, which is stored if there is
// none: then it is Limit if the account has as many groups as it may.
func (s *ReportGroups) Ensure(ctx context.Context, g report.Group) (report.Group, error) {
	known, err := getReportGroup(ctx, s.db.read, g.Scope, g.Name())
	if fault.KindOf(err) != fault.NotFound {
		return known, doing(err, "read report group %s", g.Name())
	}
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) (err error) {
		known, err = getReportGroup(ctx, q, g.Scope, g.Name())
		if fault.KindOf(err) == fault.NotFound {
			known = g
			err = addReportGroup(ctx, q, g)
		}
		return err
	})
	return known, doing(err, "create report group %s", g.Name())
}

func addReportGroup(ctx context.Context, q *statements, g report.Group) error {
	n, err := one(ctx, q, scanInto[int], `SELECT count(*) FROM report_group WHERE account = $1 AND region = $2`, g.Scope.Account, g.Scope.Region)
	if err != nil {
		return err
	}
	if n >= report.MaxGroups {
		return fault.New(fault.Limit, "Cannot have more than %d report groups in an account", report.MaxGroups)
	}
	record, err := encode(g.Public)
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, `INSERT INTO report_group (account, region, name, created, modified, deleting, record) VALUES ($1, $2, $3, $4, $5, FALSE, $6)`,
		g.Scope.Account, g.Scope.Region, g.Name(), stamp(g.Public.Created.Time), stamp(g.Public.LastModified.Time), record)
	return err
}

// Update replaces a group by change(it), in one transaction; NotFound if there
// is none. An error of change is returned and nothing is stored. change may run
// more than once and must not block.
func (s *ReportGroups) Update(ctx context.Context, scope arn.Scope, name string, change func(report.Group) (report.Group, error)) (g report.Group, err error) {
	err = s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		if g, err = getReportGroup(ctx, q, scope, name); err != nil {
			return err
		}
		if g, err = change(g); err != nil {
			return err
		}
		return saveReportGroup(ctx, q, g)
	})
	if err != nil {
		return report.Group{}, doing(err, "update report group %s", name)
	}
	return g, nil
}

func saveReportGroup(ctx context.Context, q *statements, g report.Group) error {
	record, err := encode(g.Public)
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, `UPDATE report_group SET modified = $1, deleting = $2, record = $3 WHERE account = $4 AND region = $5 AND name = $6`,
		stamp(g.Public.LastModified.Time), g.Deleting(), record, g.Scope.Account, g.Scope.Region, g.Name())
	return err
}

// Get returns one group, or NotFound.
func (s *ReportGroups) Get(ctx context.Context, scope arn.Scope, name string) (report.Group, error) {
	g, err := getReportGroup(ctx, s.db.read, scope, name)
	return g, doing(err, "read report group %s", name)
}

// GetMany returns the groups among names that exist, by name.
func (s *ReportGroups) GetMany(ctx context.Context, scope arn.Scope, names []string) ([]report.Group, error) {
	list, err := array(names)
	if err != nil {
		return nil, err
	}
	all, err := many(ctx, s.db.read, scanReportGroup(scope),
		`SELECT record FROM report_group WHERE account = $1 AND region = $2 AND name `+fmt.Sprintf(oneOf, 3)+` ORDER BY name`, scope.Account, scope.Region, list)
	return all, doing(err, "read report groups")
}

// List returns a page of at most limit names. after is "" or the next that the
// page before returned, or it is Invalid; next is "" after the last page. A
// group that changes while it is sorted by modification may be listed twice.
func (s *ReportGroups) List(ctx context.Context, scope arn.Scope, by api.ReportGroupSortByType, descending bool, after string, limit int) (names []string, next string, err error) {
	query, args, err := reportGroupPage(scope, by, descending, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	names, err = keys(ctx, s.db.read, query, args...)
	if err != nil {
		return nil, "", doing(err, "list report groups")
	}
	if len(names) > limit {
		names = names[:limit]
		next = names[limit-1]
	}
	if by == api.ReportGroupSortByTypeCreatedTime || by == api.ReportGroupSortByTypeLastModifiedTime {
		for i, key := range names {
			_, names[i], _ = strings.Cut(key, "/")
		}
	}
	return names, next, nil
}

func reportGroupPage(scope arn.Scope, by api.ReportGroupSortByType, descending bool, after string, limit int) (string, []any, error) {
	order, compare := "", ">"
	if descending {
		order, compare = " DESC", "<"
	}
	args := []any{scope.Account, scope.Region, limit}
	column := "" // a time to sort by
	switch by {
	case api.ReportGroupSortByTypeCreatedTime:
		column = "created"
	case api.ReportGroupSortByTypeLastModifiedTime:
		column = "modified"
	}
	if column == "" {
		page := ``
		if after != "" {
			page = ` AND name ` + compare + ` $4`
			args = append(args, after)
		}
		return `SELECT name AS key FROM report_group WHERE account = $1 AND region = $2` + page + ` ORDER BY name` + order + ` LIMIT $3`, args, nil
	}
	page := ``
	if after != "" {
		at, name, _ := strings.Cut(after, "/")
		stamp, err := strconv.ParseInt(at, 10, 64)
		if err != nil || name == "" {
			return "", nil, fault.New(fault.Invalid, "Invalid next token: it is none of this list's")
		}
		page = ` AND (` + column + `, name) ` + compare + ` ($4, $5)`
		args = append(args, stamp, name)
	}
	return `SELECT ` + column + ` || '/' || name AS key FROM report_group WHERE account = $1 AND region = $2` + page +
		` ORDER BY ` + column + order + `, name` + order + ` LIMIT $3`, args, nil
}

// Delete removes a group; that there is none is no error. One that has reports
// at now is Invalid unless they may go too: then it shows as DELETING until
// Reports.Purge has removed them.
func (s *ReportGroups) Delete(ctx context.Context, scope arn.Scope, name string, withReports bool, now time.Time) error {
	err := s.db.write.do(ctx, func(ctx context.Context, q *statements) error {
		g, err := getReportGroup(ctx, q, scope, name)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		full, err := one(ctx, q, scanInto[bool], `SELECT EXISTS (SELECT 1 FROM report WHERE account = $1 AND region = $2 AND report_group = $3 AND expires > $4 AND status <> 'DELETING')`,
			scope.Account, scope.Region, name, stamp(now))
		if err != nil {
			return err
		}
		if full && !withReports && !g.Deleting() {
			return fault.New(fault.Invalid, "The report group %s contains reports. Delete them first, or set deleteReports to true.", scope.ReportGroup(name))
		}
		// Those that have expired may still be there: they must not come to life
		// in another group of the name.
		g.Public.Status = api.ReportGroupStatusTypeDeleting
		if err := saveReportGroup(ctx, q, g); err != nil {
			return err
		}
		return removeEmptyGroups(ctx, q)
	})
	return doing(err, "delete report group %s", name)
}

// removeEmptyGroups ends groups that are going and have nothing left.
func removeEmptyGroups(ctx context.Context, q *statements) error {
	_, err := q.exec(ctx, `DELETE FROM report_group WHERE deleting AND NOT EXISTS (SELECT 1 FROM report
		WHERE report.account = report_group.account AND report.region = report_group.region AND report.report_group = report_group.name)`)
	return err
}

func getReportGroup(ctx context.Context, q *statements, scope arn.Scope, name string) (report.Group, error) {
	g, err := one(ctx, q, scanReportGroup(scope), `SELECT record FROM report_group WHERE account = $1 AND region = $2 AND name = $3`, scope.Account, scope.Region, name)
	if errors.Is(err, sql.ErrNoRows) {
		return g, fault.New(fault.NotFound, "Report group cannot be found: %s", scope.ReportGroup(name))
	}
	return g, err
}

func scanReportGroup(scope arn.Scope) func(scan) (report.Group, error) {
	return func(row scan) (report.Group, error) {
		g := report.Group{Scope: scope}
		var record string
		if err := row(&record); err != nil {
			return g, err
		}
		if json.Unmarshal([]byte(record), &g.Public) != nil {
			return g, errBroken
		}
		return g, nil
	}
}
