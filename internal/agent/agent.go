// Package agent runs one build: it fetches the source, runs the buildspec's
// commands shut in, and tells the server what happens.
//
// It is started once per build and lives beside user code, so it stays small:
// nothing here imports a store, a cloud client or a command-line library.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"slipway/internal/agent/fetch"
	"slipway/internal/agent/inside"
	"slipway/internal/agent/proctree"
	"slipway/internal/agent/relay"
	"slipway/internal/agent/runas"
	"slipway/internal/agent/terminal"
	"slipway/internal/agent/tool"
	"slipway/internal/agentapi"
)

// The exit statuses of an agent.
const (
	exitDone  = 0 // the server knows how the build ended
	exitLost  = 1 // the build is no longer the agent's, or the server could not be told
	exitUsage = 2
)

// maxLaunch bounds the Launch on standard input, in bytes.
const maxLaunch = 1 << 20

// Main is an agent process. Self is the command that starts another one, such
// as the path of slipway-agent; args are its arguments after that:
//
//	(none)       run the build whose agentapi.Launch is on stdin
//	fetch        fetch its sources: the agent starts this itself
//	credential   answer git, which fetch starts
//	inside       do something where user code runs: see package inside
//	as           run a command as another user: see package runas
//	login        answer the git of user code, which it starts
//	wait         wait for a process that another command left behind
//	terminal     give a person a shell where user code runs: see package terminal
//	tool         be one of the commands that builds find: see package tool
//	place        be the first process of a container: see package relay
//	sweep        likewise, to empty a folder
//
// It returns the exit status. stderr gets what has to do with the agent and no
// build's secrets.
func Main(ctx context.Context, self, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 0:
	case args[0] == "fetch":
		return fetch.Main(stdin, stdout)
	case args[0] == "credential":
		return fetch.CredentialHelper(args[1:], stdin, stdout)
	case args[0] == "place":
		return relay.Main(args[1:], stderr)
	case args[0] == "sweep":
		return relay.Sweep(args[1:], stderr)
	case args[0] == "inside":
		return inside.Main(args[1:], stderr)
	case args[0] == "as":
		return runas.Main(args[1:], stderr)
	case args[0] == "login":
		return tool.Login(args[1:], stdin, stdout, stderr)
	case args[0] == "wait":
		return tool.Wait(args[1:], stderr)
	case args[0] == "terminal":
		return terminal.Main(args[1:], stderr)
	case args[0] == "tool":
		return tool.Main(args[1:], stdin, stdout, stderr)
	default:
		fmt.Fprintln(stderr, "usage: the agent is started by slipway, with what it has to do on standard input")
		return exitUsage
	}
	launch, err := readLaunch(stdin)
	if err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return exitUsage
	}
	lock, err := hold(launch.Dir)
	if err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return exitUsage
	}
	defer lock.Close()
	// Whatever the server's starter left open is not for user code. Kernels before
	// 5.11 cannot do it, and such files are rare.
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err := proctree.Adopt(); err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return exitLost
	}
	ctx, stop := stopped(ctx)
	defer stop()
	if err := supervise(ctx, self, launch); err != nil {
		fmt.Fprintln(stderr, "agent:", err)
		return exitLost
	}
	return exitDone
}

func readLaunch(stdin io.Reader) (agentapi.Launch, error) {
	var l agentapi.Launch
	text, err := io.ReadAll(io.LimitReader(stdin, maxLaunch))
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, errors.New("standard input is not a launch") // no detail: it holds a token
	}
	switch {
	case l.Server == "" || l.BuildID == "" || l.Token.IsZero():
		return l, errors.New("the launch lacks server, buildId or token")
	case !filepath.IsAbs(l.Dir) || strings.ContainsAny(l.Dir, "\n\x00"):
		return l, errors.New("the launch needs an absolute dir")
	}
	l.Dir = filepath.Clean(l.Dir)
	return l, nil
}

// hold takes the lock by which a runner tells a living agent from a dead one,
// and writes the agent's pid into it. It is held until the file is closed, at
// the latest when the process ends; children do not inherit it.
func hold(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "agent.lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another agent holds %s", dir)
	}
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// stopped returns a context that ends with the cause endStopped when somebody
// asks the process to end. The loss of a terminal or of a reader does not end a
// build: those signals are caught rather than ignored, since ignoring would be
// inherited by user code. It lasts as long as the process: a signal at its very
// end must not make a build that has ended look like a crash.
func stopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGQUIT) { // since a shell's "&" ignores it
		signal.Notify(signals, syscall.SIGQUIT)
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM || s == syscall.SIGINT {
				cancel(endStopped)
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}
