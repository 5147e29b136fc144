package tool

import (
	"os"
	"syscall"
)

// exitStatus is what a shell has in $? for a program that ended.
func exitStatus(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
