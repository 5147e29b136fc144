package checkup

import (
	"strings"
	"unicode"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/credential/token"
	"slipway/internal/source"
)

// appPage is where Atlassian's tokens for Bitbucket are made.
const appPage = token.AtlassianPage

// bitbucketScopes are what a Bitbucket API token needs for everything we do.
const bitbucketScopes = "read:user, read:workspace, read:repository, read:pullrequest, read:webhook and write:webhook"

// makers are whose tokens the kinds are.
var makers = map[slipway.TokenKind]string{
	slipway.TokenKindGithubClassic: "GitHub", slipway.TokenKindGithubFineGrained: "GitHub", slipway.TokenKindGithubOauth: "GitHub",
	slipway.TokenKindGithubAppUser: "GitHub", slipway.TokenKindGithubAppInstallation: "GitHub", slipway.TokenKindGithubAppRefresh: "GitHub",
	slipway.TokenKindBitbucketApiToken: "Bitbucket", slipway.TokenKindBitbucketAccessToken: "Bitbucket",
	slipway.TokenKindBitbucketRepositoryToken: "Bitbucket", slipway.TokenKindBitbucketProjectToken: "Bitbucket",
	slipway.TokenKindBitbucketWorkspaceToken: "Bitbucket", slipway.TokenKindBitbucketAppPassword: "Bitbucket",
	slipway.TokenKindGitlabPersonal: "GitLab", slipway.TokenKindGitlabProject: "GitLab", slipway.TokenKindGitlabGroup: "GitLab",
	slipway.TokenKindGitlabDeploy: "GitLab", slipway.TokenKindGitlabOauth: "GitLab", slipway.TokenKindGitlabCiJob: "GitLab",
	slipway.TokenKindGitlabTrigger: "GitLab", slipway.TokenKindGitlabRunner: "GitLab",
}

// A maker is a provider in sentences, and the server types that take its tokens.
type maker struct {
	name    string
	servers string // as the end of a command takes them, its quote included
}

var madeFor = map[api.ServerType]maker{
	api.ServerTypeGithub:            {"GitHub", "GITHUB' (or GITHUB_ENTERPRISE)"},
	api.ServerTypeGithubEnterprise:  {"GitHub", "GITHUB' (or GITHUB_ENTERPRISE)"},
	api.ServerTypeBitbucket:         {"Bitbucket", "BITBUCKET'"},
	api.ServerTypeGitlab:            {"GitLab", "GITLAB' (or GITLAB_SELF_MANAGED)"},
	api.ServerTypeGitlabSelfManaged: {"GitLab", "GITLAB' (or GITLAB_SELF_MANAGED)"},
}

// serversOf returns the server types that take a maker's tokens, for people.
func serversOf(name string) string {
	for _, m := range madeFor {
		if m.name == name {
			return m.servers
		}
	}
	return ""
}

// useless are the kinds that no repository can be reached with.
var useless = map[slipway.TokenKind]string{
	slipway.TokenKindGithubAppRefresh: "a refresh token of a GitHub App, which only renews other tokens",
	slipway.TokenKindGitlabCiJob:      "a token of a GitLab CI job, which ends with that job",
	slipway.TokenKindGitlabTrigger:    "a GitLab trigger token, which starts pipelines and reads nothing",
	slipway.TokenKindGitlabRunner:     "a GitLab runner's token, which registers runners and reads nothing",
}

// A mistake is what is wrong with a login by its looks alone.
type mistake struct {
	cause    slipway.FailureCause
	message  string
	nextStep string
	link     string
}

