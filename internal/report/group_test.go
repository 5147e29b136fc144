package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

var (
	here = arn.Scope{Account: "123456789012", Region: "us-west-2"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 531_000_000, time.UTC)
)

func wantInvalid(t *testing.T, err error, text string) {
	t.Helper()
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), text) {
		t.Errorf("error = %v, want one that says %q", err, text)
	}
}

func create(name string) *api.CreateReportGroupInput {
	return &api.CreateReportGroupInput{Name: name, Type: api.ReportTypeTest, ExportConfig: &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeNoExport}}
}

func s3(change func(*api.S3ReportExportConfig)) *api.ReportExportConfig {
	d := &api.S3ReportExportConfig{Bucket: new("reports"), Path: new("")}
	change(d)
	return &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeS3, S3Destination: d}
}

func TestAGroupIsWhatWasAskedFor(t *testing.T) {
	in := create("unit_tests-1")
	in.ExportConfig = s3(func(d *api.S3ReportExportConfig) {
		d.BucketOwner, d.Packaging, d.EncryptionKey = new("210987654321"), api.ReportPackagingTypeZip, new("alias/reports")
	})
	in.Tags = []api.Tag{{Key: new("team"), Value: new("shop")}}
	g, err := NewGroup(here, in, noon)
	if err != nil {
		t.Fatal(err)
	}
	p := g.Public
	if *p.ARN != "arn:aws:codebuild:us-west-2:123456789012:report-group/unit_tests-1" || g.Name() != "unit_tests-1" || p.Type != api.ReportTypeTest || p.Status != api.ReportGroupStatusTypeActive || g.Deleting() {
		t.Errorf("group = %+v", p)
	}
	if !p.Created.Equal(noon) || !p.LastModified.Equal(noon) || *p.ExportConfig.S3Destination.Path != "" || *p.Tags[0].Key != "team" {
		t.Errorf("group = %+v", p)
	}
}

func TestGroupsThatCannotBe(t *testing.T) {
	for _, name := range []string{"a", "-ab", "a b", "a/b", "a:b", "ä-b", strings.Repeat("x", 129), ""} {
		_, err := NewGroup(here, create(name), noon)
		wantInvalid(t, err, "Report group name must have 2 to 128")
		_, err = NewGroupOfBuild(here, name, api.ReportTypeTest, noon)
		wantInvalid(t, err, "Report group name must have 2 to 128")
	}
	for text, c := range map[string]*api.ReportExportConfig{
		"Export config type is required":                                                {},
		"S3 export config is required when export config type is S3":                    {ExportConfigType: api.ReportExportConfigTypeS3},
		"S3 export config should not be specified when export config type is NO_EXPORT": {ExportConfigType: api.ReportExportConfigTypeNoExport, S3Destination: &api.S3ReportExportConfig{}},
		"bucket must be the name of a bucket":                                           s3(func(d *api.S3ReportExportConfig) { d.Bucket = new("a/b") }),
		"bucketOwner must be an account id of 12 digits":                                s3(func(d *api.S3ReportExportConfig) { d.BucketOwner = new("me") }),
		"path must be the beginning of an object key":                                   s3(func(d *api.S3ReportExportConfig) { d.Path = new(strings.Repeat("p", 2000)) }),
		"encryptionKey must be the ARN, id or alias of a key":                           s3(func(d *api.S3ReportExportConfig) { d.EncryptionKey = new("a key") }),
		"beginning of an object key":                                                    s3(func(d *api.S3ReportExportConfig) { d.Path = new("a/../b") }),
	} {
		in := create("unit")
		in.ExportConfig = c
		_, err := NewGroup(here, in, noon)
		wantInvalid(t, err, text)
	}
	for text, tags := range map[string][]api.Tag{
		"every tag needs a key":          {{Value: new("x")}},
		"not allowed to mutate system":   {{Key: new("AWS:x")}},
		"a tag key cannot be duplicated": {{Key: new("a")}, {Key: new("a")}},
	} {
		in := create("unit")
		in.Tags = tags
		_, err := NewGroup(here, in, noon)
		wantInvalid(t, err, text)
	}
}

