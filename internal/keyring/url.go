package keyring

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

// FindURL is Find for a URL that a stranger wrote, such as a submodule's:
// n.Location is what git is to clone, and n.Server is found by its host. It is
// that of the provider or endpoint which is there, or else that of a
// self-hosted server's credential which is bound to the host already and was
// given or used for it: no credential ever becomes bound to a host by being
// looked for here, and none is found for http but at an endpoint. If none
// serves the URL as it is written, Found holds the URL's host alone.
func (k *Keyring) FindURL(ctx context.Context, n Need) (Found, error) {
	u, err := url.Parse(n.Location)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Found{}, fault.New(fault.Invalid, "This is not the URL of a repository.")
	}
	none := Found{Host: u.Host}
	all, err := k.credentials.All(ctx, n.Scope)
	if err != nil {
		return none, err
	}
	// What is bound to nothing would be bound by being chosen.
	all = slices.DeleteFunc(all, func(c credential.Sealed) bool { return credential.SelfHosted(c.ServerType) && len(c.Hosts) == 0 })
	server, ok := k.options.Endpoints.ServerOf(u)
	if !ok {
		if server, ok = bound(all, u); !ok {
			return none, nil
		}
	}
	r, err := k.options.Endpoints.Repository(server, n.Location)
	if err != nil {
		return none, nil //nolint:nilerr // nothing of that form is at the provider
	}
	at, err := url.Parse(r.WebBase)
	if err != nil || at.Scheme != strings.ToLower(u.Scheme) || !sameHost(at, u) {
		return none, nil //nolint:nilerr // the provider is at another place than the URL
	}
	n.Server = server
	return k.find(ctx, n, all)
}

// bound returns the type of a self-hosted server to whose host one of all is
// bound already.
func bound(all []credential.Sealed, u *url.URL) (api.ServerType, bool) {
	if !strings.EqualFold(u.Scheme, "https") {
		return "", false
	}
	for _, server := range []api.ServerType{api.ServerTypeGithubEnterprise, api.ServerTypeGitlabSelfManaged} {
		for _, c := range all {
			if c.ServerType == server && slices.ContainsFunc(c.Hosts, func(host string) bool { return covers(host, u) }) {
				return server, true
			}
		}
	}
	return "", false
}

// covers reports whether u is at host, which is host[:port][/path] of https.
func covers(host string, u *url.URL) bool {
	at, err := url.Parse("https://" + host)
	if err != nil || at.Host == "" || at.User != nil || !sameHost(at, u) {
		return false
	}
	path := strings.TrimSuffix(at.Path, "/")
	return path == "" || strings.HasPrefix(u.Path, path+"/")
}

// sameHost reports whether two URLs of the same scheme name the same host and
// port.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
}
