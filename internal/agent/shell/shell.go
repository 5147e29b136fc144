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
	"slices"
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

// tries is how often bubblewrap is started before its words are believed: it
// fails when something is unmounted just as it makes its own view of the
// mounts, as containers are that end.
const tries = 4

// A Place is where the commands of one build run.
type Place struct {
	Output *os.File // what user code writes, not blocking; the caller reads and closes it

	far     *relay.Conn // to the container, if it is one
	sandbox bool
	launch  func(files) (*exec.Cmd, error) // starts the driver with these files; nil in a container
	output  *os.File                       // Output's other end, until the place is ready
	answers *bufio.Reader
	number  int

	mu       sync.Mutex // guards what follows, against an End meanwhile
	ended    bool
	cmd      *exec.Cmd // nil in a container
	requests *os.File
	replies  *os.File
	problems *os.File // where bubblewrap says why it cannot start
}

// Start is New and Start.
func Start(wrapper string, args []string, dir string, env []string) (*Place, error) {
	p, err := New(wrapper, args, dir, env)
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// New returns a place that is still to be started. Wrapper is the path of
// bubblewrap and args its options; an empty wrapper means a plain process tree
// that starts in dir with environment env. Nothing of this process's own
// environment gets in.
func New(wrapper string, args []string, dir string, env []string) (*Place, error) {
	p := &Place{sandbox: wrapper != ""}
	p.launch = func(theirs files) (*exec.Cmd, error) { return plain(theirs, dir, env) }
	if p.sandbox {
		p.launch = func(theirs files) (*exec.Cmd, error) { return wrapped(theirs, wrapper, args) }
	}
	return p, p.openOutput()
}

// Start starts the place, once. One that has ended is ErrDead.
func (p *Place) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return ErrDead
	}
	return p.start()
}

// start opens the pipes to a driver and starts it.
func (p *Place) start() error {
	theirs, err := p.open()
	defer theirs.close()
	if err != nil {
		return err
	}
	cmd, err := p.launch(p.with(theirs))
	if err != nil {
		return err
	}
	p.cmd = cmd // one that started, so that End has something to kill
	return nil
}

// plain starts the driver as an ordinary process.
func plain(theirs files, dir string, env []string) (*exec.Cmd, error) {
	cmd := command(theirs)
	cmd.Dir, cmd.Env = dir, append([]string{}, env...) // not nil: that would mean ours
	cmd.SysProcAttr.Setsid = true                      // a user's `kill 0` must not reach the agent
	return cmd, cmd.Start()
}

// wrapped starts the driver by bubblewrap. The options travel by pipe: a
// command line can be read from inside, and this one would name folders of the
// host.
func wrapped(theirs files, wrapper string, args []string) (*exec.Cmd, error) {
	options, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	cmd := command(append(theirs, options))
	cmd.Path, cmd.Args = wrapper, append([]string{wrapper, "--args", "4", "--"}, cmd.Args...)
	cmd.Args[4] = Path
	cmd.Dir, cmd.Env = "/", []string{}
	err = cmd.Start()
	options.Close() // or we would wait for ourselves to read what a dead wrapper did not
	if err == nil {
		_, _ = io.WriteString(in, strings.Join(args, "\x00")+"\x00") // if it cannot read them, Ready says so
	}
	return cmd, err
}

// command is the driver with its files, from 0 on.
func command(theirs files) *exec.Cmd {
	cmd := exec.Command(Path, "-c", driver)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = theirs[0], theirs[1], theirs[2], theirs[3:]
	// The driver ends with the agent, however that ends. The signal comes when
	// the starting thread ends; Go ends none but those locked by a goroutine.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// StartFar starts the driver in a container, in dir there, with the image's
// environment. The place takes the connection over.
func StartFar(far *relay.Conn, dir string) (*Place, error) {
	p := &Place{far: far}
	err := p.openOutput()
	var theirs files
	if err == nil {
		theirs, err = p.open()
	}
	defer theirs.close()
	if err == nil {
		err = far.Start(relay.Command{Path: Path, Args: []string{"-c", driver}, Dir: dir}, p.with(theirs))
	}
	if err != nil {
		p.close()
		far.Close()
		return nil, err
	}
	return p, nil
}

// openOutput opens the pipe for what user code writes.
func (p *Place) openOutput() (err error) {
	if p.Output, p.output, err = os.Pipe(); err == nil {
		growPipe(p.Output)
	}
	return err
}

// open opens the other pipes to the driver and returns its ends of them.
func (p *Place) open() (theirs files, err error) {
	files{p.requests, p.problems, p.replies}.close() // of a driver before
	for _, pipe := range []struct {
		mine  **os.File
		reads bool
	}{{&p.requests, false}, {&p.problems, true}, {&p.replies, true}} {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		if !pipe.reads {
			r, w = w, r
		}
		*pipe.mine, theirs = r, append(theirs, w)
	}
	p.answers = bufio.NewReaderSize(p.replies, 64)
	return theirs, nil
}

// with returns the files of a driver, from 0 on: its ends of the pipes, with
// that for output where a program expects it.
func (p *Place) with(theirs files) files { return slices.Insert(slices.Clone(theirs), 1, p.output) }

// Container returns the connection to the container that the place is, or nil.
func (p *Place) Container() *relay.Conn { return p.far }

// Ready waits until the place works, at most for limit. Its error says why
// not, in the words of the wrapper.
func (p *Place) Ready(limit time.Duration) error {
	defer func() { files{p.output, p.problems}.close() }()
	deadline := time.Now().Add(limit)
	for try := 1; ; try++ {
		_ = p.replies.SetReadDeadline(deadline)
		line, err := p.answers.ReadSlice('\n')
		if err == nil && string(line) == "ready\n" {
			return p.replies.SetReadDeadline(time.Time{})
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("not ready after %v", limit)
		}
		_ = p.problems.SetReadDeadline(deadline)
		text, _ := io.ReadAll(io.LimitReader(p.problems, 1000))
		words := strings.TrimSpace(string(text))
		if words == "" {
			return ErrDead
		}
		if try == tries || !p.sandbox || !p.again() {
			return errors.New(words)
		}
	}
}

// again starts the driver once more and reports whether it could: not in a
// place that was ended.
func (p *Place) again() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended && p.start() == nil
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	_ = p.output.Close() // if nobody waited until it was ready
	if p.cmd == nil && p.far == nil {
		return // it was not started
	}
	_ = p.replies.SetReadDeadline(time.Unix(1, 0)) // a Run in flight returns, whoever still holds the pipe
	if p.far != nil {
		p.far.End(endLimit)
		p.far.Close()
	} else {
		_ = p.cmd.Process.Kill()
		proctree.End(!p.sandbox, endLimit)
	}
	_ = p.requests.Close()
}

func (p *Place) close() {
	files{p.requests, p.Output, p.output, p.problems, p.replies}.close()
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
