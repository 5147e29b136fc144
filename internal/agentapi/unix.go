package agentapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// maxSocketPath is what a socket's address holds on Linux, less its final zero.
const maxSocketPath = 107

// ListenUnix listens for agents on a Unix socket that only this user may
// connect to. It replaces a socket that an earlier server left behind; that
// none is still listening there is the caller's to know.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("listen for agents: %s exists and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("listen for agents: %w", err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listen for agents: %w", err)
	}
	var l net.Listener
	err := shorten(path, func(short string) (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, "unix", short)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen for agents: %w", err)
	}
	// The listener knows the short name only, which no longer exists when it
	// closes: the next ListenUnix removes the socket instead.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("listen for agents: %w", err)
	}
	return l, nil
}

// DialUnix connects to a Unix socket, however long its path is.
func DialUnix(ctx context.Context, path string) (net.Conn, error) {
	return dialUnix(ctx, &net.Dialer{}, path)
}

func dialUnix(ctx context.Context, d *net.Dialer, path string) (conn net.Conn, err error) {
	err = shorten(path, func(short string) error {
		conn, err = d.DialContext(ctx, "unix", short)
		return err
	})
	return conn, err
}

// shorten calls do with a name for path that fits into a socket's address:
// data folders may lie deeper than the 107 bytes it holds.
func shorten(path string, do func(short string) error) error {
	if len(path) <= maxSocketPath {
		return do(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return do("/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + filepath.Base(path))
}
