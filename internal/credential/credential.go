// Package credential holds source credentials: the access tokens that connect
// an account to its source providers.
package credential

import (
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/secret"
)

// A Credential is one source credential in the clear: the account's default for
// a server type, as CodeBuild keeps one in each account and region, or one with
// a name, which is ours.
type Credential struct {
	About
	Token secret.Text // empty for CODECONNECTIONS and SECRETS_MANAGER
}

// Sealed is a Credential as it is stored, the token sealed to the ARN.
type Sealed struct {
	About
	Box []byte // the sealed token; nil when there is none
}

// About is what is known of a credential in the clear.
type About struct {
	Scope         arn.Scope
	ARN           string
	Name          string // empty for the account's default
	ServerType    api.ServerType
	AuthType      api.AuthType
	Username      string    // what goes with the token: BASIC_AUTH on BITBUCKET, and logins of named credentials
	Resource      string    // the connection's or secret's ARN for CODECONNECTIONS and SECRETS_MANAGER
	ConnectionARN string    // a named credential's second name, for who must give a connection; else empty
	Match         Match     // what a named credential is for
	Hosts         []string  // host[:port][/path] that a self-hosted server's token may go to; empty until that is known
	CA            string    // PEM of the certificates to trust at these hosts
	Expires       time.Time // as its owner said; zero if he did not
	Version       int64     // counts imports, from 1
	Created       time.Time
	Modified      time.Time
}

// A Match is which repositories a named credential is for: patterns of host,
// owner and name in which * stands for any text, compared without regard to
// case. An empty pattern matches all; of a Match without any see Ladder.
type Match struct {
	Host       string `json:"host,omitzero"`
	Owner      string `json:"owner,omitzero"`
	Repository string `json:"repository,omitzero"`
}
