// Package shell runs the commands of a build one after another in one place:
// a sandbox, a container, or a plain process tree.
//
// A small driver, itself a POSIX shell script, lives in that place as long as
// the build. It is told over a pipe which script to run next and answers with
// the exit status. User code runs beside it and may forge its answers, which
// harms nobody but that build; they are read with care all the same.
package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"slipway/internal/agent/proctree"
	"slipway/internal/agent/relay"
)

// driver reads "number shell script" lines and answers "number status".
//   - It uses builtins only, since PATH is the users'.
//   - Its traps let it outlive a user's `kill 0`, also one that ends a read, of
//     which some shells leave the variables as they were: then it reads again.
//     A caught signal is back to its default in the commands it starts.
//   - Commands do not inherit its pipes, and read nothing.
//   - What it would say itself about commands that died goes nowhere: the exit
//     status tells.
const driver = `trap caught=1 HUP INT QUIT TERM ALRM USR1 USR2
exec 2>/dev/null
echo ready >&3
while caught= script=; read -r number shell script || [ "$caught" ]; do
[ "$script" ] || continue
"$shell" "$script" 3>&- </dev/null 2>&1
echo "$number $?" >&3
done`

// Path of the shell that runs the driver.
const Path = "/bin/sh"

// ErrDead means that the place has died: a user killed it, or the kernel did.
var ErrDead = errors.New("the place where commands run has died")

// endLimit is how long the processes of a place may take to vanish once killed.
// Only one stuck in the kernel takes longer.
const endLimit = 10 * time.Second

// A Place is where the commands of one build run.
type Place struct {
	Output *os.File // what user code writes, not blocking; the caller reads and closes it

	cmd      *exec.Cmd   // nil in a container
	far      *relay.Conn // to the container, if it is one
	sandbox  bool
	requests *os.File
	replies  *os.File
	answers  *bufio.Reader
	problems *os.File // where bubblewrap says why it cannot start
	number   int
	end      sync.Once
}

// Start starts a place. Wrapper is the path of bubblewrap and args its
// options; an empty wrapper means a plain process tree that starts in dir with
// environment env. Nothing of this process's own environment gets in.
func Start(wrapper string, args []string, dir string, env []string) (*Place, error) {
	p := &Place{sandbox: wrapper != ""}
	var theirs files
	defer func() { theirs.close() }()
	if err := p.open(&theirs); err != nil {
		p.close()
		return nil, err
	}
	var optionsIn *os.File
	if p.sandbox {
		options, in, err := os.Pipe()
		if err != nil {
			p.close()
			return nil, err
		}
		optionsIn, theirs = in, append(theirs, options)
	}
	cmd := exec.Command(Path, "-c", driver)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = theirs[0], theirs[1], theirs[2], theirs[3:]
	cmd.Dir, cmd.Env = dir, append([]string{}, env...) // not nil: that would mean ours
	// The driver ends with the agent, however that ends. The signal comes when
	// the starting thread ends; Go ends none but those locked by a goroutine.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.sandbox {
		// The options travel by pipe: a command line can be read from inside,
		// and this one would name folders of the host.
		cmd.Path, cmd.Args = wrapper, append([]string{wrapper, "--args", "4", "--"}, cmd.Args...)
		cmd.Args[4] = Path
		cmd.Dir, cmd.Env = "/", []string{}
	} else {
		cmd.SysProcAttr.Setsid = true // a user's `kill 0` must not reach the agent
	}
	if err := cmd.Start(); err != nil {
		optionsIn.Close() // nil is fine
		p.close()
		return nil, err
	}
	theirs.close() // or we would wait for ourselves to read what a dead wrapper did not
	if p.sandbox {
		_, _ = io.WriteString(optionsIn, strings.Join(args, "\x00")+"\x00") // if it cannot read them, Ready says so
		optionsIn.Close()
	}
	p.cmd = cmd
	return p, nil
}

// StartFar starts the driver in a container, in dir there, with the image's
// environment. The place takes the connection over.
func StartFar(far *relay.Conn, dir string) (*Place, error) {
	p := &Place{far: far}
	var theirs files
	defer func() { theirs.close() }()
	err := p.open(&theirs)
	if err == nil {
		err = far.Start(relay.Command{Path: Path, Args: []string{"-c", driver}, Dir: dir}, theirs)
	}
	if err != nil {
		p.close()
		far.Close()
		return nil, err
	}
	return p, nil
}

// open opens the pipes to the driver. Theirs are its files, from 0 on.
func (p *Place) open(theirs *files) error {
	for _, pipe := range []struct {
		mine  **os.File
		reads bool
	}{{&p.requests, false}, {&p.Output, true}, {&p.problems, true}, {&p.replies, true}} {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		if !pipe.reads {
			r, w = w, r
		}
		*pipe.mine, *theirs = r, append(*theirs, w)
	}
	growPipe(p.Output)
	p.answers = bufio.NewReaderSize(p.replies, 64)
	return nil
}

// Container returns the connection to the container that the place is, or nil.
func (p *Place) Container() *relay.Conn { return p.far }

// Ready waits until the place works, at most for limit. Its error says why
// not, in the words of the wrapper.
func (p *Place) Ready(limit time.Duration) error {
	defer p.problems.Close()
	_ = p.replies.SetReadDeadline(time.Now().Add(limit))
	line, err := p.answers.ReadSlice('\n')
	if err == nil && string(line) == "ready\n" {
		return p.replies.SetReadDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("not ready after %v", limit)
	}
	_ = p.problems.SetReadDeadline(time.Now().Add(limit))
	text, _ := io.ReadAll(io.LimitReader(p.problems, 1000))
	if words := strings.TrimSpace(string(text)); words != "" {
		return errors.New(words)
	}
	return ErrDead
}

// Run runs a script with the shell at that path, both as seen from the place,
// and returns its exit status. Neither may hold blanks or newlines. It returns
// ErrDead if the place dies or is ended meanwhile. One Run at a time.
func (p *Place) Run(shell, script string) (int, error) {
	p.number++
	if _, err := fmt.Fprintf(p.requests, "%d %s %s\n", p.number, shell, script); err != nil {
		return 0, ErrDead
	}
	line, err := p.answers.ReadSlice('\n')
	if err != nil {
		return 0, ErrDead
	}
	number, rest, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
	status, err := strconv.ParseUint(rest, 10, 8)
	if err != nil || number != strconv.Itoa(p.number) {
		return 0, ErrDead // not what the driver writes: somebody else did
	}
	return int(status), nil
}

// End kills everything in the place and returns when nothing of it is left.
// It may be called at any time, more than once and from several goroutines.
func (p *Place) End() {
	p.end.Do(func() {
		_ = p.replies.SetReadDeadline(time.Unix(1, 0)) // a Run in flight returns, whoever still holds the pipe
		if p.far != nil {
			p.far.End(endLimit)
			p.far.Close()
			_ = p.requests.Close()
			return
		}
		_ = p.cmd.Process.Kill()
		proctree.End(!p.sandbox, endLimit)
		_ = p.requests.Close()
	})
}

func (p *Place) close() {
	files{p.requests, p.Output, p.problems, p.replies}.close()
}

type files []*os.File

func (f files) close() {
	for _, file := range f {
		if file != nil {
			file.Close()
		}
	}
}

// Watch ends the place when ctx ends. The function it returns stops watching.
func (p *Place) Watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, p.End)
}
