package registrar

import (
	"context"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/project"
	"slipway/internal/webhook"
)

// Webhooks tells how the webhooks of a scope are, or that of one project, by
// project's name: as they were last seen at their providers or, to verify, as
// they are there now. NotFound if the project has none.
func (r *Registrar) Webhooks(ctx context.Context, scope arn.Scope, projectName string, verify bool) ([]slipway.WebhookSummary, error) {
	var all []webhook.SealedHook
	if projectName != "" {
		h, err := r.parts.Hooks.OfProject(ctx, scope, projectName)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	} else {
		every, err := r.parts.Hooks.All(ctx)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(every, func(h webhook.SealedHook) bool { return h.Scope != scope })
	}
	out := []slipway.WebhookSummary{}
	for _, h := range all {
		if verify {
			// Why it could not be looked at is stored with it.
			if _, err := r.inspect(ctx, h, false); err != nil && ctx.Err() != nil {
				return nil, err
			}
			seen, err := r.parts.Hooks.Find(ctx, h.Key)
			if gone(err) != nil {
				return nil, err
			}
			if err != nil {
				continue
			}
			h = seen
		}
		listeners, err := r.parts.Hooks.Listeners(ctx, h.Key)
		if err != nil {
			return nil, err
		}
		for _, p := range listeners {
			if projectName == "" || *p.Public.Name == projectName {
				out = append(out, r.summary(h.Hook, p, listeners))
			}
		}
	}
	slices.SortFunc(out, func(a, b slipway.WebhookSummary) int { return strings.Compare(a.ProjectName, b.ProjectName) })
	return out, nil
}

// summary tells how the webhook of one project is.
func (r *Registrar) summary(h webhook.Hook, p project.Project, listeners []project.Project) slipway.WebhookSummary {
	sum := slipway.WebhookSummary{
		ProjectName: *p.Public.Name, ServerType: slipway.ServerType(h.ServerType), RepositoryURL: h.Record.Location,
		PayloadURL: r.payloadURL(h), ProviderURL: h.Record.ProviderURL, ManualCreation: manual(h),
		State: h.Record.State, Message: h.Record.Message, LastResponse: h.Record.LastResponse,
		SharedWith: []string{}, Warnings: []string{},
	}
	if s, err := r.spot(h.Scope, h.ServerType, h.Record, nil); err == nil && h.Record.Scope != "" {
		sum.RepositoryURL = s.target.WebBase + "/" + h.Record.ScopeName
	}
	for _, other := range listeners {
		if *other.Public.Name != sum.ProjectName {
			sum.SharedWith = append(sum.SharedWith, *other.Public.Name)
		}
	}
	if w := p.Public.Webhook; w != nil {
		sum.Warnings = append(sum.Warnings, r.parts.Rules.Warnings(h.ServerType, w)...)
	}
	switch {
	case manual(h):
		sum.State = slipway.ProviderHookStateManual
	case h.Record.Polled:
		sum.State, sum.Message, sum.PayloadURL = slipway.ProviderHookStatePolled, h.Record.PollMessage, ""
		if !r.options.Poll {
			sum.Warnings = append(sum.Warnings, "The repository's refs are to be compared, and this server does not do that: start it with 'slipway serve --poll', or with --public-url to make a webhook.")
		} else if h.Record.Comments {
			sum.Warnings = append(sum.Warnings, "Comparing refs hears no comments: pull requests that need an approver's comment are not built. Start the server with --public-url, or set the webhook's pullRequestBuildPolicy to DISABLED.")
		}
	case sum.State == "":
		sum.State = slipway.ProviderHookStateUnknown
	}
	if !manual(h) && !h.Record.Polled && r.options.PublicURL == "" {
		sum.Warnings = append(sum.Warnings, "This server was started without --public-url: whether deliveries still reach it at the webhook's old address is up to whoever forwards them.")
	}
	if h.Record.State == slipway.ProviderHookStateActive && !h.Record.Signed && !manual(h) && !h.Record.Polled {
		sum.Warnings = append(sum.Warnings, "The provider did not take the webhook's secret, so its deliveries cannot be verified and are refused. Have it taken with 'aws codebuild update-webhook --rotate-secret'.")
	}
	return sum
}
