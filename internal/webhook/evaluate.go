package webhook

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/webhook/event"
)

// branchFilterType is how a webhook's branchFilter is shown among filters.
const branchFilterType api.WebhookFilterType = "BRANCH_FILTER"

// maxValue bounds what patterns are held against, in bytes: messages are a
// stranger's and patterns may be slow.
const maxValue = 1 << 20

// branchFilter returns a branchFilter as a filter.
func branchFilter(pattern string) api.WebhookFilter {
	return api.WebhookFilter{Type: branchFilterType, Pattern: pattern}
}

// Evaluate holds event e of delivery d against the filters of w and shows each
// of them with the value that it saw. The outcome is BUILD, NO_MATCH or, for
// what never builds whatever the filters say, IGNORED; Reason says why in a
// sentence. The project's name and what comes of it are left to the caller.
//
// Groups are alternatives, the filters in a group must all match. A pattern is
// searched anywhere in the value; EVENT's is a list of names. A filter passes if
// its pattern matches, or with excludeMatchedPattern if it does not; of
// FILE_PATH, if any path matches, or with excludeMatchedPattern if none does. A
// value that the event does not have passes no filter, excluding or not; but the
// message of a commit and the name of a release may be empty. Of a value only
// the first MiB is looked at.
//
// Without any filter every push and every pull request builds. A branchFilter
// is held against the short name of the head branch, of pushes and of pull
// requests alike, so that '^x$' is what '^refs/heads/x$' is for HEAD_REF; tags
// have no branch and do not pass.
func Evaluate(w *api.Webhook, d event.Delivery, e event.Event) slipway.ProjectVerdict {
	v := slipway.ProjectVerdict{
		Event: string(e.Type), ActorAccountID: cut(e.ActorID), Actor: cut(e.ActorName), HeadRef: cut(e.HeadRef), BaseRef: cut(e.BaseRef), CommitID: cut(e.Commit),
		Outcome: slipway.VerdictOutcomeNoMatch,
	}
	if e.PullRequest != nil {
		v.PullRequest = e.PullRequest.Number
	}
	if e.Deleted {
		v.Outcome = slipway.VerdictOutcomeIgnored
		v.Reason = "The branch or tag was deleted: there is nothing to build."
		return v
	}
	groups := groupsOf(w)
	if groups == nil {
		if e.Type != event.Push && !e.Type.IsPullRequest() {
			v.Reason = "The webhook has no filters, and so only pushes and pull requests build. A filter group with the EVENT filter " + string(e.Type) + " lets this build."
			return v
		}
		v.Outcome = slipway.VerdictOutcomeBuild
		v.Reason = "The webhook has no filters: every push and every pull request builds."
		return v
	}
	v.Reason = "No filter group matched."
	for i, group := range groups {
		g := evaluateGroup(w, group, d, e)
		v.Groups = append(v.Groups, g)
		if g.Matched && v.Outcome != slipway.VerdictOutcomeBuild {
			v.Outcome = slipway.VerdictOutcomeBuild
			v.Reason = fmt.Sprintf("Filter group %d matched.", i+1)
		}
	}
	if w.BranchFilter != nil && len(w.FilterGroups) == 0 {
		v.Reason = strings.Replace(strings.Replace(v.Reason, "Filter group 1 matched", "The branch filter matched", 1),
			"No filter group matched", "The branch filter did not match", 1)
	}
	return v
}

// groupsOf returns the filter groups of w, a branchFilter as the group that it
// stands for; nil if everything passes.
func groupsOf(w *api.Webhook) [][]api.WebhookFilter {
	if len(w.FilterGroups) > 0 {
		return w.FilterGroups
	}
	if w.BranchFilter == nil || *w.BranchFilter == "" {
		return nil
	}
	return [][]api.WebhookFilter{{branchFilter(*w.BranchFilter)}}
}

// Needs tells whether Evaluate needs what e lacks: the paths that changed, the
// message of the commit. It does not if the other filters decide without.
func Needs(w *api.Webhook, d event.Delivery, e event.Event) (files, message bool) {
	if e.Deleted {
		return false, false
	}
	for _, group := range groupsOf(w) {
		var f, m bool
		decided := false // the group fails whatever is missing
		for _, filter := range group {
			switch {
			case filter.Type == api.WebhookFilterTypeFilePath && e.Files == nil && carried(e.Type, filter.Type):
				f = true
			case filter.Type == api.WebhookFilterTypeCommitMessage && e.Message == nil && carried(e.Type, filter.Type):
				m = true
			case !evaluate(w, filter, d, e).Matched:
				decided = true
			}
		}
		if decided {
			continue
		}
		if !f && !m {
			return false, false // the group matches: the others change nothing
		}
		files, message = files || f, message || m
	}
	return files, message
}

