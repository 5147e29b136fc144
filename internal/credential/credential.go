// Package credential holds source credentials: the access tokens that connect
// an account to its source providers.
package credential

import (
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/secret"
)

// A Credential is one imported source credential in the clear. CodeBuild keeps
// one for each server type in an account and region.
type Credential struct {
	Scope      arn.Scope
	ARN        string
	ServerType api.ServerType
	AuthType   api.AuthType
	Username   string      // BASIC_AUTH on BITBUCKET only
	Token      secret.Text // empty for CODECONNECTIONS and SECRETS_MANAGER
	Resource   string      // the connection's or secret's ARN for these two
	Created    time.Time
	Modified   time.Time
}

// Sealed is a Credential as it is stored: what ListSourceCredentials shows in
// the clear, the token sealed to the ARN.
type Sealed struct {
	Scope      arn.Scope
	ARN        string
	ServerType api.ServerType
	AuthType   api.AuthType
	Username   string
	Box        []byte // the sealed token; nil when there is none
	Resource   string
	Created    time.Time
	Modified   time.Time
}
