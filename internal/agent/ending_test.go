package agent_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
)

// tree is a build whose BUILD runs until it is ended, with processes that left
// their parents and one that does not listen to SIGTERM. Nothing after it runs.
func tree(mark string) agentapi.Work {
	return inline(strings.ReplaceAll(`
version: 0.2
phases:
  install:
    commands: ['(setsid sleep MARK </dev/null >/dev/null 2>&1 &)', '[ -z "$ALIVE" ] || (exec sleep MARK >> "$ALIVE" &)']
  build:
    commands:
      - |
        sleep MARK & nohup sleep MARK >/dev/null 2>&1 &
        trap '' TERM INT HUP
        echo now $((40+2))
        sleep MARK
    finally: [echo finally $((40+2))]
  post_build:
    commands: [echo post $((40+2))]
`, "MARK", mark))
}

// gone fails the test if a process of a build is left.
func (a *agentProcess) gone(mark string) {
	a.t.Helper()
	if left := living(a.t, mark); len(left) > 0 {
		a.t.Errorf("processes %v are left of the build; its log:\n%s", left, a.text())
	}
}

func TestABuildIsEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		deadline      time.Duration // from now
		end           func(*agentProcess)
		status        api.StatusType
		code, message string
	}{
		{"by a signal to the agent", time.Hour, func(a *agentProcess) { _ = a.cmd.Process.Signal(syscall.SIGTERM) }, "STOPPED", "", ""},
		{"by the server's answer to a report", time.Hour, func(a *agentProcess) {
			a.set(func() { a.answer.End = api.StatusTypeStopped })
		}, "STOPPED", "", ""},
		{"by its deadline", 10 * time.Second, func(*agentProcess) {}, "TIMED_OUT", "BUILD_TIMED_OUT", "Build has timed out. "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
				mark := marker(t)
				work := tree(mark)
				work.Deadline = time.Now().Add(c.deadline)
				a := launch(t, box, work)
				a.await("\nnow 42\n")
				c.end(a)
				log := a.finish()
				a.gone(mark)
				if a.status() != c.status {
					t.Errorf("the build ends %s, want %s", a.status(), c.status)
				}
				if got, want := a.phases(), "DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:"+string(c.status)+" COMPLETED"; got != want {
					t.Errorf("the phases are %s, want %s", got, want)
				}
				if code, message := a.context(api.BuildPhaseTypeBuild); code != c.code || message != c.message {
					t.Errorf("the context is %q %q", code, message)
				}
				if strings.Contains(log, "finally 42") || strings.Contains(log, "post 42") {
					t.Errorf("commands ran on:\n%s", log)
				}
			})
		})
	}
}

// Whenever a stop comes, the server gets a sequence of events that it takes,
// with an end that is true.
func TestAStopAtAnyMoment(t *testing.T) {
	t.Parallel()
	work := inline("version: 0.2\nphases:\n  install: {commands: ['true']}\n  build: {commands: ['true', 'true']}\n  post_build: {commands: ['true']}\n")
	ends := map[api.StatusType]int{}
	for delay := range 40 {
		a := launch(t, agentapi.Sandbox{}, work)
		a.awaitState(func() bool { return a.begun }, "the agent")
		time.AfterFunc(time.Duration(delay)*time.Millisecond, func() { _ = a.cmd.Process.Signal(syscall.SIGTERM) })
		if a.wait() == 1 && a.phases() == "" {
			continue // it came before the agent knew its work: the server ends such a build
		}
		a.finish()
		ends[a.status()]++
		last := strings.Fields(a.phases())
		switch a.status() {
		case api.StatusTypeSucceeded:
			if a.phases() != allPhases {
				t.Errorf("succeeded with the phases %s", a.phases())
			}
		case api.StatusTypeStopped:
			if last[len(last)-1] != "COMPLETED" {
				t.Errorf("stopped with the phases %s", a.phases())
			}
		default:
			t.Errorf("the build ends %s", a.status())
		}
	}
	if ends[api.StatusTypeStopped] == 0 {
		t.Errorf("no stop came in time: %v", ends)
	}
}

func TestWhatStillRunsAtTheEndOfABuildIsEnded(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		mark := marker(t)
		a, log := run(t, box, inline("version: 0.2\nphases: {build: {commands: ['sleep "+mark+" & (setsid nohup sleep "+mark+" &) ; true']}}\n"))
		a.gone(mark)
		if a.status() != api.StatusTypeSucceeded {
			t.Error("the build ends", a.status(), log)
		}
	})
}

func TestABuildThatIsNoLongerTheAgentsIsDropped(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		mark := marker(t)
		a := launch(t, box, tree(mark))
		a.await("\nnow 42\n")
		a.set(func() { a.refuse = fault.New(fault.Denied, "not yours any more") })
		if code := a.wait(); code != 1 {
			t.Errorf("the agent ends with %d", code)
		}
		a.gone(mark)
	})
}

// A server that restarts is not there for a while, and answers errors for
// another.
func TestABuildGoesOnWithoutItsServer(t *testing.T) {
	t.Parallel()
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		a := launch(t, box, inline(`
version: 0.2
phases:
  build:
    commands:
      - echo before $((40+2)); read line < ${TMPDIR:-/tmp}/go || true
      - echo while $((40+2))
      - echo went > ${TMPDIR:-/tmp}/went
  post_build:
    commands: [echo after $((40+2))]
`), withPipes("go", "went"))
		a.await("\nbefore 42\n")
		a.hangUp()
		a.pipe("go", os.O_WRONLY).Close()
		a.pipe("went", os.O_RDONLY)
		a.set(func() { a.refuse = errors.New("starting up") })
		a.hangUp = a.listen(a.socket)
		a.set(func() { a.refuse = nil })
		log := a.finish()
		for _, want := range []string{"\nbefore 42\n", "\nwhile 42\n", "\nafter 42\n"} {
			if strings.Count(log, want) != 1 {
				t.Errorf("the log has %q %d times:\n%s", want, strings.Count(log, want), log)
			}
		}
		if a.phases() != allPhases {
			t.Error("the phases are", a.phases())
		}
	})
}

// A terminal that closes and a reader that goes away are nothing to a build.
func TestABuildOutlivesItsTerminal(t *testing.T) {
	a := launch(t, bubblewrap(t), inline("version: 0.2\nphases: {build: {commands: ['read line < /tmp/go; true']}}\n"), withPipes("go"))
	started := a.pipe("go", os.O_WRONLY)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGPIPE} {
		if err := a.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	started.Close()
	if a.finish(); a.status() != api.StatusTypeSucceeded {
		t.Error("the build ends", a.status())
	}
}

// An agent that is killed takes everything in its sandbox with it.
func TestAnAgentThatIsKilledLeavesNothing(t *testing.T) {
	mark := marker(t)
	work := tree(mark)
	work.Variables = []agentapi.Variable{{Name: "ALIVE", Value: "/tmp/alive"}}
	a := launch(t, bubblewrap(t), work, withPipes("alive"))
	alive := a.pipe("alive", os.O_RDONLY)
	a.await("\nnow 42\n")
	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	a.wait()
	if _, err := io.ReadAll(alive); err != nil { // it ends with the last process that could write
		t.Error(err)
	}
}
