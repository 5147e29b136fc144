package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/fault"
)

// A desk asks the server for the logins of one source and hands them to git.
type desk struct {
	client  *agentapi.Client
	source  Source
	private string // a directory of the fetch's own
	name    string // unique among the fetch's sources
	wallet  *wallet
	trusted string // PEM of the project's certificates, if the source's own host is trusted by them
	grants  map[address]grant
	trust   []setting // of git, one for each host with certificates of its own
}

// A grant is what the server gave for one address.
type grant struct {
	credential *agentapi.Credential // empty if no login serves the address
	problem    string               // why there is none, in a sentence; may be empty
}

// open asks for the login to the source itself.
func (d *desk) open(ctx context.Context, where *url.URL) (*agentapi.Credential, error) {
	credential, err := d.ask(ctx, agentapi.CredentialRequest{Identifier: d.source.Identifier})
	if fault.KindOf(err) == fault.Invalid {
		return nil, refuse(d.source, "authentication failed", fault.Message(err))
	}
	if err != nil {
		return nil, err
	}
	g, err := d.take(where, credential)
	if err == nil && g.problem != "" {
		err = refuse(d.source, "authentication failed", g.problem)
	}
	return credential, err
}

// submodule asks for the login to a submodule, once for each address. A login
// that the server will not give is no error: the submodule may be public.
func (d *desk) submodule(ctx context.Context, where *url.URL) (grant, error) {
	a, ok := addressOf(where.Scheme, where.Host, where.Path)
	if !ok || len(where.String()) > agentapi.MaxURL {
		return grant{credential: &agentapi.Credential{}, problem: "Its URL is not that of a repository."}, nil
	}
	if g, ok := d.grants[a]; ok {
		return g, nil
	}
	credential, err := d.ask(ctx, agentapi.CredentialRequest{Identifier: d.source.Identifier, URL: where.String()})
	if fault.KindOf(err) == fault.Invalid {
		g := grant{credential: &agentapi.Credential{}, problem: fault.Message(err)}
		d.grants[a] = g
		return g, nil
	}
	if err != nil {
		return grant{}, err
	}
	return d.take(where, credential)
}

// take keeps what the server gave for where.
func (d *desk) take(where *url.URL, c *agentapi.Credential) (grant, error) {
	g := grant{credential: c, problem: d.wallet.add(where, c)}
	if a, ok := addressOf(where.Scheme, where.Host, where.Path); ok {
		if d.grants == nil {
			d.grants = map[address]grant{}
		}
		d.grants[a] = g
	}
	if c.CA == "" || !sentTo(where, c) {
		return g, nil
	}
	if d.trusts(where) {
		return g, nil
	}
	file, err := d.bundle(c.CA)
	// A project's insecureSsl does not overrule what came with the credential.
	d.trust = append(d.trust, setting{authority(where), file}, setting{"http." + root(where) + ".sslVerify", "true"})
	return g, err
}

// given returns what the server gave for where, empty if it was not asked.
func (d *desk) given(where *url.URL) *agentapi.Credential {
	if a, ok := addressOf(where.Scheme, where.Host, where.Path); ok {
		if g, ok := d.grants[a]; ok {
			return g.credential
		}
	}
	return &agentapi.Credential{}
}

// trustProject trusts the source's own host by the project's certificates,
// unless the credential says by which. They are for servers with a name of their
// own: whoever may edit a project must not be able to have a token sent to
// somebody who passes for a provider that everybody knows.
func (d *desk) trustProject(where *url.URL, certificates string) error {
	if certificates == "" || d.trusts(where) {
		return nil
	}
	d.trusted = certificates
	file, err := d.bundle(certificates)
	d.trust = append(d.trust, setting{authority(where), file})
	return err
}

// trusts reports whether it is known by which certificates a host is trusted.
func (d *desk) trusts(where *url.URL) bool {
	return slices.ContainsFunc(d.trust, func(s setting) bool { return s.key == authority(where) })
}

// authority is git's setting for the certificates by which a host is trusted.
func authority(where *url.URL) string { return "http." + root(where) + ".sslCAInfo" }

// bundle writes a file with the certificates in ca beside the system's.
func (d *desk) bundle(ca string) (file string, err error) {
	file = filepath.Join(d.private, "ca"+d.name+"-"+strconv.Itoa(len(d.trust)))
	return file, os.WriteFile(file, bundle(ca), 0o600)
}

// bundles are where systems keep the certificates that they trust.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // openSUSE
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem", // macOS
}

// bundle returns the system's certificates and those in ca, for a git that
// trusts one file only. Nothing else that ca may hold is kept.
func bundle(ca string) []byte {
	var all []byte
	for _, file := range append([]string{os.Getenv("SSL_CERT_FILE")}, bundles...) {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 { //nolint:gosec // the operator's file, or the system's
			all = append(text, '\n')
			break
		}
	}
	return append(all, certificates([]byte(ca))...)
}

// How long the server may be away: it restarts within seconds, and without one
// the build is lost anyway.
const (
	serverAway = 2 * time.Minute
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
)

// ask asks the server. An error that is a fault of kind Invalid is its no.
func (d *desk) ask(ctx context.Context, in agentapi.CredentialRequest) (credential *agentapi.Credential, err error) {
	err = patiently(ctx, "the server did not say how to log in to the source", func(ctx context.Context) (err error) {
		credential, err = d.client.Credential(ctx, in)
		return err
	})
	return credential, err
}

// patiently does what asks the server, again while the server restarts. An
// error that is a fault of kind Invalid or NotFound is its no; one of a server
// that stays away begins with complaint.
func patiently(ctx context.Context, complaint string, do func(context.Context) error) error {
	begin := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := do(ctx)
		switch kind := fault.KindOf(err); {
		case err == nil, errors.Is(err, agentapi.ErrGone), kind == fault.Invalid, kind == fault.NotFound:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Since(begin) > serverAway:
			return fmt.Errorf("%s: %w", complaint, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
