package schedule_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/schedule"
	"slipway/internal/secret"
)

func TestAgentsThatMayNotSpeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = hang
		first, second := b.queue(), b.queue()
		synctest.Wait()
		tokens := map[string]secret.Text{}
		b.runner.mu.Lock()
		for _, a := range b.runner.agents {
			tokens[a.id] = a.token
		}
		b.runner.mu.Unlock()
		tests := []struct {
			name, id string
			token    secret.Text
			want     fault.Kind
		}{
			{"another build's token", first, tokens[second], fault.Denied},
			{"no token", first, secret.Text{}, fault.Denied},
			{"a build that does not exist", "app:none", tokens[first], fault.Denied},
			{"the token in another case", first, secret.New(tokens[first].Reveal() + " "), fault.Denied},
		}
		for _, tt := range tests {
			for call, err := range calls(t.Context(), b, tt.id, tt.token) {
				if fault.KindOf(err) != tt.want {
					t.Errorf("%s with %s: %v, want kind %v", call, tt.name, err, tt.want)
				}
			}
		}
		_, err := b.StopBuild(t.Context(), first)
		must(t, err)
		synctest.Wait()
		for call, err := range calls(t.Context(), b, first, tokens[first]) {
			if fault.KindOf(err) != fault.Gone {
				t.Errorf("%s for a finished build: %v, want Gone", call, err)
			}
		}
	})
}

// calls makes every call an agent can make.
func calls(ctx context.Context, b *bench, id string, token secret.Text) map[string]error {
	errs := map[string]error{}
	_, errs["Begin"] = b.Begin(ctx, id, token)
	_, errs["Credential"] = b.Credential(ctx, id, token, agentapi.CredentialRequest{})
	_, errs["Report"] = b.Report(ctx, id, token, agentapi.Report{})
	errs["Log"] = b.Log(ctx, id, token, 0, []byte("x"))
	return errs
}

func TestAgentsBeforeTheServerIsReady(t *testing.T) {
	s := schedule.New(schedule.Parts{}, schedule.Options{})
	if _, err := s.Begin(t.Context(), "app:x", secret.New("x")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Begin before Run: %v, want Unavailable", err)
	}
}

func TestRepeatedAndHostileReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue()
		synctest.Wait()
		a := b.runner.only(t)
		report := func(first int, events ...event.Event) error {
			_, err := b.Report(t.Context(), id, a.token, agentapi.Report{First: first, Events: events})
			return err
		}
		if err := report(0, enter(api.BuildPhaseTypeDownloadSource)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an event before Begin: %v, want Invalid", err)
		}
		for range 2 {
			must(t, a.begin())
		}
		must(t, report(0, through(agentPhases[:2]...)...)) // events 0 to 4
		before := b.of(id)
		many := make([]event.Event, 1001)
		for name, err := range map[string]error{
			"a gap":                  report(6, enter(api.BuildPhaseTypePreBuild)),
			"a negative number":      report(-1, enter(api.BuildPhaseTypePreBuild)),
			"too many events":        report(5, many...),
			"a phase out of order":   report(5, enter(api.BuildPhaseTypeFinalizing)),
			"a phase of the server":  report(5, enter(api.BuildPhaseTypeQueued)),
			"an empty event":         report(5, event.Event{}),
			"success out of nowhere": report(5, end(api.StatusTypeSucceeded)),
			"good and bad":           report(5, enter(api.BuildPhaseTypePreBuild), enter(api.BuildPhaseTypeBuild)),
			"more after the end":     report(5, end(api.StatusTypeFailed), enter(api.BuildPhaseTypeBuild)),
		} {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v, want Invalid", name, err)
			}
		}
		must(t, report(0, through(agentPhases[:2]...)...))
		must(t, report(3, through(agentPhases[1:2]...)...))
		after := b.of(id)
		before.State.Lease, after.State.Lease = time.Time{}, time.Time{}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("refused and repeated reports changed the build (-before +after):\n%s", diff)
		}
		must(t, report(3, append(through(agentPhases[1:]...), end(api.StatusTypeSucceeded))...)) // overlaps by two
		b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
	})
}
