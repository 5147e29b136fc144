package codebuild

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/report"
)

const groupARN = "arn:aws:codebuild:us-west-2:123456789012:report-group/"

func groupInput(name string) *api.CreateReportGroupInput {
	return &api.CreateReportGroupInput{Name: name, Type: api.ReportTypeTest, ExportConfig: &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeNoExport}}
}

// run stores a report of so many test cases, of which some failed.
func (b *bench) run(t *testing.T, group, buildID string, cases, failed int) report.Report {
	t.Helper()
	g, err := report.NewGroupOfBuild(west, group, api.ReportTypeTest, b.now)
	if err == nil {
		g, err = b.db.ReportGroups().Ensure(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	var tests report.Tests
	for i := range cases {
		c := report.Case{Name: fmt.Sprintf("case %03d", i), Prefix: "Cart", Status: report.Succeeded, Duration: time.Millisecond}
		if i < failed {
			c.Status, c.Message = report.Failed, "no"
		}
		tests.Add(c)
	}
	return b.put(t, report.New(g, buildID, 0, b.now), report.Content{Cases: tests.Cases()}, tests.Summary(), nil)
}

func (b *bench) put(t *testing.T, r report.Report, c report.Content, tests *api.TestReportSummary, coverage *api.CodeCoverageReportSummary) report.Report {
	t.Helper()
	c, err := r.Finish(api.ReportStatusTypeSucceeded, tests, coverage, c)
	if err == nil {
		r, err = b.db.Reports().Put(t.Context(), r, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReportGroupsAreMadeChangedAndDeleted(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	out, err := b.CreateReportGroup(ctx, groupInput("unit"))
	if err != nil || *out.ReportGroup.ARN != groupARN+"unit" {
		t.Fatal(out, err)
	}
	_, err = b.CreateReportGroup(ctx, groupInput("unit"))
	refused(t, err, fault.Exists, "Report group already exists: "+groupARN+"unit")
	bad := groupInput("other")
	bad.ExportConfig.ExportConfigType = api.ReportExportConfigTypeS3
	_, err = b.CreateReportGroup(ctx, bad)
	refused(t, err, fault.Invalid, "S3 export config is required when export config type is S3")

	updated, err := b.UpdateReportGroup(ctx, &api.UpdateReportGroupInput{ARN: groupARN + "unit", Tags: []api.Tag{{Key: new("k"), Value: new("v")}}})
	if err != nil || *updated.ReportGroup.Tags[0].Value != "v" {
		t.Fatal(updated, err)
	}
	for arn, kind := range map[string]fault.Kind{
		groupARN + "none": fault.NotFound, strings.Replace(groupARN, "us-west-2", "us-east-1", 1) + "unit": fault.NotFound, "unit": fault.Invalid,
		"arn:aws:codebuild:us-west-2:123456789012:project/unit": fault.NotFound,
	} {
		if _, err := b.UpdateReportGroup(ctx, &api.UpdateReportGroupInput{ARN: arn}); fault.KindOf(err) != kind {
			t.Errorf("update of %s: %v, want kind %d", arn, err, kind)
		}
	}

	b.run(t, "unit", "demo:1", 3, 1)
	got, err := b.BatchGetReportGroups(ctx, &api.BatchGetReportGroupsInput{ReportGroupARNs: []string{groupARN + "none", groupARN + "unit", groupARN + "unit", groupARN + "none"}})
	if err != nil || len(got.ReportGroups) != 1 || got.ReportGroups[0].Status != api.ReportGroupStatusTypeActive || !slices.Equal(got.ReportGroupsNotFound, []string{groupARN + "none"}) {
		t.Errorf("BatchGetReportGroups = %+v, %v", got, err)
	}
	_, err = b.BatchGetReportGroups(ctx, &api.BatchGetReportGroupsInput{ReportGroupARNs: []string{"unit"}})
	refused(t, err, fault.Invalid, "Invalid report group ARN provided")

	_, err = b.DeleteReportGroup(ctx, &api.DeleteReportGroupInput{ARN: groupARN + "unit"})
	refused(t, err, fault.Invalid, "The report group "+groupARN+"unit contains reports. Delete them first, or set deleteReports to true.")
	_, err = b.DeleteReportGroup(ctx, &api.DeleteReportGroupInput{ARN: "unit"})
	refused(t, err, fault.Invalid, "Invalid report group ARN provided")
	for range 2 {
		if _, err = b.DeleteReportGroup(ctx, &api.DeleteReportGroupInput{ARN: groupARN + "unit", DeleteReports: new(true)}); err != nil {
			t.Error(err)
		}
	}
	got, err = b.BatchGetReportGroups(ctx, &api.BatchGetReportGroupsInput{ReportGroupARNs: []string{groupARN + "unit"}})
	if err != nil || len(got.ReportGroups) != 0 {
		t.Errorf("after it was deleted: %+v, %v", got, err)
	}
}

func TestReportGroupsAreListedPageByPage(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	for i, name := range []string{"bb", "aa", "cc"} {
		b.now = b.now.Add(time.Duration(i) * time.Second)
		if _, err := b.CreateReportGroup(ctx, groupInput(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		by    api.ReportGroupSortByType
		order api.SortOrderType
		want  string
	}{{"", "", "aa bb cc"}, {api.ReportGroupSortByTypeName, api.SortOrderTypeDescending, "cc bb aa"}, {api.ReportGroupSortByTypeCreatedTime, "", "bb aa cc"}} {
		var got []string
		in := &api.ListReportGroupsInput{SortBy: c.by, SortOrder: c.order, MaxResults: new(2)}
		for {
			out, err := b.ListReportGroups(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, arn := range out.ReportGroups {
				got = append(got, strings.TrimPrefix(arn, groupARN))
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("by %q %q: %v, want %s", c.by, c.order, got, c.want)
		}
	}
	first, err := b.ListReportGroups(ctx, &api.ListReportGroupsInput{MaxResults: new(2)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.ListReportGroups(ctx, &api.ListReportGroupsInput{SortBy: api.ReportGroupSortByTypeCreatedTime, NextToken: first.NextToken})
	refused(t, err, fault.Invalid, "Invalid next token provided")
	shared, err := b.ListSharedReportGroups(ctx, &api.ListSharedReportGroupsInput{})
	if err != nil || shared.ReportGroups == nil || len(shared.ReportGroups) != 0 {
		t.Errorf("shared are %v, %v", shared, err)
	}
	_, err = b.ListSharedReportGroups(ctx, &api.ListSharedReportGroupsInput{NextToken: first.NextToken})
	refused(t, err, fault.Invalid, "Invalid next token provided")
}

func TestReportsAreFoundUntilTheyExpire(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	good, bad := b.run(t, "unit", "demo:1", 3, 0), b.run(t, "unit", "demo:2", 4, 1)
	lib := b.run(t, "lib", "demo:3", 1, 0)
	list := func(filter api.ReportStatusType, order api.SortOrderType) []string {
		out, err := b.ListReports(ctx, &api.ListReportsInput{Filter: &api.ReportFilter{Status: filter}, SortOrder: order})
		if err != nil {
			t.Fatal(err)
		}
		return out.Reports
	}
	if got := list("", ""); !slices.Equal(got, []string{*lib.Public.ARN, *bad.Public.ARN, *good.Public.ARN}) {
		t.Errorf("reports = %v", got)
	}
	if got := list(api.ReportStatusTypeSucceeded, api.SortOrderTypeAscending); !slices.Equal(got, []string{*good.Public.ARN, *lib.Public.ARN}) {
		t.Errorf("reports that succeeded = %v", got)
	}
	of, err := b.ListReportsForReportGroup(ctx, &api.ListReportsForReportGroupInput{ReportGroupARN: groupARN + "unit", MaxResults: new(1)})
	if err != nil || !slices.Equal(of.Reports, []string{*bad.Public.ARN}) || of.NextToken == nil {
		t.Fatalf("the first page = %+v, %v", of, err)
	}
	next, err := b.ListReportsForReportGroup(ctx, &api.ListReportsForReportGroupInput{ReportGroupARN: groupARN + "unit", MaxResults: new(1), NextToken: of.NextToken})
	if err != nil || !slices.Equal(next.Reports, []string{*good.Public.ARN}) || next.NextToken != nil {
		t.Errorf("the second page = %+v, %v", next, err)
	}
	_, err = b.ListReports(ctx, &api.ListReportsInput{NextToken: of.NextToken})
	refused(t, err, fault.Invalid, "Invalid next token provided")
	_, err = b.ListReportsForReportGroup(ctx, &api.ListReportsForReportGroupInput{ReportGroupARN: groupARN + "none"})
	refused(t, err, fault.NotFound, "Report group cannot be found: "+groupARN+"none")

	unknown := west.Report("unit", "00000000-0000-4000-8000-000000000000")
	otherGroup := west.Report("lib", good.ID)
	got, err := b.BatchGetReports(ctx, &api.BatchGetReportsInput{ReportARNs: []string{*bad.Public.ARN, unknown, *good.Public.ARN, otherGroup}})
	if err != nil || len(got.Reports) != 2 || *got.Reports[0].ARN != *bad.Public.ARN || got.Reports[0].Status != api.ReportStatusTypeFailed || got.Reports[0].TestSummary.Total != 4 || !slices.Equal(got.ReportsNotFound, []string{unknown, otherGroup}) {
		t.Errorf("BatchGetReports = %+v, %v", got, err)
	}
	for _, arn := range []string{"unit", west.Of("codebuild", "report/unit")} {
		_, err = b.BatchGetReports(ctx, &api.BatchGetReportsInput{ReportARNs: []string{arn}})
		refused(t, err, fault.Invalid, "Invalid report ARN provided")
	}

	for range 2 {
		if _, err := b.DeleteReport(ctx, &api.DeleteReportInput{ARN: *bad.Public.ARN}); err != nil {
			t.Error(err)
		}
	}
	_, err = b.DeleteReport(ctx, &api.DeleteReportInput{ARN: strings.Replace(*good.Public.ARN, "us-west-2", "us-east-1", 1)})
	refused(t, err, fault.Invalid, "Invalid report ARN provided")
	if got := list("", ""); len(got) != 2 {
		t.Errorf("after one was deleted, reports = %v", got)
	}
	b.now = b.now.Add(report.Lifetime)
	if got := list("", ""); len(got) != 0 {
		t.Errorf("after 30 days, reports = %v", got)
	}
	_, err = b.DescribeTestCases(ctx, &api.DescribeTestCasesInput{ReportARN: *good.Public.ARN})
	refused(t, err, fault.NotFound, "Report cannot be found: "+*good.Public.ARN)
}

func TestTestCasesAreDescribed(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	r := b.run(t, "unit", "demo:1", 250, 3)
	count := func(in api.DescribeTestCasesInput) (n int) {
		in.ReportARN = *r.Public.ARN
		for {
			out, err := b.DescribeTestCases(ctx, &in)
			if err != nil {
				t.Fatal(err)
			}
			n += len(out.TestCases)
			for _, c := range out.TestCases {
				if *c.ReportARN != in.ReportARN || !c.Expired.Equal(b.now.Add(report.Lifetime)) {
					t.Fatalf("case = %+v", c)
				}
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return n
			}
		}
	}
	for want, in := range map[int]api.DescribeTestCasesInput{
		250: {}, 3: {Filter: &api.TestCaseFilter{Status: new("FAILED")}}, 10: {Filter: &api.TestCaseFilter{Keyword: new("case 24"), Status: new("SUCCEEDED")}, MaxResults: new(3)},
		0: {Filter: &api.TestCaseFilter{Keyword: new("no such")}},
	} {
		if got := count(in); got != want {
			t.Errorf("%+v: %d cases, want %d", in.Filter, got, want)
		}
	}
	_, err := b.DescribeTestCases(ctx, &api.DescribeTestCasesInput{ReportARN: *r.Public.ARN, Filter: &api.TestCaseFilter{Status: new("PASSED")}})
	refused(t, err, fault.Invalid, `Invalid test case status: "PASSED" is none of SUCCEEDED, FAILED, ERROR, SKIPPED and UNKNOWN`)
	first, err := b.DescribeTestCases(ctx, &api.DescribeTestCasesInput{ReportARN: *r.Public.ARN, MaxResults: new(1)})
	if err != nil || *first.TestCases[0].Status != "FAILED" {
		t.Fatal(first, err)
	}
	_, err = b.DescribeTestCases(ctx, &api.DescribeTestCasesInput{ReportARN: *r.Public.ARN, Filter: &api.TestCaseFilter{Status: new("FAILED")}, NextToken: first.NextToken})
	refused(t, err, fault.Invalid, "Invalid next token provided")
}

func TestCoverageIsDescribed(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	in := groupInput("cover")
	in.Type = api.ReportTypeCodeCoverage
	if _, err := b.CreateReportGroup(ctx, in); err != nil {
		t.Fatal(err)
	}
	g, err := b.db.ReportGroups().Get(ctx, west, "cover")
	if err != nil {
		t.Fatal(err)
	}
	var c report.Coverage
	for i := range 11 {
		f, err := c.File(fmt.Sprintf("%c.go", 'k'-i))
		if err != nil {
			t.Fatal(err)
		}
		for line := range int64(10) {
			if err := f.Line(line, line < int64(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := b.put(t, report.New(g, "demo:1", 0, b.now), report.Content{Coverages: c.Files()}, nil, c.Summary())
	for _, q := range []struct {
		in   api.DescribeCodeCoveragesInput
		want string
	}{
		{api.DescribeCodeCoveragesInput{}, "a100 b90 c80 d70 e60 f50 g40 h30 i20 j10 k0"},
		{api.DescribeCodeCoveragesInput{SortOrder: api.SortOrderTypeDescending}, "k0 j10 i20 h30 g40 f50 e60 d70 c80 b90 a100"},
		{api.DescribeCodeCoveragesInput{SortBy: api.ReportCodeCoverageSortByTypeLineCoveragePercentage, MaxLineCoveragePercentage: new(40.0)}, "k0 j10 i20 h30 g40"},
		{api.DescribeCodeCoveragesInput{SortBy: api.ReportCodeCoverageSortByTypeLineCoveragePercentage, SortOrder: api.SortOrderTypeDescending, MinLineCoveragePercentage: new(60.0), MaxLineCoveragePercentage: new(90.0)}, "b90 c80 d70 e60"},
	} {
		for _, size := range []int{1, 3, 100} {
			q.in.ReportARN, q.in.MaxResults, q.in.NextToken = *r.Public.ARN, &size, nil
			var got, ids []string
			for {
				out, err := b.DescribeCodeCoverages(ctx, &q.in)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range out.CodeCoverages {
					got = append(got, fmt.Sprintf("%s%.0f", strings.TrimSuffix(*f.FilePath, ".go"), *f.LineCoveragePercentage))
					ids = append(ids, *f.ID)
					if *f.ReportARN != *r.Public.ARN || f.Expired.IsZero() || f.BranchCoveragePercentage != nil {
						t.Fatalf("file = %+v", f)
					}
				}
				if q.in.NextToken = out.NextToken; q.in.NextToken == nil {
					break
				}
			}
			slices.Sort(ids)
			if strings.Join(got, " ") != q.want || len(slices.Compact(ids)) != len(got) {
				t.Errorf("%+v: %v, want %s", q.in, got, q.want)
			}
		}
	}
	_, err = b.DescribeCodeCoverages(ctx, &api.DescribeCodeCoveragesInput{ReportARN: west.Report("cover", "none")})
	refused(t, err, fault.Invalid, "Report cannot be found: "+west.Report("cover", "none"))
}

func TestTheTrendOfAGroup(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	for i := range 5 {
		b.run(t, "unit", fmt.Sprint("demo:", i), 4, i%3)
	}
	out, err := b.GetReportGroupTrend(ctx, &api.GetReportGroupTrendInput{ReportGroupARN: groupARN + "unit", TrendField: api.ReportGroupTrendFieldTypePassRate, NumOfReports: new(3)})
	if err != nil {
		t.Fatal(err)
	}
	var data []string
	for _, d := range out.RawData {
		data = append(data, *d.Data)
	}
	if !slices.Equal(data, []string{"75", "100", "50"}) || *out.Stats.Average != "75" || *out.Stats.Max != "100" || *out.Stats.Min != "50" {
		t.Errorf("trend = %v, %+v", data, out.Stats)
	}
	_, err = b.GetReportGroupTrend(ctx, &api.GetReportGroupTrendInput{ReportGroupARN: groupARN + "unit", TrendField: api.ReportGroupTrendFieldTypeLineCoverage})
	refused(t, err, fault.Invalid, "Invalid trend field: LINE_COVERAGE is none of report groups of type TEST")
	_, err = b.GetReportGroupTrend(ctx, &api.GetReportGroupTrendInput{ReportGroupARN: groupARN + "none", TrendField: api.ReportGroupTrendFieldTypeTotal})
	refused(t, err, fault.NotFound, "Report group cannot be found: "+groupARN+"none")
}
