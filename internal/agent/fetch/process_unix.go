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

// socketPair returns the two ends of a connection.
func socketPair() (a, b *os.File, err error) {
	syscall.ForkLock.RLock() // what is started meanwhile gets none of them
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := syscall.SetNonblock(ends[0], true); err != nil { // so that closing it ends what waits for it
		_ = syscall.Close(ends[0])
		_ = syscall.Close(ends[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ends[0]), "link"), os.NewFile(uintptr(ends[1]), "link"), nil
}
