package main

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// level is the worst level of an area's findings.
func level(all []slipway.Finding, area string) (worst slipway.FindingLevel) {
	for _, f := range all {
		if f.Area == area && (worst == "" || worst == slipway.FindingLevelOk || f.Level == slipway.FindingLevelError) {
			worst = f.Level
		}
	}
	return worst
}

func TestDoctor(t *testing.T) {
	ghes := newProvider(t)
	s := serve(t, "--sandbox", "none")
	s.gitProject("app", ghes.cloneURL)
	call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
	s.listed(t, slipway.CredentialStateValid)
	report := func(code int, wants ...string) []slipway.Finding {
		t.Helper()
		s.expects(code, "", words("doctor"), wants...)
		out, got := s.tries("", "doctor", "--output", "json")
		var found slipway.DiagnoseOutput
		if err := json.Unmarshal([]byte(out), &found); err != nil || got != code {
			t.Fatalf("doctor --output json: exit code %d, %v\n%s", got, err, out)
		}
		return found.Findings
	}

	all := report(onlyWarnings, "ok       database: The database is sound and has ", "WARNING  sandbox: Builds run without a sandbox (--sandbox none)", "         → ",
		"ok       credential GITHUB_ENTERPRISE: It works, and belongs to ada. Used by the project app.", "The server listens on "+s.url, "Nothing is broken; warnings: ")
	for area, want := range map[string]slipway.FindingLevel{"clock": slipway.FindingLevelOk, "key": slipway.FindingLevelOk, "git": slipway.FindingLevelOk, "docker": slipway.FindingLevelOk} {
		if got := level(all, area); got != want {
			t.Errorf("%s is %q, want %s", area, got, want)
		}
	}

	s.stop()
	all = report(onlyWarnings, "WARNING  server: No server answers, so only this machine was looked at", "'slipway serve --data "+s.data+"'")
	if level(all, "database") != slipway.FindingLevelOk || level(all, "key") != slipway.FindingLevelOk || level(all, "credential") != "" {
		t.Errorf("without a server: %+v", all)
	}
	s.data = strings.TrimSuffix(s.data, "data") + "nothing"
	all = report(onlyWarnings, "The data folder does not exist yet.")
	if level(all, "database") != "" {
		t.Errorf("a database was made: %+v", all)
	}
}
