package codebuild

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// BatchGetReports answers reports in the order in which they were asked for,
// each once. ARNs that lead to none are answered as they were given.
func (s *Service) BatchGetReports(ctx context.Context, in *api.BatchGetReportsInput) (*api.BatchGetReportsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	names := make([]string, len(in.ReportARNs)) // group:id, "" for an ARN from elsewhere
	var ids []string
	for i, given := range in.ReportARNs {
		group, id, ok, err := reportOf(scope, given)
		if err != nil {
			return nil, err
		}
		if ok {
			names[i] = group + ":" + id
			ids = append(ids, id)
		}
	}
	stored, err := s.reports.GetMany(ctx, scope, ids, s.now())
	if err != nil {
		return nil, err
	}
	found := make(map[string]api.Report, len(stored))
	for _, r := range stored {
		found[r.Group+":"+r.ID] = r.Public
	}
	out := &api.BatchGetReportsOutput{}
	out.Reports, out.ReportsNotFound = inOrder(in.ReportARNs, names, found)
	return out, nil
}

// DeleteReport removes a report with what it lists, if there is one. Exported
// files stay.
func (s *Service) DeleteReport(ctx context.Context, in *api.DeleteReportInput) (*api.DeleteReportOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	group, id, ok, err := reportOf(scope, in.ARN)
	if err == nil && !ok { // success would say that it is gone
		err = errReportARN()
	}
	if err != nil {
		return nil, err
	}
	if err := s.reports.Delete(ctx, scope, group, id); err != nil {
		return nil, err
	}
	return &api.DeleteReportOutput{}, s.purgeReports(ctx)
}

