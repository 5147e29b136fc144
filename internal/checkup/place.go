package checkup

import (
	"context"
	"net/url"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// maxPlaces is at how many repositories one check asks.
const maxPlaces = 3

// A place is where a login is checked.
type place struct {
	site       source.Site
	repository *source.Repository // nil: by what the provider says of the login alone
	login      source.Login
}

func (p place) host() string { return hostOf(p.site.WebBase) }

// places returns where a credential, whose login l is, is to be checked: at the
// repository that is given, or at some of the projects' that use it, or at the
// provider's site. unknown is set instead if there is nowhere that its token
// may go. A token for a self-hosted server goes to hosts that its holder was
// given or is used at, never to one that somebody just names; where it is used
// first it stays bound to.
func (c *Checker) places(ctx context.Context, a, holder credential.About, l source.Login, repositoryURL string) (all []place, unknown *slipway.CredentialHealth, err error) {
	uses, err := c.usesOf(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	if repositoryURL != "" {
		if h, other := c.foreign(a, repositoryURL); other {
			return nil, h, nil
		}
		r, err := c.options.Endpoints.Repository(a.ServerType, repositoryURL)
		if err != nil {
			return nil, nil, err
		}
		if _, moved := c.options.Endpoints[a.ServerType]; !moved && selfHosted(a.ServerType) {
			if holder.Hosts, err = c.bind(ctx, holder, uses, repositoryURL); err != nil {
				return nil, nil, err
			}
			if len(holder.Hosts) == 0 || !reaches(holder, repositoryURL, r) || !reaches(a, repositoryURL, r) {
				return nil, elsewhere(a, holder.Hosts, r), nil
			}
		}
		return []place{at(holder, r, l)}, nil, nil
	}
	for _, u := range uses {
		if len(all) == maxPlaces {
			break
		}
		found, err := c.parts.Keys.Find(ctx, u.need)
		if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.NotFound {
			return nil, nil, err
		}
		if err != nil || found.Login.IsZero() { // its builds say so
			continue
		}
		all = append(all, place{site: found.Repository.Site, repository: &found.Repository, login: found.Login})
	}
	if len(all) > 0 {
		return all, nil, nil
	}
	site, ok := c.site(holder, "")
	if !ok {
		return nil, homeless(a), nil
	}
	return []place{{site: site, login: l}}, nil, nil
}

// at is a repository with what a credential says of its host: certificates, and
// the path under which the provider is there.
func at(a credential.About, r source.Repository, l source.Login) place {
	r.CA, r.Insecure = a.CA, r.Insecure && a.CA == ""
	for _, h := range a.Hosts {
		base := webBase(h)
		prefix, below := strings.CutPrefix(base, r.WebBase+"/")
		if owner, inside := strings.CutPrefix(r.Owner, prefix+"/"); below && inside {
			r.Owner, r.APIBase, r.WebBase = owner, base+strings.TrimPrefix(r.APIBase, r.WebBase), base
			break
		}
	}
	return place{site: r.Site, repository: &r, login: l}
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

// bind returns the hosts that a token may go to. One that has none yet becomes
// bound to the host of a location if one of its uses is there, just as by that
// use itself; if none is, there are no hosts.
func (c *Checker) bind(ctx context.Context, holder credential.About, uses []use, location string) ([]string, error) {
	host, _, _ := credential.Locate(location)
	if len(holder.Hosts) > 0 {
		return holder.Hosts, nil
	}
	for _, u := range uses {
		if at, _, _ := credential.Locate(u.need.Location); at != host {
			continue
		}
		found, err := c.parts.Keys.Find(ctx, u.need)
		if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.NotFound {
			return nil, err
		}
		if err == nil && !found.Login.IsZero() {
			return []string{host}, nil
		}
	}
	return nil, nil
}

// reaches reports whether a's token may go to the repository r at a location.
func reaches(a credential.About, location string, r source.Repository) bool {
	w, ok := credential.NewWant(a.ServerType, location)
	w.Path = r.FullName()
	_, inside := a.Reach(w)
	return ok && inside
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
func elsewhere(a credential.About, hosts []string, r source.Repository) *slipway.CredentialHealth {
	host := hostOf(r.WebBase)
	message := "This token is not for " + host + ", so it was not sent there."
	if len(hosts) > 0 {
		message = "This token is for " + strings.Join(hosts, ", ") + ", not for " + host + ", so it was not sent there."
	}
	return &slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, Cause: slipway.FailureCauseWrongHost, Host: host, Repository: r.FullName(), Message: message,
		NextStep: "If it belongs there, import it with the host: " + strings.TrimSuffix(importCommand(a), "'") + " --host " + host + "'."}
}

// homes are where the providers are that have one place for all.
var homes = map[api.ServerType]string{api.ServerTypeGithub: "github.com", api.ServerTypeBitbucket: "bitbucket.org", api.ServerTypeGitlab: "gitlab.com"}

// foreign returns the health of a credential of a provider with one place for
// all that is to be checked at a repository of another host.
func (c *Checker) foreign(a credential.About, repositoryURL string) (h *slipway.CredentialHealth, ok bool) {
	home, fixed := homes[a.ServerType]
	host, path, ok := credential.Locate(repositoryURL)
	if _, err := c.options.Endpoints.Repository(a.ServerType, repositoryURL); err == nil || !ok || !fixed || host == home {
		return nil, false
	}
	right := "GITHUB_ENTERPRISE --host " + host
	if a.ServerType == api.ServerTypeGitlab {
		right = "GITLAB_SELF_MANAGED --host " + host
	}
	for server, at := range homes {
		if host == at {
			right = string(server)
		}
	}
	return &slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, Cause: slipway.FailureCauseWrongHost, Host: host, Repository: path,
		Message:  "This token is for " + home + ", not for " + host + ", so it was not sent there.",
		NextStep: "Check it at a repository of " + home + ". For " + host + " import another token with 'slipway credential import --server-type " + right + " --token-file FILE'."}, true
}

func selfHosted(t api.ServerType) bool {
	return t == api.ServerTypeGithubEnterprise || t == api.ServerTypeGitlabSelfManaged
}

// webBase returns the web address of a host as credentials hold it, which is
// without a scheme: HTTPS, but at the port of HTTP.
func webBase(host string) string {
	host = strings.TrimSuffix(host, "/")
	if strings.Contains(host, "://") {
		return host
	}
	if at, _, _ := strings.Cut(host, "/"); strings.HasSuffix(at, ":80") {
		return "http://" + host
	}
	return "https://" + host
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}
