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
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/store"
	"slipway/internal/webhook"
)

// echo evaluates nothing and remembers what it was asked.
type echo struct {
	trial     webhook.Trial
	preview   webhook.Preview
	sequence  int64
	inScope   arn.Scope
	answering error
}

func (e *echo) Test(_ context.Context, scope arn.Scope, t webhook.Trial) (webhook.TrialResult, error) {
	e.trial, e.inScope = t, scope
	return webhook.TrialResult{Event: "push", Note: "n", Warnings: []string{"w"}, Verdicts: []slipway.ProjectVerdict{{ProjectName: t.Project}}}, e.answering
}

func (e *echo) Preview(_ context.Context, scope arn.Scope, of webhook.Preview) ([]webhook.Previewed, []string, error) {
	e.preview, e.inScope = of, scope
	d := webhook.Delivery{Sequence: 7, ServerType: of.Server, Record: webhook.DeliveryRecord{BuildIDs: []string{"demo:1"}}}
	return []webhook.Previewed{{Delivery: d, Verdict: slipway.ProjectVerdict{ProjectName: of.Project, Outcome: "BUILD"}, BuiltBefore: true}}, []string{"w"}, e.answering
}

func (e *echo) Redeliver(_ context.Context, scope arn.Scope, sequence int64) (int64, error) {
	e.sequence, e.inScope = sequence, scope
	return sequence + 1, e.answering
}

