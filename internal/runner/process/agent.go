package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockPoll is how often the lock of an agent is tried that an earlier server
// started: only a parent is told of the end.
const lockPoll = 20 * time.Millisecond

// killTime is how long a killed process may take to vanish.
const killTime = 10 * time.Second

// An agent is a process to be ended: a child, or one that an earlier server
// started. A pid of 0 means that there is none any more.
type agent struct {
	pid   int
	done  <-chan struct{} // nil for one that is not our child
	dir   string
	child *child
	sig   func(syscall.Signal) error
}

// agent returns the agent of a place and marks a child as being stopped.
func (r *Agents) agent(id string) (*agent, error) {
	dir := r.dir(id)
	r.mu.Lock()
	c := r.children[id]
	var process *os.Process
	if c != nil {
		c.stopping = true
		process = c.process
	}
	r.mu.Unlock()
	if process != nil {
		return &agent{pid: process.Pid, done: c.done, dir: dir, child: c, sig: func(s syscall.Signal) error { return process.Signal(s) }}, nil
	}
	pid, err := holder(dir)
	if pid == 0 || err != nil {
		return &agent{dir: dir}, err
	}
	return &agent{pid: pid, dir: dir, sig: func(s syscall.Signal) error { return syscall.Kill(pid, s) }}, nil
}

// end ends the agent: asked first, killed after grace with all its descendants.
func (a *agent) end(ctx context.Context, grace time.Duration) (killed bool, err error) {
	if a.pid == 0 || !a.lives() {
		return false, nil
	}
	if err := a.sig(syscall.SIGTERM); err != nil && !gone(err) {
		return false, err
	}
	if ended, err := a.wait(ctx, grace); ended || err != nil {
		return false, err
	}
	killTree(a.pid)
	ended, err := a.wait(ctx, killTime)
	if err == nil && !ended {
		err = errors.New("the agent cannot be killed")
	}
	return true, err
}

// wait waits until the agent has ended, at most for d.
func (a *agent) wait(ctx context.Context, d time.Duration) (ended bool, err error) {
	limit := time.NewTimer(d)
	defer limit.Stop()
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	if a.done != nil {
		poll.Stop()
	}
	for {
		select {
		case <-a.done:
			return true, nil
		case <-poll.C:
			if !locked(a.dir) {
				return true, nil
			}
		case <-limit.C:
			return !a.lives(), nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

func (a *agent) lives() bool {
	if a.child != nil {
		return a.child.living()
	}
	return locked(a.dir)
}

// failed reports whether an ended agent did not exit in order, as far as known.
func (a *agent) failed() bool {
	return a.child == nil || !a.child.living() && a.child.failed
}

// locked reports whether the agent of a place holds its lock.
func locked(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// holder returns the process that holds a place's lock, or 0 if none does any
// more. One that is ending has lost sight of its files a moment before they are
// closed, and the lock with them: it has until killTime is over.
func holder(dir string) (int, error) {
	for begin := time.Now(); locked(dir); time.Sleep(lockPoll) {
		pid, err := named(dir)
		if err == nil || time.Since(begin) > killTime {
			return pid, err
		}
	}
	return 0, nil
}

// named returns the process that a place's lock file names. The file lies
// where a build may have written, so the process must have it open.
func named(dir string) (int, error) {
	path := filepath.Join(dir, lockFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0, errors.New("the lock names no process")
	}
	lock, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(fds)
	if err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	for _, e := range entries {
		if f, err := os.Stat(filepath.Join(fds, e.Name())); err == nil && os.SameFile(f, lock) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("process %d does not hold the lock", pid)
}

func gone(err error) bool { return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) }
