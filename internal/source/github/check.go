package github

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// jobs are what a login may be for, in the order in which they are told.
var jobs = []slipway.CredentialJob{
	slipway.CredentialJobClone, slipway.CredentialJobCommitStatus, slipway.CredentialJobWebhook, slipway.CredentialJobPullRequestFiles,
}

// A checkup is one Check under way.
type checkup struct {
	*Provider
	at     source.Site
	by     source.Login
	health slipway.CredentialHealth
	scopes []string // classic ones; nil if they are not known
	seen   *repo    // nil if there is no repository, or it is not seen
}

// Check tells what a login is and can do. A classic token says its scopes by
// itself; what a fine-grained one may do shows only on a repository. There, what
// only changing would show is tried with calls that GitHub cannot carry out: a
// status of a commit that does not exist, a webhook that leads nowhere.
func (p *Provider) Check(ctx context.Context, at source.Site, r *source.Repository, by source.Login) (slipway.CredentialHealth, error) {
	c := &checkup{Provider: p, at: at, by: by, health: slipway.CredentialHealth{State: slipway.CredentialStateValid, TokenKind: by.Kind, Host: host(at)}}
	if by.IsZero() {
		c.invalid(slipway.FailureCauseBadToken, "There is no token.", "Import one with 'slipway credential import'.", page(at, by, ""))
		return c.health, nil
	}
	if meaning, next, wrong := foreign(at, by); wrong {
		c.invalid(slipway.FailureCauseWrongKind, meaning, next, page(at, by, ""))
		return c.health, nil
	}
	if strings.ContainsFunc(by.Token.Reveal(), unicode.IsSpace) {
		c.invalid(slipway.FailureCauseBadToken, "The token holds a space or a line break: more or less than the token was copied.",
			"Copy it again and import it with 'slipway credential import'.", page(at, by, ""))
		return c.health, nil
	}
	if err := c.identify(ctx); err != nil {
		c.refused(err)
		return c.health, ctx.Err()
	}
	if r == nil {
		c.judge()
		c.listPart(ctx)
	} else {
		c.health.Repository = r.FullName()
		c.try(ctx, *r)
	}
	c.sum()
	return c.health, ctx.Err()
}

// foreign explains a token that can never work at GitHub, by its looks.
func foreign(at source.Site, by source.Login) (meaning, next string, wrong bool) {
	belongs := ""
	switch by.Kind {
	case slipway.TokenKindGithubAppRefresh:
		return "The token begins with ghr_: it only renews the tokens of a GitHub App, and opens nothing.",
			"Import a personal access token instead; make one at " + page(at, by, "") + ".", true
	case slipway.TokenKindBitbucketApiToken, slipway.TokenKindBitbucketAccessToken, slipway.TokenKindBitbucketRepositoryToken,
		slipway.TokenKindBitbucketProjectToken, slipway.TokenKindBitbucketWorkspaceToken, slipway.TokenKindBitbucketAppPassword:
		belongs = "Bitbucket, server type " + string(api.ServerTypeBitbucket)
	case slipway.TokenKindGitlabPersonal, slipway.TokenKindGitlabProject, slipway.TokenKindGitlabGroup, slipway.TokenKindGitlabDeploy,
		slipway.TokenKindGitlabOauth, slipway.TokenKindGitlabCiJob, slipway.TokenKindGitlabTrigger, slipway.TokenKindGitlabRunner:
		belongs = "GitLab, server type " + string(api.ServerTypeGitlab) + " or " + string(api.ServerTypeGitlabSelfManaged)
	default:
		return "", "", false
	}
	return "The token is one of " + belongs + ", and was imported for " + string(at.Server) + ".",
		"Import it for its own server type, and for this one a token made at " + page(at, source.Login{}, "") + ".", true
}

func (c *checkup) invalid(cause slipway.FailureCause, message, next, link string) {
	h := &c.health
	h.State, h.Cause, h.Message, h.NextStep, h.Link = slipway.CredentialStateInvalid, cause, message, next, link
	for _, job := range jobs {
		h.Jobs = append(h.Jobs, slipway.JobAbility{Job: job, Ability: slipway.AbilityNo, Cause: cause, Message: message, NextStep: next, Link: link})
	}
}

