package schedule_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/api"
	"slipway/internal/codebuild"
	"slipway/internal/outbox"
	"slipway/internal/schedule"
)

// retrying has failed builds of the bench retried.
func (b *bench) retrying() {
	b.deliverers = map[outbox.Kind]schedule.Deliverer{
		outbox.AutoRetry: codebuild.NewAutoRetries(b.db.Builds(), func() { b.Wake() }, nil),
	}
	b.stop()
	b.start()
}

// fails is an agent whose build fails in BUILD, whose on-failure wants at most
// two retries.
func fails(a *agent) {
	if a.begin() != nil {
		return
	}
	ended := leave(api.StatusTypeFailed)
	ended.Leave.Retries = 2
	_, _ = a.report(append(through(agentPhases[:3]...), enter(api.BuildPhaseTypeBuild), ended, end(api.StatusTypeFailed))...)
}

// chain returns the ids of a build and of those that followed it.
func (b *bench) chain(id string) []string {
	b.t.Helper()
	all := []string{id}
	for {
		c := b.of(id).Public.AutoRetryConfig
		if c == nil || c.NextAutoRetry == nil {
			return all
		}
		id, _ = scope.Local("build", *c.NextAutoRetry)
		all = append(all, id)
	}
}

func TestABuildThatFailsIsRetriedAsOftenAsOnFailureSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.retrying()
		b.runner.behave = fails
		id := b.queue()
		within(time.Minute)
		chain := b.chain(id)
		if len(chain) != 3 || len(b.runner.launched()) != 3 {
			t.Fatalf("the builds are %v, launched %v; want three", chain, b.runner.launched())
		}
		for n, id := range chain {
			got := b.of(id).Public
			if got.BuildStatus != api.StatusTypeFailed || *got.AutoRetryConfig.AutoRetryNumber != n || *got.AutoRetryConfig.AutoRetryLimit != 2 || *got.BuildNumber != int64(n+1) {
				t.Errorf("retry %d is %s, number %d of the project, %+v", n, got.BuildStatus, *got.BuildNumber, got.AutoRetryConfig)
			}
		}
	})
}

func TestARetryThatSucceedsIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.retrying()
		failed := false
		b.runner.behave = func(a *agent) {
			if !failed {
				failed = true
				fails(a)
				return
			}
			complete(a)
		}
		chain := []string{b.queue()}
		within(time.Minute)
		chain = b.chain(chain[0])
		if len(chain) != 2 || b.of(chain[1]).Public.BuildStatus != api.StatusTypeSucceeded {
			t.Errorf("the builds are %v", chain)
		}
	})
}

func TestStoppedBuildsAreNotRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.retrying()
		b.runner.behave = hang
		id := b.queue(func(in *api.StartBuildInput) { in.AutoRetryLimitOverride = new(2) })
		within(time.Minute)
		_, err := b.StopBuild(t.Context(), id)
		must(t, err)
		within(time.Minute)
		if chain := b.chain(id); len(chain) != 1 || b.of(id).Public.BuildStatus != api.StatusTypeStopped {
			t.Errorf("the builds are %v", chain)
		}
	})
}

// A build whose agent is lost is retried like one that fails, and a server that
// ends before it could start the retry starts it when it is back: once.
func TestARetryOutlivesTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		away := true
		gate := &gated{away: &away, Deliverer: codebuild.NewAutoRetries(b.db.Builds(), func() { b.Wake() }, nil)}
		b.deliverers = map[outbox.Kind]schedule.Deliverer{outbox.AutoRetry: gate}
		b.stop()
		b.start()
		b.runner.behave = silent
		id := b.queue(func(in *api.StartBuildInput) { in.AutoRetryLimitOverride = new(1) })
		within(2 * time.Minute) // its lease ends
		if b.of(id).Public.BuildStatus != api.StatusTypeFault || gate.asked == 0 {
			t.Fatalf("the build is %s, asked %d times for its retry", b.of(id).Public.BuildStatus, gate.asked)
		}
		b.stop()
		away = false
		b.runner.behave = complete
		b.start()
		within(time.Hour)
		b.stop()
		b.start()
		within(time.Hour)
		chain := b.chain(id)
		if len(chain) != 2 || len(b.runner.launched()) != 2 {
			t.Fatalf("the builds are %v, launched %v", chain, b.runner.launched())
		}
		b.want(chain[1], api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
	})
}

// gated is a Deliverer that delivers, but is cut off before it can say so.
type gated struct {
	schedule.Deliverer
	away  *bool
	asked int
}

func (g *gated) Deliver(ctx context.Context, item outbox.Item) error {
	g.asked++
	if *g.away {
		return context.DeadlineExceeded
	}
	if err := g.Deliverer.Deliver(ctx, item); err != nil {
		return err
	}
	return g.Deliverer.Deliver(ctx, item) // as after a crash in between
}

func TestWithoutADelivererNothingIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = fails
		id := b.queue()
		within(time.Minute)
		if c := b.of(id).Public.AutoRetryConfig; c != nil {
			t.Errorf("the record names %+v", c)
		}
	})
}
