package schedule

import (
	"context"
	"net/url"
	"strings"
	"unicode"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/secret"
)

// Credential returns the login to one of the build's sources, or to a
// submodule of it, until DOWNLOAD_SOURCE has ended; or what its commands may
// have: see helper.
func (s *Scheduler) Credential(ctx context.Context, id string, token secret.Text, in agentapi.CredentialRequest) (*agentapi.Credential, error) {
	h, err := s.authorize(ctx, id, token)
	if err != nil {
		return nil, err
	}
	b, err := s.parts.Builds.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	if in.Helper {
		return s.helper(ctx, h, b, in.URL)
	}
	if !fetching(b) {
		return nil, fault.New(fault.Invalid, "Source credentials are given out only while sources are downloaded.")
	}
	from, ok := sourceOf(b, in.Identifier)
	if !ok {
		return nil, fault.New(fault.Invalid, "The build has no such source.")
	}
	if from.Type == api.SourceTypeCodecommit {
		if c, err := s.codeCommit(ctx, from, in.URL); c != nil || err != nil {
			return c, err
		}
	}
	server, ok := serverOf(from.Type)
	if !ok && in.URL == "" {
		return &agentapi.Credential{}, nil
	}
	n := keyring.Need{
		Scope: b.Scope, Server: server, Location: text(from.Location), Auth: from.Auth, Primary: primaryAuth(b),
		Purpose: slipway.CredentialPurposeFetch, Project: text(b.Public.ProjectName), BuildID: id,
	}
	find := s.parts.Keys.Find
	if in.URL != "" {
		if n, find, err = s.submodule(n, from, in.URL); err != nil {
			return nil, err
		}
	}
	return s.login(ctx, n, find)
}

// submodule returns what is needed for a submodule of from at address, and how
// to find it. n is what from itself needs: it serves what is at the same place
// as from, as far as nothing serves that better.
func (s *Scheduler) submodule(n keyring.Need, from api.ProjectSource, address string) (keyring.Need, func(context.Context, keyring.Need) (keyring.Found, error), error) {
	if from.GitSubmodulesConfig == nil || !from.GitSubmodulesConfig.FetchSubmodules {
		return n, nil, fault.New(fault.Invalid, "The source is fetched without submodules: gitSubmodulesConfig of the project's source says so.")
	}
	at, ok := submoduleURL(address)
	if !ok {
		return n, nil, fault.New(fault.Invalid, "Submodules are fetched from http:// and https:// URLs without a login in them.")
	}
	if n.Server != "" {
		parent, err := s.place(n)
		if err != nil {
			return n, nil, err
		}
		n.Location = address
		if here, err := s.place(n); err == nil && here == place(at) && here == parent {
			return n, s.parts.Keys.Find, nil
		}
	}
	n.Location = address
	n.Server, n.Auth, n.Primary = "", nil, nil // what the source names is for its own provider
	return n, s.parts.Keys.FindURL, nil
}

// place returns where the repository that n is for is cloned from.
func (s *Scheduler) place(n keyring.Need) (string, error) {
	clone, err := s.options.Endpoints.CloneURL(n.Server, n.Location)
	if err != nil {
		return "", err
	}
	at, err := url.Parse(clone)
	if err != nil {
		return "", fault.New(fault.Invalid, "Invalid project source: location is no URL")
	}
	return place(at), nil
}

// place returns scheme://host[:port] of a URL, so that equal ones are equal
// strings.
func place(at *url.URL) string {
	scheme, host := strings.ToLower(at.Scheme), strings.ToLower(at.Host)
	return scheme + "://" + strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
}

// submoduleURL reads what a repository says that a submodule of it is cloned
// from.
func submoduleURL(address string) (*url.URL, bool) {
	at, err := url.Parse(address)
	if err != nil || len(address) > agentapi.MaxURL || at.User != nil || at.Host == "" || at.RawQuery != "" || at.Fragment != "" ||
		strings.ContainsFunc(address+at.Path, unicode.IsControl) {
		return nil, false
	}
	return at, strings.EqualFold(at.Scheme, "https") || strings.EqualFold(at.Scheme, "http")
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
