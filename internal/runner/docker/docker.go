// Package docker gives user code a container of the project's image.
//
// The agent of a build lives on the server's machine, as with the local runner,
// since tokens must not be where user code runs. Beside it there is a container
// whose first process is the agent's program, too: it connects the container to
// the agent (package agent/relay) and ends it with that connection. So what ends
// an agent ends its container, whether a server is there to see it or not;
// what is left of it is removed by Stop, or by List of the next server.
package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"slipway/internal/agentapi"
	"slipway/internal/runner"
	"slipway/internal/runner/process"
	"slipway/internal/secret"
)

// Prefix of the ids of places, by which they are told from those of other
// runners.
const Prefix = "docker-"

// Options says what agents are, where they live and which images there are.
// Dir, Server and Agent are needed.
type Options struct {
	Dir     string           // holds a directory per place, which the engine must see under the same path; made if it is not there
	Server  string           // unix:///path or URL that agents report to
	Agent   []string         // the agent's command; its first word is the path of a program
	Inside  []string         // likewise in containers, which are shown that program: it has to be a static one; nil means Agent
	Engine  string           // unix:///path of the engine's socket; empty means the usual one
	Images  Images           // what images are called here
	Network string           // that containers are in, such as host; empty means the engine's default
	Mirrors agentapi.Mirrors // handed to every agent, whose containers do not see it

	// Secret returns the value of the secret that a launch's RegistryCredential
	// names. Nil means that there are none.
	Secret func(ctx context.Context, l runner.Launch) (secret.Text, error)

	Ended chan runner.Place // is told of agents that have ended; nil means one of the Runner's own
	Log   *slog.Logger      // hears what goes wrong; nil means slog.Default()
}

// A Runner is the Docker runner.
type Runner struct {
	options Options
	agents  *process.Agents
	engine  *Engine

	layering sync.Mutex // held from choosing a volume of layers until its container exists
}

