package report

import (
	"time"

	"github.com/google/uuid"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// A Report is one report of a build.
type Report struct {
	Scope    arn.Scope
	Sequence int64  // the store's order of creation
	Group    string // name of its group
	ID       string // a UUID
	BuildID  string
	Number   int // of the reports of the build, counted from 0: no two have the same

	Public api.Report // what BatchGetReports answers
}

// Content is what a report lists: cases or files, by the type of its group.
type Content struct {
	Cases     []api.TestCase
	Coverages []api.CodeCoverage
}

// New returns a report of a build in group g that is still GENERATING: Finish
// ends that.
func New(g Group, buildID string, number int, now time.Time) Report {
	id := uuid.NewString()
	return Report{
		Scope: g.Scope, Group: g.Name(), ID: id, BuildID: buildID, Number: number,
		Public: api.Report{
			ARN: new(g.Scope.Report(g.Name(), id)), Name: g.Public.Name, ReportGroupARN: g.Public.ARN, Type: g.Public.Type,
			ExecutionID: new(g.Scope.Build(buildID)), Status: api.ReportStatusTypeGenerating, ExportConfig: g.Public.ExportConfig,
			Created: api.At(now), Expired: api.Timestamp{Time: now.Add(Lifetime).UTC().Truncate(time.Second)}, Truncated: new(false),
		},
	}
}

// Finish gives the report its end: a status other than GENERATING and
// DELETING, and the summary of its type. A summary that does not add up, or
// that is of another type, is Invalid, as is content that is too much; texts are
// cut. What it returns is the content to keep.
func (r *Report) Finish(status api.ReportStatusType, tests *api.TestReportSummary, coverage *api.CodeCoverageReportSummary, in Content) (Content, error) {
	var out Content
	invalid := func(format string, args ...any) (Content, error) {
		return Content{}, fault.New(fault.Invalid, format, args...)
	}
	switch status {
	case api.ReportStatusTypeSucceeded, api.ReportStatusTypeFailed, api.ReportStatusTypeIncomplete:
	default:
		return invalid("a report cannot end %s", Cut(string(status), 100))
	}
	switch {
	case r.Public.Type == api.ReportTypeTest && (coverage != nil || len(in.Coverages) > 0), r.Public.Type == api.ReportTypeCodeCoverage && (tests != nil || len(in.Cases) > 0):
		return invalid("the report group %s is of type %s", r.Group, r.Public.Type)
	case len(in.Cases) > MaxCases || len(in.Coverages) > MaxFiles:
		return invalid("a report lists at most %d test cases and %d files", MaxCases, MaxFiles)
	case status != api.ReportStatusTypeIncomplete && tests == nil && coverage == nil:
		return invalid("a report needs a summary")
	}
	r.Public.Status = status
	if coverage != nil && status != api.ReportStatusTypeIncomplete {
		r.Public.Status = api.ReportStatusTypeSucceeded
	}
	if tests != nil {
		s, ok := sound(*tests)
		if !ok || s.Total < len(in.Cases) {
			return invalid("the counts of the test summary do not add up")
		}
		if status != api.ReportStatusTypeIncomplete {
			r.Public.Status = TestStatus(s)
		}
		r.Public.TestSummary = &s
		r.Public.Truncated = new(s.Total > len(in.Cases))
	}
	for _, c := range in.Cases {
		out.Cases = append(out.Cases, bounded(c))
	}
	if coverage == nil {
		return out, nil
	}
	total, ok := totals(coverage.LinesCovered, coverage.LinesMissed, coverage.BranchesCovered, coverage.BranchesMissed)
	if !ok {
		return invalid("the counts of the coverage summary are none")
	}
	r.Public.CodeCoverageSummary = &api.CodeCoverageReportSummary{
		LinesCovered: &total.lines, LinesMissed: &total.linesMissed, LineCoveragePercentage: Percentage(total.lines, total.linesMissed),
		BranchesCovered: &total.branches, BranchesMissed: &total.branchesMissed, BranchCoveragePercentage: Percentage(total.branches, total.branchesMissed),
	}
	var listed sum
	seen := map[string]bool{}
	for _, c := range in.Coverages {
		s, ok := totals(c.LinesCovered, c.LinesMissed, c.BranchesCovered, c.BranchesMissed)
		path := Cut(text(c.FilePath), MaxName)
		if !ok || path == "" || seen[path] {
			return invalid("the coverage of a file is none, or is there twice, or the file has no name")
		}
		seen[path] = true
		listed.add(s)
		out.Coverages = append(out.Coverages, api.CodeCoverage{
			FilePath: &path, LinesCovered: &s.lines, LinesMissed: &s.linesMissed, BranchesCovered: &s.branches, BranchesMissed: &s.branchesMissed,
		})
	}
	r.Public.Truncated = new(listed != total)
	return out, nil
}

// CoverageID returns the id of a file's coverage in a report: always the same.
func CoverageID(reportID, path string) string {
	space, err := uuid.Parse(reportID)
	if err != nil {
		space = uuid.NameSpaceURL
	}
	return uuid.NewSHA1(space, []byte(path)).String()
}

// most bounds what is counted, so that sums stay numbers.
const most = 1 << 40

// sound returns a summary with all five counts, whose sum is the total.
func sound(in api.TestReportSummary) (out api.TestReportSummary, ok bool) {
	out = api.TestReportSummary{Total: in.Total, DurationInNanoSeconds: in.DurationInNanoSeconds, StatusCounts: map[string]int{}}
	all := 0
	for _, status := range statuses {
		n := in.StatusCounts[string(status)]
		if n < 0 || n > most {
			return out, false
		}
		out.StatusCounts[string(status)] = n
		all += n
	}
	return out, all == in.Total && in.DurationInNanoSeconds >= 0
}

func totals(lines, linesMissed, branches, branchesMissed *int) (s sum, ok bool) {
	for to, from := range map[*int]*int{&s.lines: lines, &s.linesMissed: linesMissed, &s.branches: branches, &s.branchesMissed: branchesMissed} {
		if from == nil {
			continue
		}
		if *from < 0 || *from > most {
			return s, false
		}
		*to = *from
	}
	return s, true
}

func bounded(c api.TestCase) api.TestCase {
	status := Unknown
	for _, s := range statuses {
		if text(c.Status) == string(s) {
			status = s
		}
	}
	duration := int64(0)
	if c.DurationInNanoSeconds != nil {
		duration = max(0, *c.DurationInNanoSeconds)
	}
	name, prefix, path := Cut(text(c.Name), MaxName), Cut(text(c.Prefix), MaxName), Cut(text(c.TestRawDataPath), MaxName)
	return api.TestCase{
		Name: &name, Prefix: &prefix, TestRawDataPath: &path, Status: new(string(status)), DurationInNanoSeconds: &duration,
		TestSuiteName: optional(Cut(text(c.TestSuiteName), MaxName)), Message: optional(Cut(text(c.Message), MaxMessage)),
	}
}
