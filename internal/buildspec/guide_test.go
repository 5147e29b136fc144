package buildspec_test

import (
	"os"
	"strings"
	"testing"
)

// The guide says of every key what becomes of it.
func TestTheGuideHasEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/buildspec.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "## Every key\n")
	if !ok {
		t.Fatal("there is no table of every key")
	}
	table, _, _ = strings.Cut(table, "\n## ")
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