func evaluateGroup(w *api.Webhook, group []api.WebhookFilter, d event.Delivery, e event.Event) slipway.FilterGroupVerdict {
	g := slipway.FilterGroupVerdict{Matched: len(group) > 0}
	for _, f := range group {
		v := evaluate(w, f, d, e)
		g.Filters = append(g.Filters, v)
		g.Matched = g.Matched && v.Matched
	}
	return g
}

// evaluate holds one filter against an event.
func evaluate(w *api.Webhook, f api.WebhookFilter, d event.Delivery, e event.Event) slipway.FilterVerdict {
	v := slipway.FilterVerdict{Type: string(f.Type), Pattern: cut(f.Pattern), ExcludeMatchedPattern: excludes(f)}
	if f.Type == api.WebhookFilterTypeEvent {
		v.Value = string(e.Type)
		v.Matched = slices.Contains(eventNames(f.Pattern), e.Type) != v.ExcludeMatchedPattern
		return v
	}
	values, note := valuesOf(w, f.Type, d, e)
	if note != "" {
		v.Note = note
		return v
	}
	re, err := compile(f)
	if err != nil { // settings are checked before they are stored
		v.Note = err.Error()
		return v
	}
	at := slices.IndexFunc(values, func(value string) bool { return re.MatchString(value[:min(len(value), maxValue)]) })
	v.Matched = (at >= 0) != v.ExcludeMatchedPattern
	switch {
	case f.Type != api.WebhookFilterTypeFilePath:
		v.Value = cut(values[0])
	case at >= 0:
		v.Value = cut(values[at])
		v.Note = fmt.Sprintf("1 of %s that changed", counted(len(values), "path"))
		if v.ExcludeMatchedPattern {
			v.Note = "this path is excluded; " + counted(len(values), "path") + " changed"
		}
	case len(values) == 0:
		v.Note = "no path changed"
	default:
		v.Value = cut(values[0])
		v.Note = "none of the " + counted(len(values), "path") + " that changed matches"
	}
	if f.Type == api.WebhookFilterTypeHeadRef || f.Type == api.WebhookFilterTypeBaseRef {
		v.Note = refNote(f, re, values[0], at >= 0)
	}
	return v
}

// refNote explains why a pattern that reads like a branch's name does not match.
func refNote(f api.WebhookFilter, re *regexp.Regexp, ref string, matched bool) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok && !matched && re.MatchString(short) {
			return fmt.Sprintf("%s holds full refs: '%s' would match, '%s' does not", f.Type, cut(short), cut(ref))
		}
	}
	return ""
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// valuesOf returns what filters of a type are held against; of all but
// FILE_PATH, one value. A note says why there is none.
func valuesOf(w *api.Webhook, t api.WebhookFilterType, d event.Delivery, e event.Event) (values []string, note string) {
	if t == branchFilterType {
		if e.Type != event.Push && !e.Type.IsPullRequest() {
			return nil, "a branch filter lets pushes and pull requests through only"
		}
		branch, ok := strings.CutPrefix(e.HeadRef, "refs/heads/")
		if !ok {
			return nil, "no branch was pushed but " + quoted(e.HeadRef)
		}
		return []string{branch}, ""
	}
	if !carried(e.Type, t) {
		return nil, fmt.Sprintf("an event of type %s has no %s", e.Type, t)
	}
	one := func(value string) ([]string, string) {
		if value == "" {
			return nil, "the payload does not say it, so that the filter does not match"
		}
		return []string{value}, ""
	}
	scoped := w.ScopeConfiguration
	switch t {
	case api.WebhookFilterTypeActorAccountId:
		if e.ActorID == "" {
			return nil, "the payload does not say whose doing it was, so that the filter does not match"
		}
		return one(e.ActorID)
	case api.WebhookFilterTypeHeadRef:
		return one(e.HeadRef)
	case api.WebhookFilterTypeBaseRef:
		return one(e.BaseRef)
	case api.WebhookFilterTypeFilePath:
		if e.Files == nil {
			return nil, "the paths that changed were not asked for, since the other filters decide"
		}
		return e.Files, ""
	case api.WebhookFilterTypeCommitMessage:
		if e.Message == nil {
			return nil, "the commit's message was not asked for, since the other filters decide"
		}
		return []string{*e.Message}, ""
	case api.WebhookFilterTypeWorkflowName:
		if e.Job == nil {
			return one("")
		}
		return one(e.Job.Workflow)
	case api.WebhookFilterTypeTagName:
		return one(e.Tag)
	case api.WebhookFilterTypeReleaseName:
		return []string{e.ReleaseName}, "" // one may have none: that is said
	case api.WebhookFilterTypeRepositoryName:
		if scoped == nil {
			return nil, "only webhooks of an organization, enterprise or group have this filter"
		}
		return one(d.Repository.Name)
	case api.WebhookFilterTypeOrganizationName:
		if scoped == nil || scoped.Scope != api.WebhookScopeTypeGithubGlobal {
			return nil, "only webhooks of an enterprise have this filter"
		}
		return one(d.Repository.Organization)
	}
	return nil, "there is no such type of filter"
}
