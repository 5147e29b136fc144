package shell

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize lets a chatty command write on while its output is being packed.
const pipeSize = 1 << 20

// growPipe makes the pipe larger if the kernel lets us; the default works too.
func growPipe(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}