// refused makes the health what GitHub's no, or its silence, says of the login itself.
func (c *checkup) refused(err error) {
	r, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		r = &source.Refusal{Cause: slipway.FailureCauseProviderError, Again: true, Message: "GitHub could not be asked."}
	}
	ends := expiry(r.Header)
	c.health.Expires = api.At(ends)
	unknown := r.Again
	switch r.Cause {
	case slipway.FailureCauseUnreachable, slipway.FailureCauseCertificate, slipway.FailureCauseRateLimited, slipway.FailureCauseProviderError, slipway.FailureCauseMoved:
		unknown = true
	case slipway.FailureCauseNotVisible:
		r.Cause, unknown = slipway.FailureCauseWrongHost, true
		r.Message = "What answers at " + host(c.at) + " is not GitHub's API. " + r.Message
		r.NextStep, r.Link = "Check the address of the server, and that no proxy or login page stands before it.", ""
	}
	c.invalid(r.Cause, r.Message, r.NextStep, r.Link)
	if unknown {
		c.health.State = slipway.CredentialStateUnreachable
		for i := range c.health.Jobs {
			c.health.Jobs[i].Ability = slipway.AbilityUnknown
		}
	}
	if r.Cause == slipway.FailureCauseBadToken && !ends.IsZero() && !c.now().Before(ends) {
		c.health.State, c.health.Cause = slipway.CredentialStateExpired, slipway.FailureCauseExpiredToken
	}
}

// identify asks whose the token is, and reads what comes with the answer.
func (c *checkup) identify(ctx context.Context) error {
	h := &c.health
	if c.by.Kind == slipway.TokenKindGithubAppInstallation {
		var list struct {
			Repositories []repo `json:"repositories"`
		}
		if _, err := c.get(ctx, c.at, c.at.APIBase+"/installation/repositories?per_page=1", c.by, &list); err != nil {
			return err
		}
		h.OwnerIsBot, h.Owner = true, "a GitHub App"
		if len(list.Repositories) > 0 {
			h.Owner += " installed at " + list.Repositories[0].Owner.Login
		}
		h.Warnings = append(h.Warnings, "An App's installation token lives for one hour: builds after that fail. A personal access token lasts longer.")
		return nil
	}
	var u user
	a, err := c.get(ctx, c.at, c.at.APIBase+"/user", c.by, &u)
	if err != nil {
		return err
	}
	if u.Login == "" {
		return notGitHub(a)
	}
	h.Owner, h.OwnerID, h.OwnerIsBot = u.Login, id(u.ID), u.Type == "Bot"
	h.Expires = api.At(expiry(a.Header))
	if list, known := scopes(a.Header); known {
		c.scopes = append([]string{}, list...)
		h.Scopes, h.ScopesKnown = c.scopes, true
		if h.TokenKind == slipway.TokenKindUnknown {
			h.TokenKind, c.by.Kind = slipway.TokenKindGithubClassic, slipway.TokenKindGithubClassic
		}
	}
	return nil
}

// judge tells the jobs from the scopes alone.
func (c *checkup) judge() {
	for _, job := range jobs {
		ability := slipway.JobAbility{Job: job, Ability: slipway.AbilityUnknown,
			Message:  "GitHub does not tell what this kind of token may do.",
			NextStep: "Verify it with a repository: 'slipway credential verify' takes its URL."}
		if c.scopes != nil {
			ability = c.byScope(job)
		}
		c.health.Jobs = append(c.health.Jobs, ability)
	}
	if slices.Contains(c.scopes, "public_repo") && !includes(c.scopes, "repo") {
		c.health.Warnings = append(c.health.Warnings, "For public repositories the scope public_repo suffices.")
	}
}

// listPart warns if single sign-on keeps the repositories of organizations from
// a classic token: nothing but a list tells.
func (c *checkup) listPart(ctx context.Context) {
	if c.scopes == nil {
		return
	}
	a, err := c.client.Do(ctx, rest.Call{URL: c.at.APIBase + "/user/repos?per_page=1", At: c.at, By: c.by})
	if err != nil {
		return // the token is good, whatever the list is
	}
	if warning := partial(c.at, a.Header); warning != "" {
		c.health.Warnings = append(c.health.Warnings, warning)
	}
}

// needs is the least classic scope for each job.
var needs = map[slipway.CredentialJob]string{
	slipway.CredentialJobClone: "repo", slipway.CredentialJobCommitStatus: "repo:status",
	slipway.CredentialJobWebhook: "admin:repo_hook", slipway.CredentialJobPullRequestFiles: "repo",
}

