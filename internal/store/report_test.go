package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/report"
)

func newReportGroup(t testing.TB, name string, typ api.ReportType, at time.Time) report.Group {
	t.Helper()
	g, err := report.NewGroupOfBuild(scope, name, typ, at)
	must(t, err)
	return g
}

// putTests stores a report of a run with so many cases, every third of which failed.
func putTests(t testing.TB, db *DB, group string, build string, number, cases int, at time.Time) report.Report {
	t.Helper()
	g, err := db.ReportGroups().Ensure(t.Context(), newReportGroup(t, group, api.ReportTypeTest, at))
	must(t, err)
	var tests report.Tests
	for i := range cases {
		c := report.Case{File: "junit.xml", Suite: "all", Prefix: fmt.Sprintf("Cart%dTest", i%2), Name: fmt.Sprintf("adds 100%% of %d", i), Status: report.Succeeded, Duration: time.Duration(i)}
		if i%3 == 2 {
			c.Status, c.Message = report.Failed, "no"
		}
		tests.Add(c)
	}
	r := report.New(g, build, number, at)
	content, err := r.Finish(api.ReportStatusTypeSucceeded, tests.Summary(), nil, report.Content{Cases: tests.Cases()})
	must(t, err)
	r, err = db.Reports().Put(t.Context(), r, content)
	must(t, err)
	return r
}

// coverage returns a report of so many files that has not been stored.
func coverageReport(t testing.TB, g report.Group, build string, files int, at time.Time) (report.Report, report.Content) {
	t.Helper()
	var c report.Coverage
	for i := range files {
		f, err := c.File(fmt.Sprintf("src/%05d.go", i))
		must(t, err)
		for line := range int64(10) {
			must(t, f.Line(line, line < int64(i%11)))
		}
		must(t, f.Branches(1, int64(i%2), 2))
	}
	r := report.New(g, build, 0, at)
	content, err := r.Finish(api.ReportStatusTypeSucceeded, nil, c.Summary(), report.Content{Coverages: c.Files()})
	must(t, err)
	return r, content
}

func TestReportGroupsAreKept(t *testing.T) {
	db := open(t, t.TempDir())
	groups := db.ReportGroups()
	for i, name := range []string{"b", "a", "d", "c"} {
		must(t, groups.Create(t.Context(), newReportGroup(t, name+"-unit", api.ReportTypeTest, noon.Add(time.Duration(i)*time.Second))))
	}
	elsewhere := newReportGroup(t, "z-unit", api.ReportTypeTest, noon)
	elsewhere.Scope = other
	must(t, groups.Create(t.Context(), elsewhere))
	wantFault(t, groups.Create(t.Context(), newReportGroup(t, "a-unit", api.ReportTypeCodeCoverage, noon)), fault.Exists,
		"Report group already exists: arn:aws:codebuild:us-east-1:000000000000:report-group/a-unit")

	g, err := groups.Ensure(t.Context(), newReportGroup(t, "a-unit", api.ReportTypeCodeCoverage, noon))
	if err != nil || g.Public.Type != api.ReportTypeTest {
		t.Errorf("a group that is there has type %s, %v", g.Public.Type, err)
	}
	g, err = groups.Ensure(t.Context(), newReportGroup(t, "e-unit", api.ReportTypeCodeCoverage, noon.Add(4*time.Second)))
	if err != nil || g.Public.Type != api.ReportTypeCodeCoverage {
		t.Errorf("a group that was not there has type %s, %v", g.Public.Type, err)
	}
	_, err = groups.Update(t.Context(), scope, "b-unit", func(g report.Group) (report.Group, error) {
		return g.Update(&api.UpdateReportGroupInput{Tags: []api.Tag{{Key: new("k"), Value: new("v")}}}, noon.Add(time.Minute))
	})
	must(t, err)
	_, err = groups.Update(t.Context(), scope, "x-unit", nil)
	wantFault(t, err, fault.NotFound, "Report group cannot be found: arn:aws:codebuild:us-east-1:000000000000:report-group/x-unit")
	_, err = groups.Update(t.Context(), scope, "a-unit", func(g report.Group) (report.Group, error) { return g, fault.New(fault.Invalid, "no") })
	wantFault(t, err, fault.Invalid, "no")

	g, err = groups.Get(t.Context(), scope, "b-unit")
	if err != nil || *g.Public.Tags[0].Key != "k" || g.Scope != scope || !g.Public.LastModified.Equal(noon.Add(time.Minute)) {
		t.Errorf("the group is %+v, %v", g, err)
	}
	all, err := groups.GetMany(t.Context(), scope, []string{"d-unit", "none", "a-unit", "z-unit"})
	if err != nil || len(all) != 2 || all[0].Name() != "a-unit" || all[1].Name() != "d-unit" {
		t.Errorf("GetMany = %v, %v", all, err)
	}
	for _, c := range []struct {
		by   api.ReportGroupSortByType
		want string
	}{{"", "abcde"}, {api.ReportGroupSortByTypeName, "abcde"}, {api.ReportGroupSortByTypeCreatedTime, "badce"}, {api.ReportGroupSortByTypeLastModifiedTime, "adceb"}} {
		for _, descending := range []bool{false, true} {
			got, pages := "", 0
			for after := ""; pages == 0 || after != ""; pages++ {
				page, next, err := groups.List(t.Context(), scope, c.by, descending, after, 2)
				must(t, err)
				for _, name := range page {
					got += name[:1]
				}
				after = next
			}
			want := c.want
			if descending {
				r := []byte(want)
				slices.Reverse(r)
				want = string(r)
			}
			if got != want || pages != 3 {
				t.Errorf("by %q, descending %t: %s in %d pages, want %s", c.by, descending, got, pages, want)
			}
		}
	}
	_, _, err = groups.List(t.Context(), scope, api.ReportGroupSortByTypeCreatedTime, false, "a-unit", 2)
	wantFault(t, err, fault.Invalid, "Invalid next token: it is none of this list's")
}

