package sigv4

import (
	"net/http"
	"strings"
)

const algorithm = "AWS4-HMAC-SHA256"

// Authorization is what an Authorization header says: who signed, for when,
// where and which service, over which headers.
type Authorization struct {
	KeyID         string
	Date          string // eight digits
	Region        string // lower-case letters, digits and hyphens
	Service       string
	SignedHeaders string // lower case, ascending, separated by semicolons
	Signature     string
}

// Bounds for what strangers send.
const (
	maxHeader = 8 << 10
	maxKeyID  = 128
)

// Regular expressions would cost more here than the signature itself.

func isDate(s string) bool {
	return len(s) == 8 && strings.Trim(s, "0123456789") == ""
}

func isRegion(s string) bool {
	return s != "" && len(s) <= 63 && 'a' <= s[0] && s[0] <= 'z' && only(s, "-")
}

func isHeaderName(s string) bool { return s != "" && only(s, "!#$%&'*+.^_`|~-") }

// only reports whether s has nothing but lower-case letters, digits and those of others.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// Parse reads an Authorization header. Its errors are of type *Error.
func Parse(header string) (Authorization, error) {
	rest, ok := strings.CutPrefix(header, algorithm)
	if !ok || rest == "" || (rest[0] != ' ' && rest[0] != '\t') || len(header) > maxHeader {
		return Authorization{}, &Error{Incomplete, "Authorization header must start with 'AWS4-HMAC-SHA256' and name Credential, SignedHeaders and Signature."}
	}
	var credential string
	var a Authorization
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var into *string
		switch name {
		case "Credential":
			into = &credential
		case "SignedHeaders":
			into = &a.SignedHeaders
		case "Signature":
			into = &a.Signature
		}
		if into == nil || *into != "" {
			return Authorization{}, &Error{Incomplete, "Authorization header must hold Credential, SignedHeaders and Signature, once each, separated by commas."}
		}
		*into = value
	}
	for _, p := range []struct{ name, value string }{{"Credential", credential}, {"Signature", a.Signature}, {"SignedHeaders", a.SignedHeaders}} {
		if p.value == "" {
			return Authorization{}, &Error{Incomplete, "Authorization header requires '" + p.name + "' parameter."}
		}
	}
	if err := a.scope(credential); err != nil {
		return Authorization{}, err
	}
	return a, a.checkSignedHeaders()
}

// scope reads the credential: key id, date, region, service and a terminator.
func (a *Authorization) scope(credential string) error {
	p := strings.SplitN(credential, "/", 6)
	switch {
	case len(p) != 5 || p[0] == "" || len(p[0]) > maxKeyID:
		return &Error{Incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."}
	case p[4] != "aws4_request":
		return &Error{Mismatch, "Credential should be scoped with a valid terminator: 'aws4_request'."}
	case !isDate(p[1]):
		return &Error{Mismatch, "Credential should be scoped to a valid date of the form YYYYMMDD."}
	case !isRegion(p[2]):
		return &Error{Mismatch, "Credential should be scoped to a valid region."}
	}
	a.KeyID, a.Date, a.Region, a.Service = p[0], p[1], p[2], p[3]
	return nil
}

// checkSignedHeaders asks for names in ascending order, as the signing method
// does. So no header is named twice, and what is hashed cannot be made larger
// than the request.
func (a *Authorization) checkSignedHeaders() error {
	last := ""
	for name := range strings.SplitSeq(a.SignedHeaders, ";") {
		if !isHeaderName(name) || name <= last {
			return &Error{Incomplete, "SignedHeaders must be lower-case header names in ascending order, separated by semicolons."}
		}
		last = name
	}
	return nil
}

// covers tells whether what must be signed of r is.
func (a *Authorization) covers(r *http.Request) error {
	signed := func(name string) bool { return strings.Contains(";"+a.SignedHeaders+";", ";"+name+";") }
	if !signed("host") {
		return &Error{Mismatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	// X-Amz-Target names the operation: unsigned, the signature of a reading
	// call would be good for a deleting one.
	for _, name := range []string{"x-amz-target", "x-amz-security-token"} {
		if len(r.Header.Values(name)) > 0 && !signed(name) {
			return &Error{Mismatch, "'" + name + "' must be a 'SignedHeader' in the AWS Authorization."}
		}
	}
	return nil
}

// authorization returns the Authorization of r.
func authorization(r *http.Request) (Authorization, error) {
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) == 1 && headers[0] != "":
		return Parse(headers[0])
	case len(headers) > 1:
		return Authorization{}, &Error{Incomplete, "A request has one Authorization header."}
	case strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") || strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm="):
		return Authorization{}, &Error{Incomplete, "Presigned URLs are not accepted here: sign the request in its Authorization header."}
	}
	return Authorization{}, &Error{Missing, missingText}
}
