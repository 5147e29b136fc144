package build_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/outbox"
)

// failedBuild returns a build that ended with a status after BUILD had failed with
// an on-failure that asks for retries.
func failedBuild(t *testing.T, limit *int, retries int, status api.StatusType) build.Build {
	t.Helper()
	b := started(t, nil, api.StartBuildInput{AutoRetryLimitOverride: limit})
	b.Claim([]byte("hash"), at(1), at(31))
	b.Begin(at(2), at(32))
	for _, p := range []api.BuildPhaseType{"DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD"} {
		apply(t, &b, enter(3, p), leave(3, "SUCCEEDED"))
	}
	fails := leave(4, "FAILED")
	fails.Leave.Retries = retries
	apply(t, &b, enter(4, "BUILD"), fails, event.Event{End: status})
	return b
}

func TestWhichBuildsAreRetried(t *testing.T) {
	for name, c := range map[string]struct {
		limit   *int
		retries int
		status  api.StatusType
		want    bool
	}{
		"nobody asks":                        {nil, 0, "FAILED", false},
		"the project asks":                   {new(1), 0, "FAILED", true},
		"the project asks for none":          {new(0), 0, "FAILED", false},
		"on-failure asks":                    {nil, 1, "FAILED", true},
		"on-failure asks for more":           {new(0), 3, "FAILED", true},
		"less than nothing is asked for":     {nil, -1, "FAILED", false},
		"a stopped build":                    {new(1), 1, "STOPPED", false},
		"a build that ran out of time":       {new(1), 0, "TIMED_OUT", true},
		"a build that a machine's fault end": {new(1), 0, "FAULT", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := failedBuild(t, c.limit, c.retries, c.status).Retriable(); got != c.want {
				t.Errorf("Retriable = %v, want %v", got, c.want)
			}
		})
	}
	queued := started(t, nil, api.StartBuildInput{AutoRetryLimitOverride: new(1)})
	queued.Fail("TIMED_OUT", "BUILD_TIMED_OUT", "", at(9))
	if queued.Retriable() {
		t.Error("a build that never began is retried")
	}
}

// A chain of retries: the numbers go up, each build names its neighbours, and
// the count of on-failure does not outlast a failure that does not ask for it.
func TestAChainOfAutomaticRetries(t *testing.T) {
	first := failedBuild(t, new(1), 2, "FAILED")
	first.State.Webhook = &build.Trigger{Event: "PUSH"}
	item, err := first.OweRetry(at(5))
	if err != nil {
		t.Fatal(err)
	}
	var debt build.RetryDebt
	if err := json.Unmarshal(item.Payload, &debt); err != nil {
		t.Fatal(err)
	}
	if item.Kind != outbox.AutoRetry || item.State != outbox.Owed || debt.Build != *first.Public.ID || debt.Scope() != scope {
		t.Errorf("the item is %+v, %+v", item, debt)
	}
	want := &api.AutoRetryConfig{AutoRetryLimit: new(2), AutoRetryNumber: new(0), NextAutoRetry: new(scope.Build(debt.Next))}
	if d := cmp.Diff(want, first.Public.AutoRetryConfig); d != "" {
		t.Error(d)
	}
	second := build.AutoRetry(first, debt.Next, at(6))
	want = &api.AutoRetryConfig{AutoRetryLimit: new(2), AutoRetryNumber: new(1), PreviousAutoRetry: first.Public.ARN}
	if d := cmp.Diff(want, second.Public.AutoRetryConfig); d != "" {
		t.Error(d)
	}
	if *second.Public.Initiator != *first.Public.Initiator || second.State.Webhook.Retried || !second.Queued() || second.State.Retries != 0 {
		t.Errorf("the retry is %+v", second)
	}
	second.Claim([]byte("hash"), at(7), at(40))
	second.Begin(at(8), at(40))
	apply(t, &second, enter(9, "DOWNLOAD_SOURCE"), leave(9, "FAILED"), event.Event{End: "FAILED"})
	if second.Retriable() {
		t.Error("a failure that asks for nothing is retried, as often as an earlier one asked for")
	}
	again := build.Retry(second, caller, build.NewID("my-demo"), at(10))
	if d := cmp.Diff(&api.AutoRetryConfig{AutoRetryLimit: new(1), AutoRetryNumber: new(0)}, again.Public.AutoRetryConfig); d != "" {
		t.Error("RetryBuild's", d)
	}
}
