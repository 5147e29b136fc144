package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/buildspec/corpus"
)

// unlike says in which cases a place differs from others by design, and why. They
// are not held to anything there. Without its line a case is held to all of it.
var unlike = []struct{ name, place, why string }{
	{"33-artifacts-all-keys", "slipway run", "it lays a tree, as packaging NONE does, in which links are followed, where a ZIP keeps them"},
	{"46-artifacts-named", "slipway run", "it lays a tree, which has no name, and in which links are followed"},
	{"48-secondary-artifacts", "slipway run", "it has no project that asks for an artifact which the buildspec does not describe"},
	{"67-artifacts-without-files", "slipway run", "it has no project that asks for an artifact which the buildspec does not describe"},
	{"51-secret-that-is-missing", "slipway run", "it says how to give the value, and knows no secret that could be missing"},
	{"75-parameter-is-missing", "slipway run", "it says how to give the value, and knows no parameter that could be missing"},
	{"52-secret-without-the-key", "slipway run", "it is given the value itself, of which no key is asked for"},
}

// A parityCase is a buildspec, with the repository it is in, and what becomes
// of it.
type parityCase struct {
	corpus.Case
	dir string // of the repository; "" if it has the buildspec alone
}

// id names a case where it stands for a project.
func (c *parityCase) id() string { return strings.ReplaceAll(c.Name, "/", "-") }

// needs returns what a case needs of a kind.
func (c *parityCase) needs(kind string) []string {
	var all []string
	for _, n := range c.Needs {
		if n.Kind == kind {
			all = append(all, n.Value)
		}
	}
	return all
}

func (c *parityCase) need(kind string) bool {
	return slices.ContainsFunc(c.Needs, func(n corpus.Need) bool { return n.Kind == kind })
}

// need1 returns what a case needs of a kind, or otherwise.
func (c *parityCase) need1(kind, otherwise string) string {
	if all := c.needs(kind); len(all) > 0 {
		return all[0]
	}
	return otherwise
}

// parityCases are the whole corpus, builds of our own that hold one thing each,
// and repositories in the shape of public ones.
func parityCases(t *testing.T) []*parityCase {
	t.Helper()
	var all []*parityCase
	for _, c := range corpus.Load(t) {
		all = append(all, &parityCase{Case: c})
	}
	for _, c := range corpus.LoadFrom(t, filepath.Join("testdata", "parity", "*.yml")) {
		all = append(all, &parityCase{Case: c})
	}
	public, err := filepath.Glob(filepath.Join("testdata", "public", "*", "buildspec.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range public {
		dir := filepath.Dir(path)
		for _, c := range corpus.LoadFrom(t, path) {
			c.Name = "public/" + filepath.Base(dir)
			all = append(all, &parityCase{Case: c, dir: dir})
		}
	}
	return all
}

// An ending is all that a build leaves, apart from what no two builds have in
// common: when, how long, its id, names of folders that are made up.
type ending struct {
	Status    string
	Phases    []string // TYPE STATUS CODE: MESSAGE
	Exports   []string // NAME=VALUE
	Reports   []string // names of groups that got one
	Artifacts []string // identifier:path, then mode and text
	Log       []string

	why error // there is no ending since this went wrong
}

// A place is where builds run.
type place interface {
	// build runs all cases, as many at a time as it likes, and says how each ended.
	build(t *testing.T, cases []*parityCase) map[string]ending
}

// TestBuildsAreTheSameEverywhere has every case built without a server, on a
// server's machine and in a container, and compares all that is left of it.
func TestBuildsAreTheSameEverywhere(t *testing.T) {
	cases := parityCases(t)
	if only := os.Getenv("SLIPWAY_PARITY"); only != "" { // a pattern of names: all cases take long
		cases = slices.DeleteFunc(cases, func(c *parityCase) bool { return !regexp.MustCompile(only).MatchString(c.Name) })
	}
	have := []string{"artifacts", "folder", "secondary-artifact", "override-name", "cache", "variable", "start-variable", "account", "region", "vault", "parameter", "secret", "secret-stage", "secret-version", "helpers", "report-group"}
	if os.Geteuid() == 0 {
		have = append(have, "root", "user")
	}
	if to, err := filepath.EvalSymlinks("/bin/sh"); err == nil && filepath.Base(to) == "dash" {
		have = append(have, "dash")
	}
	if _, err := os.Stat("/bin/bash"); err == nil {
		have = append(have, "bash")
	}
	places := []string{"slipway run", "local", "docker"}
	made := map[string]place{"slipway run": newRunPlace(t), "local": newServerPlace(t, false), "docker": newServerPlace(t, true)}
	got := map[string]map[string]ending{}
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, name := range places {
		all.Go(func() {
			ends := made[name].build(t, cases)
			mu.Lock()
			defer mu.Unlock()
			got[name] = ends
		})
	}
	all.Wait()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			for _, tool := range c.needs("tool") {
				if _, err := exec.LookPath("/usr/bin/" + tool); err != nil {
					t.Skipf("%s is not on this machine", tool)
				}
			}
			var first string
			for _, name := range places {
				e, ok := got[name][c.Name]
				if why := excused(c, name); why != "" {
					t.Logf("not compared in %s: %s", name, why)
					continue
				}
				if !ok || e.why != nil {
					t.Errorf("%s: no ending: %v", name, e.why)
					continue
				}
				unmet := c.Unmet(append(have, "tool")...)
				if len(unmet) == 0 {
					e.holds(t, name, c)
				} else {
					t.Logf("only compared: there is no %s", strings.Join(unmet, ", "))
				}
				if first == "" {
					first = name
				} else if d := gocmp.Diff(got[first][c.Name], e, gocmp.AllowUnexported(ending{})); d != "" {
					t.Errorf("-%s +%s\n%s", first, name, d)
				}
			}
			if t.Failed() && first != "" {
				t.Logf("%s:\n%s", first, strings.Join(got[first][c.Name].Log, "\n"))
			}
		})
	}
}

