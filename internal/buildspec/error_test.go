package buildspec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"slipway/internal/buildspec"
)

// The texts are those that users know from CodeBuild, where it has one.
func TestATextThatIsNoBuildspecSaysWhereAndWhy(t *testing.T) {
	const none = "wrong number of container tags, expected 1"
	const phase = "version: 0.2\nphases:\n  build:\n"
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", none},
		{"white space", " \n\n", none},
		{"a comment", "# version: 0.2\n", none},
		{"an empty document", "---\n...\n", none},
		{"an empty document before a full one", "---\n---\nversion: 0.2\n", none},
		{"null", "~", none},
		{"a sentence", "make all", none},
		{"a list", "- version: 0.2\n", none},
		{"no version", "phases:\n  build: {commands: [make]}\n", none},
		{"an empty version", "version:\n", none},
		{"a version by another name", "Version: 0.2\n", none},
		{"an unknown version", "# mine\nversion: 0.3\n", "unknown buildspec version 0.3, expected 0.1 or 0.2 at line 2"},
		{"a version that is no number", "version: latest and greatest\n", "unknown buildspec version latest ..., expected 0.1 or 0.2 at line 1"},
		{"a version that is a list", "version: [0.2]\n", "cannot unmarshal !!seq into string at line 1"},

		{"a tab as indent", "version: 0.2\nphases:\n\tbuild:\n", "found character that cannot start any token at line 3"},
		{"a list that is not closed", phase + "    commands: [a, b\nartifacts:\n", "did not find expected ',' or ']' at line 3"},
		{"two mappings in a line", "version: 0.2\nphases: build: commands\n", "mapping values are not allowed in this context at line 2"},
		{"two mappings in the only line", "version: 0.2: 1", "mapping values are not allowed in this context at line 0"},
		{"an alias of nothing", "version: 0.2\nphases: *all\n", "unknown anchor 'all' referenced at line 0"},
		{"a glob without quotes", "version: 0.2\nartifacts:\n  files:\n    - **/*\n", "did not find expected alphabetic or numeric character at line 4"},
		{"words behind a quote", phase + "    commands:\n      - \"a\" b\n", "did not find expected '-' indicator at line 4"},
		{"a quote that is not closed", "version: 0.2\nrun-as: 'a\n", "found unexpected end of stream at line 2"},
		{"an unknown escape", "version: 0.2\nrun-as: \"\\q\"\n", "found unknown escape character at line 2"},
		{"a text that starts with @", "version: 0.2\nrun-as: @a\n", "found character that cannot start any token at line 2"},
		{"bytes that are not UTF-8", "version: 0.2\nrun-as: \xff\n", "invalid leading UTF-8 octet at line 0"},
		{"control characters", "version: 0.2\nrun-as: \x01\n", "control characters are not allowed at line 0"},
		{"YAML that is too deep", strings.Repeat("[", 20_000), "exceeded max depth of 10000 at line 0"},

		{"a command with a colon", phase + "    commands:\n      - echo a\n      - echo status: ready\n",
			"Expected Commands[1] to be of string type: found subkeys instead at line 6, value of the key tag on line 5 might be empty"},
		{"a command that is a list", phase + "    commands:\n      - - a\n",
			"Expected Commands[0] to be of string type: found subkeys instead at line 5, value of the key tag on line 4 might be empty"},
		{"a finally command with a colon", phase + "    finally:\n      - echo status: ready\n",
			"Expected Finally[0] to be of string type: found subkeys instead at line 5, value of the key tag on line 4 might be empty"},
		{"an exported variable with a value", "version: 0.2\nenv:\n  exported-variables:\n    - A: b\n",
			"Expected Exported-variables[0] to be of string type: found subkeys instead at line 4, value of the key tag on line 3 might be empty"},
		{"commands that are keys", phase + "    commands: {a: b}\n", "cannot unmarshal !!map into []string at line 4"},
		{"phases that are a list", "version: 0.2\nphases:\n  - build\n", "cannot unmarshal !!seq into map[string]interface {} at line 3"},
		{"a phase that is a text", "version: 0.2\nphases:\n  build: make\n", "cannot unmarshal !!str `make` into map[string]interface {} at line 3"},
		{"a phase that is a long text", "version: 0.2\nphases:\n  build: make everything\n", "cannot unmarshal !!str `make ev...` into map[string]interface {} at line 3"},
		{"a phase in another script", "version: 0.2\nphases:\n  build: 世界世界世界\n", "cannot unmarshal !!str `世界...` into map[string]interface {} at line 3"},
		{"a phase that is a number", "version: 0.2\nphases:\n  build: 5\n", "cannot unmarshal !!int `5` into map[string]interface {} at line 3"},
		{"a phase that is none", "version: 0.2\nphases:\n  deploy: {commands: [make]}\n", "Invalid buildspec phase name: deploy. Expecting: build,install,post_build,pre_build"},
		{"a phase that is none and has nothing", "version: 0.2\nphases:\n  postbuild:\n", "Invalid buildspec phase name: postbuild. Expecting: build,install,post_build,pre_build"},
		{"a phase with a name of any length", "version: 0.2\nphases:\n  \"\\0" + strings.Repeat("é", 100) + "\":\n", "Invalid buildspec phase name: " + strings.Repeat("é", 19) + ".... Expecting: build,install,post_build,pre_build"},
		{"the steps of another service", phase + "    steps:\n      - uses: actions/checkout@v4\n", `unsupported field "steps" in buildspec: GitHub Actions are not run by this server, only commands at line 4`},
		{"env that is a list", "version: 0.2\nenv: [A=b]\n", "cannot unmarshal !!seq into map[string]interface {} at line 2"},
		{"a variable that is a list", "version: 0.2\nenv:\n  variables:\n    A: [b]\n", "cannot unmarshal !!seq into string at line 4"},
		{"a parameter that is a mapping", "version: 0.2\nenv:\n  parameter-store:\n    A: {b: c}\n", "cannot unmarshal !!map into string at line 4"},
		{"a name that is a list", "version: 0.2\nenv:\n  variables:\n    ? [a]\n    : b\n", "cannot unmarshal !!seq into string at line 4"},
		{"a user that is a list", "version: 0.2\nrun-as: [a]\n", "cannot unmarshal !!seq into string at line 2"},
		{"a switch that is a word", "version: 0.2\nenv:\n  git-credential-helper: maybe\n", "cannot unmarshal !!str `maybe` into bool at line 3"},
		{"a merge of a text", phase + "    <<: a\n", "cannot unmarshal !!str `a` into map[string]interface {} at line 4"},
		{"a mapping that holds itself", "version: 0.2\nphases: &p\n  <<: *p\n", "merges are nested too deeply at line 2"},
		{"an unknown on-failure", phase + "    commands: [a]\n    on-failure: STOP\n", "on-failure must be ABORT, CONTINUE or RETRY, not STOP at line 5"},
		{"too many retries", phase + "    on-failure: RETRY-101\n", "on-failure may retry at most 100 times, not 101 at line 4"},
		{"a list as on-failure", phase + "    on-failure: [ABORT]\n", "cannot unmarshal !!seq into string at line 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := buildspec.Parse([]byte(c.text))
			if e, ok := errors.AsType[*buildspec.Error](err); !ok || e.Message != c.want || err.Error() != c.want {
				t.Errorf("Parse = %v (%T), want the *Error %s", err, err, c.want)
			}
			if s != nil {
				t.Errorf("beside the error there is %+v", s)
			}
		})
	}
}

