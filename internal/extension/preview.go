package extension

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/webhook"
)

// previewed is how many deliveries are looked at if nobody says.
const previewed = 20

// PreviewWebhook holds the latest kept deliveries of a project's repository, or
// of the one at a URL for a project that is not made yet, against filter groups,
// newest first: what each would have come to, and whether it built the project.
// Without filter groups they are the project's own; an empty list lets every
// push and pull request build. Groups that CreateWebhook refuses are refused in
// its words. Nothing is built and no provider is asked.
func (s *Deliveries) PreviewWebhook(ctx context.Context, in *slipway.PreviewWebhookInput) (*slipway.PreviewWebhookOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	of := webhook.Preview{Server: api.ServerType(in.ServerType), Location: in.RepositoryURL, Filters: filtersOf(in.FilterGroups), Limit: previewed}
	if in.MaxResults != nil {
		of.Limit = *in.MaxResults
	}
	switch {
	case in.ProjectName != "" && (in.RepositoryURL != "" || in.ServerType != ""):
		return nil, fault.New(fault.Invalid, "Give either a projectName or a serverType and repositoryUrl, not both")
	case in.ProjectName != "":
		name, ok := scope.Local("project", in.ProjectName)
		if !ok {
			return nil, noSuchProject(scope, in.ProjectName)
		}
		of.Project = name
	case in.RepositoryURL == "" || in.ServerType == "":
		return nil, fault.New(fault.Invalid, "Give a projectName, or a serverType and repositoryUrl for a project that is not made yet")
	}
	var c api.Checker
	api.CodeBuild.Operations["CreateWebhook"].Check(&c, &api.CreateWebhookInput{ProjectName: "any", FilterGroups: of.Filters})
	if broken := c.Message(); broken != "" {
		return nil, fault.New(fault.Constraint, "%s", broken)
	}
	all, warnings, err := s.hearer.Preview(ctx, scope, of)
	if err != nil {
		return nil, err
	}
	out := &slipway.PreviewWebhookOutput{Previews: []slipway.WebhookPreview{}, Warnings: warnings}
	for _, p := range all {
		out.Previews = append(out.Previews, slipway.WebhookPreview{Delivery: new(summary(p.Delivery)), Verdict: &p.Verdict, BuiltBefore: p.BuiltBefore})
	}
	return out, nil
}

// filtersOf returns filter groups as webhooks have them; nil of nil.
func filtersOf(groups [][]slipway.TestFilter) [][]api.WebhookFilter {
	if groups == nil {
		return nil
	}
	all := make([][]api.WebhookFilter, 0, len(groups))
	for _, group := range groups {
		var filters []api.WebhookFilter
		for _, f := range group {
			filters = append(filters, api.WebhookFilter{Type: api.WebhookFilterType(f.Type), Pattern: f.Pattern, ExcludeMatchedPattern: &f.ExcludeMatchedPattern})
		}
		all = append(all, filters)
	}
	return all
}
