// Package gitlab speaks to gitlab.com and to self-managed GitLab.
package gitlab

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// A Provider is GitLab. Where it is comes with each call, so one Provider
// serves gitlab.com and every installation below any path.
type Provider struct {
	client *rest.Client
	now    func() time.Time
}

// New returns a Provider.
func New(o rest.Options) *Provider {
	p := &Provider{now: time.Now}
	p.client = rest.New(rest.Dialect{
		Name:      "GitLab",
		Header:    http.Header{"Accept": {"application/json"}},
		Authorize: authorize,
		Limited:   p.limited,
		Explain:   explain,
		Words:     words,
		Keep: []string{
			"X-Request-Id", "Ratelimit-Limit", "Ratelimit-Name", "Ratelimit-Observed", "Ratelimit-Remaining", "Ratelimit-Reset", "Ratelimit-Resettime", "Retry-After",
		},
	}, o)
	return p
}

// authorize sends a token as REST takes it: OAuth's as Bearer, the others in
// GitLab's own header.
func authorize(r *http.Request, by source.Login) {
	if by.Kind == slipway.TokenKindGitlabOauth {
		r.Header.Set("Authorization", "Bearer "+by.Token.Reveal())
		return
	}
	r.Header.Set("Private-Token", by.Token.Reveal())
}

// limited reports whether an answer is a rate limit: its body is plain text
// that the administrator chooses, so the status alone tells.
func (p *Provider) limited(a *rest.Answer) (time.Duration, bool) {
	if a.Status != http.StatusTooManyRequests {
		return 0, false
	}
	if after, ok := rest.RetryAfter(a.Header, p.now()); ok {
		return after, true
	}
	after, _ := rest.Until(a.Header, "RateLimit-Reset", p.now())
	return after, true
}

// project returns the address of a project in the API: its path, encoded, is
// as good as its number.
func project(r source.Repository) string {
	return r.APIBase + "/projects/" + url.PathEscape(r.FullName())
}

// get reads one thing at an address.
func (p *Provider) get(ctx context.Context, at source.Site, address string, by source.Login, v any) error {
	answer, err := p.client.Do(ctx, rest.Call{URL: address, At: at, By: by})
	if err != nil {
		return err
	}
	return answer.JSON(v)
}

// list reads all pages of a list, and gives every page to each.
func list[T any](ctx context.Context, p *Provider, at source.Site, address string, by source.Login, each func([]T) (more bool)) error {
	return p.client.Pages(ctx, rest.Call{URL: address, At: at, By: by}, nextPage, func(a *rest.Answer) (bool, error) {
		var page []T
		if err := a.JSON(&page); err != nil {
			return false, err
		}
		return each(page), nil
	})
}

// nextPage returns the address of the page after an answer, or "". Only what
// GitLab says of the query counts: behind a proxy it often names itself by an
// address that is not the one by which we reach it.
func nextPage(a *rest.Answer) string {
	next := *a.URL
	query := next.Query()
	if number := a.Header.Get("X-Next-Page"); number != "" {
		query.Set("page", number)
		next.RawQuery = query.Encode()
		return next.String()
	}
	link, err := url.Parse(rest.NextLink(a))
	if err != nil || link.RawQuery == "" || link.RawQuery == next.RawQuery {
		return ""
	}
	next.RawQuery = link.RawQuery
	return next.String()
}

// tokenPage is where a user makes a personal access token with these scopes:
// the form comes filled in.
func tokenPage(at source.Site, scopes ...string) string {
	return token.GitLabPage(at.WebBase, scopes...)
}

// Refs returns the commits that a repository's refs point at.
func (p *Provider) Refs(ctx context.Context, r source.Repository, by source.Login) (map[string]string, error) {
	return p.client.Refs(ctx, r, by)
}

// Branches returns the commits of a repository's branches, and which is the default.
func (p *Provider) Branches(ctx context.Context, r source.Repository, by source.Login) (byDefault string, all map[string]string, err error) {
	return p.client.Branches(ctx, r, by)
}