// The place in an Error is where an editor finds it, which the message, in
// CodeBuild's words, does not always say.
func TestAnErrorKnowsItsPlace(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
	}{
		{"version: 0.2\nphases:\n  build:\n    commands:\n      - a: b\n", 5, 9},
		{"version: 0.2\nphases:\n  deploy:\n", 3, 3},
		{"version: 0.2\nphases:\n  build:\n    commands: [a, b\nartifacts:\n", 4, 5},
		{"# \u2028\nversion: 9\n", 2, 10},
		{"version: 0.2\nphases: *all\n", 2, 9},
		{"", 0, 0},
	} {
		_, err := buildspec.Parse([]byte(c.text))
		if e, ok := errors.AsType[*buildspec.Error](err); !ok || e.Line != c.line || e.Column != c.column {
			t.Errorf("Parse(%q) = %+v, want it at %d:%d", c.text, err, c.line, c.column)
		}
	}
}

func TestATextOfMaxSizeIsReadAndNoLargerOne(t *testing.T) {
	text := "version: 0.2\nrun-as: ci\n# "
	text += strings.Repeat("x", buildspec.MaxSize-len(text))
	if s := parse(t, text); s.RunAs != "ci" {
		t.Errorf("run-as = %q, want ci", s.RunAs)
	}
	refused(t, text+"x", "the buildspec has 262145 bytes, at most 262144 are read")
}

func TestManyValuesAreRefused(t *testing.T) {
	refused(t, "version: 0.2\nphases: {build: {commands: ["+strings.Repeat("a,", 110_000)+"]}}", "the buildspec has more than 100000 values")
}

func TestASmallTextCannotMeanAHugeOne(t *testing.T) {
	// Every list has the one before ten times.
	lists := "l0: &l0 {commands: [a]}\n"
	merges := "l0: &l0 {a: b}\n"
	for i := 1; i < 12; i++ {
		lists += fmt.Sprintf("l%d: &l%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*l%d,", i-1), 10))
		merges += fmt.Sprintf("l%d: &l%d {<<: [%s]}\n", i, i, strings.Repeat(fmt.Sprintf("*l%d,", i-1), 10))
	}
	s := parse(t, lists+"version: 0.2\n") // what nobody asks for is not followed
	if s.Version != "0.2" {
		t.Errorf("version = %q, want 0.2", s.Version)
	}
	refused(t, merges+"version: 0.2\nphases: *l11\n", "the buildspec has more than 100000 values")
	refused(t, merges+"version: 0.2\nenv: {variables: *l11}\n", "the buildspec has more than 100000 values")

	const big = 100_000
	refused(t, "text: &t "+strings.Repeat("x", big)+"\nversion: 0.2\nphases: {build: {commands: ["+strings.Repeat("*t,", 40_000)+"]}}",
		"the buildspec's values have more than 4194304 bytes")
	refused(t, "text: &t \""+strings.Repeat("\\0x", big/3)+"\"\nversion: 0.2\nphases: {build: {commands: ["+strings.Repeat("*t,", 40_000)+"]}}",
		"the buildspec's values have more than 4194304 bytes")
}

func refused(t *testing.T, text, want string) {
	t.Helper()
	if s, err := buildspec.Parse([]byte(text)); s != nil || err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}
