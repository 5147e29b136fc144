package codebuild

import (
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// failing starts a build with one automatic retry, has it fail, and returns what is owed.
func failing(t *testing.T, b *bench, c *control) (*api.Build, outbox.Item) {
	t.Helper()
	started := b.start(t, func(in *api.StartBuildInput) { in.AutoRetryLimitOverride = new(1) })
	c.run(t, *started.ID)
	var item outbox.Item
	if _, err := c.change(t.Context(), *started.ID, func(b *build.Build) {
		for _, e := range []event.Event{{Enter: "DOWNLOAD_SOURCE"}, {Leave: &event.PhaseEnd{Status: "FAILED"}}, {End: "FAILED"}} {
			if err := b.Apply(e, c.now()); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if item, err = b.OweRetry(c.now()); err != nil {
			t.Fatal(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return started, item
}

func TestAnAutomaticRetryIsStartedOnce(t *testing.T) {
	b, c := withBuilds(t)
	first, item := failing(t, b, c)
	retries := NewAutoRetries(b.db.Builds(), c.Wake, c.now)
	woken := c.woken
	for range 3 { // as after a crash before the first was settled
		if err := retries.Deliver(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if c.woken != woken+1 {
		t.Errorf("woken %d times, want once", c.woken-woken)
	}
	list, err := b.ListBuildsForProject(callerIn(t, west), &api.ListBuildsForProjectInput{ProjectName: "demo"})
	if err != nil || len(list.IDs) != 2 {
		t.Fatalf("there are %v, %v; want two builds", list, err)
	}
	both, err := b.BatchGetBuilds(callerIn(t, west), &api.BatchGetBuildsInput{IDs: list.IDs})
	if err != nil {
		t.Fatal(err)
	}
	next, old := both.Builds[0], both.Builds[1]
	if *old.ID != *first.ID || *old.AutoRetryConfig.NextAutoRetry != *next.ARN || *next.AutoRetryConfig.PreviousAutoRetry != *old.ARN {
		t.Errorf("the builds do not name each other: %+v, %+v", old.AutoRetryConfig, next.AutoRetryConfig)
	}
	if *next.BuildNumber != 2 || next.BuildStatus != "IN_PROGRESS" || *next.Initiator != *old.Initiator || *next.AutoRetryConfig.AutoRetryNumber != 1 {
		t.Errorf("the retry is %+v", next)
	}
}

func TestARetryOfWhatWasDeletedIsGivenUp(t *testing.T) {
	b, c := withBuilds(t)
	_, item := failing(t, b, c)
	if _, err := b.DeleteProject(callerIn(t, west), &api.DeleteProjectInput{Name: "demo"}); err != nil {
		t.Fatal(err)
	}
	if err := NewAutoRetries(b.db.Builds(), c.Wake, nil).Deliver(t.Context(), item); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without its project: %v, want a fault of kind Invalid", err)
	}
	item.Payload = []byte(`[]`)
	if err := NewAutoRetries(b.db.Builds(), c.Wake, nil).Deliver(t.Context(), item); fault.KindOf(err) != fault.Invalid {
		t.Errorf("what is no retry: %v, want a fault of kind Invalid", err)
	}
}

func TestARetryWaitsForTheProjectsLimit(t *testing.T) {
	b, c := withBuilds(t)
	_, item := failing(t, b, c)
	if _, err := b.UpdateProject(callerIn(t, west), &api.UpdateProjectInput{Name: "demo", ConcurrentBuildLimit: new(1)}); err != nil {
		t.Fatal(err)
	}
	other := b.start(t)
	retries := NewAutoRetries(b.db.Builds(), c.Wake, func() time.Time { return c.now() })
	if err := retries.Deliver(t.Context(), item); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("while another build runs: %v, want a fault of kind Unavailable", err)
	}
	if _, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: *other.ID}); err != nil {
		t.Fatal(err)
	}
	if err := retries.Deliver(t.Context(), item); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
