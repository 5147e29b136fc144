package webhook

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/webhook/event"
)

// Check holds the settings of a webhook against CodeBuild's rules and answers
// the first that is broken, as Invalid: the branch filter, the filter groups,
// the build type, the scope, the policy for pull requests. Only an empty
// branchFilter is of kind Constraint, as CodeBuild answers a create with it; in
// an update it means none, so that whoever updates drops it first. What the
// model's own constraints cover is not checked again.
func Check(server api.ServerType, w *api.Webhook) error {
	if known[server] == nil {
		return invalid("Webhooks are not available for sources of type %s", server)
	}
	for _, check := range []func(api.ServerType, *api.Webhook) error{checkBranchFilter, checkGroups, checkBuildType, checkScope, checkPolicy} {
		if err := check(server, w); err != nil {
			return err
		}
	}
	return nil
}

// Fill sets what CodeBuild answers though nobody sent it: excludeMatchedPattern
// of every filter. The filters themselves are copied, since they may belong to
// an input.
func Fill(w *api.Webhook) {
	groups := make([][]api.WebhookFilter, len(w.FilterGroups))
	for i, group := range w.FilterGroups {
		groups[i] = slices.Clone(group)
		for j := range groups[i] {
			if groups[i][j].ExcludeMatchedPattern == nil {
				groups[i][j].ExcludeMatchedPattern = new(false)
			}
		}
	}
	if w.FilterGroups != nil {
		w.FilterGroups = groups
	}
}

