package bitbucket

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// kinds is what Bitbucket calls kinds of access tokens in X-Credential-Type.
var kinds = map[string]slipway.TokenKind{
	"repo_access_token":      slipway.TokenKindBitbucketRepositoryToken,
	"project_access_token":   slipway.TokenKindBitbucketProjectToken,
	"workspace_access_token": slipway.TokenKindBitbucketWorkspaceToken,
}

// A check is a login being looked at.
type check struct {
	*Provider
	ctx    context.Context
	at     source.Site
	repo   *source.Repository // nil if it is looked at without
	by     source.Login
	health slipway.CredentialHealth
}

// Check tells what a login is and can do. Bitbucket does not say when a token
// expires. That a token may not read its user is no fault: it is asked what it
// may do on the repository, if there is one.
func (p *Provider) Check(ctx context.Context, at source.Site, r *source.Repository, by source.Login) (slipway.CredentialHealth, error) {
	c := &check{Provider: p, ctx: ctx, at: at, repo: r, by: by}
	c.health = slipway.CredentialHealth{State: slipway.CredentialStateValid, TokenKind: by.Kind}
	if u, err := url.Parse(at.WebBase); err == nil {
		c.health.Host = u.Host
	}
	if r != nil {
		c.health.Repository = r.FullName()
	}
	err := c.run()
	return c.health, err
}

func (c *check) run() error {
	if no := unusable(c.by); no != nil {
		c.fail(no)
		if no.Cause == slipway.FailureCauseWrongUsername && c.repo != nil {
			return c.cloneOnly()
		}
		return nil
	}
	if ok, err := c.whoami(); !ok || err != nil {
		return err
	}
	if c.repo == nil {
		c.judge()
	} else if err := c.probe(); err != nil {
		return err
	}
	c.sum()
	return nil
}

// Causes that are not the token's fault.
var (
	away        = []slipway.FailureCause{slipway.FailureCauseUnreachable, slipway.FailureCauseCertificate, slipway.FailureCauseProviderError}
	notTheToken = []slipway.FailureCause{slipway.FailureCauseIpNotAllowed, slipway.FailureCauseNotVisible, slipway.FailureCauseGone, slipway.FailureCauseMoved}
)

// fail says of the whole login, and so of every job, what is wrong with it.
func (c *check) fail(no *source.Refusal) {
	h := &c.health
	h.State = slipway.CredentialStateInvalid
	switch {
	case no.Again || slices.Contains(away, no.Cause):
		h.State = slipway.CredentialStateUnreachable
	case slices.Contains(notTheToken, no.Cause):
		h.State = slipway.CredentialStateLimited
	}
	h.Cause, h.Message, h.NextStep, h.Link = no.Cause, no.Message, cmp.Or(no.NextStep, tryAgain), no.Link
	h.Jobs = nil
	for _, n := range needs {
		h.Jobs = append(h.Jobs, refused(n.job, no))
	}
}

// tryAgain is the next step where nobody knows a better one.
const tryAgain = "Check the address, and try again in some minutes."

// cloneOnly looks whether an API token without an e-mail address, which the
// REST API would refuse, serves git at least.
func (c *check) cloneOnly() error {
	clone, err := c.clone()
	if err != nil {
		return err
	}
	c.health.Jobs[0] = clone
	if clone.Ability == slipway.AbilityYes {
		c.health.State = slipway.CredentialStateLimited
	}
	return nil
}

// refusalOf returns the provider's no in err; other errors are returned.
func refusalOf(err error) (*source.Refusal, error) {
	if r, ok := errors.AsType[*source.Refusal](err); ok {
		return r, nil
	}
	return nil, err
}

