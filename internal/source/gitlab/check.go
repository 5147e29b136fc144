package gitlab

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source"
)

// refusedKinds are tokens that never can do what builds need, and why.
var refusedKinds = map[slipway.TokenKind]string{
	slipway.TokenKindGitlabCiJob:           "This is the token of a CI job: it ends with the job.",
	slipway.TokenKindGitlabTrigger:         "This is a pipeline trigger token: all it can do is start pipelines.",
	slipway.TokenKindGitlabRunner:          "This is the token of a runner: all it can do is fetch jobs.",
	slipway.TokenKindGithubClassic:         "This is a token of GitHub, not of GitLab.",
	slipway.TokenKindGithubFineGrained:     "This is a token of GitHub, not of GitLab.",
	slipway.TokenKindGithubOauth:           "This is a token of GitHub, not of GitLab.",
	slipway.TokenKindGithubAppUser:         "This is a token of GitHub, not of GitLab.",
	slipway.TokenKindGithubAppInstallation: "This is a token of GitHub, not of GitLab.",
	slipway.TokenKindGithubAppRefresh:      "This is a token of GitHub, not of GitLab.",
	slipway.TokenKindBitbucketApiToken:     "This is a token of Bitbucket, not of GitLab.",
	slipway.TokenKindBitbucketAccessToken:  "This is a token of Bitbucket, not of GitLab.",
	slipway.TokenKindBitbucketAppPassword:  "This is an app password of Bitbucket, not a token of GitLab.",
}

// A checking is one Check under way.
type checking struct {
	*Provider
	at     source.Site
	repo   *source.Repository
	by     source.Login
	health slipway.CredentialHealth

	admin   bool          // the owner looks after the whole installation
	seen    *shownProject // nil if there is no repository, or its API was not asked or refused
	level   int           // of the owner on the repository; -1 if not known
	hidden  error         // why the repository's API gave nothing
	noClone error         // why the repository cannot be cloned
}

// Check tells what a login is and can do. Whether it may clone a repository is
// tried as git does it; the rest follows from scopes and the owner's role,
// since trying it would change something.
func (p *Provider) Check(ctx context.Context, at source.Site, r *source.Repository, by source.Login) (slipway.CredentialHealth, error) {
	c := &checking{Provider: p, at: at, repo: r, by: by, level: -1}
	c.health = slipway.CredentialHealth{State: slipway.CredentialStateValid, TokenKind: by.Kind, Checked: api.At(p.now())}
	c.health.Host = hostOf(at)
	if r != nil {
		c.health.Repository = r.FullName()
	}
	if by.IsZero() {
		return slipway.CredentialHealth{}, errors.New("there is no token to check")
	}
	if why, refused := refusedKinds[by.Kind]; refused {
		c.refuse(&source.Refusal{Cause: slipway.FailureCauseWrongKind, Message: why, Link: tokenPage(at, "api"),
			NextStep: "Import a personal, project or group access token of GitLab with the scope api."})
		return c.health, ctx.Err()
	}
	if by.Kind == slipway.TokenKindGitlabDeploy {
		c.deploy(ctx)
		return c.health, ctx.Err()
	}
	if err := c.identify(ctx); err != nil {
		c.refuse(err)
		return c.health, ctx.Err()
	}
	if r != nil {
		c.look(ctx)
	}
	c.judge()
	return c.health, ctx.Err()
}

// refuse notes that the login can do nothing, and why.
func (c *checking) refuse(err error) {
	r := refusalOf(err)
	h := &c.health
	h.State = slipway.CredentialStateInvalid
	ability := slipway.AbilityNo
	switch r.Cause {
	case slipway.FailureCauseExpiredToken:
		h.State = slipway.CredentialStateExpired
	case slipway.FailureCauseUnreachable, slipway.FailureCauseCertificate, slipway.FailureCauseProviderError, slipway.FailureCauseRateLimited, slipway.FailureCauseMoved:
		h.State, ability = slipway.CredentialStateUnreachable, slipway.AbilityUnknown
	}
	h.Cause, h.Message, h.NextStep, h.Link = r.Cause, r.Message, r.NextStep, r.Link
	for _, n := range needs {
		h.Jobs = append(h.Jobs, jobOf(n.job, ability, r))
	}
}

func refusalOf(err error) *source.Refusal {
	if r, ok := errors.AsType[*source.Refusal](err); ok {
		return r
	}
	return &source.Refusal{Cause: slipway.FailureCauseProviderError, Message: "GitLab could not be asked."}
}

func jobOf(job slipway.CredentialJob, ability slipway.Ability, r *source.Refusal) slipway.JobAbility {
	return slipway.JobAbility{Job: job, Ability: ability, Cause: r.Cause, Missing: r.Missing, Message: r.Message, NextStep: r.NextStep, Link: r.Link}
}

