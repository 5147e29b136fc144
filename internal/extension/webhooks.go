package extension

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// webhooks is what the operations need to know of webhooks at providers.
type webhooks interface {
	// Webhooks tells how the webhooks of a scope are, or that of one project, by
	// project's name: as they were last seen or, to verify, as they are now.
	// NotFound if the project has none.
	Webhooks(ctx context.Context, scope arn.Scope, projectName string, verify bool) ([]slipway.WebhookSummary, error)
}

// lastDeliveries is what they need to know of what providers delivered; nil
// means that nothing of it is kept.
type lastDeliveries interface {
	// LastDelivery returns the newest delivery that a project heard; nil if
	// there is none.
	LastDelivery(ctx context.Context, scope arn.Scope, projectName string) (*slipway.WebhookDeliverySummary, error)
}

// ListWebhooks answers how the webhooks of all projects are, or that of one:
// whether the provider still has it, what its last delivery was answered, and
// which of its settings are risky.
func (s *Service) ListWebhooks(ctx context.Context, in *slipway.ListWebhooksInput) (*slipway.ListWebhooksOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name := in.ProjectName
	if name != "" {
		var ok bool
		if name, ok = scope.Local("project", name); !ok {
			return nil, fault.New(fault.NotFound, "Webhook for project %s does not exist", in.ProjectName)
		}
	}
	all, err := s.webhooks.Webhooks(ctx, scope, name, in.Verify)
	if err != nil {
		return nil, err
	}
	for i := 0; s.deliveries != nil && i < len(all); i++ {
		if all[i].LastDelivery, err = s.deliveries.LastDelivery(ctx, scope, all[i].ProjectName); err != nil {
			return nil, err
		}
	}
	return &slipway.ListWebhooksOutput{Webhooks: all}, nil
}
