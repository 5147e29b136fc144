package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTerminal opens both ends of a new terminal.
func newTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// TestAPersonIsAskedForAValue has a person type a value at a terminal, which
// does not show it.
func TestAPersonIsAskedForAValue(t *testing.T) {
	s := serve(t)
	person, program := newTerminal(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), "secret", "put", "typed", "--data", s.data)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
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
	screen := func() string {
		mu.Lock()
		defer mu.Unlock()
		return shown.String()
	}
	until(t, "the terminal shows the prompt and nothing of what is typed", func() bool {
		mode, err := unix.IoctlGetTermios(int(person.Fd()), unix.TCGETS)
		return err == nil && mode.Lflag&unix.ECHO == 0 && strings.Contains(screen(), "Value: ")
	})
	if _, err := person.WriteString("hunter22\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, screen())
	}
	until(t, "the terminal shows what was done", func() bool { return strings.Contains(screen(), "Made the secret typed.") })
	if strings.Contains(screen(), "hunter") {
		t.Errorf("the terminal shows the value:\n%s", screen())
	}
	if got := s.held("typed"); got != "hunter22" {
		t.Errorf("the value is %q", got)
	}
}

// until waits until is.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("after a minute it is not so that %s", what)
		}
	}
}
