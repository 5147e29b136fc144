package tool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// waitPoll is how often a process is looked at where the kernel does not tell
// of its end.
const waitPoll = 50 * time.Millisecond

// Wait returns when the process with the number in args has ended, or if there
// is none. It need be no child of this one. It returns the exit status.
func Wait(args []string, stderr io.Writer) int {
	pid := 0
	if len(args) == 1 {
		pid, _ = strconv.Atoi(args[0])
	}
	if pid <= 0 {
		fmt.Fprintln(stderr, "usage: wait PID")
		return exitUsage
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return exitDone
	}
	if err != nil { // a kernel before 5.3, or a place that forbids it
		for living(pid) {
			time.Sleep(waitPoll)
		}
		return exitDone
	}
	defer unix.Close(fd)
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1) //nolint:gosec // a file descriptor
		if err == nil {
			return exitDone
		}
		if !errors.Is(err, unix.EINTR) {
			fmt.Fprintln(stderr, "wait:", err)
			return exitFailed
		}
	}
}

// living reports whether a process has not ended yet. One whose parent has not
// heard of its end has.
func living(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	rest := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}
