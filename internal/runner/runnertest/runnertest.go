// Package runnertest holds the contract of runners: the suite that every
// member of the family runs, and a small agent for it.
package runnertest

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"slipway/internal/agentapi"
	"slipway/internal/fault"
	"slipway/internal/runner"
	"slipway/internal/secret"
)

// patience is how long the suite waits for what should take milliseconds.
const patience = 30 * time.Second

// grace is for agents that end in order: far more than they need, so that one
// who gets killed instead shows in the time the suite takes.
const grace = 30 * time.Second

// A Ground is where one test's runners work.
type Ground struct {
	// Open returns a Runner on this ground. Opening again stands for a server
	// that was restarted.
	Open func() runner.Runner
	// Image is the one that launches name; most runners need none.
	Image string
}

// Run tests the runners that ground makes. Their agents' command is the one
// Command returns; server is where agents are to report.
func Run(t *testing.T, ground func(t *testing.T, server string) Ground) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"an agent learns its launch and is listed", testStart},
		{"an agent that ended by itself is not listed, and can be stopped", testBrief},
		{"stopping asks the agent to end, and removes the place", testStop},
		{"an agent that does not end is killed after the grace", testStubborn},
		{"stopping waits no longer than its context", testStopContext},
		{"stopping a place that is gone is no error", testGone},
		{"several agents live side by side", testSeveral},
		{"a build that is launched again has another place", testAgain},
		{"a restarted server finds living agents and can stop them", testRestart},
		{"a restarted server does not find agents that ended meanwhile", testRestartDead},
		{"nothing is started for a context that has ended", testEndedContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &suite{begun: make(chan launched, 16)}
			server := httptest.NewServer(agentapi.NewHandler(s, slog.New(slog.NewTextHandler(io.Discard, nil))))
			t.Cleanup(server.Close)
			s.ground = ground(t, server.URL)
			s.runner = s.ground.Open()
			t.Cleanup(func() { s.stopAll(t) })
			tt.test(t, s)
		})
	}
}

// suite is one test's state, and the server its agents report to.
type suite struct {
	agentapi.Backend // for what no test asks of it

	ground Ground
	runner runner.Runner
	begun  chan launched

	mu     sync.Mutex // guards places
	places []runner.Place
}

// launched is what an agent said first.
type launched struct{ buildID, token string }

// Begin records an agent's first word.
func (s *suite) Begin(_ context.Context, id string, token secret.Text) (*agentapi.Work, error) {
	s.begun <- launched{id, token.Reveal()}
	return &agentapi.Work{BuildID: id}, nil
}

// Credential refuses.
func (s *suite) Credential(context.Context, string, secret.Text, agentapi.CredentialRequest) (*agentapi.Credential, error) {
	return nil, fault.New(fault.Invalid, "the suite has no credentials")
}

// Report takes anything.
func (s *suite) Report(context.Context, string, secret.Text, agentapi.Report) (*agentapi.Answer, error) {
	return &agentapi.Answer{}, nil
}

// Log takes anything.
func (s *suite) Log(context.Context, string, secret.Text, uint64, []byte) error { return nil }

// start starts an agent of the given kind and waits for its first word.
func (s *suite) start(t *testing.T, kind string) runner.Place {
	t.Helper()
	p := s.launch(t, kind+":"+uuid.NewString())
	s.await(t)
	return p
}

func (s *suite) launch(t *testing.T, id string) runner.Place {
	t.Helper()
	p, err := s.runner.Start(t.Context(), runner.Launch{BuildID: id, Token: secret.New("token of " + id), Image: s.ground.Image})
	if err != nil {
		t.Fatal(err)
	}
	if p.BuildID != id || p.ID == "" {
		t.Errorf("Start(%s) = %+v, want a place of that build with an id", id, p)
	}
	s.mu.Lock()
	s.places = append(s.places, p)
	s.mu.Unlock()
	return p
}

func (s *suite) await(t *testing.T) launched {
	t.Helper()
	select {
	case l := <-s.begun:
		return l
	case <-time.After(patience):
		t.Fatal("the agent said nothing")
		return launched{}
	}
}

func (s *suite) list(t *testing.T, r runner.Runner) []runner.Place {
	t.Helper()
	places, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// vanishes waits until a place is not listed.
func (s *suite) vanishes(t *testing.T, r runner.Runner, p runner.Place) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); slices.Contains(s.list(t, r), p); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%+v is still listed", p)
		}
	}
}

func (s *suite) stop(t *testing.T, p runner.Place, grace time.Duration) {
	t.Helper()
	if err := s.runner.Stop(t.Context(), p, grace); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	if slices.Contains(s.list(t, s.runner), p) {
		t.Errorf("%+v is listed after Stop", p)
	}
}

