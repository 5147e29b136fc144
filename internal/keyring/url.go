package keyring

import (
	"context"
	"net/url"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
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
	server, ok := k.options.Endpoints.ServerOf(u)
	if !ok {
		if server, ok, err = k.bound(ctx, n.Scope, u); err != nil || !ok {
			return none, err
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
	return k.Find(ctx, n)
}

// bound returns the type of a self-hosted server to whose host a credential is
// bound already.
func (k *Keyring) bound(ctx context.Context, scope arn.Scope, u *url.URL) (api.ServerType, bool, error) {
	if !strings.EqualFold(u.Scheme, "https") {
		return "", false, nil
	}
	all, err := k.credentials.All(ctx, scope)
	if err != nil {
		return "", false, err
	}
	for _, c := range all {
		if c.ServerType != api.ServerTypeGithubEnterprise && c.ServerType != api.ServerTypeGitlabSelfManaged {
			continue
		}
		for _, host := range c.Hosts {
			if covers(host, u) {
				return c.ServerType, true, nil
			}
		}
	}
	return "", false, nil
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
