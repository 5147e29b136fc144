package awsjson

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"slipway/internal/accesskey"
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