// excused says why a case is not held to anything in a place, or nothing.
func excused(c *parityCase, place string) string {
	for _, u := range unlike {
		if u.place == place && u.name == c.Name {
			return u.why
		}
	}
	return ""
}

// holds fails the test unless a build ended as its case says.
func (e ending) holds(t *testing.T, place string, c *parityCase) {
	t.Helper()
	bad := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s: "+format, append([]any{place}, args...)...)
	}
	if e.Status != string(c.Status) {
		bad("it %s, want %s", e.Status, c.Status)
	}
	var phases []string
	failed := ""
	for _, p := range e.Phases {
		f := strings.SplitN(p, " ", 3)
		switch api.BuildPhaseType(f[0]) {
		case api.BuildPhaseTypeSubmitted, api.BuildPhaseTypeQueued, api.BuildPhaseTypeProvisioning:
			continue
		}
		if f[1] == string(api.StatusTypeSucceeded) || f[1] == "" {
			phases = append(phases, f[0])
			continue
		}
		phases = append(phases, f[0]+":"+f[1])
		if failed == "" {
			failed = f[0] + " " + f[2]
		}
	}
	if len(c.Phases) > 0 && !slices.Equal(phases, c.Phases) {
		bad("the phases are %v, want %v", phases, c.Phases)
	}
	if c.Phase != "" && (!strings.HasPrefix(failed, string(c.Phase)+" "+c.Code+": ") || !strings.Contains(failed, c.Message)) {
		bad("it failed with %q, want %s %s: … %s …", failed, c.Phase, c.Code, c.Message)
	}
	for _, v := range c.Exports {
		if want := v.Name + "=" + v.Value; !slices.Contains(e.Exports, want) {
			bad("%s is not exported: %q", want, e.Exports)
		}
	}
	var files, want []string
	for _, a := range e.Artifacts {
		files = append(files, a[:strings.Index(a, "\n")])
	}
	for identifier, names := range c.Artifacts {
		for _, name := range names {
			want = append(want, identifier+":"+name)
		}
	}
	slices.Sort(want)
	if len(c.Artifacts) > 0 && !slices.Equal(files, want) {
		bad("the artifacts are %v, want %v", files, want)
	}
	for _, name := range c.Reports {
		if !slices.Contains(e.Reports, name) {
			bad("%s got no report: %q", name, e.Reports)
		}
	}
	for _, text := range c.Log {
		if !slices.ContainsFunc(e.Log, func(line string) bool { return strings.Contains(line, text) }) {
			bad("the log lacks %q", text)
		}
	}
	for _, text := range c.Silent {
		if slices.ContainsFunc(e.Log, func(line string) bool { return strings.Contains(line, text) }) {
			bad("the log has %q", text)
		}
	}
}

