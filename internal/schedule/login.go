package schedule

import (
	"context"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/secret"
)

// Credential returns the login to one of the build's sources, until
// DOWNLOAD_SOURCE has ended.
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
	found, err := s.parts.Keys.Find(ctx, keyring.Need{
		Scope: b.Scope, Server: server, Location: text(from.Location), Auth: from.Auth, Primary: primaryAuth(b),
		Purpose: slipway.CredentialPurposeFetch, Project: text(b.Public.ProjectName), BuildID: id,
	})
	if err != nil || found.Login.IsZero() {
		return &agentapi.Credential{}, err
	}
	return &agentapi.Credential{
		Username: found.Login.GitUser(), Password: agentapi.Bearer{Text: found.Login.Token}, Host: found.Host, ARN: found.ARN,
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

// primaryAuth returns the credential that a primary source of type NO_SOURCE
// names for all the others, if any.
func primaryAuth(b build.Build) *api.SourceAuth {
	if b.Public.Source == nil || b.Public.Source.Type != api.SourceTypeNoSource {
		return nil
	}
	return b.Public.Source.Auth
}
