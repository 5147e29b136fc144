package runnertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"slipway/internal/agentapi"
)

// agentArgument makes a test binary an agent instead.
const agentArgument = "runnertest-agent"

// Command returns the command of the suite's agent: this test binary, whose
// TestMain must call MaybeAgent first.
func Command() []string { return []string{"/proc/self/exe", agentArgument} }

// MaybeAgent runs the suite's agent and ends the process, if that is what this
// process was started as.
func MaybeAgent() {
	if len(os.Args) < 2 || os.Args[1] != agentArgument {
		return
	}
	if err := agent(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

// agent does what the project in the build's id says: see the suite.
func agent(stdin io.Reader) error {
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	var l agentapi.Launch
	if err := json.NewDecoder(stdin).Decode(&l); err != nil {
		return err
	}
	project, _, _ := strings.Cut(l.BuildID, ":")
	if project == "broken" {
		return fmt.Errorf("broken as it should be")
	}
	lock, err := os.OpenFile(filepath.Join(l.Dir, "agent.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	if _, err := lock.WriteString(strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(l.Dir, "src", "locked"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(l.Dir, "src", "locked", "file"), nil, 0o400); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(l.Dir, "src", "locked"), 0o500); err != nil {
		return err
	}
	if project == "stubborn" {
		// A command in a session of its own, as shells with job control make them.
		cmd := exec.CommandContext(context.Background(), "sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return err
		}
	}
	// Connections must not outlive the word: the suite's server waits for them.
	c := agentapi.NewClient(l)
	_, err = c.Begin(context.Background())
	c.Close()
	if err != nil || project == "brief" {
		return err
	}
	for range terminate {
		if project != "stubborn" {
			return nil
		}
	}
	return nil
}
