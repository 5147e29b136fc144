package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lints has slipway lint run in dir, and returns what it prints and its exit code.
func lints(t *testing.T, dir, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), append([]string{"lint"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &out, &errs
	if e, ok := errors.AsType[*exec.ExitError](cmd.Run()); ok {
		code = e.ExitCode()
	}
	return out.String(), errs.String(), code
}

func TestLint(t *testing.T) {
	const good = "version: 0.2\nphases: {build: {commands: [make]}}\n"
	dir := checkout(t, map[string]string{
		"good/buildspec.yml":  good,
		"json/spec.json":      `{"version": "0.2", "phases": {"build": {"commands": ["make"]}}}`,
		"odd/buildspec.yml":   "version: 0.2\nphases:\n  build:\n    comands: [make]\n    commands:\n      - echo '世界' [[ a\n      - set -o pipefail\n",
		"bad/buildspec.yml":   "version: 0.2\r\nphases:\r\n  biuld:\r\n    commands: [make]\r\n  build:\r\n    commands: {a: b}\r\n",
		"yaml/buildspec.yaml": good,
		"empty.yml":           "",
		"long.yml":            `{"version": 0.3, "x-": "` + strings.Repeat("ab", 500) + `", "phases": {"build": 5}, "x-b": "` + strings.Repeat("cd", 500) + `"}`,
		"control.yml":         "version: \"\\e[31m0.2\"\n",
		"noline.yml":          "version: 0.2\nx: &x [" + strings.Repeat("a,", 1000) + "]\nphases: {build: {commands: [" + strings.Repeat("a,", 110_000) + "]}}\n",
	})
	if err := os.Mkdir(filepath.Join(dir, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	const pipefail = "pipefail is an option of bash: commands run in sh, which is not bash in every image. Write 'shell: bash' below env."
	for _, c := range []struct {
		name, in, stdin string
		args            []string
		code            int
		want            string
	}{
		{"the buildspec of this directory", "good", "", nil, 0, "buildspec.yml: 0 errors, 0 warnings\n"},
		{"JSON", "json", "", []string{"spec.json"}, 0, "spec.json: 0 errors, 0 warnings\n"},
		{"standard input", "", good, []string{"-"}, 0, "<stdin>: 0 errors, 0 warnings\n"},
		{"warnings pass", "odd", "", []string{"."}, 0, "" +
			"buildspec.yml:4:5: warning: The key \"comands\" is unknown in build and ignored: did you mean commands?\n" +
			"     4 |     comands: [make]\n" +
			"       |     ^~~~~~~\n" +
			"buildspec.yml:7:9: warning: " + pipefail + "\n" +
			"     7 |       - set -o pipefail\n" +
			"       |         ^~~~~~~~~~~~~~~\n" +
			".: 0 errors, 2 warnings\n"},
		{"and fail if that is wanted", "odd", "", []string{"--strict", "buildspec.yml", "../good"}, 1, "" +
			"buildspec.yml:4:5: warning: The key \"comands\" is unknown in build and ignored: did you mean commands?\n" +
			"     4 |     comands: [make]\n" +
			"       |     ^~~~~~~\n" +
			"buildspec.yml:7:9: warning: " + pipefail + "\n" +
			"     7 |       - set -o pipefail\n" +
			"       |         ^~~~~~~~~~~~~~~\n" +
			"2 files: 0 errors, 2 warnings\n"},
		{"errors", "", "", []string{"bad"}, 1, "" +
			"bad/buildspec.yml:3:3: error: Invalid buildspec phase name: biuld. Expecting: build,install,post_build,pre_build. Did you mean build?\n" +
			"     3 |   biuld:\n" +
			"       |   ^~~~~\n" +
			"bad/buildspec.yml:6:15: error: cannot unmarshal !!map into []string: a list is expected here, each entry in a line of its own behind '- '\n" +
			"     6 |     commands: {a: b}\n" +
			"       |               ^~~~~~\n" +
			"bad: 2 errors, 0 warnings\n"},
		{"wide characters and tabs before the place", "", "version: 0.2\nenv: {variables: {世: \"a\", \tA: $B}}\nphases: {build: {commands: [a]}}\n", []string{"-"}, 0, "" +
			"<stdin>:2:19: warning: The variable \"世\" is left out: a name is made of letters, digits and underscores and does not begin with a digit.\n" +
			"     2 | env: {variables: {世: \"a\", \tA: $B}}\n" +
			"       |                   ^~\n" +
			"<stdin>:2:31: warning: Nothing is expanded here: A becomes exactly this text, with its dollar sign. Set it in a command if it is made of other variables.\n" +
			"     2 | env: {variables: {世: \"a\", \tA: $B}}\n" +
			"       |                            \t   ^~\n" +
			"<stdin>: 0 errors, 2 warnings\n"},
		{"a long line is cut", "", "", []string{"long.yml"}, 1, "" +
			"long.yml:1:13: error: unknown buildspec version 0.3, expected 0.1 or 0.2\n" +
			"     1 | {\"version\": 0.3, \"x-\": \"" + strings.Repeat("ab", 48) + "…\n" +
			"       |             ^~~\n" +
			"long.yml:1:1048: error: cannot unmarshal !!int `5` into map[string]interface {}: keys with values are expected here, each in a line of its own\n" +
			"     1 | …b" + strings.Repeat("ab", 8) + `", "phases": {"build": 5}, "x-b": "` + strings.Repeat("cd", 34) + "…\n" +
			"       | " + strings.Repeat(" ", 1+40) + "^\n" +
			"long.yml: 2 errors, 0 warnings\n"},
		{"nothing", "", "", []string{"empty.yml"}, 1, "" +
			"empty.yml:1:1: error: A buildspec says which commands a build runs. It needs a version and a phase with commands, such as:\n" +
			"    version: 0.2\n    phases:\n      build:\n        commands:\n          - make\n" +
			"empty.yml: 1 error, 0 warnings\n"},
		{"what steers a terminal is not printed", "", "", []string{"control.yml"}, 1, "" +
			"control.yml:1:10: error: unknown buildspec version [31m0.2, expected 0.1 or 0.2\n" +
			"     1 | version: \"\\e[31m0.2\"\n" +
			"       |          ^~~~~~~~~~~\n" +
			"control.yml: 1 error, 0 warnings\n"},
		{"a finding about the whole", "", "", []string{"noline.yml"}, 1, "noline.yml: error: the buildspec has more than 100000 values\nnoline.yml: 1 error, 0 warnings\n"},
		{"no such file", "", "", []string{"away.yml"}, 1, "away.yml: error: no such file or directory\naway.yml: 1 error, 0 warnings\n"},
		{"no buildspec in a directory", "none", "", nil, 1, "buildspec.yml: error: no such file or directory\nbuildspec.yml: 1 error, 0 warnings\n"},
		{"another ending", "", "", []string{"yaml"}, 1, "yaml/buildspec.yml: error: no such file or directory. There is yaml/buildspec.yaml, which a project has to name: by itself a build looks for buildspec.yml\nyaml: 1 error, 0 warnings\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := lints(t, filepath.Join(dir, c.in), c.stdin, c.args...)
			if code != c.code || errs != "" {
				t.Errorf("exit code %d, want %d; on standard error: %s", code, c.code, errs)
			}
			if d := cmp.Diff(c.want, out); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestLintForPrograms(t *testing.T) {
	out, _, code := lints(t, t.TempDir(), "version: 0.2\nphase:\nphases: {build: make}\n", "--output", "json", "-")
	var got, want any
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	if err := json.Unmarshal([]byte(`{"findings": [
		{"file": "<stdin>", "level": "WARNING", "message": "The key \"phase\" is unknown here and ignored: did you mean phases?", "line": 2, "column": 1, "endLine": 2, "endColumn": 6},
		{"file": "<stdin>", "level": "ERROR", "message": "cannot unmarshal !!str `+"`make`"+` into map[string]interface {}: keys with values are expected here, each in a line of its own", "line": 3, "column": 17, "endLine": 3, "endColumn": 21}
	]}`), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if out, _, code := lints(t, t.TempDir(), "version: 0.2\nphases: {build: {commands: [a]}}\n", "--output=json", "-"); code != 0 || strings.Join(strings.Fields(out), "") != `{"findings":[]}` {
		t.Errorf("of a good one: %d %s", code, out)
	}
}

func TestLintOfAWrongCommandLine(t *testing.T) {
	for _, args := range [][]string{{"--output", "xml"}, {"--stricter"}, {""}} {
		if out, errs, code := lints(t, t.TempDir(), "", args...); code != 2 || errs == "" || out != "" {
			t.Errorf("lint %q: exit code %d, %q, %q", args, code, out, errs)
		}
	}
}

// The guide shows what lint prints.
func TestTheLintInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/buildspec.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := checkout(t, map[string]string{"buildspec.yml": "version: 0.2\nenv:\n  variables:\n    PATH: $PATH:/srv/tools\nphases:\n  prebuild:\n    commands: [make deps]\n"})
	if out, _, _ := lints(t, dir, ""); !strings.Contains(string(guide), "$ slipway lint\n"+out+"```\n") {
		t.Errorf("the guide does not show\n%s", out)
	}
}

// No excerpt may be as long as the line, or point outside of what it shows.
func TestAnExcerptHoldsItsPlace(t *testing.T) {
	for n := range 300 {
		line := strings.Repeat("x", n)
		for from := 1; from <= n+1; from++ {
			text, before, marked := excerpt(line, from, 0)
			if len([]rune(text)) > excerptWidth+2 || len(before) > len([]rune(text)) || marked != "^" {
				t.Fatalf("excerpt of %d characters at %d: %q %q %q", n, from, text, before, marked)
			}
			text, before, marked = excerpt(line, from, n+1)
			if len([]rune(text)) > excerptWidth+2 || len(before)+len(marked) > max(len([]rune(text)), len(before)+1) {
				t.Fatalf("excerpt of %d characters from %d: %q %q %q", n, from, text, before, marked)
			}
		}
	}
}
