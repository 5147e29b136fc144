package schedule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/outbox"
	"slipway/internal/schedule"
)

func TestRestart(t *testing.T) {
	tests := []struct {
		name    string
		behave  func(*agent)
		crash   bool                      // the agents end with the server
		between func(*bench, string)      // what happens while no server runs
		check   func(b *bench, id string) // a little later
	}{
		{
			name: "a living agent goes on, and its build ends well", behave: func(a *agent) {
				if a.begin() != nil {
					return
				}
				time.Sleep(15 * time.Second)
				for { // the server is away
					if _, err := a.report(append(through(agentPhases...), end(api.StatusTypeSucceeded))...); err == nil || a.ctx.Err() != nil {
						return
					}
					time.Sleep(time.Second)
				}
			},
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
				if n := len(b.runner.launched()); n != 1 {
					b.t.Errorf("launched %d times, want once", n)
				}
			},
		},
		{
			name: "a build whose agent is gone ends with the reason", behave: hang, crash: true,
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeFault, api.BuildPhaseTypeBuild, api.StatusTypeFault, "restarted")
			},
		},
		{
			name: "a build whose agent is gone and never began is launched again", behave: deaf, crash: true,
			between: func(b *bench, _ string) { b.runner.behave = complete },
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
				if got := b.of(id); got.State.Attempt != 2 {
					b.t.Errorf("attempt %d, want 2", got.State.Attempt)
				}
			},
		},
		{
			name: "a wish to stop that the server took to its grave is carried out", behave: hang,
			between: func(b *bench, id string) {
				_, err := b.db.Builds().Update(b.t.Context(), id, requestStop)
				must(b.t, err)
			},
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeStopped, api.BuildPhaseTypeBuild, api.StatusTypeStopped, "")
			},
		},
		{
			name: "a build that was to stop is not launched again", behave: deaf, crash: true,
			between: func(b *bench, id string) {
				_, err := b.db.Builds().Update(b.t.Context(), id, requestStop)
				must(b.t, err)
			},
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeStopped, api.BuildPhaseTypeProvisioning, api.StatusTypeStopped, "")
			},
		},
		{
			name: "an agent that is silent after the restart is lost", behave: silent,
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeFault, api.BuildPhaseTypeBuild, api.StatusTypeFault, "stopped reporting")
			},
		},
		{
			name: "a place whose build has ended is removed", behave: silent,
			between: func(b *bench, id string) {
				_, err := b.db.Builds().Update(b.t.Context(), id, fail)
				must(b.t, err)
			},
			check: func(b *bench, id string) {
				b.want(id, api.StatusTypeFailed, api.BuildPhaseTypeBuild, api.StatusTypeFailed, "")
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.behave = tt.behave
				id := b.queue()
				within(10 * time.Second)
				b.stop()
				if tt.crash {
					b.runner.killAll()
				}
				if tt.between != nil {
					tt.between(b, id)
				}
				within(10 * time.Second)
				b.start()
				within(2 * time.Minute)
				tt.check(b, id)
				if n := b.runner.living(); n != 0 {
					t.Errorf("%d places are left, want none", n)
				}
			})
		})
	}
}

// requestStop is what StopBuild stores.
func requestStop(b *build.Build) ([]outbox.Item, error) {
	b.RequestStop(time.Now())
	return nil, nil
}

// fail ends a build behind the back of its agent.
func fail(b *build.Build) ([]outbox.Item, error) {
	b.Fail(api.StatusTypeFailed, "", "", time.Now())
	return nil, nil
}

func TestQueuedBuildsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.stop()
		id := b.queue()
		b.start()
		synctest.Wait()
		b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
	})
}

func TestTheEndOfTheServerDoesNotWaitForBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = silent
		id := b.queue()
		within(time.Second)
		_, err := b.StopBuild(t.Context(), id) // the agent has 30 seconds now
		must(t, err)
		began := time.Now()
		b.stop()
		if waited := time.Since(began); waited > 0 {
			t.Errorf("the server waited for %v", waited)
		}
		if b.of(id).Finished() {
			t.Error("the build ended with the server")
		}
	})
}
