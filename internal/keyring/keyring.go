// Package keyring finds the credential that serves a repository, opens it, and
// keeps account of what it was used for.
package keyring

import (
	"context"
	"log/slog"
	"net/url"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// credentials is where source credentials are stored.
type credentials interface {
	// Get returns the default credential of a scope for a server type, or NotFound.
	Get(ctx context.Context, scope arn.Scope, serverType api.ServerType) (credential.Sealed, error)
}

// opener opens what is sealed.
type opener interface {
	Open(box []byte, owner string) ([]byte, error)
}

// A Keyring's methods may be called from several goroutines.
type Keyring struct {
	credentials credentials
	opener      opener
	log         *slog.Logger
	options     Options
}

// Options tunes a Keyring. The zero value is ready for production.
type Options struct {
	Endpoints source.Endpoints // where providers are; nil means at their usual place
}

// New returns a Keyring on stored credentials.
func New(c credentials, o opener, log *slog.Logger, options Options) *Keyring {
	return &Keyring{credentials: c, opener: o, log: log, options: options}
}

// A Need is what a login is wanted for.
type Need struct {
	Scope    arn.Scope
	Server   api.ServerType
	Location string          // of the repository, as a project's source says it
	Auth     *api.SourceAuth // what the source itself names, or a primary source of type NO_SOURCE for it; may be nil

	Purpose slipway.CredentialPurpose
	Project string // its name, if it is for one
	BuildID string // if it is for a build
}

// Found is a login and what it is good for.
type Found struct {
	Login      source.Login // zero if no credential serves the repository
	Repository source.Repository
	Host       string // host[:port] of the repository: the only one that the login may go to
	ARN        string // of the credential
	Version    int64  // of the credential
}

// Find returns the login to a repository; it is zero if there is no credential
// for it, and the repository is then open to everyone or to nobody. A location
// that is none of its server type's, and a credential that is there and cannot
// be used, are Invalid. That a login was given out is recorded.
func (k *Keyring) Find(ctx context.Context, n Need) (Found, error) {
	r, err := k.options.Endpoints.Repository(n.Server, n.Location)
	if err != nil {
		return Found{}, err
	}
	at, err := url.Parse(r.WebBase)
	if err != nil {
		return Found{}, err
	}
	found := Found{Repository: r, Host: at.Host}
	if n.Auth != nil && n.Auth.Type != api.SourceAuthTypeOauth { // CodeBuild's word for the account's default
		return found, fault.New(fault.Invalid, "The source names a credential of type %s, which cannot be used for builds yet. "+
			"Remove auth from the project's source and import a personal access token with 'aws codebuild import-source-credentials'.", n.Auth.Type)
	}
	sealed, err := k.credentials.Get(ctx, n.Scope, n.Server)
	if fault.KindOf(err) == fault.NotFound {
		return found, nil
	}
	if err != nil {
		return found, err
	}
	switch sealed.AuthType {
	case api.AuthTypePersonalAccessToken, api.AuthTypeBasicAuth, api.AuthTypeOauth:
	default:
		return found, fault.New(fault.Invalid, "The imported source credential %s is of type %s, which cannot be used for builds yet. "+
			"Import a personal access token in its place with 'aws codebuild import-source-credentials --server-type %s --auth-type PERSONAL_ACCESS_TOKEN'.",
			sealed.ARN, sealed.AuthType, n.Server)
	}
	c, err := sealed.Open(k.opener)
	if err != nil {
		return found, err
	}
	found.Login, found.ARN, found.Version = source.NewLogin(n.Server, c.Username, c.Token), c.ARN, c.Version
	k.log.Info("source credential used", "arn", c.ARN, "host", at.Host, "for", n.Purpose, "projectName", n.Project, "buildId", n.BuildID)
	return found, nil
}
