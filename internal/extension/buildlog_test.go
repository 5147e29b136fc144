package extension

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// stream is where a build of these tests has its log.
func stream(id string) logstream.StreamID {
	project, uuid, _ := strings.Cut(id, ":")
	return logstream.StreamID{Scope: scope, Group: "/aws/codebuild/" + project, Name: uuid}
}

// write appends lines to the log of a build, in frames of so many.
func (d *desk) write(id string, perFrame int, lines ...string) {
	d.t.Helper()
	d.must(d.log.Create(stream(id), noon))
	seq, err := d.log.Next(stream(id))
	d.must(err)
	b := frame.NewBuilder()
	for part := range slices.Chunk(lines, perFrame) {
		for i, line := range part {
			b.Add(1000+int64(i), []byte(line))
		}
		d.must(d.log.Append(stream(id), seq, b.Frame()))
		seq++
	}
}

const container = "[Container] 2026/11/23 12:00:00.000000 "

func TestDescribeBuildLog(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeInProgress, 0, true)
	describe := func() *slipway.DescribeBuildLogOutput {
		t.Helper()
		out, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: id})
		d.must(err)
		return out
	}
	if diff := gocmp.Diff(&slipway.DescribeBuildLogOutput{Marks: []slipway.LogMark{}}, describe()); diff != "" {
		t.Errorf("before there is a log:\n%s", diff)
	}
	d.write(id, 2, container+"Waiting for DOWNLOAD_SOURCE\n", "hello\n", container+"Entering phase BUILD\n", container+"Running command make\n")
	want := &slipway.DescribeBuildLogOutput{Lines: 4, MarkedLines: 4, Marks: []slipway.LogMark{{Kind: "PHASE", Line: 0, Text: "DOWNLOAD_SOURCE"}, {Kind: "PHASE", Line: 2, Text: "BUILD"}, {Kind: "COMMAND", Line: 3, Text: "make"}}}
	first := describe()
	want.Bytes = first.Bytes
	if diff := gocmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	failed := "Command did not exit successfully make exit status 2"
	d.write(id, 100, "make: \x1b[1mno\x1b[0m rule\n", container+failed+"\n", container+"Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command\n")
	d.end(id, api.StatusTypeFailed, noon)
	want.Lines, want.MarkedLines, want.Complete = 7, 7, true
	want.Marks = append(want.Marks, slipway.LogMark{Kind: "ERROR", Line: 5, Text: failed}, slipway.LogMark{Kind: "ERROR", Line: 6, Text: "COMMAND_EXECUTION_ERROR: Error while executing command"})
	want.FirstError = &want.Marks[3]
	got := describe()
	want.Bytes = got.Bytes
	if diff := gocmp.Diff(want, got); diff != "" || got.Bytes <= first.Bytes {
		t.Errorf("%d bytes, then %d\n%s", first.Bytes, got.Bytes, diff)
	}
	if len(first.Marks) != 3 {
		t.Error("an answer changed after it was given")
	}

	good := d.build("web", "good", noon, api.StatusTypeSucceeded, 0, true)
	d.write(good, 1, container+failed+"\n")
	out, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: scope.Build(good)})
	d.must(err)
	if out.FirstError != nil || len(out.Marks) != 1 {
		t.Errorf("of a build that succeeded: %+v", out)
	}
}

func TestFirstErrorOfABuildsWithoutCommands(t *testing.T) {
	for _, code := range []string{"YAML_FILE_ERROR", "CLIENT_ERROR", "BUILD_TIMED_OUT"} {
		d := newDesk(t, "web")
		id := d.build("web", "one", noon, api.StatusTypeFailed, 0, true)
		d.write(id, 10, container+"Waiting for DOWNLOAD_SOURCE\n", "fatal: no such repository\n", container+"Phase complete: DOWNLOAD_SOURCE State: FAILED\n",
			container+"Phase context status code: "+code+" Message: why\n", container+"Phase context status code: OTHER Message: later\n")
		out, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: id})
		d.must(err)
		if diff := gocmp.Diff(&slipway.LogMark{Kind: "ERROR", Line: 3, Text: code + ": why"}, out.FirstError); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMarksAreBounded(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeFailed, 0, true)
	lines := slices.Repeat([]string{container + "Running command " + strings.Repeat("é", 300) + "\n"}, maxMarks+10)
	d.write(id, 1000, append(lines, container+"Command did not exit successfully x exit status 1\n")...)
	out, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: id})
	d.must(err)
	if len(out.Marks) != maxMarks || out.Marks[0].Text != strings.Repeat("é", maxMarkText) || out.FirstError == nil || out.FirstError.Line != maxMarks+10 {
		t.Errorf("%d marks, first error %+v", len(out.Marks), out.FirstError)
	}
	for i := range 2 * maxMarked {
		other := d.build("web", fmt.Sprint(i), noon, api.StatusTypeFailed, 0, true)
		d.write(other, 1000, lines[:100]...)
		_, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: other})
		d.must(err)
	}
	m := &d.marks
	if m.recent.Len() != maxMarked || len(m.logs) != maxMarked || m.size != maxMarked*100*(markBytes+2*maxMarkText) {
		t.Errorf("%d and %d logs of %d bytes are remembered", m.recent.Len(), len(m.logs), m.size)
	}
	for i := range 20 {
		k := m.of(logstream.StreamID{Name: fmt.Sprint(i)})
		m.grown(k, maxMarkBytes/10)
	}
	if m.size > maxMarkBytes {
		t.Errorf("%d bytes are remembered", m.size)
	}
}

