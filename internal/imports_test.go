// Package internal_test holds the direction of imports: cmd → operations →
// nouns → leaves, plug-ins beside each other, the agent lean.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule forbids packages in the whole import graph below some others.
type rule struct {
	name   string
	of     []string // packages, relative to slipway/; a trailing /... means all below
	forbid []string // packages or trees that must not be among their dependencies
	except []string // dependencies that are allowed after all
}

var (
	nouns      = []string{"internal/accesskey", "internal/build", "internal/buildspec", "internal/credential", "internal/outbox", "internal/project", "internal/report/...", "internal/vault", "internal/webhook"}
	leaves     = []string{"internal/arn", "internal/fault", "internal/lazy", "internal/secret", "internal/seal"}
	operations = []string{"internal/codebuild", "internal/extension", "internal/cloudwatchlogs", "internal/ssm", "internal/secretsmanager"}
	outside    = []string{"slipway/internal/store/...", "slipway/internal/schedule/...", "slipway/internal/runner/...", "slipway/internal/source/...", "slipway/internal/keyring/...", "slipway/internal/vault/awsvault", "slipway/internal/vault/desk", "slipway/internal/vault/embedded", "slipway/internal/checkup", "slipway/internal/registrar", "slipway/internal/receiver", "slipway/internal/awsjson/...", "slipway/cmd/..."}
)

var rules = []rule{
	{name: "arn, fault, lazy and secret import nothing of ours", of: []string{"internal/arn", "internal/fault", "internal/lazy", "internal/secret"}, forbid: []string{"slipway/..."}},
	{name: "leaves import leaves only", of: leaves, forbid: []string{"slipway/..."}, except: []string{"slipway/internal/arn", "slipway/internal/fault", "slipway/internal/lazy", "slipway/internal/secret", "slipway/internal/seal"}},
	{name: "the generated shapes import secret only", of: []string{"internal/api", "internal/api/logs", "internal/api/sts", "internal/api/slipway", "internal/api/ssm", "internal/api/secretsmanager"}, forbid: []string{"slipway/..."}, except: []string{"slipway/internal/secret", "slipway/internal/api"}},
	{name: "nouns are pure: no SQL, no HTTP, no processes", of: nouns, forbid: append([]string{"database/sql", "net/http", "os/exec", "slipway/internal/codebuild", "slipway/internal/agentapi"}, outside...)},
	{name: "operations know no implementation", of: operations, forbid: append([]string{"database/sql", "os/exec"}, outside...)},
	{name: "the store knows nouns only", of: []string{"internal/store"}, forbid: []string{"net/http", "slipway/internal/codebuild", "slipway/internal/schedule", "slipway/internal/agentapi", "slipway/internal/awsjson", "slipway/internal/logstream"}},
	{name: "copies of logs know no store but that of logs", of: []string{"internal/logcopy"}, forbid: []string{"database/sql", "slipway/internal/store/...", "slipway/internal/blob", "slipway/internal/schedule"}},
	{name: "the scheduler knows no storage and no plug-in", of: []string{"internal/schedule"}, forbid: []string{"database/sql", "slipway/internal/store/...", "slipway/internal/runner/local", "slipway/internal/source/github", "slipway/internal/codebuild"}},
	{name: "plug-ins do not know each other", of: []string{"internal/runner/local", "internal/runner/docker", "internal/runner/process"}, forbid: []string{"slipway/internal/store/...", "slipway/internal/schedule", "slipway/internal/codebuild", "slipway/internal/credential", "slipway/internal/runner/local", "slipway/internal/runner/docker"}},
	{name: "source providers know their family only", of: []string{"internal/source/github", "internal/source/bitbucket", "internal/source/codecommit", "internal/source/gitlab"}, forbid: []string{
		"slipway/internal/store/...", "slipway/internal/schedule", "slipway/internal/codebuild", "slipway/internal/credential", "slipway/internal/webhook", "slipway/internal/keyring",
		"slipway/internal/source/sourcetest",
	}},
	{name: "checks know no storage and no provider by name", of: []string{"internal/checkup"}, forbid: []string{
		"database/sql", "slipway/internal/store/...", "slipway/internal/source/github", "slipway/internal/source/bitbucket", "slipway/internal/source/gitlab", "slipway/internal/codebuild", "slipway/internal/extension", "slipway/internal/schedule",
	}},
	{name: "the keyring, the registrar, the receiver and the recorder know no storage and no provider by name", of: []string{"internal/keyring", "internal/registrar", "internal/receiver", "internal/recorder"}, forbid: []string{
		"database/sql", "slipway/internal/store/...", "slipway/internal/source/github", "slipway/internal/source/bitbucket", "slipway/internal/source/gitlab", "slipway/internal/codebuild", "slipway/internal/schedule",
	}},
	{name: "where values come from knows no storage, and each place only its own", of: []string{"internal/vault/awsvault", "internal/vault/desk", "internal/vault/embedded"}, forbid: []string{
		"database/sql", "slipway/internal/store/...", "slipway/internal/schedule", "slipway/internal/codebuild", "slipway/internal/ssm", "slipway/internal/secretsmanager", "slipway/internal/awsjson",
		"slipway/internal/vault/awsvault", "slipway/internal/vault/desk", "slipway/internal/vault/embedded",
	}},
	{name: "the agent is lean and holds no server", of: []string{"internal/agent/...", "cmd/slipway-agent"}, forbid: []string{
		"database/sql", "modernc.org/...", "github.com/spf13/...", "github.com/aws/...", "github.com/tink-crypto/...", "google.golang.org/...",
		"slipway/internal/store/...", "slipway/internal/seal", "slipway/internal/codebuild", "slipway/internal/credential", "slipway/internal/source/...", "slipway/internal/awsjson",
		"slipway/internal/project", "slipway/internal/build", "slipway/internal/accesskey", "slipway/internal/vault/...",
	}},
	{name: "a build without a server has none of its parts", of: []string{"internal/solo"}, forbid: []string{
		"database/sql", "slipway/internal/store/...", "slipway/internal/seal", "slipway/internal/runner/local", "slipway/internal/source/github", "slipway/internal/codebuild", "slipway/internal/extension",
	}},
	{name: "the test provider stays out of everything but commands", of: append(append([]string{"internal/store", "internal/schedule", "internal/agentapi", "internal/agent/..."}, operations...), nouns...), forbid: []string{"slipway/internal/source/sourcetest"}},
}

func TestImportsPointOneWay(t *testing.T) {
	deps := dependencies(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			checked := 0
			for pkg, all := range deps {
				if !slices.ContainsFunc(r.of, func(of string) bool { return within(pkg, "slipway/"+of) }) {
					continue
				}
				checked++
				for _, dep := range all {
					matches := func(tree string) bool { return within(dep, tree) }
					if dep != pkg && slices.ContainsFunc(r.forbid, matches) && !slices.ContainsFunc(r.except, matches) {
						t.Errorf("%s depends on %s", pkg, dep)
					}
				}
			}
			if checked == 0 {
				t.Errorf("no package matches %v: the rule holds nothing", r.of)
			}
		})
	}
}

// within reports whether pkg is tree, or lies below it if tree ends in "/...".
func within(pkg, tree string) bool {
	if root, ok := strings.CutSuffix(tree, "/..."); ok {
		return pkg == root || strings.HasPrefix(pkg, root+"/")
	}
	return pkg == tree
}

// dependencies returns the whole import graph of our packages, without tests.
func dependencies(t *testing.T) map[string][]string {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Deps", "slipway/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Deps       []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return deps
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, "slipway/") {
			deps[p.ImportPath] = p.Deps
		}
	}
}
