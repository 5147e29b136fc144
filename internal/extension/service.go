// Package extension implements what Slipway adds to CodeBuild, under its own
// name on the wire, so that CodeBuild's clients never see it.
package extension

import (
	"context"

	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/outbox"
)

// buildStore is what the operations need to know of builds.
type buildStore interface {
	// Get returns one build by id (project:uuid), or NotFound.
	Get(ctx context.Context, scope arn.Scope, id string) (build.Build, error)
}

// outboxStore is what they need to know of things owed.
type outboxStore interface {
	// BySubject returns the items of one subject, oldest first.
	BySubject(ctx context.Context, subject string) ([]outbox.Item, error)
}

// Service is Slipway's own operations. Its methods may be called from several
// goroutines.
type Service struct {
	builds     buildStore
	outbox     outboxStore
	webhooks   webhooks
	deliveries lastDeliveries
}

// New returns a Service on the given stores.
func New(builds buildStore, outbox outboxStore, webhooks webhooks, deliveries lastDeliveries) *Service {
	return &Service{builds: builds, outbox: outbox, webhooks: webhooks, deliveries: deliveries}
}
