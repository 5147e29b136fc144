// Package rest is the one way in which providers are called over HTTP: it keeps
// tokens on their host, repeats what may be repeated, honours rate limits, and
// turns every answer that is not the wanted one into a source.Refusal.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// Bounds of one call.
const (
	callTime  = 20 * time.Second // GitHub itself gives up after 10
	maxAnswer = 8 << 20          // bytes of an answer
	redirects = 3                // on the same host
	tries     = 5                // of a call that may be repeated
	patience  = 10 * time.Second // the longest wait between two tries; longer ones are the caller's to wait
	maxPages  = 200              // of one list
)

// A Dialect is what differs between providers in how they are called.
type Dialect struct {
	Name      string                               // of the provider, in sentences: "GitHub"
	Header    http.Header                          // sent with every call
	Authorize func(*http.Request, source.Login)    // adds the login, which is not zero
	Limited   func(*Answer) (time.Duration, bool)  // whether an answer is a rate limit, and how long to wait; 0 means not said
	Explain   func(*Answer, *source.Refusal, Call) // fills in what the provider's answer means; Cause and Message are set before to what the status alone says
	Words     func(*Answer) string                 // the provider's own words in an answer
	Keep      []string                             // headers of answers that a Refusal keeps for diagnosis
}

// A Client calls the installations of one kind of provider. Its methods may be
// called from several goroutines.
type Client struct {
	dialect   Dialect
	userAgent string
	transport *transports
	pause     func(ctx context.Context, d time.Duration) error
}

// Options tunes a Client. The zero value is ready for production.
type Options struct {
	Transport http.RoundTripper                                // for sites without certificates of their own; nil means a new one
	UserAgent string                                           // GitHub refuses an empty one; "" means slipway
	Pause     func(ctx context.Context, d time.Duration) error // waits before a try is repeated; nil means to wait
}

// New returns a Client that speaks a dialect.
func New(d Dialect, o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "slipway"
	}
	if o.Pause == nil {
		o.Pause = wait
	}
	return &Client{dialect: d, userAgent: o.UserAgent, transport: newTransports(o.Transport), pause: o.Pause}
}

// A Call is one request.
type Call struct {
	Method     string // "" means GET
	URL        string // whole; it must be at the site's API base or web base
	At         source.Site
	By         source.Login // zero means without
	Header     http.Header  // beside the dialect's
	Body       any          // sent as JSON; nil means none
	Want       []int        // statuses that are no refusal; nil means any 2xx
	Repeatable bool         // whether a call that is not a GET may be sent again when nobody knows whether it arrived
	Git        bool         // the login goes as git sends it, not as REST takes it
}

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	URL    *url.URL // that was asked last
}

// JSON decodes the answer into v.
func (a *Answer) JSON(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return &source.Refusal{Cause: slipway.FailureCauseProviderError, HTTPStatus: a.Status, Again: true,
			Message:  fmt.Sprintf("%s answered %d with something that is not the JSON its API promises.", a.URL.Host, a.Status),
			NextStep: "Check that the address is that of the provider itself, not of a proxy or login page."}
	}
	return nil
}

// Do sends a call and returns the answer, or a *source.Refusal. Reading calls,
// and those marked so, are repeated if the provider is overloaded or away, or
// limits us for no longer than some seconds; what would take longer is a
// Refusal with Again and After.
func (c *Client) Do(ctx context.Context, call Call) (*Answer, error) {
	if call.Method == "" {
		call.Method = http.MethodGet
	}
	body, err := encode(call.Body)
	if err != nil {
		return nil, err
	}
	repeatable := call.Repeatable || call.Method == http.MethodGet || call.Method == http.MethodHead
	for try := 1; ; try++ {
		answer, err := c.send(ctx, call, body)
		if err == nil && wanted(answer.Status, call.Want) {
			return answer, nil
		}
		refusal := c.refusal(call, answer, err)
		delay := max(refusal.After, backoff(try))
		if !repeatable || !refusal.Again || refusal.Cause == slipway.FailureCauseCertificate || try == tries || delay > patience || ctx.Err() != nil {
			return nil, refusal
		}
		if err := c.pause(ctx, delay); err != nil {
			return nil, refusal
		}
	}
}