// mistakeOf returns what is wrong with a login for certain, without asking
// anybody; ok is false if nothing is.
func mistakeOf(a credential.About, l source.Login) (m mistake, ok bool) {
	want := madeFor[a.ServerType]
	redo := "import it again with " + importCommand(a) + "."
	text := l.Token.Reveal()
	switch made := makers[l.Kind]; {
	case strings.ContainsFunc(text, unicode.IsSpace) || strings.ContainsAny(text, `"'<>`) || strings.Contains(text, "://"):
		return mistake{slipway.FailureCauseBadToken,
			"What was imported is more than a token: it holds white space, quotes or a URL.",
			"Copy the token alone, without quotes, \"Bearer\" or an address around it, and " + redo, ""}, true
	case made != "" && made != want.name:
		return mistake{slipway.FailureCauseWrongKind,
			"This is a token of " + made + ", and the credential is for " + want.name + ".",
			"Import it with 'slipway credential import --server-type " + serversOf(made) + ". For this credential make a token of " + want.name + ".", ""}, true
	case useless[l.Kind] != "":
		return mistake{slipway.FailureCauseWrongKind,
			"This is " + useless[l.Kind] + ".",
			"Make a personal access token and " + redo, newTokenPage(a)}, true
	case l.Kind == slipway.TokenKindBitbucketAppPassword && (strings.HasPrefix(text, "ATBB") || l.Username != ""):
		return mistake{slipway.FailureCauseWrongKind,
			"This is a Bitbucket app password, or goes with a user name as those did. Bitbucket has switched app passwords off.",
			"Make an API token with scopes (app Bitbucket; " + bitbucketScopes + ") and import it with --username and your Atlassian account's e-mail address.", appPage}, true
	case l.Kind == slipway.TokenKindBitbucketApiToken && !strings.Contains(l.Username, "@"):
		return mistake{slipway.FailureCauseWrongUsername,
			"A Bitbucket API token goes with the e-mail address of its Atlassian account, and none was imported with it.",
			"Import it with --auth-type BASIC_AUTH --username and that e-mail address; the name for git is found by itself.", ""}, true
	case l.Kind == slipway.TokenKindGitlabDeploy && l.Username == "":
		return mistake{slipway.FailureCauseWrongUsername,
			"A GitLab deploy token goes with its user name, such as gitlab+deploy-token-123, and none was imported with it.",
			"Import it as a named credential with --name, and --username and the name that GitLab showed beside the token.", ""}, true
	}
	return mistake{}, false
}

// health is a mistake as the outcome of a check.
func (m mistake) health(kind slipway.TokenKind) slipway.CredentialHealth {
	return slipway.CredentialHealth{State: slipway.CredentialStateInvalid, TokenKind: kind, Cause: m.cause, Message: m.message, NextStep: m.nextStep, Link: m.link}
}

// jobs is what a credential is for, in the order in which it is told.
var jobs = []slipway.CredentialJob{
	slipway.CredentialJobClone, slipway.CredentialJobCommitStatus, slipway.CredentialJobWebhook, slipway.CredentialJobPullRequestFiles,
}

// newTokenPage returns where a token for a credential's server is made, with
// the scopes filled in where the provider allows; "" if its host is not known.
func newTokenPage(a credential.About) string {
	base := ""
	if len(a.Hosts) > 0 {
		base = webBase(a.Hosts[0])
	}
	switch a.ServerType {
	case api.ServerTypeGithub:
		base = "https://github.com"
	case api.ServerTypeGitlab:
		base = "https://gitlab.com"
	case api.ServerTypeBitbucket:
		return appPage
	}
	if base == "" {
		return ""
	}
	if madeFor[a.ServerType].name == "GitHub" {
		return token.GitHubPage(base, token.Scopes(slipway.TokenKindGithubClassic)...)
	}
	return token.GitLabPage(base, token.Scopes(slipway.TokenKindGitlabPersonal)...)
}

// importCommand returns the command that replaces a credential, for people.
func importCommand(a credential.About) string {
	command := "'slipway credential import"
	if a.Name != "" {
		command += " --name " + a.Name
	}
	command += " --server-type " + string(a.ServerType)
	if a.AuthType == api.AuthTypeBasicAuth {
		command += " --auth-type BASIC_AUTH --username E-MAIL"
	}
	return command + " --token-file FILE'"
}
