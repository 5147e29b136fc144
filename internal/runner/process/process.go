// Package process keeps agents that are processes on the server's own machine,
// each in a directory of its own. Runners whose agents live so have one of its
// Agents and add what shuts user code in.
package process

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/runner"
)

// Files in a place's directory beside what the agent makes there.
const (
	buildFile = "build"      // the build's id
	lockFile  = "agent.lock" // the agent holds an flock on it as long as it lives, and writes its pid into it
	logFile   = "agent.log"  // what the agent says about itself; nothing of the build
)

// idBytes is how many random bytes name a place.
const idBytes = 8

// usualPath is where agents find programs unless Options say otherwise.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Options says what agents are and where they live. Dir, Server and Agent are
// needed.
type Options struct {
	Dir    string            // holds a directory per place; made if it is not there
	Prefix string            // of places' ids, by which those of several Agents are told apart; without slashes
	Server string            // unix:///path or URL that agents report to
	Agent  []string          // the agent's command; its first word is the path of a program
	Path   string            // the agents' PATH, and all of their environment; empty means the usual one
	Ended  chan runner.Place // is told of agents that have ended; nil means one of its own
	Log    *slog.Logger      // hears of agents that end badly; nil means slog.Default()
}

// Agents are the agents in one directory. They live on when the server ends:
// the next server's Agents on the same Dir find them. One goroutine for each
// living agent waits for its end. Methods may be called from several
// goroutines.
type Agents struct {
	options Options

	mu       sync.Mutex // guards children
	children map[string]*child
}

// A child is an agent that this process started, or is about to start.
type child struct {
	process  *os.Process   // nil until it is started; guarded by Agents.mu
	done     chan struct{} // closed when the process has ended and was reaped
	failed   bool          // it ended other than by exit status 0; read after done
	stopping bool          // End was called; guarded by Agents.mu
}

// New returns the Agents in a directory. It starts nothing.
func New(o Options) (*Agents, error) {
	if o.Dir == "" || o.Server == "" || len(o.Agent) == 0 {
		return nil, errors.New("the folder of places, the server and the agent are needed")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.Path == "" {
		o.Path = usualPath
	}
	if o.Ended == nil {
		o.Ended = make(chan runner.Place, 256)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Agents{options: o, children: map[string]*child{}}, nil
}

// Root returns the directory that holds the places', without links in it.
func (r *Agents) Root() string { return r.options.Dir }

// Dir returns the directory of a place.
func (r *Agents) Dir(p runner.Place) string { return r.dir(p.ID) }

func (r *Agents) dir(id string) string { return filepath.Join(r.options.Dir, id) }

// IsPlace reports whether id can be that of a place. Nothing else in Dir is
// touched.
func (r *Agents) IsPlace(id string) bool {
	own, ok := strings.CutPrefix(id, r.options.Prefix)
	raw, err := hex.DecodeString(own)
	return ok && err == nil && len(raw) == idBytes
}

// Ended tells of agents started by these Agents that have ended, at once. It
// is never closed, and news that nobody takes in time is dropped.
func (r *Agents) Ended() <-chan runner.Place { return r.options.Ended }

// Make makes an empty directory for an agent that is to be started. From then
// on the place is neither living nor dead, until Start or Remove.
func (r *Agents) Make(buildID string) (runner.Place, error) {
	// Not the build's id: a build that is launched again has another place.
	id := make([]byte, idBytes)
	_, _ = rand.Read(id) // never fails
	p := runner.Place{BuildID: buildID, ID: r.options.Prefix + hex.EncodeToString(id)}
	r.mu.Lock()
	r.children[p.ID] = &child{done: make(chan struct{})}
	r.mu.Unlock()
	err := os.Mkdir(r.Dir(p), 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.Dir(p), buildFile), []byte(p.BuildID), 0o600)
	}
	if err != nil {
		return runner.Place{}, errors.Join(err, r.Remove(p))
	}
	return p, nil
}