func TestAnUpdateReplacesWhole(t *testing.T) {
	in := create("unit")
	in.Tags = []api.Tag{{Key: new("a")}}
	in.ExportConfig = s3(func(d *api.S3ReportExportConfig) { d.Packaging = api.ReportPackagingTypeZip })
	g, err := NewGroup(here, in, noon)
	if err != nil {
		t.Fatal(err)
	}
	later := noon.Add(time.Hour)
	same, err := g.Update(&api.UpdateReportGroupInput{}, later)
	if err != nil || same.Public.ExportConfig != g.Public.ExportConfig || len(same.Public.Tags) != 1 || !same.Public.LastModified.Equal(later) || !same.Public.Created.Equal(noon) {
		t.Errorf("an empty update: %+v, %v", same.Public, err)
	}
	none, err := g.Update(&api.UpdateReportGroupInput{Tags: []api.Tag{}, ExportConfig: s3(func(d *api.S3ReportExportConfig) { d.Bucket = new("other") })}, later)
	if err != nil || none.Public.Tags == nil || len(none.Public.Tags) != 0 || *none.Public.ExportConfig.S3Destination.Bucket != "other" || none.Public.ExportConfig.S3Destination.Packaging != "" {
		t.Errorf("an update: %+v, %v", none.Public, err)
	}
	_, err = g.Update(&api.UpdateReportGroupInput{ExportConfig: &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeS3}}, later)
	wantInvalid(t, err, "S3 export config is required")
	g.Public.Status = api.ReportGroupStatusTypeDeleting
	_, err = g.Update(&api.UpdateReportGroupInput{}, later)
	wantInvalid(t, err, "is being deleted")
}

func TestNamesOfGroupsInABuildspec(t *testing.T) {
	if got := GroupNameOf("shop", "unit"); got != "shop-unit" {
		t.Errorf("the group is %s", got)
	}
	if got := GroupNameOf("shop", DiscoveredName(JUnitXML)); got != "shop-JUNITXML-AutoDiscovered" {
		t.Errorf("the group is %s", got)
	}
}

func reportOf(t *testing.T, typ api.ReportType) Report {
	t.Helper()
	g, err := NewGroupOfBuild(here, "shop-unit", typ, noon)
	if err != nil {
		t.Fatal(err)
	}
	return New(g, "shop:0b1f", 2, noon)
}

func TestAReportIsKeptForThirtyDays(t *testing.T) {
	r := reportOf(t, api.ReportTypeTest)
	p := r.Public
	if *p.ARN != "arn:aws:codebuild:us-west-2:123456789012:report/shop-unit:"+r.ID || *p.Name != "shop-unit" || *p.ReportGroupARN != here.ReportGroup("shop-unit") ||
		*p.ExecutionID != here.Build("shop:0b1f") || p.Status != api.ReportStatusTypeGenerating || *p.Truncated || p.ExportConfig.ExportConfigType != api.ReportExportConfigTypeNoExport {
		t.Errorf("report = %+v", p)
	}
	if want := time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC); !p.Expired.Equal(want) || !p.Created.Equal(noon) {
		t.Errorf("created %s, expires %s, want %s", p.Created, p.Expired, want)
	}
}

func summary(total, failed int) *api.TestReportSummary {
	return &api.TestReportSummary{Total: total, StatusCounts: map[string]int{"SUCCEEDED": total - failed, "FAILED": failed}}
}

func TestAReportOfTestsEndsAsItsCases(t *testing.T) {
	for _, c := range []struct {
		given, want   api.ReportStatusType
		total, failed int
	}{
		{api.ReportStatusTypeSucceeded, api.ReportStatusTypeSucceeded, 3, 0},
		{api.ReportStatusTypeSucceeded, api.ReportStatusTypeFailed, 3, 1}, // the counts are what counts
		{api.ReportStatusTypeFailed, api.ReportStatusTypeSucceeded, 0, 0},
		{api.ReportStatusTypeIncomplete, api.ReportStatusTypeIncomplete, 3, 0},
	} {
		r := reportOf(t, api.ReportTypeTest)
		if _, err := r.Finish(c.given, summary(c.total, c.failed), nil, Content{}); err != nil || r.Public.Status != c.want {
			t.Errorf("%+v: %s, %v", c, r.Public.Status, err)
		}
		if len(r.Public.TestSummary.StatusCounts) != 5 || *r.Public.Truncated != (c.total > 0) {
			t.Errorf("%+v: %v, truncated %t", c, r.Public.TestSummary, *r.Public.Truncated)
		}
	}
	r := reportOf(t, api.ReportTypeTest)
	if _, err := r.Finish(api.ReportStatusTypeIncomplete, nil, nil, Content{}); err != nil || r.Public.TestSummary != nil {
		t.Errorf("an incomplete report: %v, %+v", err, r.Public)
	}
}

