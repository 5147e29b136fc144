package source

import (
	"strings"

	"slipway/internal/api"
	"slipway/internal/secret"
)

// Login returns the user name that git sends beside token over HTTPS. username
// is the credential's own, which only BASIC_AUTH has.
func Login(t api.ServerType, username string, token secret.Text) string {
	if username != "" {
		return username
	}
	switch t {
	case api.ServerTypeBitbucket:
		// A user's API token and a repository's, project's or workspace's
		// access token differ in this, and in nothing else but how they begin.
		if strings.HasPrefix(token.Reveal(), "ATAT") {
			return "x-bitbucket-api-token-auth"
		}
		return "x-token-auth"
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		return "oauth2"
	}
	return "x-access-token"
}