func TestGetBuildLogLines(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeSucceeded, 0, true)
	var lines []string
	for i := range 5000 {
		lines = append(lines, fmt.Sprintf("line %d\r\n", i))
	}
	d.write(id, 700, append(lines, "\x1b[1mlast\x1b[0m")...)
	for _, c := range []struct {
		start       int64
		max         *int
		first, last string
		at          int64
		count       int
	}{
		{0, nil, "line 0", "line 999", 0, 1000},
		{699, new(2), "line 699", "line 700", 699, 2},
		{10, new(5000), "line 10", "\x1b[1mlast\x1b[0m", 10, 4991},
		{-1, nil, "\x1b[1mlast\x1b[0m", "\x1b[1mlast\x1b[0m", 5000, 1},
		{-9999, new(1), "line 0", "line 0", 0, 1},
		{5001, nil, "", "", 5001, 0},
		{1 << 62, nil, "", "", 5001, 0},
		{-1 << 63, new(1), "line 0", "line 0", 0, 1},
	} {
		out, err := d.GetBuildLogLines(d.ctx, &slipway.GetBuildLogLinesInput{BuildID: id, StartLine: c.start, MaxLines: c.max})
		d.must(err)
		if out.StartLine != c.at || len(out.Messages) != c.count || len(out.Timestamps) != c.count || out.Lines != 5001 || !out.Complete {
			t.Errorf("from %d: start %d, %d messages, %d timestamps, lines %d", c.start, out.StartLine, len(out.Messages), len(out.Timestamps), out.Lines)
			continue
		}
		if c.count > 0 && (out.Messages[0] != c.first || out.Messages[c.count-1] != c.last || out.Timestamps[0] < 1000) {
			t.Errorf("from %d: %q to %q", c.start, out.Messages[0], out.Messages[c.count-1])
		}
	}
}

func TestAPageOfLinesHasABoundInBytes(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeInProgress, 0, true)
	d.write(id, 4, slices.Repeat([]string{strings.Repeat("x", 200<<10) + "\n"}, 30)...)
	seen := 0
	for next := int64(0); next < 30; {
		out, err := d.GetBuildLogLines(d.ctx, &slipway.GetBuildLogLinesInput{BuildID: id, StartLine: next})
		d.must(err)
		if len(out.Messages) == 0 || len(out.Messages)*200<<10 > maxPageBytes || out.Complete {
			t.Fatalf("%d messages", len(out.Messages))
		}
		seen += len(out.Messages)
		next += int64(len(out.Messages))
	}
	if seen != 30 {
		t.Errorf("%d lines", seen)
	}
}

// holed is logs of which events from 3 to 5 are lost, and 6 and 7 are there.
type holed struct{ blocks []logstream.Block }

func (h holed) Stat(logstream.StreamID) (logstream.Info, error) {
	return logstream.Info{Events: 8}, nil
}

func (h holed) Block(_ logstream.StreamID, n int64) (logstream.Block, error) {
	for _, b := range h.blocks {
		if n < b.End {
			return b, nil
		}
	}
	return logstream.Block{Start: 8, End: 8}, nil
}

func TestLinesKeepTheirNumbersBehindADamagedPart(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeFailed, 0, true)
	// A block without its events stands for one whose frame cannot be read.
	d.write(id, 3, "a\n", "b\n", "c\n", "x\n", "y\n", "error\n")
	good, err := d.log.Block(stream(id), 0)
	d.must(err)
	d.logs = holed{[]logstream.Block{good, {Start: 3, End: 6}, {Start: 6, End: 8}}}
	out, err := d.GetBuildLogLines(d.ctx, &slipway.GetBuildLogLinesInput{BuildID: id, StartLine: 1})
	d.must(err)
	if want := []string{"b", "c", "", "", "", "", ""}; !slices.Equal(out.Messages, want) {
		t.Errorf("%q, want %q", out.Messages, want)
	}
}

