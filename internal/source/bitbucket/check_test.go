package bitbucket_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
)

const apiTokens = "https://id.atlassian.com/manage-profile/security/api-tokens"

// transcript writes a health as people read it.
func transcript(h slipway.CredentialHealth) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s %s owner %q bot %v", h.State, h.TokenKind, h.Owner, h.OwnerIsBot)
	if h.Cause != "" {
		line("%s: %s\n→ %s %s", h.Cause, h.Message, h.NextStep, h.Link)
	}
	for _, j := range h.Jobs {
		line("%s %s %s %s", j.Job, j.Ability, j.Cause, strings.Join(j.Missing, ","))
	}
	for _, w := range h.Warnings {
		line("! %s", w)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func lines(text ...string) string { return strings.Join(text, "\n") }

func TestTokensAreChecked(t *testing.T) {
	p := start(t)
	p.SetRole("octo", "app", "hubot", "write")
	access := p.repo.WebBase + "/octo/app/admin/access-tokens"
	with := func(value string, token sourcetest.Token) source.Login {
		token.Value = value
		if strings.HasPrefix(value, "ATAT") {
			token.Email = email
		}
		return p.login(token)
	}
	wrongUser := lines(
		"WRONG_USERNAME: A Bitbucket API token goes with the e-mail address of its owner's Atlassian account, and this one was imported with no e-mail address as user name.",
		"→ Import it again with 'slipway credential import --server-type BITBUCKET --username E-MAIL --token-file FILE', where E-MAIL is the address of that account; git's user name is found by itself. "+apiTokens)
	hidden := "Bitbucket answered 404: You may not have access to this repository or it no longer exists in this workspace. If you think this repository exists and you have access, make sure you are authenticated."
	const unlisted = "! Its repositories cannot be listed, since the token lacks read:workspace:bitbucket. Nothing else needs that."
	const undeleted = "! Webhooks cannot be removed by Slipway, since the token lacks delete:webhook:bitbucket: remove them under Repository settings → Webhooks."
	const addScopes = "Scopes cannot be added to an API token: create a new 'API token with scopes' for the app Bitbucket that also has "
	for _, c := range []struct {
		name string
		by   source.Login
		repo bool
		want string
	}{
		{"an API token that does everything", with("ATAT1", sourcetest.Token{Scopes: allScopes}), true, lines(
			`VALID BITBUCKET_API_TOKEN owner "Mona" bot false`,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK YES  ", "PULL_REQUEST_FILES YES  ")},
		{"the same without a repository", with("ATAT1", sourcetest.Token{Scopes: allScopes}), false, lines(
			`VALID BITBUCKET_API_TOKEN owner "Mona" bot false`,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK UNKNOWN  ", "PULL_REQUEST_FILES YES  ")},
		{"one that may not read its user works", with("ATAT2", sourcetest.Token{Scopes: without("read:user:bitbucket")}), true, lines(
			`VALID BITBUCKET_API_TOKEN owner "" bot false`,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK YES  ", "PULL_REQUEST_FILES YES  ",
			"! Whose token it is cannot be told, since it lacks read:user:bitbucket. Nothing else needs that.")},
		{"one that only reads code", with("ATAT3", sourcetest.Token{Scopes: []string{"read:repository:bitbucket", "read:user:bitbucket"}}), true, lines(
			`LIMITED BITBUCKET_API_TOKEN owner "Mona" bot false`,
			"MISSING_SCOPE: The token works, and lacks read:webhook:bitbucket, write:webhook:bitbucket and read:pullrequest:bitbucket.",
			"→ "+addScopes+"read:webhook:bitbucket, write:webhook:bitbucket and read:pullrequest:bitbucket, and import it with 'slipway credential import'. "+apiTokens,
			"CLONE YES  ", "COMMIT_STATUS YES  ",
			"WEBHOOK NO MISSING_SCOPE read:webhook:bitbucket,write:webhook:bitbucket,read:pullrequest:bitbucket",
			"PULL_REQUEST_FILES NO MISSING_SCOPE read:pullrequest:bitbucket",
			undeleted, unlisted)},
		{"writing does not include reading", with("ATAT4", sourcetest.Token{Scopes: []string{"write:repository:bitbucket", "read:pullrequest:bitbucket"}}), false, lines(
			`LIMITED BITBUCKET_API_TOKEN owner "" bot false`,
			"MISSING_SCOPE: The token works, and lacks read:repository:bitbucket, read:webhook:bitbucket and write:webhook:bitbucket.",
			"→ "+addScopes+"read:repository:bitbucket, read:webhook:bitbucket and write:webhook:bitbucket, and import it with 'slipway credential import'. "+apiTokens,
			"CLONE NO MISSING_SCOPE read:repository:bitbucket", "COMMIT_STATUS NO MISSING_SCOPE read:repository:bitbucket",
			"WEBHOOK NO MISSING_SCOPE read:webhook:bitbucket,write:webhook:bitbucket,read:repository:bitbucket", "PULL_REQUEST_FILES NO MISSING_SCOPE read:repository:bitbucket",
			"! Whose token it is cannot be told, since it lacks read:user:bitbucket. Nothing else needs that.", undeleted, unlisted)},
		{"one without any of our scopes", with("ATAT5", sourcetest.Token{Scopes: []string{"read:issue:bitbucket"}}), true, lines(
			`LIMITED BITBUCKET_API_TOKEN owner "" bot false`,
			"MISSING_SCOPE: The token works, and lacks read:repository:bitbucket, read:webhook:bitbucket, write:webhook:bitbucket and read:pullrequest:bitbucket.",
			"→ "+addScopes+"read:repository:bitbucket, read:webhook:bitbucket, write:webhook:bitbucket and read:pullrequest:bitbucket, and import it with 'slipway credential import'. "+apiTokens,
			"CLONE NO MISSING_SCOPE read:repository:bitbucket", "COMMIT_STATUS NO MISSING_SCOPE read:repository:bitbucket",
			"WEBHOOK NO MISSING_SCOPE read:webhook:bitbucket,write:webhook:bitbucket,read:repository:bitbucket,read:pullrequest:bitbucket",
			"PULL_REQUEST_FILES NO MISSING_SCOPE read:pullrequest:bitbucket,read:repository:bitbucket",
			"! Whose token it is cannot be told, since it lacks read:user:bitbucket. Nothing else needs that.",
			undeleted, unlisted)},
		{"all scopes of one who is no administrator", with("ATAT6", sourcetest.Token{Login: "hubot", Scopes: allScopes}), true, lines(
			`LIMITED BITBUCKET_API_TOKEN owner "Hubot" bot false`,
			"NOT_ADMIN: Webhooks take an administrator of octo/app, and the token's owner is none. No scope is missing.",
			"→ Give the account the permission Admin under Repository settings → Repository permissions, or use an administrator's token. "+p.repo.WebBase+"/octo/app/admin/permissions",
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK NO NOT_ADMIN ", "PULL_REQUEST_FILES YES  ")},
		{"no administrator, and no scope for webhooks either", with("ATAT7", sourcetest.Token{Login: "hubot", Scopes: without("read:webhook:bitbucket", "write:webhook:bitbucket")}), true, lines(
			`LIMITED BITBUCKET_API_TOKEN owner "Hubot" bot false`,
			"MISSING_SCOPE: The token works, and lacks read:webhook:bitbucket and write:webhook:bitbucket.",
			"→ "+addScopes+"read:webhook:bitbucket and write:webhook:bitbucket, and import it with 'slipway credential import'. "+apiTokens,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK NO MISSING_SCOPE read:webhook:bitbucket,write:webhook:bitbucket", "PULL_REQUEST_FILES YES  ")},
		{"a repository access token", with("ATCT1", sourcetest.Token{Login: "app-bot", Scopes: []string{"webhook", "pullrequest"}}), true, lines(
			`VALID BITBUCKET_REPOSITORY_TOKEN owner "" bot true`,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK YES  ", "PULL_REQUEST_FILES YES  ")},
		{"a workspace access token with account", with("ATCT2", sourcetest.Token{Login: "octo-bot", CredentialType: "workspace_access_token", Scopes: []string{"account", "repository", "pullrequest", "webhook"}}), true, lines(
			`VALID BITBUCKET_WORKSPACE_TOKEN owner "Octo-bot" bot true`,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK YES  ", "PULL_REQUEST_FILES YES  ")},
		{"a project access token that only reads", with("ATCT3", sourcetest.Token{Login: "proj-bot", CredentialType: "project_access_token", Scopes: []string{"repository"}}), true, lines(
			`LIMITED BITBUCKET_PROJECT_TOKEN owner "" bot true`,
			"MISSING_SCOPE: The token works, and lacks the permissions webhook and pullrequest.",
			"→ Permissions cannot be added to an access token: create a new one that also has the permissions webhook and pullrequest, and import it with 'slipway credential import'. "+access,
			"CLONE YES  ", "COMMIT_STATUS YES  ", "WEBHOOK NO MISSING_SCOPE webhook,pullrequest", "PULL_REQUEST_FILES NO MISSING_SCOPE pullrequest")},
		{"an access token of another repository", with("ATCT4", sourcetest.Token{Login: "x-bot", Scopes: []string{"repository"}, Repositories: []string{"octo/x"}}), true, lines(
			`LIMITED BITBUCKET_REPOSITORY_TOKEN owner "" bot true`,
			"NOT_VISIBLE: "+hidden,
			"→ Bitbucket also says this of what a token may not see: an access token reaches only the repository, project or workspace that it was made in. Make one there and import it with 'slipway credential import'. "+access,
			"CLONE NO NOT_VISIBLE ", "COMMIT_STATUS NO NOT_VISIBLE ", "WEBHOOK NO NOT_VISIBLE ", "PULL_REQUEST_FILES NO NOT_VISIBLE ")},
		{"a wrong access token", source.NewLogin(api.ServerTypeBitbucket, "", secret.New("ATCTwrong")), false, lines(
			`INVALID BITBUCKET_ACCESS_TOKEN owner "" bot true`,
			"BAD_TOKEN: Bitbucket answered 401: Token is invalid, expired, or not supported for this endpoint. The access token is wrong, expired or revoked.",
			"→ Create a new one in the settings of the repository, project or workspace, and import it without a user name. "+
				"https://support.atlassian.com/bitbucket-cloud/docs/access-tokens/", "CLONE NO BAD_TOKEN ", "COMMIT_STATUS NO BAD_TOKEN ", "WEBHOOK NO BAD_TOKEN ", "PULL_REQUEST_FILES NO BAD_TOKEN ")},
		{"a wrong API token", source.NewLogin(api.ServerTypeBitbucket, email, secret.New("ATATwrong")), true, lines(
			`INVALID BITBUCKET_API_TOKEN owner "" bot false`,
			"BAD_TOKEN: Bitbucket answered 401: unauthorized. The API token is wrong, expired or revoked, belongs to another e-mail address than the one it was imported with, or was created without scopes.",
			"→ "+createToken+" "+apiTokens, "CLONE NO BAD_TOKEN ", "COMMIT_STATUS NO BAD_TOKEN ", "WEBHOOK NO BAD_TOKEN ", "PULL_REQUEST_FILES NO BAD_TOKEN ")},
		{"an app password", source.NewLogin(api.ServerTypeBitbucket, "mona", secret.New("ATBBsecret")), true, lines(
			`INVALID BITBUCKET_APP_PASSWORD owner "" bot false`,
			"WRONG_KIND: This is a Bitbucket app password, and Bitbucket has switched those off for good on 2026-07-28.",
			"→ "+createToken+" "+apiTokens, "CLONE NO WRONG_KIND ", "COMMIT_STATUS NO WRONG_KIND ", "WEBHOOK NO WRONG_KIND ", "PULL_REQUEST_FILES NO WRONG_KIND ")},
		{"what looks like an app password", source.NewLogin(api.ServerTypeBitbucket, "mona", secret.New("old-password")), false, lines(
			`INVALID BITBUCKET_APP_PASSWORD owner "" bot false`,
			"WRONG_KIND: This is a Bitbucket app password, and Bitbucket has switched those off for good on 2026-07-28.",
			"→ "+createToken+" "+apiTokens, "CLONE NO WRONG_KIND ", "COMMIT_STATUS NO WRONG_KIND ", "WEBHOOK NO WRONG_KIND ", "PULL_REQUEST_FILES NO WRONG_KIND ")},
		{"a GitHub token", source.NewLogin(api.ServerTypeBitbucket, "", secret.New("ghp_secret")), false, lines(
			`INVALID GITHUB_CLASSIC owner "" bot false`,
			"WRONG_KIND: The token is none of Bitbucket's: by its beginning it belongs to GitHub. It was not sent.",
			"→ Import it for that provider, or "+strings.Replace(createToken, "Create", "create", 1)+" "+apiTokens, "CLONE NO WRONG_KIND ", "COMMIT_STATUS NO WRONG_KIND ", "WEBHOOK NO WRONG_KIND ", "PULL_REQUEST_FILES NO WRONG_KIND ")},
		{"an API token with a user name clones and does nothing else", nameless(p, "mona"), true, lines(
			`LIMITED BITBUCKET_API_TOKEN owner "" bot false`, wrongUser,
			"CLONE YES  ", "COMMIT_STATUS NO WRONG_USERNAME ", "WEBHOOK NO WRONG_USERNAME ", "PULL_REQUEST_FILES NO WRONG_USERNAME ")},
		{"an API token with a user name and no repository", nameless(p, "mona"), false, lines(
			`INVALID BITBUCKET_API_TOKEN owner "" bot false`, wrongUser, "CLONE NO WRONG_USERNAME ", "COMMIT_STATUS NO WRONG_USERNAME ", "WEBHOOK NO WRONG_USERNAME ", "PULL_REQUEST_FILES NO WRONG_USERNAME ")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var repo *source.Repository
			if c.repo {
				repo = &p.repo
			}
			h, err := p.provider.Check(t.Context(), p.repo.Site, repo, c.by)
			must(t, err)
			if got := transcript(h); got != c.want {
				t.Errorf("Check:\n%s\n\nwant:\n%s", got, c.want)
			}
			if "http://"+h.Host != p.repo.WebBase || c.repo != (h.Repository == "octo/app") || !h.Expires.IsZero() {
				t.Errorf("host %q, repository %q, expires %v", h.Host, h.Repository, h.Expires)
			}
		})
	}
	for _, r := range p.Requests() {
		if r.Method != "GET" {
			t.Errorf("a check sent %s %s", r.Method, r.Path)
		}
	}
}

// nameless is a good API token that was imported with a Bitbucket user name.
func nameless(p *place, username string) source.Login {
	p.AddToken(sourcetest.Token{Value: "ATATnameless", Login: "mona", Email: email, Scopes: allScopes})
	return source.NewLogin(api.ServerTypeBitbucket, username, secret.New("ATATnameless"))
}

func TestBothReasonsAgainstWebhooksAreSaid(t *testing.T) {
	p := start(t)
	p.SetRole("octo", "app", "hubot", "write")
	by := p.login(sourcetest.Token{Value: "ATAT1", Login: "hubot", Email: email, Scopes: without("write:webhook:bitbucket", "read:webhook:bitbucket")})
	h, err := p.provider.Check(t.Context(), p.repo.Site, &p.repo, by)
	must(t, err)
	same(t, "webhook", h.Jobs[2], slipway.JobAbility{
		Job: slipway.CredentialJobWebhook, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope,
		Missing: []string{"read:webhook:bitbucket", "write:webhook:bitbucket"},
		Message: "The token lacks read:webhook:bitbucket and write:webhook:bitbucket. Webhooks take an administrator of octo/app, and the token's owner is none.",
		NextStep: "Give the account the permission Admin under Repository settings → Repository permissions, or use an administrator's token. " +
			"Scopes cannot be added to an API token: create a new 'API token with scopes' for the app Bitbucket that also has read:webhook:bitbucket and write:webhook:bitbucket, and import it with 'slipway credential import'.",
		Link: apiTokens,
	})
}

func TestAnAccessTokenThatHasNoUserIsGood(t *testing.T) {
	p := start(t)
	p.FailNext("/2.0/user", 401, `{"type":"error","error":{"message":"Token is invalid, expired, or not supported for this endpoint."}}`, 1)
	h, err := p.provider.Check(t.Context(), p.repo.Site, nil, p.bot("project_access_token", "repository", "pullrequest", "webhook"))
	must(t, err)
	if h.State != slipway.CredentialStateValid || h.TokenKind != slipway.TokenKindBitbucketProjectToken {
		t.Errorf("health = %+v", h)
	}
	same(t, "scopes", h.Scopes, []string{"repository", "pullrequest", "webhook"})
}

func TestScopesAreTakenFromTheAnswerWithoutHeaders(t *testing.T) {
	p := start(t)
	p.FailNext("/2.0/user", 403, `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"required":["read:user:bitbucket"],"granted":["read:repository:bitbucket"]}}}`, 1)
	h, err := p.provider.Check(t.Context(), p.repo.Site, nil, p.mona(allScopes...))
	must(t, err)
	same(t, "scopes", h.Scopes, []string{"read:repository:bitbucket"})
}

func TestWhatSaysNothingOfTheTokenIsNoFaultOfIt(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		status        int
		state         slipway.CredentialState
		cause         slipway.FailureCause
	}{
		{"Bitbucket is away", "*", 503, slipway.CredentialStateUnreachable, slipway.FailureCauseProviderError},
		{"Bitbucket limits us", "*", 429, slipway.CredentialStateUnreachable, slipway.FailureCauseRateLimited},
		{"Bitbucket is away for the repository", "/2.0/repositories/*", 503, slipway.CredentialStateUnreachable, slipway.FailureCauseProviderError},
		{"git alone is away", "/octo/*", 503, slipway.CredentialStateValid, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			p.FailNext(c.pattern, c.status, "", 99)
			h, err := p.provider.Check(t.Context(), p.repo.Site, &p.repo, p.mona(allScopes...))
			must(t, err)
			if h.State != c.state || h.Cause != c.cause {
				t.Errorf("health = %+v, want %s %s", h, c.state, c.cause)
			}
			for _, j := range h.Jobs {
				if j.Ability == slipway.AbilityNo {
					t.Errorf("%s = NO though nobody said so", j.Job)
				}
			}
		})
	}
}