// Start starts the agent of a place that was made, in a session of its own,
// with nothing in its environment but PATH. It learns l from its standard
// input, with Server and Dir filled in, and has files open from number 3 on,
// which stay the caller's to close. ctx bounds the launch only. If it fails,
// the place is to be removed.
func (r *Agents) Start(ctx context.Context, p runner.Place, l agentapi.Launch, files ...*os.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	c := r.children[p.ID]
	r.mu.Unlock()
	if c == nil || c.process != nil {
		return errors.New("no place was made for the agent")
	}
	l.Server, l.BuildID, l.Dir = r.options.Server, p.BuildID, r.Dir(p)
	stdin, err := launch(l)
	if err != nil {
		return err
	}
	defer stdin.Close()
	// A file and no pipe: it stays when the server ends, and the agent with it.
	log, err := os.OpenFile(filepath.Join(l.Dir, logFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), r.options.Agent[0], r.options.Agent[1:]...)
	cmd.Dir = l.Dir
	cmd.Env = []string{"PATH=" + r.options.Path}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = stdin, log, log, files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.mu.Lock()
	c.process = cmd.Process
	r.mu.Unlock()
	go r.wait(p, cmd, c)
	return nil
}

// launch returns a pipe that holds the whole launch already, so that an agent
// is never left with half of it, even if the server dies here.
func launch(l agentapi.Launch) (*os.File, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	if len(text) > 60<<10 {
		return nil, errors.New("the launch does not fit into a pipe") // Linux gives it 64 KiB
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	_, err = in.Write(text)
	if err = errors.Join(err, in.Close()); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// wait reaps one agent and tells of its end.
func (r *Agents) wait(p runner.Place, cmd *exec.Cmd, c *child) {
	err := cmd.Wait()
	r.mu.Lock()
	c.failed = err != nil
	stopping := c.stopping
	r.mu.Unlock()
	close(c.done)
	if err != nil && !stopping {
		r.options.Log.Warn("agent ended badly", "buildId", p.BuildID, "error", err, "said", tail(filepath.Join(cmd.Dir, logFile)))
	}
	select {
	case r.options.Ended <- p:
	default:
	}
}

// List returns the places whose agents live, and those whose agents ended
// while no server was there to see it: these are to be removed.
func (r *Agents) List(ctx context.Context) (living, dead []runner.Place, err error) {
	entries, err := os.ReadDir(r.options.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("list places: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if !r.IsPlace(e.Name()) {
			continue
		}
		p, ok := r.place(e.Name())
		c := r.child(e.Name())
		switch held := c == nil && locked(r.Dir(p)); {
		case ok && held, ok && c != nil && c.living():
			living = append(living, p)
		case c == nil && !held:
			dead = append(dead, p)
		}
	}
	return living, dead, nil
}

// place reads which build a directory is of.
func (r *Agents) place(id string) (runner.Place, bool) {
	text, err := os.ReadFile(filepath.Join(r.dir(id), buildFile))
	return runner.Place{BuildID: string(text), ID: id}, err == nil && len(text) > 0
}

// End sends SIGTERM to the agent of a place and waits for its end. After grace
// it kills the agent and all that it started. What the build left running is
// looked for when the agent could not clean up, or if it is open, which means
// that nothing shuts user code in and ends it with the agent. That there is no
// agent is no error.
func (r *Agents) End(ctx context.Context, p runner.Place, grace time.Duration, open bool) error {
	if !r.IsPlace(p.ID) {
		return fmt.Errorf("%q is no place", p.ID)
	}
	a, err := r.agent(p.ID)
	if err != nil {
		return err
	}
	killed, err := a.end(ctx, grace)
	if err != nil {
		return err
	}
	if killed || a.failed() || open {
		evict(r.Dir(p), a.pid)
	}
	return nil
}

// Remove removes the directory of a place without an agent, with all that a
// build left in it, after killing what still works in it.
func (r *Agents) Remove(p runner.Place) error {
	if !r.IsPlace(p.ID) {
		return fmt.Errorf("%q is no place", p.ID)
	}
	c := r.child(p.ID)
	if c == nil { // of an earlier server
		evict(r.Dir(p), 0)
	}
	err := removeAll(r.Dir(p))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || c != nil && c.process == nil {
		delete(r.children, p.ID) // what is left is found dead
	}
	return err
}

func (r *Agents) child(id string) *child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.children[id]
}

func (c *child) living() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// tail returns the end of a file, for a log line.
func tail(path string) string {
	const most = 2 << 10
	text, _ := os.ReadFile(path)
	return string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}

// below reports whether path is dir or lies in it.
func below(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
