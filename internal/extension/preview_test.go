package extension

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/store"
	"slipway/internal/webhook"
)

func TestPreviewWebhook(t *testing.T) {
	hearer := &echo{}
	s := NewDeliveries(nil, nil, nil, hearer)
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	filters := [][]slipway.TestFilter{{{Type: "EVENT", Pattern: "PUSH"}}}
	for _, c := range []struct {
		name string
		in   slipway.PreviewWebhookInput
		want webhook.Preview
	}{
		{"a project's own filters", slipway.PreviewWebhookInput{ProjectName: scope.Project("demo")}, webhook.Preview{Project: "demo", Limit: 20}},
		{"no filters", slipway.PreviewWebhookInput{ProjectName: "demo", FilterGroups: [][]slipway.TestFilter{}}, webhook.Preview{Project: "demo", Filters: [][]api.WebhookFilter{}, Limit: 20}},
		{"a draft", slipway.PreviewWebhookInput{ServerType: "GITHUB", RepositoryURL: "https://github.com/o/r", FilterGroups: filters, MaxResults: new(5)},
			webhook.Preview{Server: "GITHUB", Location: "https://github.com/o/r", Filters: [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH", ExcludeMatchedPattern: new(false)}}}, Limit: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := s.PreviewWebhook(ctx, &c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, hearer.preview); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
			if len(out.Previews) != 1 || out.Previews[0].Delivery.ID != "d-7" || out.Previews[0].Verdict.Outcome != "BUILD" || !out.Previews[0].BuiltBefore || out.Warnings[0] != "w" {
				t.Errorf("PreviewWebhook = %+v", out)
			}
		})
	}
	for want, in := range map[string]slipway.PreviewWebhookInput{
		"Give a projectName":             {},
		"Give a projectName, or":         {RepositoryURL: "https://github.com/o/r"},
		"not both":                       {ProjectName: "demo", ServerType: "GITHUB"},
		"does not exist":                 {ProjectName: "arn:aws:codebuild:eu-west-1:1:project/x"},
		"must satisfy enum value set: [": {ProjectName: "demo", FilterGroups: [][]slipway.TestFilter{{{Type: "BRANCH", Pattern: "x"}}}},
	} {
		if _, err := s.PreviewWebhook(ctx, &in); err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) == fault.Internal {
			t.Errorf("PreviewWebhook(%+v) = %v, want %q", in, err, want)
		}
	}
}

// started is builds, some of which a delivery started.
type started map[string]string

func (s started) Get(_ context.Context, in arn.Scope, id string) (build.Build, error) {
	delivery, ok := s[id]
	if !ok || in != scope {
		return build.Build{}, fault.New(fault.NotFound, "none")
	}
	b := build.Build{Scope: scope, Public: api.Build{ID: &id}}
	if delivery != "" {
		b.State.Webhook = &build.Trigger{DeliveryID: delivery}
	}
	return b, nil
}

func TestTheDeliveryThatStartedABuild(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, id := range []string{"a", "b"} {
		if _, _, err := db.Deliveries().Accept(t.Context(), webhook.Delivery{Scope: scope, ServerType: "GITHUB", Hook: "hook", ID: id, Received: time.Unix(1, 0), Pending: true, Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	s := NewDeliveries(db.Deliveries(), db.Projects(), started{"demo:hook": "d-2", "demo:hand": "", "demo:old": "d-99"}, nil)
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	for id, want := range map[string]string{"demo:hook": "d-2", scope.Of("codebuild", "build/demo:hook"): "d-2", "demo:hand": "", "demo:old": ""} {
		out, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{BuildID: id})
		if err != nil || out.Deliveries == nil || out.NextToken != "" {
			t.Fatalf("of %s: %+v, %v", id, out, err)
		}
		got := ""
		for _, d := range out.Deliveries {
			got += d.ID
		}
		if got != want {
			t.Errorf("of %s the deliveries are %q, want %q", id, got, want)
		}
	}
	if _, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{BuildID: "demo:none"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("of no build: %v", err)
	}
	if _, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{BuildID: "demo:hook", ProjectName: "demo"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("of a build and a project: %v", err)
	}
}
