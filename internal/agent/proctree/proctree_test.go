package proctree_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"slipway/internal/agent/proctree"
)

// TestMain makes this program an agent, in that what its tests start stays
// below it. So no two of them run at the same time.
func TestMain(m *testing.M) {
	if err := proctree.Adopt(); err != nil {
		panic(err)
	}
	if len(os.Args) > 1 && os.Args[1] == "end" {
		if err := exec.Command("/bin/sh", "-c", "sleep 1000 & exec setsid sleep 1000").Start(); err != nil {
			panic(err)
		}
		if !proctree.End(true, limit) {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// limit is how long anything may take before a test fails.
const limit = 60 * time.Second

// A tree is a script and all that it starts.
type tree struct {
	t   *testing.T
	cmd *exec.Cmd
	out *os.File // ends when nothing of the tree is left
}

// grow starts a tree and returns when its script has said that it is up.
func grow(t *testing.T, script string, args ...string) *tree {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	t.Cleanup(func() { r.Close() })
	tr := &tree{t, exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...), r}
	tr.cmd.Stdout = w
	if err := tr.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proctree.End(true, limit) })
	_ = r.SetReadDeadline(time.Now().Add(limit))
	if line, err := bufio.NewReaderSize(r, 16).ReadString('\n'); line != "up\n" {
		t.Fatalf("the script says %q, %v", line, err)
	}
	return tr
}

// gone fails the test if a process of the tree is left.
func (tr *tree) gone() {
	tr.t.Helper()
	_ = tr.out.SetReadDeadline(time.Now().Add(limit))
	if _, err := io.Copy(io.Discard, tr.out); err != nil {
		tr.t.Errorf("a process is left: %v", err)
	}
	if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		tr.t.Errorf("a child is left: wait4 says %v", err)
	}
}

var trees = map[string]string{
	"one process":                      `echo up; exec sleep 1000`,
	"a process and its children":       `sleep 1000 & sleep 1000 & echo up; wait`,
	"an orphan":                        `(sleep 1000 &); echo up; exec sleep 1000`,
	"an orphan in its own session":     `(setsid sh -c '(setsid sleep 1000 & echo up) &' &); exec sleep 1000`,
	"orphans alone":                    `(setsid sleep 1000 &); (sleep 1000 &); echo up`,
	"orphans that have children":       `(setsid sh -c 'sleep 1000 & (sleep 1000 &); sh -c "sleep 1000; :"; :' &); echo up`,
	"processes deaf to signals":        `trap '' TERM INT HUP QUIT USR1; (setsid sleep 1000 &); sleep 1000 & echo up; sleep 1000; sleep 1000`,
	"a process that is stopped":        `sleep 1000 & kill -STOP $!; (setsid sh -c 'echo up; kill -STOP $$'; :)`,
	"a parent that waits for no child": `for i in 1 2 3 4 5 6 7 8 9; do true & done; echo up; exec sleep 1000`,
	"many processes":                   `i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); done; echo up; wait`,
	"children that leave one by one":   `echo up; while :; do (setsid sleep 1000 &); done`,
	"children that come and go":        `echo up; while :; do true & done`,
	"a process that is always another": `echo up; f() { f & }; f; f`,
	"several loops that fork": `
fork() { while :; do (setsid sleep 1000 &); done; }
(setsid sleep 1000 &); fork & fork & (fork &); echo up; fork`,
}

func TestEndLeavesNothing(t *testing.T) {
	for name, script := range trees {
		t.Run(name, func(t *testing.T) {
			tr := grow(t, script)
			if !proctree.End(true, limit) {
				t.Error("End = false")
			}
			tr.gone()
		})
	}
}

func TestEndKillsWhatDoesNotGoByItself(t *testing.T) {
	for _, name := range []string{"one process", "orphans alone", "processes deaf to signals"} {
		t.Run(name, func(t *testing.T) {
			tr := grow(t, trees[name])
			if !proctree.End(false, limit) {
				t.Error("End = false")
			}
			tr.gone()
		})
	}
}

func TestEndWithNoChildren(t *testing.T) {
	for _, walk := range []bool{false, true} {
		if !proctree.End(walk, limit) {
			t.Errorf("End(%v) = false", walk)
		}
	}
}

func TestEndKeepsItsLimit(t *testing.T) {
	tr := grow(t, `echo up; exec sleep 1000`)
	if proctree.End(false, 0) {
		t.Error("End says that all have gone")
	}
	if err := tr.cmd.Process.Signal(unix.Signal(0)); err != nil {
		t.Errorf("the process did not get its time: %v", err)
	}
}

// The name of a process is among the numbers that tell its parent.
func TestAProcessWithAMisleadingName(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{") R 1 1 1 (", "x) S 0", "two\nlines)", "(((", "   "} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
		tr := grow(t, `("$1" 1000 &); "$1" 1000 & echo up; exec "$1" 1000`, path)
		if !proctree.End(true, limit) {
			t.Errorf("%q: End = false", name)
		}
		tr.gone()
	}
}

func TestEndLeavesOthersAlone(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := grow(t, `echo up; exec sleep 1000`)
	agent := exec.Command(self, "end")
	agent.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	if out, err := agent.CombinedOutput(); err != nil {
		t.Fatalf("the agent beside: %v\n%s", err, out)
	}
	if pid, err := unix.Wait4(other.cmd.Process.Pid, nil, unix.WNOHANG, nil); pid != 0 || err != nil {
		t.Errorf("a process that is not the agent's has ended: wait4 says %d, %v", pid, err)
	}
}