// Open returns a Runner on the engine that Options name, which must answer. It
// starts nothing.
func Open(ctx context.Context, o Options) (*Runner, error) {
	if o.Inside == nil {
		o.Inside = o.Agent
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	agents, err := process.New(process.Options{Dir: o.Dir, Prefix: Prefix, Server: o.Server, Agent: o.Agent, Ended: o.Ended, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("docker runner: %w", err)
	}
	if o.Inside, err = static(o.Inside); err != nil {
		return nil, fmt.Errorf("docker runner: %w", err)
	}
	engine, err := Probe(ctx, o.Engine)
	if err != nil {
		return nil, fmt.Errorf("docker runner: %w", err)
	}
	return &Runner{options: o, agents: agents, engine: engine}, nil
}

// Engine returns the engine that the Runner works with.
func (r *Runner) Engine() *Engine { return r.engine }

// Close drops the connections to the engine that are kept for the next request.
func (r *Runner) Close() error { return r.engine.Close() }

// Ended tells of agents started by this Runner that have ended, at once. It is
// never closed, and news that nobody takes in time is dropped.
func (r *Runner) Ended() <-chan runner.Place { return r.agents.Ended() }

// Start pulls the image if need be, starts a container and then the agent. What
// the project's owner has to mend is a *runner.Failure, as CodeBuild says it.
func (r *Runner) Start(ctx context.Context, l runner.Launch) (runner.Place, error) {
	if err := ctx.Err(); err != nil {
		return runner.Place{}, err
	}
	if l.Say == nil {
		l.Say = func(string) {}
	}
	image, err := r.provide(ctx, l)
	if err != nil {
		return runner.Place{}, err
	}
	p, err := r.agents.Make(l.BuildID)
	if err != nil {
		return runner.Place{}, fmt.Errorf("start agent: %w", err)
	}
	if err := r.start(ctx, p, l, image); err != nil {
		// Removing takes longer than the context that may have ended this.
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineTime)
		defer cancel()
		if left := r.remove(cleaning, p); left != nil {
			r.options.Log.Warn("place not removed", "buildId", p.BuildID, "place", p.ID, "error", left)
		}
		return runner.Place{}, err
	}
	return p, nil
}

func (r *Runner) start(ctx context.Context, p runner.Place, l runner.Launch, image Image) error {
	conn, err := r.contain(ctx, p, l, image)
	if err != nil {
		return err
	}
	defer conn.Close()
	const first = 3 // number of an agent's first file beside the standard ones
	err = r.agents.Start(ctx, p, agentapi.Launch{
		Token: agentapi.Bearer{Text: l.Token}, Sandbox: agentapi.Sandbox{Container: first},
		Mirrors: r.options.Mirrors, Fetches: l.Fetches, Notes: append(l.Notes, image.note(l.Image)),
	}, conn)
	if err != nil {
		return fmt.Errorf("start agent: %w", err)
	}
	return nil
}

// Stop sends SIGTERM to the agent and waits for its end, with which that of the
// container comes. After grace it kills the agent. Then it removes the
// container with its volumes, and the directory.
func (r *Runner) Stop(ctx context.Context, p runner.Place, grace time.Duration) error {
	if err := r.agents.End(ctx, p, grace, false); err != nil {
		return fmt.Errorf("stop agent of %s: %w", p.BuildID, err)
	}
	if err := r.remove(ctx, p); err != nil {
		return fmt.Errorf("remove place of %s: %w", p.BuildID, err)
	}
	return nil
}

// remove removes what there is of a place whose agent has ended.
func (r *Runner) remove(ctx context.Context, p runner.Place) error {
	if err := r.removeContainer(ctx, p.ID); err != nil {
		return err
	}
	err := r.agents.Remove(p)
	if !denied(err) {
		return err
	}
	// User code was root where it ran, and this server is not.
	if err := r.sweep(ctx, r.agents.Dir(p)); err != nil {
		return err
	}
	return r.agents.Remove(p)
}

// List returns the places whose agent lives. It removes what is left of others,
// as far as the engine answers.
func (r *Runner) List(ctx context.Context) ([]runner.Place, error) {
	// The containers first: a place that is made meanwhile has none among them.
	containers, err := r.containers(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.options.Log.Warn("containers not listed", "error", err)
	}
	living, dead, err := r.agents.List(ctx)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, p := range living {
		kept[p.ID] = true
	}
	for _, p := range dead {
		kept[p.ID] = true
		if err := r.remove(ctx, p); err != nil {
			r.options.Log.Warn("dead place not removed", "place", p.ID, "error", err)
		}
	}
	for _, id := range containers {
		if kept[id] {
			continue
		}
		if err := r.removeContainer(ctx, id); err != nil {
			r.options.Log.Warn("container without a place not removed", "place", id, "error", err)
		}
	}
	return living, nil
}

// Engine is a Docker engine on this machine.
type Engine struct {
	*Info
	client *client.Client
}

// Close drops the connections that are kept for the next request.
func (e *Engine) Close() error { return e.client.Close() }

// An Info is what an engine says of itself.
type Info struct {
	Socket     string // its path
	Version    string
	Processors int
	Memory     int64 // of the machine, in bytes
	security   []string
}

const (
	probeTime  = 10 * time.Second // for an engine to answer
	engineTime = time.Minute      // for it to make, start or remove a container
)

// usualSocket is where an engine listens unless it is told otherwise.
const usualSocket = "unix:///var/run/docker.sock"

// Probe asks an engine who it is. The error says what to do.
func Probe(ctx context.Context, at string) (*Engine, error) {
	if at == "" {
		at = usualSocket
	}
	if len(at) < len("unix://") || at[:len("unix://")] != "unix://" {
		return nil, fmt.Errorf("the Docker engine at %s is on another machine, as far as can be told: builds need one that sees this machine's folders, at unix:///path/to/its.sock", at)
	}
	c, err := client.New(client.WithHost(at))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	got, err := c.Info(ctx, client.InfoOptions{})
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("no Docker engine answers at %s: %w; start it ('systemctl start docker'), and let this user talk to it ('usermod -aG docker USER', which gives that user all rights of root)", at, err)
	}
	if got.Info.OSType != "linux" {
		_ = c.Close()
		return nil, errors.New("the Docker engine runs containers of " + got.Info.OSType + ": builds need Linux")
	}
	return &Engine{client: c, Info: &Info{
		Socket: filepath.Clean(at[len("unix://"):]), Version: got.Info.ServerVersion, Processors: got.Info.NCPU, Memory: got.Info.MemTotal,
		security: got.Info.SecurityOptions,
	}}, nil
}