func TestWhatAReportListsIsBounded(t *testing.T) {
	r := reportOf(t, api.ReportTypeTest)
	long := strings.Repeat("é", 20_000)
	out, err := r.Finish(api.ReportStatusTypeSucceeded, summary(2, 0), nil, Content{Cases: []api.TestCase{
		{Name: &long, Prefix: &long, Message: &long, TestSuiteName: &long, TestRawDataPath: &long, Status: new("BROKEN"), DurationInNanoSeconds: new(int64(-4)), ReportARN: new("another's")},
		{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Cases[0]
	if len(*c.Name) != 2*MaxName || len(*c.Prefix) != 2*MaxName || len(*c.Message) != 2*MaxMessage || len(*c.TestSuiteName) != 2*MaxName || *c.Status != "UNKNOWN" || *c.DurationInNanoSeconds != 0 || c.ReportARN != nil {
		t.Errorf("case = %+v", c)
	}
	if c := out.Cases[1]; *c.Name != "" || *c.Status != "UNKNOWN" || c.Message != nil {
		t.Errorf("an empty case = %+v", c)
	}
}

func TestReportsThatMakeNoSenseAreRefused(t *testing.T) {
	n := func(i int) *int { return &i }
	for text, try := range map[string]func() error{
		"cannot end GENERATING": func() error {
			r := reportOf(t, api.ReportTypeTest)
			_, err := r.Finish(api.ReportStatusTypeGenerating, summary(1, 0), nil, Content{})
			return err
		},
		"needs a summary": func() error {
			r := reportOf(t, api.ReportTypeTest)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, nil, nil, Content{})
			return err
		},
		"is of type TEST": func() error {
			r := reportOf(t, api.ReportTypeTest)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, nil, &api.CodeCoverageReportSummary{}, Content{})
			return err
		},
		"is of type CODE_COVERAGE": func() error {
			r := reportOf(t, api.ReportTypeCodeCoverage)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, summary(1, 0), nil, Content{})
			return err
		},
		"lists at most 500": func() error {
			r := reportOf(t, api.ReportTypeTest)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, summary(501, 0), nil, Content{Cases: make([]api.TestCase, 501)})
			return err
		},
		"do not add up": func() error {
			r := reportOf(t, api.ReportTypeTest)
			s := summary(3, 0)
			s.Total = 4
			_, err := r.Finish(api.ReportStatusTypeSucceeded, s, nil, Content{})
			return err
		},
		"counts of the test summary": func() error {
			r := reportOf(t, api.ReportTypeTest)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, summary(-1, 0), nil, Content{})
			return err
		},
		"coverage summary are none": func() error {
			r := reportOf(t, api.ReportTypeCodeCoverage)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, nil, &api.CodeCoverageReportSummary{LinesMissed: n(-1)}, Content{})
			return err
		},
		"has no name": func() error {
			r := reportOf(t, api.ReportTypeCodeCoverage)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, nil, &api.CodeCoverageReportSummary{}, Content{Coverages: []api.CodeCoverage{{LinesCovered: n(1)}}})
			return err
		},
		"is there twice": func() error {
			r := reportOf(t, api.ReportTypeCodeCoverage)
			_, err := r.Finish(api.ReportStatusTypeSucceeded, nil, &api.CodeCoverageReportSummary{}, Content{Coverages: []api.CodeCoverage{{FilePath: new("a")}, {FilePath: new("a")}}})
			return err
		},
	} {
		wantInvalid(t, try(), text)
	}
}

