package agent

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"slipway/internal/agent/glob"
	"slipway/internal/agent/inside"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/report"
)

// Variables by which a build says whether files of reports are looked for that
// its buildspec does not name, and by which pattern. Commands may set them.
const (
	discoverSwitch  = "CODEBUILD_CONFIG_AUTO_DISCOVER"
	discoverPattern = "CODEBUILD_CONFIG_AUTO_DISCOVER_DIR"
)

const (
	discoverTime = 5 * time.Second
	// maxProbed bounds a look from outside for files that may be results, which
	// saves most builds the search in their place.
	maxProbed = 2000
	// coarse is how much older than now a file may look that is written now.
	coarse = 20 * time.Millisecond
)

// discover makes reports of results that the build wrote and nobody named. Those
// of one format make one report. What goes wrong with them fails no build.
func (e *engine) discover(ctx context.Context, read []string) {
	pattern, on := e.discovery()
	if !on || e.dead != nil {
		return
	}
	e.log.Service("Set report auto-discover timeout to %d seconds", int(discoverTime.Seconds()))
	e.log.Service("Expanding base directory path:  .") // CodeBuild's line has two blanks
	e.log.Service("Assembling file list")
	e.log.Service("Expanding .")
	e.log.Service("Expanding file paths for base directory .")
	e.log.Service("Assembling file list")
	e.log.Service("Expanding %s", pattern)
	where := glob.Options{Root: e.home, Patterns: []string{pattern}}
	begin := time.Now()
	var got inside.DiscoverAnswer
	if pattern != everything || e.mayHaveReports(begin.Add(discoverTime)) {
		in := inside.DiscoverRequest{Files: where, Since: e.fetched, Skip: read, Most: discoverTime}
		if err := e.inside(inside.Discover, in, &got); err != nil {
			if p, ok := errors.AsType[*problem](err); ok {
				e.log.Service("Report auto-discover failed: %s", p.message)
			}
			return
		}
	} else {
		got.Seconds = time.Since(begin).Seconds()
	}
	if got.Found == 0 {
		e.log.Service("No matching auto-discover report paths found")
	} else {
		e.log.Service("Found %d file(s)", got.Found)
	}
	e.log.Service("Report auto-discover file discovery took %f seconds", got.Seconds)
	if got.Late {
		e.log.Service("Report auto-discover ended after %d seconds and has not looked at all files: name them under reports in the buildspec, or set %s", int(discoverTime.Seconds()), discoverPattern)
	}
	for i, r := range got.Reports {
		if ctx.Err() != nil || e.dead != nil || i == len(report.Formats) {
			return
		}
		e.reportOnDiscovered(ctx, maxReportGroups+i, r)
	}
}

func (e *engine) reportOnDiscovered(ctx context.Context, number int, r inside.Results) {
	e.skipped(r.Skipped)
	kind, known := report.ParseFormat(string(r.Format))
	if r.Count == 0 || !known { // broken files are their tools' affair: nobody asked for a report
		return
	}
	group := report.DiscoveredName(kind)
	in := agentapi.ReportUpload{Number: number, Group: group, Discovered: true, Type: kind.Type(), Status: api.ReportStatusTypeSucceeded}
	e.fill(&in, r)
	files := glob.Options{Root: e.home, Patterns: make([]string, len(r.Files))}
	for i, name := range r.Files {
		files.Patterns[i] = literal(strings.TrimPrefix(name, e.home+"/"))
	}
	if err := e.keep(ctx, in, files, false, true); err != nil {
		if p, ok := errors.AsType[*problem](err); ok {
			e.log.Service("Report %s is not kept: %s", group, p.message)
		} else if e.dead == nil {
			e.log.Service("Report %s is not kept: the server could not be reached", group)
		}
		return
	}
	e.summary(group, r)
}

// everything is the pattern of a search unless a build gives another.
const everything = "**/*"

// discovery returns the pattern of the search, and whether there is to be one.
func (e *engine) discovery() (pattern string, on bool) {
	state, err := read(e.w.root, stateFile, maxState)
	if err == nil && !bytes.Contains(state, []byte(discoverSwitch)) {
		return everything, true
	}
	values, err := e.expand([]string{"$" + discoverSwitch, "$" + discoverPattern})
	if err != nil {
		return "", false
	}
	pattern = strings.TrimSpace(values[1])
	if pattern == "" {
		pattern = everything
	}
	return pattern, !strings.EqualFold(strings.TrimSpace(values[0]), "false")
}

// maxState bounds how much of a build's variables is looked through.
const maxState = 4 << 20

// mayHaveReports looks from outside whether the source's directory holds files
// that the build wrote and that may be results. It follows no link.
func (e *engine) mayHaveReports(until time.Time) bool {
	dir := sourceDir(e.work.ProjectName, e.work.Source)
	seen, found := 0, false
	stop := errors.New("enough was seen")
	err := fs.WalkDir(e.w.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if seen++; err != nil || seen > maxProbed || time.Now().After(until) {
			found = true // it is not known, so it is looked for in the place
			return stop
		}
		if d.IsDir() || !inside.MayBeReport(name) {
			return nil
		}
		if info, err := d.Info(); err != nil || !info.ModTime().Before(e.fetched) {
			found = true
			return stop
		}
		return nil
	})
	return found || err != nil
}

// literal returns the pattern that names a path and nothing else.
func literal(name string) string {
	return literalEscaper.Replace(path.Clean(name))
}

var literalEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)
