package fetch

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// sameGroup starts a process in its parent's group that dies with it.
func sameGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// harden keeps other processes of the same user out of this one's memory, where
// the token is. It is one more fence, so its failure stops nothing.
func harden() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
