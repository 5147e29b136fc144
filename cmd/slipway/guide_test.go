package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/api"
)

// An awsCLI is one installed AWS command line.
type awsCLI struct {
	path    string
	version string
	flag    bool // too old to read endpoints from the environment
}

// clis returns the AWS command lines of this machine: Debian's, and the one on
// PATH if that is another.
func clis(t *testing.T) []awsCLI {
	t.Helper()
	var found []awsCLI
	seen := map[string]bool{}
	for _, name := range []string{"/usr/bin/aws", "aws"} {
		path, err := exec.LookPath(name)
		if err != nil || seen[path] {
			continue
		}
		seen[path] = true
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err != nil {
			t.Fatalf("%s --version: %v\n%s", path, err, out)
		}
		version, _, _ := strings.Cut(strings.TrimPrefix(string(out), "aws-cli/"), " ")
		found = append(found, awsCLI{path, version, strings.HasPrefix(version, "2.9.")})
	}
	if len(found) == 0 {
		t.Fatal("no AWS CLI is installed: 'apt-get install awscli'")
	}
	return found
}

// A shell is a user's shell that evaluated `slipway env`.
type shell struct {
	t   *testing.T
	dir string
	env []string
	cli awsCLI
	url string
}

func newShell(s *serverProcess, cli awsCLI) *shell {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "slipway"), "env", "--data", s.data).Output()
	if err != nil {
		s.t.Fatalf("slipway env: %v", err)
	}
	env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + s.t.TempDir(), "AWS_PAGER=", "AWS_CLI_AUTO_PROMPT=off"}
	for line := range strings.Lines(string(out)) {
		if assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(assignment, "=")
			env = append(env, name+"="+strings.Trim(value, "'"))
		}
	}
	return &shell{t: s.t, dir: s.t.TempDir(), env: env, cli: cli, url: s.url}
}

// try runs the AWS CLI and returns what it printed, and whether it succeeded.
func (sh *shell) try(args ...string) (stdout, stderr string, ok bool) {
	sh.t.Helper()
	if sh.cli.flag {
		args = append([]string{"--endpoint-url", sh.url}, args...)
	}
	cmd := exec.CommandContext(sh.t.Context(), sh.cli.path, args...)
	cmd.Dir, cmd.Env = sh.dir, sh.env
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	err := cmd.Run()
	return out.String(), problem.String(), err == nil
}

// aws runs the AWS CLI, fails the test if it fails, and returns what it printed.
func (sh *shell) aws(args ...string) string {
	sh.t.Helper()
	out, problem, ok := sh.try(args...)
	if !ok {
		sh.t.Fatalf("aws %s failed:\n%s%s", strings.Join(args, " "), out, problem)
	}
	return out
}

