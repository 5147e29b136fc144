package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/internal/agentapi"
)

// movedTime is how long a provider has to say where a repository is now.
const movedTime = 10 * time.Second

// movedTo asks what is at where, as git did, for the address that it redirects
// to, which git does not tell. The login goes to where alone; nobody goes where
// the redirect leads. It returns nil if the answer is no redirect to what can be
// a repository.
func movedTo(ctx context.Context, s Source, where *url.URL, by *agentapi.Credential, trusted string) *url.URL {
	ctx, cancel := context.WithTimeout(ctx, movedTime)
	defer cancel()
	ask := *where
	ask.Path, ask.RawPath = strings.TrimSuffix(ask.Path, "/")+"/info/refs", ""
	ask.RawQuery = "service=git-upload-pack"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, ask.String(), nil)
	if err != nil {
		return nil
	}
	r.Header.Set("User-Agent", userAgent)
	if sentTo(where, by) {
		r.SetBasicAuth(by.Username, by.Password.Reveal())
	}
	asker := client(s, by, trusted)
	defer asker.CloseIdleConnections()
	answer, err := asker.Do(r)
	if err != nil {
		return nil
	}
	_ = answer.Body.Close()
	if answer.StatusCode < 300 || answer.StatusCode > 399 {
		return nil
	}
	return repositoryAt(&ask, answer.Header.Get("Location"))
}

// userAgent begins as git's does: some providers answer others with a page.
const userAgent = "git/2.0 (slipway)"

// connectTime is how long a provider has to take a connection.
const connectTime = 15 * time.Second

// client returns a client for the provider of s that trusts what git trusts
// there, and that follows no redirect.
func client(s Source, by *agentapi.Credential, trusted string) *http.Client {
	trust := &tls.Config{InsecureSkipVerify: s.Insecure && by.CA == ""} //nolint:gosec // the project's word, for servers with a name of their own only
	if ca := cmp.Or(by.CA, trusted); ca != "" {
		trust.RootCAs = x509.NewCertPool()
		trust.RootCAs.AppendCertsFromPEM(bundle(ca))
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust,
			DialContext: (&net.Dialer{Timeout: connectTime}).DialContext, TLSHandshakeTimeout: connectTime,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// repositoryAt reads the Location that answers a request of git at from. It is
// shown inside a command, so it has nothing that a shell would read.
func repositoryAt(from *url.URL, location string) *url.URL {
	if location == "" || len(location) > maxLocation {
		return nil
	}
	to, err := from.Parse(location)
	if err != nil || to.Scheme != "https" && (to.Scheme != "http" || from.Scheme != "http") || to.User != nil {
		return nil
	}
	at, ok := strings.CutSuffix(to.Path, "/info/refs")
	at = strings.TrimSuffix(at, "/")
	to = &url.URL{Scheme: to.Scheme, Host: to.Host, Path: at}
	if !ok || at == "" || !plain(to.Host) || !plain(at) {
		return nil
	}
	return to
}

// maxLocation bounds the address that a redirect may lead to, in bytes.
const maxLocation = 2048

// plain reports whether text has nothing that a shell or a person may
// misunderstand.
func plain(text string) bool {
	return text != "" && !strings.HasPrefix(text, "-") && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~/:[]", r)
	})
}
