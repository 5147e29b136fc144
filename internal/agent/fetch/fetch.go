// Package fetch brings a build's sources, from git and from S3, in a process of
// its own: the source token is only ever in that process and in the git it
// starts, and both have ended before the first line of user code runs.
//
// git does not get the source's token: what it says to the provider goes over a
// link, which sends it on with the login. Where there can be no link, and for
// submodules and Git LFS, the token reaches git through a credential helper, and
// never a URL, an argument, a configuration file or the environment of git. The
// helper answers for the addresses that the server gave logins for, which are the
// source's and its submodules', and never for another host, port or scheme.
// Redirects are not followed, since the token would go along.
package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
)

// A Source is one source and the directory it goes to, which is absolute and
// either missing or empty.
type Source struct {
	agentapi.Source
	Dir string `json:"dir"`
}

// A Job is what one fetch does: all Sources, in order, until one fails.
type Job struct {
	Launch      agentapi.Launch `json:"launch"`
	Sources     []Source        `json:"sources"`
	Certificate string          `json:"certificate,omitzero"` // where the project has certificates to trust, for messages; empty means that it has none
	Mirrors     string          `json:"mirrors,omitzero"`     // the project whose mirrors in Launch.Mirrors the fetch uses and keeps; empty means that it uses none
}

// A Result is how a fetch ended.
type Result struct {
	Commits  []event.Resolved  `json:"commits,omitzero"`  // of the sources of git that were fetched, in their order
	Versions []Version         `json:"versions,omitzero"` // of those in S3, as far as their buckets keep any
	Failure  *api.PhaseContext `json:"failure,omitzero"`  // why the next one was not; nil if all were
}

// A Version is the version of the object that a source of type S3 is.
type Version struct {
	Identifier string `json:"identifier,omitzero"` // of the source, empty for the primary one
	Version    string `json:"version"`
}

// An order is what the parent writes to the child's standard input.
type order struct {
	Job
	Self    []string `json:"self"`    // the command that starts this program
	Private string   `json:"private"` // a directory of the fetch's own, removed after it

	trusted string // PEM of the project's certificates; the child's own
	begun   func() // says that a provider is being asked
}

// An outcome is what the child writes to its pipe.
type outcome struct {
	Result
	Gone  bool   `json:"gone,omitzero"`  // agentapi.ErrGone
	Error string `json:"error,omitzero"` // what went wrong that is not the user's to mend
}

// How much of the child's words is read, and how long its pipes may outlive it.
const (
	maxOutcome  = 1 << 20
	maxComplain = 4 << 10
	pipeGrace   = 5 * time.Second
)

// begunSign comes before the outcome: as soon as a provider is being asked.
const begunSign = "\n"

// The child's file descriptors beside the standard ones.
const (
	resultFile = 3 // takes the outcome
	lifeFile   = 4 // ends when the parent does
)

// Run is Start and Fetch.
func Run(ctx context.Context, self []string, job Job, log io.Writer) (Result, error) {
	p, err := Start(self)
	if err != nil {
		return Result{}, err
	}
	defer p.End()
	return p.Fetch(ctx, job, log, func() {})
}

// A Process is one that waits for its job. Starting it takes a good part of what
// a fetch takes beside git, and it can be done before the job is known. It knows
// no token until then.
type Process struct {
	self      []string
	cmd       *exec.Cmd
	order     io.WriteCloser
	log       *os.File
	outcome   *os.File
	alive     *os.File // whose end is that of the process
	complaint tail
	ended     bool
}

// Start starts a fetch's process: self with the argument "fetch". It is to be
// ended.
func Start(self []string) (_ *Process, err error) {
	p := &Process{self: self, complaint: tail{max: maxComplain}}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			p.close()
		}
	}()
	pipe := func() (in, out *os.File, err error) {
		if in, out, err = os.Pipe(); err != nil {
			err = fmt.Errorf("start the fetch: %w", err)
		}
		return in, out, err
	}
	order, write, err := pipe()
	if err != nil {
		return nil, err
	}
	p.order = write
	theirs = append(theirs, order)
	var log, result, life *os.File
	if p.log, log, err = pipe(); err != nil {
		return nil, err
	}
	theirs = append(theirs, log)
	if p.outcome, result, err = pipe(); err != nil {
		return nil, err
	}
	theirs = append(theirs, result)
	if life, p.alive, err = pipe(); err != nil {
		return nil, err
	}
	theirs = append(theirs, life)

	p.cmd = exec.Command(self[0], append(self[1:len(self):len(self)], "fetch")...)
	p.cmd.Env = environment()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = order, log, &p.complaint
	p.cmd.ExtraFiles = []*os.File{result, life}
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.WaitDelay = pipeGrace
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the fetch: %w", err)
	}
	return p, nil
}

