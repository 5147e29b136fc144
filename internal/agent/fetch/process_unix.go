//go:build unix

package fetch

import (
	"io"
	"os"
	"syscall"
)

// ownGroup starts a process as the head of a group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a process that ownGroup started, with everything below it.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// dieWith kills this process and its whole group once the other end of life is
// closed, which the parent's death does however that came. A signal at the
// parent's death would reach this process alone: git's own children, which wait
// for the provider, would go on.
func dieWith(life *os.File) {
	_, _ = io.Copy(io.Discard, life)
	_ = syscall.Kill(0, syscall.SIGKILL)
}
