package schedule_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/runner"
	"slipway/internal/secret"
)

// commit is what every source resolves to.
const commit = "0123456789abcdef0123456789abcdef01234567"

// ground is a runner whose agents are goroutines. It survives servers.
type ground struct {
	mu       sync.Mutex // guards what follows
	server   agentapi.Backend
	behave   func(*agent) // what agents do; nil means complete
	agents   map[runner.Place]*agent
	made     int
	failures int // of Start, before it succeeds
	launches []string
	pull     func(context.Context, runner.Launch) error // before Start, outside the lock; nil does nothing
}

// An agent is one fake agent.
type agent struct {
	ground *ground
	id     string
	token  secret.Text
	place  runner.Place
	ctx    context.Context // ends when the agent is killed
	kill   context.CancelFunc
	term   chan struct{} // closed by the first Stop
	once   sync.Once
	done   chan struct{}
	first  int // of the next event
}

var errNoPlace = errors.New("no room on this machine")

func (g *ground) serve(s agentapi.Backend) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.server = s
}

func (g *ground) Start(ctx context.Context, l runner.Launch) (runner.Place, error) {
	if g.pull != nil {
		if err := g.pull(ctx, l); err != nil {
			return runner.Place{}, err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failures > 0 {
		g.failures--
		return runner.Place{}, errNoPlace
	}
	g.made++
	p := runner.Place{BuildID: l.BuildID, ID: string(rune('a' + g.made))}
	a := &agent{ground: g, id: l.BuildID, token: l.Token, place: p, term: make(chan struct{}), done: make(chan struct{})}
	a.ctx, a.kill = context.WithCancel(context.Background())
	g.agents[p] = a
	g.launches = append(g.launches, l.BuildID)
	behave := g.behave
	if behave == nil {
		behave = complete
	}
	go func() {
		defer close(a.done)
		behave(a)
	}()
	return p, nil
}

func (g *ground) Stop(ctx context.Context, p runner.Place, grace time.Duration) error {
	g.mu.Lock()
	a := g.agents[p]
	g.mu.Unlock()
	if a == nil {
		return nil
	}
	a.once.Do(func() { close(a.term) })
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-a.done:
	case <-limit.C:
		a.kill()
		<-a.done
	case <-ctx.Done():
		return ctx.Err()
	}
	a.kill()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.agents, p)
	return nil
}

func (g *ground) List(context.Context) ([]runner.Place, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var living []runner.Place
	for p, a := range g.agents {
		select {
		case <-a.done:
			delete(g.agents, p)
		default:
			living = append(living, p)
		}
	}
	return living, nil
}

// killAll ends all agents without a word, as the end of the machine does.
func (g *ground) killAll() {
	g.mu.Lock()
	agents := g.agents
	g.agents = map[runner.Place]*agent{}
	g.mu.Unlock()
	for _, a := range agents {
		a.kill()
		<-a.done
	}
}

func (g *ground) launched() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.launches)
}

func (g *ground) living() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.agents)
}

// only returns the one agent that lives.
func (g *ground) only(t testing.TB) *agent {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.agents) != 1 {
		t.Fatalf("%d agents live, want one", len(g.agents))
	}
	for _, a := range g.agents {
		return a
	}
	return nil
}

func (a *agent) server() agentapi.Backend {
	a.ground.mu.Lock()
	defer a.ground.mu.Unlock()
	return a.ground.server
}

func (a *agent) begin() error {
	_, err := a.server().Begin(a.ctx, a.id, a.token)
	return err
}

// report reports events and counts them.
func (a *agent) report(events ...event.Event) (api.StatusType, error) {
	answer, err := a.server().Report(a.ctx, a.id, a.token, agentapi.Report{First: a.first, Events: events})
	if err != nil {
		return "", err
	}
	a.first += len(events)
	return answer.End, nil
}

func enter(p api.BuildPhaseType) event.Event { return event.Event{Time: time.Now(), Enter: p} }
func leave(s api.StatusType) event.Event {
	return event.Event{Time: time.Now(), Leave: &event.PhaseEnd{Status: s}}
}
func end(s api.StatusType) event.Event { return event.Event{Time: time.Now(), End: s} }
func resolved() event.Event {
	return event.Event{Time: time.Now(), Resolved: &event.Resolved{Commit: commit}}
}

var agentPhases = []api.BuildPhaseType{
	api.BuildPhaseTypeDownloadSource, api.BuildPhaseTypeInstall, api.BuildPhaseTypePreBuild, api.BuildPhaseTypeBuild,
	api.BuildPhaseTypePostBuild, api.BuildPhaseTypeUploadArtifacts, api.BuildPhaseTypeFinalizing,
}

// through returns the events of phases that go well.
func through(phases ...api.BuildPhaseType) []event.Event {
	var events []event.Event
	for _, p := range phases {
		events = append(events, enter(p))
		if p == api.BuildPhaseTypeDownloadSource {
			events = append(events, resolved())
		}
		events = append(events, leave(api.StatusTypeSucceeded))
	}
	return events
}

// complete is an agent whose build goes well.
func complete(a *agent) {
	if a.begin() != nil {
		return
	}
	_, _ = a.report(append(through(agentPhases...), end(api.StatusTypeSucceeded))...)
}

// hang is an agent that begins, enters BUILD and then only waits: for SIGTERM,
// for an answer that ends the build, or for being killed.
func hang(a *agent) {
	if a.begin() != nil {
		return
	}
	if _, err := a.report(append(through(agentPhases[:3]...), enter(api.BuildPhaseTypeBuild))...); err != nil {
		return
	}
	a.beat()
}

// beat gives signs of life until the build is to end, and then ends it.
func (a *agent) beat() {
	tick := time.NewTicker(agentapi.HeartbeatEvery)
	defer tick.Stop()
	for {
		status := api.StatusTypeStopped
		select {
		case <-a.ctx.Done():
			return
		case <-a.term:
		case <-tick.C:
			told, err := a.report()
			if err != nil && (fault.KindOf(err) == fault.Gone || fault.KindOf(err) == fault.Denied) {
				return
			}
			if told == "" {
				continue // also while the server is away
			}
			status = told
		}
		_, _ = a.report(leave(status), end(status))
		return
	}
}

// silent is an agent that begins and is never heard of again.
func silent(a *agent) {
	if a.begin() == nil {
		_, _ = a.report(append(through(agentPhases[:3]...), enter(api.BuildPhaseTypeBuild))...)
	}
	<-a.ctx.Done()
}

// deaf is an agent that never says a word.
func deaf(a *agent) { <-a.ctx.Done() }
