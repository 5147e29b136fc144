package buildspec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/buildspec"
)

// shown is findings as a person would read them: level, place, message.
func shown(all []buildspec.Finding) string {
	var b strings.Builder
	for _, f := range all {
		level := "bad"
		if f.Level == buildspec.Odd {
			level = "odd"
		}
		fmt.Fprintf(&b, "%s %d:%d-%d:%d %s\n", level, f.Line, f.Column, f.EndLine, f.EndColumn, f.Message)
	}
	return b.String()
}

func TestLintTellsAllInOneReading(t *testing.T) {
	const begin = "version: 0.2\nphases:\n  build:\n    commands: [make]\n"
	const quotes = "found subkeys instead. Put all of it in quotes: unquoted, ': ' makes it a key with a value."
	phases := func(name string) string {
		return "Invalid buildspec phase name: " + name + ". Expecting: build,install,post_build,pre_build"
	}
	const list = ": a list is expected here, each entry in a line of its own behind '- '"
	for _, c := range []struct{ name, text, want string }{
		{"a good one", begin, ""},
		{"JSON", `{"version": "0.2", "phases": {"build": {"commands": ["make"]}}}`, ""},
		{
			"several faults",
			"version: 0.3\nphases:\n  install:\n    commands: {make: }\n  build:\n    on-failure: STOP\n    commands:\n      - echo a: b\n      - true\n      - 'c': d\n",
			"bad 1:10-1:13 unknown buildspec version 0.3, expected 0.1 or 0.2\n" +
				"bad 4:15-4:23 cannot unmarshal !!map into []string" + list + "\n" +
				"bad 6:17-6:21 on-failure must be ABORT, CONTINUE or RETRY, not STOP\n" +
				"bad 8:9-8:18 Expected Commands[0] to be of string type: " + quotes + "\n" +
				"bad 10:9-10:15 Expected Commands[2] to be of string type: " + quotes + "\n",
		},
		{"a fault that two aliases lead to", "version: 0.2\nx: &x\n  commands: {make: }\nphases:\n  build: *x\n  post_build: *x\n", "bad 3:13-3:21 cannot unmarshal !!map into []string" + list + "\n"},
		{"no version", "phases: {build: {commands: [make]}}", "bad 1:1-0:0 A buildspec begins with its version: write 'version: 0.2'. Without it a build ends with 'wrong number of container tags, expected 1'.\n"},
		{"a version that is nearly one", "Version: 0.2\n" + begin[13:],
			"bad 1:1-0:0 A buildspec begins with its version: write 'version: 0.2'. Without it a build ends with 'wrong number of container tags, expected 1'.\n" +
				"odd 1:1-1:8 The key \"Version\" is unknown here and ignored: did you mean version?\n"},
		{"nearly right keys", "version: 0.2\nphase:\n  a: b\nphases:\n  prebuild:\n    command: [a]\n  build:\n    command: [a]\n    comands: [make]\n    on_failure: ABORT\n    commands: [make]\n",
			"odd 2:1-2:6 The key \"phase\" is unknown here and ignored: did you mean phases?\n" +
				"bad 5:3-5:11 " + phases("prebuild") + ". Did you mean pre_build?\n" +
				"odd 8:5-8:12 The key \"command\" is unknown in build and ignored: did you mean commands?\n" +
				"odd 9:5-9:12 The key \"comands\" is unknown in build and ignored: did you mean commands?\n" +
				"odd 10:5-10:15 The key \"on_failure\" is unknown in build and ignored: did you mean on-failure?\n"},
		{"a phase at the wrong indent", "version: 0.2\nphases:\nbuild:\n  commands: [make]\n",
			"odd 1:1-0:0 No phase has commands: the build does nothing. They are a list below phases, a phase such as build, and commands.\n" +
				"odd 3:1-3:6 The key \"build\" is ignored here: it belongs to phases. Mind the indentation.\n"},
		{"keys that are no phases", "version: 0.2\nphases:\n  build: {commands: [make]}\n  artifacts: {files: [a]}\n  deploy:\n",
			"bad 4:3-4:12 " + phases("artifacts") + ". It belongs to the top: mind the indentation.\nbad 5:3-5:9 " + phases("deploy") + "\n"},
		{"holders of anchors", "x-a: {b: 1}\nmine: &m\n  commands: [make]\n.b: 1\nversion: 0.2\nphases: {build: *m}\n", ""},
		{"an unknown key", begin + "stages: [a]\n", "odd 5:1-5:7 The key \"stages\" is unknown here and ignored. There are version, run-as, env, proxy, batch, phases, reports, artifacts, cache.\n"},
		{"a key that is written twice", begin + "phases: {build: {commands: [b]}}\n", "odd 2:1-2:7 The key \"phases\" is written again in line 5, and only that one counts.\n"},
		{"variables of the other version", begin + "environment_variables: {plaintext: {A: b}}\n", "odd 5:1-5:22 In version 0.2 environment_variables is ignored: write variables below env.\n"},
		{"two documents", begin + "---\na: b\n", "odd 6:1-6:5 Everything from here is ignored: of several documents between '---' lines the first is the buildspec.\n"},
		{"what is carried out", "version: 0.2\nrun-as: ci\nenv:\n  shell: bash\n  parameter-store: {A: /a}\n  secrets-manager: {B: b}\n  git-credential-helper: yes\nphases:\n  install: {runtime-versions: {golang: 1.26}}\n  build:\n    run-as: root\n    on-failure: RETRY-2\n    commands: [make]\n" +
			"cache: {paths: ['a/**/*']}\nreports: {unit: {files: ['*.xml']}}\nartifacts: {files: [a]}\n", ""},
		{"what is not carried out yet", "version: 0.2\nenv: {shell: zsh}\nphases: {build: {commands: [make]}}\nproxy: {logs: yes}\nbatch: {build-fanout: {parallelism: 2}}\n",
			"odd 2:14-2:17 This server has no such shell: bash and /bin/sh are supported, with another one the build fails.\n" +
				"odd 4:1-4:6 This server reads proxy and does not act upon it yet: what the agent itself sends takes the network as it is.\n" +
				"odd 5:1-5:6 This server checks batch and cannot run batch builds yet: a build that is started of this is an ordinary one.\n"},
		{"no phases", "version: 0.2\n",
			"odd 1:1-0:0 No phase has commands: the build does nothing. They are a list below phases, a phase such as build, and commands.\n"},

		{"a tab", "version: 0.2\nphases:\n\tbuild:\n", "bad 3:2-3:8 found character that cannot start any token: indent with spaces, not with tabs, and put a text that begins with @, % or ` in quotes.\n"},
		{"a bracket", begin[:30] + "    commands: [a, b\nartifacts:\n", "bad 4:5-4:20 did not find expected ',' or ']': a bracket is not closed.\n"},
		{"two mappings in the first line", "version: 0.2: 1", "bad 1:1-1:16 mapping values are not allowed in this context: a text with ': ' in it needs quotes around it, and a block below a key begins in a line of its own.\n"},
		{"a glob", begin + "artifacts:\n  files:\n    - **/*\n", "bad 7:5-7:11 did not find expected alphabetic or numeric character: a text that begins with * or & needs quotes around it, such as '**/*'.\n"},
		{"an alias of nothing", "version: 0.2\nphases: *all\n", "bad 2:9-0:0 unknown anchor 'all' referenced\n"},
		{"a control character", "version: 0.2\nrun-as: a\x01\n", "bad 2:10-0:0 control characters are not allowed\n"},
		{"bytes that are not UTF-8", "version: 0.2\nrun-as: a\xff\n", "bad 2:10-0:0 invalid leading UTF-8 octet\n"},

		{"columns in characters", "version: 0.2\nphases:\n  build:\n    commands: [äö𝕏, {ü: 1}]\n", "bad 4:21-4:28 Expected Commands[1] to be of string type: " + quotes + "\n"},
		{"lines as editors count them", "# \u2028 \u0085\r\nversion: 0.2\rphases:\n  build: make\n", "bad 4:10-4:14 cannot unmarshal !!str `make` into map[string]interface {}: keys with values are expected here, each in a line of its own\n"},
		{"a byte order mark", "\ufeffversion: 9\nphases: {build: {commands: [a]}}\n", "bad 1:11-1:12 unknown buildspec version 9, expected 0.1 or 0.2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, shown(buildspec.Lint([]byte(c.text)))); diff != "" {
				t.Errorf("Lint (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLintSaysWhatABuildspecNeedsOfATextThatIsNone(t *testing.T) {
	for _, text := range []string{"", " \n\n", "# nothing\n", "~", "---\n...\n"} {
		all := buildspec.Lint([]byte(text))
		if len(all) != 1 || all[0].Level != buildspec.Bad || !strings.HasPrefix(all[0].Message, "A buildspec says which commands a build runs. It needs a version") || all[0].Line != 1 {
			t.Errorf("Lint(%q) = %s", text, shown(all))
		}
	}
	for _, text := range []string{"make all", "- a\n- b\n"} {
		all := buildspec.Lint([]byte(text))
		if len(all) != 1 || all[0].Level != buildspec.Bad || !strings.HasPrefix(all[0].Message, "This is no buildspec.") {
			t.Errorf("Lint(%q) = %s", text, shown(all))
		}
	}
}

func TestLintOfTooMuchIsBounded(t *testing.T) {
	one := func(text, want string) {
		t.Helper()
		if all := buildspec.Lint([]byte(text)); len(all) != 1 || all[0].Level != buildspec.Bad || all[0].Line != 0 || all[0].Message != want {
			t.Errorf("Lint = %s, want %s", shown(all), want)
		}
	}
	one(strings.Repeat("x", 2<<20), "the buildspec has 2097152 bytes, at most 262144 are read. Move commands into a script of the source.")
	one("version: 0.2\nphases: {build: {commands: ["+strings.Repeat("a,", 110_000)+"]}}", "the buildspec has more than 100000 values")
	if all := buildspec.Lint([]byte("version: 0.2\nphases:\n  build:\n    commands:\n" + strings.Repeat("      - a: b\n", 1000))); len(all) != 100 {
		t.Errorf("%d findings, want 100", len(all))
	}
	// What is bad is told even behind a hundred oddities.
	var odd strings.Builder
	for i := range 200 {
		fmt.Fprintf(&odd, "odd%d: a\n", i)
	}
	all := buildspec.Lint([]byte(odd.String() + "version: 0.2\nphases: {build: a}\n"))
	if len(all) != 100 || all[99].Level != buildspec.Bad {
		t.Errorf("%d findings, the last %s", len(all), shown(all[99:]))
	}
}

// The text is all in one line, and nearly all in it is wrong: the place of each
// finding takes as long to find as the line is long.
func TestLintOfOneLongLineIsQuick(t *testing.T) {
	full := func(begin, unit, end string) string {
		return begin + strings.Repeat(unit, (buildspec.MaxSize-len(begin)-len(end))/len(unit)) + end
	}
	var keys strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&keys, "x-p%05d: 1,", i)
	}
	for name, text := range map[string]string{
		"values of the wrong kind": full("{version: 0.2, phases: {build: {commands: [", "{},", "]}}}"),
		"aliases of one":           full("{version: 0.2, a: &a {}, phases: {build: {commands: [", "*a,", "]}}}"),
		"a key again and again":    full("{version: 0.2,", "a: 1,", "}"),
		"unknown keys":             "{version: 0.2," + strings.ReplaceAll(keys.String(), "x-", "") + "}",
		"keys for anchors":         "{version: 0.2," + keys.String() + "}",
		"tasks that wait for none": full("{version: 0.2, batch: {build-graph: [&t {identifier: a, depend-on: [b, c]},", "*t,", "]}}"),
		"circles of tasks":         full("{version: 0.2, batch: {build-graph: [", "{identifier: a, depend-on: a},", "]}}"),
		"one long command again":   full("{version: 0.2, c: &c \"a'"+strings.Repeat("\\nb", 5_000)+"\", phases: {build: {commands: [", "*c,", "]}}}"),
		"odd values":               full("{version: 0.2, env: {variables: {", "A: $B,", "}}}"),
		"odd patterns":             full("{version: 0.2, artifacts: {files: [", "./a,", "]}}"),
		"reports of one":           full("{version: 0.2, x: &x {file-formats: a, file-format: b}, reports: {", "a: *x,", "}}"),
	} {
		began := time.Now()
		all := buildspec.Lint([]byte(text))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: linting %d bytes took %s", name, len(text), took)
		}
		if len(all) == 0 || len(all) > 100 {
			t.Errorf("%s: %d findings", name, len(all))
		}
	}
}

