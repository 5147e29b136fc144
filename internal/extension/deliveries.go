package extension

import (
	"context"
	"slices"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/webhook"
)

// deliveriesPerPage is how many deliveries are listed at once if nobody says.
const deliveriesPerPage = 50

// deliveryStore is what the operations need of stored deliveries.
type deliveryStore interface {
	// Find returns a delivery with its payload, or NotFound if there is none in scope.
	Find(ctx context.Context, scope arn.Scope, sequence int64) (webhook.Delivery, error)
	// Verdicts returns what a delivery came to, by project and event.
	Verdicts(ctx context.Context, sequence int64) ([]webhook.Verdict, error)
	// List returns a page of deliveries, newest first, of a scope or a project in
	// it. before is 0 or the next that the page before returned; next is 0 after
	// the last page.
	List(ctx context.Context, scope arn.Scope, project string, before int64, limit int) (page []webhook.Delivery, next int64, err error)
}

// projectStore is what they need to know of projects.
type projectStore interface {
	// Get returns one project, or NotFound.
	Get(ctx context.Context, scope arn.Scope, name string) (project.Project, error)
}

// hearer evaluates payloads.
type hearer interface {
	// Test holds a payload against filters and builds nothing.
	Test(ctx context.Context, scope arn.Scope, t webhook.Trial) (webhook.TrialResult, error)
	// Preview holds kept deliveries against filters and asks nobody.
	Preview(ctx context.Context, scope arn.Scope, of webhook.Preview) (all []webhook.Previewed, warnings []string, err error)
	// Redeliver evaluates a stored delivery anew, as one of its own.
	Redeliver(ctx context.Context, scope arn.Scope, sequence int64) (int64, error)
}

// Deliveries is the operations on what providers deliver. Its methods may be
// called from several goroutines.
type Deliveries struct {
	deliveries deliveryStore
	projects   projectStore
	builds     buildStore
	hearer     hearer
}

// NewDeliveries returns the operations on stored deliveries.
func NewDeliveries(d deliveryStore, p projectStore, b buildStore, h hearer) *Deliveries {
	return &Deliveries{deliveries: d, projects: p, builds: b, hearer: h}
}

// ListWebhookDeliveries answers what was delivered, newest first: everything, or
// what one project heard, or with buildId (an id or ARN) the one delivery that
// started a build, which is none of a build that no webhook started, or of whose
// delivery is not kept any more.
func (s *Deliveries) ListWebhookDeliveries(ctx context.Context, in *slipway.ListWebhookDeliveriesInput) (*slipway.ListWebhookDeliveriesOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	if in.BuildID != "" {
		return s.startedBy(ctx, scope, in)
	}
	name := ""
	if in.ProjectName != "" {
		local, ok := scope.Local("project", in.ProjectName)
		if !ok {
			return nil, noSuchProject(scope, in.ProjectName)
		}
		name = local
	}
	var before int64
	if in.NextToken != "" {
		sequence, ok := webhook.ParseDelivery(in.NextToken)
		if !ok {
			return nil, fault.New(fault.Invalid, "Invalid next token provided")
		}
		before = sequence
	}
	limit := deliveriesPerPage
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	page, next, err := s.deliveries.List(ctx, scope, name, before, limit)
	if err != nil {
		return nil, err
	}
	if len(page) == 0 && name != "" { // a project that is gone may still have been told of
		if _, err := s.projects.Get(ctx, scope, name); fault.KindOf(err) == fault.NotFound {
			return nil, noSuchProject(scope, in.ProjectName)
		} else if err != nil {
			return nil, err
		}
	}
	out := &slipway.ListWebhookDeliveriesOutput{Deliveries: []slipway.WebhookDeliverySummary{}}
	for _, d := range page {
		told, err := s.told(ctx, scope, name, d)
		if err != nil {
			return nil, err
		}
		out.Deliveries = append(out.Deliveries, told)
	}
	if next != 0 {
		out.NextToken = webhook.DeliveryName(next)
	}
	return out, nil
}

