package agent_test

import (
	"strings"
	"testing"

	"slipway/internal/agentapi"
)

// What on-failure says of retries reaches the record by which the server
// decides. The build itself goes on as without it.
func TestOnFailureRetry(t *testing.T) {
	for name, c := range map[string]struct {
		onFailure, command string
		retries            int
		says               string
	}{
		"alone":                         {"RETRY", "exit 1", 3, "the build is to be retried, at most 3 times in all"},
		"a count":                       {"RETRY-7", "exit 1", 7, "at most 7 times"},
		"none":                          {"RETRY-0", "exit 1", 0, ""},
		"a pattern that matches":        {"Retry-8-exit status 4+", "exit 44", 8, "at most 8 times"},
		"a pattern that does not":       {"RETRY-invalid+", "exit 1", 0, `not retried: "invalid+" is not in the error's message`},
		"a pattern that is none":        {"RETRY-2-(", "exit 1", 0, `"(" is no regular expression`},
		"a phase that goes well":        {"RETRY", "true", 0, ""},
		"a pattern tells no secret":     {"RETRY-s3cr", "exit 1 # s3cret-value", 0, `not in the error's message`},
		"the mask is what there is":     {`RETRY-\*\*\*`, "exit 1 # s3cret-value", 3, "at most 3 times"},
		"another action asks for none":  {"CONTINUE", "exit 1", 0, ""},
		"a pattern that takes its time": {`RETRY-(a|a|aa)*b`, "exit 1 # " + strings.Repeat("a", 5000), 0, "not in the error's message"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, log := run(t, agentapi.Sandbox{}, inline("version: 0.2\nphases:\n  build:\n    on-failure: '"+c.onFailure+"'\n    commands: ['"+c.command+"']\n  post_build:\n    commands: [echo post $((40+2))]\n"), masking("s3cret-value"))
			a.mu.Lock()
			defer a.mu.Unlock()
			if got := a.build.State.Retries; got != c.retries {
				t.Errorf("the record has %d retries, want %d", got, c.retries)
			}
			if !strings.Contains(log, c.says) || !strings.Contains(log, "\npost 42\n") {
				t.Errorf("the log lacks %q, or POST_BUILD:\n%s", c.says, log)
			}
			if c.says == "" && strings.Contains(log, "retried") {
				t.Errorf("the log speaks of retries:\n%s", log)
			}
		})
	}
}
