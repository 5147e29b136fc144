package awsjson

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/sigv4"
)

func withDefaults(c accesskey.Caller) accesskey.Caller {
	for into, value := range map[*string]string{&c.Scope.Account: "000000000000", &c.Scope.Region: "us-east-1", &c.User: "local"} {
		if *into == "" {
			*into = value
		}
	}
	return c
}

// identify returns the context of an operation: with where the request came from
// and its caller, unless anybody may call it.
func (x *exchange) identify(op *api.Operation, body []byte) (context.Context, error) {
	ctx := accesskey.WithRemote(x.request.Context(), remote(x.request))
	if op.Unsigned {
		switch {
		case x.AcceptAny && rebound(x.request):
			return nil, rebinding
		case x.foreign():
			return nil, otherOrigin
		}
		return ctx, nil
	}
	caller, err := x.caller(body, x.service)
	if err != nil {
		return nil, err
	}
	return accesskey.WithCaller(ctx, caller), nil
}

// maxForwarded bounds, in bytes, what is kept of what strangers say.
const maxForwarded = 200

func remote(r *http.Request) accesskey.Remote {
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ", ")
	return accesskey.Remote{Address: r.RemoteAddr, Forwarded: strings.ToValidUTF8(forwarded[:min(len(forwarded), maxForwarded)], "")}
}

// foreign reports whether the request comes from a page that we did not serve,
// as far as its browser tells: pages of others have no business with what
// anybody may call.
func (x *exchange) foreign() bool {
	origin := x.request.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return true
	}
	host := hostOf(u)
	own := url.URL{Scheme: u.Scheme, Host: x.request.Host} // the scheme that a proxy got is not known here
	return host != hostOf(&own) && host != x.public
}

// hostOf returns the host of u, and its port if it is not its scheme's own.
func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// caller returns who sent the request with this body to a service.
func (x *exchange) caller(body []byte, service string) (accesskey.Caller, error) {
	if !x.AcceptAny {
		return x.verifier.Verify(x.request, body, service)
	}
	if rebound(x.request) {
		return accesskey.Caller{}, rebinding
	}
	c := x.Default
	if a, err := sigv4.Parse(x.request.Header.Get("Authorization")); err == nil {
		c.KeyID, c.Scope.Region = strings.Clone(a.KeyID), strings.Clone(a.Region)
	}
	return c, nil
}

// rebound reports whether r may come from a web page whose owner made its name
// resolve to our address: to the browser such a page is of the same origin as
// we are, and without signatures nothing else would keep it from starting
// builds on its visitor's machine. Browsers send Origin, other clients do not.
func rebound(r *http.Request) bool {
	if r.Header.Get("Origin") == "" {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return false
	}
	return host != "localhost" && !strings.HasSuffix(host, ".localhost")
}
