package hooktest

import (
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/registrar"
	"slipway/internal/webhook/event"
)

// Rules are simple rules of webhooks: the pattern "bad" is none, a webhook
// without filters hears pushes and pull requests, and every pattern that is not
// anchored is risky.
func Rules() registrar.Rules {
	return registrar.Rules{
		Check: func(_ api.ServerType, w *api.Webhook) error {
			if w.BranchFilter != nil && *w.BranchFilter == "" {
				return fault.New(fault.Constraint, "1 validation error detected: Value '' at 'newProjectVersion.webhook.branches' failed to satisfy constraint: Member must have length greater than or equal to 1")
			}
			for _, f := range filters(w) {
				if f.Pattern == "bad" {
					return fault.New(fault.Invalid, "The pattern of the filter %s is bad", f.Type)
				}
			}
			return nil
		},
		Fill: func(w *api.Webhook) {
			groups := slices.Clone(w.FilterGroups)
			for i := range groups {
				groups[i] = slices.Clone(groups[i])
				for j := range groups[i] {
					if groups[i][j].ExcludeMatchedPattern == nil {
						groups[i][j].ExcludeMatchedPattern = new(false)
					}
				}
			}
			w.FilterGroups = groups
		},
		Subscriptions: func(_ api.ServerType, all []api.Webhook) (types []event.Type, comments bool) {
			for _, w := range all {
				types = append(types, heard(&w)...)
			}
			slices.Sort(types)
			types = slices.Compact(types)
			for _, w := range all {
				p := w.PullRequestBuildPolicy
				comments = comments || p != nil && p.RequiresCommentApproval != api.PullRequestBuildCommentApprovalDisabled && slices.ContainsFunc(heard(&w), event.Type.IsPullRequest)
			}
			return types, comments
		},
		Warnings: func(_ api.ServerType, w *api.Webhook) (out []string) {
			for _, f := range filters(w) {
				if f.Type != api.WebhookFilterTypeEvent && !strings.HasPrefix(f.Pattern, "^") {
					out = append(out, "The pattern "+f.Pattern+" is not anchored.")
				}
			}
			return out
		},
		Approvers: func(_ api.ServerType, w *api.Webhook) []api.PullRequestBuildApproverRole {
			if p := w.PullRequestBuildPolicy; p != nil && len(p.ApproverRoles) > 0 {
				return p.ApproverRoles
			}
			return []api.PullRequestBuildApproverRole{api.PullRequestBuildApproverRoleGithubAdmin, api.PullRequestBuildApproverRoleGithubWrite}
		},
	}
}

func filters(w *api.Webhook) (all []api.WebhookFilter) {
	for _, group := range w.FilterGroups {
		all = append(all, group...)
	}
	return all
}

func heard(w *api.Webhook) (types []event.Type) {
	for _, f := range filters(w) {
		if f.Type == api.WebhookFilterTypeEvent {
			for name := range strings.SplitSeq(f.Pattern, ",") {
				types = append(types, event.Type(strings.TrimSpace(name)))
			}
		}
	}
	if len(w.FilterGroups) == 0 {
		types = []event.Type{event.Push, event.PullRequestCreated}
	}
	return types
}
