package source

import (
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
	"slipway/internal/secret"
)

// A Login is one stored credential as providers take it. The zero Login is
// nobody: requests go without.
type Login struct {
	Server   api.ServerType
	Kind     token.Kind
	Username string // what was imported beside the token: a Bitbucket account's e-mail address or user name, a deploy token's name
	Token    secret.Text
}

// NewLogin returns the login that a credential is, its kind taken from its looks.
func NewLogin(server api.ServerType, username string, text secret.Text) Login {
	return Login{Server: server, Kind: token.KindOf(server, username, text.Reveal()), Username: username, Token: text}
}

// A SignedLogin is what git logs in to one repository of AWS CodeCommit with. It
// is good for a quarter of an hour.
type SignedLogin struct {
	User     secret.Text // the id of the access key, which temporary credentials have a token behind
	Password secret.Text // a signature
	KeyID    string      // of the access key, for messages
}

// IsZero reports whether there is nothing to log in with.
func (l Login) IsZero() bool { return l.Token.IsZero() }

// GitUser returns the user name that git sends beside the token over HTTPS. It
// is another one than REST takes: a Bitbucket API token goes with the account's
// e-mail address there, and never here.
func (l Login) GitUser() string {
	switch l.Kind {
	case slipway.TokenKindBitbucketApiToken:
		return "x-bitbucket-api-token-auth"
	case slipway.TokenKindBitbucketAccessToken, slipway.TokenKindBitbucketRepositoryToken,
		slipway.TokenKindBitbucketProjectToken, slipway.TokenKindBitbucketWorkspaceToken:
		return "x-token-auth"
	case slipway.TokenKindGitlabDeploy:
		if l.Username != "" {
			return l.Username
		}
		return "gitlab+deploy-token"
	}
	switch l.Server {
	case api.ServerTypeBitbucket:
		if l.Username != "" && !strings.Contains(l.Username, "@") {
			return l.Username
		}
		return "x-token-auth"
	case api.ServerTypeGitlab, api.ServerTypeGitlabSelfManaged:
		return "oauth2"
	}
	return "x-access-token"
}
