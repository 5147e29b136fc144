//go:build unix

package fetch

import "syscall"

// killGroup kills a process that ownGroup started, with everything below it.
func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }
