// Package github speaks to GitHub and GitHub Enterprise Server.
package github

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
	"time"

	"slipway/internal/secret"
	"slipway/internal/source"
)

// Bounds of one call.
const (
	callTime  = 20 * time.Second // GitHub itself gives up after 10
	maxAnswer = 64 << 10
	redirects = 3
)

// maxDescription is how many characters of a status' description GitHub takes.
const maxDescription = 140

// A Provider is GitHub. Where it is comes with each source.Repository, so one
// Provider serves github.com and every GitHub Enterprise Server.
type Provider struct {
	http      *http.Client
	userAgent string
	now       func() time.Time
}

// New returns a Provider that calls with client, of which a copy is made; nil
// means http.DefaultClient. GitHub refuses an empty userAgent.
func New(client *http.Client, userAgent string) *Provider {
	if client == nil {
		client = http.DefaultClient
	}
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Provider{http: &c, userAgent: userAgent, now: time.Now}
}

// status is the body of "Create a commit status".
type status struct {
	State       source.State `json:"state"`
	TargetURL   string       `json:"target_url,omitzero"`
	Description string       `json:"description,omitzero"`
	Context     string       `json:"context,omitzero"`
}

// ReportStatus sets s on a commit. A description too long for GitHub is cut.
func (p *Provider) ReportStatus(ctx context.Context, r source.Repository, commit string, s source.Status, by source.Login) error {
	token := by.Token
	body, err := json.Marshal(status{State: s.State, TargetURL: s.TargetURL, Description: cut(s.Description, maxDescription), Context: s.Context})
	if err != nil {
		return fmt.Errorf("encode commit status: %w", err)
	}
	target := r.APIBase + "/repos/" + url.PathEscape(r.Owner) + "/" + url.PathEscape(r.Name) + "/statuses/" + url.PathEscape(commit)
	resp, answer, err := p.post(ctx, target, body, token)
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusCreated {
		return nil
	}
	return p.refusal(resp, answer, r, token)
}

// post sends body to target. GitHub redirects a renamed repository; that is
// followed with the token on the same host only.
func (p *Provider) post(ctx context.Context, target string, body []byte, token secret.Text) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for range redirects {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
		if err != nil {
			return nil, nil, &source.Refusal{Message: "The address of the repository's API is no URL"}
		}
		req.Header.Set("Accept", "application/vnd.github+json")
		req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", p.userAgent)
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
		resp, err := p.http.Do(req)
		if err != nil {
			return nil, nil, unreachable(ctx, req, err)
		}
		answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		resp.Body.Close()
		if err != nil {
			return nil, nil, unreachable(ctx, req, err)
		}
		if !moved(resp.StatusCode) {
			return resp, answer, nil
		}
		next, err := resp.Location()
		if err != nil || next.Scheme != req.URL.Scheme || next.Host != req.URL.Host {
			return nil, nil, &source.Refusal{HTTPStatus: resp.StatusCode, Message: fmt.Sprintf("GitHub answered %d: it redirects to another host, where the token is not sent", resp.StatusCode)}
		}
		next.User = nil
		target = next.String()
	}
	return nil, nil, &source.Refusal{Message: "GitHub redirects again and again"}
}

func moved(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// unreachable is the Refusal of a provider that gave no whole answer.
func unreachable(ctx context.Context, req *http.Request, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // its text repeats the URL
	}
	reason := "the connection failed"
	switch ne, ok := errors.AsType[net.Error](err); {
	case ctx.Err() != nil || ok && ne.Timeout():
		reason = "no answer in time"
	case ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		reason = err.Error()
	}
	if te, ok := certificate(err); ok {
		reason = te
	}
	return &source.Refusal{Again: true, Message: fmt.Sprintf("GitHub at %s could not be reached: %s", req.URL.Host, reason)}
}

// cut shortens s to at most n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
