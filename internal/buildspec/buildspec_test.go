package buildspec_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"slipway/internal/api"
	"slipway/internal/buildspec"
)

const (
	install   = api.BuildPhaseTypeInstall
	preBuild  = api.BuildPhaseTypePreBuild
	build     = api.BuildPhaseTypeBuild
	postBuild = api.BuildPhaseTypePostBuild
)

// An empty list means the same as none.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(buildspec.Phase{}, "CommandLines", "FinallyLines"))
}

func TestTheLinesOfCommands(t *testing.T) {
	s, err := buildspec.Parse([]byte("version: 0.2\nshared: &shared\n  - one\n  - |\n    two\n    three\n\n  - four\nphases:\n  build:\n    commands: *shared\n    finally: [a, b,\n      c]\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := s.Phase(api.BuildPhaseTypeBuild)
	if !slices.Equal(p.CommandLines, []int{3, 4, 8}) || !slices.Equal(p.FinallyLines, []int{12, 12, 13}) {
		t.Errorf("commands begin in %v, finally in %v", p.CommandLines, p.FinallyLines)
	}
	s = parse(t, "version: 0.2\nphases:\n  build:\n    commands: make\n    finally: |\n      clean\n")
	if p := s.Phase(build); !slices.Equal(p.CommandLines, []int{4}) || !slices.Equal(p.FinallyLines, []int{5}) {
		t.Errorf("one command begins in %v, one finally in %v", p.CommandLines, p.FinallyLines)
	}
}

func parse(t *testing.T, text string) *buildspec.Spec {
	t.Helper()
	s, err := buildspec.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse = %v for\n%s", err, text)
	}
	return s
}

// commands parses a buildspec whose build phase has this YAML as its commands.
func commands(t *testing.T, yaml string) []string {
	t.Helper()
	return parse(t, "version: 0.2\nphases:\n  build:\n    commands:"+yaml).Phase(build).Commands
}

// variables parses a buildspec that has this YAML below env.variables.
func variables(t *testing.T, yaml string) []buildspec.Variable {
	t.Helper()
	return parse(t, "version: 0.2\nenv:\n  variables:\n"+yaml).Variables
}

func TestASpecSaysWhatIsWritten(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       buildspec.Spec
	}{
		{"everything that version 0.2 has", `
version: 0.2
run-as: ci
env:
  shell: bash
  variables:
    STAGE: test
    NOTHING: ""
  parameter-store:
    TOKEN: /team/token
  secrets-manager:
    PASSWORD: team/app:password::0a1b
    BY_ARN: arn:aws:secretsmanager:eu-north-1:111122223333:secret:team/app-AbCdEf:user
  exported-variables:
    - STAGE
    - LATER
  git-credential-helper: yes
proxy:
  logs: yes
batch:
  build-list: [{identifier: one}]
phases:
  install:
    run-as: root
    on-failure: RETRY-2
    runtime-versions:
      golang: 1.20
      nodejs: 22.x
      ruby: $CHOICE
    commands: [apt-get update]
    finally: [apt-get clean]
  pre_build:
    commands: [make deps]
  build:
    on-failure: ABORT
    commands:
      - make
      - make check
    finally:
      - rm -rf tmp
  post_build:
    on-failure: continue
    commands: [make publish]
reports:
  unit: {files: ['**/*.xml']}
artifacts:
  files: [out/*]
cache:
  paths: [/root/.cache/**/*]
`, buildspec.Spec{
			Version: "0.2", RunAs: "ci", Shell: "bash",
			Variables:  []buildspec.Variable{{"STAGE", "test"}, {"NOTHING", ""}},
			Parameters: []buildspec.Variable{{"TOKEN", "/team/token"}},
			Secrets: []buildspec.Variable{
				{"PASSWORD", "team/app:password::0a1b"},
				{"BY_ARN", "arn:aws:secretsmanager:eu-north-1:111122223333:secret:team/app-AbCdEf:user"},
			},
			Exported: []string{"STAGE", "LATER"}, GitHelper: true,
			Phases: []buildspec.Phase{
				{
					Type: install, RunAs: "root", OnFailure: buildspec.OnFailure{Action: buildspec.Retry, Retries: 2},
					Runtimes: []buildspec.Variable{{"golang", "1.20"}, {"nodejs", "22.x"}, {"ruby", "$CHOICE"}},
					Commands: []string{"apt-get update"}, Finally: []string{"apt-get clean"},
				},
				{Type: preBuild, Commands: []string{"make deps"}},
				{
					Type: build, OnFailure: buildspec.OnFailure{Action: buildspec.Abort},
					Commands: []string{"make", "make check"}, Finally: []string{"rm -rf tmp"},
				},
				{Type: postBuild, OnFailure: buildspec.OnFailure{Action: buildspec.Continue}, Commands: []string{"make publish"}},
			},
			Artifacts: &buildspec.Artifacts{Output: buildspec.Output{Files: []string{"out/*"}}},
			Cache:     &buildspec.Cache{Paths: []string{"/root/.cache/**/*"}},
			Reports:   []buildspec.Report{{Group: "unit", Files: []string{"**/*.xml"}, Format: "JUNITXML"}},
			Proxy:     buildspec.Proxy{Logs: true},
			Batch:     &buildspec.Batch{List: []buildspec.Task{{Identifier: "one"}}},
		}},
		{"version 0.1 has its own names for variables", `
version: 0.1
environment_variables:
  plaintext: {COLOUR: teal}
  parameter-store: {TOKEN: /team/token}
env:
  variables: {IGNORED: "yes"}
phases:
  build: {commands: [make]}
`, buildspec.Spec{
			Version: "0.1", Variables: []buildspec.Variable{{"COLOUR", "teal"}}, Parameters: []buildspec.Variable{{"TOKEN", "/team/token"}},
			Phases: []buildspec.Phase{{Type: build, Commands: []string{"make"}}},
		}},
		{"version 0.2 has no environment_variables", `
version: 0.2
environment_variables:
  plaintext: {COLOUR: teal}
`, buildspec.Spec{Version: "0.2"}},
		{"JSON is YAML",
			`{"version": 0.2, "env": {"variables": {"A": "b", "N": 1}}, "phases": {"build": {"commands": ["echo \"a: b\"", "true"]}}}`,
			buildspec.Spec{
				Version: "0.2", Variables: []buildspec.Variable{{"A", "b"}, {"N", "1"}},
				Phases: []buildspec.Phase{{Type: build, Commands: []string{`echo "a: b"`, "true"}}},
			}},
		{"phases are in the order they run, not as they are written", `
version: 0.2
phases:
  post_build: {commands: [d]}
  build: {commands: [c]}
  install: {commands: [a]}
`, buildspec.Spec{Version: "0.2", Phases: []buildspec.Phase{
			{Type: install, Commands: []string{"a"}}, {Type: build, Commands: []string{"c"}}, {Type: postBuild, Commands: []string{"d"}},
		}}},
		{"a phase that is named only is among the phases", "version: 0.2\nphases:\n  install:\n  build: {commands: }\n",
			buildspec.Spec{Version: "0.2", Phases: []buildspec.Phase{{Type: install}, {Type: build}}}},
		{"runtime-versions belong to install", "version: 0.2\nphases:\n  build:\n    runtime-versions: {golang: 1.26}\n    commands: [make]\n",
			buildspec.Spec{Version: "0.2", Phases: []buildspec.Phase{{Type: build, Commands: []string{"make"}}}}},
		{"unknown keys are ignored at every level", `
version: 0.2
build: {commands: [echo never]}
env: {unknown: [1], variables: {A: b}}
phases:
  build: {timeout: 5, commands: [make]}
`, buildspec.Spec{Version: "0.2", Variables: []buildspec.Variable{{"A", "b"}}, Phases: []buildspec.Phase{{Type: build, Commands: []string{"make"}}}}},
		{"null is as good as absent", "version: 0.2\nrun-as: ~\nenv:\nphases:\nartifacts: null\ncache:\nreports: ~\nbatch:\nproxy:\n", buildspec.Spec{Version: "0.2"}},
		{"an exported variable counts once", "version: 0.2\nenv:\n  exported-variables: [B, A, B]\n", buildspec.Spec{Version: "0.2", Exported: []string{"B", "A"}}},
		{"a user may be a number", "version: 0.2\nrun-as: 1000\n", buildspec.Spec{Version: "0.2", RunAs: "1000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := diff(&c.want, parse(t, c.text)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheVersionIsANumber(t *testing.T) {
	for text, want := range map[string]string{
		"0.1": "0.1", "0.2": "0.2", `"0.2"`: "0.2", "'0.1'": "0.1", "0.20": "0.2", ".2": "0.2", "!!float 0.2": "0.2",
	} {
		if got := parse(t, "version: "+text+"\n").Version; got != want {
			t.Errorf("version %s is read as %q, want %q", text, got, want)
		}
	}
}

func TestAScalarIsKeptAsItIsWritten(t *testing.T) {
	// YAML 1.1 takes every one of these, and YAML 1.2 most of them, for
	// something other than a text.
	for _, text := range []string{
		"NO", "no", "Yes", "on", "true", "False", "y", "0755", "0o17", "0x1F", "0b101", "1.10", "3.10", "1e3", "1_000", "-0", "+5", ".inf", ".NaN",
		"190:20:30", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "null", "~", "Null", "=", "<<", "12345678901234567890123",
	} {
		if d := diff([]buildspec.Variable{{"A", text}}, variables(t, "    A: "+text+"\n")); d != "" {
			t.Errorf("variable %s:\n%s", text, d)
		}
		if d := diff([]string{text}, commands(t, "\n      - "+text+"\n")); d != "" {
			t.Errorf("command %s:\n%s", text, d)
		}
	}
}

func TestAScalarsTagDoesNotChangeItsText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "''": "", "!!str 0755": "0755", "!!str": "", "!!null x": "x", "!!binary aGk=": "aGk=", "!ours x": "x", "! 12": "12", `!!int "5"`: "5",
	} {
		if d := diff([]buildspec.Variable{{"A", want}}, variables(t, "    A: "+text+"\n")); d != "" {
			t.Errorf("%q:\n%s", text, d)
		}
	}
}

func TestVariablesKeepTheirNamesAndOrder(t *testing.T) {
	got := variables(t, "    Z: 1\n    a: 2\n    8: 3\n    no: 4\n    M: 5\n    'with space': 6\n")
	if d := diff([]buildspec.Variable{{"Z", "1"}, {"a", "2"}, {"8", "3"}, {"no", "4"}, {"M", "5"}, {"with space", "6"}}, got); d != "" {
		t.Error(d)
	}
}

func TestANULIsDropped(t *testing.T) {
	if d := diff([]buildspec.Variable{{"A", "ab"}}, variables(t, `    A: "a\0b"`)); d != "" {
		t.Error(d)
	}
	if d := diff([]string{"echo ab"}, commands(t, ` ["echo a\0b"]`)); d != "" {
		t.Error(d)
	}
}

func TestCommandsOfSeveralLines(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"a literal block keeps its lines", "\n      - |\n        if true; then\n          echo yes\n        fi\n", "if true; then\n  echo yes\nfi\n"},
		{"a literal block may drop its last line end", "\n      - |-\n        a\n        b\n", "a\nb"},
		{"a literal block may keep the empty lines after it", "\n      - |+\n        a\n\n", "a\n\n"},
		{"a literal block may say its indent", "\n      - |2\n          a\n        b\n", "  a\nb\n"},
		{"a literal block holds what is special elsewhere", "\n      - |\n        # a: b\n        *x &y !z %w @v\n        \ttab\n", "# a: b\n*x &y !z %w @v\n\ttab\n"},
		{"a folded block is one line", "\n      - >\n        echo a\n        b\n", "echo a b\n"},
		{"a folded block keeps empty lines", "\n      - >-\n        a\n\n        b\n", "a\nb"},
		{"a plain command goes on in an indented line", "\n      - echo a\n        b\n", "echo a b"},
		{"a quoted command may hold a colon", "\n      - \"echo \\\"level: info\\\"\"\n", `echo "level: info"`},
		{"single quotes are doubled", "\n      - 'echo ''a: b'''\n", `echo 'a: b'`},
		{"a colon without a space is nothing special", "\n      - curl http://localhost:80/\n", "curl http://localhost:80/"},
		{"a hash without a space is nothing special", "\n      - echo a#b # a comment\n", "echo a#b"},
		{"variables are left to the shell", "\n      - echo $A ${B} $(c)\n", "echo $A ${B} $(c)"},
		{"escapes are YAML's", "\n      - \"a\\tb\\u00e9\\n\\\n        c\"\n", "a\tbé\nc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := diff([]string{c.want}, commands(t, c.yaml)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Tools that write buildspecs write them as JSON.
func TestWhatJSONQuotesIsReadBack(t *testing.T) {
	text := rapid.StringOf(rapid.RuneFrom([]rune("\t\n\r :#-'\"\\<&*"), unicode.L, unicode.N, unicode.P, unicode.S, unicode.Z))
	rapid.Check(t, func(t *rapid.T) {
		value, commands := text.Draw(t, "value"), rapid.SliceOf(text).Draw(t, "commands")
		out, err := json.Marshal(map[string]any{
			"version": 0.2, "env": map[string]any{"variables": map[string]string{"A": value}}, "phases": map[string]any{"build": map[string]any{"commands": commands}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := buildspec.Parse(out)
		if err != nil {
			t.Fatalf("Parse = %v for %s", err, out)
		}
		want := &buildspec.Spec{Version: "0.2", Variables: []buildspec.Variable{{"A", value}}, Phases: []buildspec.Phase{{Type: build, Commands: commands}}}
		if d := diff(want, s); d != "" {
			t.Error(d)
		}
	})
}

func TestCommandsMayBeFewOrEmpty(t *testing.T) {
	for yaml, want := range map[string][]string{
		"\n": nil, " []\n": nil, " ~\n": nil, "\n      -\n      - a\n": {"", "a"}, " ['', a]\n": {"", "a"}, "\n    - not indented\n": {"not indented"},
		" make\n": {"make"}, " 5\n": {"5"}, " |\n      a\n      b\n": {"a\nb\n"}, // CodeBuild takes one without a list
	} {
		if d := diff(want, commands(t, yaml)); d != "" {
			t.Errorf("commands:%s\n%s", yaml, d)
		}
	}
}

func TestTheCredentialHelperIsOnOrOff(t *testing.T) {
	for text, want := range map[string]bool{
		"yes": true, "Yes": true, "true": true, "TRUE": true, "on": true, "y": true, `"yes"`: true,
		"no": false, "NO": false, "false": false, "off": false, "n": false, "": false, "~": false, `""`: false,
	} {
		if got := parse(t, "version: 0.2\nenv:\n  git-credential-helper: "+text+"\n").GitHelper; got != want {
			t.Errorf("git-credential-helper: %s is read as %t, want %t", text, got, want)
		}
	}
}

func TestAliasesMeanWhatTheyPointAt(t *testing.T) {
	const shared = "shared:\n  commands: &greet\n    - &hello echo hello\n    - echo you\n  phase: &phase\n    run-as: ci\n    on-failure: ABORT\n    commands: [from the anchor]\n" +
		"  other: &other {run-as: root, finally: [clean]}\nversion: &v 0.2\n"
	for _, c := range []struct {
		name, text string
		want       buildspec.Phase
	}{
		{"a list", "commands: *greet", buildspec.Phase{Commands: []string{"echo hello", "echo you"}}},
		{"an entry", "commands: [*hello, a, *hello]", buildspec.Phase{Commands: []string{"echo hello", "a", "echo hello"}}},
		{"a number", "run-as: *v", buildspec.Phase{RunAs: "0.2"}},
		{"a key", "run-as: x\n    *hello : y", buildspec.Phase{RunAs: "x"}},
		{"a merge adds what is lacking", "<<: *phase\n    commands: [own]", buildspec.Phase{RunAs: "ci", OnFailure: buildspec.OnFailure{Action: buildspec.Abort}, Commands: []string{"own"}}},
		{"a merge takes nothing away, wherever it is written", "commands: [own]\n    <<: *phase", buildspec.Phase{RunAs: "ci", OnFailure: buildspec.OnFailure{Action: buildspec.Abort}, Commands: []string{"own"}}},
		{"of several merges the first wins", "<<: [*other, *phase]", buildspec.Phase{
			RunAs: "root", OnFailure: buildspec.OnFailure{Action: buildspec.Abort}, Commands: []string{"from the anchor"}, Finally: []string{"clean"},
		}},
		{"a quoted << is a key like others", "'<<': *phase", buildspec.Phase{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Type = build
			got := parse(t, shared+"phases:\n  build:\n    "+c.text+"\n").Phase(build)
			if d := diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestOfARepeatedKeyTheLastCounts(t *testing.T) {
	s := parse(t, "version: 0.1\nversion: 0.2\nenv:\n  variables: {A: 1, B: 2, A: 3}\nphases:\n  build: {commands: [a], finally: [b]}\n  build: {commands: [c]}\n")
	want := &buildspec.Spec{
		Version: "0.2", Variables: []buildspec.Variable{{"A", "3"}, {"B", "2"}},
		Phases: []buildspec.Phase{{Type: build, Commands: []string{"c"}}},
	}
	if d := diff(want, s); d != "" {
		t.Error(d)
	}
}

func TestHowATextIsStoredDoesNotMatter(t *testing.T) {
	const text = "version: 0.2\nenv:\n  variables:\n    A: b\nphases:\n  build:\n    commands:\n      - make\n      - |\n        a\n        b\n"
	want := parse(t, text)
	for name, other := range map[string]string{
		"Windows' line ends":         strings.ReplaceAll(text, "\n", "\r\n"),
		"old Macs' line ends":        strings.ReplaceAll(text, "\n", "\r"),
		"a byte order mark":          "\ufeff" + text,
		"UTF-16, little end first":   utf16(text, 0, 1),
		"UTF-16, big end first":      utf16(text, 1, 0),
		"a document's start":         "# a comment\n---\n" + text,
		"a document's end":           text + "...\n",
		"a directive":                "%YAML 1.1\n---\n" + text,
		"empty lines before and in":  "\n\n" + strings.Replace(text, "phases", "\n\n\nphases", 1),
		"another document behind it": text + "---\nversion: 0.1\n",
		"rubbish behind its end":     text + "...\n[}",
	} {
		t.Run(name, func(t *testing.T) {
			if d := diff(want, parse(t, other)); d != "" {
				t.Error(d)
			}
		})
	}
}

// utf16 encodes an ASCII text with a byte order mark; low and high say where
// in each pair the bytes go.
func utf16(text string, low, high int) string {
	out := make([]byte, 2, 2+2*len(text))
	out[low], out[high] = 0xff, 0xfe
	for _, c := range []byte(text) {
		pair := [2]byte{}
		pair[low] = c
		out = append(out, pair[:]...)
	}
	return string(out)
}

func TestAPhaseThatIsNotNamedHasNoCommands(t *testing.T) {
	s := parse(t, "version: 0.2\nphases:\n  build: {commands: [make]}\n")
	if d := diff(buildspec.Phase{Type: install}, s.Phase(install)); d != "" {
		t.Error(d)
	}
	if d := diff(buildspec.Phase{Type: build, Commands: []string{"make"}}, s.Phase(build)); d != "" {
		t.Error(d)
	}
}

func TestAPhaseKnowsItsKey(t *testing.T) {
	for typ, want := range map[api.BuildPhaseType]string{
		install: "install", preBuild: "pre_build", build: "build", postBuild: "post_build", api.BuildPhaseTypeFinalizing: "",
	} {
		if got := (buildspec.Phase{Type: typ}).Key(); got != want {
			t.Errorf("the key of %s is %q, want %q", typ, got, want)
		}
	}
}

func TestUsersAreThoseOfTheSpecAndItsPhases(t *testing.T) {
	s := parse(t, "version: 0.2\nrun-as: ci\nphases:\n  install: {run-as: root}\n  pre_build:\n  build: {run-as: builder}\n")
	if got, want := slices.Collect(s.Users()), []string{"ci", "root", "builder"}; !cmp.Equal(got, want) {
		t.Errorf("users %q, want %q", got, want)
	}
	for range s.Users() { // a reader may leave early
		break
	}
	for user := range s.Users() {
		if user == "root" {
			break
		}
	}
	if got := slices.Collect(parse(t, "version: 0.2").Users()); len(got) != 0 {
		t.Errorf("without run-as there are users %q", got)
	}
}
