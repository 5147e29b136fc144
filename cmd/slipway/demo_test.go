package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs what `make demo` runs.
func TestDemo(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), "demo", "--once").CombinedOutput()
	if err != nil {
		t.Fatalf("slipway demo --once: %v\n%s", err, out)
	}
	for _, want := range []string{
		"The secret ingredient is basil.", "success  AWS CodeBuild us-east-1 (app): Build succeeded for project app",
		"DOWNLOAD_SOURCE FAILED: CLIENT_ERROR", "That was the main job.",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not show %q:\n%s", want, out)
		}
	}
	if strings.Contains(string(out), demoToken) {
		t.Error("the demo prints the token")
	}
}

// TestCommandLine holds what wrong command lines answer: exit code 2 and what
// to do, and nothing started.
func TestCommandLine(t *testing.T) {
	data := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"an account that is no number", []string{"serve", "--account", "me"}, "twelve digits"},
		{"a region that is none", []string{"serve", "--region", "here"}, "us-east-1"},
		{"open to everybody beyond loopback", []string{"serve", "--accept-any-credentials", "--listen", "0.0.0.0:0"}, "loopback"},
		{"an address without a port", []string{"serve", "--listen", "here"}, "host:port"},
		{"an unknown sandbox", []string{"serve", "--sandbox", "jail"}, "bubblewrap"},
		{"an unknown runner", []string{"serve", "--runner", "mars"}, "local"},
		{"deliveries that are forgotten at once", []string{"serve", "--keep-deliveries", "1m"}, "an hour or more"},
		{"a source endpoint that is none", []string{"serve", "--source-endpoint", "GITEA=http://x"}, "GITEA"},
		{"an unknown flag", []string{"serve", "--frobnicate"}, "frobnicate"},
		{"status without a build", []string{"status"}, "build id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), append(c.args, "--data", data)...)
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), c.want) {
				t.Errorf("exit code %d, want 2 and %q:\n%s", cmd.ProcessState.ExitCode(), c.want, out)
			}
		})
	}
	t.Run("env without a server", func(t *testing.T) {
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), "env", "--data", data).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "slipway serve") {
			t.Errorf("env: %v\n%s", err, out)
		}
	})
}
