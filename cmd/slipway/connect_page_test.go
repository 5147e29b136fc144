package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// Tokens as the providers make them. All have the owner mona, who is an
// administrator of acme/app.
const (
	classicText  = "ghp_T0kenOfMona0000000000000000000000000"
	fineText     = "github_pat_T0kenOfMona_0000000000000000000000"
	apiText      = "ATATT3xFfGF0T0kenOfMona=00000000"
	accessText   = "ATCTT3xFfGN0T0kenOfTheRepository=00000000"
	appPassword  = "ATBBT0kenOfMona00000000"
	personalText = "glpat-T0kenOfMona000000"
	deployText   = "gldt-T0kenOfTheProject00"
)

func classic(scopes ...string) sourcetest.Token {
	return sourcetest.Token{Value: classicText, Login: "mona", Scopes: scopes, Expires: time.Now().Add(90*24*time.Hour + time.Hour)}
}

// fine is a fine-grained token with all permissions but one.
func fine(without string) sourcetest.Token {
	all := map[string]string{"contents": "read", "statuses": "write", "repository_hooks": "write", "pull_requests": "read"}
	delete(all, without)
	return sourcetest.Token{Value: fineText, Login: "mona", Owner: "acme", Permissions: all, Expires: time.Now().Add(90*24*time.Hour + time.Hour)}
}

func atlassian(scopes ...string) sourcetest.Token {
	return sourcetest.Token{Value: apiText, Login: "mona", Email: "mona@example.com", Scopes: scopes}
}

func access(scopes ...string) sourcetest.Token {
	return sourcetest.Token{Value: accessText, Login: "app-bot", Scopes: scopes, Repositories: []string{"acme/app"}}
}

func personal(scopes ...string) sourcetest.Token {
	return sourcetest.Token{Value: personalText, Login: "mona", Scopes: scopes, Expires: time.Now().Add(90*24*time.Hour + time.Hour)}
}

func old(t sourcetest.Token) sourcetest.Token {
	t.Expires = time.Now().Add(-time.Hour)
	return t
}

func changed(t sourcetest.Token, by func(*sourcetest.Token)) sourcetest.Token {
	by(&t)
	return t
}

// granular is what an API token of Bitbucket needs for everything.
var granular = []string{
	"read:repository:bitbucket", "read:pullrequest:bitbucket", "read:webhook:bitbucket", "write:webhook:bitbucket",
	"delete:webhook:bitbucket", "read:user:bitbucket", "read:workspace:bitbucket",
}

func without(one string) []string {
	return slices.DeleteFunc(slices.Clone(granular), func(s string) bool { return s == one })
}

// Commands after an import.
const (
	verifyIt = "slipway credential verify HANDLE --repository REPOSITORY"
	showIt   = "slipway credential show HANDLE"
	whichOne = "slipway credential which REPOSITORY"
)

// connections is what a new user tries, provider by provider.
func connections() []connection {
	return []connection{gitHubConnection(), enterpriseConnection(), bitbucketConnection(), gitLabConnection(), selfManagedConnection()}
}

// scopesOfClassic are the tokens that lack scopes.
func scopesOfClassic(base string) []attempt {
	link := base + "/settings/tokens/new?scopes=repo,admin:repo_hook&description=Slipway"
	return []attempt{
		{title: "A token without the scope `repo`", about: "`repo` holds all the others. A token that has only the small ones cannot read private code.",
			token: classic("repo:status", "admin:repo_hook"), wants: []string{"the scope repo", link}},
		{title: "A token without the scope `repo:status`", token: classic("public_repo", "admin:repo_hook"), then: []string{verifyIt}, wants: []string{"repo:status", link}},
		{title: "A token without the scope `admin:repo_hook`", token: classic("public_repo", "repo:status"), wants: []string{"admin:repo_hook", link}},
		{title: "A token that may make webhooks and not remove them", about: "Which is what `write:repo_hook` is.", token: classic("repo:status", "write:repo_hook"), wants: []string{"admin:repo_hook", link}},
		{title: "A token without any scope", token: classic(), wants: []string{"repo", "admin:repo_hook", link}},
	}
}

// permissionsOfFine are the fine-grained tokens that lack one permission.
func permissionsOfFine() []attempt {
	var all []attempt
	for _, p := range [][2]string{
		{"contents", "Contents: read"}, {"statuses", "Commit statuses: write"}, {"repository_hooks", "Webhooks: write"}, {"pull_requests", "Pull requests: read"},
	} {
		all = append(all, attempt{title: "A fine-grained token without the permission *" + p[1] + "*", token: fine(p[0]), then: []string{verifyIt}, wants: []string{p[1]}})
	}
	return all
}