func checkBranchFilter(_ api.ServerType, w *api.Webhook) error {
	if w.BranchFilter == nil {
		return nil
	}
	pattern := *w.BranchFilter
	if pattern == "" {
		return fault.New(fault.Constraint, "1 validation error detected: Value '' at 'newProjectVersion.webhook.branches' "+
			"failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if len(w.FilterGroups) > 0 {
		return invalid("Only one of branchFilter and filterGroups can be set. Write the branch filter as a HEAD_REF filter in every group: '^refs/heads/main$' is what '^main$' is as a branchFilter.")
	}
	return checkPattern(branchFilter(pattern))
}

func checkGroups(server api.ServerType, w *api.Webhook) error {
	if len(w.FilterGroups) > maxGroups {
		return invalid("A webhook cannot have more than %d filter groups", maxGroups)
	}
	for i, group := range w.FilterGroups {
		if len(group) > maxFilters {
			return invalid("Filter group %d has more than %d filters", i+1, maxFilters)
		}
		if !slices.ContainsFunc(group, func(f api.WebhookFilter) bool { return f.Type == api.WebhookFilterTypeEvent }) {
			return invalid("Filter group %d has no filter of type EVENT. Every group needs one, such as {\"type\": \"EVENT\", \"pattern\": \"PUSH\"}.", i+1)
		}
		for _, f := range group {
			if err := checkFilter(server, w, f); err != nil {
				return err
			}
		}
		if err := checkTogether(server, group); err != nil {
			return err
		}
	}
	return nil
}

func checkFilter(server api.ServerType, w *api.Webhook, f api.WebhookFilter) error {
	scope := w.ScopeConfiguration
	switch f.Type {
	case api.WebhookFilterTypeEvent:
		return checkEvents(server, f)
	case api.WebhookFilterTypeRepositoryName:
		if scope == nil {
			return invalid("Filters of type REPOSITORY_NAME are for webhooks of an organization, enterprise or group: this one hears one repository only. Remove the filter, or set scopeConfiguration.")
		}
	case api.WebhookFilterTypeOrganizationName:
		if scope == nil || scope.Scope != api.WebhookScopeTypeGithubGlobal {
			return invalid("Filters of type ORGANIZATION_NAME are for webhooks with the scope GITHUB_GLOBAL: this one hears no more than one organization. Remove the filter.")
		}
	}
	return checkPattern(f)
}

func checkPattern(f api.WebhookFilter) error {
	if utf8.RuneCountInString(f.Pattern) > maxPattern {
		return invalid("The pattern of a %s filter cannot be longer than %d characters", f.Type, maxPattern)
	}
	_, err := compile(f)
	return err
}

func checkEvents(server api.ServerType, f api.WebhookFilter) error {
	if utf8.RuneCountInString(f.Pattern) > maxPattern {
		return invalid("The pattern of an EVENT filter cannot be longer than %d characters", maxPattern)
	}
	names := eventNames(f.Pattern)
	if len(names) == 0 {
		return invalid("The EVENT filter names no event. %s tells of %s.", titles[server], join(known[server]))
	}
	for _, name := range names {
		if slices.Contains(known[server], name) {
			continue
		}
		return invalid("The EVENT filter names '%s', which is no event of %s. Its pattern is a list of names between commas, among them: %s.",
			cut(string(name)), titles[server], join(known[server]))
	}
	return nil
}

// carried says which filter types an event has no value for, besides EVENT and
// ACTOR_ACCOUNT_ID and the names of repositories, which all events have.
func carried(t event.Type, f api.WebhookFilterType) bool {
	push, pull := t == event.Push, t.IsPullRequest()
	release, job := t == event.Released || t == event.Prereleased, t == event.WorkflowJobQueued
	switch f {
	case api.WebhookFilterTypeHeadRef:
		return push || pull || release
	case api.WebhookFilterTypeBaseRef:
		return pull
	case api.WebhookFilterTypeFilePath, api.WebhookFilterTypeCommitMessage:
		return push || pull
	case api.WebhookFilterTypeTagName, api.WebhookFilterTypeReleaseName:
		return release
	case api.WebhookFilterTypeWorkflowName:
		return job
	}
	return true
}

// checkTogether refuses filters that one of a group's events has no value for.
func checkTogether(server api.ServerType, group []api.WebhookFilter) error {
	events := eventsOf(server, group)
	var odd []api.WebhookFilterType
	for _, f := range group {
		lacks := func(t event.Type) bool { return !carried(t, f.Type) }
		if slices.ContainsFunc(events, lacks) && !slices.Contains(odd, f.Type) {
			odd = append(odd, f.Type)
		}
	}
	if odd == nil {
		return nil
	}
	return invalid("The following filter types are not allowed for %s webhook when EVENT is [%s]: [%s]. "+
		"Make sure input filter types are supported by all the EVENT types specified.", titles[server], join(events), join(odd))
}

func checkBuildType(_ api.ServerType, w *api.Webhook) error {
	switch w.BuildType {
	case "", api.WebhookBuildTypeBuild, api.WebhookBuildTypeBuildBatch:
		return nil
	case api.WebhookBuildTypeRunnerBuildkiteBuild:
		return invalid("Build type RUNNER_BUILDKITE_BUILD is for Buildkite, which is not available: set buildType to BUILD or leave it out")
	}
	return invalid("Invalid webhook build type %s: use BUILD or BUILD_BATCH", quoted(string(w.BuildType)))
}

func checkScope(server api.ServerType, w *api.Webhook) error {
	s := w.ScopeConfiguration
	if s == nil {
		return nil
	}
	fits, selfHosted := false, server == api.ServerTypeGithubEnterprise || server == api.ServerTypeGitlabSelfManaged
	switch s.Scope {
	case api.WebhookScopeTypeGithubOrganization, api.WebhookScopeTypeGithubGlobal:
		fits = server == api.ServerTypeGithub || server == api.ServerTypeGithubEnterprise
	case api.WebhookScopeTypeGitlabGroup:
		fits = server == api.ServerTypeGitlab || server == api.ServerTypeGitlabSelfManaged
	}
	if !fits {
		return invalid("Webhook scope %s is not available for %s", quoted(string(s.Scope)), titles[server])
	}
	if strings.TrimSpace(s.Name) == "" || len(s.Name) > 255 || strings.ContainsFunc(s.Name, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`?#%\`, r) }) {
		return invalid("scopeConfiguration needs the name of the organization, enterprise or group, as it stands in its URL")
	}
	domain := ""
	if s.Domain != nil {
		domain = *s.Domain
	}
	if domain == "" && selfHosted {
		return invalid("scopeConfiguration needs the domain of your %s, such as git.example.com", titles[server])
	}
	if domain != "" && !isHost(domain) {
		return invalid("The domain of scopeConfiguration must be a host name, such as git.example.com")
	}
	return nil
}

// isHost reports whether text is a host, perhaps with a scheme before it or a
// port behind it.
func isHost(text string) bool {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

func checkPolicy(server api.ServerType, w *api.Webhook) error {
	if w.PullRequestBuildPolicy == nil {
		return nil
	}
	prefix := "GITHUB_"
	switch server {
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		prefix = "GITLAB_"
	case api.ServerTypeBitbucket:
		prefix = "BITBUCKET_"
	}
	roles := w.PullRequestBuildPolicy.ApproverRoles
	if len(roles) > maxFilters {
		return invalid("pullRequestBuildPolicy cannot list more than %d approver roles", maxFilters)
	}
	for _, role := range roles {
		if !strings.HasPrefix(string(role), prefix) {
			return invalid("Approver role %s is not one of %s: its roles begin with %s", quoted(string(role)), titles[server], prefix)
		}
	}
	return nil
}

func join[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

func invalid(format string, args ...any) error {
	return &fault.Error{Kind: fault.Invalid, Message: fmt.Sprintf(format, args...)}
}
