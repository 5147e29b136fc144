package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/keyring"
	"slipway/internal/runner"
	"slipway/internal/runner/local"
	"slipway/internal/schedule"
)

// asAgent makes this test binary an agent: one that begins, waits until there
// is the file that its argument names, and then ends its build well.
const asAgent = "schedule-test-agent"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asAgent {
		os.Exit(agentMain(os.Args[2]))
	}
	os.Exit(m.Run())
}

// agentMain is a real process that speaks the real protocol. As long as there
// is no gate, it gives signs of life.
func agentMain(gate string) int {
	ctx := context.Background()
	var l agentapi.Launch
	if err := json.NewDecoder(os.Stdin).Decode(&l); err != nil {
		return 2
	}
	lock, err := os.OpenFile(filepath.Join(l.Dir, "agent.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil || syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return 3
	}
	defer lock.Close() // and not before: a file that nobody uses any more is closed when memory is tidied up
	if _, err := lock.WriteString(strconv.Itoa(os.Getpid())); err != nil {
		return 3
	}
	c := agentapi.NewClient(l)
	begin := func() error {
		_, err := c.Begin(ctx)
		return err
	}
	wait := func() error {
		if _, err := c.Report(ctx, agentapi.Report{}); err != nil {
			return err
		}
		_, err := os.Stat(gate)
		return err
	}
	finish := func() error {
		_, err := c.Report(ctx, agentapi.Report{Events: append(through(agentPhases...), end(api.StatusTypeSucceeded))})
		return err
	}
	for _, step := range []func() error{begin, wait, finish} {
		for err := step(); err != nil; err = step() { // the server may be away
			if errors.Is(err, agentapi.ErrGone) {
				return 4
			}
			time.Sleep(10 * time.Millisecond) // a test's agent, not a test
		}
	}
	return 0
}

// localBench is a bench with the local runner, real processes and a socket.
type localBench struct {
	*bench
	dir, gate string
	down      func()
}

func newLocalBench(t *testing.T) *localBench {
	t.Helper()
	b := newBench(t, schedule.Options{Lease: 20 * time.Second})
	b.stop()
	l := &localBench{bench: b, dir: t.TempDir(), gate: filepath.Join(t.TempDir(), "gate")}
	l.up(l.open())
	t.Cleanup(func() {
		l.down()
		r := l.open()
		places, err := r.List(context.WithoutCancel(t.Context()))
		must(t, err)
		for _, p := range places {
			must(t, r.Stop(context.WithoutCancel(t.Context()), p, 0))
		}
	})
	return l
}

// open returns a runner whose agents are this binary, or run a shell script.
func (l *localBench) open(script ...string) *local.Runner {
	l.t.Helper()
	o := local.Options{
		Dir: filepath.Join(l.dir, "places"), Server: "unix://" + filepath.Join(l.dir, "s"), Agent: []string{"/proc/self/exe", asAgent, l.gate},
		Log: slog.New(slog.NewTextHandler(l.journal, nil)),
	}
	if len(script) > 0 {
		o.Agent = append([]string{"/bin/sh", "-c"}, script...)
	}
	r, err := local.New(o)
	must(l.t, err)
	return r
}

// up starts a server with all that belongs to it.
func (l *localBench) up(r *local.Runner) {
	l.t.Helper()
	log := slog.New(slog.NewTextHandler(l.journal, nil))
	s := schedule.New(schedule.Parts{
		Builds: l.db.Builds(), Outbox: l.db.Outbox(), Logs: l.logs, Runner: r, Log: log,
		Keys: keyring.New(l.db.Credentials(), l.keys, log, keyring.Options{}),
	}, l.options)
	listener, err := agentapi.ListenUnix(l.t.Context(), filepath.Join(l.dir, "s"))
	must(l.t, err)
	server := &http.Server{Handler: agentapi.NewHandler(s, log), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	l.Scheduler = s
	l.down = func() {
		cancel()
		_ = server.Close()
		must(l.t, <-ended)
	}
}

func (l *localBench) places() []runner.Place {
	l.t.Helper()
	places, err := l.open().List(l.t.Context())
	must(l.t, err)
	return places
}

func TestRealAgentsGoOnWhenTheServerIsReplaced(t *testing.T) {
	l := newLocalBench(t)
	id := l.queue()
	await(t, func() bool { return l.of(id).State.Begun })
	l.down()
	must(t, os.WriteFile(l.gate, nil, 0o600))
	l.up(l.open())
	await(t, func() bool { b := l.of(id); return b.Finished() })
	l.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
	await(t, func() bool { return len(l.places()) == 0 })
}

func TestARealAgentThatIsKilledEndsItsBuildAtOnce(t *testing.T) {
	l := newLocalBench(t)
	id := l.queue()
	await(t, func() bool { return l.of(id).State.Begun })
	places := l.places()
	if len(places) != 1 {
		t.Fatalf("places %v, want one", places)
	}
	text, err := os.ReadFile(filepath.Join(l.dir, "places", places[0].ID, "agent.lock"))
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	await(t, func() bool { b := l.of(id); return b.Finished() })
	l.want(id, api.StatusTypeFault, api.BuildPhaseTypeDownloadSource, api.StatusTypeFault, "INTERNAL_ERROR The build's agent ended before the build did")
}

func TestABrokenAgentEndsTheBuildWithoutWaiting(t *testing.T) {
	l := newLocalBench(t)
	l.down()
	l.up(l.open("echo cannot start >&2; exit 1"))
	id := l.queue()
	await(t, func() bool { b := l.of(id); return b.Finished() })
	l.want(id, api.StatusTypeFault, api.BuildPhaseTypeProvisioning, api.StatusTypeFault, "launched 3 times")
	if journal := l.journal.String(); !strings.Contains(journal, "cannot start") {
		t.Errorf("the log does not say what the agent said:\n%s", journal)
	}
}
