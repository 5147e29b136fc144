// Package bitbucket speaks to Bitbucket Cloud. Bitbucket Data Center has
// another API and is not spoken to.
package bitbucket

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// A Provider is Bitbucket Cloud. It satisfies source.Provider, Hooker, Lister,
// Detailer and RoleReader.
type Provider struct{ client *rest.Client }

// New returns a Provider.
func New(o rest.Options) *Provider {
	return &Provider{client: rest.New(dialect, o)}
}

var dialect = rest.Dialect{
	Name:      "Bitbucket",
	Header:    http.Header{"Accept": {"application/json"}},
	Authorize: authorize,
	Limited:   limited,
	Explain:   explain,
	Words:     words,
	Keep: []string{
		"X-Oauth-Scopes", "X-Accepted-Oauth-Scopes", "X-Credential-Type", "X-Request-Id", "Atl-Traceid",
		"X-Ratelimit-Limit", "X-Ratelimit-Resource", "X-Ratelimit-Nearlimit", "Retry-After",
	},
}

// authorize sends a user's API token beside the account's e-mail address, and
// an access token as a bearer: Bitbucket refuses each the other way.
func authorize(r *http.Request, by source.Login) {
	if basic(by) {
		r.SetBasicAuth(by.Username, by.Token.Reveal())
		return
	}
	r.Header.Set("Authorization", "Bearer "+by.Token.Reveal())
}

func basic(by source.Login) bool {
	switch by.Kind {
	case slipway.TokenKindBitbucketApiToken, slipway.TokenKindBitbucketAppPassword:
		return true
	case slipway.TokenKindBitbucketAccessToken, slipway.TokenKindBitbucketRepositoryToken,
		slipway.TokenKindBitbucketProjectToken, slipway.TokenKindBitbucketWorkspaceToken:
		return false
	}
	return strings.Contains(by.Username, "@")
}

// limited knows a rate limit. Bitbucket does not say for how long: its limits
// are counted over the last hour, so the usual minute is waited, again and again.
func limited(a *rest.Answer) (time.Duration, bool) {
	if a.Status != http.StatusTooManyRequests {
		return 0, false
	}
	after, _ := rest.RetryAfter(a.Header, time.Now())
	return after, true
}

// A problem is the body of an answer that is not what was asked for.
type problem struct {
	Error struct {
		Message string              `json:"message"`
		Detail  json.RawMessage     `json:"detail"` // a sentence, or lacking
		Fields  map[string][]string `json:"fields"`
		Data    announcement        `json:"data"`
	} `json:"error"`
	Data announcement `json:"data"`
}

type announcement struct {
	URL string `json:"announcement_url"`
}

// lacking is which scopes an endpoint asks for, and which a token has.
type lacking struct {
	Required []string `json:"required"`
	Granted  []string `json:"granted"`
}

// problemOf reads what went wrong; what is not as documented reads as nothing.
func problemOf(a *rest.Answer) (p problem, l lacking) {
	if json.Unmarshal(a.Body, &p) != nil {
		return problem{}, lacking{}
	}
	if json.Unmarshal(p.Error.Detail, &l) != nil {
		l = lacking{}
	}
	return p, l
}

func words(a *rest.Answer) string {
	p, _ := problemOf(a)
	said := p.Error.Message
	var detail string
	if json.Unmarshal(p.Error.Detail, &detail) == nil && detail != "" {
		said = strings.TrimRight(said, ". ") + ". " + detail
	}
	for _, field := range sortedKeys(p.Error.Fields) {
		said = strings.TrimRight(said, ". ") + ". " + field + ": " + strings.Join(p.Error.Fields[field], " ")
	}
	if said == "" && strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		said = string(a.Body)
	}
	return said
}

// do sends a call unless it is known beforehand that the login cannot work.
func (p *Provider) do(ctx context.Context, call rest.Call) (*rest.Answer, error) {
	if r := unusable(call.By); r != nil {
		return nil, r
	}
	return p.client.Do(ctx, call)
}

// read gets what is at a URL of the API into v.
func (p *Provider) read(ctx context.Context, at source.Site, by source.Login, target string, v any) error {
	a, err := p.do(ctx, rest.Call{URL: target, At: at, By: by})
	if err != nil {
		return err
	}
	return a.JSON(v)
}

// each gets every page of a list of T and calls one for each value until it
// says that it has enough.
func each[T any](ctx context.Context, p *Provider, at source.Site, by source.Login, target string, one func(T) (more bool)) error {
	if r := unusable(by); r != nil {
		return r
	}
	var page struct {
		Values []T    `json:"values"`
		Next   string `json:"next"`
	}
	next := func(*rest.Answer) string { return page.Next }
	return p.client.Pages(ctx, rest.Call{URL: target, At: at, By: by}, next, func(a *rest.Answer) (bool, error) {
		page.Values, page.Next = nil, ""
		if err := a.JSON(&page); err != nil {
			return false, err
		}
		for _, v := range page.Values {
			if !one(v) {
				return false, nil
			}
		}
		return true, nil
	})
}

// repositoryURL returns the address of something of a repository in the API.
// Elements are escaped; what comes after a question mark is not.
func repositoryURL(r source.Repository, elements ...string) string {
	return target(r.APIBase, append([]string{"repositories", r.Owner, r.Name}, elements...)...)
}

func target(base string, elements ...string) string {
	for _, e := range elements {
		base += "/" + url.PathEscape(e)
	}
	return base
}

// rejected is a no of our own: what was asked for cannot be at Bitbucket.
func rejected(format string, args ...any) *source.Refusal {
	return &source.Refusal{Cause: slipway.FailureCauseRejected, Message: fmt.Sprintf(format, args...)}
}

// Refs returns the commits that a repository's refs point at.
func (p *Provider) Refs(ctx context.Context, r source.Repository, by source.Login) (map[string]string, error) {
	return p.client.Refs(ctx, r, by)
}

// Branches returns the commits of a repository's branches, and which is the default.
func (p *Provider) Branches(ctx context.Context, r source.Repository, by source.Login) (byDefault string, all map[string]string, err error) {
	return p.client.Branches(ctx, r, by)
}
