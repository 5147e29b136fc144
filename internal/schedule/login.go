package schedule

import (
	"context"
	"net/url"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// Credential returns the login to one of the build's sources, until
// DOWNLOAD_SOURCE has ended. Each answer that holds one is logged.
func (s *Scheduler) Credential(ctx context.Context, id string, token secret.Text, in agentapi.CredentialRequest) (*agentapi.Credential, error) {
	if _, err := s.authorize(ctx, id, token); err != nil {
		return nil, err
	}
	b, err := s.parts.Builds.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	if !fetching(b) {
		return nil, fault.New(fault.Invalid, "Source credentials are given out only while sources are downloaded.")
	}
	from, ok := sourceOf(b, in.Identifier)
	if !ok {
		return nil, fault.New(fault.Invalid, "The build has no such source.")
	}
	server, ok := serverOf(from.Type)
	if !ok {
		return &agentapi.Credential{}, nil
	}
	if err := usable(b, from); err != nil {
		return nil, err
	}
	clone, err := s.options.Endpoints.CloneURL(server, text(from.Location))
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(clone)
	if err != nil {
		return nil, err
	}
	c, ok, err := s.imported(ctx, b.Scope, server)
	if err != nil || !ok {
		return &agentapi.Credential{}, err
	}
	s.log.Info("source credential used", "buildId", id, "arn", c.ARN, "host", at.Host, "for", "fetch")
	return &agentapi.Credential{
		Username: source.Login(server, c.Username, c.Token), Password: agentapi.Bearer{Text: c.Token}, Host: at.Host, ARN: c.ARN,
	}, nil
}

// fetching reports whether a build's sources may still be downloading: the
// agent has begun, and DOWNLOAD_SOURCE has not ended.
func fetching(b build.Build) bool {
	if b.Finished() || !b.State.Begun {
		return false
	}
	last := b.Public.Phases[len(b.Public.Phases)-1]
	switch last.PhaseType {
	case api.BuildPhaseTypeProvisioning:
		return true
	case api.BuildPhaseTypeDownloadSource:
		return last.EndTime.IsZero()
	}
	return false
}

// sourceOf returns the source with an identifier, the primary one for "".
func sourceOf(b build.Build, identifier string) (api.ProjectSource, bool) {
	if identifier == "" {
		if b.Public.Source == nil {
			return api.ProjectSource{}, false
		}
		return *b.Public.Source, true
	}
	for _, secondary := range b.Public.SecondarySources {
		if text(secondary.SourceIdentifier) == identifier {
			return secondary, true
		}
	}
	return api.ProjectSource{}, false
}

// usable reports, as a fault, a source that names a credential of a kind that
// builds cannot use. A primary source of type NO_SOURCE names it for all.
func usable(b build.Build, from api.ProjectSource) error {
	auth := from.Auth
	if auth == nil && b.Public.Source != nil && b.Public.Source.Type == api.SourceTypeNoSource {
		auth = b.Public.Source.Auth
	}
	if auth == nil || auth.Type == api.SourceAuthTypeOauth { // CodeBuild's word for the account's default
		return nil
	}
	return fault.New(fault.Invalid, "The source names a credential of type %s, which cannot be used for builds yet. "+
		"Remove auth from the project's source and import a personal access token with 'aws codebuild import-source-credentials'.", auth.Type)
}

// imported returns the credential of a scope for a server type, opened; ok is
// false if none is imported. One of a kind that cannot be used is Invalid.
func (s *Scheduler) imported(ctx context.Context, scope arn.Scope, server api.ServerType) (c credential.Credential, ok bool, err error) {
	sealed, err := s.parts.Credentials.Get(ctx, scope, server)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	switch sealed.AuthType {
	case api.AuthTypePersonalAccessToken, api.AuthTypeBasicAuth, api.AuthTypeOauth:
	default:
		return c, false, fault.New(fault.Invalid, "The imported source credential %s is of type %s, which cannot be used for builds yet. "+
			"Import a personal access token in its place with 'aws codebuild import-source-credentials --server-type %s --auth-type PERSONAL_ACCESS_TOKEN'.",
			sealed.ARN, sealed.AuthType, server)
	}
	if c, err = sealed.Open(s.parts.Opener); err != nil {
		return credential.Credential{}, false, err
	}
	return c, true, nil
}
