package checkup

import (
	"context"
	"net/url"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/source"
)

// maxPlaces is at how many repositories one check asks.
const maxPlaces = 3

// A place is where a login is checked.
type place struct {
	site       source.Site
	repository *source.Repository // nil: by what the provider says of the login alone
}

func (p place) host() string { return hostOf(p.site.WebBase) }

// places returns where a credential is to be checked: at the repository that
// is given, or at some of the projects' that use it, or at the provider's site.
// unknown is set instead if there is nowhere that its token may go. A token for
// a self-hosted server goes to hosts that it was given or is used at, never to
// one that somebody just names.
func (c *Checker) places(ctx context.Context, a credential.About, repositoryURL string) (all []place, unknown *slipway.CredentialHealth, err error) {
	if repositoryURL != "" {
		r, err := c.options.Endpoints.Repository(a.ServerType, repositoryURL)
		if err != nil {
			return nil, nil, err
		}
		bound, err := c.bound(ctx, a, r)
		if err != nil {
			return nil, nil, err
		}
		if !bound {
			return nil, elsewhere(a, r), nil
		}
		return []place{at(a, r)}, nil, nil
	}
	uses, err := c.usesOf(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range uses {
		if len(all) < maxPlaces {
			all = append(all, at(a, u.repository))
		}
	}
	if len(all) > 0 {
		return all, nil, nil
	}
	site, ok := c.site(a, "")
	if !ok {
		return nil, homeless(a), nil
	}
	return []place{{site: site}}, nil, nil
}

// at is a repository with what a credential says of its host.
func at(a credential.About, r source.Repository) place {
	r.CA = a.CA
	return place{site: r.Site, repository: &r}
}

// site returns the provider's site that a credential is for: host if that is
// one of its hosts, or with "" the first. ok is false if there is none.
func (c *Checker) site(a credential.About, host string) (at source.Site, ok bool) {
	_, moved := c.options.Endpoints[a.ServerType]
	base := ""
	if selfHosted(a.ServerType) && !moved {
		for _, h := range a.Hosts {
			if host == "" || strings.EqualFold(host, hostOf(webBase(h))) {
				base = webBase(h)
				break
			}
		}
		if base == "" {
			return source.Site{}, false
		}
	}
	at = c.options.Endpoints.Site(a.ServerType, base)
	at.CA = a.CA
	return at, true
}

// bound reports whether a credential's token may go to a repository's host.
func (c *Checker) bound(ctx context.Context, a credential.About, r source.Repository) (bool, error) {
	if _, moved := c.options.Endpoints[a.ServerType]; moved || !selfHosted(a.ServerType) {
		return true, nil
	}
	want := hostOf(r.WebBase)
	for _, h := range a.Hosts {
		if strings.EqualFold(hostOf(webBase(h)), want) {
			return true, nil
		}
	}
	if len(a.Hosts) > 0 {
		return false, nil
	}
	uses, err := c.usesOf(ctx, a)
	for _, u := range uses {
		if strings.EqualFold(hostOf(u.repository.WebBase), want) {
			return true, nil
		}
	}
	return false, err
}

// homeless is the health of a credential for a self-hosted server of which
// nobody has said where it is.
func homeless(a credential.About) *slipway.CredentialHealth {
	return &slipway.CredentialHealth{State: slipway.CredentialStateUnchecked,
		Message: "Nobody has said yet at which host this token is to be used, and no project uses it, so it was sent nowhere.",
		NextStep: "Import it with the host: " + strings.TrimSuffix(importCommand(a), "'") + " --host HOST'; or make a project whose source is at that host, and " +
			"check again with 'slipway credential verify " + handle(a) + "'."}
}

// elsewhere is the health of a credential that may not go where it was to be checked.
func elsewhere(a credential.About, r source.Repository) *slipway.CredentialHealth {
	host := hostOf(r.WebBase)
	message := "This token is not for " + host + ", so it was not sent there."
	if len(a.Hosts) > 0 {
		message = "This token is for " + strings.Join(a.Hosts, ", ") + ", not for " + host + ", so it was not sent there."
	}
	return &slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, Cause: slipway.FailureCauseWrongHost, Host: host, Repository: r.FullName(), Message: message,
		NextStep: "If it belongs there, import it with the host: " + strings.TrimSuffix(importCommand(a), "'") + " --host " + host + "'."}
}

func selfHosted(t api.ServerType) bool {
	return t == api.ServerTypeGithubEnterprise || t == api.ServerTypeGitlabSelfManaged
}

// webBase returns the web address of a host as credentials hold it, which is
// without a scheme.
func webBase(host string) string {
	if strings.Contains(host, "://") {
		return strings.TrimSuffix(host, "/")
	}
	return "https://" + strings.TrimSuffix(host, "/")
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}
