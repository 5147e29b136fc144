package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/term"

	tty "slipway/internal/agent/terminal"
	"slipway/internal/agentapi"
)

// A shellDesk is where the build finds the person at this terminal.
type shellDesk struct {
	Path string // of its socket; empty if there is none

	in       *os.File
	out      *os.File
	listener net.Listener
	serving  sync.WaitGroup
}

// shellDesk opens one for --shell-on-failure. Close it.
func (o *runOptions) shellDesk(ctx context.Context, temp string, stdin io.Reader, stdout, stderr io.Writer) (*shellDesk, error) {
	d := &shellDesk{}
	if !o.shellOnFailure {
		return d, nil
	}
	isTerminal := func(stream any) (*os.File, bool) {
		f, ok := stream.(*os.File)
		return f, ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a descriptor
	}
	var ok bool
	if d.in, ok = isTerminal(stdin); ok {
		if d.out, ok = isTerminal(stderr); !ok {
			d.out, ok = isTerminal(stdout)
		}
	}
	if !ok {
		return nil, usagef("--shell-on-failure needs a terminal to open the shell at: standard input and standard error have to be one")
	}
	d.Path = filepath.Join(temp, "terminal.sock")
	var err error
	if d.listener, err = agentapi.ListenUnix(ctx, d.Path); err != nil {
		return nil, err
	}
	d.serving.Go(func() {
		if conn, err := d.listener.Accept(); err == nil {
			defer conn.Close()
			if err := d.talk(conn); err != nil {
				fmt.Fprintf(d.out, "The shell ended: %v\n", err)
			}
		}
	})
	return d, nil
}

// Close returns when the terminal is as it was.
func (d *shellDesk) Close() {
	if d.listener != nil {
		d.listener.Close()
		d.serving.Wait()
	}
}

// talk is a shell at the terminal, from its beginning to its end.
func (d *shellDesk) talk(conn net.Conn) (err error) {
	fmt.Fprint(d.out, "\nThe command failed. This is a shell in its place, with its directory, variables and user;\nthe timeout of the build goes on. Leave it with 'exit', and the build goes on to its end.\n")
	fd := int(d.in.Fd()) //nolint:gosec // a descriptor
	was, err := term.MakeRaw(fd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, term.Restore(fd, was)) }()
	send, err := tty.NewSender(conn, os.Getenv("TERM"))
	if err != nil {
		return err
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			if columns, rows, err := term.GetSize(fd); err == nil {
				_ = send.Size(rows, columns)
			}
			select {
			case <-resized:
			case <-ended:
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(send, d.in) }() // ends with this process: nothing ends a read of a terminal
	_, _ = io.Copy(d.out, conn)                // ends with the shell, or with the build
	return nil
}