func (c *checkup) byScope(job slipway.CredentialJob) slipway.JobAbility {
	need := needs[job]
	if includes(c.scopes, need) {
		return slipway.JobAbility{Job: job, Ability: slipway.AbilityYes}
	}
	out := c.lacks(job, need)
	if job == slipway.CredentialJobWebhook && includes(c.scopes, "write:repo_hook") {
		out.Message += " With write:repo_hook webhooks can be made, but not removed."
	}
	return out
}

// lacks is a job that a classic token has no scope for.
func (c *checkup) lacks(job slipway.CredentialJob, scope string) slipway.JobAbility {
	next, link := grant(c.at, c.by, "", []string{scope})
	return slipway.JobAbility{Job: job, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope, Missing: []string{scope},
		Message: "The token lacks the scope " + scope + ".", NextStep: next, Link: link}
}

// try tells the jobs from what GitHub answers on a repository.
func (c *checkup) try(ctx context.Context, r source.Repository) {
	var seen repo
	_, err := c.get(ctx, r.Site, repository(r, ""), c.by, &seen)
	if err == nil {
		c.seen = &seen
		if !strings.EqualFold(seen.FullName, r.FullName()) {
			c.health.Warnings = append(c.health.Warnings, r.FullName()+" is called "+seen.FullName+" now: change the project's source location.")
		}
		if seen.Archived {
			c.health.Warnings = append(c.health.Warnings, seen.FullName+" is archived: it takes no statuses and no webhooks.")
		}
	}
	if refused, ok := errors.AsType[*source.Refusal](err); ok && !hidden(refused) {
		for _, job := range jobs { // what holds for one thing of the repository holds for all
			c.health.Jobs = append(c.health.Jobs, c.answered(job, err))
		}
		return
	}
	_, err = c.client.Refs(ctx, r, c.by)
	c.health.Jobs = append(c.health.Jobs,
		c.answered(slipway.CredentialJobClone, err),
		c.answered(slipway.CredentialJobCommitStatus, c.tryStatus(ctx, r)),
		c.tryHook(ctx, r),
	)
	_, err = c.client.Do(ctx, rest.Call{URL: repository(r, "/pulls?state=all&per_page=1"), At: r.Site, By: c.by})
	c.health.Jobs = append(c.health.Jobs, c.answered(slipway.CredentialJobPullRequestFiles, err))
}

// hidden reports whether a refusal leaves it open what else is allowed there.
func hidden(r *source.Refusal) bool {
	return r.Cause == slipway.FailureCauseNotVisible || r.Cause == slipway.FailureCauseMissingScope
}

// answered is a job that GitHub did not refuse, or did.
func (c *checkup) answered(job slipway.CredentialJob, err error) slipway.JobAbility {
	if err == nil {
		return slipway.JobAbility{Job: job, Ability: slipway.AbilityYes}
	}
	r, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		return slipway.JobAbility{Job: job, Ability: slipway.AbilityUnknown, Message: "GitHub could not be asked."}
	}
	out := slipway.JobAbility{Job: job, Ability: slipway.AbilityNo, Cause: r.Cause, Message: r.Message, Missing: r.Missing, NextStep: r.NextStep, Link: r.Link}
	if r.Again {
		out.Ability = slipway.AbilityUnknown
	}
	// git tells of nothing but "not found": the scopes may tell why.
	need := needs[job]
	if c.scopes != nil && hidden(r) && !includes(c.scopes, need) && (c.seen == nil || c.seen.Private || r.Cause == slipway.FailureCauseMissingScope) {
		out = c.lacks(job, need)
		if c.seen == nil && need == "repo" {
			out.Message = "The token lacks the scope repo, without which GitHub hides private repositories."
		}
	} else if c.scopes == nil && r.Cause == slipway.FailureCauseMissingScope && len(r.Missing) > 0 {
		out.Message = "The token lacks the " + plural("permission", r.Missing) + "."
	} else if r.Cause == slipway.FailureCauseNotVisible && c.seen != nil && c.by.Kind == slipway.TokenKindGithubFineGrained && job == slipway.CredentialJobClone {
		out.Cause, out.Missing = slipway.FailureCauseMissingScope, []string{"Contents: read"}
		out.Message = "The token sees " + c.seen.FullName + ", but lacks the permission Contents: read."
		out.NextStep, out.Link = grant(c.at, c.by, c.seen.Owner.Login, out.Missing)
	} else if r.Cause == slipway.FailureCauseNotVisible && c.seen == nil { // REST and git say it in different words
		out.Message = unseen(c.health.Repository)
	}
	return out
}