func TestAnAccountHasAThousandGroups(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
		for i := range report.MaxGroups {
			if err := addReportGroup(ctx, q, newReportGroup(t, fmt.Sprint("g", i), api.ReportTypeTest, noon)); err != nil {
				return err
			}
		}
		return nil
	}))
	one := newReportGroup(t, "more", api.ReportTypeTest, noon)
	wantFault(t, db.ReportGroups().Create(t.Context(), one), fault.Limit, "Cannot have more than 1000 report groups in an account")
	_, err := db.ReportGroups().Ensure(t.Context(), one)
	wantFault(t, err, fault.Limit, "Cannot have more than 1000 report groups in an account")
	_, err = db.ReportGroups().Ensure(t.Context(), newReportGroup(t, "g7", api.ReportTypeTest, noon))
	must(t, err)
}

func TestAReportIsStoredOnce(t *testing.T) {
	db := open(t, t.TempDir())
	first := putTests(t, db, "app-unit", "app:1", 0, 7, noon)
	again := putTests(t, db, "app-unit", "app:1", 0, 5, noon.Add(time.Minute))
	if again.ID != first.ID || again.Public.TestSummary.Total != 7 {
		t.Errorf("put again it is %s of %d cases, want %s of 7", again.ID, again.Public.TestSummary.Total, first.ID)
	}
	got, err := db.Reports().Get(t.Context(), scope, "app-unit", first.ID, noon)
	if err != nil || *got.Public.ARN != *first.Public.ARN || got.Public.Status != api.ReportStatusTypeFailed || got.BuildID != "app:1" || got.Sequence != first.Sequence {
		t.Errorf("report = %+v, %v", got, err)
	}
	second := putTests(t, db, "app-unit", "app:1", 1, 5, noon)
	if second.ID == first.ID {
		t.Error("another report of the build is the same")
	}
	g := newReportGroup(t, "other", api.ReportTypeTest, noon)
	_, err = db.Reports().Put(t.Context(), report.New(g, "app:1", 1, noon), report.Content{})
	wantFault(t, err, fault.Invalid, "report 1 of the build is in another group")
	_, err = db.Reports().Put(t.Context(), report.New(g, "app:1", 2, noon), report.Content{})
	wantFault(t, err, fault.NotFound, "Report group cannot be found: arn:aws:codebuild:us-east-1:000000000000:report-group/other")
}