// Fetch fetches job's sources, once. It calls begun as soon as a provider is being
// asked, at the latest when it ends. It copies the lines it has for the build's
// log to log: they are masked already, and of a fetch that goes well they tell of
// submodules and of what was not checked. When ctx ends, the process and
// everything it started are killed and Fetch returns ctx's cause.
//
// A source that cannot be had is a Result with a Failure. An error is one that
// no change to project, source or credential mends; one that errors.Is
// agentapi.ErrGone means that the build is no longer this agent's.
func (p *Process) Fetch(ctx context.Context, job Job, log io.Writer, begun func()) (Result, error) {
	private, err := privateDir(job.Launch.Dir)
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(private)
	text, err := json.Marshal(order{Job: job, Self: p.self, Private: private})
	if err != nil {
		return Result{}, fmt.Errorf("encode the fetch: %w", err)
	}
	defer context.AfterFunc(ctx, p.kill)()
	var talk sync.WaitGroup
	talk.Go(func() { // one that has ended says why
		_, _ = p.order.Write(text)
		_ = p.order.Close()
	})
	talk.Go(func() { _, _ = io.Copy(log, p.log) })
	_, _ = io.ReadFull(p.outcome, make([]byte, len(begunSign)))
	begun()
	answer, readErr := io.ReadAll(io.LimitReader(p.outcome, maxOutcome))
	waitErr := p.wait()
	talk.Wait()
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if waitErr != nil {
		p.kill() // it may have left a git
	}
	var o outcome
	if err := errors.Join(readErr, json.Unmarshal(answer, &o)); err != nil {
		return Result{}, fmt.Errorf("the fetch ended without a result (%v): %s", waitErr, p.complaint.lastLine())
	}
	switch {
	case o.Gone:
		return Result{}, agentapi.ErrGone
	case o.Error != "":
		return o.Result, errors.New(o.Error)
	}
	return o.Result, nil
}

// End kills what is left of the process.
func (p *Process) End() {
	if !p.ended {
		p.kill()
		_ = p.wait()
	}
	p.close()
}

// wait waits for the end of the process. What it started and left may hold its
// log for a moment longer.
func (p *Process) wait() error {
	p.ended = true
	err := p.cmd.Wait()
	_ = p.log.SetReadDeadline(time.Now().Add(pipeGrace))
	return err
}

// kill kills the process and all that it started.
func (p *Process) kill() { _ = killGroup(p.cmd.Process.Pid) }

func (p *Process) close() {
	if p.order != nil {
		_ = p.order.Close()
	}
	for _, f := range []*os.File{p.log, p.outcome, p.alive} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// maxPrivate keeps the path of a socket inside the directory below the 108
// bytes that Unix allows.
const maxPrivate = 90

// privateDir makes a directory for git's HOME and the helper's socket: in the
// build's own directory, so that it goes with it whatever happens, unless that
// has too long a path.
func privateDir(dir string) (string, error) {
	if dir == "" || len(dir)+len("/fetch-0123456789") > maxPrivate {
		dir = os.TempDir()
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, "fetch-")
}

// passed are the variables of the agent's own environment that reach the
// child. That environment is the operator's: the variables of projects and
// builds are never in it. They say how this machine reaches the network.
var passed = []string{
	"PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
}

// environment returns the whole environment of the child.
func environment() []string {
	env := []string{"LC_ALL=C", "LANGUAGE="} // git's words are read, and shown
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// A tail keeps the end of what is written to it.
type tail struct {
	max  int
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - t.max; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// lastLine returns the last line that is not empty.
func (t *tail) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
