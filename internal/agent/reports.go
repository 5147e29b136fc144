package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/agent/glob"
	"slipway/internal/agent/inside"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/buildspec"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// maxReportGroups is how many groups a buildspec may name.
const maxReportGroups = 5

// notFound is what CodeBuild says of a report without files.
const notFound = "report files not found in build"

// reports makes the reports that the buildspec names, and those of files that
// nobody named. Failed tests are no failure of it; that a report cannot be made
// is one, as on CodeBuild.
func (e *engine) reports(ctx context.Context) outcome {
	var problems []string
	var read []string
	for i, r := range e.spec.Reports {
		if ctx.Err() != nil || e.dead != nil {
			break
		}
		if i == maxReportGroups {
			e.log.Service("Skipping report group %s and those after it: a buildspec names at most %d", r.Group, maxReportGroups)
			break
		}
		files, err := e.reportOn(ctx, i, r)
		read = append(read, files...)
		if p, ok := errors.AsType[*problem](err); ok {
			e.log.Service("Report %s is INCOMPLETE: %s", r.Group, p.message)
			problems = append(problems, r.Group+": ["+p.message+"]")
		} else if err != nil && e.dead == nil {
			return faulty("The report %s could not be kept: %v", r.Group, err)
		}
	}
	if e.dead == nil && ctx.Err() == nil {
		e.discover(ctx, read)
	}
	switch {
	case e.dead != nil:
		return e.foundDead()
	case len(problems) > 0:
		return failed(clientError, "Error in UPLOAD_ARTIFACTS phase: [%s]", strings.Join(problems, " "))
	}
	return succeeded
}

// reportOn makes one report and returns the files that were read for it. A
// *problem is the user's to mend: the report is there, and INCOMPLETE, if it can be.
func (e *engine) reportOn(ctx context.Context, number int, r buildspec.Report) ([]string, error) {
	texts, err := e.expand(slices.Concat([]string{r.Group, r.BaseDirectory}, r.Files))
	if err != nil {
		return nil, err
	}
	group, base, files := texts[0], texts[1], texts[2:]
	if base == "" {
		base = "."
	}
	kind, known := report.ParseFormat(r.Format)
	if !known {
		return nil, &problem{fmt.Sprintf("%q is no file-format: those of tests are CUCUMBERJSON, JUNITXML, NUNITXML, NUNIT3XML, TESTNGXML and VISUALSTUDIOTRX, those of coverage CLOVERXML, COBERTURAXML, JACOCOXML and SIMPLECOV", r.Format)}
	}
	e.log.Service("Expanding base directory path: %s", base)
	e.log.Service("Assembling file list")
	e.log.Service("Expanding %s", base)
	where := glob.Options{Root: e.home, Base: base, Patterns: files, Follow: true}
	var got inside.ReportAnswer
	failure := e.inside(inside.Report, inside.ReportRequest{Files: where, Format: kind}, &got)
	var why string
	switch p, isProblem := errors.AsType[*problem](failure); {
	case isProblem:
		why = p.message
	case failure != nil:
		return nil, failure
	default:
		why = e.describe(group, base, files, kind, &got)
	}
	in := agentapi.ReportUpload{Number: number, Group: group, Type: kind.Type(), Status: api.ReportStatusTypeSucceeded}
	if why != "" {
		in.Status = api.ReportStatusTypeIncomplete
	}
	if got.Format == kind {
		e.fill(&in, got.Results)
	}
	if err := e.keep(ctx, in, where, r.DiscardPaths, got.Count > 0); err != nil {
		return got.Files, err
	}
	if why != "" {
		return got.Files, &problem{why}
	}
	e.summary(group, got.Results)
	return got.Files, nil
}

