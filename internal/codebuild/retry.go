package codebuild

import (
	"context"
	"encoding/json"
	"time"

	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

// retryStore is what automatic retries need of storage.
type retryStore interface {
	// Accept stores a new queued build: see buildStore.
	Accept(ctx context.Context, b build.Build, once *build.Idempotency) (build.Build, error)
	// Get returns one build by id (project:uuid), or NotFound.
	Get(ctx context.Context, scope arn.Scope, id string) (build.Build, error)
}

// AutoRetries start the builds that follow others which failed. It is a
// schedule.Deliverer of what build.OweRetry returns.
type AutoRetries struct {
	builds retryStore
	wake   func()
	now    func() time.Time
}

// NewAutoRetries returns AutoRetries in a store; wake tells that a build was
// queued, now may be nil for time.Now.
func NewAutoRetries(builds retryStore, wake func(), now func() time.Time) *AutoRetries {
	if now == nil {
		now = time.Now
	}
	return &AutoRetries{builds: builds, wake: wake, now: now}
}

// Deliver starts the build that item owes, unless that was done before: its id
// was settled when the other one ended. Invalid means that it can never be
// started, since build or project were deleted.
func (a *AutoRetries) Deliver(ctx context.Context, item outbox.Item) error {
	var d build.RetryDebt
	if err := json.Unmarshal(item.Payload, &d); err != nil {
		return fault.New(fault.Invalid, "The item is not a retry.")
	}
	_, err := a.builds.Get(ctx, d.Scope(), d.Next)
	if fault.KindOf(err) != fault.NotFound {
		return err // nil: it is there already
	}
	old, err := a.builds.Get(ctx, d.Scope(), d.Build)
	if err == nil {
		_, err = a.builds.Accept(ctx, build.AutoRetry(old, d.Next, a.now()), nil)
	}
	switch fault.KindOf(err) {
	case fault.NotFound:
		return fault.New(fault.Invalid, "The build is not retried: it, or its project, was deleted.")
	case fault.Limit: // by which the retry waits for others of its project to end
		return fault.New(fault.Unavailable, "%s", fault.Message(err))
	}
	if err == nil {
		a.wake()
	}
	return err
}
