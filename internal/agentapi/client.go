package agentapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"slipway/internal/fault"
)

// ErrGone means that this agent no longer holds its build, or never did: it
// ends everything at once and reports nothing more.
var ErrGone = errors.New("the build is no longer this agent's")

// How much of an answer is read, and how long a request may take.
const (
	maxAnswer   = 16 << 20 // Work holds the buildspec and every variable
	maxRefusal  = 64 << 10
	requestTime = time.Minute
	expectTime  = 10 * time.Second // for a server to say whether it wants a body
)

// A Client is the agent's side. It retries nothing itself. An error that
// errors.Is ErrGone ends the build; one whose fault.KindOf is Invalid refuses
// this request for good, with a sentence in fault.Message, and NotFound says
// that there is no such object; anything else is worth trying again, since the
// server may be restarting. Methods may be called from several goroutines.
type Client struct {
	http    *http.Client
	patient *http.Client // for objects: bounded by the caller's context and by nothing else
	base    string       // of this build, with the final slash
	token   Bearer
}

// NewClient returns the client of one build's agent. It connects at the first
// request; a Launch.Server it cannot use is that request's error.
func NewClient(l Launch) *Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	transport := &http.Transport{
		DialContext:           dialer.DialContext,
		MaxIdleConnsPerHost:   2, // reports and log frames go side by side
		IdleConnTimeout:       time.Minute,
		ExpectContinueTimeout: expectTime,
		TLSHandshakeTimeout:   10 * time.Second,
	}
	base := strings.TrimSuffix(l.Server, "/")
	if path, ok := strings.CutPrefix(l.Server, "unix://"); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialUnix(ctx, dialer, path)
		}
		base = "http://slipway"
	}
	// The token goes to the server it was made for and nowhere else.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		http:    &http.Client{Transport: transport, Timeout: requestTime, CheckRedirect: stay},
		patient: &http.Client{Transport: transport, CheckRedirect: stay},
		base:    base + Path + url.PathEscape(l.BuildID) + "/",
		token:   l.Token,
	}
}

// Begin tells the server that the agent lives and returns its work.
func (c *Client) Begin(ctx context.Context) (*Work, error) {
	return call[Work](ctx, c, "begin", nil)
}

// Credential returns the login to one source, or to a submodule of it, only
// until the fetch has ended.
func (c *Client) Credential(ctx context.Context, in CredentialRequest) (*Credential, error) {
	return call[Credential](ctx, c, "credential", in)
}

// Report tells what happened; without events it is a sign of life.
func (c *Client) Report(ctx context.Context, in Report) (*Answer, error) {
	return call[Answer](ctx, c, "report", in)
}

// Log sends the log frame number seq, counted from 0. The frame is the
// caller's again when Log returns.
func (c *Client) Log(ctx context.Context, seq uint64, frame []byte) error {
	_, err := c.post(ctx, "log?seq="+strconv.FormatUint(seq, 10), "application/octet-stream", frame)
	return err
}

// Secrets returns the values of references, until DOWNLOAD_SOURCE has ended.
func (c *Client) Secrets(ctx context.Context, in SecretsRequest) (*Secrets, error) {
	return call[Secrets](ctx, c, "secrets", in)
}

// PutReport has a report of the build kept.
func (c *Client) PutReport(ctx context.Context, in ReportUpload) (*ReportStored, error) {
	return call[ReportStored](ctx, c, "reports", in)
}

// Close drops the connections that are kept for the next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func call[Out any](ctx context.Context, c *Client, what string, in any) (*Out, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("encode %s: %w", what, err)
		}
	}
	answer, err := c.post(ctx, what, "application/json", body)
	if err != nil {
		return nil, err
	}
	out := new(Out)
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("the server's answer to %s is not understood", what) // it may hold a token: no detail
	}
	return out, nil
}

func (c *Client) post(ctx context.Context, what, contentType string, body []byte) ([]byte, error) {
	resp, err := c.send(ctx, c.http, http.MethodPost, what, http.Header{"Content-Type": {contentType}}, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("%s: the answer has more than %d bytes", what, maxAnswer)
	}
	return answer, nil
}

// send returns the answer if it is 200, whose body the caller closes.
func (c *Client) send(ctx context.Context, by *http.Client, method, what string, header http.Header, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+what, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	r.Header = header
	r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	resp, err := by.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusGone:
		return nil, fmt.Errorf("%s: %w", what, ErrGone)
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return nil, fault.New(fault.Invalid, "%s", messageOf(answer))
	case http.StatusNotFound:
		return nil, fault.New(fault.NotFound, "%s", messageOf(answer))
	}
	return nil, fmt.Errorf("%s: the server answered %d: %s", what, resp.StatusCode, messageOf(answer))
}

// messageOf returns the sentence in a refusal.
func messageOf(answer []byte) string {
	var in refusal
	if err := json.Unmarshal(answer, &in); err != nil || in.Message == "" {
		return "no reason given"
	}
	return in.Message
}
