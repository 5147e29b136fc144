// Package proctree ends every process that descends from this one, also those
// that left their parents behind to live on.
package proctree

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Adopt makes this process the parent of all orphans among its descendants, so
// that End finds them.
func Adopt() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// patience is how long processes have to end by a parent's death alone before
// they are looked for one by one, which is slow.
const patience = 20 * time.Millisecond

// End returns when this process has no child left, or after limit. It kills
// all descendants at once when walk is true, and otherwise only if they do not
// go by themselves soon, as the processes of a sandbox do whose first process
// was killed. It takes the exit statuses of all children: nobody else may
// still be waiting for one. It reports whether all have gone.
func End(walk bool, limit time.Duration) bool {
	begin := time.Now()
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		if walk || time.Since(begin) > patience {
			killDescendants()
		}
		if !reap() {
			return true
		}
		if time.Since(begin) > limit {
			return false
		}
		time.Sleep(pause)
	}
}

// reap takes the exit statuses of children that have ended, and reports
// whether any child is left.
func reap() bool {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return false // ECHILD
		case pid == 0:
			return true
		}
	}
}

func killDescendants() {
	for _, pid := range descendants(os.Getpid()) {
		_ = unix.Kill(pid, unix.SIGKILL) // it may have ended since
	}
}

// descendants lists the processes below pid, by reading all of /proc: the
// kernel's own lists of children are not compiled in everywhere.
func descendants(pid int) []int {
	children := make(map[int][]int)
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		child, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if parent, ok := parentOf(name); ok {
			children[parent] = append(children[parent], child)
		}
	}
	below := []int{pid}
	for i := 0; i < len(below); i++ {
		below = append(below, children[below[i]]...)
	}
	return below[1:]
}

// parentOf reads the fourth field of /proc/<pid>/stat. The second is the
// command in parentheses, which may hold anything.
func parentOf(pid string) (int, bool) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	return parent, err == nil
}