func TestWebhookDeliveries(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.Projects().Create(t.Context(), project.Project{Scope: scope, Public: api.Project{Name: new("demo")}}))
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, id := range []string{"a", "b", "c"} {
		_, _, err := db.Deliveries().Accept(t.Context(), webhook.Delivery{
			Scope: scope, ServerType: "GITHUB", Hook: "hook", ID: id, Received: at, Pending: true, Body: []byte(`{"id":"` + id + `"}`),
			Header: map[string][]string{"X-Github-Event": {"push"}},
			Record: webhook.DeliveryRecord{Event: "push", Repository: "acme/app", Signature: "VALID", State: "PENDING"},
		})
		must(err)
	}
	group := slipway.FilterGroupVerdict{Matched: true, Filters: []slipway.FilterVerdict{{Type: "EVENT", Pattern: "PUSH", Value: "PUSH", Matched: true}}}
	verdict := slipway.ProjectVerdict{ProjectName: "demo", Outcome: "BUILD", BuildID: "demo:1", Reason: "Filter group 1 matched.", Groups: []slipway.FilterGroupVerdict{group}}
	other := slipway.ProjectVerdict{ProjectName: "other", Outcome: "NO_MATCH", Reason: "No filter group matched."}
	_, err = db.Deliveries().Settle(t.Context(), 2, webhook.Settlement{
		Record:   webhook.DeliveryRecord{Event: "push", Repository: "acme/app", Signature: "VALID", State: "DONE", BuildIDs: []string{"demo:1"}, Redelivery: 1},
		Verdicts: []webhook.Verdict{{Scope: scope, ProjectVerdict: verdict}, {Scope: scope, ProjectVerdict: other}},
	})
	must(err)
	hearer := &echo{}
	s := NewDeliveries(db.Deliveries(), db.Projects(), one{}, hearer)
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	elsewhere := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: arn.Scope{Account: "999999999999", Region: scope.Region}})

	first, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{MaxResults: new(2)})
	must(err)
	second, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{MaxResults: new(2), NextToken: first.NextToken})
	must(err)
	ids := ""
	for _, d := range append(first.Deliveries, second.Deliveries...) {
		ids += d.ID + " "
	}
	if ids != "d-3 d-2 d-1 " || second.NextToken != "" {
		t.Errorf("the pages list %s, then %q", ids, second.NextToken)
	}
	of, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{ProjectName: scope.Project("demo")})
	must(err)
	want := slipway.WebhookDeliverySummary{
		ID: "d-2", ProviderDeliveryID: "b", Received: api.At(at), ServerType: "GITHUB", Event: "push", Repository: "acme/app",
		Signature: "VALID", State: "DONE", BuildIDs: []string{"demo:1"}, Redelivery: true, Outcome: "BUILD", Reason: "Filter group 1 matched.",
	}
	if diff := cmp.Diff([]slipway.WebhookDeliverySummary{want}, of.Deliveries); diff != "" {
		t.Errorf("of the project (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, first.Deliveries[1]); diff != "" {
		t.Errorf("of all projects, what says most (-want +got):\n%s", diff)
	}
	if p := first.Deliveries[0]; p.Outcome != "" || p.Reason != "" {
		t.Errorf("what is pending has come to %s: %s", p.Outcome, p.Reason)
	}
	of, err = s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{ProjectName: "other"})
	must(err)
	if len(of.Deliveries) != 1 || of.Deliveries[0].Outcome != "NO_MATCH" || of.Deliveries[0].Reason != "No filter group matched." {
		t.Errorf("of the other project: %+v", of.Deliveries)
	}
	if none, err := s.ListWebhookDeliveries(elsewhere, &slipway.ListWebhookDeliveriesInput{}); err != nil || len(none.Deliveries) != 0 {
		t.Errorf("another account sees %v, %v", none, err)
	}

	last, err := s.LastDelivery(ctx, scope, "demo")
	must(err)
	if none, err := s.LastDelivery(ctx, scope, "none"); last == nil || last.ID != "d-2" || none != nil || err != nil {
		t.Errorf("the last delivery is %v; of another project %v, %v", last, none, err)
	}

	whole, err := s.DescribeWebhookDelivery(ctx, &slipway.DescribeWebhookDeliveryInput{ID: "d-2"})
	must(err)
	if diff := cmp.Diff(&slipway.DescribeWebhookDeliveryOutput{
		Delivery: &want, Payload: `{"id":"b"}`, Headers: map[string]string{"X-Github-Event": "push"}, Verdicts: []slipway.ProjectVerdict{verdict, other},
	}, whole); diff != "" {
		t.Errorf("the delivery (-want +got):\n%s", diff)
	}

	tested, err := s.TestWebhook(ctx, &slipway.TestWebhookInput{
		ProjectName: "demo", Event: "push", Payload: "{}", FilterGroups: [][]slipway.TestFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "x", ExcludeMatchedPattern: true}}},
	})
	must(err)
	trial := webhook.Trial{Project: "demo", Event: "push", Payload: []byte("{}"), Filters: [][]api.WebhookFilter{{
		{Type: "EVENT", Pattern: "PUSH", ExcludeMatchedPattern: new(false)}, {Type: "HEAD_REF", Pattern: "x", ExcludeMatchedPattern: new(true)},
	}}}
	if diff := cmp.Diff(trial, hearer.trial); diff != "" || tested.Note != "n" || len(tested.Warnings) != 1 || tested.Verdicts[0].ProjectName != "demo" {
		t.Errorf("the trial (-want +got):\n%s\nand what it came to: %+v", diff, tested)
	}
	again, err := s.RedeliverWebhookDelivery(ctx, &slipway.RedeliverWebhookDeliveryInput{ID: "d-2"})
	must(err)
	if again.ID != "d-3" || hearer.sequence != 2 || hearer.inScope != scope {
		t.Errorf("delivered again as %s, of %d", again.ID, hearer.sequence)
	}

	for want, call := range map[string]func() error{
		"There is no delivery d-2": func() error {
			_, err := s.DescribeWebhookDelivery(elsewhere, &slipway.DescribeWebhookDeliveryInput{ID: "d-2"})
			return err
		},
		"it reads like d-123": func() error {
			_, err := s.DescribeWebhookDelivery(ctx, &slipway.DescribeWebhookDeliveryInput{ID: "2"})
			return err
		},
		"Invalid next token provided": func() error {
			_, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{NextToken: "x"})
			return err
		},
		"The provided project " + scope.Project("none") + " does not exist": func() error {
			_, err := s.ListWebhookDeliveries(ctx, &slipway.ListWebhookDeliveriesInput{ProjectName: "none"})
			return err
		},
		"not both": func() error {
			_, err := s.TestWebhook(ctx, &slipway.TestWebhookInput{ProjectName: "demo", Payload: "{}", DeliveryID: "d-1"})
			return err
		},
		"Invalid delivery ID": func() error {
			_, err := s.RedeliverWebhookDelivery(ctx, &slipway.RedeliverWebhookDeliveryInput{ID: "d-x"})
			return err
		},
	} {
		if err := call(); !strings.Contains(fault.Message(err), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
