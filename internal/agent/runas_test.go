package agent_test

import (
	"os"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

// asRoot skips a test that only root can carry out.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give its builds other users")
	}
}

// The commands check themselves: a build that ends well has found what it looked for.
func TestCommandsOfAnotherUser(t *testing.T) {
	asRoot(t)
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		mark := marker(t)
		a, log := run(t, box, inline(`
version: 0.2
run-as: nobody
phases:
  install:
    run-as: root
    commands:
      - test "$(id -u)" = 0
      - git init -q . && git -c user.name=n -c user.email=e commit -q --allow-empty -m first
      - mkdir made && touch made/by-root && ln -s /etc/passwd made/link && FROM_ROOT=yes && cd made
  pre_build:
    commands:
      - test "$(id -un)" = nobody && test "$(id -G)" = "$(id -g nobody)" && test "$FROM_ROOT" = yes && test "$(basename "$PWD")" = made
      - echo more >> by-root && rm by-root && touch by-nobody && touch ~/at-home && touch "$CODEBUILD_SRC_DIR/here"
      - git -C "$CODEBUILD_SRC_DIR" status --short >/dev/null
      - test ! -w /etc/passwd && test "$(stat -c %U /etc/passwd)" = root && test "$(stat -c %U link)" = nobody
      - test ! -w "$CODEBUILD_SCRIPT_DIR" && ! touch /codebuild/readonly/x 2>/dev/null
      - echo one > /dev/stdout && echo two > /dev/stderr
      - if grep -q '^CapEff:.*[1-9a-f]' /proc/self/status; then exit 1; fi
      - test "$(codebuild-glob-search 'by-*')" = by-nobody && slipway-mask nobodys-secret && echo nobodys-secret
      - cd .. && nohup sleep `+mark+` >/dev/null 2>&1 & 
      - FROM_NOBODY=yes
    finally: ['test "$(id -un)" = nobody']
  build:
    run-as: root
    commands:
      - test "$(id -u)" = 0 && test "$FROM_NOBODY" = yes && git -C "$CODEBUILD_SRC_DIR" log --oneline | grep -q first
      - touch made-by-root-again
  post_build:
    run-as: "65534"
    commands: ['test "$(id -u)" = 65534', 'exit 3']
`))
		code, message := a.context(api.BuildPhaseTypePostBuild)
		if code != "COMMAND_EXECUTION_ERROR" || message != "Error while executing command: exit 3. Reason: exit status 3" {
			t.Errorf("POST_BUILD ends %s %q:\n%s", code, message, log)
		}
		if want := strings.Replace(allPhases, "POST_BUILD", "POST_BUILD:FAILED", 1); a.phases() != want {
			t.Errorf("the phases are %s:\n%s", a.phases(), log)
		}
		for _, want := range []string{"\none\ntwo\n", "\n***\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
		if left := living(t, mark); len(left) != 0 {
			t.Errorf("processes %v of the user outlive the build", left)
		}
	})
}

func TestAUserThatThereIsNot(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
phases:
  pre_build: {commands: [echo pre $((40+2))]}
  build: {run-as: nosuchuser, commands: [echo build $((40+2))], finally: [echo finally $((40+2))]}
`))
		code, message := a.context(api.BuildPhaseTypeBuild)
		if code != "CLIENT_ERROR" || message != "Commands cannot run as nosuchuser: user: unknown user nosuchuser" {
			t.Errorf("BUILD ends %s %q", code, message)
		}
		if strings.Contains(log, "build 42") || strings.Contains(log, "finally 42") || !strings.Contains(log, "pre 42") {
			t.Errorf("the log is\n%s", log)
		}
	})
}

// Who runs a server that is not root's is root to a build, as far as it can.
func TestAServerThatIsNotRootsHasOneUser(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
phases:
  pre_build: {run-as: root, commands: ['echo pre $((40+2))']}
  build: {run-as: daemon, commands: [echo build $((40+2))]}
`), asUser(t, 65534))
		code, message := a.context(api.BuildPhaseTypeBuild)
		if code != "CLIENT_ERROR" || !strings.Contains(message, "only a server that runs as root") {
			t.Errorf("BUILD ends %s %q:\n%s", code, message, log)
		}
		if !strings.Contains(log, "pre 42") || strings.Contains(log, "build 42") {
			t.Errorf("the log is\n%s", log)
		}
	})
}
