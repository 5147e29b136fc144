package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"slipway/internal/runner/docker/dockertest"
)

// TestRunOpensAShellOnFailure has a person look around in the place of a command
// that failed, wherever that is.
func TestRunOpensAShellOnFailure(t *testing.T) {
	dir := checkout(t, map[string]string{
		"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - mkdir sub && cd sub && MADE=by-the-build\n      - exit 7\n      - echo never\n  post_build: {commands: [cat found, \"false\"]}\n",
	})
	dockertest.Engine(t)
	for _, place := range []struct {
		name string
		args []string
	}{
		{"sandbox", []string{"--sandbox=bubblewrap"}},
		{"no sandbox", []string{"--sandbox=none"}},
		{"container", []string{"--image", dockertest.Image}},
	} {
		t.Run(place.name, func(t *testing.T) {
			person, program := newTerminal(t)
			if err := unix.IoctlSetWinsize(int(person.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 111}); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(raced, "slipway"), append([]string{"run", "--shell-on-failure"}, place.args...)...)
			var log bytes.Buffer
			cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, program, &log, program
			cmd.Env = append(os.Environ(), "TERM=xterm", "TMPDIR="+t.TempDir())
			before, err := unix.IoctlGetTermios(int(person.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var shown bytes.Buffer
			go func() {
				buf := make([]byte, 4096)
				for {
					n, err := person.Read(buf)
					mu.Lock()
					shown.Write(buf[:n])
					mu.Unlock()
					if err != nil {
						return
					}
				}
			}()
			shows := func(text string) {
				t.Helper()
				until(t, "the terminal shows "+text, func() bool {
					mu.Lock()
					defer mu.Unlock()
					return strings.Contains(shown.String(), text)
				})
			}
			until(t, "the terminal is the shell's", func() bool {
				mode, err := unix.IoctlGetTermios(int(person.Fd()), unix.TCGETS)
				return err == nil && mode.Lflag&unix.ICANON == 0
			})
			// What is typed is shown too: what it comes to must look different.
			for _, line := range []struct{ typed, shown string }{
				{"echo \"<$MADE $CODEBUILD_LAST_EXIT $TERM $(basename \"$PWD\")>\"", "<by-the-build 7 xterm sub>"},
				{"until [ \"$(stty size)\" = '33 111' ]; do :; done; echo si\"\"ze", "size"},
				{"sh -c 'echo sl\"\"eeping; exec sleep 1000'", "sleeping"},
			} {
				if place.name == "container" && strings.Contains(line.typed, "stty") {
					continue // busybox has none
				}
				if _, err := person.WriteString(line.typed + "\r"); err != nil {
					t.Fatal(err)
				}
				shows(line.shown)
			}
			// Ctrl-C ends what runs in the shell, and neither it nor the build.
			if _, err := person.WriteString("\x03"); err != nil {
				t.Fatal(err)
			}
			shows("^C")
			if _, err := person.WriteString("echo a\"\"live; echo in the \"\"shell > found; exit\r"); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 1 {
				t.Errorf("it ended with %v", err)
			}
			shows("alive")
			shows("BUILD: exit status 7 of the command in line 6")
			after, err := unix.IoctlGetTermios(int(person.Fd()), unix.TCGETS)
			if err != nil || after.Lflag != before.Lflag {
				t.Errorf("the terminal is left with %v, want %v, %v", after, before, err)
			}
			for want, not := range map[string]string{"in the shell\n": "echo never", "Opening a shell at the terminal": "alive"} {
				if text := log.String(); !strings.Contains(text, want) || strings.Contains(text, not) {
					t.Errorf("the log lacks %q or has %q:\n%s", want, not, text)
				}
			}
			if n := strings.Count(log.String(), "Opening a shell"); n != 1 {
				t.Errorf("%d shells were opened, want 1", n)
			}
			if t.Failed() {
				mu.Lock()
				t.Logf("the terminal showed:\n%s", shown.String())
				mu.Unlock()
			}
		})
	}
	t.Run("no terminal", func(t *testing.T) {
		runs(t, dir, "--shell-on-failure").holds(t, 2, nil, []string{"--shell-on-failure needs a terminal"})
	})
}
