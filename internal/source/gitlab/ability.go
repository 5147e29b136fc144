package gitlab

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
)

// A need is what one job takes.
type need struct {
	job    slipway.CredentialJob
	to     string   // what it is, in a sentence
	scopes []string // any of which is enough; the smallest stands first
	level  int      // access level on a private project
	public int      // and on a public one
}

// needs are all jobs. Cloning stands first.
var needs = []need{
	{slipway.CredentialJobClone, "clone", []string{"read_repository", "write_repository", "api"}, reporter, 0},
	{slipway.CredentialJobCommitStatus, "report commit statuses", []string{"api"}, developer, developer},
	{slipway.CredentialJobWebhook, "make webhooks", []string{"api"}, maintainer, maintainer},
	{slipway.CredentialJobPullRequestFiles, "read the files of merge requests", []string{"read_api", "api"}, reporter, 0},
}

// judge fills in what the login can do, and says the first thing that it cannot.
func (c *checking) judge() {
	h := &c.health
	missing := map[string]bool{}
	for _, n := range needs {
		j := c.ability(n)
		h.Jobs = append(h.Jobs, j)
		for _, scope := range j.Missing {
			missing[scope] = true
		}
		if j.Ability == slipway.AbilityNo && h.Cause == "" {
			h.State, h.Cause, h.Message, h.NextStep, h.Link = slipway.CredentialStateLimited, j.Cause, j.Message, j.NextStep, j.Link
		}
	}
	if h.Cause == slipway.FailureCauseMissingScope { // one new token for everything
		scopes := slices.Sorted(maps.Keys(missing))
		if missing["api"] {
			scopes = []string{"api"} // it includes the others
		}
		h.NextStep, h.Link = newToken(scopes), c.tokenLink(scopes...)
	}
}

func (c *checking) ability(n need) slipway.JobAbility {
	if n.job == slipway.CredentialJobClone && c.repo != nil && c.noClone == nil {
		return slipway.JobAbility{Job: n.job, Ability: slipway.AbilityYes} // it was tried
	}
	if c.health.ScopesKnown && !slices.ContainsFunc(n.scopes, func(s string) bool { return slices.Contains(c.health.Scopes, s) }) {
		return c.missingScope(n)
	}
	if c.repo == nil {
		if !c.health.ScopesKnown {
			return c.unknown(n, "GitLab does not tell what this token may do.")
		}
		return slipway.JobAbility{Job: n.job, Ability: slipway.AbilityYes}
	}
	least := n.level
	if c.seen != nil && c.seen.Visibility == "public" {
		least = n.public
	}
	switch {
	case c.hidden != nil:
		return c.from(n, c.hidden)
	case c.level >= 0 && c.level < least:
		return c.tooLow(n, least)
	case n.job == slipway.CredentialJobClone:
		return c.from(n, c.noClone)
	case c.level < 0 || !c.health.ScopesKnown && n.level > reporter:
		return c.unknown(n, "Neither the token's scopes nor the role of its owner are known.")
	}
	return slipway.JobAbility{Job: n.job, Ability: slipway.AbilityYes}
}

// from is what a refusal of the repository itself means for a job.
func (c *checking) from(n need, err error) slipway.JobAbility {
	r := refusalOf(err)
	if r.Again || r.Cause == slipway.FailureCauseProviderError {
		return jobOf(n.job, slipway.AbilityUnknown, r)
	}
	return jobOf(n.job, slipway.AbilityNo, r)
}

func (c *checking) unknown(n need, why string) slipway.JobAbility {
	return slipway.JobAbility{Job: n.job, Ability: slipway.AbilityUnknown, Message: why,
		NextStep: fmt.Sprintf("To %s it needs the scope %s.", n.to, n.scopes[0])}
}

func (c *checking) missingScope(n need) slipway.JobAbility {
	lacks := "The token lacks the scope " + n.scopes[0]
	if n.scopes[0] != "api" {
		lacks += ", which api includes"
	}
	return slipway.JobAbility{
		Job: n.job, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope, Missing: []string{n.scopes[0]},
		Message:  lacks + ".",
		NextStep: newToken(n.scopes[:1]),
		Link:     c.tokenLink(n.scopes[0]),
	}
}

// newToken says how to come by scopes: they cannot be added to a token that exists.
func newToken(scopes []string) string {
	of := "scope " + scopes[0]
	if len(scopes) > 1 {
		of = "scopes " + strings.Join(scopes, " and ")
	}
	return "Scopes cannot be added to a token: create a new one with the " + of + " and import it with 'slipway credential import'."
}

// tokenLink is where a token like this one is made.
func (c *checking) tokenLink(scopes ...string) string {
	switch {
	case c.health.TokenKind == slipway.TokenKindGitlabProject && c.repo != nil:
		return repositoryPage(c.at, c.repo.FullName(), "settings/access_tokens")
	case c.health.TokenKind == slipway.TokenKindGitlabGroup && c.repo != nil:
		group, _, _ := strings.Cut(c.repo.Owner, "/")
		return c.at.WebBase + "/groups/" + group + "/-/settings/access_tokens"
	}
	return tokenPage(c.at, scopes...)
}

func (c *checking) tooLow(n need, least int) slipway.JobAbility {
	repo := c.repo.FullName()
	has := "has the role " + roleName(c.level)
	if c.level < guest {
		has = "is no member"
	}
	j := slipway.JobAbility{
		Job: n.job, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseNotAdmin,
		Message:  fmt.Sprintf("To %s the token's owner needs the role %s on %s, and %s there.", n.to, roleName(least), repo, has),
		NextStep: fmt.Sprintf("Let a Maintainer or Owner of %s give %s the role %s.", repo, c.name(), roleName(least)),
		Link:     repositoryPage(c.at, repo, "project_members"),
	}
	if kind := c.health.TokenKind; kind == slipway.TokenKindGitlabProject || kind == slipway.TokenKindGitlabGroup {
		j.NextStep = fmt.Sprintf("The role of an access token is chosen when it is made: make a new one with the role %s and import it.", roleName(least))
		j.Link = c.tokenLink("api")
	}
	return j
}

func (c *checking) name() string {
	if c.health.Owner == "" {
		return "the token's owner"
	}
	return c.health.Owner
}

var (
	_ source.Provider   = (*Provider)(nil)
	_ source.Hooker     = (*Provider)(nil)
	_ source.Lister     = (*Provider)(nil)
	_ source.Detailer   = (*Provider)(nil)
	_ source.RoleReader = (*Provider)(nil)
)
