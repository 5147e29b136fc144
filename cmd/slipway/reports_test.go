package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"slipway/internal/api"
)

// reportingSpec writes results and reports on them. $FAILS is how many of its
// tests fail, $LINE whether its second line is run.
const reportingSpec = `version: 0.2
env:
  variables: {GROUP: unit}
phases:
  build:
    commands:
      - mkdir -p out/deep
      - |
        cat >out/deep/TEST-cart.xml <<END
        <testsuites tests="99" failures="98"><testsuite name="cart" tests="3"><testcase classname="Cart" name="adds" time="0.25"/>
        <testcase classname="Cart" name="pays" time="0.5">$(test "$FAILS" = 0 || echo '<failure message="no money">at Cart.java:7</failure>')</testcase>
        <testcase classname="Bank" name="waits"><skipped/></testcase></testsuite></testsuites>
        END
      - |
        cat >coverage.xml <<END
        <coverage line-rate="0.1"><packages><package name="shop"><classes><class name="Cart" filename="shop/cart.py" line-rate="1"><lines>
        <line number="1" hits="3"/><line number="2" hits="$LINE"/><line number="3" hits="1" branch="true" condition-coverage="50% (1/2)"/></lines></class>
        <class name="Bank" filename="shop/bank.py"><lines><line number="9" hits="0"/></lines></class></classes></package></packages></coverage>
        END
      - exit $FAILS
reports:
  $GROUP:
    files: ['**/TEST-*.xml']
    base-directory: out
  cover:
    files: [coverage.xml]
    file-format: COBERTURAXML
  GIVEN:
    files: [out/deep/TEST-cart.xml]
    discard-paths: yes
`