func TestTestCasesAreListedByStatusAndKeyword(t *testing.T) {
	db := open(t, t.TempDir())
	r := putTests(t, db, "app-unit", "app:1", 0, 300, noon)
	putTests(t, db, "app-unit", "app:2", 0, 300, noon)
	for _, c := range []struct {
		status, keyword string
		want            int
	}{
		{"", "", 300}, {"FAILED", "", 100}, {"ERROR", "", 0},
		{"", "cart0test", 150}, {"SUCCEEDED", "Cart1", 100}, {"", "100% of 1", 111}, {"", "100_", 0}, {"", "ADDS", 300}, {"", `\`, 0},
	} {
		count, last := 0, ""
		for after, first := int64(0), true; first || after != 0; first = false {
			page, next, err := db.Reports().Cases(t.Context(), r, c.status, c.keyword, after, 100)
			must(t, err)
			for _, tc := range page {
				if c.status != "" && *tc.Status != c.status {
					t.Fatalf("a case is %s", *tc.Status)
				}
				last = *tc.Name
			}
			count += len(page)
			after = next
		}
		if count != c.want {
			t.Errorf("status %q, keyword %q: %d cases up to %q, want %d", c.status, c.keyword, count, last, c.want)
		}
	}
	page, _, err := db.Reports().Cases(t.Context(), r, "", "", 0, 1)
	must(t, err)
	if c := page[0]; *c.Status != "FAILED" || *c.Name != "adds 100% of 2" || *c.Prefix != "Cart0Test" || *c.TestSuiteName != "all" || *c.TestRawDataPath != "junit.xml" || *c.DurationInNanoSeconds != 2 || *c.Message != "no" {
		t.Errorf("the first case is %+v", c)
	}
}

func TestCoverageIsListedByPartAndPath(t *testing.T) {
	db := open(t, t.TempDir())
	g, err := db.ReportGroups().Ensure(t.Context(), newReportGroup(t, "app-cover", api.ReportTypeCodeCoverage, noon))
	must(t, err)
	r, content := coverageReport(t, g, "app:1", 2500, noon)
	r, err = db.Reports().Put(t.Context(), r, content)
	must(t, err)
	got, err := db.Reports().Get(t.Context(), scope, "app-cover", r.ID, noon)
	if err != nil || got.Public.Status != api.ReportStatusTypeSucceeded || *got.Public.CodeCoverageSummary.LinesCovered+*got.Public.CodeCoverageSummary.LinesMissed != 25_000 {
		t.Fatalf("report = %+v, %v", got.Public, err)
	}
	list := func(of report.CoverageQuery, limit int) (all []api.CodeCoverage) {
		for after, first := (report.CoveragePlace{}), true; first || after != (report.CoveragePlace{}); first = false {
			page, next, err := db.Reports().Coverages(t.Context(), r, of, after, limit)
			must(t, err)
			all = append(all, page...)
			after = next
		}
		return all
	}
	for _, limit := range []int{1, 100} {
		if limit == 1 && testing.Short() {
			continue
		}
		for _, descending := range []bool{false, true} {
			byPath := list(report.CoverageQuery{Descending: descending}, limit)
			byPart := list(report.CoverageQuery{Descending: descending, ByPart: true}, limit)
			if len(byPath) != 2500 || len(byPart) != 2500 {
				t.Fatalf("%d by path and %d by part, want 2500", len(byPath), len(byPart))
			}
			sign := 1
			if descending {
				sign = -1
			}
			if !slices.IsSortedFunc(byPath, func(a, b api.CodeCoverage) int { return sign * strings.Compare(*a.FilePath, *b.FilePath) }) {
				t.Error("files are not in the order of their paths")
			}
			if !slices.IsSortedFunc(byPart, func(a, b api.CodeCoverage) int {
				return sign * (int(*a.LineCoveragePercentage*100) - int(*b.LineCoveragePercentage*100))
			}) {
				t.Error("files are not in the order of their coverage")
			}
		}
	}
	percent := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		min, max *float64
		want     int
	}{
		{percent(0), percent(100), 2500}, {percent(100), nil, 227}, {nil, percent(0), 228}, {percent(10), percent(20), 456}, {percent(10.01), percent(19.99), 0},
		{percent(90), percent(10), 0},
	} {
		for _, byPart := range []bool{false, true} {
			if got := list(report.CoverageQuery{ByPart: byPart, Min: c.min, Max: c.max}, 100); len(got) != c.want {
				t.Errorf("%d files from %v to %v, want %d", len(got), *cmpOr(c.min), *cmpOr(c.max), c.want)
			}
		}
	}
	if c := list(report.CoverageQuery{}, 1000)[3]; *c.FilePath != "src/00003.go" || *c.LinesCovered != 3 || *c.LinesMissed != 7 || *c.LineCoveragePercentage != 30 || *c.BranchesCovered != 1 || *c.BranchCoveragePercentage != 50 {
		t.Errorf("file 3 is %+v", c)
	}
}

func cmpOr(v *float64) *float64 {
	if v == nil {
		return new(-1.0)
	}
	return v
}

func TestALongReportThatWasLeftHalfStoredIsMadeGood(t *testing.T) {
	db := open(t, t.TempDir())
	g, err := db.ReportGroups().Ensure(t.Context(), newReportGroup(t, "app-cover", api.ReportTypeCodeCoverage, noon))
	must(t, err)
	r, content := coverageReport(t, g, "app:1", 1500, noon)
	half := r
	half.Public.Status = api.ReportStatusTypeGenerating
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error { // as a server that was killed leaves it
		seq, err := addReport(ctx, q, half)
		if err != nil {
			return err
		}
		return addCoverages(ctx, q, seq, content.Coverages[:700])
	}))
	again, content := coverageReport(t, g, "app:1", 1500, noon.Add(time.Minute))
	stored, err := db.Reports().Put(t.Context(), again, content)
	must(t, err)
	got, err := db.Reports().Get(t.Context(), scope, "app-cover", r.ID, noon)
	must(t, err)
	if stored.ID != r.ID || *stored.Public.ARN != *r.Public.ARN || got.Public.Status != api.ReportStatusTypeSucceeded || *got.Public.ARN != *r.Public.ARN {
		t.Errorf("put again it is %s, stored as %+v, want %s", *stored.Public.ARN, got.Public, *r.Public.ARN)
	}
	n, err := one(t.Context(), db.read, scanInto[int], `SELECT count(*) FROM coverage`)
	if err != nil || n != 1500 {
		t.Errorf("%d files are stored, %v", n, err)
	}

	// One that nobody puts again ends so.
	r, _ = coverageReport(t, g, "app:2", 1, noon)
	r.Public.Status = api.ReportStatusTypeGenerating
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
		_, err := addReport(ctx, q, r)
		return err
	}))
	for _, c := range []struct {
		before time.Time
		want   api.ReportStatusType
	}{{noon, api.ReportStatusTypeGenerating}, {noon.Add(time.Second), api.ReportStatusTypeIncomplete}} {
		_, err = db.Reports().Purge(t.Context(), noon, c.before)
		must(t, err)
		if got, err := db.Reports().Get(t.Context(), scope, "app-cover", r.ID, noon); err != nil || got.Public.Status != c.want {
			t.Errorf("the report is %s, %v, want %s", got.Public.Status, err, c.want)
		}
	}
}

func listReports(t *testing.T, db *DB, group string, status api.ReportStatusType, descending bool, now time.Time, limit int) (builds []string) {
	t.Helper()
	for after, first := int64(0), true; first || after != 0; first = false {
		names, next, err := db.Reports().List(t.Context(), scope, group, status, descending, now, after, limit)
		must(t, err)
		for _, name := range names {
			group, id, _ := strings.Cut(name, ":")
			r, err := db.Reports().Get(t.Context(), scope, group, id, now)
			must(t, err)
			builds = append(builds, r.BuildID)
		}
		after = next
	}
	return builds
}

func TestReportsAreListedInOrder(t *testing.T) {
	db := open(t, t.TempDir())
	for i := range 5 {
		putTests(t, db, "app-unit", fmt.Sprint("app:", i), 0, i%2*3, noon.Add(time.Duration(i)*time.Hour)) // every second one failed
		putTests(t, db, "lib-unit", fmt.Sprint("lib:", i), 0, 1, noon.Add(time.Duration(i)*time.Hour))
	}
	for _, c := range []struct {
		group  string
		status api.ReportStatusType
		now    time.Time
		want   string
	}{
		{"", "", noon, "app:0 lib:0 app:1 lib:1 app:2 lib:2 app:3 lib:3 app:4 lib:4"},
		{"app-unit", "", noon, "app:0 app:1 app:2 app:3 app:4"},
		{"", api.ReportStatusTypeFailed, noon, "app:1 app:3"},
		{"app-unit", api.ReportStatusTypeSucceeded, noon, "app:0 app:2 app:4"},
		{"lib-unit", api.ReportStatusTypeFailed, noon, ""},
		{"app-unit", "", noon.Add(report.Lifetime + 2*time.Hour), "app:3 app:4"},
		{"none", "", noon, ""},
	} {
		for _, limit := range []int{1, 2, 100} {
			got := listReports(t, db, c.group, c.status, false, c.now, limit)
			if strings.Join(got, " ") != c.want {
				t.Errorf("group %q, status %q, %d a page: %v, want %s", c.group, c.status, limit, got, c.want)
			}
			slices.Reverse(got)
			if down := listReports(t, db, c.group, c.status, true, c.now, limit); !slices.Equal(down, got) {
				t.Errorf("group %q, status %q, descending: %v, want %v", c.group, c.status, down, got)
			}
		}
	}
	newest, err := db.Reports().Newest(t.Context(), scope, "app-unit", noon, 2)
	if err != nil || len(newest) != 2 || newest[0].BuildID != "app:4" || newest[1].BuildID != "app:3" {
		t.Errorf("the newest are %v, %v", newest, err)
	}
}

// purge removes all that is to go at now.
func purge(t *testing.T, db *DB, now time.Time) (steps int) {
	t.Helper()
	for more := true; more; steps++ {
		var err error
		more, err = db.Reports().Purge(t.Context(), now, noon.Add(-time.Hour))
		must(t, err)
	}
	return steps
}

func rows(t *testing.T, db *DB) (reports, cases, files int) {
	t.Helper()
	for to, table := range map[*int]string{&reports: "report", &cases: "test_case", &files: "coverage"} {
		n, err := one(t.Context(), db.read, scanInto[int], `SELECT count(*) FROM `+table)
		must(t, err)
		*to = n
	}
	return reports, cases, files
}

func TestExpiredReportsGoWithTheirContent(t *testing.T) {
	db := open(t, t.TempDir())
	old := putTests(t, db, "app-unit", "app:1", 0, 300, noon)
	g, err := db.ReportGroups().Ensure(t.Context(), newReportGroup(t, "app-cover", api.ReportTypeCodeCoverage, noon))
	must(t, err)
	r, content := coverageReport(t, g, "app:1", 1800, noon)
	r.Number = 1
	_, err = db.Reports().Put(t.Context(), r, content)
	must(t, err)
	young := putTests(t, db, "app-unit", "app:2", 0, 10, noon.Add(time.Hour))

	late := noon.Add(report.Lifetime)
	_, err = db.Reports().Get(t.Context(), scope, "app-unit", old.ID, late)
	wantFault(t, err, fault.NotFound, "Report cannot be found: "+*old.Public.ARN)
	if all, err := db.Reports().GetMany(t.Context(), scope, []string{old.ID, young.ID}, late); err != nil || len(all) != 1 || all[0].ID != young.ID {
		t.Errorf("GetMany = %v, %v", all, err)
	}
	if steps := purge(t, db, noon); steps != 1 {
		t.Errorf("%d steps removed nothing", steps)
	}
	if steps := purge(t, db, late); steps < 4 {
		t.Errorf("2100 rows went in %d steps, want a few rows in each", steps)
	}
	if reports, cases, files := rows(t, db); reports != 1 || cases != 10 || files != 0 {
		t.Errorf("%d reports, %d cases and %d files are left", reports, cases, files)
	}
	if _, err := db.ReportGroups().Get(t.Context(), scope, "app-cover"); err != nil {
		t.Errorf("a group without reports: %v", err)
	}
}

func TestDeletedReportsGo(t *testing.T) {
	db := open(t, t.TempDir())
	a := putTests(t, db, "app-unit", "app:1", 0, 5, noon)
	b := putTests(t, db, "app-unit", "app:2", 0, 5, noon)
	must(t, db.Reports().Delete(t.Context(), scope, "lib-unit", a.ID)) // not of that group
	must(t, db.Reports().Delete(t.Context(), other, "app-unit", a.ID))
	must(t, db.Reports().Delete(t.Context(), scope, "app-unit", "none"))
	must(t, db.Reports().Delete(t.Context(), scope, "app-unit", b.ID))
	if got := listReports(t, db, "", api.ReportStatusTypeDeleting, false, noon, 10); !slices.Equal(got, []string{"app:2"}) {
		t.Errorf("DELETING are %v", got)
	}
	purge(t, db, noon)
	if got := listReports(t, db, "", "", false, noon, 10); !slices.Equal(got, []string{"app:1"}) {
		t.Errorf("left are %v", got)
	}
}

func TestAGroupGoesWithItsReports(t *testing.T) {
	db := open(t, t.TempDir())
	groups := db.ReportGroups()
	r := putTests(t, db, "app-unit", "app:1", 0, 300, noon)
	putTests(t, db, "app-unit", "app:2", 0, 300, noon)
	putTests(t, db, "lib-unit", "lib:1", 0, 3, noon)
	must(t, groups.Delete(t.Context(), scope, "none", false, noon))
	wantFault(t, groups.Delete(t.Context(), scope, "app-unit", false, noon), fault.Invalid,
		"The report group arn:aws:codebuild:us-east-1:000000000000:report-group/app-unit contains reports. Delete them first, or set deleteReports to true.")

	must(t, groups.Delete(t.Context(), scope, "app-unit", true, noon))
	g, err := groups.Get(t.Context(), scope, "app-unit")
	if err != nil || !g.Deleting() {
		t.Fatalf("the group is %+v, %v", g.Public, err)
	}
	_, err = db.Reports().Put(t.Context(), report.New(g, "app:3", 0, noon), report.Content{})
	wantFault(t, err, fault.NotFound, "The report group app-unit is being deleted")
	must(t, groups.Delete(t.Context(), scope, "app-unit", false, noon)) // once more
	purge(t, db, noon)
	_, err = groups.Get(t.Context(), scope, "app-unit")
	wantFault(t, err, fault.NotFound, "Report group cannot be found: arn:aws:codebuild:us-east-1:000000000000:report-group/app-unit")
	_, err = db.Reports().Get(t.Context(), scope, "app-unit", r.ID, noon)
	wantFault(t, err, fault.NotFound, "Report cannot be found: "+*r.Public.ARN)
	if reports, cases, _ := rows(t, db); reports != 1 || cases != 3 {
		t.Errorf("%d reports and %d cases are left", reports, cases)
	}

	// What has expired holds nobody up, and does not come to life again.
	must(t, groups.Delete(t.Context(), scope, "lib-unit", false, noon.Add(report.Lifetime)))
	if g, err := groups.Get(t.Context(), scope, "lib-unit"); err != nil || !g.Deleting() {
		t.Errorf("the group is %+v, %v", g.Public, err)
	}
	purge(t, db, noon.Add(report.Lifetime))
	must(t, groups.Create(t.Context(), newReportGroup(t, "lib-unit", api.ReportTypeTest, noon)))
	must(t, groups.Delete(t.Context(), scope, "lib-unit", false, noon)) // an empty one goes at once
	_, err = groups.Get(t.Context(), scope, "lib-unit")
	wantFault(t, err, fault.NotFound, "Report group cannot be found: arn:aws:codebuild:us-east-1:000000000000:report-group/lib-unit")
}