func gitHubConnection() connection {
	tries := []attempt{
		{title: "A good token", good: true, token: classic("repo", "admin:repo_hook"), then: []string{verifyIt, whichOne}},
		{title: "A good fine-grained token", about: "GitHub tells of such a token neither its permissions nor its repositories: only trying it at a repository does.",
			good: true, token: fine(""), then: []string{verifyIt}},
	}
	tries = append(tries, scopesOfClassic("https://github.com")...)
	tries = append(tries, permissionsOfFine()...)
	return connection{
		title: "GitHub", server: api.ServerTypeGithub, host: "github.com", flags: "--server-type GITHUB",
		how: "Make a [classic token](https://github.com/settings/tokens/new?scopes=repo,admin:repo_hook&description=Slipway): the form comes with the scopes " +
			"`repo` and `admin:repo_hook` ticked. Or make a [fine-grained one](https://github.com/settings/personal-access-tokens/new?name=Slipway&contents=read&statuses=write&repository_hooks=write&pull_requests=read), " +
			"which reaches less if it leaks: choose the organization as resource owner, the repositories, and the permissions *Contents: read*, *Commit statuses: write*, " +
			"*Webhooks: write* and *Pull requests: read*.",
		tries: append(tries, []attempt{
			{title: "An expired token", about: "GitHub says of an expired token no more than of a wrong one.",
				token: old(classic("repo")), wants: []string{"expired", "/settings/tokens/new?scopes=repo,admin:repo_hook"}},
			{title: "An expiry that is over", token: old(classic("repo")), flags: "--server-type GITHUB --expires 2026-11-01", wants: []string{"make a new token"}},
			{title: "A token that GitHub does not know", about: "Such as one of a GitHub Enterprise Server.", token: classic(), forged: true, wants: []string{"/settings/tokens/new"}},
			{title: "A token of another provider", token: sourcetest.Token{Value: personalText}, forged: true, wants: []string{"--server-type GITLAB"}},
			{title: "A token for another host", token: classic("repo"), then: []string{"slipway credential verify github --repository https://ghe.example/acme/app"}, wants: []string{"github.com", "--server-type GITHUB_ENTERPRISE --host ghe.example"}},
			{title: "A GitHub App's refresh token", token: sourcetest.Token{Value: "ghr_T0kenOfAnApp000000000"}, forged: true, wants: []string{"/settings/tokens/new"}},
			{title: "Single sign-on is not authorized", token: classic("repo"), policy: sourcetest.Policy{SSO: true}, then: []string{verifyIt}, wants: []string{"https://github.com/orgs/acme/sso?authorization_request="}},
			{title: "An IP allow list", token: classic("repo"), policy: sourcetest.Policy{IPAllowList: true}, then: []string{verifyIt}, wants: []string{"IP allow list", "https://github.com/organizations/acme/settings/security"}},
			{title: "A lifetime policy", token: classic("repo"), policy: sourcetest.Policy{MaxLifetime: 30 * 24 * time.Hour}, then: []string{verifyIt}, wants: []string{"30 days", "https://github.com/settings/tokens"}},
			{title: "Classic tokens are forbidden", token: classic("repo"), policy: sourcetest.Policy{ForbidClassic: true}, then: []string{verifyIt},
				wants: []string{"https://github.com/settings/personal-access-tokens/new?name=Slipway&target_name=acme"}},
			{title: "A fine-grained token of the wrong owner", token: changed(fine(""), func(t *sourcetest.Token) { t.Owner = "mona" }), then: []string{verifyIt}, wants: []string{"target_name=acme"}},
			{title: "A fine-grained token that the organization has yet to approve", token: changed(fine(""), func(t *sourcetest.Token) { t.Pending = true }), then: []string{verifyIt}, wants: []string{"approv"}},
			{title: "The token's owner is no administrator", about: "Clone and statuses work; webhooks take an administrator.", token: classic("repo"), role: "write", then: []string{verifyIt}, wants: []string{"administrator", "https://github.com/acme/app/settings/access"}},
			{title: "The token's owner is not let in", token: classic("repo"), role: "none", then: []string{verifyIt}, wants: []string{"acme/app"}},
			{title: "A token pasted with a line break", about: "What stands around a token is cut off.", good: true, token: classic("repo"), file: " " + classicText + "\r\n\n"},
			{title: "A token with a line break inside", token: classic("repo"), file: classicText[:20] + "\n" + classicText[20:] + "\n"},
			{title: "More than a token", token: classic("repo"), file: "Bearer " + classicText + "\n", wants: []string{"without quotes"}},
			{title: "An empty file", token: classic("repo"), file: "\n"},
		}...),
	}
}

