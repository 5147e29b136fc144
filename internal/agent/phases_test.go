package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

const (
	allPhases = "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED"
	badSpec   = "DOWNLOAD_SOURCE:FAILED FINALIZING COMPLETED"
)

// Every case is one buildspec and what CodeBuild makes of it. The commands
// check themselves: a build that ends well has found what it looked for.
func TestBuildspecs(t *testing.T) {
	for _, c := range []struct {
		name   string
		spec   string
		phases string // empty for all, with success
		says   string // is in the log
		silent string // is not
		code   string // of the context of the first phase that failed
		why    string // is in that context's message
	}{
		{name: "shell state goes on from command to command and phase to phase", spec: `
version: 0.2
phases:
  install:
    commands: [mkdir -p deep/er, cd deep/er, PLAIN=p, 'export SHOWN="two  words"']
  build:
    commands:
      - test "$(basename "$PWD")" = er
      - test "$PLAIN" = p
      - test "$SHOWN" = "two  words"
      - sh -c 'test "$PLAIN" = p'
`},
		{name: "a variable keeps its lines, quotes and blanks at the end", spec: `
version: 0.2
phases:
  build:
    commands:
      - |
        V="one
        it's \"two\" \$x \\n

        "
      - |
        test "$V" = "one
        it's \"two\" \$x \\n

        "
`},
		{name: "options, functions and aliases end with their command", spec: `
version: 0.2
phases:
  build:
    commands:
      - set -e
      - |
        false
        true
      - hello() { echo hello; }
      - '! hello 2>/dev/null'
`},
		{name: "only the last line of a block counts", spec: `
version: 0.2
phases: {build: {commands: ["false\ntrue"]}}
`},
		{name: "a block that begins with set -e ends at its first failure", spec: `
version: 0.2
phases: {build: {commands: ["set -e\nfalse\necho not $((40+2))"]}}
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:FAILED POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED", silent: "not 42",
			code: "COMMAND_EXECUTION_ERROR", why: "exit status 1"},
		{name: "exit 0 ends a command and not the build", spec: `
version: 0.2
phases: {build: {commands: ["exit 0", "echo went $((40+2))"]}}
`, says: "\nwent 42\n"},
		{name: "what a command that ends its shell has set is lost", spec: `
version: 0.2
phases:
  build:
    commands: ['A=1; exit 3']
    finally: ['test "$A$CODEBUILD_BUILD_SUCCEEDING" = 0', 'echo done $((40+2))']
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:FAILED POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED", says: "\ndone 42\n",
			code: "COMMAND_EXECUTION_ERROR", why: "exit 3. Reason: exit status 3"},
		{name: "a command that fails skips the phase's others but no finally", spec: `
version: 0.2
phases:
  pre_build:
    commands: [exit 7, echo skipped $((40+2))]
    finally: [echo one $((40+2)), exit 5, echo two $((40+2))]
  build:
    commands: [echo build $((40+2))]
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD:FAILED FINALIZING COMPLETED", says: "\ntwo 42\n", silent: "skipped 42",
			code: "COMMAND_EXECUTION_ERROR", why: "exit 7. Reason: exit status 7"},
		{name: "a finally that fails, fails its phase", spec: `
version: 0.2
phases: {build: {commands: [echo fine], finally: [exit 4]}}
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:FAILED POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED",
			code: "COMMAND_EXECUTION_ERROR", why: "exit status 4"},
		{name: "POST_BUILD runs after a failed BUILD and does not repair it", spec: `
version: 0.2
phases:
  build: {commands: ["false"]}
  post_build: {commands: ['test "$CODEBUILD_BUILD_SUCCEEDING" = 0', 'echo post $((40+2))']}
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:FAILED POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED", says: "\npost 42\n",
			code: "COMMAND_EXECUTION_ERROR"},
		{name: "a failed INSTALL is the last of the commands", spec: `
version: 0.2
phases:
  install: {commands: ["false"]}
  build: {commands: [echo build $((40+2))]}
  post_build: {commands: [echo post $((40+2))]}
`, phases: "DOWNLOAD_SOURCE INSTALL:FAILED FINALIZING COMPLETED", silent: "post 42", code: "COMMAND_EXECUTION_ERROR"},
		{name: "on-failure CONTINUE goes on", spec: `
version: 0.2
phases:
  pre_build: {on-failure: CONTINUE, commands: [exit 9]}
  build: {commands: [echo build $((40+2))]}
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD:FAILED BUILD POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED", says: "\nbuild 42\n",
			code: "COMMAND_EXECUTION_ERROR", why: "exit status 9"},
		{name: "on-failure ABORT keeps POST_BUILD from running", spec: `
version: 0.2
phases:
  build: {on-failure: ABORT, commands: [exit 1]}
  post_build: {commands: [echo post $((40+2))]}
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:FAILED FINALIZING COMPLETED", silent: "post 42", code: "COMMAND_EXECUTION_ERROR"},
		{name: "commands of 0.1 know nothing of one another", spec: `
version: 0.1
environment_variables: {plaintext: {GIVEN: start}}
phases:
  build:
    commands: [mkdir sub && cd sub, 'test -d sub', GIVEN=changed, 'test "$GIVEN" = start', 'A=1', 'test -z "$A"']
`},
		{name: "variables of the buildspec are what their text says", spec: `
version: 0.2
env: {variables: {NUMBER: 010, FLAG: NO, DATE: 2026-11-25, EMPTY: "", QUOTES: "it's \"so\"", DOLLAR: $HOME, FLOAT: 1.10}}
phases:
  build:
    commands:
      - test "$NUMBER $FLAG $DATE $EMPTY $FLOAT" = '010 NO 2026-11-25  1.10'
      - test "$QUOTES" = "it's \"so\"" && test "$DOLLAR" = '$HOME'
`},
		{name: "a variable of the project beats the buildspec's", spec: `
version: 0.2
env: {variables: {BOTH: spec, ONLY: spec, CODEBUILD_BUILD_ID: mine}}
phases: {build: {commands: ['test "$BOTH $ONLY" = "project spec"', 'test "$CODEBUILD_BUILD_ID" != mine']}}
`},
		{name: "PATH is replaced and not expanded, and the engine does not need it", spec: `
version: 0.2
env: {variables: {PATH: "$PATH:/nowhere"}}
phases: {build: {commands: ['test "$PATH" = "\$PATH:/nowhere"', 'PATH=/usr/bin:/bin', 'ls /bin >/dev/null']}}
`},
		{name: "the shell may be bash", spec: `
version: 0.2
env: {shell: bash}
phases: {build: {commands: ['set -o pipefail; ! false | true', '[[ -n $BASH_VERSION ]]', "A=(1 2); B=${A[1]}", '[[ $B = 2 ]]']}}
`},
		{name: "a job in the background outlives its command", spec: `
version: 0.2
phases:
  install: {commands: ['nohup sleep 300 >/dev/null 2>&1 & echo $! > bg.pid']}
  build: {commands: ['kill -0 "$(cat bg.pid)"'], finally: ['kill "$(cat bg.pid)"']}
`},
		{name: "a job in the background that writes on does not hold the build up", spec: `
version: 0.2
phases: {build: {commands: ['(while :; do echo x; done) & sleep 0.1']}}
`},
		{name: "a directory that is gone takes the next command back to the source", spec: `
version: 0.2
phases: {build: {commands: ['mkdir gone && cd gone && rmdir ../gone', 'test "$PWD" = "$CODEBUILD_SRC_DIR"']}}
`},
		{name: "commands read nothing", spec: `
version: 0.2
phases: {build: {commands: ['read -r line || test -z "$line"', cat]}}
`},
		{name: "a command killed by a signal has its number", spec: `
version: 0.2
phases: {build: {commands: ['kill -9 $$']}}
`, phases: "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:FAILED POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED",
			code: "COMMAND_EXECUTION_ERROR", why: "exit status 137"},
		{name: "kill 0 ends the command only", spec: `
version: 0.2
phases: {build: {commands: ['trap "" TERM; kill 0; true', 'echo alive $((40+2))']}}
`, says: "\nalive 42\n"},
		{name: "phases that are empty, as the guide's own example has them", spec: `
version: 0.2
phases:
build: {commands: [echo never $((40+2))]}
`, silent: "never 42"},
		{name: "a buildspec without a version", spec: "phases: {build: {commands: [\"true\"]}}\n", phases: badSpec, code: "YAML_FILE_ERROR"},
		{name: "a tab", spec: "version: 0.2\nphases:\n\tbuild:\n", phases: badSpec, code: "YAML_FILE_ERROR",
			why: "found character that cannot start any token at line 3"},
		{name: "a colon that makes a mapping", spec: "version: 0.2\nphases:\n  build:\n    commands:\n      - \"true\"\n      - echo a: b\n",
			phases: badSpec, code: "YAML_FILE_ERROR", why: "Expected Commands[1] to be of string type: found subkeys instead at line 6, value of the key tag on line 5 might be empty"},
		{name: "another shell", spec: "version: 0.2\nenv: {shell: fish}\nphases: {build: {commands: [\"true\"]}}\n", phases: badSpec, code: "CLIENT_ERROR", why: "fish"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
				work := inline(c.spec)
				work.Variables = []agentapi.Variable{{Name: "BOTH", Value: "project"}}
				a, log := run(t, box, work)
				want := c.phases
				if want == "" {
					want = allPhases
				}
				if got := a.phases(); got != want {
					t.Errorf("the phases are\n%s, want\n%s; the log:\n%s", got, want, log)
				}
				if !strings.Contains(log, c.says) {
					t.Errorf("the log lacks %q:\n%s", c.says, log)
				}
				if c.silent != "" && strings.Contains(log, c.silent) {
					t.Errorf("the log has %q:\n%s", c.silent, log)
				}
				var failed api.BuildPhaseType
				for p := range strings.FieldsSeq(want) {
					if name, ok := strings.CutSuffix(p, ":FAILED"); ok && failed == "" {
						failed = api.BuildPhaseType(name)
					}
				}
				if code, why := a.context(failed); code != c.code || !strings.Contains(why, c.why) {
					t.Errorf("the context is %s %q, want %s and %q", code, why, c.code, c.why)
				}
				if ok := a.status() == api.StatusTypeSucceeded; ok != (c.phases == "") {
					t.Error("the build ends", a.status())
				}
			})
		})
	}
}

func TestExportedVariables(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, _ := run(t, box, inline(`
version: 0.2
env:
  variables: {SET: early, KEPT: kept}
  exported-variables: [SET, KEPT, UNSET, AWS_REGION, EMPTY, "no good", LINES, HIDDEN]
phases:
  build: {commands: ['SET=middle; EMPTY=']}
  post_build: {commands: ["SET=late; HIDDEN=psst-secret; LINES='a\n  b'"]}
`), masking("psst-secret"))
		a.mu.Lock()
		defer a.mu.Unlock()
		got := map[string]string{}
		for _, v := range a.build.Public.ExportedEnvironmentVariables {
			got[*v.Name] = *v.Value
		}
		want := map[string]string{"SET": "late", "KEPT": "kept", "EMPTY": "", "LINES": "a\n  b", "HIDDEN": "***"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error("the exported variables (-want +got)\n", d)
		}
	})
}

// What a build finds in its environment is what CodeBuild's guide lists, and
// nothing that the agent or its server had in theirs.
func TestTheEnvironmentOfABuild(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
phases:
  build:
    commands:
      - env | sed 's/=.*//' | sort | tr '\n' ' '
      - test "$PWD" = "$CODEBUILD_SRC_DIR" && test "$OLDPWD" != "$PWD"
      - cd ~ && touch "$HOME/x" "${TMPDIR:-/tmp}/y"
`))
		want := "AWS_REGION BOTH CODEBUILD_BUILD_ID CODEBUILD_BUILD_SUCCEEDING CODEBUILD_GOPATH CODEBUILD_LAST_EXIT CODEBUILD_SCRIPT_DIR CODEBUILD_SRC_DIR HOME OLDPWD PATH PWD SHLVL TMPDIR _ "
		if box.Bubblewrap != "" { // which has a name of its own, as containers have
			want = strings.Replace(want, "HOME ", "HOME HOSTNAME ", 1)
		}
		for _, sometimes := range []string{"BOTH ", "SHLVL ", "TMPDIR ", "_ "} { // by shell and sandbox
			want, log = strings.Replace(want, sometimes, "", 1), strings.Replace(log, " "+sometimes, " ", 1)
		}
		if !strings.Contains(log, "\n"+want+"\n") {
			t.Errorf("the environment is not %q:\n%s", want, log)
		}
		if a.status() != api.StatusTypeSucceeded {
			t.Error("the build ends", a.status())
		}
	})
}

