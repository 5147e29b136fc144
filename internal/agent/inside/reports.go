package inside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"slipway/internal/agent/glob"
	"slipway/internal/api"
	"slipway/internal/report"
	"slipway/internal/report/format"
)

// Report reads the files of one report, Discover finds files of reports that
// nobody named.
const (
	Report   = "report"
	Discover = "discover"
)

// A ReportRequest says which files make a report.
type ReportRequest struct {
	Files  glob.Options  `json:"files"`
	Format report.Format `json:"format"`
}

// A ReportAnswer says what is in them.
type ReportAnswer struct {
	Bases   []string `json:"bases"`
	Matched []int    `json:"matched"`          // files, for each pattern
	Missing []int    `json:"missing,omitzero"` // patterns that are plain paths of what is not there

	Results
	Problem string `json:"problem,omitzero"` // why the report is not complete
}

// Results are what is in files of one format.
type Results struct {
	Format  report.Format `json:"format"`
	Files   []string      `json:"files,omitzero"`   // absolute paths of those that were read, the first maxListed
	Count   int           `json:"count"`            // how many were read
	Skipped []Skipped     `json:"skipped,omitzero"` // those that are no results, the first maxListed

	TestSummary     *api.TestReportSummary         `json:"testSummary,omitzero"`
	Cases           []api.TestCase                 `json:"cases,omitzero"`
	CoverageSummary *api.CodeCoverageReportSummary `json:"coverageSummary,omitzero"`
	Coverages       []api.CodeCoverage             `json:"coverages,omitzero"`
	Measured        int                            `json:"measured,omitzero"` // source files
}

// A Skipped file is one that was not read.
type Skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// maxListed bounds how many files an answer names.
const maxListed = 1000

// reports reads all files of a report.
func reports(request []byte) (any, error) {
	var in ReportRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	out := &ReportAnswer{}
	out.Format = in.Format
	var read format.Results
	var broken, foreign []string
	other := map[report.Format]bool{}
	result, err := glob.Walk(context.Background(), in.Files, func(f glob.File) error {
		err := readInto(&read, in.Format, f)
		mismatch, isForeign := errors.AsType[*format.Mismatch](err)
		switch {
		case err == nil:
			out.Count++
			out.Files = listed(out.Files, f.Path)
		case isForeign || errors.Is(err, format.ErrEmpty) || errors.Is(err, errIrregular):
			// Tools put other files beside their results, and people name all
			// files of a directory. Only if there is nothing else it is an error.
			out.Skipped = listed(out.Skipped, Skipped{f.Path, err.Error()})
			foreign = listed(foreign, f.Path+": "+err.Error())
			if isForeign {
				other[mismatch.Found] = true
			}
		default:
			broken = listed(broken, f.Path+": "+err.Error())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Bases, out.Matched = result.Bases, result.Matched
	for i, n := range result.Matched {
		if n == 0 && !glob.IsPattern(in.Files.Patterns[i]) {
			out.Missing = append(out.Missing, i)
		}
	}
	out.fill(&read)
	switch {
	case len(broken) > 0:
		out.Problem = inBrackets(broken)
	case out.Count == 0 && len(foreign) > 0:
		out.Problem = inBrackets(foreign)
		if found, ok := only(other); ok && found != "" {
			out.Problem = inBrackets(foreign[:1])
			out.Format = found
		}
	}
	return out, nil
}

// fill sets what was counted.
func (r *Results) fill(read *format.Results) {
	if r.Count == 0 && read.Tests.Total() == 0 && read.Coverage.Measured() == 0 {
		return
	}
	if r.Format.Type() == api.ReportTypeTest {
		r.TestSummary, r.Cases = read.Tests.Summary(), read.Tests.Cases()
		return
	}
	r.CoverageSummary, r.Coverages, r.Measured = read.Coverage.Summary(), read.Coverage.Files(), read.Coverage.Measured()
}

var errIrregular = errors.New("it is no regular file")

// readInto reads one file. User code may have put anything in its place.
func readInto(read *format.Results, f report.Format, file glob.File) error {
	r, err := openRegular(file.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	return read.Read(r, f, file.Name)
}

func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not keep us waiting
	if err != nil {
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err // the path is told anyway
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errIrregular
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// A DiscoverRequest says where to look for files of reports.
type DiscoverRequest struct {
	Files glob.Options  `json:"files"`
	Since time.Time     `json:"since"`         // files that were last written before this are not the build's
	Skip  []string      `json:"skip,omitzero"` // absolute paths of files that are in a report already
	Most  time.Duration `json:"most,omitzero"` // how long the search may last; 0 is no bound
}

// A DiscoverAnswer says what was found.
type DiscoverAnswer struct {
	Bases   []string  `json:"bases"`
	Late    bool      `json:"late,omitzero"` // the search took too long, and was ended
	Seconds float64   `json:"seconds"`       // that the search took
	Found   int       `json:"found"`         // files
	Reports []Results `json:"reports,omitzero"`
}

// discover finds files by what is in them, and reads them.
func discover(request []byte) (any, error) {
	var in DiscoverRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	begin := time.Now()
	ctx := context.Background()
	if in.Most > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, in.Most)
		defer stop()
	}
	out := &DiscoverAnswer{}
	found := map[report.Format][]glob.File{}
	result, err := glob.Walk(ctx, in.Files, func(f glob.File) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !MayBeReport(f.Path) || !f.Info.Mode().IsRegular() || f.Info.ModTime().Before(in.Since) || slices.Contains(in.Skip, f.Path) {
			return nil
		}
		if kind := detect(f.Path); kind != "" && out.Found < maxListed {
			found[kind] = append(found[kind], f)
			out.Found++
		}
		return nil
	})
	if out.Late = ctx.Err() != nil; err != nil && !out.Late {
		return nil, err
	}
	out.Bases, out.Seconds = result.Bases, time.Since(begin).Seconds()
	for _, kind := range report.Formats {
		if len(found[kind]) == 0 {
			continue
		}
		r := Results{Format: kind}
		var read format.Results
		for _, f := range found[kind] {
			if err := readInto(&read, kind, f); err != nil {
				r.Skipped = listed(r.Skipped, Skipped{f.Path, err.Error()})
				continue
			}
			r.Count++
			r.Files = listed(r.Files, f.Path)
		}
		if r.Count > 0 {
			r.fill(&read)
		}
		out.Reports = append(out.Reports, r)
	}
	return out, nil
}

// MayBeReport reports whether a file has one of the names that test tools give
// their results.
func MayBeReport(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".xml", ".json", ".trx":
		return true
	}
	return false
}

func detect(name string) report.Format {
	f, err := openRegular(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	return format.Detect(io.LimitReader(f, 1<<20))
}

// listed adds to what an answer names, up to its bound.
func listed[T any](list []T, v T) []T {
	if len(list) == maxListed {
		return list
	}
	return append(list, v)
}

// inBrackets is how CodeBuild shows several errors.
func inBrackets(all []string) string {
	more := ""
	if len(all) > 5 {
		all, more = all[:5], fmt.Sprintf(" and %d more", len(all)-5)
	}
	return "[" + strings.Join(all, " ") + more + "]"
}

// only returns the one key of a map, if there is one.
func only(m map[report.Format]bool) (report.Format, bool) {
	if len(m) != 1 {
		return "", false
	}
	for f := range m {
		return f, true
	}
	return "", false
}
