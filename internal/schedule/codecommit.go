package schedule

import (
	"context"
	"net/url"
	"strings"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// codeCommit returns the login to a source at AWS CodeCommit or, if address is
// not empty, to a submodule of it that is at the same place. It is nil for a
// submodule elsewhere.
func (s *Scheduler) codeCommit(ctx context.Context, from api.ProjectSource, address string) (*agentapi.Credential, error) {
	location := text(from.Location)
	clone, err := s.options.Endpoints.CloneURL(source.CodeCommit, location)
	if err != nil {
		return nil, err
	}
	here, err := url.Parse(clone)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Invalid project source: location is no URL")
	}
	if address != "" {
		if from.GitSubmodulesConfig == nil || !from.GitSubmodulesConfig.FetchSubmodules {
			return nil, nil // which is refused as for every source
		}
		at, ok := submoduleURL(address)
		if !ok || place(at) != place(here) {
			return nil, nil
		}
		location = below(location, here, at)
	}
	if s.parts.CodeCommit == nil {
		return nil, fault.New(fault.Invalid, "Sources of AWS CodeCommit are not fetched here: there is no server that logs in to them.")
	}
	login, err := s.parts.CodeCommit.Login(ctx, location)
	if err != nil {
		return nil, err
	}
	return &agentapi.Credential{
		Username: login.User.Reveal(), Password: agentapi.Bearer{Text: login.Password},
		Host: here.Host, ARN: "the server's AWS access key " + login.KeyID,
	}, nil
}

// below returns where at is at AWS: at is beside what is cloned from here, which
// is at location there.
func below(location string, here, at *url.URL) string {
	there, err := url.Parse(location)
	if err != nil {
		return ""
	}
	base := strings.TrimSuffix(here.Path, strings.TrimSuffix(there.Path, "/")) // of an endpoint
	path := strings.TrimSuffix(strings.TrimPrefix(at.Path, base), ".git")
	return (&url.URL{Scheme: there.Scheme, Host: there.Host, Path: path}).String()
}
