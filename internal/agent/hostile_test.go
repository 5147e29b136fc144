package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/agent/sandbox"
	"slipway/internal/agentapi"
	"slipway/internal/api"
)

// User code owns its workspace and may do with the files there what it likes.
// It harms its own build at most, and what it gets wrong is told.
func TestUserCodeThatMeddlesWithTheAgentsFiles(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	const tail = "\n  post_build: {commands: ['echo went $((40+2))']}\n"
	for name, command := range map[string]string{
		"the variables are a link":             `ln -sf OUTSIDE "$CODEBUILD_SCRIPT_DIR/env.sh"; exit 0`,
		"the variables are a pipe":             `rm "$CODEBUILD_SCRIPT_DIR/env.sh"; mkfifo "$CODEBUILD_SCRIPT_DIR/env.sh"; exit 0`,
		"the variables are a directory":        `rm "$CODEBUILD_SCRIPT_DIR/env.sh"; mkdir -p "$CODEBUILD_SCRIPT_DIR/env.sh/x"; exit 0`,
		"the variables are gone":               `rm "$CODEBUILD_SCRIPT_DIR/env.sh"; exit 0`,
		"the script is a link":                 `ln -sf OUTSIDE "$CODEBUILD_SCRIPT_DIR/script.sh"; exit 0`,
		"the script is a directory":            `cd "$CODEBUILD_SCRIPT_DIR"; rm script.sh; mkdir -p script.sh/x; exit 0`,
		"the directory's name is a link":       `ln -sf OUTSIDE "$CODEBUILD_SCRIPT_DIR/dir"; exit 0`,
		"the directory's name is a pipe":       `rm -f "$CODEBUILD_SCRIPT_DIR/dir"; mkfifo "$CODEBUILD_SCRIPT_DIR/dir"; exit 0`,
		"the directory's name has many lines":  `printf '/tmp\n$(touch x)\n' > "$CODEBUILD_SCRIPT_DIR/dir"; exit 0`,
		"all of the agent's files are gone":    `rm -rf "$CODEBUILD_SCRIPT_DIR"; exit 0`,
		"the folder of scripts is a link":      `rm -rf "$CODEBUILD_SCRIPT_DIR"; mkdir /tmp/x; ln -s /tmp/x "$CODEBUILD_SCRIPT_DIR"; exit 0`,
		"the folder of scripts cannot be read": `chmod 000 "$CODEBUILD_SCRIPT_DIR"/..; exit 0`,
		"the output is closed":                 `exec >&- 2>&-; exit 0`,
		"the source is gone":                   `rm -rf "$CODEBUILD_SRC_DIR"; exit 0`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
				a, log := run(t, box, inline("version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        "+strings.ReplaceAll(command, "OUTSIDE", outside)+tail))
				switch a.status() {
				case api.StatusTypeSucceeded:
					if !strings.Contains(log, "\nwent 42\n") {
						t.Errorf("the build succeeds without its commands:\n%s", log)
					}
				case api.StatusTypeFailed: // the folder that the next script would be in is no longer one of the workspace
					if !strings.Contains(log, "CLIENT_ERROR") && !strings.Contains(log, "COMMAND_EXECUTION_ERROR") {
						t.Errorf("the build does not say why it failed:\n%s", log)
					}
				default:
					t.Errorf("the build ends %s:\n%s", a.status(), log)
				}
				if box.Bubblewrap == "" { // where user code can write as the agent's user anyway
					return
				}
				if text, err := os.ReadFile(outside); err != nil || string(text) != "untouched" {
					t.Errorf("the file outside holds %q, %v", text, err)
				}
			})
		})
	}
}

func TestUserCodeThatKillsTheEngineOfItsCommands(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		mark := marker(t)
		a, log := run(t, box, inline(`
version: 0.2
phases:
  build:
    commands: ['setsid sleep `+mark+` & echo before $((40+2)); kill -9 $PPID; sleep `+mark+`']
    finally: ['echo never $((40+2))']
  post_build:
    commands: ['echo never $((40+2))']
`))
		code, message := a.context(api.BuildPhaseTypeBuild)
		if a.status() != api.StatusTypeFailed || code != "CLIENT_ERROR" || !strings.HasPrefix(message, "Build container found dead before completing the build") {
			t.Errorf("the build ends %s with %s %q", a.status(), code, message)
		}
		if !strings.Contains(log, "\nbefore 42\n") || strings.Contains(log, "never 42") {
			t.Errorf("the log is\n%s", log)
		}
		a.gone(mark)
	})
}

// Whatever user code reads, in a sandbox or not, the agent's token is not there;
// in a sandbox, nothing of the host's but its tools is.
func TestWhatUserCodeCanFind(t *testing.T) {
	hidden := t.TempDir()
	if err := os.WriteFile(filepath.Join(hidden, "slipway.db"), []byte("the data folder's canary"), 0o644); err != nil {
		t.Fatal(err)
	}
	spec := fmt.Sprintf(`
version: 0.2
phases:
  build:
    commands:
      - cat /proc/*/environ 2>/dev/null | tr '\0' '\n' | sed 's/^/found /'
      - cat /proc/*/cmdline 2>/dev/null | tr '\0' ' '
      - cat %[1]s/slipway.db; find / -xdev -name slipway.db 2>/dev/null; ls -la %[1]s / /root
      - cat /etc/shadow; cat /proc/1/root/etc/shadow; ls -la /proc/self/fd
      - grep -r "%[2]s" /proc/*/environ "$HOME" /tmp "$CODEBUILD_SRC_DIR" && echo "tok""en" found
`, hidden, token[:4]+`["]*`+token[4:])
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		if box.Bubblewrap != "" {
			box.Hide = append(sandbox.RootOnly(nil), hidden)
		}
		inherited := func(a *agentProcess) { // as from the shell that started the server
			file, err := os.Open(filepath.Join(hidden, "slipway.db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { file.Close() })
			a.cmd.ExtraFiles = []*os.File{file}
		}
		a := launch(t, box, inline(spec+"        || true\n"), inherited)
		log := a.finish()
		if strings.Contains(log, token) || strings.Contains(log, "token found") {
			t.Errorf("the agent's token is in the log:\n%s", log)
		}
		if strings.Contains(log, "found AGENTS_OWN") && box.Bubblewrap != "" {
			t.Errorf("the agent's environment is in the log:\n%s", log)
		}
		if strings.Contains(log, "-> "+hidden) {
			t.Errorf("a file that the agent inherited is open:\n%s", log)
		}
		if box.Bubblewrap == "" {
			return
		}
		for _, secret := range []string{"canary", a.dir, "root:*:", "root:$", "root:!"} {
			if strings.Contains(log, secret) {
				t.Errorf("%q is in the log:\n%s", secret, log)
			}
		}
	})
}
