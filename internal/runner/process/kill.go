package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A process is what the kernel says of one.
type process struct {
	pid, parent, session int
}

// processes returns all that live; zombies do not.
func processes() []process {
	entries, _ := os.ReadDir("/proc")
	var all []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// pid (name) state ppid pgrp session …; the name may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 4 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		session, _ := strconv.Atoi(fields[3])
		all = append(all, process{pid: pid, parent: parent, session: session})
	}
	return all
}

// rounds bounds how often processes are looked for that appear while others
// are being killed.
const rounds = 20

// killTree kills a process and all its descendants. It holds the root still
// meanwhile, so that it starts no others.
func killTree(root int) {
	_ = syscall.Kill(root, syscall.SIGSTOP)
	for range rounds {
		if !killAll(descendants(root, processes())) {
			break
		}
	}
	_ = syscall.Kill(-root, syscall.SIGKILL) // its group, which it leads
	_ = syscall.Kill(root, syscall.SIGKILL)
}

func descendants(root int, all []process) []int {
	children := map[int][]int{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p.pid)
	}
	found := append([]int(nil), children[root]...)
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

// evict kills what still runs in a place whose agent has ended: processes of
// the agent's session, and those whose working directory is in dir. A session
// of 0 is nobody's.
func evict(dir string, session int) {
	for range rounds {
		var left []int
		for _, p := range processes() {
			cwd, err := os.Readlink("/proc/" + strconv.Itoa(p.pid) + "/cwd")
			here := err == nil && below(dir, strings.TrimSuffix(cwd, " (deleted)"))
			if p.pid != os.Getpid() && (here || session > 1 && p.session == session) {
				left = append(left, p.pid)
			}
		}
		if !killAll(left) {
			return
		}
	}
}

// killAll kills processes and reports whether there were any.
func killAll(pids []int) bool {
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(pids) > 0
}
