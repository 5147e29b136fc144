package buildspec_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"slipway/internal/buildspec"
)

// everyKey is the guide's table of keys.
func everyKey(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/buildspec.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "## Every key\n")
	if !ok {
		t.Fatal("there is no table of every key")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	return table
}

// The guide says of every key what becomes of it.
func TestTheGuideHasEveryKey(t *testing.T) {
	table := everyKey(t)
	for _, key := range strings.Fields(`version run-as shell variables parameter-store secrets-manager exported-variables git-credential-helper
		environment_variables plaintext upload-artifacts logs install pre_build build post_build on-failure commands finally runtime-versions steps
		reports files file-format base-directory discard-paths artifacts name exclude-paths enable-symlinks s3-prefix secondary-artifacts type
		cache paths key fallback-keys action batch fast-fail build-list build-graph build-matrix build-fanout identifier buildspec debug-session
		ignore-failure env depend-on compute-type fleet image privileged-mode static dynamic parallelism`) {
		if !strings.Contains(table, "`"+key+"`") && !strings.Contains(table, "."+key+"`") && !strings.Contains(table, "."+key+".") && !strings.Contains(table, "`"+key+".") {
			t.Errorf("the guide's table does not have %s", key)
		}
	}
}

// What lint says to be missing is missing in the guide, and nothing else is.
func TestTheGuideAndLintAgreeOnWhatIsCarriedOut(t *testing.T) {
	table := everyKey(t)
	for row, blocks := range map[string]string{
		"| `run-as` |": "run-as: me\n", "| `….run-as` |": "phases: {build: {run-as: me, commands: [make]}}\n",
		"| `env.parameter-store` |": "env: {parameter-store: {A: /a}}\n", "| `env.secrets-manager` |": "env: {secrets-manager: {A: a}}\n",
		"| `env.git-credential-helper` |": "env: {git-credential-helper: yes}\n", "| `env.variables` |": "env: {variables: {A: a}}\n", "| `env.exported-variables` |": "env: {exported-variables: [A]}\n",
		"| `….on-failure` | `ABORT`": "phases: {build: {on-failure: ABORT, commands: [make]}}\n", "| `….on-failure` | `RETRY`": "phases: {build: {on-failure: RETRY, commands: [make]}}\n",
		"| `….runtime-versions` |": "phases: {install: {runtime-versions: {go: 1.26}, commands: [make]}}\n", "| `….commands`, `….finally` |": "phases: {build: {finally: [make]}}\n",
		"| `reports.<group>` |": "reports: {a: {files: [a]}}\n", "| `….file-format` |": "reports: {a: {files: [a], file-format: JUNITXML}}\n", "| `artifacts.files` |": "artifacts: {files: [a]}\n",
		"| `cache.paths` |": "cache: {paths: ['a/**/*']}\n", "| `cache.key` |": "cache: {paths: ['a/**/*'], key: a}\n",
		"| `proxy.upload-artifacts`, `proxy.logs` |": "proxy: {logs: yes}\n", "| `batch.build-fanout` |": "batch: {build-fanout: {parallelism: 2}}\n",
	} {
		_, rest, ok := strings.Cut(table, row)
		if !ok {
			t.Errorf("there is no row %s", row)
			continue
		}
		rest, _, _ = strings.Cut(rest, "\n")
		guide := strings.Contains(rest, "| checked")
		begin := "version: 0.2\n"
		if !strings.HasPrefix(blocks, "phases:") {
			begin += "phases: {build: {commands: [make]}}\n"
		}
		lint := slices.ContainsFunc(buildspec.Lint([]byte(begin+blocks)), func(f buildspec.Finding) bool { return strings.HasPrefix(f.Message, "This server ") })
		if guide != lint {
			t.Errorf("the guide says that %s is missing: %t; lint does: %t", row, guide, lint)
		}
	}
}
