package agent_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

// Every command checks itself: a build that ends well has found what it looked for.
func TestTheToolsOfABuild(t *testing.T) {
	sum := func(pairs ...string) string {
		all := sha256.New()
		for i := 0; i < len(pairs); i += 2 {
			fmt.Fprintf(all, "%s\x00%x\n", pairs[i], sha256.Sum256([]byte(pairs[i+1])))
		}
		return fmt.Sprintf("%x", all.Sum(nil))
	}
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
phases:
  install:
    commands:
      - mkdir -p tests/deep; printf a > tests/a_test; printf b > 'tests/deep/b c_test'; printf lock > lock.json; ln -s lock.json linked.json
      - test "$(codebuild-glob-search 'tests/**/*_test')" = "$(printf 'tests/a_test\ntests/deep/b c_test')"
      - test "$(cd tests && codebuild-glob-search '*_test' 'none*')" = a_test
      - test "$(codebuild-hash-files lock.json)" = `+sum("lock.json", "lock")+`
      - test "$(cd tests && codebuild-hash-files linked.json '*.json')" = `+sum("linked.json", "lock", "lock.json", "lock")+`
      - test -z "$(codebuild-hash-files nothing 2>/dev/null)" && ! codebuild-hash-files nothing
      - codebuild-breakpoint; codebuild-resume
  build:
    commands:
      - codebuild-tests-run --test-command 'echo ran' --files-search "codebuild-glob-search 'tests/**/*_test'"
      - |
        codebuild-tests-run \
          --test-command 'test "$CODEBUILD_CURRENT_SHARD_FILES" = "$(printf "tests/a_test\ntests/deep/b c_test")" && test $# = 0 && sh -c "test -n \"\$CODEBUILD_CURRENT_SHARD_FILES\"" && exit 17' \
          --files-search "codebuild-glob-search 'tests/**/*_test'" \
          --sharding-strategy stability || test $? = 17
      - test -z "$CODEBUILD_CURRENT_SHARD_FILES"
      - codebuild-tests-run --test-command 'true' --files-search 'exit 5' || test $? = 5
      - codebuild-tests-run --test-command 'true' --files-search 'true' || test $? = 1
      - codebuild-tests-run --test-command 'true' --files-search 'echo x' --sharding-strategy sideways || test $? = 2
      - codebuild-tests-run --test-command 'true' || test $? = 2
      # more names than fit into one argument or one variable of a program
      - test "$(codebuild-tests-run --test-command "printf '%s\n'" --files-search "seq -f tests/a-rather-long-name-of-a-file-%g 1 9000" | wc -l)" = 9000
`))
		if a.status() != api.StatusTypeSucceeded {
			t.Errorf("the build ends %s:\n%s", a.status(), log)
		}
		for _, want := range []string{
			"\nran tests/a_test tests/deep/b c_test\n",
			`codebuild-hash-files: no file matches "nothing"`,
			"codebuild-breakpoint: the build goes on: this server has no debug sessions",
			"codebuild-tests-run: no test files are found by: true",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
}

func TestCommandsOfVersion01HaveTheToolsToo(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline("version: 0.1\nphases: {build: {commands: ['touch x', 'test \"$(codebuild-glob-search x)\" = x']}}\n"))
		if a.status() != api.StatusTypeSucceeded {
			t.Errorf("the build ends %s:\n%s", a.status(), log)
		}
	})
}

// What a build has masked is in nothing that it writes afterwards, whoever
// writes it and however soon, nor in what the record says.
func TestABuildMasksValuesOfItsOwn(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
env: {exported-variables: [TOLD]}
phases:
  build:
    commands:
      - A=hunter; B=22; V=$A$B-value
      - slipway-mask "$V"; echo "now $V"; (echo "child $V" >&2)
      - printf '%s\n%s\n' "first-$A" "second-$B-line" | slipway-mask && echo "lines first-$A and second-$B-line"
      - TOLD="told $V"; export TOLD
      - i=0; while [ $i -lt 5 ]; do slipway-mask "number-$i-of-many"; echo "loop number-$i-of-many"; i=$((i+1)); done
      - slipway-mask abc || echo "refused $((40+2))"
      - slipway-mask </dev/null || test $? = 2
      - eval "hunter22-value-is-no-command"
`))
		if a.status() != api.StatusTypeFailed {
			t.Errorf("the build ends %s:\n%s", a.status(), log)
		}
		_, message := a.context(api.BuildPhaseTypeBuild)
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, text := range []string{log, message} {
			for _, secret := range []string{"hunter22-value", "first-hunter", "second-22-line", "number-0-of", "number-4-of"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in\n%s", secret, text)
				}
			}
		}
		for _, want := range []string{"\nnow ***\n", "\nchild ***\n", "\nlines *** and ***\n", "\nloop ***\n", "refused 42\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
		if e := a.build.Public.ExportedEnvironmentVariables; len(e) != 1 || *e[0].Value != "told ***" {
			t.Errorf("exported: %v", e)
		}
	})
}