// FuzzLint holds that any text is linted in bounded time, that some finding is
// bad exactly if the text cannot be parsed, and that all places are in the text.
func FuzzLint(f *testing.F) {
	for _, seed := range []string{
		"", "version: 0.2", "version: 0.2\nphases:\n  build:\n    commands: [a, {b: c}, 'd''e', \"f\\\"\"]\n", "a: &a [*a]\nversion: *a\n", "\ufeffversion: 9\r\n\u2028x: \x01", "\xff\xfea\x00:\x00",
		"version: 0.2\nphases: {build: {<<: &x {commands: a}, commands: !!str b}}\n---\nx", "version: 0.2\nphases: &p\n  <<: *p\n", "a\n---\n- [", "version: 0.2: 1", "%YAML 1.1\n%YAML 1.1\n", "\"a\n\nb\": c\n? [a]\n: b\n", "run-as: *x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		began := time.Now()
		all := buildspec.Lint(text)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("linting %d bytes took %s", len(text), took)
		}
		_, err := buildspec.Parse(text)
		bad := false
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text)), "\n")
		inside := func(line, column int) bool {
			return line >= 1 && line <= len(lines) && column >= 1 && column <= len([]rune(lines[line-1]))+1
		}
		for _, f := range all {
			bad = bad || f.Level == buildspec.Bad
			if f.Message == "" || f.Line == 0 && (f.Column != 0 || f.EndLine != 0) || f.Line != 0 && !inside(f.Line, f.Column) || f.EndLine != 0 && !inside(f.EndLine, f.EndColumn) ||
				f.EndLine != 0 && (f.EndLine < f.Line || f.EndLine == f.Line && f.EndColumn <= f.Column) {
				t.Errorf("a finding outside the text: %+v", f)
			}
		}
		if bad != (err != nil) || len(all) > 100 {
			t.Errorf("Lint has %d findings, bad is %t, and Parse answers %v:\n%s", len(all), bad, err, shown(all))
		}
	})
}
