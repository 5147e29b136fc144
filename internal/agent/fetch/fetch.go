// Package fetch brings a build's sources, from git and from S3, in a process of
// its own: the source token is only ever in that process and in the git it
// starts, and both have ended before the first line of user code runs.
//
// The token reaches git through a credential helper, and never a URL, an
// argument, a configuration file or the environment of git. The helper answers
// for the addresses that the server gave logins for, which are the source's and
// its submodules', and never for another host, port or scheme. Redirects are
// not followed, since git would take the token along.
package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// The child's file descriptors beside the standard ones.
const (
	resultFile = 3 // takes the outcome
	lifeFile   = 4 // ends when the parent does
)

// Run fetches job's sources in a child process, started as self with the
// argument "fetch", and copies the lines it has for the build's log to log:
// they are masked already, and of a fetch that goes well they tell of submodules
// and of what was not checked. When ctx ends, the child and everything it
// started are killed and Run returns ctx's cause.
//
// A source that cannot be had is a Result with a Failure. An error is one that
// no change to project, source or credential mends; one that errors.Is
// agentapi.ErrGone means that the build is no longer this agent's.
func Run(ctx context.Context, self []string, job Job, log io.Writer) (Result, error) {
	private, err := privateDir(job.Launch.Dir)
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(private)
	text, err := json.Marshal(order{Job: job, Self: self, Private: private})
	if err != nil {
		return Result{}, fmt.Errorf("encode the fetch: %w", err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		return Result{}, err
	}
	defer in.Close()
	defer out.Close()
	life, alive, err := os.Pipe()
	if err != nil {
		return Result{}, err
	}
	defer life.Close()
	defer alive.Close()

	complaint := tail{max: maxComplain}
	cmd := exec.CommandContext(ctx, self[0], append(self[1:len(self):len(self)], "fetch")...)
	cmd.Env = environment()
	cmd.Stdin = bytes.NewReader(text)
	cmd.Stdout, cmd.Stderr = log, &complaint
	cmd.ExtraFiles = []*os.File{out, life}
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = pipeGrace
	if err := cmd.Start(); err != nil {
		return Result{}, fmt.Errorf("start the fetch: %w", err)
	}
	_ = out.Close()
	answer, readErr := io.ReadAll(io.LimitReader(in, maxOutcome))
	waitErr := cmd.Wait()
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if waitErr != nil {
		_ = killGroup(cmd.Process.Pid) // it may have left a git
	}
	var o outcome
	if err := errors.Join(readErr, json.Unmarshal(answer, &o)); err != nil {
		return Result{}, fmt.Errorf("the fetch ended without a result (%v): %s", waitErr, complaint.lastLine())
	}
	switch {
	case o.Gone:
		return Result{}, agentapi.ErrGone
	case o.Error != "":
		return o.Result, errors.New(o.Error)
	}
	return o.Result, nil
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