// deploy checks a deploy token: of such a one GitLab tells nothing, and git
// alone can be tried.
func (c *checking) deploy(ctx context.Context) {
	h := &c.health
	h.State, h.Owner = slipway.CredentialStateLimited, c.by.Username
	clone := slipway.JobAbility{Job: slipway.CredentialJobClone, Ability: slipway.AbilityUnknown,
		Message: "Whether a deploy token may clone is known only with a repository.", NextStep: "Verify it together with the URL of a repository."}
	if c.repo != nil {
		_, err := c.client.Refs(ctx, *c.repo, c.by)
		switch r := refusalOf(err); {
		case err == nil:
			clone = slipway.JobAbility{Job: slipway.CredentialJobClone, Ability: slipway.AbilityYes}
		case r.Cause == slipway.FailureCauseBadToken || r.Cause == slipway.FailureCauseWrongUsername || r.Again || r.Cause == slipway.FailureCauseCertificate:
			c.refuse(err)
			return
		default:
			clone = jobOf(clone.Job, slipway.AbilityNo, r)
		}
	}
	h.Cause, h.Message = slipway.FailureCauseWrongKind, deployCannot
	h.NextStep = "If builds are to report statuses or start by webhooks, import a personal, project or group access token with the scope api."
	h.Link = tokenPage(c.at, "api")
	h.Jobs = append(h.Jobs, clone)
	for _, n := range needs[1:] {
		h.Jobs = append(h.Jobs, slipway.JobAbility{Job: n.job, Ability: slipway.AbilityNo, Cause: h.Cause, Message: h.Message, NextStep: h.NextStep, Link: h.Link})
	}
}

// identify asks whose the token is and what it is for. A refusal means that it
// is good for nothing.
func (c *checking) identify(ctx context.Context) error {
	var self struct {
		Scopes   []string `json:"scopes"`
		UserID   number   `json:"user_id"`
		Expires  string   `json:"expires_at"`
		LastUsed string   `json:"last_used_at"`
		Active   *bool    `json:"active"`
		Revoked  bool     `json:"revoked"`
	}
	h := &c.health
	err := c.get(ctx, c.at, c.at.APIBase+"/personal_access_tokens/self", c.by, &self)
	if r := refusalOf(err); err != nil && r.HTTPStatus != http.StatusNotFound && r.HTTPStatus != http.StatusForbidden && r.HTTPStatus != http.StatusBadRequest {
		return err // else it is an OAuth token, a fine-grained one, or GitLab is older than the call
	}
	if err == nil {
		h.Scopes, h.OwnerID = self.Scopes, string(self.UserID)
		h.ScopesKnown = len(self.Scopes) > 0 && !slices.Contains(self.Scopes, "granular")
		if day, err := time.Parse(time.DateOnly, self.Expires); err == nil {
			h.Expires = api.At(day)
		}
		if used, err := time.Parse(time.RFC3339, self.LastUsed); err == nil {
			h.LastUsedAtProvider = api.At(used)
		}
		if self.Revoked || self.Active != nil && !*self.Active {
			return c.ended(self.Revoked)
		}
	}
	var who struct {
		ID       number `json:"id"`
		Username string `json:"username"`
		Bot      bool   `json:"bot"`
		Admin    bool   `json:"is_admin"`
	}
	err = c.get(ctx, c.at, c.at.APIBase+"/user", c.by, &who)
	switch r := refusalOf(err); {
	case err == nil:
		h.Owner, h.OwnerID, h.OwnerIsBot, c.admin = bounded(who.Username), string(who.ID), who.Bot, who.Admin
	case r.HTTPStatus != http.StatusForbidden || r.Cause == slipway.FailureCauseBadToken:
		return err
	}
	c.refine()
	return nil
}

func (c *checking) ended(revoked bool) error {
	r := &source.Refusal{Cause: slipway.FailureCauseExpiredToken, Message: "The token has expired.", Link: tokenPage(c.at, "api"),
		NextStep: "Create a new one and import it with 'slipway credential import'."}
	if revoked {
		r.Cause, r.Message = slipway.FailureCauseBadToken, "The token was revoked."
	}
	return r
}

// refine corrects the kind by the name of the token's user: project and group
// access tokens look like personal ones and have bots of their own.
func (c *checking) refine() {
	h := &c.health
	switch {
	case strings.HasPrefix(h.Owner, "project_") && h.OwnerIsBot:
		h.TokenKind = slipway.TokenKindGitlabProject
	case strings.HasPrefix(h.Owner, "group_") && h.OwnerIsBot:
		h.TokenKind = slipway.TokenKindGitlabGroup
	case h.TokenKind == slipway.TokenKindUnknown:
		h.TokenKind = slipway.TokenKindGitlabPersonal
	}
}

// look finds out what the login is on the repository.
func (c *checking) look(ctx context.Context) {
	_, c.noClone = c.client.Refs(ctx, *c.repo, c.by)
	if c.health.ScopesKnown && !slices.ContainsFunc(c.health.Scopes, func(s string) bool { return s == "api" || s == "read_api" }) {
		return // the API would only say that a scope is missing
	}
	var about shownProject
	if c.hidden = c.get(ctx, c.at, project(*c.repo), c.by, &about); c.hidden != nil {
		return
	}
	c.seen = &about
	c.level = about.level()
	if c.level == 0 && c.health.OwnerID != "" { // invited groups are not in what the project shows
		if level, err := c.memberLevel(ctx, *c.repo, c.health.OwnerID, c.by); err == nil {
			c.level = level
		}
	}
	if c.admin {
		c.level = owner
	}
}
