package token

import (
	"slices"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// Guides returns the kinds of token that can be imported for a server type, best
// first: what the provider calls each, what it needs to be allowed and why, how
// to import it and where it is made. web is the web address of the server, such
// as https://ghe.example, without a slash at the end; with "" pages that are at
// the server have no link. nil of an unknown server type.
func Guides(server api.ServerType, web string) []slipway.TokenKindGuide {
	var all []slipway.TokenKindGuide
	switch server {
	case api.ServerTypeGithub, api.ServerTypeGithubEnterprise:
		all = gitHub(server, web)
	case api.ServerTypeBitbucket:
		all = bitbucket()
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		all = gitLab(server, web)
	}
	for i := range all {
		all[i].Scopes = slices.Clone(scopesOf(all[i].Kind))
	}
	return all
}

func gitHub(server api.ServerType, web string) []slipway.TokenKindGuide {
	note := "It is for the repositories of one resource owner, chosen as the first thing on the page: choose the organization, not yourself, for an organization's repositories. " +
		"The organization may have to approve it before it works, and it does not reach repositories in which you are an outside collaborator only. To make webhooks it must be the token of an administrator of the repository."
	if server == api.ServerTypeGithubEnterprise {
		note += " Servers older than 3.10 have classic tokens only."
	}
	return []slipway.TokenKindGuide{
		{
			Kind: slipway.TokenKindGithubFineGrained, Title: "Fine-grained personal access token", AuthType: slipway.AuthTypePersonalAccessToken, Recommended: true,
			Link: at(web, GitHubFinePage(web, "")), Note: note,
		},
		{
			Kind: slipway.TokenKindGithubClassic, Title: "Personal access token (classic)", AuthType: slipway.AuthTypePersonalAccessToken,
			Link: at(web, GitHubPage(web, Scopes(slipway.TokenKindGithubClassic)...)),
			Note: "It reaches everything that you do, so whoever steals it can as well. An organization with single sign-on wants it authorized on the list of tokens after it was made (Configure SSO). " +
				"For webhooks of a whole organization it also needs admin:org_hook.",
		},
	}
}

const noBitbucketServer = " Bitbucket Server and Data Center are not supported: this is for bitbucket.org."

func bitbucket() []slipway.TokenKindGuide {
	return []slipway.TokenKindGuide{
		{
			Kind: slipway.TokenKindBitbucketApiToken, Title: "API token with scopes (app: Bitbucket)", AuthType: slipway.AuthTypeBasicAuth, Recommended: true,
			UsernameLabel: "E-mail address of the Atlassian account",
			Link:          AtlassianPage,
			Note: "It takes the place of app passwords: since 2025-09-09 none could be made, and on 2026-07-28 the last ones stopped working. Choose 'Create API token with scopes' and the app Bitbucket, since a token without scopes " +
				"never works with Bitbucket. Its scopes do not include each other, so that each is needed, and it ends after a year at most." + noBitbucketServer,
		},
		{
			Kind: slipway.TokenKindBitbucketRepositoryToken, Title: "Repository access token", AuthType: slipway.AuthTypePersonalAccessToken,
			Link: BitbucketPage,
			Note: "It is made in the settings of one repository and is for that one alone, so import it with a name and a match. It belongs to no person and stays when people leave." + noBitbucketServer,
		},
		{
			Kind: slipway.TokenKindBitbucketProjectToken, Title: "Project access token", AuthType: slipway.AuthTypePersonalAccessToken,
			Link: BitbucketPage,
			Note: "It is made in the settings of a project of a workspace, for all its repositories; Bitbucket's Premium plan has it." + noBitbucketServer,
		},
		{
			Kind: slipway.TokenKindBitbucketWorkspaceToken, Title: "Workspace access token", AuthType: slipway.AuthTypePersonalAccessToken,
			Link: BitbucketPage,
			Note: "It is made in the settings of a workspace, for all its repositories; Bitbucket's Premium plan has it." + noBitbucketServer,
		},
	}
}

func gitLab(server api.ServerType, web string) []slipway.TokenKindGuide {
	paid := ""
	if server == api.ServerTypeGitlab {
		paid = " On gitlab.com a paid plan has it."
	}
	return []slipway.TokenKindGuide{
		{
			Kind: slipway.TokenKindGitlabPersonal, Title: "Personal access token", AuthType: slipway.AuthTypePersonalAccessToken, Recommended: true,
			Link: at(web, GitLabPage(web, Scopes(slipway.TokenKindGitlabPersonal)...)),
			Note: "Its owner needs the role Maintainer in projects in which webhooks are to be made, Developer for commit statuses. It ends after a year at most, unless the server's administrators allow more.",
		},
		{
			Kind: slipway.TokenKindGitlabGroup, Title: "Group access token", AuthType: slipway.AuthTypePersonalAccessToken,
			Note: "It is made in the settings of a group (Access tokens), for all its projects; choose the role Maintainer. It belongs to no person and stays when people leave." + paid,
		},
		{
			Kind: slipway.TokenKindGitlabProject, Title: "Project access token", AuthType: slipway.AuthTypePersonalAccessToken,
			Note: "It is made in the settings of one project (Access tokens) and is for that one alone, so import it with a name and a match; choose the role Maintainer." + paid,
		},
		{
			Kind: slipway.TokenKindGitlabDeploy, Title: "Deploy token", AuthType: slipway.AuthTypePersonalAccessToken, UsernameLabel: "Username that GitLab shows beside the token",
			Note: "It is made in the settings of a project or group (Repository, Deploy tokens) and only fetches: commit statuses and webhooks need another kind. Import it with a name.",
		},
	}
}

// at is a page of a server whose address is known.
func at(web, page string) string {
	if web == "" {
		return ""
	}
	return page
}
