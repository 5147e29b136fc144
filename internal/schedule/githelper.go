package schedule

import (
	"context"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/keyring"
)

// helper answers for git-credential-helper. A request without a URL, which only
// an agent that is downloading sources can make, opens the way for the build:
// what it is told by the buildspec is settled before any user code runs. One with
// a URL is answered as long as the build lives, with the login to a repository
// where one of the build's sources is.
func (s *Scheduler) helper(ctx context.Context, h *hold, b build.Build, address string) (*agentapi.Credential, error) {
	if why := unhelped(b); why != "" {
		return nil, fault.New(fault.Invalid, "%s", why)
	}
	if address == "" {
		return &agentapi.Credential{}, s.openHelper(ctx, h)
	}
	if b.Finished() || !b.State.Begun || !b.State.GitHelper {
		return nil, fault.New(fault.Invalid, "The build's commands are given no login: git-credential-helper of the buildspec is not yes.")
	}
	at, ok := submoduleURL(address)
	if !ok {
		return nil, fault.New(fault.Invalid, "Logins are for http:// and https:// URLs without a login in them.")
	}
	sources := b.Public.SecondarySources
	if b.Public.Source != nil {
		sources = append([]api.ProjectSource{*b.Public.Source}, sources...)
	}
	for _, from := range sources {
		server, ok := serverOf(from.Type)
		if !ok {
			continue
		}
		n := keyring.Need{
			Scope: b.Scope, Server: server, Location: text(from.Location), Auth: from.Auth, Primary: primaryAuth(b),
			Purpose: slipway.CredentialPurposeFetch, Project: text(b.Public.ProjectName), BuildID: h.id,
		}
		source, err := s.place(n)
		if err != nil {
			continue // it could not be fetched either
		}
		n.Location = address
		if here, err := s.place(n); err != nil || here != place(at) || here != source {
			continue
		}
		return s.login(ctx, n, s.parts.Keys.Find)
	}
	return nil, fault.New(fault.Invalid, "None of the build's sources is at %s: git is given logins only to where they are.", at.Host)
}

// unhelped says why the commands of a build are given no login, whatever their
// buildspec wants: strangers may have written it.
func unhelped(b build.Build) string {
	t := b.State.Webhook
	switch {
	case t == nil:
		return ""
	case t.Fork:
		return "git-credential-helper is not available to builds of pull requests from forks."
	case !t.Private:
		return "git-credential-helper is not available to builds that the webhook of a public repository starts, or of one that is not known to be private."
	}
	return ""
}

func (s *Scheduler) openHelper(ctx context.Context, h *hold) error {
	_, err := s.change(ctx, h.id, func(b *build.Build) error {
		if !h.holds(b) {
			return errGone
		}
		if !fetching(*b) {
			return fault.New(fault.Invalid, "git-credential-helper is settled while sources are downloaded.")
		}
		b.State.GitHelper = true
		return nil
	})
	return err
}

// login gives out what serves a need; it is empty if nothing does.
func (s *Scheduler) login(ctx context.Context, n keyring.Need, find func(context.Context, keyring.Need) (keyring.Found, error)) (*agentapi.Credential, error) {
	found, err := find(ctx, n)
	if err != nil || found.Login.IsZero() {
		return &agentapi.Credential{}, err
	}
	return &agentapi.Credential{
		Username: found.Login.GitUser(), Password: agentapi.Bearer{Text: found.Login.Token},
		Host: found.Host, ARN: found.ARN, CA: found.Repository.CA,
	}, nil
}
