package token

import (
	"net/url"
	"strings"

	"slipway/internal/api/slipway"
)

// AtlassianPage is where API tokens for Bitbucket are made.
const AtlassianPage = "https://id.atlassian.com/manage-profile/security/api-tokens"

// BitbucketPage tells where access tokens of a repository, project or workspace
// are made; each is in the settings of what it is for.
const BitbucketPage = "https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/"

// GitHubPage returns where a classic GitHub token with scopes is made, at the
// server whose web address is web: the form comes filled in.
func GitHubPage(web string, scopes ...string) string {
	return web + "/settings/tokens/new?scopes=" + strings.Join(scopes, ",") + "&description=Slipway"
}

// GitHubFinePage returns where a fine-grained GitHub token that can do
// everything is made: the form comes filled in. owner is whose repositories it
// is for; "" leaves that open.
func GitHubFinePage(web, owner string) string {
	link := web + "/settings/personal-access-tokens/new?name=Slipway"
	if owner != "" {
		link += "&target_name=" + url.QueryEscape(owner)
	}
	return link + "&contents=read&statuses=write&repository_hooks=write&pull_requests=read"
}

// GitLabPage returns where a personal GitLab token with scopes is made: the form
// comes filled in.
func GitLabPage(web string, scopes ...string) string {
	return web + "/-/user_settings/personal_access_tokens?name=slipway&scopes=" + url.QueryEscape(strings.Join(scopes, ","))
}

// Scopes returns what a token of a kind needs for everything that is done with
// it, by the provider's names; nil of kinds that nobody is told to make.
func Scopes(kind Kind) []string {
	var names []string
	for _, s := range scopesOf(kind) {
		names = append(names, s.Scope)
	}
	return names
}

func scopesOf(kind Kind) []slipway.ScopeGuide {
	switch kind {
	case slipway.TokenKindBitbucketProjectToken, slipway.TokenKindBitbucketWorkspaceToken, slipway.TokenKindBitbucketAccessToken:
		kind = slipway.TokenKindBitbucketRepositoryToken
	case slipway.TokenKindGitlabProject, slipway.TokenKindGitlabGroup:
		kind = slipway.TokenKindGitlabPersonal
	}
	return scopes[kind]
}

// scopes are what tokens need, and why. Their order is that of the providers' pages.
var scopes = map[Kind][]slipway.ScopeGuide{
	slipway.TokenKindGithubClassic: {
		{Scope: "repo", Why: "to fetch private repositories, report commit statuses (repo:status is part of it) and read pull requests"},
		{Scope: "admin:repo_hook", Why: "to make and remove webhooks; repo includes it for repositories that you administer"},
	},
	slipway.TokenKindGithubFineGrained: {
		{Scope: "Contents: read", Why: "to fetch the source"},
		{Scope: "Commit statuses: write", Why: "to report on commits how builds go"},
		{Scope: "Webhooks: write", Why: "to make and remove webhooks"},
		{Scope: "Pull requests: read", Why: "to read which files a pull request changes, for filters of type FILE_PATH"},
	},
	slipway.TokenKindBitbucketApiToken: {
		{Scope: "read:repository:bitbucket", Why: "to fetch the source and report build statuses (the guide's repository:read)"},
		{Scope: "read:pullrequest:bitbucket", Why: "to hear of pull requests and read which files they change (the guide's pullrequest:read)"},
		{Scope: "read:webhook:bitbucket", Why: "to see which webhooks there are"},
		{Scope: "write:webhook:bitbucket", Why: "to make webhooks (the guide's webhook)"},
		{Scope: "delete:webhook:bitbucket", Why: "to remove webhooks"},
		{Scope: "read:user:bitbucket", Why: "to tell whose token it is when it is checked"},
		{Scope: "read:workspace:bitbucket", Why: "to list repositories to choose from"},
	},
	slipway.TokenKindBitbucketRepositoryToken: {
		{Scope: "repository", Why: "to fetch the source and report build statuses: Repositories, Read"},
		{Scope: "pullrequest", Why: "to hear of pull requests and read which files they change: Pull requests, Read"},
		{Scope: "webhook", Why: "to make and remove webhooks: Webhooks, Read and write"},
	},
	slipway.TokenKindGitlabPersonal: {
		{Scope: "api", Why: "to fetch the source, report commit statuses, make webhooks and read merge requests; read_repository alone is enough to fetch"},
	},
	slipway.TokenKindGitlabDeploy: {
		{Scope: "read_repository", Why: "to fetch the source, which is all that a deploy token can do"},
	},
}
