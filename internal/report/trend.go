package report

import (
	"math"
	"strconv"

	"slipway/internal/api"
	"slipway/internal/fault"
)

// A Trend is how one figure of a group's reports went.
type Trend struct {
	Stats api.ReportGroupTrendStats
	Data  []api.ReportWithRawData // in the order of the reports; those without the figure are left out
}

// NewTrend returns the trend of a field in reports of group g. A field that
// groups of its type don't have is Invalid.
func NewTrend(g Group, field api.ReportGroupTrendFieldType, reports []Report) (Trend, error) {
	figure, ok := figures[g.Public.Type][field]
	if !ok {
		return Trend{}, fault.New(fault.Invalid, "Invalid trend field: %s is none of report groups of type %s", field, g.Public.Type)
	}
	t := Trend{Data: []api.ReportWithRawData{}}
	least, most, sum := math.Inf(1), math.Inf(-1), 0.0
	for _, r := range reports {
		v, ok := figure(r.Public)
		if !ok {
			continue
		}
		least, most, sum = min(least, v), max(most, v), sum+v
		t.Data = append(t.Data, api.ReportWithRawData{ReportARN: r.Public.ARN, Data: new(decimal(v))})
	}
	if n := len(t.Data); n > 0 {
		t.Stats = api.ReportGroupTrendStats{Average: new(decimal(sum / float64(n))), Max: new(decimal(most)), Min: new(decimal(least))}
	}
	return t, nil
}

// A figure reads one number of a report.
type figure func(api.Report) (float64, bool)

var figures = map[api.ReportType]map[api.ReportGroupTrendFieldType]figure{
	api.ReportTypeTest: {
		api.ReportGroupTrendFieldTypePassRate: ofTests(func(s api.TestReportSummary) (float64, bool) {
			return 100 * float64(s.StatusCounts[string(Succeeded)]) / float64(max(s.Total, 1)), s.Total > 0
		}),
		api.ReportGroupTrendFieldTypeDuration: ofTests(func(s api.TestReportSummary) (float64, bool) { return float64(s.DurationInNanoSeconds), true }),
		api.ReportGroupTrendFieldTypeTotal:    ofTests(func(s api.TestReportSummary) (float64, bool) { return float64(s.Total), true }),
	},
	api.ReportTypeCodeCoverage: {
		api.ReportGroupTrendFieldTypeLineCoverage:    ofCoverage(func(s api.CodeCoverageReportSummary) *float64 { return s.LineCoveragePercentage }),
		api.ReportGroupTrendFieldTypeLinesCovered:    ofCoverage(func(s api.CodeCoverageReportSummary) *float64 { return number(s.LinesCovered) }),
		api.ReportGroupTrendFieldTypeLinesMissed:     ofCoverage(func(s api.CodeCoverageReportSummary) *float64 { return number(s.LinesMissed) }),
		api.ReportGroupTrendFieldTypeBranchCoverage:  ofCoverage(func(s api.CodeCoverageReportSummary) *float64 { return s.BranchCoveragePercentage }),
		api.ReportGroupTrendFieldTypeBranchesCovered: ofCoverage(func(s api.CodeCoverageReportSummary) *float64 { return number(s.BranchesCovered) }),
		api.ReportGroupTrendFieldTypeBranchesMissed:  ofCoverage(func(s api.CodeCoverageReportSummary) *float64 { return number(s.BranchesMissed) }),
	},
}

func ofTests(of func(api.TestReportSummary) (float64, bool)) figure {
	return func(r api.Report) (float64, bool) {
		if r.TestSummary == nil {
			return 0, false
		}
		return of(*r.TestSummary)
	}
}

func ofCoverage(of func(api.CodeCoverageReportSummary) *float64) figure {
	return func(r api.Report) (float64, bool) {
		if r.CodeCoverageSummary == nil {
			return 0, false
		}
		v := of(*r.CodeCoverageSummary)
		if v == nil {
			return 0, false
		}
		return *v, true
	}
}

func number(n *int) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}

// decimal returns v with at most two digits after the point, the rest cut off.
func decimal(v float64) string {
	const least = 1e-6 // what a fraction of two digits may lack
	return strconv.FormatFloat(math.Trunc(v*100+least)/100, 'f', -1, 64)
}
