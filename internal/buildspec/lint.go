package buildspec

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/api"
)

// A Finding is something that is wrong with a text, or odd about it.
type Finding struct {
	Level   Level
	Message string

	// Where it is, counted from 1: lines as editors count them, columns in
	// characters. Line is 0 if it is not known, or is about the text as a whole;
	// EndLine is 0 if only the beginning is known. EndColumn is behind the last
	// character.
	Line, Column, EndLine, EndColumn int
}

// A Level says what becomes of a build because of a Finding.
type Level int

// The levels.
const (
	Bad Level = iota // no build can be made of it
	Odd              // it is read, but perhaps not as it is meant
)

// maxFindings bounds what is told of one text.
const maxFindings = 100

// Lint reads a buildspec as Parse does and tells all that it can in one
// reading, at most the first hundred findings, in the order of the text. Some
// finding is Bad exactly if Parse returns an error. The others are about what
// is read and does nothing: unknown keys, with the probable one; what this
// server does not carry out yet; a buildspec without commands.
func Lint(text []byte) []Finding {
	l := &linter{where: newPlaces(text), seen: map[told]bool{}}
	l.read(text)
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Level, b.Level))
	})
	return l.found
}

const needs = "A buildspec says which commands a build runs. It needs a version and a phase with commands, such as:\n" +
	"version: 0.2\nphases:\n  build:\n    commands:\n      - make"

// A linter gathers findings. A nil one gathers nothing.
type linter struct {
	where places
	found []Finding
	seen  map[told]bool // aliases lead to the same place again
	bad   bool

	level  Level  // of what the reader calls wrong
	before string // goes before it
}

type told struct {
	line, column int
	message      string
}

func (l *linter) read(text []byte) {
	if len(text) > MaxSize {
		l.tell(Finding{Message: tooLarge(text).Message + ". Move commands into a script of the source."})
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		l.tell(Finding{Message: needs, Line: 1, Column: 1})
		return
	case err != nil:
		l.tell(l.where.syntax(err))
		return
	}
	r := newReader(text, l)
	s := new(Spec)
	if top := doc.Content[0]; top.Kind == yaml.ScalarNode && (null(top) || strings.TrimSpace(top.Value) == "") {
		l.tell(Finding{Message: needs, Line: 1, Column: 1})
		return
	} else if top.Kind == yaml.ScalarNode || top.Kind == yaml.SequenceNode {
		l.add(Bad, top, "This is no buildspec. "+needs)
		return
	}
	if err := r.spec(&doc, s); err != nil { // there is too much of it
		l.tell(Finding{Message: err.Error()}) // about all of it
	}
	if !l.bad {
		l.whole(s)
	}
	var second yaml.Node
	if decoder.Decode(&second) == nil && second.Kind == yaml.DocumentNode {
		l.add(Odd, second.Content[0], "Everything from here is ignored: of several documents between '---' lines the first is the buildspec.")
	}
}

// begin says what it means if what is read from here on is wrong.
func (l *linter) begin(level Level, before string) {
	if l != nil {
		l.level, l.before = level, before
	}
}

// also tells of an error that ends no ordinary build.
func (l *linter) also(err error) {
	if l != nil {
		l.tell(Finding{Level: Odd, Message: "A batch build of this fails: " + err.Error() + "."})
	}
}

// whole tells what only shows when all is read.
func (l *linter) whole(s *Spec) {
	if s.Batch != nil { // whose tasks may have buildspecs of their own
		return
	}
	for _, p := range s.Phases {
		if len(p.Commands)+len(p.Finally)+len(p.Runtimes) > 0 {
			return
		}
	}
	l.tell(Finding{Level: Odd, Message: "No phase has commands: the build does nothing. They are a list below phases, a phase such as build, and commands.", Line: 1, Column: 1})
}

