package agent_test

import (
	"io"
	"os"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

// The guide starts a job in one command and waits for it in another.
func TestWaitingForAJobOfAnEarlierCommand(t *testing.T) {
	for _, shell := range []string{"sh", "bash"} {
		t.Run(shell, func(t *testing.T) {
			inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
				a := launch(t, box, inline(`
version: 0.2
env: {shell: `+shell+`}
phases:
  install:
    commands:
      - (cat < "${TMPDIR:-/tmp}/gate" > got; exit 9) & echo $! > bg.pid
      - set -u; true | true &
  build:
    commands:
      - wait "$(cat bg.pid)"; S=$?; test "$(cat got)" = open && test $S = 0
      - wait "$(cat bg.pid)"
      - (exit 7) & wait $! || test $? = 7
      - (exit 7) & wait "$(cat bg.pid)" $! || test $? = 7
      - (exit 7) & wait $! "$(cat bg.pid)"
      - wait 999999999 2>/dev/null || test $? = 127
      - (exit 7) & wait; test ! -e nothing
      - test "$(bash -c 'type -t wait')" = builtin && ! env | grep -q wait
      - nosuchtool 2> err; grep -q '4:.nosuchtool' err
`), withPipes("gate"))
				gate := a.pipe("gate", os.O_WRONLY)
				a.await("Running command wait")
				if _, err := io.WriteString(gate, "open"); err != nil {
					t.Fatal(err)
				}
				gate.Close()
				if log := a.finish(); a.status() != api.StatusTypeSucceeded {
					t.Errorf("the build ends %s:\n%s", a.status(), log)
				}
			})
		})
	}
}
