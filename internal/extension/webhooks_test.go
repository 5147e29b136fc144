package extension

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// heard is a registrar with the webhook of one project, and its last delivery.
type heard struct{}

func (heard) Webhooks(_ context.Context, s arn.Scope, project string, verify bool) ([]slipway.WebhookSummary, error) {
	if s != scope || project != "" && project != "demo" {
		return nil, fault.New(fault.NotFound, "Webhook for project %s does not exist", project)
	}
	state := slipway.ProviderHookStateActive
	if verify {
		state = slipway.ProviderHookStateMissing
	}
	return []slipway.WebhookSummary{{ProjectName: "demo", ServerType: "GITHUB", State: state}}, nil
}

func (heard) LastDelivery(_ context.Context, s arn.Scope, project string) (*slipway.WebhookDeliverySummary, error) {
	if s != scope || project != "demo" {
		return nil, nil
	}
	return &slipway.WebhookDeliverySummary{ID: "d-7"}, nil
}

func TestListWebhooks(t *testing.T) {
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	last := &slipway.WebhookDeliverySummary{ID: "d-7"}
	for _, tt := range []struct {
		name string
		in   slipway.ListWebhooksInput
		last *slipway.WebhookDeliverySummary
		want slipway.ProviderHookState
	}{
		{"all", slipway.ListWebhooksInput{}, last, "ACTIVE"},
		{"one, verified", slipway.ListWebhooksInput{ProjectName: "demo", Verify: true}, last, "MISSING"},
		{"one by ARN, where no deliveries are kept", slipway.ListWebhooksInput{ProjectName: scope.Project("demo")}, nil, "ACTIVE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := New(one{}, owed{}, heard{}, nil)
			if tt.last != nil {
				s = New(one{}, owed{}, heard{}, heard{})
			}
			out, err := s.ListWebhooks(ctx, &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			want := []slipway.WebhookSummary{{ProjectName: "demo", ServerType: "GITHUB", State: tt.want, LastDelivery: tt.last}}
			if d := cmp.Diff(want, out.Webhooks); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
	for _, name := range []string{"none", "arn:aws:codebuild:us-west-2:999999999999:project/demo"} {
		_, err := New(one{}, owed{}, heard{}, nil).ListWebhooks(ctx, &slipway.ListWebhooksInput{ProjectName: name})
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
}