// describe writes to the log which files were found, and returns why they make
// no report; "" if they do.
func (e *engine) describe(group, base string, files []string, kind report.Format, got *inside.ReportAnswer) string {
	if len(got.Bases) == 0 {
		return "no matching base directory path found for " + base
	}
	e.log.Service("Expanding file paths for base directory %s", base)
	e.log.Service("Assembling file list")
	matched := 0
	for i, pattern := range files {
		e.log.Service("Expanding %s", pattern)
		if i < len(got.Matched) && got.Matched[i] > 0 {
			matched += got.Matched[i]
			e.log.Service("Found %d file(s)", got.Matched[i])
		} else if slices.Contains(got.Missing, i) {
			e.log.Service("Skipping invalid file path %s", pattern)
		}
	}
	if got.Count > 0 {
		e.skipped(got.Skipped)
	}
	switch {
	case matched == 0:
		return notFound
	case got.Problem != "" && got.Format != kind && got.Format != "":
		return fmt.Sprintf("error processing report: %s: files of the report group %s are %s, but file-format says %s", got.Problem, group, got.Format, kind)
	case got.Problem != "":
		return "error processing report: " + got.Problem
	}
	return ""
}

// skipped tells of files that are no results.
func (e *engine) skipped(files []inside.Skipped) {
	const most = 20
	for _, f := range files[:min(len(files), most)] {
		e.log.Service("Skipping %s: %s", f.Path, f.Reason)
	}
	if n := len(files) - most; n > 0 {
		e.log.Service("Skipping %d more files that are no results", n)
	}
}

// fill puts what was read into an upload, with the build's secrets masked: what
// a test says may hold them as its output does.
func (e *engine) fill(in *agentapi.ReportUpload, r inside.Results) {
	mask := func(texts ...*string) {
		for _, t := range texts {
			if t != nil {
				*t = e.log.Mask(*t)
			}
		}
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		mask(c.Name, c.Prefix, c.TestSuiteName, c.TestRawDataPath, c.Message)
	}
	for i := range r.Coverages {
		mask(r.Coverages[i].FilePath)
	}
	in.TestSummary, in.Cases, in.CoverageSummary, in.Coverages = r.TestSummary, r.Cases, r.CoverageSummary, r.Coverages
}

// keep sends a report, and its files if the group wants them.
func (e *engine) keep(ctx context.Context, in agentapi.ReportUpload, files glob.Options, flat, export bool) error {
	var stored *agentapi.ReportStored
	err := persist(ctx, func(ctx context.Context) (err error) {
		stored, err = e.client.PutReport(ctx, in)
		return err
	})
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.NotFound {
		return &problem{fault.Message(err)}
	}
	if err != nil {
		return err
	}
	to := stored.Export
	if !export || to == nil || to.ExportConfigType != api.ReportExportConfigTypeS3 || to.S3Destination == nil {
		return nil
	}
	zip := to.S3Destination.Packaging == api.ReportPackagingTypeZip
	_ = e.w.root.RemoveAll(archiveFile)
	defer func() { _ = e.w.root.RemoveAll(archiveFile) }()
	var got inside.ArtifactsAnswer
	if err := e.inside(inside.Artifacts, inside.ArtifactsRequest{Files: files, Flat: flat, Zip: zip, Archive: e.w.place(archiveFile)}, &got); err != nil {
		return err
	}
	location, err := e.send(ctx, agentapi.Object{Kind: agentapi.ReportObject, Identifier: stored.ARN, MD5: got.MD5, SHA256: got.SHA256}, zip)
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.NotFound {
		return &problem{"the raw files could not be exported: " + fault.Message(err)}
	}
	if err != nil {
		return err
	}
	e.log.Service("Exported %d raw file(s) to %s", got.Files, location)
	return nil
}

// summary writes to the log what a report says.
func (e *engine) summary(group string, r inside.Results) {
	switch s, c := r.TestSummary, r.CoverageSummary; {
	case s != nil:
		line := fmt.Sprintf("Report %s: %d test case(s)", group, s.Total)
		for _, status := range []report.Status{report.Succeeded, report.Failed, report.Errored, report.Skipped, report.Unknown} {
			if n := s.StatusCounts[string(status)]; n > 0 {
				line += fmt.Sprintf(", %d %s", n, status)
			}
		}
		e.log.Service("%s", line)
	case c != nil:
		e.log.Service("Report %s: %s and %s in %d source file(s)", group,
			covered("lines", c.LinesCovered, c.LinesMissed), covered("branches", c.BranchesCovered, c.BranchesMissed), r.Measured)
	}
}

func covered(what string, n, missed *int) string {
	if n == nil || missed == nil || *n+*missed == 0 {
		return "no " + what
	}
	p := report.Percentage(*n, *missed)
	return fmt.Sprintf("%d of %d %s (%g%%)", *n, *n+*missed, what, *p)
}
