package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/internal/runner/docker/dockertest"
)

// checkout makes a directory with these files.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ran is what one slipway run came to.
type ran struct {
	log, summary string
	code         int
}

// runs has slipway run build dir.
func runs(t *testing.T, dir string, args ...string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), append([]string{"run"}, args...)...)
	var out, err bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &err
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	r := ran{}
	if e, ok := errors.AsType[*exec.ExitError](cmd.Run()); ok {
		r.code = e.ExitCode()
	}
	r.log, r.summary = out.String(), err.String()
	left, e := os.ReadDir(strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "TMPDIR="))
	if e != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind, %v", left, e)
	}
	return r
}

func (r ran) holds(t *testing.T, code int, log, summary []string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, want := range log {
		if !strings.Contains(r.log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	for _, want := range summary {
		if !strings.Contains(r.summary, want) {
			t.Errorf("the summary lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("log:\n%s\nsummary:\n%s", r.log, r.summary)
	}
}

func TestRun(t *testing.T) {
	dir := checkout(t, map[string]string{
		"buildspec.yml":   "version: 0.2\nenv: {variables: {STAGE: prod, LEVEL: one}}\nphases:\n  install: {commands: [echo installing]}\n  build:\n    commands:\n      - cat notes/today.txt\n      - echo \"$STAGE $LEVEL $CODEBUILD_LOCAL_BUILD\" > made\n      - cat made\n",
		"ci/other.yml":    "version: 0.2\nphases:\n  build:\n    commands: [make all]\n    finally: [not-a-tool]\n",
		"broken.yml":      "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n",
		"notes/today.txt": "not committed\n",
		"env.list":        "# settings\n\nSTAGE=staging\nLEVEL='two'\n",
	})
	if err := os.Symlink("notes/today.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, sandbox := range []string{"--sandbox=bubblewrap", "--sandbox=none"} {
		runs(t, dir, sandbox).holds(t, 0, []string{"not committed\n", "prod one true\n", "Phase complete: BUILD State: SUCCEEDED"}, []string{"BUILD", "SUCCEEDED"})
	}
	if _, err := os.Stat(filepath.Join(dir, "made")); err == nil {
		t.Error("the build wrote into the directory itself")
	}
	t.Run("variables", func(t *testing.T) {
		runs(t, dir, "--env-file", "env.list", "--env", "STAGE=test").holds(t, 0, []string{"test 'two' true\n"}, nil)
	})
	t.Run("exported variables", func(t *testing.T) {
		dir := checkout(t, map[string]string{"buildspec.yml": "version: 0.2\nenv: {exported-variables: [TAG, TEXT, QUOTED]}\nphases:\n  build:\n    commands:\n      - TAG='v1 of it'; QUOTED='\"q\"'\n      - TEXT=$(printf 'two\\n\\033[1mlines')\n"})
		runs(t, dir).holds(t, 0, nil, []string{"\nSUCCEEDED\nExported variables:\n  TAG=v1 of it\n  TEXT=\"two\\n\\x1b[1mlines\"\n  QUOTED=\"\\\"q\\\"\"\n"})
	})
	t.Run("one phase", func(t *testing.T) {
		r := runs(t, dir, "--phase", "build")
		r.holds(t, 0, []string{"prod one true"}, nil)
		if strings.Contains(r.log, "installing") {
			t.Errorf("install ran:\n%s", r.log)
		}
	})
	t.Run("a failing command", func(t *testing.T) {
		runs(t, dir, "--buildspec", "ci/other.yml").holds(t, 1,
			[]string{"Command did not exit successfully make all exit status"}, []string{"FAILED", "BUILD: exit status ", " of the command in line 4 of ci/other.yml:\n  make all\n"})
	})
	t.Run("a missing tool", func(t *testing.T) {
		runs(t, checkout(t, map[string]string{"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - no-such-tool --now\n"})).holds(t, 1, nil,
			[]string{"line 5 of buildspec.yml:\n  no-such-tool --now\n127 is a command that is not found."})
	})
	t.Run("a tool that only this shell finds", func(t *testing.T) {
		tools := filepath.Join(t.TempDir(), "tools")
		if err := errors.Join(os.MkdirAll(filepath.Join(tools, "bin"), 0o755), os.WriteFile(filepath.Join(tools, "bin", "my-tool"), []byte("#!/bin/sh\necho it is found\n"), 0o755)); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", os.Getenv("PATH")+":"+filepath.Join(tools, "bin"))
		dir := checkout(t, map[string]string{"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - my-tool --now\n"})
		runs(t, dir).holds(t, 1, nil, []string{"127 is a command that is not found. This shell finds my-tool in " + filepath.Join(tools, "bin") + ": add --env PATH --sandbox-read-only " + tools + ","})
		runs(t, dir, "--env", "PATH", "--sandbox-read-only", tools).holds(t, 0, []string{"\nit is found\n"}, nil)
	})
	t.Run("a broken buildspec", func(t *testing.T) {
		runs(t, dir, "-b", "broken.yml").holds(t, 1, []string{"YAML_FILE_ERROR"}, []string{"DOWNLOAD_SOURCE: Expected Commands[0] to be of string type: found subkeys instead at line 5", "\nbroken.yml:5:9: error: ", "     5 |       - echo a: b\n       |         ^~~~~~~~~\n"})
	})
	t.Run("no buildspec", func(t *testing.T) {
		runs(t, t.TempDir()).holds(t, 1, nil, []string{"buildspec.yml: no such file or directory", "name one with --buildspec"})
		runs(t, dir, "-b", "gone.yml").holds(t, 1, nil, []string{"gone.yml: no such file or directory", "there is buildspec.yml: name one"})
	})
	for _, wrong := range []struct{ name, arg, value, want string }{
		{"a phase", "--phase", "deploy", "phases are install, pre_build, build and post_build"},
		{"a timeout", "--timeout", "1m", "--timeout must be from 5m to 36h"},
		{"a variable", "--env", "NOBODY_HAS_SET_IT", "write --env NOBODY_HAS_SET_IT=VALUE"},
		{"a file of variables", "--env-file", "broken.yml", "broken.yml:1: NAME=VALUE is expected"},
		{"a directory", "--source", "nowhere", "there is no directory nowhere"},
		{"a secondary source", "--source", "a b:.", "IDENTIFIER:DIR is expected"},
		{"a mount", "--mount", ".", "a build works on a copy"},
		{"an image", "--image", "aws/codebuild/standard:7.0", "--docker-image aws/codebuild/standard:7.0=IMAGE"},
		{"a profile", "--profile", "work", "without --aws-config"},
		{"a folder of artifacts", "--artifacts", ".", "the directory that is built"},
		{"a sandbox", "--sandbox", "jail", "auto, bubblewrap or none"},
	} {
		t.Run(wrong.name+" that is none", func(t *testing.T) {
			runs(t, dir, wrong.arg, wrong.value).holds(t, 2, nil, []string{wrong.want})
		})
	}
}

func TestRunIsStoppedByCtrlC(t *testing.T) {
	dir := checkout(t, map[string]string{"buildspec.yml": endless})
	cmd := exec.Command(filepath.Join(bin, "slipway"), "run", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var summary bytes.Buffer
	cmd.Stderr = &summary
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for buf := make([]byte, 4096); !strings.Contains(log.String(), "Running command"); {
		n, err := out.Read(buf)
		log.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after:\n%s", err, log.String())
		}
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, err := log.ReadFrom(out); err != nil {
		t.Fatal(err)
	}
	if e, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || e.ExitCode() != 1 {
		t.Errorf("it ended with %v, want exit code 1", e)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if !strings.Contains(summary.String(), "STOPPED") || strings.Contains(log.String(), "Running command echo") {
		t.Errorf("log:\n%s\nsummary:\n%s", log.String(), summary.String())
	}
}

// A secret of the command line is a variable of the build that no log shows, and
// the value of what a buildspec takes from AWS.
func TestRunWithSecrets(t *testing.T) {
	dir := checkout(t, map[string]string{
		"buildspec.yml": "version: 0.2\nenv:\n  parameter-store: {TOKEN: /app/token}\n  secrets-manager: {LOGIN: \"app:password\"}\n  exported-variables: [TOKEN]\nphases:\n  build:\n    commands:\n      - echo \"token=$TOKEN $(printf %s \"$TOKEN\" | base64)\"\n      - echo \"${#TOKEN} ${#LOGIN}\"\n      - tr '\\0' '\\n' < /proc/$$/cmdline\n",
		"login":         "correct-horse\n",
	})
	t.Setenv("MY_TOKEN", "tok-4711-abcdef")
	args := []string{"--secret", "TOKEN=env:MY_TOKEN", "--secret", "LOGIN=file:login"}
	for _, more := range [][]string{nil, {"--sandbox=none"}} {
		r := runs(t, dir, append(args, more...)...)
		r.holds(t, 0, []string{"token=*** ***\n", "15 13\n"}, []string{"\nExported variables:\n  TOKEN=***\n"})
		if all := r.log + r.summary; strings.Contains(all, "4711") || strings.Contains(all, "dG9rLTQ3") || strings.Contains(all, "horse") {
			t.Errorf("a secret is shown:\n%s", all)
		}
	}
	t.Run("one is missing", func(t *testing.T) {
		runs(t, dir, args[2:]...).holds(t, 1, nil, []string{"The buildspec takes TOKEN from the parameter /app/token", "add --secret TOKEN=env:TOKEN "})
	})
	t.Run("a value in place of its source", func(t *testing.T) {
		r := runs(t, dir, "--secret", "TOKEN=hunter22")
		r.holds(t, 2, nil, []string{"--secret needs NAME=env:VARIABLE or NAME=file:PATH"})
		if strings.Contains(r.summary, "hunter22") {
			t.Errorf("it repeats the value: %s", r.summary)
		}
	})
	t.Run("a variable that is not set", func(t *testing.T) {
		runs(t, dir, "--secret", "TOKEN=env:NOBODY_SET_IT").holds(t, 2, nil, []string{"--secret TOKEN: the variable NOBODY_SET_IT is not set here"})
	})
	t.Run("a file that is not there", func(t *testing.T) {
		runs(t, dir, "--secret", "TOKEN=file:nowhere").holds(t, 2, nil, []string{"--secret TOKEN: open nowhere: no such file"})
	})
}

// A secret that stands for nothing in the buildspec is one of the build's
// environment: it is not exported, and beats the buildspec's variable.
func TestRunWithSecretsOfTheEnvironment(t *testing.T) {
	dir := checkout(t, map[string]string{
		"buildspec.yml": "version: 0.2\nenv:\n  variables: {TOKEN: beaten}\n  exported-variables: [TOKEN]\nphases:\n  build:\n    commands:\n      - echo \"${#TOKEN} $TOKEN\"\n",
		"token":         "tok-4711-abcdef\n",
	})
	r := runs(t, dir, "--secret", "TOKEN=file:token", "--env", "TOKEN=beaten, too")
	r.holds(t, 0, []string{"\n15 ***\n"}, nil)
	if strings.Contains(r.summary, "TOKEN") {
		t.Errorf("it is exported:\n%s", r.summary)
	}
}

func TestRunLaysArtifacts(t *testing.T) {
	dir := checkout(t, map[string]string{
		"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - mkdir -p out/deep && echo one > out/a && echo two > out/deep/b && chmod 755 out/a && ls\nartifacts:\n  files: ['**/*']\n  base-directory: out\n  secondary-artifacts:\n    docs: {files: [README]}\n",
		"README":        "read me\n",
	})
	to := filepath.Join(dir, "laid")
	for range 2 { // the second build replaces what the first laid, and does not take it for source
		r := runs(t, dir, "-a", "laid")
		r.holds(t, 0, nil, []string{"Artifact: 2 files, 8 bytes in " + to + "\n", "Artifact docs: 1 file, 8 bytes in " + to + "/docs\n"})
		if strings.Contains(r.log, "\nlaid\n") {
			t.Errorf("what was laid is copied as source:\n%s", r.log)
		}
	}
	for name, want := range map[string]string{"a": "one\n", "deep/b": "two\n", "docs/README": "read me\n"} {
		if text, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(text) != want {
			t.Errorf("%s is %q, %v", name, text, err)
		}
	}
	if info, err := os.Stat(filepath.Join(to, "a")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("a program is laid as %v, %v", info.Mode(), err)
	}
	t.Run("a link in the folder leads nowhere", func(t *testing.T) {
		away := t.TempDir()
		if err := errors.Join(os.RemoveAll(filepath.Join(to, "deep")), os.Symlink(away, filepath.Join(to, "deep"))); err != nil {
			t.Fatal(err)
		}
		runs(t, dir, "-a", "laid").holds(t, 1, nil, []string{"UPLOAD_ARTIFACTS: Failed to upload artifacts: deep/b cannot be laid into " + to})
		if left, err := os.ReadDir(away); err != nil || len(left) > 0 {
			t.Errorf("a link was followed: %v, %v", left, err)
		}
	})
	t.Run("without a folder", func(t *testing.T) {
		runs(t, dir).holds(t, 0, nil, []string{"The buildspec's artifacts are not gathered: --artifacts DIR"})
	})
}

// The flags of AWS's script mean what they mean there.
func TestRunAsTheScriptOfAWS(t *testing.T) {
	dir := checkout(t, map[string]string{
		"app/ci.yml":  "version: 0.2\nphases:\n  build:\n    commands:\n      - cat \"$CODEBUILD_SRC_DIR_lib/lib.txt\"\n      - echo \"$STAGE $AWS_REGION $AWS_ACCESS_KEY_ID ${#AWS_SECRET_ACCESS_KEY} $AWS_SECRET_ACCESS_KEY ${AWS_PROFILE-none} $AWS_MAX_ATTEMPTS\"\n",
		"lib/lib.txt": "from the library\n",
		"env":         "STAGE=test\n",
		"away/it.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - \"false\"\n",
		"aws/config":  "[profile work]\nregion = eu-west-1\n",
		"aws/login":   "[work]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = wJalrXUtnFEMIexample\n",
	})
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": filepath.Join(dir, "aws/config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "aws/login"), "AWS_MAX_ATTEMPTS": "7",
		"AWS_PROFILE": "other",
	} {
		t.Setenv(name, value)
	}
	runs(t, dir, "-s", "app", "-s", "lib:lib", "-b", "ci.yml", "-e", "env", "-c", "-p", "work", "-l", "public.ecr.aws/codebuild/local-builds:latest", "-r", "reports").holds(t, 0,
		[]string{"from the library\n", "test eu-west-1 AKIAEXAMPLE 20 *** none 7\n"}, []string{"--agent-image is not used", "--report-dir is not used"})
	t.Run("a buildspec elsewhere", func(t *testing.T) {
		runs(t, dir, "-s", "app", "-b", "away/it.yml").holds(t, 1, nil, []string{"line 5 of away/it.yml:\n  false\n"})
	})
}

func TestRunInAContainer(t *testing.T) {
	dockertest.Engine(t)
	dir := checkout(t, map[string]string{
		"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - test -x /bin/busybox && id -u && cat file > made\n  post_build: {commands: [no-such-tool]}\nartifacts: {files: [made]}\n",
		"file":          "in a container\n",
	})
	r := runs(t, dir, "-i", "aws/codebuild/standard:9.0", "--docker-image", "aws/codebuild/*="+dockertest.Image, "-a", "out")
	r.holds(t, 1, []string{"Image aws/codebuild/standard:9.0 is " + dockertest.Image, "\n0\n"}, []string{"the image does not have it", "Artifact: 1 file"})
	if text, err := os.ReadFile(filepath.Join(dir, "out/made")); err != nil || string(text) != "in a container\n" {
		t.Errorf("the artifact is %q, %v", text, err)
	}
	t.Run("no engine", func(t *testing.T) {
		t.Setenv("DOCKER_HOST", "unix:///nowhere.sock")
		runs(t, dir, "-i", dockertest.Image).holds(t, 1, nil, []string{"no Docker engine answers at unix:///nowhere.sock", "without --image the build uses the tools of this machine"})
	})
}
