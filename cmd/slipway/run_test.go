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
	t.Run("a broken buildspec", func(t *testing.T) {
		runs(t, dir, "-b", "broken.yml").holds(t, 1, []string{"YAML_FILE_ERROR"}, []string{"DOWNLOAD_SOURCE: Expected Commands[0] to be of string type: found subkeys instead at line 5"})
	})
	t.Run("no buildspec", func(t *testing.T) {
		runs(t, t.TempDir()).holds(t, 1, nil, []string{"buildspec.yml: no such file or directory"})
	})
	for _, wrong := range []struct{ name, arg, value, want string }{
		{"a phase", "--phase", "deploy", "phases are install, pre_build, build and post_build"},
		{"a timeout", "--timeout", "1m", "--timeout must be from 5m to 36h"},
		{"a variable", "--env", "NOBODY_HAS_SET_IT", "write --env NOBODY_HAS_SET_IT=VALUE"},
		{"a file of variables", "--env-file", "broken.yml", "broken.yml:1: NAME=VALUE is expected"},
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
