package agent_test

import (
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

func TestAnEnvironmentWithWhichNoProgramStarts(t *testing.T) {
	work := inline("version: 0.2\nphases: {build: {commands: [env]}}\n")
	work.Variables = []agentapi.Variable{{Name: "SMALL", Value: "x"}, {Name: "HUGE", Value: strings.Repeat("x", 10<<20)}}
	a, log := run(t, agentapi.Sandbox{}, work)
	code, message := a.context(api.BuildPhaseTypeDownloadSource)
	if a.phases() != badSpec || code != "CLIENT_ERROR" || !strings.Contains(message, "the environment variable HUGE has 10485765 bytes, and Linux allows one 131071") {
		t.Errorf("%s: %s %.300q\n%.3000s", a.phases(), code, message, log)
	}

	work.Variables = nil
	for i := range 100 {
		work.Variables = append(work.Variables, agentapi.Variable{Name: "V" + strings.Repeat("x", i), Value: strings.Repeat("x", 100_000+i)})
	}
	a, log = run(t, agentapi.Sandbox{}, work)
	code, message = a.context(api.BuildPhaseTypeDownloadSource)
	if code != "CLIENT_ERROR" || !strings.Contains(message, "all environment variables together have 10") || !strings.Contains(message, "The largest is V"+strings.Repeat("x", 99)+", with 100200 bytes") {
		t.Errorf("%s: %s %.300q\n%.3000s", a.phases(), code, message, log)
	}

	// As much as there may be of one variable works.
	work.Variables = []agentapi.Variable{{Name: "LARGE", Value: strings.Repeat("x", 128<<10-7)}}
	if a, log = run(t, agentapi.Sandbox{}, work); a.status() != api.StatusTypeSucceeded {
		t.Errorf("with the largest variable that there may be the build ends %s:\n%.3000s", a.status(), log)
	}
}

// Commands can make the environment as large, and then nothing else tells why
// the next one fails.
func TestAnEnvironmentThatBecomesTooLarge(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline("version: 0.2\nphases: {build: {commands: ['BIG=$(head -c 200000 /dev/zero | tr \"\\0\" x)', 'ls /']}}\n"))
		if a.status() != api.StatusTypeFailed || !strings.Contains(log, "] ") || !strings.Contains(log, "No program can be started any more: the environment variable BIG has 200004 bytes") {
			t.Errorf("the build ends %s:\n%.3000s", a.status(), log)
		}
	})
}