func enterpriseConnection() connection {
	const flags = "--server-type GITHUB_ENTERPRISE --host ghe.example --ca-file company-ca.pem"
	tries := []attempt{{title: "A good token", good: true, token: classic("repo", "admin:repo_hook"), then: []string{verifyIt, showIt}}}
	tries = append(tries, scopesOfClassic("https://ghe.example")...)
	tries = append(tries, permissionsOfFine()...)
	return connection{
		title: "GitHub Enterprise Server", server: api.ServerTypeGithubEnterprise, host: "ghe.example", flags: flags,
		how: "Tokens are made as at GitHub, at your server: a classic one at `https://ghe.example/settings/tokens/new?scopes=repo,admin:repo_hook&description=Slipway`. " +
			"Name the server with `--host`, so that the token goes there and nowhere else; if its certificate comes from an authority of your company, give that with `--ca-file`.",
		tries: append(tries, []attempt{
			{title: "An expired token", token: old(classic("repo")), wants: []string{"https://ghe.example/settings/tokens/new?scopes=repo,admin:repo_hook"}},
			{title: "A token of another server", about: "Such as one of github.com.", token: classic("repo"), forged: true, wants: []string{"another server than ghe.example"}},
			{title: "A token of another provider", token: sourcetest.Token{Value: personalText}, forged: true, wants: []string{"--server-type GITLAB"}},
			{title: "A token for another host", about: "It is not sent there.", token: classic("repo"), then: []string{"slipway credential verify github_enterprise --repository https://ghe-old.example/acme/app"},
				wants: []string{"not for ghe-old.example", "--host ghe-old.example"}},
			{title: "Without the host", about: "As `aws codebuild import-source-credentials` would import it.", token: classic("repo"), flags: "--server-type GITHUB_ENTERPRISE", wants: []string{"--host"}},
			{title: "A certificate of a private authority, without `--ca-file`", token: classic("repo"), flags: "--server-type GITHUB_ENTERPRISE --host ghe.example", wants: []string{"--ca-file"}},
			{title: "The server cannot be reached", token: classic("repo"), flags: "--server-type GITHUB_ENTERPRISE --host ghe-old.example", wants: []string{"ghe-old.example could not be reached"}},
		}...),
	}
}

