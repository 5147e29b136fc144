package webhook

import (
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/webhook/event"
)

// known is which events each provider tells of, in the order of CodeBuild's guide.
var known = map[api.ServerType][]event.Type{
	api.ServerTypeGithub:            gitHubEvents,
	api.ServerTypeGithubEnterprise:  gitHubEvents,
	api.ServerTypeGitlab:            gitLabEvents,
	api.ServerTypeGitlabSelfManaged: gitLabEvents,
	api.ServerTypeBitbucket: { // a declined pull request cannot be opened again there
		event.Push, event.PullRequestCreated, event.PullRequestUpdated, event.PullRequestMerged, event.PullRequestClosed,
	},
}

var (
	gitHubEvents = []event.Type{
		event.Push, event.PullRequestCreated, event.PullRequestUpdated, event.PullRequestReopened, event.PullRequestMerged,
		event.PullRequestClosed, event.Released, event.Prereleased, event.WorkflowJobQueued,
	}
	gitLabEvents = []event.Type{
		event.Push, event.PullRequestCreated, event.PullRequestUpdated, event.PullRequestReopened, event.PullRequestMerged,
		event.PullRequestClosed, event.Released, event.WorkflowJobQueued,
	}
)

// titles is how people write the providers' names.
var titles = map[api.ServerType]string{
	api.ServerTypeGithub:            "GitHub",
	api.ServerTypeGithubEnterprise:  "GitHub Enterprise",
	api.ServerTypeBitbucket:         "Bitbucket",
	api.ServerTypeGitlab:            "GitLab",
	api.ServerTypeGitlabSelfManaged: "GitLab Self Managed",
}

// Subscriptions returns what a hook must deliver so that every project which
// hears it hears all that its filters ask for: the types of events, in the
// order of CodeBuild's guide, and whether comments on pull requests are needed
// to approve builds.
func Subscriptions(server api.ServerType, all []api.Webhook) (types []event.Type, comments bool) {
	for _, t := range known[server] {
		for i := range all {
			if hears(server, &all[i], t) {
				types = append(types, t)
				break
			}
		}
	}
	for i := range all {
		w := &all[i]
		pulls := slices.ContainsFunc(known[server], func(t event.Type) bool { return t.IsPullRequest() && hears(server, w, t) })
		comments = comments || pulls && Approval(w) != api.PullRequestBuildCommentApprovalDisabled
	}
	return types, comments
}

// hears reports whether w may build for an event of type t.
func hears(server api.ServerType, w *api.Webhook, t event.Type) bool {
	if len(w.FilterGroups) == 0 {
		return t == event.Push || t.IsPullRequest()
	}
	return slices.ContainsFunc(w.FilterGroups, func(group []api.WebhookFilter) bool {
		return slices.Contains(eventsOf(server, group), t)
	})
}

// eventsOf returns the types of events that all EVENT filters of a group let
// through; none if the group has no such filter.
func eventsOf(server api.ServerType, group []api.WebhookFilter) []event.Type {
	var left []event.Type
	filtered := false
	for _, f := range group {
		if f.Type != api.WebhookFilterTypeEvent {
			continue
		}
		if !filtered {
			left, filtered = slices.Clone(known[server]), true
		}
		names := eventNames(f.Pattern)
		left = slices.DeleteFunc(left, func(t event.Type) bool { return slices.Contains(names, t) == excludes(f) })
	}
	return left
}

// eventNames reads the pattern of an EVENT filter: names between commas, with
// blanks around them.
func eventNames(pattern string) []event.Type {
	var names []event.Type
	for name := range strings.SplitSeq(pattern, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, event.Type(name))
		}
	}
	return names
}

func excludes(f api.WebhookFilter) bool {
	return f.ExcludeMatchedPattern != nil && *f.ExcludeMatchedPattern
}
