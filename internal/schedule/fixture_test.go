package schedule_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/keyring"
	"slipway/internal/logstream"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/runner"
	"slipway/internal/schedule"
	"slipway/internal/seal"
	"slipway/internal/store"
	"slipway/internal/vault/desk"
)

var (
	scope  = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	caller = accesskey.Caller{Scope: scope, User: "owner"}
)

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
	creates  func(logstream.StreamID) // is told before a stream is made; nil if nobody listens
	runner   *ground
	options  schedule.Options
	provider schedule.Reporter
	journal  *journal
	full     bool // no log can be made

	deliverers map[outbox.Kind]schedule.Deliverer
	vault      *desk.Desk // nil if there is none
	codeCommit *signer

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
		if t.Failed() {
			t.Logf("the log:\n%s", b.journal)
		}
		must(t, logs.Close())
		must(t, db.Close())
	})
	return b
}

// start starts a server on what the last one left.
func (b *bench) start() {
	providers := map[api.ServerType]schedule.Reporter{}
	if b.provider != nil {
		for _, t := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED"} {
			providers[t] = b.provider
		}
	}
	log := slog.New(slog.NewTextHandler(b.journal, nil))
	parts := schedule.Parts{
		Builds: b.db.Builds(), Outbox: b.db.Outbox(), Logs: watchedLogs{b.logs, func(id logstream.StreamID) {
			if b.creates != nil {
				b.creates(id)
			}
		}}, Runner: b.runner, Providers: providers, Log: log, Deliverers: b.deliverers,
		Keys: keyring.New(b.db.Credentials(), b.keys, log, keyring.Options{Endpoints: b.options.Endpoints}),
	}
	if b.vault != nil {
		parts.Vault = b.vault
	}
	if b.codeCommit != nil {
		parts.CodeCommit = b.codeCommit
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
