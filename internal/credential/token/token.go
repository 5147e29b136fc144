// Package token knows access tokens by how they look: which provider's they
// are and of which kind. Looks are a first guess that a provider's answer may
// correct, and length never counts: providers change it.
package token

import (
	"regexp"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// A Kind of token is what decides how it is sent and what it can ever do.
type Kind = slipway.TokenKind

// prefixes are what the providers' tokens begin with. Longer ones stand before
// those they begin with.
var prefixes = []struct {
	prefix string
	kind   Kind
}{
	{"github_pat_", slipway.TokenKindGithubFineGrained},
	{"ghp_", slipway.TokenKindGithubClassic},
	{"gho_", slipway.TokenKindGithubOauth},
	{"ghu_", slipway.TokenKindGithubAppUser},
	{"ghs_", slipway.TokenKindGithubAppInstallation},
	{"ghr_", slipway.TokenKindGithubAppRefresh},
	{"ATAT", slipway.TokenKindBitbucketApiToken},
	{"ATCT", slipway.TokenKindBitbucketAccessToken},
	{"ATBB", slipway.TokenKindBitbucketAppPassword},
	{"glpat-", slipway.TokenKindGitlabPersonal},
	{"gldt-", slipway.TokenKindGitlabDeploy},
	{"gloas-", slipway.TokenKindGitlabOauth},
	{"glcbt-", slipway.TokenKindGitlabCiJob},
	{"glptt-", slipway.TokenKindGitlabTrigger},
	{"glrtr-", slipway.TokenKindGitlabRunner},
	{"glrt-", slipway.TokenKindGitlabRunner},
}

// oldGitHub is how GitHub's classic tokens looked before they had a prefix.
var oldGitHub = regexp.MustCompile(`^[0-9a-f]{40}$`)

// KindOf returns what a token for a server looks like. username is what was
// imported beside it, if anything. A GitLab token without a prefix, which
// administrators may change, is taken for a personal one, and one with the user
// name of a deploy token for that.
func KindOf(server api.ServerType, username, text string) Kind {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p.prefix) {
			return p.kind
		}
	}
	switch server {
	case api.ServerTypeGithub, api.ServerTypeGithubEnterprise:
		if oldGitHub.MatchString(text) {
			return slipway.TokenKindGithubClassic
		}
	case api.ServerTypeBitbucket:
		switch {
		case strings.Contains(username, "@"):
			return slipway.TokenKindBitbucketApiToken
		case username != "":
			return slipway.TokenKindBitbucketAppPassword
		}
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		if strings.HasPrefix(username, "gitlab+deploy-token-") {
			return slipway.TokenKindGitlabDeploy
		}
		return slipway.TokenKindGitlabPersonal
	}
	return slipway.TokenKindUnknown
}
