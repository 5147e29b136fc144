package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
)

// withRuntimes gives the place a list of runtimes, as CodeBuild's images have.
func withRuntimes(text string) func(*agentProcess) {
	return func(a *agentProcess) {
		dir := filepath.Join(a.dir, "codebuild/image/config")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			a.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "runtimes.yml"), []byte(text), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}

const someRuntimes = `
version: 0.1
runtimes:
  golang:
    versions:
      1.26: {commands: ["echo \"Installing Go ...\"", "export GO_AT=/opt/go1.26 && cd /"]}
  broken:
    versions:
      1: {commands: ["exit 9", "echo never $((40+2))"]}
`

func TestRuntimesOfAnImage(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a, log := run(t, box, inline(`
version: 0.2
env: {variables: {GO: 1.x}}
phases:
  install:
    runtime-versions: {golang: $GO}
  build:
    commands: ['test "$GO_AT" = /opt/go1.26 && test "$PWD" = "$CODEBUILD_SRC_DIR"']
`), withRuntimes(someRuntimes))
		_, got, _ := strings.Cut(a.steady(log), "Processing environment variables\n")
		got, _, _ = strings.Cut(got, "Cache is")
		want := strings.ReplaceAll(`# Resolved 'golang' runtime alias '$GO' to '1.x'.
# Resolved 'golang' runtime alias '1.x' to '1.26'.
# Selecting 'golang' runtime version '1.26' based on manual selections...
# Running command echo "Installing Go ..."
Installing Go ...

# Running command export GO_AT=/opt/go1.26 && cd /
# Moving to directory /codebuild/output/srcN/src
# `, "# ", "[Container] TIME ")
		if d := cmp.Diff(want, got); d != "" || a.status() != api.StatusTypeSucceeded {
			t.Errorf("the build ends %s, the log (-want +got)\n%s\n%s", a.status(), d, log)
		}
	})
}

func TestRuntimesThatCannotBeHad(t *testing.T) {
	for name, c := range map[string]struct{ want, file, code, message string }{
		"an unknown version":      {"golang: 1.25", someRuntimes, "YAML_FILE_ERROR", "Unknown runtime version named '1.25' of golang. This build image has the following versions: 1.26"},
		"an unknown runtime":      {"docker: 20", someRuntimes, "YAML_FILE_ERROR", "Unknown runtime named 'docker'. This build image has the following runtimes: broken, golang"},
		"a command that fails":    {"broken: 1", someRuntimes, "COMMAND_EXECUTION_ERROR", "Error while executing command: exit 9. Reason: exit status 9"},
		"a list that is none":     {"golang: 1.26", "runtimes: [", "CLIENT_ERROR", "The runtimes of the build's image cannot be read"},
		"a list that is too long": {"golang: 1.26", strings.Repeat("# comment\n", 200_000), "CLIENT_ERROR", "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, log := run(t, agentapi.Sandbox{}, inline("version: 0.2\nphases: {install: {runtime-versions: {"+c.want+"}}}\n"), withRuntimes(c.file))
			code, message := a.context(api.BuildPhaseTypeDownloadSource)
			if a.phases() != badSpec || code != c.code || !strings.Contains(message, c.message) || strings.Contains(log, "never 42") {
				t.Errorf("%s, %s %q\n%s", a.phases(), code, message, log)
			}
		})
	}
}