// nowhere is no commit of any repository.
const nowhere = "0000000000000000000000000000000000000000"

// tryStatus sets a status on a commit that does not exist: who may set statuses
// is told so, who may not is refused.
func (c *checkup) tryStatus(ctx context.Context, r source.Repository) error {
	if c.seen != nil && !c.seen.Permissions.Push && c.by.Kind != slipway.TokenKindGithubAppInstallation {
		refused := &source.Refusal{}
		lacksRole(refused, c.at, *c.seen, false)
		return refused
	}
	_, err := c.client.Do(ctx, rest.Call{
		Method: http.MethodPost, URL: repository(r, "/statuses/"+nowhere), At: r.Site, By: c.by,
		Body: status{State: "pending", Context: "slipway"}, Want: []int{http.StatusUnprocessableEntity}, Repeatable: true,
	})
	return err
}

// tryHook lists the hooks, which takes an administrator and a scope. Where only
// the permission to change them is missing, that shows by a hook without an
// address, which GitHub never makes.
func (c *checkup) tryHook(ctx context.Context, r source.Repository) slipway.JobAbility {
	job := slipway.CredentialJobWebhook
	app := c.by.Kind == slipway.TokenKindGithubAppInstallation
	if c.seen != nil && !c.seen.Permissions.Admin && !app {
		refused := &source.Refusal{}
		lacksRole(refused, c.at, *c.seen, true)
		out := c.answered(job, refused)
		if c.scopes != nil && !includes(c.scopes, "admin:repo_hook") {
			out.Missing = []string{"admin:repo_hook"}
			out.Message += " The token also lacks the scope admin:repo_hook."
		}
		return out
	}
	_, err := c.client.Do(ctx, rest.Call{URL: repository(r, "/hooks?per_page=1"), At: r.Site, By: c.by})
	switch {
	case err != nil:
		out := c.answered(job, err)
		if slices.Contains(out.Missing, "Webhooks: read") {
			out = c.unwritable()
		}
		return out
	case c.scopes != nil:
		if !includes(c.scopes, needs[job]) && !(slices.Contains(c.scopes, "public_repo") && c.seen != nil && !c.seen.Private) {
			return c.byScope(job)
		}
		return c.answered(job, nil)
	}
	_, err = c.client.Do(ctx, rest.Call{
		Method: http.MethodPost, URL: repository(r, "/hooks"), At: r.Site, By: c.by,
		Body: map[string]any{"name": "web", "active": false, "config": map[string]any{}}, Want: []int{http.StatusUnprocessableEntity}, Repeatable: true,
	})
	return c.answered(job, err)
}

// unwritable is the webhook job of a fine-grained token that may not even read them.
func (c *checkup) unwritable() slipway.JobAbility {
	missing := []string{"Webhooks: write"}
	owner := ""
	if c.seen != nil {
		owner = c.seen.Owner.Login
	}
	next, link := grant(c.at, c.by, owner, missing)
	return slipway.JobAbility{Job: slipway.CredentialJobWebhook, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope,
		Missing: missing, Message: "The token lacks the permission Webhooks: write.", NextStep: next, Link: link}
}

// sum tells the first job that cannot be done as what is wrong with all; if that
// is a missing scope, then all that are missing, since one token needs them all.
func (c *checkup) sum() {
	h := &c.health
	var lacks []string
	for _, job := range h.Jobs {
		if job.Ability != slipway.AbilityNo {
			continue
		}
		if h.Cause == "" {
			h.State, h.Cause, h.Message, h.NextStep, h.Link = slipway.CredentialStateLimited, job.Cause, job.Message, job.NextStep, job.Link
		}
		if job.Cause == slipway.FailureCauseMissingScope {
			lacks = append(lacks, job.Missing...)
		}
	}
	least := slices.DeleteFunc(slices.Clone(lacks), func(s string) bool {
		return slices.ContainsFunc(lacks, func(other string) bool { return other != s && includes([]string{other}, s) })
	})
	slices.Sort(least)
	if least = slices.Compact(least); h.Cause == slipway.FailureCauseMissingScope && len(least) > 0 {
		owner := ""
		if c.seen != nil {
			owner = c.seen.Owner.Login
		}
		h.NextStep, h.Link = grant(c.at, c.by, owner, least)
	}
}
