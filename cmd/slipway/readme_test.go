package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/runner/docker/dockertest"
	"slipway/internal/source/sourcetest"
)

// TestReadme runs the five minutes of the README as they stand there, with
// every AWS CLI of this machine. Around them, it only puts things in the way of
// a test: `make build` is done already, the server takes a free port and sends
// the example's provider elsewhere, following a log ends with the build.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tour, _ := strings.Cut(string(text), "\n## Five minutes\n")
	tour, _, _ = strings.Cut(tour, "\n## ")
	var script strings.Builder
	script.WriteString("set -eu\ntrap 'kill $!' EXIT # the server\n")
	for {
		_, rest, ok := strings.Cut(tour, "\n```sh\n")
		if !ok {
			break
		}
		block, rest, _ := strings.Cut(rest, "\n```")
		script.WriteString(block + "\n")
		tour = rest
	}
	for _, cli := range clis(t) {
		t.Run("AWS CLI "+cli.version, func(t *testing.T) {
			t.Parallel()
			ghe, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ghe.Close() })
			if _, err := ghe.Start("127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			ghe.AddToken(sourcetest.Token{Value: "ghp_yourtoken", Login: "ada", Scopes: []string{"repo"}})
			if err := ghe.CreateRepository("team", "app", true); err != nil {
				t.Fatal(err)
			}
			commit, err := ghe.Commit("team", "app", "main", map[string]string{
				"buildspec.yml": "version: 0.2\nphases: {build: {commands: [echo built $((40+2))]}}\n",
			}, "Add a buildspec")
			if err != nil {
				t.Fatal(err)
			}

			dir := t.TempDir()
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
				t.Fatal(err)
			}
			write("bin/make", "#!/bin/sh\n[ \"$*\" = build ]\n")
			write("bin/slipway", fmt.Sprintf(`#!/bin/sh
case $1 in
serve) shift; exec '%[1]s/slipway' serve --listen 127.0.0.1:0 --drain 0s --source-endpoint GITHUB_ENTERPRISE='%[2]s' "$@" > ready ;;
env) until grep -q 'listens on' ready; do :; done ;; # a user is slower than a server
esac
exec '%[1]s/slipway' "$@"
`, bin, strings.TrimSuffix(ghe.URL(), "/")))
			write("ready", "")
			flag := ""
			if cli.flag {
				flag = `--endpoint-url "$AWS_ENDPOINT_URL_CODEBUILD"`
			}
			write("bin/aws", fmt.Sprintf(`#!/bin/sh
case "$*" in
"logs tail "*"--follow")
	if [ '%[3]s' = 1 ]; then # which has no such command
		until '%[1]s' codebuild batch-get-builds --ids $('%[1]s' codebuild list-builds --query 'ids[0]' --output text) | grep -q '"buildComplete": true'; do :; done
		exit
	fi
	'%[1]s' %[2]s "$@" > tail & tail=$!
	until grep -q 'Phase complete: UPLOAD_ARTIFACTS' tail; do kill -0 $tail; done
	kill $tail
	exec cat tail ;;
esac
exec '%[1]s' %[2]s "$@"
`, cli.path, flag, cli.version[:1]))

			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script.String())
			cmd.Dir = dir
			cmd.Env = []string{"PATH=" + dir + "/bin:" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=json", "PYTHONUNBUFFERED=1"}
			cmd.WaitDelay = 10 * time.Second
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("the tour ends with %v:\n%s", err, out)
			}
			for _, want := range []string{
				`"Arn": "arn:aws:iam::000000000000:user/owner"`, `"shouldOverwrite": true`, `"arn": "arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise"`,
				`"authType": "PERSONAL_ACCESS_TOKEN"`, `"name": "app"`, `"resolvedSourceVersion": "` + commit + `"`,
			} {
				if !strings.Contains(string(out), want) {
					t.Errorf("the tour does not show %s:\n%s", want, out)
				}
			}
			if cli.version[:1] != "1" && !strings.Contains(string(out), "built 42") {
				t.Errorf("the tour does not show the log:\n%s", out)
			}
		})
	}
}

// TestReadmeWebhook runs the command with which the README makes a webhook.
func TestReadmeWebhook(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Builds from pushes and pull requests\n")
	_, block, _ := strings.Cut(section, "\n```\n")
	command, _, ok := strings.Cut(block, "\n```")
	if !ok || !strings.HasPrefix(command, "aws codebuild create-webhook ") {
		t.Fatalf("the README makes no webhook: %q", command)
	}
	eachForge(t, true, nil, func(t *testing.T, f *forge) {
		for _, cli := range clis(t) {
			script := fmt.Sprintf("set -eu; eval \"$('%s/slipway' env --data '%s')\"; aws() { '%s' \"$@\"%s; }; %s", bin, f.server.data, cli.path, map[bool]string{true: ` --endpoint-url "$AWS_ENDPOINT_URL_CODEBUILD"`}[cli.flag], command)
			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=json"}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), `"payloadUrl": "http://127.0.0.1:`) {
				t.Errorf("%s: %v\n%s", cli.version, err, out)
			}
			call[api.DeleteWebhookOutput](f.server, "DeleteWebhook", &api.DeleteWebhookInput{ProjectName: "app"})
		}
	})
}

// TestReadmeRun runs the commands of the README that need no server, at a
// terminal. Only the image is another one: that of the example is nowhere.
func TestReadmeRun(t *testing.T) {
	dockertest.Engine(t)
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Without a server\n")
	section, _, _ = strings.Cut(section, "\n## ")
	dir, programs, n := checkout(t, map[string]string{
		"buildspec.yml": "version: 0.2\nphases: {build: {commands: [echo built > made]}}\nartifacts: {files: [made]}\n",
	}), bin, 0
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "slipway run") {
			continue
		}
		n++
		person, program := newTerminal(t)
		go func() { _, _ = io.Copy(io.Discard, person) }()
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", strings.ReplaceAll(line, "registry.example.com/build:7", dockertest.Image))
		var log strings.Builder
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, program, &log, program
		cmd.Env = []string{"PATH=" + programs + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "TOKEN=tok-4711", "DOCKER_HOST=" + os.Getenv("DOCKER_HOST")}
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, log.String())
		}
	}
	if n == 0 {
		t.Error("the README has no command that needs no server")
	}
	if made, err := os.ReadFile(filepath.Join(dir, "out/made")); err != nil || string(made) != "built\n" {
		t.Errorf("the artifact is %q, %v", made, err)
	}
}
