package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/report"
)

func TestReportsAreReadByAnIndex(t *testing.T) {
	db := open(t, t.TempDir())
	for i := range 60 {
		putTests(t, db, fmt.Sprintf("app%d-unit", i%5), fmt.Sprint("app:", i), 0, 20, noon.Add(time.Duration(i)*time.Minute))
	}
	g, err := db.ReportGroups().Ensure(t.Context(), newReportGroup(t, "app-cover", api.ReportTypeCodeCoverage, noon))
	must(t, err)
	r, content := coverageReport(t, g, "app:c", 500, noon)
	_, err = db.Reports().Put(t.Context(), r, content)
	must(t, err)

	type query struct {
		text  string
		args  []any
		index string // a part of the plan
	}
	queries := map[string]query{}
	add := func(name, index, text string, args []any) { queries[name] = query{text, args, index} }
	for group, status := range map[string]api.ReportStatusType{"": "", "app1-unit": "", " ": api.ReportStatusTypeFailed, "app2-unit": api.ReportStatusTypeFailed} {
		group = strings.TrimSpace(group)
		index := map[bool]map[bool]string{
			false: {false: "report_scope (account=? AND region=? AND rowid", true: "report_status (account=? AND region=? AND status=? AND rowid"},
			true:  {false: "report_of_group (account=? AND region=? AND report_group=? AND rowid", true: "report_of_group_status (account=? AND region=? AND report_group=? AND status=? AND rowid"},
		}[group != ""][status != ""]
		for _, descending := range []bool{false, true} {
			text, args := reportPage(scope, group, status, descending, noon, 10, 101)
			add(fmt.Sprintf("reports of %q, %q, descending %t", group, status, descending), index, text, args)
		}
	}
	add("the newest of a group", "report_of_group (account=? AND region=? AND report_group=?)", newestReports, []any{scope.Account, scope.Region, "app1-unit", stamp(noon), 100})
	for by, index := range map[api.ReportGroupSortByType]string{
		api.ReportGroupSortByTypeName:             "sqlite_autoindex_report_group_1 (account=? AND region=? AND name",
		api.ReportGroupSortByTypeCreatedTime:      "report_group_created (account=? AND region=? AND (created,name)",
		api.ReportGroupSortByTypeLastModifiedTime: "report_group_modified (account=? AND region=? AND (modified,name)",
	} {
		for _, descending := range []bool{false, true} {
			text, args, err := reportGroupPage(scope, by, descending, "1/app", 101)
			must(t, err)
			add(fmt.Sprintf("groups by %s, descending %t", by, descending), index, text, args)
		}
	}
	text, args := casePage(1, "FAILED", "x", 3, 101)
	add("test cases", "SEARCH test_case USING PRIMARY KEY (report=? AND position>?)", text, args)
	zero, most := 0.0, 50.0
	for _, descending := range []bool{false, true} {
		text, args = coveragesPage(1, report.CoverageQuery{Descending: descending}, report.CoveragePlace{Path: "a"}, 101)
		add(fmt.Sprintf("files by path, descending %t", descending), "SEARCH coverage USING PRIMARY KEY (report=? AND path", text, args)
		text, args = coveragesPage(1, report.CoverageQuery{ByPart: true, Descending: descending, Min: &zero, Max: &most}, report.CoveragePlace{Part: 10, Path: "a"}, 101)
		add(fmt.Sprintf("files by part, descending %t", descending), "coverage_line_part (report=? AND line_part", text, args)
	}
	add("to purge: deleted", "report_deleting", toPurge[0], nil)
	add("to purge: expired", "report_expires (expires<?)", toPurge[1], []any{stamp(noon)})
	add("to purge: of a group", "report_group_deleting", toPurge[2], nil)
	add("generating", "report_generating (created<?)", `UPDATE report SET status = 'INCOMPLETE' WHERE status = 'GENERATING' AND created < $1`, []any{1})
	add("the same again", "sqlite_autoindex_report_2 (build=? AND number=?)", selectReport+`WHERE build = $1 AND number = $2`, []any{"app:1", 0})

	for _, analyzed := range []bool{false, true} { // somebody may have
		if analyzed {
			must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
				_, err := q.exec(ctx, `ANALYZE`)
				return err
			}))
			must(t, db.read.close())
			db.read = newStatements(db.pool.PrepareContext)
		}
		for name, q := range queries {
			if got := plan(t, db, q.text, q.args...); !strings.Contains(got, q.index) || strings.Contains(got, "TEMP B-TREE") || strings.Contains(got, "SCAN report\n") {
				t.Errorf("%s (analyzed %t) has the plan\n%s\nwant %s", name, analyzed, got, q.index)
			}
		}
	}
}