// What differs between any two builds: when something was, where the sources
// are (its number is made of the project's name), and which image was taken.
var (
	clockOf     = regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [A-Z]+ \d{4}\b|\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b`) // as date and ls print it
	tookOf      = regexp.MustCompile(`\b(in|took) \d+(\.\d+)? ?(s|ms|seconds)\b|, \d+\.\d+ s\b`)
	momentOf    = regexp.MustCompile(`^\[Container\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} `)
	sourceOf    = regexp.MustCompile(`/codebuild/output/src\d+`)
	imageOf     = regexp.MustCompile(`^\[Container\] Image \S+ \([0-9a-f]+\)$`)
	phaseOf     = regexp.MustCompile(`(?s)^\[Container\] Phase complete: (\S+) State: (\S+)$`)
	contextOf   = "[Container] Phase context status code: "
	summaryOf   = regexp.MustCompile(`^  ([A-Z_]+) +([A-Z_]+) +\S+$`)
	reportOf    = regexp.MustCompile(`^(\S+) (SUCCEEDED|FAILED|INCOMPLETE)$`)
	identity    = regexp.MustCompile(`[\w-]+:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	serviceLine = "[Container] "
)

// stripped makes a log comparable.
func stripped(log string) []string {
	var out []string
	for line := range strings.Lines(log) {
		line = momentOf.ReplaceAllString(strings.TrimSuffix(line, "\n"), serviceLine)
		if !imageOf.MatchString(line) { // only containers have one
			out = append(out, alike(line))
		}
	}
	return out
}

// alike makes what a build says comparable.
func alike(text string) string {
	text = tookOf.ReplaceAllString(clockOf.ReplaceAllString(text, "TIME"), "$1 TIME")
	return identity.ReplaceAllString(sourceOf.ReplaceAllString(text, "/codebuild/output/src0"), "BUILD")
}

// phaseLine is a phase of an ending.
func phaseLine(typ, status, code, message string) string {
	return alike(fmt.Sprintf("%s %s %s: %s", typ, status, code, message))
}

// ended is what a build's record and log say of it.
func ended(b api.Build, log string, artifacts []string) ending {
	e := ending{Status: string(b.BuildStatus), Log: stripped(log), Artifacts: artifacts}
	for _, p := range b.Phases {
		code, message := "", ""
		for _, c := range p.Contexts {
			code, message = cmp.Or(code, value(c.StatusCode)), cmp.Or(message, value(c.Message))
		}
		e.Phases = append(e.Phases, phaseLine(string(p.PhaseType), string(p.PhaseStatus), code, message))
	}
	for _, arn := range b.ReportARNs {
		_, group, _ := strings.Cut(arn, ":report/")
		group, _, _ = strings.Cut(group, ":")
		e.Reports = append(e.Reports, strings.TrimPrefix(group, value(b.ProjectName)+"-"))
	}
	slices.Sort(e.Reports)
	for _, v := range b.ExportedEnvironmentVariables {
		e.Exports = append(e.Exports, alike(value(v.Name)+"="+value(v.Value)))
	}
	return e
}

// told is what a log and a summary for people say of a build.
func told(log, summary string) ending {
	e := ending{Log: stripped(log)}
	contexts := map[string]string{}
	for i, line := range e.Log {
		m := phaseOf.FindStringSubmatch(line)
		if m == nil || i+1 == len(e.Log) {
			continue
		}
		text, _ := strings.CutPrefix(e.Log[i+1], contextOf)
		for _, more := range e.Log[i+2:] { // of a message with several lines
			if strings.HasPrefix(more, serviceLine) {
				break
			}
			text += "\n" + more
		}
		code, message, _ := strings.Cut(text, " Message: ")
		contexts[m[1]] = code + ": " + message
	}
	before, section := "", ""
	for line := range strings.Lines(summary) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "  ") {
			section = line
		}
		switch {
		case e.Status == "":
			if m := summaryOf.FindStringSubmatch(line); m != nil {
				e.Phases = append(e.Phases, m[1]+" "+m[2]+" "+cmp.Or(contexts[m[1]], ": "))
			} else if slices.Contains([]string{"SUCCEEDED", "FAILED", "FAULT", "STOPPED", "TIMED_OUT"}, line) {
				e.Status = line
			}
		case section == "Exported variables:" && section != line:
			name, value, _ := strings.Cut(strings.TrimPrefix(line, "  "), "=")
			if text, err := strconv.Unquote(value); err == nil && strings.HasPrefix(value, `"`) {
				value = text
			}
			e.Exports = append(e.Exports, alike(name+"="+value))
		case before == "":
			if m := reportOf.FindStringSubmatch(line); m != nil {
				e.Reports = append(e.Reports, strings.TrimPrefix(m[1], "local-"))
			}
		}
		before = line
	}
	slices.Sort(e.Reports)
	e.Phases = append(e.Phases, "COMPLETED  : ") // which has no end
	return e
}
