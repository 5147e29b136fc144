package rest

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"slipway/internal/source"
)

// maxTransports bounds the sites with certificates of their own whose
// connections are kept.
const maxTransports = 64

// transports are the connections to sites: one for all that this machine trusts
// by itself, and one for each other set of certificates.
type transports struct {
	usual http.RoundTripper

	mu   sync.Mutex // guards own
	own  map[trust]*http.Transport
	base *http.Transport
}

// A trust is what tells transports apart.
type trust struct {
	ca       [sha256.Size]byte
	insecure bool
}

func newTransports(usual http.RoundTripper) *transports {
	base := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxIdleConns: 32, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	if usual == nil {
		usual = base
	}
	return &transports{usual: usual, own: map[trust]*http.Transport{}, base: base}
}

// of returns the connections to a site.
func (t *transports) of(at source.Site) http.RoundTripper {
	if at.CA == "" && !at.Insecure {
		return t.usual
	}
	key := trust{sha256.Sum256([]byte(at.CA)), at.Insecure}
	t.mu.Lock()
	defer t.mu.Unlock()
	if have := t.own[key]; have != nil {
		return have
	}
	if len(t.own) >= maxTransports {
		for k, old := range t.own {
			old.CloseIdleConnections()
			delete(t.own, k)
		}
	}
	own := t.base.Clone()
	own.TLSClientConfig = &tls.Config{InsecureSkipVerify: at.Insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // what its owner asked for
	if at.CA != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM([]byte(at.CA))
		own.TLSClientConfig.RootCAs = roots
	}
	t.own[key] = own
	return own
}