func TestAHundredThousandLinesAndBytesThatAreNoText(t *testing.T) {
	a, log := run(t, bubblewrap(t), inline(`
version: 0.2
phases:
  build:
    commands:
      - i=0; while [ $i -lt 100000 ]; do echo line $i; i=$((i+1)); done
      - printf 'A\000\377\376B\n'; head -c 300000 /dev/zero | tr '\0' x
`))
	from := 0
	for i := range 100_000 {
		line := fmt.Sprintf("line %d\n", i)
		at := strings.Index(log[from:], line)
		if at < 0 || (i > 0 && at != 0) {
			t.Fatalf("%q is not where it should be", line)
		}
		from += at + len(line)
	}
	if !strings.Contains(log, "A\uFFFD\uFFFDB\n") || strings.Count(log, "x") < 300_000 {
		t.Error("bytes that are no text, or a long line, are missing at the end:", log[max(0, len(log)-2000):])
	}
	if a.status() != api.StatusTypeSucceeded {
		t.Error("the build ends", a.status())
	}
}

func TestAThousandCommands(t *testing.T) {
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n" + strings.Repeat("      - N=$((N+1))\n", 1000) + "      - test $N = 1000\n"
	if a, log := run(t, bubblewrap(t), inline(spec)); a.status() != api.StatusTypeSucceeded {
		t.Error("the build ends", a.status(), log[max(0, len(log)-2000):])
	}
}