// ListReports answers the ARNs of all reports, newest first unless told
// otherwise.
func (s *Service) ListReports(ctx context.Context, in *api.ListReportsInput) (*api.ListReportsOutput, error) {
	names, next, err := s.listReports(ctx, accesskey.CallerOf(ctx).Scope, "", in.Filter, in.SortOrder, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListReportsOutput{Reports: names, NextToken: next}, nil
}

// ListReportsForReportGroup answers the ARNs of a group's reports, newest first
// unless told otherwise.
func (s *Service) ListReportsForReportGroup(ctx context.Context, in *api.ListReportsForReportGroupInput) (*api.ListReportsForReportGroupOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	g, err := s.reportGroup(ctx, scope, in.ReportGroupARN)
	if err != nil {
		return nil, err
	}
	names, next, err := s.listReports(ctx, scope, g.Name(), in.Filter, in.SortOrder, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListReportsForReportGroupOutput{Reports: names, NextToken: next}, nil
}

// listReports answers a page of one group's reports or, with "", of all.
func (s *Service) listReports(ctx context.Context, scope arn.Scope, group string, filter *api.ReportFilter, order api.SortOrderType, size *int, token *string) ([]string, *string, error) {
	var status api.ReportStatusType
	if filter != nil {
		status = filter.Status
	}
	descending := order != api.SortOrderTypeAscending
	kind := fmt.Sprintf("reports:%s:%s:%t", group, status, descending) // a token continues only the list it comes from
	after, err := sequenceAfter(kind, token)
	if err != nil {
		return nil, nil, err
	}
	names, next, err := s.reports.List(ctx, scope, group, status, descending, s.now(), after, pageSize(size))
	if err != nil {
		return nil, nil, err
	}
	arns := make([]string, len(names))
	for i, name := range names {
		group, id, _ := strings.Cut(name, ":")
		arns[i] = scope.Report(group, id)
	}
	return arns, sequenceToken(kind, next), nil
}

// DescribeTestCases answers the test cases of a report, those that failed
// first: of one status, and with a keyword in their name or prefix.
func (s *Service) DescribeTestCases(ctx context.Context, in *api.DescribeTestCasesInput) (*api.DescribeTestCasesOutput, error) {
	r, err := s.report(ctx, in.ReportARN)
	if err != nil {
		return nil, err
	}
	var status, keyword string
	if f := in.Filter; f != nil {
		status, keyword = deref(f.Status), deref(f.Keyword)
	}
	if !report.IsStatus(status) {
		return nil, fault.New(fault.Invalid, "Invalid test case status: %.100q is none of SUCCEEDED, FAILED, ERROR, SKIPPED and UNKNOWN", status)
	}
	kind := "test-cases:" + r.ID + ":" + status + ":" + keyword
	after, err := sequenceAfter(kind, in.NextToken)
	if err != nil {
		return nil, err
	}
	cases, next, err := s.reports.Cases(ctx, r, status, keyword, after, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	if cases == nil {
		cases = []api.TestCase{}
	}
	for i := range cases {
		cases[i].ReportARN, cases[i].Expired = r.Public.ARN, r.Public.Expired
	}
	return &api.DescribeTestCasesOutput{TestCases: cases, NextToken: sequenceToken(kind, next)}, nil
}

// DescribeCodeCoverages answers the files of a report: by path, ascending,
// unless told otherwise.
func (s *Service) DescribeCodeCoverages(ctx context.Context, in *api.DescribeCodeCoveragesInput) (*api.DescribeCodeCoveragesOutput, error) {
	r, err := s.report(ctx, in.ReportARN)
	if fault.KindOf(err) == fault.NotFound { // which is none of the operation's errors
		err = fault.New(fault.Invalid, "%s", fault.Message(err))
	}
	if err != nil {
		return nil, err
	}
	of := report.CoverageQuery{
		ByPart: in.SortBy == api.ReportCodeCoverageSortByTypeLineCoveragePercentage, Descending: in.SortOrder == api.SortOrderTypeDescending,
		Min: in.MinLineCoveragePercentage, Max: in.MaxLineCoveragePercentage,
	}
	bounds, err := json.Marshal([]*float64{of.Min, of.Max})
	if err != nil {
		return nil, err
	}
	kind := fmt.Sprintf("coverages:%s:%t:%t:%s", r.ID, of.ByPart, of.Descending, bounds)
	var after report.CoveragePlace
	last, err := pageAfter(kind, in.NextToken)
	if err == nil && last != "" {
		part, path, ok := strings.Cut(last, "/")
		if after.Part, err = strconv.ParseInt(part, 10, 64); err != nil || !ok || path == "" {
			err = errToken()
		}
		after.Path = path
	}
	if err != nil {
		return nil, err
	}
	files, next, err := s.reports.Coverages(ctx, r, of, after, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &api.DescribeCodeCoveragesOutput{CodeCoverages: []api.CodeCoverage{}}
	for _, f := range files {
		f.ID, f.ReportARN, f.Expired = new(report.CoverageID(r.ID, *f.FilePath)), r.Public.ARN, r.Public.Expired
		out.CodeCoverages = append(out.CodeCoverages, f)
	}
	if next != (report.CoveragePlace{}) {
		out.NextToken = pageToken(kind, fmt.Sprintf("%d/%s", next.Part, next.Path))
	}
	return out, nil
}

// report returns the report that an ARN names, or NotFound.
func (s *Service) report(ctx context.Context, reportARN string) (report.Report, error) {
	scope := accesskey.CallerOf(ctx).Scope
	group, id, ok, err := reportOf(scope, reportARN)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "Report cannot be found: %s", reportARN)
	}
	if err != nil {
		return report.Report{}, err
	}
	return s.reports.Get(ctx, scope, group, id, s.now())
}

// reportOf returns the group and the id in a report's ARN; ok is false for one
// from elsewhere. What has not the form of an ARN is Invalid.
func reportOf(scope arn.Scope, reportARN string) (group, id string, ok bool, err error) {
	if _, isARN := arn.Parse(reportARN); !isARN {
		return "", "", false, errReportARN()
	}
	name, ok := scope.Local("report", reportARN)
	if !ok {
		return "", "", false, nil
	}
	group, id, ok = strings.Cut(name, ":")
	if !ok || group == "" || id == "" {
		return "", "", false, errReportARN()
	}
	return group, id, true, nil
}

func errReportARN() error { return fault.New(fault.Invalid, "Invalid report ARN provided") }

// sequenceToken is pageToken for lists that go on behind a number; 0 is the end.
func sequenceToken(kind string, after int64) *string {
	if after == 0 {
		return nil
	}
	return pageToken(kind, strconv.FormatInt(after, 10))
}

// sequenceAfter is the inverse of sequenceToken; 0 is the start.
func sequenceAfter(kind string, token *string) (int64, error) {
	last, err := pageAfter(kind, token)
	if err != nil || last == "" {
		return 0, err
	}
	after, err := strconv.ParseInt(last, 10, 64)
	if err != nil || after <= 0 {
		return 0, errToken()
	}
	return after, nil
}

// deref returns *s, or "" if s is nil.
func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