func (sh *shell) write(name, text string) {
	sh.t.Helper()
	if err := os.WriteFile(filepath.Join(sh.dir, name), []byte(text), 0o600); err != nil {
		sh.t.Fatal(err)
	}
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// TestGuide is "Connect source providers with access tokens (CLI)" of the
// CodeBuild guide, word for word, and the build it is for.
func TestGuide(t *testing.T) {
	for _, cli := range clis(t) {
		t.Run("AWS CLI "+cli.version, func(t *testing.T) {
			t.Parallel()
			ghes := newProvider(t)
			s := serve(t)
			sh := newShell(s, cli)

			skeleton := decode[map[string]any](t, sh.aws("codebuild", "import-source-credentials", "--generate-cli-skeleton"))
			for _, member := range []string{"serverType", "authType", "shouldOverwrite", "token", "username"} {
				if _, ok := skeleton[member]; !ok {
					t.Errorf("the skeleton has no %s: %v", member, skeleton)
				}
			}
			sh.write("import-source-credentials.json", `{
  "serverType": "GITHUB_ENTERPRISE",
  "authType": "PERSONAL_ACCESS_TOKEN",
  "shouldOverwrite": true,
  "token": "`+ghes.token+`"
}`)
			imported := decode[map[string]string](t, sh.aws("codebuild", "import-source-credentials", "--cli-input-json", "file://import-source-credentials.json", "--output", "json"))
			arn := "arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise"
			if imported["arn"] != arn || len(imported) != 1 {
				t.Errorf("import-source-credentials answered %v, want only arn %s", imported, arn)
			}
			list := sh.aws("codebuild", "list-source-credentials", "--output", "json")
			infos := decode[api.ListSourceCredentialsOutput](t, list).SourceCredentialsInfos
			if len(infos) != 1 || value(infos[0].ARN) != arn || infos[0].AuthType != "PERSONAL_ACCESS_TOKEN" || infos[0].ServerType != "GITHUB_ENTERPRISE" {
				t.Errorf("list-source-credentials answered %s", list)
			}
			if strings.Contains(list, ghes.token) {
				t.Error("list-source-credentials shows the token")
			}
			if _, problem, ok := sh.try("codebuild", "import-source-credentials", "--server-type", "GITHUB_ENTERPRISE", "--auth-type", "PERSONAL_ACCESS_TOKEN", "--token", "other", "--no-should-overwrite"); ok || !strings.Contains(problem, "(ResourceAlreadyExistsException)") {
				t.Errorf("importing again without overwriting: ok=%v, %s", ok, problem)
			}

			sh.aws("codebuild", "create-project", "--name", "app",
				"--source", "type=GITHUB_ENTERPRISE,reportBuildStatus=true,location="+ghes.cloneURL,
				"--artifacts", "type=NO_ARTIFACTS",
				"--environment", "type=LINUX_CONTAINER,image=local,computeType=BUILD_GENERAL1_SMALL",
				"--service-role", "arn:aws:iam::000000000000:role/build")
			started := decode[api.StartBuildOutput](t, sh.aws("codebuild", "start-build", "--project-name", "app", "--source-version", "main", "--output", "json", "--query", "{build:{id:build.id,arn:build.arn}}"))
			id := value(started.Build.ID)
			b := s.finished(id)
			if b.BuildStatus != api.StatusTypeSucceeded {
				t.Fatalf("the build ended %s: %+v", b.BuildStatus, b.Phases)
			}
			status := strings.TrimSpace(sh.aws("codebuild", "batch-get-builds", "--ids", id, "--query", "builds[0].[buildStatus,resolvedSourceVersion,currentPhase]", "--output", "text"))
			if want := "SUCCEEDED\t" + ghes.commit + "\tCOMPLETED"; status != want {
				t.Errorf("batch-get-builds shows %q, want %q", status, want)
			}
			events := sh.aws("logs", "get-log-events", "--log-group-name", "/aws/codebuild/app", "--log-stream-name", value(b.Logs.StreamName), "--start-from-head", "--output", "json")
			if !strings.Contains(events, "the secret ingredient is basil") || !strings.Contains(events, "Phase complete: BUILD State: SUCCEEDED") {
				t.Errorf("the log lacks what the build printed:\n%s", events)
			}
			if strings.HasPrefix(cli.version, "2.") {
				if tail := sh.aws("logs", "tail", "/aws/codebuild/app"); !strings.Contains(tail, "the secret ingredient is basil") {
					t.Errorf("aws logs tail lacks what the build printed:\n%s", tail)
				}
			}
			identity := sh.aws("sts", "get-caller-identity", "--output", "text")
			if !strings.Contains(identity, "arn:aws:iam::000000000000:user/owner") {
				t.Errorf("get-caller-identity answered %q", identity)
			}

			deleted := decode[map[string]string](t, sh.aws("codebuild", "delete-source-credentials", "--arn", arn, "--output", "json"))
			if deleted["arn"] != arn {
				t.Errorf("delete-source-credentials answered %v, want arn %s", deleted, arn)
			}
			if list := sh.aws("codebuild", "list-source-credentials", "--output", "json"); strings.Contains(list, "github") {
				t.Errorf("the deleted credential is still listed: %s", list)
			}
			if _, problem, ok := sh.try("codebuild", "delete-source-credentials", "--arn", arn); ok || !strings.Contains(problem, "(ResourceNotFoundException)") {
				t.Errorf("deleting it again: ok=%v, %s", ok, problem)
			}
			if _, problem, ok := sh.try("codebuild", "list-shared-projects"); ok || !strings.Contains(problem, "(NotImplementedException)") || !strings.Contains(problem, "ListSharedProjects") {
				t.Errorf("an operation that is not built: ok=%v, %s", ok, problem)
			}
		})
	}
}
