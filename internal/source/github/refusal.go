package github

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"slipway/internal/secret"
	"slipway/internal/source"
)

// How long to wait when GitHub limits us.
const (
	secondaryWait = time.Minute // GitHub asks for this much if it names no time
	longestWait   = 2 * time.Hour
)

// maxMessage is how many characters of the provider's words are kept.
const maxMessage = 300

// refusal explains an answer that is not the wanted one.
func (p *Provider) refusal(resp *http.Response, body []byte, r source.Repository, token secret.Text) *source.Refusal {
	var said struct {
		Message          string `json:"message"`
		DocumentationURL string `json:"documentation_url"`
	}
	// Whatever answers in GitHub's place may not speak JSON.
	_ = json.Unmarshal(body, &said)
	words := clean(said.Message, token)
	if words == "" {
		words = strings.ToLower(http.StatusText(resp.StatusCode))
	}
	out := &source.Refusal{HTTPStatus: resp.StatusCode, Message: fmt.Sprintf("GitHub answered %d: %s", resp.StatusCode, words)}
	if after, limited := p.limited(resp, said.DocumentationURL, said.Message); limited {
		out.Again, out.After = true, after
		return out
	}
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusRequestTimeout {
		out.Again = true
		return out
	}
	if hint := hint(resp, r); hint != "" {
		out.Message = strings.TrimSuffix(out.Message, ".") + ". " + clean(hint, token)
	}
	return out
}

// limited reports whether the answer is a rate limit, and how long to wait.
// GitHub says 403 as often as 429 for these.
func (p *Provider) limited(resp *http.Response, documentation, message string) (time.Duration, bool) {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return bounded(time.Duration(min(seconds, 1<<20)) * time.Second), true
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		reset, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
		if err != nil || reset < 0 || reset > 1<<40 {
			return secondaryWait, true
		}
		return bounded(time.Unix(reset, 0).Sub(p.now())), true
	}
	secondary := strings.HasSuffix(documentation, "secondary-rate-limits") || strings.HasSuffix(documentation, "#abuse-rate-limits") ||
		strings.Contains(strings.ToLower(message), "secondary rate limit")
	return secondaryWait, secondary || resp.StatusCode == http.StatusTooManyRequests
}

func bounded(d time.Duration) time.Duration { return max(time.Second, min(d, longestWait)) }

// hint says what the token's owner can do about a refusal, if GitHub does not.
func hint(resp *http.Response, r source.Repository) string {
	repository := r.Owner + "/" + r.Name
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return "The imported token is wrong, expired or revoked: import a new one"
	case http.StatusNotFound:
		return "The imported token does not reach " + repository + ", or may not write its commit statuses"
	case http.StatusForbidden:
		if _, link, ok := strings.Cut(resp.Header.Get("X-GitHub-SSO"), "url="); ok {
			return "Authorize the token for the organization at " + link
		}
		return "The imported token needs the permission to write commit statuses on " + repository
	}
	return ""
}

// clean makes a stranger's words fit to show: one bounded line without the token.
func clean(s string, token secret.Text) string {
	if !token.IsZero() {
		s = strings.ReplaceAll(s, token.Reveal(), "[redacted]")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return cut(strings.Join(strings.Fields(s), " "), maxMessage)
}

// certificate returns what is wrong with the server's certificate, if that is
// why the connection failed.
func certificate(err error) (string, bool) {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error(), true
	}
	return "", false
}