// whoami asks Bitbucket for the token's owner, kind and scopes. ok is false if
// the login is found to be no good.
func (c *check) whoami() (ok bool, err error) {
	answer, err := c.do(c.ctx, rest.Call{URL: target(c.at.APIBase, "user"), At: c.at, By: c.by})
	no, err := refusalOf(err)
	if err != nil {
		return false, err
	}
	if no == nil {
		c.seen(answer.Header)
		var who account
		if no, err = refusalOf(answer.JSON(&who)); no != nil {
			c.fail(no) // a login page, or the like
			return false, err
		}
		c.health.Owner, c.health.OwnerID = rest.Clean(who.name(), c.by.Token), who.ID()
		c.health.OwnerIsBot = accessToken(c.by.Kind) || who.Type != "" && who.Type != "user"
		return true, nil
	}
	c.seen(no.Header)
	switch {
	case no.Cause == slipway.FailureCauseMissingScope || no.Cause == slipway.FailureCauseNotAdmin:
		if !accessToken(c.by.Kind) {
			c.warn("Whose token it is cannot be told, since it lacks " + readUser.name(c.by) + ". Nothing else needs that.")
		}
		return true, nil
	case no.HTTPStatus == http.StatusUnauthorized && accessToken(c.by.Kind):
		// Bitbucket says the same of a bad token and of one that has no user to
		// tell of. Something that everybody may read tells them apart.
		answer, err = c.do(c.ctx, rest.Call{URL: target(c.at.APIBase, "hook_events", "repository"), At: c.at, By: c.by})
		second, err := refusalOf(err)
		if err != nil {
			return false, err
		}
		if second == nil {
			c.seen(answer.Header)
			return true, nil
		}
		no = second
	}
	c.fail(no)
	return false, nil
}

// seen takes what the headers of any answer tell of a token.
func (c *check) seen(h http.Header) {
	if scopes, known := scopesIn(h, "X-Oauth-Scopes"); known {
		c.health.Scopes, c.health.ScopesKnown = clean(scopes, c.by), true
	}
	if kind, ok := kinds[h.Get("X-Credential-Type")]; ok && accessToken(c.by.Kind) {
		c.by.Kind = kind
	}
	c.health.TokenKind = c.by.Kind
	if accessToken(c.by.Kind) {
		c.health.OwnerIsBot = true
	}
}

func (c *check) warn(text string) { c.health.Warnings = append(c.health.Warnings, text) }

// needs is which rights a job asks for.
var needs = []struct {
	job    slipway.CredentialJob
	rights []right
}{
	{slipway.CredentialJobClone, []right{readRepository}},
	{slipway.CredentialJobCommitStatus, []right{readRepository}},
	{slipway.CredentialJobWebhook, webhookRights},
	{slipway.CredentialJobPullRequestFiles, []right{readPulls, readRepository}},
}

// webhookRights is what making a hook asks for: also to read what it tells of.
var webhookRights = []right{readWebhooks, writeWebhooks, readRepository, readPulls}

// judge says what a login can do by its scopes alone.
func (c *check) judge() {
	for _, n := range needs {
		job := slipway.JobAbility{Job: n.job, Ability: slipway.AbilityUnknown, Message: "Bitbucket did not tell the token's scopes. Check it with a repository."}
		if c.health.ScopesKnown {
			job.Ability, job.Message = slipway.AbilityYes, ""
			if lacks := missing(c.health.Scopes, c.by, n.rights...); len(lacks) > 0 {
				job = c.lacks(n.job, lacks)
			} else if n.job == slipway.CredentialJobWebhook {
				job.Ability, job.Message = slipway.AbilityUnknown, "The scopes suffice. It also takes an administrator of the repository: check the token with one."
			}
		}
		c.health.Jobs = append(c.health.Jobs, job)
	}
	c.spare()
}

// spare warns of scopes that builds do without.
func (c *check) spare() {
	if !c.health.ScopesKnown {
		return
	}
	if gone := missing(c.health.Scopes, c.by, deleteWebhooks); len(gone) > 0 && !slices.Contains(missing(c.health.Scopes, c.by, webhookRights...), gone[0]) {
		c.warn("Webhooks cannot be removed by Slipway, since the token lacks " + gone[0] + ": remove them under Repository settings → Webhooks.")
	}
	if gone := missing(c.health.Scopes, c.by, readWorkspaces); len(gone) > 0 && !accessToken(c.by.Kind) {
		c.warn("Its repositories cannot be listed, since the token lacks " + gone[0] + ". Nothing else needs that.")
	}
}