// add tells of n. Where that is takes as long to find as its line is long: it is
// looked for only if it is told.
func (l *linter) add(level Level, n *yaml.Node, message string) {
	if l.takes(level, told{n.Line, n.Column, message}) {
		f := l.where.of(n)
		f.Level, f.Message = level, message
		l.keep(f)
	}
}

func (l *linter) tell(f Finding) {
	if l.takes(f.Level, told{f.Line, f.Column, f.Message}) {
		l.keep(f)
	}
}

// full reports whether a finding of this level is one too many. What is bad is
// worth more than what is odd.
func (l *linter) full(level Level) bool {
	return len(l.found) == maxFindings && (level == Odd || !slices.ContainsFunc(l.found, odd))
}

func odd(f Finding) bool { return f.Level == Odd }

// takes reports whether there is room for a finding that was not told yet.
func (l *linter) takes(level Level, t told) bool {
	l.bad = l.bad || level == Bad
	if l.full(level) || l.seen[t] {
		return false
	}
	l.seen[t] = true
	return true
}

func (l *linter) keep(f Finding) {
	if len(l.found) == maxFindings {
		i := slices.IndexFunc(l.found, odd)
		l.found = slices.Delete(l.found, i, i+1)
	}
	l.found = append(l.found, f)
}

// unversioned returns none, or tells that a version is missing.
func (l *linter) unversioned(n *yaml.Node, none *Error) error {
	if l == nil {
		return none
	}
	const message = "A buildspec begins with its version: write 'version: 0.2'. Without it a build ends with '%s'."
	switch {
	case n == nil:
		l.tell(Finding{Message: fmt.Sprintf(message, none.Message), Line: 1, Column: 1})
	case n.Kind == yaml.ScalarNode: // else it was told of
		l.add(Bad, n, fmt.Sprintf(message, none.Message))
	}
	return nil
}

// again tells of a key that k has already.
func (l *linter) again(k keys, key *yaml.Node) {
	if l != nil && k.values[key.Value] != nil && !l.full(Odd) {
		l.add(Odd, k.at[key.Value], fmt.Sprintf("The key %s is written again in line %d, and only that one counts.", clipKey(key.Value), l.where.of(key).Line))
	}
}

// top tells of odd keys of the whole.
func (l *linter) top(k keys, version string) {
	if l == nil {
		return
	}
	known := []string{"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"}
	if version == "0.1" {
		known[2] = "environment_variables"
	}
	l.block(k, "", known...)
	if k.has("proxy") {
		l.add(Odd, k.at["proxy"], "This server reads proxy and does not act upon it yet: what the agent itself sends takes the network as it is.")
	}
	if k.has("batch") {
		l.add(Odd, k.at["batch"], "This server checks batch and cannot run batch builds yet: a build that is started of this is an ordinary one.")
	}
}

// phase tells of odd keys of a phase.
func (l *linter) phase(k keys, p *Phase) {
	if l == nil {
		return
	}
	known := []string{"run-as", "on-failure", "commands", "finally", "steps"} // steps are refused
	if p.Type == api.BuildPhaseTypeInstall {
		known = append(known, "runtime-versions")
	}
	l.block(k, p.Key(), known...)
}

// onFailure tells of a pattern that is none.
func (l *linter) onFailure(n *yaml.Node, o OnFailure) {
	if l == nil || o.Pattern == "" {
		return
	}
	if _, err := regexp.Compile(o.Pattern); err != nil {
		l.add(Odd, n, fmt.Sprintf("The build is never tried again: %s is no regular expression.", clipKey(o.Pattern)))
	}
}

// env tells of odd settings of the environment.
func (l *linter) env(k keys) {
	if l == nil {
		return
	}
	if n := k.get("shell"); n != nil && n.Kind == yaml.ScalarNode && !slices.Contains([]string{"sh", "/bin/sh", "bash", "/bin/bash"}, n.Value) {
		l.add(Odd, n, "This server has no such shell: bash and /bin/sh are supported, with another one the build fails.")
	}
}