// stopAll leaves nothing running, however the test went.
func (s *suite) stopAll(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	for _, p := range s.places {
		if err := s.runner.Stop(ctx, p, 0); err != nil {
			t.Errorf("Stop in the end: %v", err)
		}
	}
}

func testStart(t *testing.T, s *suite) {
	id := "calm:" + uuid.NewString()
	p := s.launch(t, id)
	if got, want := s.await(t), (launched{id, "token of " + id}); got != want {
		t.Errorf("the agent said %+v, want %+v", got, want)
	}
	if got := s.list(t, s.runner); !slices.Equal(got, []runner.Place{p}) {
		t.Errorf("List = %+v, want %+v", got, p)
	}
}

func testBrief(t *testing.T, s *suite) {
	p := s.start(t, "brief")
	s.vanishes(t, s.runner, p)
	s.stop(t, p, grace)
}

func testStop(t *testing.T, s *suite) {
	p := s.start(t, "calm")
	began := time.Now()
	s.stop(t, p, grace)
	if time.Since(began) >= grace {
		t.Error("the agent was killed, not asked")
	}
}

func testStubborn(t *testing.T, s *suite) {
	s.stop(t, s.start(t, "stubborn"), 50*time.Millisecond)
}

func testStopContext(t *testing.T, s *suite) {
	p := s.start(t, "stubborn")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.runner.Stop(ctx, p, time.Hour); err == nil {
		t.Error("Stop succeeded, want its context's error")
	}
	if !slices.Contains(s.list(t, s.runner), p) {
		t.Error("the place is not listed any more, though it was not stopped")
	}
}

func testGone(t *testing.T, s *suite) {
	p := s.start(t, "calm")
	s.stop(t, p, grace)
	s.stop(t, p, grace)
	last, other := len(p.ID)-1, "0" // of another place, for all we know
	if p.ID[last:] == other {
		other = "1"
	}
	s.stop(t, runner.Place{BuildID: "calm:" + uuid.NewString(), ID: p.ID[:last] + other}, 0)
}

func testSeveral(t *testing.T, s *suite) {
	var places []runner.Place
	for range 3 {
		places = append(places, s.launch(t, "calm:"+uuid.NewString()))
	}
	for range places {
		s.await(t)
	}
	if got := s.list(t, s.runner); len(got) != 3 {
		t.Errorf("List = %+v, want three places", got)
	}
	s.stop(t, places[1], grace)
	for _, p := range []runner.Place{places[0], places[2]} {
		if !slices.Contains(s.list(t, s.runner), p) {
			t.Errorf("%+v ended with another", p)
		}
	}
}

func testAgain(t *testing.T, s *suite) {
	id := "calm:" + uuid.NewString()
	first := s.launch(t, id)
	s.await(t)
	s.stop(t, first, grace)
	second := s.launch(t, id)
	s.await(t)
	s.stop(t, first, 0)
	if got := s.list(t, s.runner); !slices.Equal(got, []runner.Place{second}) {
		t.Errorf("List = %+v, want %+v", got, second)
	}
}

func testRestart(t *testing.T, s *suite) {
	calm, stubborn := s.start(t, "calm"), s.start(t, "stubborn")
	next := s.ground.Open()
	if got := s.list(t, next); len(got) != 2 || !slices.Contains(got, calm) || !slices.Contains(got, stubborn) {
		t.Fatalf("List = %+v, want %+v and %+v", got, calm, stubborn)
	}
	for p, grace := range map[runner.Place]time.Duration{calm: grace, stubborn: 50 * time.Millisecond} {
		if err := next.Stop(t.Context(), p, grace); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	if got := s.list(t, next); len(got) != 0 {
		t.Errorf("List = %+v after Stop, want none", got)
	}
}

func testRestartDead(t *testing.T, s *suite) {
	p := s.start(t, "brief")
	s.vanishes(t, s.runner, p)
	next := s.ground.Open()
	if got := s.list(t, next); len(got) != 0 {
		t.Errorf("List = %+v, want none", got)
	}
	if err := next.Stop(t.Context(), p, 0); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

func testEndedContext(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := s.runner.Start(ctx, runner.Launch{BuildID: "calm:" + uuid.NewString(), Token: secret.New("x"), Image: s.ground.Image}); err == nil {
		t.Errorf("Start = %+v, want an error", p)
	}
	if got := s.list(t, s.runner); len(got) != 0 {
		t.Errorf("List = %+v, want none", got)
	}
}