// TestReports is what test and coverage reports are for those who use AWS's own
// client: made by builds, looked at, compared and deleted.
func TestReports(t *testing.T) {
	s := serve(t)
	ctx := t.Context()
	client := codebuild.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(s.url),
		Credentials: credentials.NewStaticCredentialsProvider(s.client.Key.ID, s.client.Key.Secret.Reveal(), ""),
	})
	made, err := client.CreateReportGroup(ctx, &codebuild.CreateReportGroupInput{
		Name: aws.String("exported"), Type: types.ReportTypeTest,
		ExportConfig: &types.ReportExportConfig{ExportConfigType: types.ReportExportConfigTypeS3, S3Destination: &types.S3ReportExportConfig{
			Bucket: aws.String("store"), Path: aws.String("raw/"), EncryptionDisabled: aws.Bool(true),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	exported := aws.ToString(made.ReportGroup.Arn)
	s.project("shop", strings.Replace(reportingSpec, "GIVEN", exported, 1))
	build := func(fails, line string) api.Build {
		t.Helper()
		started := call[api.StartBuildOutput](s, "StartBuild", &api.StartBuildInput{ProjectName: "shop", EnvironmentVariablesOverride: []api.EnvironmentVariable{
			{Name: "FAILS", Value: fails}, {Name: "LINE", Value: line},
		}})
		return s.finished(value(started.Build.ID))
	}
	first, second := build("1", "0"), build("0", "1")
	if first.BuildStatus != api.StatusTypeFailed || second.BuildStatus != api.StatusTypeSucceeded || len(first.ReportARNs) != 3 || len(second.ReportARNs) != 3 {
		t.Fatalf("%s with %v, then %s with %v\n%s", first.BuildStatus, first.ReportARNs, second.BuildStatus, second.ReportARNs, s.log(first))
	}

	reports, err := client.BatchGetReports(ctx, &codebuild.BatchGetReportsInput{ReportArns: append(slices.Clone(first.ReportARNs), "arn:aws:codebuild:us-east-1:000000000000:report/none:1")})
	if err != nil || len(reports.Reports) != 3 || len(reports.ReportsNotFound) != 1 {
		t.Fatalf("BatchGetReports: %+v, %v", reports, err)
	}
	unit, cover, raw := reports.Reports[0], reports.Reports[1], reports.Reports[2]
	if n := unit.TestSummary; unit.Status != types.ReportStatusTypeFailed || aws.ToString(unit.Name) != "shop-unit" || aws.ToString(unit.ExecutionId) != value(first.ARN) || aws.ToBool(unit.Truncated) ||
		aws.ToInt32(n.Total) != 3 || len(n.StatusCounts) != 5 || n.StatusCounts["FAILED"] != 1 || n.StatusCounts["SKIPPED"] != 1 || aws.ToInt64(n.DurationInNanoSeconds) != 750_000_000 {
		t.Errorf("the report of tests is %+v, %+v", unit, n)
	}
	if life := aws.ToTime(unit.Expired).Sub(aws.ToTime(unit.Created)); life.Round(1e9*60).Hours() != 30*24 {
		t.Errorf("a report lives for %v", life)
	}
	if c := cover.CodeCoverageSummary; cover.Status != types.ReportStatusTypeSucceeded || cover.Type != types.ReportTypeCodeCoverage ||
		aws.ToInt32(c.LinesCovered) != 2 || aws.ToInt32(c.LinesMissed) != 2 || aws.ToFloat64(c.LineCoveragePercentage) != 50 || aws.ToFloat64(c.BranchCoveragePercentage) != 50 {
		t.Errorf("the report of coverage is %+v, %+v", cover, c)
	}
	if aws.ToString(raw.ReportGroupArn) != exported || aws.ToString(raw.ExportConfig.S3Destination.Path) != "raw/" {
		t.Errorf("the report of the group that was given by ARN is %+v", raw)
	}

	cases, err := client.DescribeTestCases(ctx, &codebuild.DescribeTestCasesInput{ReportArn: unit.Arn})
	if err != nil || len(cases.TestCases) != 3 {
		t.Fatalf("DescribeTestCases: %+v, %v", cases, err)
	}
	if c := cases.TestCases[0]; aws.ToString(c.Name) != "pays" || aws.ToString(c.Prefix) != "Cart" || aws.ToString(c.Status) != "FAILED" || !strings.Contains(aws.ToString(c.Message), "no money") ||
		aws.ToString(c.TestRawDataPath) != "deep/TEST-cart.xml" || aws.ToString(c.TestSuiteName) != "cart" || aws.ToString(c.ReportArn) != aws.ToString(unit.Arn) {
		t.Errorf("the case that failed is not first, or another: %+v", c)
	}
	cases, err = client.DescribeTestCases(ctx, &codebuild.DescribeTestCasesInput{ReportArn: unit.Arn, Filter: &types.TestCaseFilter{Keyword: aws.String("Bank"), Status: aws.String("SKIPPED")}})
	if err != nil || len(cases.TestCases) != 1 || aws.ToString(cases.TestCases[0].Name) != "waits" {
		t.Errorf("DescribeTestCases with a filter: %+v, %v", cases, err)
	}
	files, err := client.DescribeCodeCoverages(ctx, &codebuild.DescribeCodeCoveragesInput{
		ReportArn: cover.Arn, SortBy: types.ReportCodeCoverageSortByTypeLineCoveragePercentage, SortOrder: types.SortOrderTypeDescending, MinLineCoveragePercentage: aws.Float64(10),
	})
	if err != nil || len(files.CodeCoverages) != 1 || aws.ToString(files.CodeCoverages[0].FilePath) != "shop/cart.py" || aws.ToFloat64(files.CodeCoverages[0].LineCoveragePercentage) != 66.66 {
		t.Errorf("DescribeCodeCoverages: %+v, %v", files, err)
	}

	list, err := client.ListReportsForReportGroup(ctx, &codebuild.ListReportsForReportGroupInput{ReportGroupArn: unit.ReportGroupArn})
	if err != nil || !slices.Equal(list.Reports, []string{second.ReportARNs[0], first.ReportARNs[0]}) {
		t.Errorf("ListReportsForReportGroup: %+v, %v, want the newest first", list, err)
	}
	list, err = client.ListReportsForReportGroup(ctx, &codebuild.ListReportsForReportGroupInput{ReportGroupArn: unit.ReportGroupArn, Filter: &types.ReportFilter{Status: types.ReportStatusTypeFailed}})
	if err != nil || !slices.Equal(list.Reports, first.ReportARNs[:1]) {
		t.Errorf("ListReportsForReportGroup of failed ones: %+v, %v", list, err)
	}
	trend := func(group *string, field types.ReportGroupTrendFieldType) string {
		t.Helper()
		out, err := client.GetReportGroupTrend(ctx, &codebuild.GetReportGroupTrendInput{ReportGroupArn: group, TrendField: field})
		if err != nil || len(out.RawData) != 2 {
			t.Errorf("GetReportGroupTrend: %+v, %v", out, err)
			return ""
		}
		return aws.ToString(out.Stats.Min) + " " + aws.ToString(out.Stats.Average) + " " + aws.ToString(out.Stats.Max)
	}
	if got := trend(cover.ReportGroupArn, types.ReportGroupTrendFieldTypeLineCoverage); got != "50 62.5 75" {
		t.Errorf("the trend of covered lines is %s", got)
	}
	if got := trend(unit.ReportGroupArn, types.ReportGroupTrendFieldTypeTotal); got != "3 3 3" {
		t.Errorf("the trend of tests is %s", got)
	}

	t.Run("raw files", func(t *testing.T) {
		kept := func(reportARN string) string {
			_, id, _ := strings.Cut(reportARN, "report/exported:")
			return filepath.Join(s.data, "buckets", "store", "raw", "exported", id)
		}
		if text, err := os.ReadFile(filepath.Join(kept(first.ReportARNs[2]), "TEST-cart.xml")); err != nil || !bytes.Contains(text, []byte(`tests="99"`)) {
			t.Errorf("the exported file is %q, %v", text, err)
		}
		if _, err := client.UpdateReportGroup(ctx, &codebuild.UpdateReportGroupInput{Arn: &exported, ExportConfig: &types.ReportExportConfig{
			ExportConfigType: types.ReportExportConfigTypeS3, S3Destination: &types.S3ReportExportConfig{Bucket: aws.String("store"), Path: aws.String("raw"), Packaging: types.ReportPackagingTypeZip},
		}}); err != nil {
			t.Fatal(err)
		}
		third := build("0", "1")
		if z, err := zip.OpenReader(kept(third.ReportARNs[2]) + ".zip"); err != nil {
			t.Error(err)
		} else {
			defer z.Close()
			if len(z.File) != 1 || z.File[0].Name != "TEST-cart.xml" {
				t.Errorf("the ZIP holds %+v", z.File)
			}
		}
	})
	t.Run("they outlive the project, and go with their group", func(t *testing.T) {
		if _, err := client.DeleteProject(ctx, &codebuild.DeleteProjectInput{Name: aws.String("shop")}); err != nil {
			t.Fatal(err)
		}
		groups, err := client.ListReportGroups(ctx, &codebuild.ListReportGroupsInput{SortBy: types.ReportGroupSortByTypeName, SortOrder: types.SortOrderTypeAscending})
		if want := []string{exported, aws.ToString(cover.ReportGroupArn), aws.ToString(unit.ReportGroupArn)}; err != nil || !slices.Equal(groups.ReportGroups, want) {
			t.Fatalf("ListReportGroups: %+v, %v, want %v", groups, err, want)
		}
		if _, err := client.DeleteReport(ctx, &codebuild.DeleteReportInput{Arn: unit.Arn}); err != nil {
			t.Error(err)
		}
		if _, err := client.DeleteReportGroup(ctx, &codebuild.DeleteReportGroupInput{Arn: unit.ReportGroupArn}); err == nil {
			t.Error("a group with reports is deleted without deleteReports")
		}
		if _, err := client.DeleteReportGroup(ctx, &codebuild.DeleteReportGroupInput{Arn: unit.ReportGroupArn, DeleteReports: true}); err != nil {
			t.Error(err)
		}
		got, err := client.BatchGetReports(ctx, &codebuild.BatchGetReportsInput{ReportArns: []string{first.ReportARNs[0], second.ReportARNs[0], first.ReportARNs[1]}})
		if err != nil || len(got.Reports) != 1 || len(got.ReportsNotFound) != 2 {
			t.Errorf("BatchGetReports: %+v, %v", got, err)
		}
		if _, err := os.Stat(filepath.Join(s.data, "buckets", "store", "raw", "exported")); err != nil {
			t.Errorf("exported files stay: %v", err)
		}
	})
}