// startedBy answers the delivery that started a build.
func (s *Deliveries) startedBy(ctx context.Context, scope arn.Scope, in *slipway.ListWebhookDeliveriesInput) (*slipway.ListWebhookDeliveriesOutput, error) {
	if in.ProjectName != "" {
		return nil, fault.New(fault.Invalid, "Give either a projectName or a buildId, not both")
	}
	id, ok := scope.Local("build", in.BuildID)
	if !ok {
		return nil, noSuchBuild(in.BuildID)
	}
	b, err := s.builds.Get(ctx, scope, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, noSuchBuild(in.BuildID)
	}
	if err != nil {
		return nil, err
	}
	out := &slipway.ListWebhookDeliveriesOutput{Deliveries: []slipway.WebhookDeliverySummary{}}
	if b.State.Webhook == nil {
		return out, nil
	}
	sequence, ok := webhook.ParseDelivery(b.State.Webhook.DeliveryID)
	if !ok {
		return out, nil
	}
	d, err := s.deliveries.Find(ctx, scope, sequence)
	if fault.KindOf(err) == fault.NotFound { // it became too old
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	projectName, _, _ := strings.Cut(id, ":")
	told, err := s.told(ctx, scope, projectName, d)
	if err != nil {
		return nil, err
	}
	out.Deliveries = append(out.Deliveries, told)
	return out, nil
}

// told returns a delivery as lists show it, with what it came to: for one
// project, or for whichever heard it if projectName is "".
func (s *Deliveries) told(ctx context.Context, scope arn.Scope, projectName string, d webhook.Delivery) (slipway.WebhookDeliverySummary, error) {
	out := summary(d)
	if d.Pending || d.Record.State != slipway.DeliveryStateDone {
		return out, nil
	}
	verdicts, err := s.deliveries.Verdicts(ctx, d.Sequence)
	out.Outcome, out.Reason = cameTo(verdicts, scope, projectName)
	return out, err
}

// cameTo returns what says most of verdicts.
func cameTo(verdicts []webhook.Verdict, scope arn.Scope, projectName string) (outcome slipway.VerdictOutcome, reason string) {
	for _, v := range verdicts {
		if v.Scope != scope || projectName != "" && v.ProjectName != projectName {
			continue
		}
		if slices.Index(telling, v.Outcome) > slices.Index(telling, outcome) {
			outcome, reason = v.Outcome, v.Reason
		}
	}
	return outcome, reason
}

// telling lists outcomes, from the one that says least of a delivery to the one
// that says most.
var telling = []slipway.VerdictOutcome{"", slipway.VerdictOutcomeIgnored, slipway.VerdictOutcomeNoMatch, slipway.VerdictOutcomeWithheld, slipway.VerdictOutcomeBuild, slipway.VerdictOutcomeFailed}

// DescribeWebhookDelivery answers a delivery whole: what was sent, and for every
// project that heard it each filter with the value that it saw.
func (s *Deliveries) DescribeWebhookDelivery(ctx context.Context, in *slipway.DescribeWebhookDeliveryInput) (*slipway.DescribeWebhookDeliveryOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	sequence, err := sequenceOf(in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.deliveries.Find(ctx, scope, sequence)
	if err != nil {
		return nil, err
	}
	verdicts, err := s.deliveries.Verdicts(ctx, sequence)
	if err != nil {
		return nil, err
	}
	out := &slipway.DescribeWebhookDeliveryOutput{
		Delivery: new(summary(d)), Payload: string(d.Body), Headers: map[string]string{}, Verdicts: []slipway.ProjectVerdict{},
	}
	for name, values := range d.Header {
		out.Headers[name] = strings.Join(values, ", ")
	}
	for _, v := range verdicts {
		if v.Scope == scope {
			out.Verdicts = append(out.Verdicts, v.ProjectVerdict)
		}
	}
	out.Delivery.Outcome, out.Delivery.Reason = cameTo(verdicts, scope, "")
	return out, nil
}

// TestWebhook holds a payload, or a stored delivery, against the filters of a
// project, or others, without building.
func (s *Deliveries) TestWebhook(ctx context.Context, in *slipway.TestWebhookInput) (*slipway.TestWebhookOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("project", in.ProjectName)
	if !ok {
		return nil, noSuchProject(scope, in.ProjectName)
	}
	trial := webhook.Trial{Project: name, Event: in.Event}
	switch {
	case in.DeliveryID != "" && in.Payload != "":
		return nil, fault.New(fault.Invalid, "Give either a payload or the id of a delivery, not both")
	case in.DeliveryID != "":
		var err error
		if trial.Delivery, err = sequenceOf(in.DeliveryID); err != nil {
			return nil, err
		}
	default:
		trial.Payload = []byte(in.Payload)
	}
	if len(in.FilterGroups) > 0 {
		trial.Filters = filtersOf(in.FilterGroups)
	}
	came, err := s.hearer.Test(ctx, scope, trial)
	if err != nil {
		return nil, err
	}
	return &slipway.TestWebhookOutput{Event: came.Event, Note: came.Note, Verdicts: came.Verdicts, Warnings: came.Warnings}, nil
}

// RedeliverWebhookDelivery evaluates a stored delivery anew against today's
// filters, and builds what they let through.
func (s *Deliveries) RedeliverWebhookDelivery(ctx context.Context, in *slipway.RedeliverWebhookDeliveryInput) (*slipway.RedeliverWebhookDeliveryOutput, error) {
	sequence, err := sequenceOf(in.ID)
	if err != nil {
		return nil, err
	}
	anew, err := s.hearer.Redeliver(ctx, accesskey.CallerOf(ctx).Scope, sequence)
	if err != nil {
		return nil, err
	}
	return &slipway.RedeliverWebhookDeliveryOutput{ID: webhook.DeliveryName(anew)}, nil
}

// LastDelivery returns the newest delivery that a project heard; nil if there
// is none.
func (s *Deliveries) LastDelivery(ctx context.Context, scope arn.Scope, projectName string) (*slipway.WebhookDeliverySummary, error) {
	page, _, err := s.deliveries.List(ctx, scope, projectName, 0, 1)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return new(summary(page[0])), nil
}

// summary returns a delivery as lists show it.
func summary(d webhook.Delivery) slipway.WebhookDeliverySummary {
	return slipway.WebhookDeliverySummary{
		ID: webhook.DeliveryName(d.Sequence), ProviderDeliveryID: d.ID, Received: api.At(d.Received), ServerType: slipway.ServerType(d.ServerType),
		Event: d.Record.Event, Repository: d.Record.Repository, Signature: d.Record.Signature, State: d.Record.State, Note: d.Record.Note,
		Repeats: d.Record.Repeats, Redelivery: d.Record.Redelivery != 0, BuildIDs: d.Record.BuildIDs,
	}
}

func sequenceOf(id string) (int64, error) {
	sequence, ok := webhook.ParseDelivery(id)
	if !ok {
		return 0, fault.New(fault.Invalid, "Invalid delivery ID provided: it reads like d-123. 'slipway webhook deliveries' lists them.")
	}
	return sequence, nil
}

func noSuchProject(scope arn.Scope, nameOrARN string) error {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		nameOrARN = scope.Project(nameOrARN)
	}
	return fault.New(fault.NotFound, "The provided project %s does not exist", nameOrARN)
}
