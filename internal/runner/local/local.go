// Package local gives agents a place on the server's own machine: a process
// and a directory.
package local

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
	"slices"
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

// isPlace reports whether id can be a place's. Nothing else in Dir is touched.
func isPlace(id string) bool {
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == idBytes
}

// usualPath is where agents find programs unless Options say otherwise.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Options says what agents are and where they live. Dir, Server and Agent are
// needed.
type Options struct {
	Dir     string           // holds a directory per place; made if it is not there
	Server  string           // unix:///path or URL that agents report to
	Agent   []string         // the agent's command; its first word is the path of a program
	Sandbox agentapi.Sandbox // handed to every agent, with Dir added to what user code must not see
	Mirrors agentapi.Mirrors // handed to every agent; zero without a sandbox, which keeps user code away from it
	Path    string           // the agents' PATH, and all of their environment; empty means the usual one
	Log     *slog.Logger     // hears of agents that end badly; nil means slog.Default()
}

// A Runner is the local runner. It leaves agents alone when the server ends:
// the next server's Runner on the same Dir finds them. One goroutine for each
// living agent waits for its end.
type Runner struct {
	options Options
	ended   chan runner.Place

	mu       sync.Mutex // guards children
	children map[string]*child
}

// A child is an agent that this process started.
type child struct {
	process  *os.Process   // nil until it is started; guarded by Runner.mu
	done     chan struct{} // closed when the process has ended and was reaped
	failed   bool          // it ended other than by exit status 0; read after done
	stopping bool          // Stop was called; guarded by Runner.mu
}

// New returns a Runner. It starts nothing.
func New(o Options) (*Runner, error) {
	if o.Dir == "" || o.Server == "" || len(o.Agent) == 0 {
		return nil, errors.New("local runner: Dir, Server and Agent are needed")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("local runner: %w", err)
	}
	dir, err := filepath.Abs(o.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("local runner: %w", err)
	}
	o.Dir = dir
	if !slices.ContainsFunc(o.Sandbox.Hide, func(h string) bool { return below(h, dir) }) {
		o.Sandbox.Hide = append(slices.Clone(o.Sandbox.Hide), dir)
	}
	if o.Sandbox.Bubblewrap == "" {
		o.Mirrors = agentapi.Mirrors{} // user code could change what later builds get
	}
	if o.Path == "" {
		o.Path = usualPath
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Runner{options: o, ended: make(chan runner.Place, 256), children: map[string]*child{}}, nil
}

// Ended tells of agents started by this Runner that have ended, at once. It is
// never closed, and news that nobody takes in time is dropped.
func (r *Runner) Ended() <-chan runner.Place { return r.ended }

// Start launches an agent in a directory of its own, in a session of its own,
// with nothing in its environment but PATH. It learns everything else from its
// standard input.
func (r *Runner) Start(ctx context.Context, l runner.Launch) (runner.Place, error) {
	if err := ctx.Err(); err != nil {
		return runner.Place{}, err
	}
	// Not the build's id: a build that is launched again has another place.
	id := make([]byte, idBytes)
	_, _ = rand.Read(id) // never fails
	p := runner.Place{BuildID: l.BuildID, ID: hex.EncodeToString(id)}
	c := &child{done: make(chan struct{})}
	r.mu.Lock()
	r.children[p.ID] = c // from here on List does not take the directory for a dead place
	r.mu.Unlock()
	if err := r.start(ctx, p, l, c); err != nil {
		r.forget(p.ID)
		return runner.Place{}, fmt.Errorf("start agent: %w", err)
	}
	return p, nil
}

func (r *Runner) start(ctx context.Context, p runner.Place, l runner.Launch, c *child) (err error) {
	dir := r.dir(p.ID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = removeAll(dir)
		}
	}()
	if err := os.WriteFile(filepath.Join(dir, buildFile), []byte(p.BuildID), 0o600); err != nil {
		return err
	}
	stdin, err := r.launch(dir, l)
	if err != nil {
		return err
	}
	defer stdin.Close()
	// A file and no pipe: it stays when the server ends, and the agent with it.
	log, err := os.OpenFile(filepath.Join(dir, logFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), r.options.Agent[0], r.options.Agent[1:]...) // ctx bounds the launch only
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + r.options.Path}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, log, log
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
func (r *Runner) launch(dir string, l runner.Launch) (*os.File, error) {
	text, err := json.Marshal(agentapi.Launch{
		Server: r.options.Server, BuildID: l.BuildID, Token: agentapi.Bearer{Text: l.Token}, Dir: dir, Sandbox: r.options.Sandbox,
		Mirrors: r.options.Mirrors,
	})
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
func (r *Runner) wait(p runner.Place, cmd *exec.Cmd, c *child) {
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
	case r.ended <- p:
	default:
	}
}

// List returns the places whose agent lives. It removes what agents left that
// ended while no server was there to see it.
func (r *Runner) List(ctx context.Context) ([]runner.Place, error) {
	entries, err := os.ReadDir(r.options.Dir)
	if err != nil {
		return nil, fmt.Errorf("list places: %w", err)
	}
	var places []runner.Place
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !isPlace(e.Name()) {
			continue
		}
		p, ok := r.place(e.Name())
		c := r.child(e.Name())
		switch {
		case ok && c != nil && c.living(), ok && c == nil && locked(r.dir(e.Name())):
			places = append(places, p)
		case c == nil && !locked(r.dir(e.Name())):
			evict(r.dir(e.Name()), 0)
			if err := removeAll(r.dir(e.Name())); err != nil {
				r.options.Log.Warn("dead place not removed", "place", e.Name(), "error", err)
			}
		}
	}
	return places, nil
}

// place reads which build a directory is of.
func (r *Runner) place(id string) (runner.Place, bool) {
	text, err := os.ReadFile(filepath.Join(r.dir(id), buildFile))
	return runner.Place{BuildID: string(text), ID: id}, err == nil && len(text) > 0
}

// Stop sends SIGTERM to the agent and waits for its end. After grace it kills
// the agent and all that it started. Then it removes the directory.
func (r *Runner) Stop(ctx context.Context, p runner.Place, grace time.Duration) error {
	if !isPlace(p.ID) {
		return fmt.Errorf("stop agent: %q is no place", p.ID)
	}
	dir := r.dir(p.ID)
	a, err := r.agent(p.ID)
	if err != nil {
		return fmt.Errorf("stop agent of %s: %w", p.BuildID, err)
	}
	killed, err := a.end(ctx, grace)
	if err != nil {
		return fmt.Errorf("stop agent of %s: %w", p.BuildID, err)
	}
	// A sandbox ends with its agent. Without one, or when the agent could not
	// clean up, what the build left running is looked for.
	if killed || a.failed() || r.options.Sandbox.Bubblewrap == "" {
		evict(dir, a.pid)
	}
	if err := removeAll(dir); err != nil {
		return fmt.Errorf("remove place of %s: %w", p.BuildID, err)
	}
	r.forget(p.ID)
	return nil
}

func (r *Runner) dir(id string) string { return filepath.Join(r.options.Dir, id) }

func (r *Runner) child(id string) *child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.children[id]
}

func (r *Runner) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.children, id)
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