// lacks is the ability of a job for which scopes are missing.
func (c *check) lacks(job slipway.CredentialJob, scopes []string) slipway.JobAbility {
	return slipway.JobAbility{
		Job: job, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope, Missing: scopes,
		Message: "The token lacks " + called(c.by, scopes) + ".", NextStep: newToken(c.by, scopes), Link: c.page(),
	}
}

func (c *check) page() string {
	if c.repo == nil {
		return tokenPage(c.by, c.at, "", "")
	}
	return tokenPage(c.by, c.at, c.repo.Owner, c.repo.Name)
}

// refused is the ability of a job for which Bitbucket's answer was no. One that
// may be another later is unknown.
func refused(job slipway.CredentialJob, no *source.Refusal) slipway.JobAbility {
	out := slipway.JobAbility{Job: job, Ability: slipway.AbilityNo, Cause: no.Cause, Missing: no.Missing, Message: no.Message, NextStep: cmp.Or(no.NextStep, tryAgain), Link: no.Link}
	if no.Again {
		out.Ability = slipway.AbilityUnknown
	}
	return out
}

// probe asks for each job on the repository something that needs the same.
func (c *check) probe() error {
	status, ok, err := c.repository()
	if !ok || err != nil {
		return err
	}
	clone, err := c.clone()
	if err != nil {
		return err
	}
	webhook, err := c.webhook()
	if err != nil {
		return err
	}
	files, err := c.asked(slipway.CredentialJobPullRequestFiles, repositoryURL(*c.repo, "pullrequests")+"?pagelen=1")
	if err != nil {
		return err
	}
	if status.Cause == slipway.FailureCauseMissingScope && (files.Cause == "" || files.Cause == status.Cause) {
		files = c.lacks(files.Job, append(files.Missing, status.Missing...)) // Bitbucket redirects to the repository's diffstat
	}
	c.health.Jobs = []slipway.JobAbility{clone, status, webhook, files}
	for i, j := range c.health.Jobs {
		if j.Cause == slipway.FailureCauseMissingScope && len(j.Missing) > 0 && !strings.HasPrefix(j.Message, "The token lacks") {
			c.health.Jobs[i] = c.lacks(j.Job, j.Missing) // without Bitbucket's words, which name no scope
		}
	}
	c.spare()
	return nil
}

// repository looks whether the repository can be seen at all, which is also all
// that a commit status takes. ok is false if everything is said with that.
func (c *check) repository() (status slipway.JobAbility, ok bool, err error) {
	status = slipway.JobAbility{Job: slipway.CredentialJobCommitStatus, Ability: slipway.AbilityYes}
	answer, err := c.do(c.ctx, rest.Call{URL: repositoryURL(*c.repo), At: c.at, By: c.by})
	no, err := refusalOf(err)
	if err != nil {
		return status, false, err
	}
	if no == nil {
		c.seen(answer.Header)
		if no, err = refusalOf(answer.JSON(new(repository))); no == nil {
			return status, true, err
		}
	}
	c.seen(no.Header)
	if no.Cause == slipway.FailureCauseMissingScope || no.Cause == slipway.FailureCauseNotAdmin {
		return refused(status.Job, no), true, nil
	}
	c.fail(no)
	return status, false, nil
}

// clone asks what git asks first.
func (c *check) clone() (slipway.JobAbility, error) {
	_, err := c.client.Refs(c.ctx, *c.repo, c.by)
	no, err := refusalOf(err)
	if no != nil {
		return refused(slipway.CredentialJobClone, no), err
	}
	return slipway.JobAbility{Job: slipway.CredentialJobClone, Ability: slipway.AbilityYes}, err
}

