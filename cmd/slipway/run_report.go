package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/report"
)

// A reportTeller hears the reports of a build and tells of them when it has
// ended.
type reportTeller struct{ text strings.Builder }

// What is listed of a report, at most. Cases that failed are all listed.
const (
	listedCases   = 50 // others
	listedFiles   = 50
	listedMessage = 20 // lines
)

// hear takes in one report.
func (t *reportTeller) hear(r report.Report, c report.Content) {
	w := &t.text
	fmt.Fprintf(w, "\n%s %s\n", value(r.Public.Name), r.Public.Status)
	switch s, cover := r.Public.TestSummary, r.Public.CodeCoverageSummary; {
	case s != nil:
		fmt.Fprintf(w, "  %s in %s\n", counts(*s), time.Duration(s.DurationInNanoSeconds).Round(time.Millisecond))
		tellCases(w, c.Cases, s.Total)
	case cover != nil:
		fmt.Fprintf(w, "  %s, %s\n", share("lines", cover.LinesCovered, cover.LinesMissed), share("branches", cover.BranchesCovered, cover.BranchesMissed))
		tellFiles(w, c.Coverages)
	}
}

// tell writes what was heard.
func (t *reportTeller) tell(w io.Writer) {
	if t.text.Len() == 0 {
		fmt.Fprintln(w, "\nThe build made no report.")
		return
	}
	fmt.Fprint(w, t.text.String())
}

// counts is a summary in words: what there is none of is left out.
func counts(s api.TestReportSummary) string {
	words := []string{fmt.Sprintf("%d test case(s)", s.Total)}
	for _, status := range []report.Status{report.Failed, report.Errored, report.Unknown, report.Skipped, report.Succeeded} {
		if n := s.StatusCounts[string(status)]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, status))
		}
	}
	return strings.Join(words, ", ")
}

// tellCases lists cases as they are sorted, failed ones first.
func tellCases(w io.Writer, cases []api.TestCase, total int) {
	others, told := 0, 0
	for _, c := range cases {
		status := value(c.Status)
		failed := status == string(report.Failed) || status == string(report.Errored)
		if !failed {
			if others++; others > listedCases {
				break
			}
		}
		told++
		name := value(c.Name)
		if p := value(c.Prefix); p != "" {
			name = p + " " + name
		}
		fmt.Fprintf(w, "  %-9s %s  %s\n", status, plain(name), plain(value(c.TestRawDataPath)))
		if failed {
			tellMessage(w, value(c.Message))
		}
	}
	if n := total - told; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

func tellMessage(w io.Writer, message string) {
	if message == "" {
		return
	}
	lines := strings.Split(message, "\n")
	for _, line := range lines[:min(len(lines), listedMessage)] {
		fmt.Fprintf(w, "            %s\n", plain(line))
	}
	if n := len(lines) - listedMessage; n > 0 {
		fmt.Fprintf(w, "            and %d more lines\n", n)
	}
}

// tellFiles lists source files, first those of which the smallest part is
// covered.
func tellFiles(w io.Writer, files []api.CodeCoverage) {
	part := func(c api.CodeCoverage) float64 {
		if p := report.Percentage(value(c.LinesCovered), value(c.LinesMissed)); p != nil {
			return *p
		}
		return 100
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b api.CodeCoverage) int {
		return cmp.Or(cmp.Compare(part(a), part(b)), cmp.Compare(value(b.LinesMissed), value(a.LinesMissed)))
	})
	for _, c := range files[:min(len(files), listedFiles)] {
		fmt.Fprintf(w, "  %6.2f%%   %s  %d of %d lines\n", part(c), plain(value(c.FilePath)), value(c.LinesCovered), value(c.LinesCovered)+value(c.LinesMissed))
	}
	if n := len(files) - listedFiles; n > 0 {
		fmt.Fprintf(w, "  and %d more files\n", n)
	}
}

// share says how much of something is covered.
func share(what string, covered, missed *int) string {
	p := report.Percentage(value(covered), value(missed))
	if p == nil {
		return "no " + what
	}
	return fmt.Sprintf("%g%% of %d %s", *p, value(covered)+value(missed), what)
}
