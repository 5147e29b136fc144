package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// How long to wait when a provider limits us.
const (
	shortWait   = time.Minute // if it names no time
	longestWait = 2 * time.Hour
)

// maxMessage is how many characters of the provider's words are kept.
const maxMessage = 300

// causes is what a status says by itself.
var causes = map[int]slipway.FailureCause{
	http.StatusUnauthorized:        slipway.FailureCauseBadToken,
	http.StatusForbidden:           slipway.FailureCauseMissingScope,
	http.StatusNotFound:            slipway.FailureCauseNotVisible,
	http.StatusGone:                slipway.FailureCauseGone,
	http.StatusConflict:            slipway.FailureCauseConflict,
	http.StatusTooManyRequests:     slipway.FailureCauseRateLimited,
	http.StatusBadRequest:          slipway.FailureCauseRejected,
	http.StatusUnprocessableEntity: slipway.FailureCauseRejected,
}

// refusal explains why a call has no wanted answer: err, if it has none at all.
func (c *Client) refusal(call Call, a *Answer, err error) *source.Refusal {
	if err != nil {
		if r, ok := errors.AsType[*source.Refusal](err); ok {
			return r
		}
		return &source.Refusal{Cause: slipway.FailureCauseUnreachable, Again: true, Message: c.dialect.Name + " could not be called."}
	}
	words := Clean(c.dialect.Words(a), call.By.Token)
	if words == "" {
		words = strings.ToLower(http.StatusText(a.Status))
	}
	r := &source.Refusal{HTTPStatus: a.Status, Cause: causes[a.Status], Header: c.kept(a.Header)}
	r.Message = fmt.Sprintf("%s answered %d: %s", c.dialect.Name, a.Status, ended(words))
	if r.Cause == "" {
		r.Cause = slipway.FailureCauseProviderError
	}
	if after, limited := c.dialect.Limited(a); limited {
		if after == 0 {
			after = shortWait
		}
		r.Cause, r.Again, r.After = slipway.FailureCauseRateLimited, true, max(time.Second, min(after, longestWait))
		r.NextStep = "The provider limits how often it may be called: it is tried again by itself."
		return r
	}
	if a.Status >= 500 || a.Status == http.StatusRequestTimeout {
		r.Cause, r.Again = slipway.FailureCauseProviderError, a.Status != http.StatusNotImplemented
		return r
	}
	c.dialect.Explain(a, r, call)
	r.Message, r.NextStep = Hidden(r.Message, call.By.Token), Hidden(r.NextStep, call.By.Token)
	return r
}

func (c *Client) kept(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range c.dialect.Keep {
		if v := h.Values(name); len(v) > 0 {
			out[http.CanonicalHeaderKey(name)] = v
		}
	}
	return out
}

// RetryAfter reads the header of this name, in seconds or as a date.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 1<<20)) * time.Second, true
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

// Until reads a header that holds a time in Unix seconds.
func Until(h http.Header, name string, now time.Time) (time.Duration, bool) {
	at, err := strconv.ParseInt(h.Get(name), 10, 64)
	if err != nil || at <= 0 || at > 1<<40 {
		return 0, false
	}
	return max(0, time.Unix(at, 0).Sub(now)), true
}

// unreachable is the Refusal of a provider that gave no whole answer.
func (c *Client) unreachable(ctx context.Context, at *url.URL, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // its text repeats the URL
	}
	r := &source.Refusal{Cause: slipway.FailureCauseUnreachable, Again: true, NextStep: "Check the address, and that this machine reaches it (DNS, firewall, proxy)."}
	reason := "the connection failed"
	ne, isNet := errors.AsType[net.Error](err)
	switch certificate, bad := certificate(err); {
	case bad:
		reason = certificate
		r.Cause = slipway.FailureCauseCertificate
		r.NextStep = "If its certificate comes from a private authority, import the token again with --ca-file and the file of that authority's certificate, or start the server with it in SSL_CERT_FILE."
	case ctx.Err() != nil || isNet && ne.Timeout():
		reason = "no answer in time"
	case isNet || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		reason = err.Error()
	}
	r.Message = fmt.Sprintf("%s at %s could not be reached: %s.", c.dialect.Name, at.Host, strings.TrimSuffix(reason, "."))
	return r
}

// certificate returns what is wrong with a server's certificate, if that is why
// the connection failed.
func certificate(err error) (string, bool) {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error(), true
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return e.Error(), true
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS: " + e.Msg, true
	}
	return "", false
}

// Clean makes a stranger's words fit to show: one bounded line without the token.
func Clean(words string, by secret.Text) string {
	words = Hidden(strings.ToValidUTF8(words, ""), by)
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, words)
	// Once more: without control characters it may be whole for the first time.
	return Cut(Hidden(strings.Join(strings.Fields(words), " "), by), maxMessage)
}

// Cut shortens s to at most n characters.
func Cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// ended returns words as a sentence.
func ended(words string) string {
	if strings.ContainsAny(words[len(words)-1:], ".!?") {
		return words
	}
	return words + "."
}