func TestSearchBuildLog(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeFailed, 0, true)
	d.write(id, 2, "Compiling\n", "\x1b[31mer\x1b[1mror\x1b[0m: a+b\n", "ERROR: Straße\r\n", "done (a.b)\n", "Ärger\n", "no line end")
	for _, c := range []struct {
		in   slipway.SearchBuildLogInput
		want []int64
		next int64
	}{
		{slipway.SearchBuildLogInput{Text: "error"}, []int64{1, 2}, 0},
		{slipway.SearchBuildLogInput{Text: "error", MatchCase: true}, []int64{1}, 0},
		{slipway.SearchBuildLogInput{Text: "error", MaxMatches: new(1)}, []int64{1}, 2},
		{slipway.SearchBuildLogInput{Text: "error", StartLine: 2}, []int64{2}, 0},
		{slipway.SearchBuildLogInput{Text: "error", StartLine: -4}, []int64{2}, 0},
		{slipway.SearchBuildLogInput{Text: "äRGER"}, []int64{4}, 0},
		{slipway.SearchBuildLogInput{Text: "a.b"}, []int64{3}, 0},
		{slipway.SearchBuildLogInput{Text: "a.b", RegularExpression: true}, []int64{1, 3}, 0},
		{slipway.SearchBuildLogInput{Text: "^error.*(b|E)$", RegularExpression: true}, []int64{1, 2}, 0},
		{slipway.SearchBuildLogInput{Text: "^error.*(b|e)$", RegularExpression: true, MatchCase: true}, []int64{1}, 0},
		{slipway.SearchBuildLogInput{Text: "[31m"}, []int64{}, 0},
		{slipway.SearchBuildLogInput{Text: "end", MaxMatches: new(1)}, []int64{5}, 0},
	} {
		c.in.BuildID = id
		out, err := d.SearchBuildLog(d.ctx, &c.in)
		d.must(err)
		if !slices.Equal(out.Matches, c.want) || out.NextLine != c.next || out.Lines != 6 || out.Matches == nil {
			t.Errorf("%+v: %v, next %d, lines %d, want %v, next %d", c.in, out.Matches, out.NextLine, out.Lines, c.want, c.next)
		}
	}
}

func TestSearchBuildLogIsBounded(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeFailed, 0, true)
	lines := slices.Repeat([]string{"x\n"}, maxSearchLines+5)
	d.write(id, 10_000, append(lines, "needle\n")...)
	out, err := d.SearchBuildLog(d.ctx, &slipway.SearchBuildLogInput{BuildID: id, Text: "needle"})
	d.must(err)
	if len(out.Matches) != 0 || out.NextLine != maxSearchLines {
		t.Errorf("%v, next %d", out.Matches, out.NextLine)
	}
	out, err = d.SearchBuildLog(d.ctx, &slipway.SearchBuildLogInput{BuildID: id, Text: "needle", StartLine: out.NextLine})
	d.must(err)
	if !slices.Equal(out.Matches, []int64{maxSearchLines + 5}) || out.NextLine != 0 {
		t.Errorf("%v, next %d", out.Matches, out.NextLine)
	}

	step := 0
	d.Builds.now = func() time.Time { step++; return noon.Add(time.Duration(step) * time.Second) }
	out, err = d.SearchBuildLog(d.ctx, &slipway.SearchBuildLogInput{BuildID: id, Text: "needle"})
	d.must(err)
	if out.NextLine == 0 || out.NextLine > 10_000 {
		t.Errorf("after its time: next %d", out.NextLine)
	}
	gone, cancel := context.WithCancel(d.ctx)
	cancel()
	if _, err := d.SearchBuildLog(gone, &slipway.SearchBuildLogInput{BuildID: id, Text: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("of a caller who has gone: %v", err)
	}
}

