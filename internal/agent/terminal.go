package agent

import (
	"cmp"
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"slipway/internal/agent/shell"
	"slipway/internal/agentapi"
)

// Where the place has what a person's shell needs. User code in a sandbox cannot
// change these.
const (
	terminalSocket = "readonly/terminal"
	terminalFile   = "readonly/terminal.sh"
)

// openShell opens a shell for the person whose terminal the work names, as the
// user and in the directory and with the variables that the next command would
// have. It returns when the shell has ended, or the build. What the shell changes
// of its variables is lost; files stay.
func (e *engine) openShell(ctx context.Context) {
	if err := e.converse(ctx); err != nil && ctx.Err() == nil {
		e.log.Service("No shell could be opened: %v", err)
	}
}

func (e *engine) converse(ctx context.Context) error {
	listener, err := agentapi.ListenUnix(ctx, e.w.path(terminalSocket))
	if err != nil {
		return err
	}
	defer e.w.root.Remove(terminalSocket)
	defer listener.Close()
	program := shell.Path
	if i := slices.IndexFunc(bashes, e.hasProgram); i >= 0 {
		program = bashes[i] // nicer to type in, and knows the same variables
	}
	if err := e.w.write(scriptFile, shellScript(e.w, e.home, cmp.Or(e.cwd, e.home), program, e.lastExit)); err != nil {
		return err
	}
	runs, start, err := e.start()
	if err != nil {
		return err
	}
	line := "exec"
	for _, word := range append(e.w.program(e.self), "terminal", e.w.place(terminalSocket), runs, e.w.place(start)) {
		line += " " + quote(word)
	}
	if err := e.w.write(terminalFile, line+"\n"); err != nil {
		return err
	}
	e.log.Service("Opening a shell at the terminal; the build goes on when it ends")
	e.log.Flush() // or lines would come into what the person types
	person, err := agentapi.DialUnix(ctx, e.work.Terminal)
	if err != nil {
		return err
	}
	defer person.Close()
	defer context.AfterFunc(ctx, func() { _ = person.Close() })()
	var copying sync.WaitGroup
	copying.Go(func() {
		inside, err := listener.Accept()
		if err != nil {
			return // the shell did not come
		}
		defer inside.Close()
		connect(person, inside)
	})
	_, err = e.place.Run(shell.Path, e.w.place(terminalFile))
	listener.Close()
	copying.Wait()
	e.log.Drain()
	if err != nil {
		e.dead = err
	}
	return err
}

// connect copies both ways until the place has no more to show.
func connect(person, inside net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(inside, person)
		_ = inside.Close() // the person has gone
	}()
	_, _ = io.Copy(person, inside)
	_ = person.Close()
	<-done
}

// shellScript starts a person's shell as script starts a command.
func shellScript(w *workspace, home, cwd, program string, lastExit int) string {
	return strings.Join([]string{
		"cd -- " + quote(cwd) + " 2>/dev/null || cd -- " + quote(home),
		"slipway_term=$TERM",
		"set -a",
		". " + quote(w.place(stateFile)) + " 2>/dev/null; CODEBUILD_BUILD_SUCCEEDING=0; CODEBUILD_LAST_EXIT=" + strconv.Itoa(lastExit) + "; TERM=$slipway_term",
		"unset slipway_term",
		"set +a",
		"exec " + program + " -i",
		"",
	}, "\n")
}
