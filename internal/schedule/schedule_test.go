package schedule_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/schedule"
)

// within lets d pass and whatever happens then settle.
func within(d time.Duration) {
	time.Sleep(d) // in a bubble: no time is lost
	synctest.Wait()
}

func TestABuildRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		synctest.Wait()
		began := time.Now()
		id := b.queue()
		synctest.Wait()
		b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the build waited for %v of the clock, want no timer in its way", waited)
		}
		if n := b.runner.living(); n != 0 {
			t.Errorf("%d places are left, want none", n)
		}
	})
}

func TestOnlySoManyBuildsRunOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{MaxBuilds: 2})
		b.runner.behave = hang
		var ids []string
		for range 4 {
			ids = append(ids, b.queue())
		}
		within(time.Minute)
		if diff := cmp.Diff(ids[:2], sorted(ids, b.runner.launched())); diff != "" {
			t.Errorf("launched (-want +got):\n%s", diff)
		}
		_, err := b.StopBuild(t.Context(), ids[0])
		must(t, err)
		synctest.Wait()
		if diff := cmp.Diff(ids[:3], sorted(ids, b.runner.launched())); diff != "" {
			t.Errorf("launched after one ended (-want +got):\n%s", diff)
		}
	})
}

// sorted returns got in the order of all: launches are concurrent.
func sorted(all, got []string) []string {
	return slices.SortedFunc(slices.Values(got), func(x, y string) int { return slices.Index(all, x) - slices.Index(all, y) })
}

func TestAFailingRunner(t *testing.T) {
	tests := []struct {
		name     string
		failures int
		want     api.StatusType
	}{
		{"a launch that fails once is repeated", 1, api.StatusTypeSucceeded},
		{"a launch that fails always ends the build", 100, api.StatusTypeFault},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.failures = tt.failures
				id := b.queue()
				within(10 * time.Second)
				if tt.want == api.StatusTypeFault {
					b.want(id, api.StatusTypeFault, api.BuildPhaseTypeProvisioning, api.StatusTypeFault, "INTERNAL_ERROR The build's agent could not be started")
				} else {
					b.want(id, tt.want, api.BuildPhaseTypeFinalizing, tt.want, "")
				}
			})
		})
	}
}

func TestALostLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = silent
		id := b.queue()
		within(29 * time.Second)
		if b.of(id).Finished() {
			t.Fatal("the build ended before its lease")
		}
		lost := b.runner.only(t)
		within(3 * time.Second)
		b.want(id, api.StatusTypeFault, api.BuildPhaseTypeBuild, api.StatusTypeFault, "stopped reporting")
		if _, err := b.Report(t.Context(), id, lost.token, agentapi.Report{}); fault.KindOf(err) != fault.Gone {
			t.Errorf("Report of the lost agent: %v, want Gone", err)
		}
		if n := b.runner.living(); n != 0 {
			t.Errorf("%d places are left, want none", n)
		}
	})
}

func TestAnAgentThatNeverBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue()
		within(5 * time.Minute)
		if n := len(b.runner.launched()); n != 3 {
			t.Errorf("launched %d times, want 3", n)
		}
		b.want(id, api.StatusTypeFault, api.BuildPhaseTypeProvisioning, api.StatusTypeFault, "launched 3 times")
	})
}

func TestASecondLaunchShutsOutTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue()
		synctest.Wait()
		first := b.runner.only(t)
		b.runner.mu.Lock()
		b.runner.behave = hang
		b.runner.mu.Unlock()
		within(40 * time.Second)
		if _, err := b.Begin(t.Context(), id, first.token); fault.KindOf(err) != fault.Denied {
			t.Errorf("Begin of the first attempt: %v, want Denied", err)
		}
		if got := b.of(id); got.State.Attempt != 2 || !got.State.Begun {
			t.Errorf("attempt %d, begun %v, want the second attempt to have begun", got.State.Attempt, got.State.Begun)
		}
	})
}

func TestSignsOfLifeKeepABuildForHoursWithFewWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = hang
		id := b.queue()
		within(50 * time.Minute)
		if got := b.of(id); got.Finished() || time.Until(got.State.Lease) < 15*time.Second {
			t.Errorf("build is %s with a lease for %v, want it running", got.Public.BuildStatus, time.Until(got.State.Lease))
		}
	})
}

func TestABuildPastItsDeadline(t *testing.T) {
	tests := []struct {
		name   string
		behave func(*agent)
		limit  time.Duration
	}{
		{"is told to end by the answer to a sign of life", hang, 60*time.Minute + 10*time.Second},
		{"is ended by force if its agent only pretends to live", func(a *agent) {
			if a.begin() == nil {
				_, _ = a.report(append(through(agentPhases[:3]...), enter(api.BuildPhaseTypeBuild))...)
			}
			for tick := time.Tick(agentapi.HeartbeatEvery); ; {
				select {
				case <-tick:
					_, _ = a.report()
				case <-a.ctx.Done():
					return
				}
			}
		}, 62 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.behave = tt.behave
				id := b.queue()
				within(60*time.Minute - time.Second)
				if b.of(id).Finished() {
					t.Fatal("the build ended before its deadline")
				}
				within(tt.limit - 60*time.Minute)
				message := ""
				if tt.limit > 61*time.Minute {
					message = "BUILD_TIMED_OUT Build has timed out. "
				}
				b.want(id, api.StatusTypeTimedOut, api.BuildPhaseTypeBuild, api.StatusTypeTimedOut, message)
			})
		})
	}
}

func TestABuildQueuedForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{MaxBuilds: 1})
		b.runner.behave = hang
		running := b.queue()
		late := b.queue(func(in *api.StartBuildInput) { in.QueuedTimeoutInMinutesOverride = new(7) })
		patient := b.queue()
		within(7*time.Minute + 10*time.Second)
		b.want(late, api.StatusTypeTimedOut, api.BuildPhaseTypeQueued, api.StatusTypeTimedOut, "BUILD_TIMED_OUT")
		if b.of(running).Finished() || b.of(patient).Finished() {
			t.Error("another build ended, too")
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{MaxBuilds: 1})
		b.runner.behave = func(a *agent) {
			if a.begin() != nil {
				return
			}
			time.Sleep(20 * time.Second)
			_, _ = a.report(append(through(agentPhases...), end(api.StatusTypeSucceeded))...)
		}
		running, queued := b.queue(), b.queue()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := b.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain of a long build: %v, want its context's error", err)
		}
		must(t, b.Drain(t.Context()))
		b.want(running, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
		within(time.Minute)
		if !func() bool { q := b.of(queued); return q.Queued() }() {
			t.Error("a build was launched while draining")
		}
	})
}