func TestAReportOfCoverageIsCountedAnew(t *testing.T) {
	n := func(i int) *int { return &i }
	r := reportOf(t, api.ReportTypeCodeCoverage)
	wrong := 12.5
	out, err := r.Finish(api.ReportStatusTypeFailed, nil,
		&api.CodeCoverageReportSummary{LinesCovered: n(10), LinesMissed: n(1), LineCoveragePercentage: &wrong},
		Content{Coverages: []api.CodeCoverage{{FilePath: new("a.go"), LinesCovered: n(5), LinesMissed: n(1), ID: new("x"), ReportARN: new("y"), LineCoveragePercentage: &wrong}}})
	if err != nil {
		t.Fatal(err)
	}
	p := r.Public
	if p.Status != api.ReportStatusTypeSucceeded || *p.CodeCoverageSummary.LineCoveragePercentage != 90.9 || p.CodeCoverageSummary.BranchCoveragePercentage != nil || !*p.Truncated {
		t.Errorf("report = %+v, %+v", p, p.CodeCoverageSummary)
	}
	if c := out.Coverages[0]; *c.FilePath != "a.go" || *c.LinesCovered != 5 || *c.BranchesMissed != 0 || c.ID != nil || c.ReportARN != nil {
		t.Errorf("coverage = %+v", c)
	}
	if a, b := CoverageID(r.ID, "a.go"), CoverageID(r.ID, "b.go"); a == b || a != CoverageID(r.ID, "a.go") || len(a) != 36 {
		t.Errorf("ids = %s, %s", a, b)
	}
}

func TestTrends(t *testing.T) {
	tests, err := NewGroupOfBuild(here, "shop-unit", api.ReportTypeTest, noon)
	if err != nil {
		t.Fatal(err)
	}
	var runs []Report
	for _, c := range [][2]int{{6, 1}, {4, 1}, {0, 0}} {
		r := New(tests, "shop:0b1f", 0, noon)
		if _, err := r.Finish(api.ReportStatusTypeSucceeded, summary(c[0], c[1]), nil, Content{}); err != nil {
			t.Fatal(err)
		}
		r.Public.TestSummary.DurationInNanoSeconds = int64(c[0]) * 1000
		runs = append(runs, r)
	}
	runs = append(runs, New(tests, "shop:0b1f", 0, noon)) // has no figures yet

	coverage := tests
	coverage.Public.Type = api.ReportTypeCodeCoverage
	var measured []Report
	for _, c := range [][2]int{{10, 1}, {57_42, 42_58}} {
		r := New(coverage, "shop:0b1f", 0, noon)
		if _, err := r.Finish(api.ReportStatusTypeSucceeded, nil, &api.CodeCoverageReportSummary{LinesCovered: &c[0], LinesMissed: &c[1]}, Content{}); err != nil {
			t.Fatal(err)
		}
		measured = append(measured, r)
	}
	for _, c := range []struct {
		group   Group
		reports []Report
		field   api.ReportGroupTrendFieldType
		want    string
	}{
		{tests, runs, api.ReportGroupTrendFieldTypePassRate, "[83.33 75] 75..83.33 79.16"},
		{tests, runs, api.ReportGroupTrendFieldTypeTotal, "[6 4 0] 0..6 3.33"},
		{tests, runs, api.ReportGroupTrendFieldTypeDuration, "[6000 4000 0] 0..6000 3333.33"},
		{coverage, measured, api.ReportGroupTrendFieldTypeLineCoverage, "[90.9 57.42] 57.42..90.9 74.16"},
		{coverage, measured, api.ReportGroupTrendFieldTypeLinesMissed, "[1 4258] 1..4258 2129.5"},
		{coverage, measured, api.ReportGroupTrendFieldTypeBranchesCovered, "[0 0] 0..0 0"},
		{coverage, measured, api.ReportGroupTrendFieldTypeBranchCoverage, "[] .. "},
		{tests, nil, api.ReportGroupTrendFieldTypeTotal, "[] .. "},
	} {
		trend, err := NewTrend(c.group, c.field, c.reports)
		if err != nil {
			t.Errorf("%s: %v", c.field, err)
			continue
		}
		var data []string
		for _, d := range trend.Data {
			data = append(data, *d.Data)
		}
		s := trend.Stats
		if got := fmt.Sprintf("%v %s..%s %s", data, text(s.Min), text(s.Max), text(s.Average)); got != c.want {
			t.Errorf("%s = %s, want %s", c.field, got, c.want)
		}
	}
	_, err = NewTrend(tests, api.ReportGroupTrendFieldTypeLineCoverage, runs)
	wantInvalid(t, err, "LINE_COVERAGE is none of report groups of type TEST")
	_, err = NewTrend(coverage, api.ReportGroupTrendFieldTypeTotal, runs)
	wantInvalid(t, err, "TOTAL is none of report groups of type CODE_COVERAGE")
}