func bitbucketConnection() connection {
	const flags = "--server-type BITBUCKET --username mona@example.com"
	tries := []attempt{
		{title: "A good API token", good: true, token: atlassian(granular...), then: []string{verifyIt, showIt}},
		{title: "A good repository access token", about: "It belongs to nobody and goes without a user name. It needs the permissions Pull requests: Read and Webhooks.",
			good: true, token: access("pullrequest", "webhook"), flags: "--server-type BITBUCKET", then: []string{verifyIt}},
	}
	for _, scope := range granular {
		a := attempt{title: "An API token without the scope `" + scope + "`", token: atlassian(without(scope)...), wants: []string{scope}}
		switch scope {
		case "read:user:bitbucket", "read:workspace:bitbucket":
			a.about, a.good = "Builds do without it.", true
		}
		tries = append(tries, a)
	}
	for _, scopes := range [][]string{{"repository", "webhook"}, {"pullrequest"}, {"webhook"}} {
		lacks := map[string]string{"repository webhook": "pullrequest", "pullrequest": "webhook", "webhook": "repository"}[strings.Join(scopes, " ")]
		tries = append(tries, attempt{title: "A repository access token without the permission `" + lacks + "`", token: access(scopes...), flags: "--server-type BITBUCKET", then: []string{verifyIt},
			wants: []string{lacks, "https://bitbucket.org/acme/app/admin/access-tokens"}})
	}
	return connection{
		title: "Bitbucket", server: api.ServerTypeBitbucket, host: "bitbucket.org", flags: flags,
		how: "Make an [API token with scopes](https://id.atlassian.com/manage-profile/security/api-tokens) for the app Bitbucket, with the scopes " +
			backquoted(granular) + ". Import it with the e-mail address of the Atlassian account; the user name for git is found by itself. " +
			"A [repository, project or workspace access token](https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/) does as well.",
		tries: append(tries, []attempt{
			{title: "A Bitbucket API token with the user name in place of the e-mail address", token: atlassian(granular...), flags: "--server-type BITBUCKET --username mona", wants: []string{"e-mail address", "--username"}},
			{title: "An API token without an e-mail address", token: atlassian(granular...), flags: "--server-type BITBUCKET", wants: []string{"e-mail address", "--username"}},
			{title: "An API token with another's e-mail address", token: atlassian(granular...), flags: "--server-type BITBUCKET --username moan@example.com", wants: []string{"e-mail address", "https://id.atlassian.com/manage-profile/security/api-tokens"}},
			{title: "An API token that was created without scopes", token: atlassian(), wants: []string{"without scopes", "https://id.atlassian.com/manage-profile/security/api-tokens"}},
			{title: "An expired token", token: old(atlassian(granular...)), wants: []string{"expired", "https://id.atlassian.com/manage-profile/security/api-tokens"}},
			{title: "An app password", token: sourcetest.Token{Value: appPassword, Login: "mona"}, flags: "--server-type BITBUCKET --username mona", wants: []string{"app password", "https://id.atlassian.com/manage-profile/security/api-tokens"}},
			{title: "A token of another provider", token: sourcetest.Token{Value: classicText}, forged: true, wants: []string{"--server-type GITHUB"}},
			{title: "A token for another host", token: atlassian(granular...), then: []string{"slipway credential verify bitbucket --repository https://github.com/acme/app"}, wants: []string{"bitbucket.org", "--server-type GITHUB"}},
			{title: "An access token of another repository", token: changed(access("pullrequest", "webhook"), func(t *sourcetest.Token) { t.Repositories = []string{"acme/other"} }), flags: "--server-type BITBUCKET", then: []string{verifyIt},
				wants: []string{"acme/app"}},
			{title: "The token's owner is no administrator", about: "Clone and statuses work; webhooks take an administrator.", token: atlassian(granular...), role: "write", then: []string{verifyIt}, wants: []string{"administrator", "https://bitbucket.org/acme/app/admin/permissions"}},
		}...),
	}
}

// scopesOfLab are the GitLab tokens that lack scopes.
func scopesOfLab(base string) []attempt {
	page := base + "/-/user_settings/personal_access_tokens?name=slipway&scopes="
	return []attempt{
		{title: "A token without the scope `api`", token: personal("read_api", "read_repository"), wants: []string{"the scope api", page + "api"}},
		{title: "A token without the scope `read_repository`", token: personal("read_api"), wants: []string{"read_repository", page + "api"}},
		{title: "A token without the scope `read_api`", token: personal("read_repository"), wants: []string{"read_api", page + "api"}},
		{title: "A token that may only tell who you are", token: personal("read_user"), wants: []string{"read_repository", page + "api"}},
	}
}

func gitLabConnection() connection {
	project := personal("api")
	project.Login = "project_7_bot_1"
	return connection{
		title: "GitLab.com", server: api.ServerTypeGitlab, host: "gitlab.com", flags: "--server-type GITLAB",
		how: "Make a [personal access token](https://gitlab.com/-/user_settings/personal_access_tokens?name=slipway&scopes=api) with the scope `api`. Better, make a project or group " +
			"access token under Settings → Access tokens of the project or group, with the scope `api` and the role Maintainer: it depends on nobody's account.",
		tries: append(append([]attempt{
			{title: "A good token", good: true, token: personal("api"), then: []string{verifyIt, whichOne}},
			{title: "A good project access token", good: true, token: project, then: []string{verifyIt}},
		}, scopesOfLab("https://gitlab.com")...), []attempt{
			{title: "An expired token", token: old(personal("api")), wants: []string{"expired", "personal_access_tokens?name=slipway&scopes=api"}},
			{title: "A token that GitLab does not know", about: "Such as one of a GitLab of your own.", token: personal("api"), forged: true, wants: []string{"gitlab.com", "personal_access_tokens?name=slipway&scopes=api"}},
			{title: "A token of another provider", token: sourcetest.Token{Value: classicText}, forged: true, wants: []string{"--server-type GITHUB"}},
			{title: "A token for another host", token: personal("api"), then: []string{"slipway credential verify gitlab --repository https://gitlab.example/acme/app"}, wants: []string{"gitlab.com", "--server-type GITLAB_SELF_MANAGED --host gitlab.example"}},
			{title: "A deploy token", about: "It can clone and nothing else. Its user name goes with it, which takes a named credential.", token: sourcetest.Token{Value: deployText, Login: "gitlab+deploy-token-7", Scopes: []string{"read_repository"}},
				flags: "--name deploy --server-type GITLAB --username gitlab+deploy-token-7", then: []string{"slipway credential verify deploy --repository REPOSITORY", "slipway credential delete deploy"},
				wants: []string{"scope api", "personal_access_tokens?name=slipway&scopes=api"}},
			{title: "A deploy token without its user name", token: sourcetest.Token{Value: deployText, Login: "gitlab+deploy-token-7", Scopes: []string{"read_repository"}}, wants: []string{"--username"}},
			{title: "A CI job's token", token: sourcetest.Token{Value: "glcbt-T0kenOfAJob000000"}, forged: true, wants: []string{"https://gitlab.com/-/user_settings/personal_access_tokens"}},
			{title: "The token's owner has the role Developer", about: "Clone and statuses work; webhooks take a Maintainer.", token: personal("api"), role: "write", then: []string{verifyIt},
				wants: []string{"the role Maintainer", "https://gitlab.com/acme/app/-/project_members"}},
			{title: "The token's owner is no member", token: personal("api"), role: "none", then: []string{verifyIt}, wants: []string{"acme/app"}},
		}...),
	}
}