func (c *check) asked(job slipway.CredentialJob, where string) (slipway.JobAbility, error) {
	_, err := c.do(c.ctx, rest.Call{URL: where, At: c.at, By: c.by})
	no, err := refusalOf(err)
	if no != nil {
		return refused(job, no), err
	}
	return slipway.JobAbility{Job: job, Ability: slipway.AbilityYes}, err
}

// webhook tells missing scopes from an owner who is no administrator, and says
// both if both are so: Bitbucket answers 403 for either.
func (c *check) webhook() (slipway.JobAbility, error) {
	job, err := c.asked(slipway.CredentialJobWebhook, repositoryURL(*c.repo, "hooks")+"?pagelen=1")
	if err != nil || job.Cause != "" && job.Cause != slipway.FailureCauseMissingScope && job.Cause != slipway.FailureCauseNotAdmin {
		return job, err
	}
	lacks := job.Missing
	if c.health.ScopesKnown {
		for _, scope := range missing(c.health.Scopes, c.by, webhookRights...) {
			if !slices.Contains(lacks, scope) {
				lacks = append(lacks, scope)
			}
		}
	}
	admin, known := job.Ability == slipway.AbilityYes, job.Cause != slipway.FailureCauseMissingScope
	if !known && !accessToken(c.by.Kind) {
		if admin, known, err = c.administers(); err != nil {
			return job, err
		}
	}
	notAdmin := "Webhooks take an administrator of " + c.repo.FullName() + ", and the token's owner is none."
	switch {
	case len(lacks) > 0 && known && !admin:
		job = c.lacks(slipway.CredentialJobWebhook, lacks)
		job.Message += " " + notAdmin
		job.NextStep = strings.TrimSuffix(becomeAdmin(c.by), ".") + ". " + job.NextStep
	case len(lacks) > 0:
		job = c.lacks(slipway.CredentialJobWebhook, lacks)
	case known && !admin:
		job.Message, job.NextStep = notAdmin+" No scope is missing.", becomeAdmin(c.by)
		job.Link = target(c.at.WebBase, c.repo.Owner, c.repo.Name, "admin", "permissions")
	}
	return job, nil
}

// administers asks whether the repository is among those that the login
// administers; known is false if Bitbucket does not say.
func (c *check) administers() (admin, known bool, err error) {
	query := url.Values{"role": {"admin"}, "q": {`full_name="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.repo.FullName()) + `"`}}
	var out struct {
		Values []repository `json:"values"`
	}
	no, err := refusalOf(c.read(c.ctx, c.at, c.by, target(c.at.APIBase, "repositories", c.repo.Owner)+"?"+query.Encode(), &out))
	if no != nil || err != nil {
		return false, false, err
	}
	is := func(r repository) bool { return strings.EqualFold(r.FullName, c.repo.FullName()) }
	return slices.ContainsFunc(out.Values, is), true, nil
}

// sum says of the whole login what its jobs come to.
func (c *check) sum() {
	h := &c.health
	if h.State != slipway.CredentialStateValid {
		return
	}
	var lacks []string
	var first *slipway.JobAbility
	for i, j := range h.Jobs {
		if j.Ability != slipway.AbilityNo {
			continue
		}
		if first == nil {
			first = &h.Jobs[i]
		}
		for _, scope := range j.Missing {
			if !slices.Contains(lacks, scope) {
				lacks = append(lacks, scope)
			}
		}
	}
	if first == nil {
		return
	}
	h.State, h.Cause, h.Message, h.NextStep, h.Link = slipway.CredentialStateLimited, first.Cause, first.Message, first.NextStep, first.Link
	if len(lacks) > 0 {
		h.Cause, h.Link = slipway.FailureCauseMissingScope, cmp.Or(c.page(), first.Link)
		h.Message, h.NextStep = "The token works, and lacks "+called(c.by, lacks)+".", newToken(c.by, lacks)
	}
}
