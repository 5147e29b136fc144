// Package local gives agents a place on the server's own machine: a process
// and a directory.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/runner"
	"slipway/internal/runner/process"
)

// Options says what agents are and where they live. Dir, Server and Agent are
// needed.
type Options struct {
	Dir     string            // holds a directory per place; made if it is not there
	Server  string            // unix:///path or URL that agents report to
	Agent   []string          // the agent's command; its first word is the path of a program
	Sandbox agentapi.Sandbox  // handed to every agent, with Dir added to what user code must not see
	Mirrors agentapi.Mirrors  // handed to every agent; zero without a sandbox, which keeps user code away from it
	Path    string            // the agents' PATH, and all of their environment; empty means the usual one
	Ended   chan runner.Place // is told of agents that have ended; nil means one of the Runner's own
	Log     *slog.Logger      // hears of agents that end badly; nil means slog.Default()
}

// A Runner is the local runner. It leaves agents alone when the server ends:
// the next server's Runner on the same Dir finds them. One goroutine for each
// living agent waits for its end.
type Runner struct {
	agents  *process.Agents
	sandbox agentapi.Sandbox
	mirrors agentapi.Mirrors
	log     *slog.Logger
}

// New returns a Runner. It starts nothing.
func New(o Options) (*Runner, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	agents, err := process.New(process.Options{Dir: o.Dir, Server: o.Server, Agent: o.Agent, Path: o.Path, Ended: o.Ended, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("local runner: %w", err)
	}
	if dir := agents.Root(); !slices.ContainsFunc(o.Sandbox.Hide, func(h string) bool { return below(h, dir) }) {
		o.Sandbox.Hide = append(slices.Clone(o.Sandbox.Hide), dir)
	}
	if o.Sandbox.Bubblewrap == "" {
		o.Mirrors = agentapi.Mirrors{} // user code could change what later builds get
	}
	return &Runner{agents: agents, sandbox: o.Sandbox, mirrors: o.Mirrors, log: o.Log}, nil
}

// Ended tells of agents started by this Runner that have ended, at once. It is
// never closed, and news that nobody takes in time is dropped.
func (r *Runner) Ended() <-chan runner.Place { return r.agents.Ended() }

// Start launches an agent in a directory of its own, in a session of its own,
// with nothing in its environment but PATH. It learns everything else from its
// standard input.
func (r *Runner) Start(ctx context.Context, l runner.Launch) (runner.Place, error) {
	if err := ctx.Err(); err != nil {
		return runner.Place{}, err
	}
	p, err := r.agents.Make(l.BuildID)
	if err != nil {
		return runner.Place{}, fmt.Errorf("start agent: %w", err)
	}
	if err := r.agents.Start(ctx, p, agentapi.Launch{Token: agentapi.Bearer{Text: l.Token}, Sandbox: r.sandbox, Mirrors: r.mirrors, Fetches: l.Fetches, Notes: l.Notes}); err != nil {
		return runner.Place{}, fmt.Errorf("start agent: %w", errors.Join(err, r.agents.Remove(p)))
	}
	return p, nil
}

// List returns the places whose agent lives. It removes what agents left that
// ended while no server was there to see it.
func (r *Runner) List(ctx context.Context) ([]runner.Place, error) {
	living, dead, err := r.agents.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range dead {
		if err := r.agents.Remove(p); err != nil {
			r.log.Warn("dead place not removed", "place", p.ID, "error", err)
		}
	}
	return living, nil
}

// Stop sends SIGTERM to the agent and waits for its end. After grace it kills
// the agent and all that it started. Then it removes the directory.
func (r *Runner) Stop(ctx context.Context, p runner.Place, grace time.Duration) error {
	// A sandbox ends with its agent.
	if err := r.agents.End(ctx, p, grace, r.sandbox.Bubblewrap == ""); err != nil {
		return fmt.Errorf("stop agent of %s: %w", p.BuildID, err)
	}
	if err := r.agents.Remove(p); err != nil {
		return fmt.Errorf("remove place of %s: %w", p.BuildID, err)
	}
	return nil
}

// below reports whether path is dir or lies in it.
func below(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