func selfManagedConnection() connection {
	const flags = "--server-type GITLAB_SELF_MANAGED --host gitlab.example --ca-file company-ca.pem"
	return connection{
		title: "GitLab of your own", server: api.ServerTypeGitlabSelfManaged, host: "gitlab.example", flags: flags,
		how: "Tokens are made as at GitLab.com, at your server: `https://gitlab.example/-/user_settings/personal_access_tokens?name=slipway&scopes=api`. Name the server with `--host`, " +
			"with the path if GitLab is below one, and give a private certificate authority with `--ca-file`.",
		tries: append(append([]attempt{{title: "A good token", good: true, token: personal("api"), then: []string{verifyIt}}}, scopesOfLab("https://gitlab.example")...), []attempt{
			{title: "An expired token", token: old(personal("api")), wants: []string{"expired", "https://gitlab.example/-/user_settings/personal_access_tokens?name=slipway&scopes=api"}},
			{title: "A token of another server", about: "Such as one of GitLab.com.", token: personal("api"), forged: true, wants: []string{"gitlab.example"}},
			{title: "A token of another provider", token: sourcetest.Token{Value: apiText}, forged: true, wants: []string{"--server-type BITBUCKET"}},
			{title: "A token for another host", about: "It is not sent there.", token: personal("api"), then: []string{"slipway credential verify gitlab_self_managed --repository https://ghe.example/acme/app"},
				wants: []string{"not for ghe.example"}},
			{title: "A certificate of a private authority, without `--ca-file`", token: personal("api"), flags: "--server-type GITLAB_SELF_MANAGED --host gitlab.example", wants: []string{"--ca-file"}},
		}...),
	}
}

func backquoted(list []string) string {
	return "`" + strings.Join(list[:len(list)-1], "`, `") + "` and `" + list[len(list)-1] + "`"
}

// pageOf writes the page: what was tried at each provider, and all together.
func pageOf(parts map[api.ServerType]string, together map[string]string) string {
	var b strings.Builder
	b.WriteString(`# Connecting a source provider

<!-- written by go test ./cmd/slipway -run TestConnect -update -->

How to make the right access token for each provider, and what you see if it is not the right one. Every transcript here was typed
against a running server; only dates and the addresses of the providers were replaced. Find your message, and do what it says.

1. Make the token as the section of your provider says, and put it into a file: it has no place on a command line.
2. Import it with ` + "`slipway credential import`" + `. The provider is asked at once what the token can do.
3. Try it at a repository with ` + "`slipway credential verify`" + `, which finds more.

A token that lacks something is imported all the same. Where only ` + "`verify`" + ` is shown, the import before it found nothing wrong. Nothing that is printed or logged holds it.
[providers.md](providers.md) has the table of what each kind of token can do.
`)
	for _, of := range connections() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n%s", of.title, of.how, parts[of.server])
	}
	block := func(title, about, text string) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```console\n%s```\n", title, about, text)
	}
	block("With AWS's own command", "The file is what CodeBuild's guide asks for. The server checks the token by itself after that; `verify` shows it at once.", together["aws"])
	block("All that are there", "`slipway credential list` shows what the last checks found, and asks nobody.", together["list"])
	block("Doctor", "`slipway doctor` says the same among its other findings, which are left out here.", together["doctor"])
	return b.String()
}
