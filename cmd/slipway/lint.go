package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"slipway/internal/buildspec"
)

func lintCommand() *cobra.Command {
	var o lintOptions
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIR]…",
		Short: "Check a buildspec, with line numbers",
		Long: `Check buildspecs, by default the buildspec.yml of this directory. Of a DIR it is the
buildspec.yml in it, and - is standard input. YAML and JSON are read, as in a build.

An error is what no build can be made of, with the words that its log would show. A
warning is what is read and does perhaps something else than it reads: an unknown key and
the one that is probably meant, a line whose failure is lost, a pattern that matches
nothing, what this server does not carry out yet. Nothing is run, and no server is asked.

Exit codes: 0 there are no errors (with --strict no warnings either), 1 there are, or a
file could not be read, 2 the command line is wrong.`,
		Example: `  slipway lint
  slipway lint --strict ci/*.yml
  aws codebuild batch-get-projects --names app --query 'projects[0].source.buildspec' --output text | slipway lint -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&o.output, "output", "text", "text or json")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "let warnings fail, too")
	return cmd
}

// lintOptions is the command line of lint.
type lintOptions struct {
	output string
	strict bool
}

// A lintFinding is a finding as --output json has it: the names and levels are
// those of the operation LintBuildspec.
type lintFinding struct {
	File      string `json:"file"`
	Level     string `json:"level"` // ERROR or WARNING
	Message   string `json:"message"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`

	source string // the line it is in
}

func (o *lintOptions) run(args []string, stdin io.Reader, out io.Writer) error {
	if o.output != "text" && o.output != "json" {
		return usagef("--output %q: expected text or json", o.output)
	}
	if len(args) == 0 {
		args = []string{buildspec.DefaultPath}
	}
	all := []lintFinding{}
	for _, name := range args {
		if name == "" {
			return usagef("a file without a name: name a buildspec, a directory, or - for standard input")
		}
		all = append(all, lintFile(name, stdin)...)
	}
	errs, warnings := 0, 0
	for _, f := range all {
		if f.Level == "ERROR" {
			errs++
		} else {
			warnings++
		}
	}
	if err := o.print(out, all, verdictOf(args, errs, warnings)); err != nil {
		return err
	}
	if errs > 0 || o.strict && warnings > 0 {
		return exitCode(1)
	}
	return nil
}

func (o *lintOptions) print(out io.Writer, all []lintFinding, verdict string) error {
	if o.output == "json" {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(struct {
			Findings []lintFinding `json:"findings"`
		}{all})
	}
	var b strings.Builder
	for _, f := range all {
		f.print(&b, style(out))
	}
	b.WriteString(verdict + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func verdictOf(files []string, errs, warnings int) string {
	count := func(n int, what string) string {
		if n == 1 {
			return "1 " + what
		}
		return fmt.Sprintf("%d %ss", n, what)
	}
	in := shownName(files[0])
	if len(files) > 1 {
		in = count(len(files), "file")
	}
	return fmt.Sprintf("%s: %s, %s", in, count(errs, "error"), count(warnings, "warning"))
}

func shownName(name string) string {
	if name == "-" {
		name = "<stdin>"
	}
	return strings.Map(visible, name)
}

// maxLintSize is how much of a file is read: more than a buildspec may have.
const maxLintSize = 8 << 20

// lintFile checks one argument. What cannot be read is a finding: a build could
// not read it either.
func lintFile(name string, stdin io.Reader) []lintFinding {
	shown := shownName(name)
	text, err := func() ([]byte, error) {
		if name == "-" {
			return io.ReadAll(io.LimitReader(stdin, maxLintSize))
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			name = filepath.Join(name, buildspec.DefaultPath)
			shown = shownName(name)
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, maxLintSize))
	}()
	if err != nil {
		return []lintFinding{{File: shown, Level: "ERROR", Message: unreadable(name, err)}}
	}
	return lintText(shown, text)
}

// lintText checks the text of a buildspec.
func lintText(shown string, text []byte) []lintFinding {
	var all []lintFinding
	lines := sourceLines(text)
	for _, f := range buildspec.Lint(text) {
		level := "ERROR"
		if f.Level == buildspec.Odd {
			level = "WARNING"
		}
		found := lintFinding{File: shown, Level: level, Message: f.Message, Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn}
		if f.Line > 0 && f.Line <= len(lines) {
			found.source = lines[f.Line-1]
		}
		all = append(all, found)
	}
	return all
}

// unreadable says why a file cannot be read, and of one that is called
// buildspec.yaml that CodeBuild looks for another name.
func unreadable(name string, err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	message := err.Error()
	if !errors.Is(err, fs.ErrNotExist) || filepath.Base(name) != buildspec.DefaultPath {
		return message
	}
	other := strings.TrimSuffix(name, ".yml") + ".yaml"
	if _, err := os.Stat(other); err == nil {
		return message + fmt.Sprintf(". There is %s, which a project has to name: by itself a build looks for %s", shownName(other), buildspec.DefaultPath)
	}
	return message
}

// sourceLines are the lines of a text as editors count them.
func sourceLines(text []byte) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(text), "\ufeff")), "\n")
}

// print writes a finding as a compiler does, with its line and a caret.
func (f lintFinding) print(w io.Writer, bold func(string) string) {
	place := f.File
	if f.Line > 0 {
		place += fmt.Sprintf(":%d:%d", f.Line, f.Column)
	}
	// Some of a message are the buildspec's own words.
	message := strings.ReplaceAll(strings.Map(visible, f.Message), "\n", "\n    ")
	fmt.Fprintf(w, "%s %s\n", bold(place+": "+strings.ToLower(f.Level)+":"), message)
	if f.Line == 0 || strings.TrimSpace(f.source) == "" {
		return
	}
	end := f.EndColumn
	if f.EndLine != f.Line {
		end = 0
	}
	text, before, marked := excerpt(f.source, f.Column, end)
	fmt.Fprintf(w, "%6d | %s\n       | %s%s\n", f.Line, text, before, bold(marked))
}

// excerptWidth is how many characters of a long line are shown.
const excerptWidth = 120

// excerpt is what is shown of a line around the columns from..end, counted from
// 1, end 0 if it is not known: the text, the white space that leads to what is
// meant, and the marks below that.
func excerpt(line string, from, end int) (text, before, marked string) {
	runes := []rune(line)
	start := min(max(from-1, 0), len(runes))
	stop := min(max(end-1, start+1), max(len(runes), start+1))
	first, last := 0, len(runes)
	cutBefore, cutBehind := "", ""
	if last > excerptWidth {
		first = max(0, min(start-excerptWidth/3, last-excerptWidth))
		last = min(last, first+excerptWidth)
		stop = min(stop, max(last, start+1))
		if first > 0 {
			cutBefore = "…"
		}
		if last < len(runes) {
			cutBehind = "…"
		}
	}
	var t, b, m strings.Builder
	t.WriteString(cutBefore)
	b.WriteString(strings.Repeat(" ", len([]rune(cutBefore))))
	for i := first; i < last; i++ {
		r := runes[i]
		if r != '\t' && unicode.IsControl(r) {
			r = unicode.ReplacementChar
		}
		t.WriteRune(r)
		switch {
		case i < start && r == '\t':
			b.WriteByte('\t')
		case i < start:
			b.WriteString(strings.Repeat(" ", cells(r)))
		case i == start:
			m.WriteString("^" + strings.Repeat("~", max(0, cells(r)-1)))
		case i < stop:
			m.WriteString(strings.Repeat("~", cells(r)))
		}
	}
	if m.Len() == 0 { // behind the line's end
		m.WriteByte('^')
	}
	return t.String() + cutBehind, b.String(), m.String()
}

// cells is how many columns of a terminal a character takes, in most of them.
func cells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	return 1
}
