package registrar

import (
	"net/url"
	"strings"

	"slipway/internal/fault"
)

// ParsePublicURL reads the address under which providers reach us and returns
// it as Options take it; "" is none. It may have a path, which a proxy before us
// may remove. What is wrong is Invalid, and the error does not repeat the text.
func ParsePublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#") {
		return "", fault.New(fault.Invalid, "expected an http or https URL without a user name or query, such as https://ci.example.com")
	}
	return strings.TrimRight(u.String(), "/"), nil
}
