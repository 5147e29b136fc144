package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A view is how the client of a request may have seen us, when a proxy between
// us changed the request. The zero view is how it came.
type view struct {
	host string // in place of the Host header, if not empty
	path string // in place of the path, if not empty; escaped
}

// appendCanonical appends the canonical form of r, in which signer and verifier
// must agree byte for byte.
func appendCanonical(b []byte, r *http.Request, as view, signedHeaders string, body hexHash) []byte {
	b = append(b, r.Method...)
	b = append(b, '\n')
	path, query := target(r)
	if as.path != "" {
		path = as.path
	}
	b = appendPath(b, path)
	b = append(b, '\n')
	b = appendQuery(b, query)
	b = append(b, '\n')
	for name := range strings.SplitSeq(signedHeaders, ";") {
		b = append(b, name...)
		b = append(b, ':')
		if name == "host" && as.host != "" {
			b = append(b, as.host...)
		} else {
			b = appendHeader(b, r, name)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, signedHeaders...)
	b = append(b, '\n')
	return append(b, body[:]...)
}

// target returns path and query as they are, or will be, on the wire.
func target(r *http.Request) (path, query string) {
	if strings.HasPrefix(r.RequestURI, "/") { // set for requests that came in
		path, query, _ = strings.Cut(r.RequestURI, "?")
		return path, query
	}
	return r.URL.EscapedPath(), r.URL.RawQuery
}

// appendPath appends path without dot segments and doubled slashes, and escaped
// once more than it is on the wire, as every service but S3 has it.
func appendPath(b []byte, path string) []byte {
	if path == "" || path == "/" {
		return append(b, '/')
	}
	var kept []string
	for s := range strings.SplitSeq(path, "/") {
		switch s {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, s)
		}
	}
	for _, s := range kept {
		b = append(b, '/')
		b = appendEscaped(b, s)
	}
	if len(kept) == 0 || strings.HasSuffix(path, "/") {
		b = append(b, '/')
	}
	return b
}

// appendQuery appends the parameters, each escaped anew, by name and value.
func appendQuery(b []byte, query string) []byte {
	if query == "" {
		return b
	}
	type parameter struct{ name, value string }
	var parameters []parameter
	for p := range strings.SplitSeq(query, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		parameters = append(parameters, parameter{escapedAnew(name), escapedAnew(value)})
	}
	slices.SortFunc(parameters, func(x, y parameter) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range parameters {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p.name...)
		b = append(b, '=')
		b = append(b, p.value...)
	}
	return b
}

func escapedAnew(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return string(appendEscaped(nil, s))
}

// appendEscaped appends s with everything but RFC 3986's unreserved characters escaped.
func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// appendHeader appends the values of a header, separated by commas. net/http
// keeps Host, and sometimes Content-Length, beside the other headers.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	if name == "host" {
		host := r.Host
		if host == "" {
			host = r.URL.Host
		}
		return append(b, host...)
	}
	values := r.Header.Values(name)
	if len(values) == 0 && name == "content-length" && r.ContentLength >= 0 {
		return strconv.AppendInt(b, r.ContentLength, 10)
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b
}

// appendTrimmed appends v without spaces at its ends and with runs of spaces made one.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	if !strings.Contains(v, "  ") {
		return append(b, v...)
	}
	for i := range len(v) {
		if v[i] == ' ' && v[i-1] == ' ' { // v[0] is no space
			continue
		}
		b = append(b, v[i])
	}
	return b
}
