package schedule_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/project"
	"slipway/internal/runner"
	"slipway/internal/schedule"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/store"
)

var (
	scope  = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	caller = accesskey.Caller{Scope: scope, User: "owner"}
)

const commit = "0123456789abcdef0123456789abcdef01234567"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A bench is a Scheduler on a real store and real logs, with a runner whose
// agents are goroutines of the test. Its server can be stopped and started.
type bench struct {
	t        testing.TB
	db       *store.DB
	keys     *seal.Keyset
	logs     *logstream.Store
	runner   *ground
	options  schedule.Options
	provider source.Provider
	journal  *journal
	full     bool // no log can be made

	*schedule.Scheduler
	stop func() // ends the server, and waits for it
}

// newBench returns a bench whose server runs.
func newBench(t testing.TB, o schedule.Options) *bench {
	t.Helper()
	db, err := store.Open(context.WithoutCancel(t.Context()), t.TempDir())
	must(t, err)
	keys, err := seal.New()
	must(t, err)
	logs, err := logstream.Open(t.TempDir())
	must(t, err)
	b := &bench{t: t, db: db, keys: keys, logs: logs, options: o, journal: &journal{}, runner: &ground{agents: map[runner.Place]*agent{}}}
	p := project.Project{Scope: scope, Public: api.Project{
		Name: new("app"), ARN: new(scope.Project("app")), Created: api.At(time.Now()), LastModified: api.At(time.Now()),
		Source:        &api.ProjectSource{Type: api.SourceTypeGithub, Location: new("https://github.com/octo/app"), ReportBuildStatus: new(true)},
		Artifacts:     &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment:   &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "standard:7.0", ComputeType: api.ComputeTypeBuildGeneral1Small},
		EncryptionKey: new("arn:aws:kms:us-east-1:000000000000:alias/aws/s3"),
		ServiceRole:   new("arn:aws:iam::000000000000:role/build"), TimeoutInMinutes: new(60), QueuedTimeoutInMinutes: new(480),
	}}
	must(t, db.Projects().Create(t.Context(), p))
	b.start()
	t.Cleanup(func() {
		b.stop()
		b.runner.killAll()
		must(t, logs.Close())
		must(t, db.Close())
	})
	return b
}

// start starts a server on what the last one left.
func (b *bench) start() {
	providers := map[api.ServerType]source.Provider{}
	if b.provider != nil {
		providers[api.ServerTypeGithub] = b.provider
	}
	parts := schedule.Parts{
		Builds: b.db.Builds(), Outbox: b.db.Outbox(), Credentials: b.db.Credentials(), Opener: b.keys, Logs: b.logs,
		Runner: b.runner, Providers: providers, Log: slog.New(slog.NewTextHandler(b.journal, nil)),
	}
	if b.full {
		parts.Logs = failingLogs{b.logs}
	}
	s := schedule.New(parts, b.options)
	b.Scheduler = s
	b.runner.serve(s)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		b.runner.serve(schedule.New(schedule.Parts{}, schedule.Options{})) // nobody there
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("Run: %v", err)
		}
	})
}

// queue stores a queued build, as StartBuild does, and returns its id.
func (b *bench) queue(change ...func(*api.StartBuildInput)) string {
	b.t.Helper()
	p, err := b.db.Projects().Get(b.t.Context(), scope, "app")
	must(b.t, err)
	in := &api.StartBuildInput{ProjectName: "app"}
	for _, c := range change {
		c(in)
	}
	made, err := build.New(p, in, caller, build.NewID("app"), time.Now())
	must(b.t, err)
	made, err = b.db.Builds().Accept(b.t.Context(), made, nil)
	must(b.t, err)
	b.Wake()
	return *made.Public.ID
}

// of returns the present record of a build.
func (b *bench) of(id string) build.Build {
	b.t.Helper()
	got, err := b.db.Builds().Find(b.t.Context(), id)
	must(b.t, err)
	return got
}

// want checks how a build ended.
func (b *bench) want(id string, status api.StatusType, phase api.BuildPhaseType, phaseStatus api.StatusType, message string) {
	b.t.Helper()
	got := b.of(id)
	if !got.Finished() || got.Public.BuildStatus != status {
		b.t.Fatalf("build is %s in %s, want it ended %s", got.Public.BuildStatus, *got.Public.CurrentPhase, status)
	}
	last := got.Public.Phases[len(got.Public.Phases)-2]
	if last.PhaseType != phase || last.PhaseStatus != phaseStatus {
		b.t.Errorf("the last phase is %s %s, want %s %s", last.PhaseType, last.PhaseStatus, phase, phaseStatus)
	}
	said := ""
	for _, c := range last.Contexts {
		said += *c.StatusCode + " " + *c.Message
	}
	if !strings.Contains(said, message) {
		b.t.Errorf("the last phase says %q, want %q in it", said, message)
	}
}

// journal is a log that several goroutines write.
type journal struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// ground is a runner whose agents are goroutines. It survives servers.
type ground struct {
	mu       sync.Mutex // guards what follows
	server   agentapi.Backend
	behave   func(*agent) // what agents do; nil means complete
	agents   map[runner.Place]*agent
	made     int
	failures int // of Start, before it succeeds
	launches []string
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

func (g *ground) Start(_ context.Context, l runner.Launch) (runner.Place, error) {
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
func (a *agent) report(events ...build.Event) (api.StatusType, error) {
	answer, err := a.server().Report(a.ctx, a.id, a.token, agentapi.Report{First: a.first, Events: events})
	if err != nil {
		return "", err
	}
	a.first += len(events)
	return answer.End, nil
}

func enter(p api.BuildPhaseType) build.Event { return build.Event{Time: time.Now(), Enter: p} }
func leave(s api.StatusType) build.Event {
	return build.Event{Time: time.Now(), Leave: &build.PhaseEnd{Status: s}}
}
func end(s api.StatusType) build.Event { return build.Event{Time: time.Now(), End: s} }
func resolved() build.Event {
	return build.Event{Time: time.Now(), Resolved: &build.Resolved{Commit: commit}}
}

var agentPhases = []api.BuildPhaseType{
	api.BuildPhaseTypeDownloadSource, api.BuildPhaseTypeInstall, api.BuildPhaseTypePreBuild, api.BuildPhaseTypeBuild,
	api.BuildPhaseTypePostBuild, api.BuildPhaseTypeUploadArtifacts, api.BuildPhaseTypeFinalizing,
}

// through returns the events of phases that go well.
func through(phases ...api.BuildPhaseType) []build.Event {
	var events []build.Event
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
