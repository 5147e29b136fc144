// Package corpus loads the buildspecs in buildspec/testdata/corpus for tests:
// one file per situation that CodeBuild has an answer to, with that answer in
// its first lines.
//
// A file begins with sentences on the situation, then a line with # alone, then
// lines of the form '# key: value' up to the buildspec itself:
//
//	expect: SUCCEEDED                   how an ordinary build ends, or
//	expect: FAILED PHASE CODE TEXT      the phase that fails first, and its context; a CODE with blanks is in quotes, TEXT is in the message
//	batch: valid                        that the batch block can be run, or
//	batch: CODE TEXT                    why not
//	needs: KIND VALUE                   what must be there for this; see Need
//	phases: A B:FAILED C                the phases in order, with the status of those that do not succeed
//	exports: NAME=VALUE                 a variable of the build's record
//	artifact: PATH                      a file in the primary artifact; it has no other than those that are listed
//	artifact IDENTIFIER: PATH           likewise, in a secondary one
//	report: GROUP                       a group that gets a report
//	log: TEXT                           is in a line of the log
//	silent: TEXT                        is not
//	warns: LINE TEXT                    the beginning of a finding that ends no build; there are no others
//
// Texts that commands print are made by arithmetic, so that they are not in the
// line that shows the command.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/api"
)

// A Case is a buildspec and what becomes of it.
type Case struct {
	Name  string // of the file, without .yml
	About string // the situation, in one line
	Text  string // the whole file

	Status        api.StatusType     // of an ordinary build
	Phase         api.BuildPhaseType // that fails first; empty if none does
	Code, Message string             // of its context, of the message a part

	Batch                   bool   // there is a batch block; its fault is
	BatchCode, BatchMessage string // empty if it is valid

	Needs     []Need
	Phases    []string // empty if it does not matter
	Exports   []Variable
	Artifacts map[string][]string // by identifier, "" for the primary one
	Reports   []string
	Log       []string
	Silent    []string
	Warnings  []Warning
}

// A Variable is a name and its value.
type Variable struct{ Name, Value string }

// A Warning is the beginning of a finding.
type Warning struct {
	Line int
	Text string
}

// A Need is what must be there for a case to end as it says.
type Need struct {
	// On the machine: bash; dash, as sh; root, which the agent is; user NAME;
	// helpers, the commands codebuild-*; runtimes NAME…, which the image can
	// install; fixed-runtimes NAME…, of which it has a few versions and no more;
	// tool NAME, a program in /usr/bin.
	// In the project: artifacts, of type S3 and packaging ZIP; folder, that they
	// are not packed; secondary-artifact IDENTIFIER; cache; override-name, that
	// the buildspec names the artifacts; variable NAME=VALUE, with the prefix
	// parameter: or secret: a reference.
	// Of whoever starts the build: start-variable NAME=VALUE.
	// On the server: account ID; region NAME; vault, that there may be parameters
	// and secrets; parameter NAME=VALUE; secret NAME=VALUE; secret-stage NAME
	// STAGE=VALUE; secret-version NAME ID=VALUE; report-group NAME=TYPE.
	Kind, Value string
}

// Unmet returns the kinds of what a case needs that are not among have.
func (c Case) Unmet(have ...string) []string {
	var out []string
	for _, n := range c.Needs {
		if !slices.Contains(have, n.Kind) && !slices.Contains(out, n.Kind) {
			out = append(out, n.Kind)
		}
	}
	return out
}

// Load returns all cases in the order of their names. It fails the test if
// there are none, or if one cannot be read.
func Load(t testing.TB) []Case {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the corpus is found beside this source file, whose place is unknown")
	}
	return LoadFrom(t, filepath.Join(filepath.Dir(file), "..", "testdata", "corpus", "*.yml"))
}

// LoadFrom is Load for files whose paths match a pattern.
func LoadFrom(t testing.TB, pattern string) []Case {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no buildspecs are %s: %v", pattern, err)
	}
	var all []Case
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(strings.TrimSuffix(filepath.Base(f), ".yml"), string(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// parse reads a case.
func parse(name, text string) (Case, error) {
	c := Case{Name: name, Text: text, Artifacts: map[string][]string{}}
	var about []string
	head := false
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, comment := strings.CutPrefix(strings.TrimRight(line, "\n"), "#")
		switch {
		case !comment:
			c.About = strings.Join(about, " ")
			if c.Status == "" {
				return c, fmt.Errorf("%s.yml expects nothing", name)
			}
			return c, nil
		case line == "":
			head = true
		case !head:
			about = append(about, strings.TrimSpace(line))
		default:
			if err := c.line(strings.TrimPrefix(line, " ")); err != nil {
				return c, fmt.Errorf("%s.yml:%d: %w", name, n, err)
			}
		}
	}
	return c, fmt.Errorf("%s.yml has no buildspec", name)
}

func (c *Case) line(line string) error {
	key, value, ok := strings.Cut(line, ": ")
	if !ok {
		return fmt.Errorf("%q is not of the form 'key: value'", line)
	}
	key, of, _ := strings.Cut(key, " ")
	if of != "" && key != "artifact" {
		return fmt.Errorf("unknown key %q", key+" "+of)
	}
	first, rest, _ := strings.Cut(value, " ")
	switch key {
	case "expect":
		c.Status = api.StatusType(first)
		if c.Status == api.StatusTypeSucceeded && rest == "" {
			return nil
		}
		phase, context, ok := strings.Cut(rest, " ")
		if c.Phase = api.BuildPhaseType(phase); c.Status != api.StatusTypeFailed || !ok {
			return fmt.Errorf("%q is no end of a build", value)
		}
		c.Code, c.Message = codeAndText(context)
	case "batch":
		if c.Batch = true; value != "valid" {
			c.BatchCode, c.BatchMessage = codeAndText(value)
		}
	case "needs":
		c.Needs = append(c.Needs, Need{first, rest})
	case "phases":
		c.Phases = strings.Fields(value)
	case "exports":
		name, value, ok := strings.Cut(value, "=")
		if !ok {
			return fmt.Errorf("%q has no value", name)
		}
		c.Exports = append(c.Exports, Variable{name, value})
	case "artifact":
		c.Artifacts[of] = append(c.Artifacts[of], value)
	case "report":
		c.Reports = append(c.Reports, value)
	case "log":
		c.Log = append(c.Log, value)
	case "silent":
		c.Silent = append(c.Silent, value)
	case "warns":
		n, err := strconv.Atoi(first)
		if err != nil || rest == "" {
			return fmt.Errorf("%q is no line and text", value)
		}
		c.Warnings = append(c.Warnings, Warning{n, rest})
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// codeAndText splits 'CODE text' and '"a code" text'.
func codeAndText(s string) (code, text string) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		code, text, _ = strings.Cut(quoted, `" `)
		return code, text
	}
	code, text, _ = strings.Cut(s, " ")
	return code, text
}