// Pages sends a call for each page of a list, following what next says of the
// answer until it says "", and gives each to each. More than 200 pages are an
// error: nothing we list is that long.
func (c *Client) Pages(ctx context.Context, call Call, next func(*Answer) string, each func(*Answer) (more bool, err error)) error {
	for range maxPages {
		answer, err := c.Do(ctx, call)
		if err != nil {
			return err
		}
		more, err := each(answer)
		if err != nil || !more {
			return err
		}
		after := next(answer)
		if after == "" {
			return nil
		}
		to, err := answer.URL.Parse(after)
		if err != nil || to.Host != answer.URL.Host || to.Scheme != answer.URL.Scheme {
			return &source.Refusal{Cause: slipway.FailureCauseProviderError, Message: c.dialect.Name + " names a next page at another host, where the token is not sent."}
		}
		call.URL = to.String()
	}
	return &source.Refusal{Cause: slipway.FailureCauseProviderError, Message: c.dialect.Name + " has more pages than can be read."}
}

// NextLink returns the URL with rel=next of a Link header, or "".
func NextLink(a *Answer) string {
	for _, line := range a.Header.Values("Link") {
		for part := range strings.SplitSeq(line, ",") {
			target, parameters, ok := strings.Cut(part, ";")
			target = strings.TrimSpace(target)
			if ok && strings.Contains(parameters, `rel="next"`) && strings.HasPrefix(target, "<") && strings.HasSuffix(target, ">") {
				return target[1 : len(target)-1]
			}
		}
	}
	return ""
}

// send sends a call once, following redirects on the same host: a provider
// redirects what was renamed, and the token must not go elsewhere.
func (c *Client) send(ctx context.Context, call Call, body []byte) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	client := &http.Client{
		Transport:     c.transport.of(call.At),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	target := call.URL
	for range redirects + 1 {
		req, err := http.NewRequestWithContext(ctx, call.Method, target, bytes.NewReader(body))
		if err != nil || !within(req.URL, call.At) {
			return nil, &source.Refusal{Cause: slipway.FailureCauseRejected, Message: "The address of the API is none of " + c.dialect.Name + "'s: the token is not sent there."}
		}
		for _, headers := range []http.Header{c.dialect.Header, call.Header} {
			for name, values := range headers {
				req.Header[name] = slices.Clone(values)
			}
		}
		req.Header.Set("User-Agent", c.userAgent)
		if call.Body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		switch {
		case call.By.IsZero():
		case call.Git:
			req.SetBasicAuth(call.By.GitUser(), call.By.Token.Reveal())
		default:
			c.dialect.Authorize(req, call.By)
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, c.unreachable(ctx, req.URL, err)
		}
		answer := &Answer{Status: resp.StatusCode, Header: resp.Header, URL: req.URL}
		answer.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return nil, c.unreachable(ctx, req.URL, err)
		}
		if len(answer.Body) > maxAnswer {
			return nil, &source.Refusal{Cause: slipway.FailureCauseProviderError, HTTPStatus: answer.Status, Message: fmt.Sprintf("%s answered with more than %d MiB.", c.dialect.Name, maxAnswer>>20)}
		}
		if !moved(answer.Status) {
			return answer, nil
		}
		next, err := resp.Location()
		if err != nil || !sameHost(next, req.URL) {
			where := "elsewhere"
			if err == nil {
				where = "to " + next.Host
			}
			return nil, &source.Refusal{Cause: slipway.FailureCauseMoved, HTTPStatus: answer.Status,
				Message:  fmt.Sprintf("%s at %s redirects %s, where the token is not sent.", c.dialect.Name, req.URL.Host, where),
				NextStep: "If the repository or server has moved, change the project's source location."}
		}
		next.User = nil
		target = next.String()
	}
	return nil, &source.Refusal{Cause: slipway.FailureCauseProviderError, Again: true, Message: c.dialect.Name + " redirects again and again."}
}

// within reports whether u is at the site: its API's or its web pages' host.
func within(u *url.URL, at source.Site) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	for _, base := range []string{at.APIBase, at.WebBase} {
		b, err := url.Parse(base)
		if err == nil && b.Host != "" && sameHost(b, u) {
			return true
		}
	}
	return false
}

func sameHost(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

func moved(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func wanted(status int, want []int) bool {
	if want == nil {
		return status >= 200 && status < 300
	}
	return slices.Contains(want, status)
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode a call's body: %w", err)
	}
	return text, nil
}

// backoff is how long to wait after so many tries: 0.2 s, 0.4 s, … with jitter.
func backoff(try int) time.Duration {
	d := 200 * time.Millisecond << min(try-1, 6)
	return d/2 + rand.N(d)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Hidden replaces a secret in a stranger's words, also in the forms in which it
// travels.
func Hidden(words string, by secret.Text) string {
	if by.IsZero() {
		return words
	}
	for _, form := range []string{by.Reveal(), url.QueryEscape(by.Reveal()), url.PathEscape(by.Reveal())} {
		words = strings.ReplaceAll(words, form, "[redacted]")
	}
	return words
}
