package schedule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/schedule"
)

func TestStopBuild(t *testing.T) {
	stubborn := func(a *agent) {
		if a.begin() == nil {
			_, _ = a.report(append(through(agentPhases[:3]...), enter(api.BuildPhaseTypeBuild))...)
		}
		<-a.ctx.Done()
	}
	tests := []struct {
		name   string
		behave func(*agent)
		after  time.Duration // from start to stop
		took   time.Duration
		phase  api.BuildPhaseType
	}{
		{"a running build is ended by its agent", hang, 20 * time.Second, 0, api.BuildPhaseTypeBuild},
		{"a stubborn one is killed after the grace", stubborn, 20 * time.Second, 30 * time.Second, api.BuildPhaseTypeBuild},
		{"one that has not begun is not queued again", deaf, 20 * time.Second, 30 * time.Second, api.BuildPhaseTypeProvisioning},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.behave = tt.behave
				id := b.queue()
				within(tt.after)
				got, err := b.StopBuild(t.Context(), id)
				must(t, err)
				if got.Finished() || !got.State.StopRequested {
					t.Errorf("StopBuild answered %s, stop requested %v, want the running build", got.Public.BuildStatus, got.State.StopRequested)
				}
				within(tt.took)
				b.want(id, api.StatusTypeStopped, tt.phase, api.StatusTypeStopped, "")
				again, err := b.StopBuild(t.Context(), id)
				if err != nil || again.Public.BuildStatus != api.StatusTypeStopped {
					t.Errorf("StopBuild of a finished build = %s, %v, want STOPPED", again.Public.BuildStatus, err)
				}
				if n := b.runner.living(); n != 0 {
					t.Errorf("%d places are left, want none", n)
				}
			})
		})
	}
}

func TestStopBuildInTheQueueAndOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{MaxBuilds: 1})
		b.runner.behave = hang
		b.queue()
		queued := b.queue()
		synctest.Wait()
		got, err := b.StopBuild(t.Context(), queued)
		must(t, err)
		if got.Public.BuildStatus != api.StatusTypeStopped {
			t.Errorf("StopBuild of a queued build answers %s, want STOPPED", got.Public.BuildStatus)
		}
		b.want(queued, api.StatusTypeStopped, api.BuildPhaseTypeQueued, api.StatusTypeStopped, "")
		if _, err := b.StopBuild(t.Context(), "app:11111111-2222-3333-4444-555555555555"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("StopBuild of nothing: %v, want NotFound", err)
		}
	})
}

func TestStopBuildWhileItsAgentIsBeingLaunched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.failures = 1
		b.runner.behave = hang
		id := b.queue()
		synctest.Wait() // the first launch has failed, the second waits for its turn
		_, err := b.StopBuild(t.Context(), id)
		must(t, err)
		within(10 * time.Second)
		if got := b.of(id); got.Public.BuildStatus != api.StatusTypeStopped {
			t.Errorf("the build is %s, want STOPPED", got.Public.BuildStatus)
		}
	})
}