func TestLogOperationsRefuse(t *testing.T) {
	d := newDesk(t, "web")
	id := d.build("web", "one", noon, api.StatusTypeFailed, 0, false)
	search := func(text string) error {
		_, err := d.SearchBuildLog(d.ctx, &slipway.SearchBuildLogInput{BuildID: id, Text: text, RegularExpression: true})
		return err
	}
	describe := func(id string) error {
		_, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: id})
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		kind fault.Kind
		want string
	}{
		{"a broken expression", search("a(b"), fault.Invalid, "Invalid regular expression: missing closing ): \"a(b\""},
		{"one that only fits our brackets", search("a)(b"), fault.Invalid, "Invalid regular expression: unexpected ): \"a)(b\""},
		{"a large one", search("(x{100}){100}"), fault.Invalid, "Invalid regular expression: invalid repeat count: \"{100}\""},
		{"a large one that RE2 takes", search(strings.Repeat("(abcdefghij){90}", 10)), fault.Invalid, "Invalid regular expression: it is too large: repeat less, or search for a shorter part of it"},
		{"a long text", search(strings.Repeat("x", 1001)), fault.Invalid, "Invalid text: it must have at most 1000 characters"},
		{"a build that is not there", describe("web:none"), fault.NotFound, "Build web:none does not exist"},
		{"a build elsewhere", describe("arn:aws:codebuild:us-west-2:999999999999:build/" + id), fault.NotFound, "Build arn:aws:codebuild:us-west-2:999999999999:build/" + id + " does not exist"},
		{"no id", describe("web"), fault.Invalid, "Invalid build ID provided"},
	} {
		if fault.KindOf(c.err) != c.kind || fault.Message(c.err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, c.err, c.want)
		}
	}
	out, err := d.GetBuildLogLines(d.ctx, &slipway.GetBuildLogLinesInput{BuildID: id, StartLine: -5})
	d.must(err)
	if diff := gocmp.Diff(&slipway.GetBuildLogLinesOutput{Complete: true, Messages: []string{}, Timestamps: []int64{}}, out); diff != "" {
		t.Errorf("of a build that keeps no log:\n%s", diff)
	}
}

// What are the cases of one letter to expressions is one letter to fold.
func TestFoldKnowsAllCases(t *testing.T) {
	folded := func(r rune) string { return string(fold(nil, []byte(string(r)))) }
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if utf8.ValidRune(r) && folded(r) != folded(unicode.SimpleFold(r)) {
			t.Errorf("%U folds to %q, %U to %q", r, folded(r), unicode.SimpleFold(r), folded(unicode.SimpleFold(r)))
		}
	}
}

func TestRequired(t *testing.T) {
	for text, want := range map[string]string{
		"Error|warning|fail(ed|ure)": "error warning fail", `a.*longer\d+x`: "longer", "(abc){2,}": "abc", "(abc)*": "", "(ab|c?)": "", "x+": "x", `\w+`: "", "": "", "\ufffd": "",
	} {
		parsed, err := syntax.Parse(text, syntax.Perl|syntax.FoldCase)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(bytes.Join(required(parsed), []byte(" "))); got != want {
			t.Errorf("required(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whatever an expression matches it matches with our shortcut, too.
func FuzzExpression(f *testing.F) {
	f.Add("a(b|c)+d", []byte("xABCBd"), false)
	f.Add("\u017f|x{2}", []byte("S\xff"), false)
	f.Fuzz(func(t *testing.T, text string, line []byte, matchCase bool) {
		match, err := newMatcher(text, matchCase, true)
		if err != nil {
			return
		}
		flag := "(?i)"
		if matchCase {
			flag = ""
		}
		if want := regexp.MustCompile(flag + text).Match(line); match(line) != want {
			t.Errorf("%q matches %q: %t, want %t", text, line, !want, want)
		}
	})
}

// A text is found in whatever holds it, in either case.
func FuzzMatcher(f *testing.F) {
	f.Add("Err\u017for", "x", "y", true)
	f.Add("\u212aelvin", "", "", false)
	f.Add("\xff(", "\xff", "é", true)
	f.Fuzz(func(t *testing.T, text, before, after string, upper bool) {
		if text == "" || utf8.RuneCountInString(text) > maxPattern {
			return
		}
		line := []byte(before + text + after)
		match, err := newMatcher(text, true, false)
		if err != nil || !match(line) {
			t.Errorf("%q is not in %q: %v", text, line, err)
		}
		if match, err = newMatcher(regexp.QuoteMeta(text), true, true); err == nil && utf8.ValidString(text+before+after) && !match(line) {
			t.Errorf("%q as an expression is not in %q", text, line)
		}
		if !utf8.ValidString(text) {
			return
		}
		if upper {
			text = string(bytes.Map(unicode.ToUpper, []byte(text)))
		}
		if match, err = newMatcher(text, false, false); err != nil || utf8.ValidString(before) && utf8.ValidString(after) && utf8.RuneCountInString(text) <= maxPattern && !match(line) {
			t.Errorf("%q is not in %q in either case: %v", text, line, err)
		}
	})
}
