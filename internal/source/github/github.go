// Package github speaks to GitHub and GitHub Enterprise Server.
package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// maxDescription is how many characters of a status' description GitHub takes.
const maxDescription = 140

// A Provider is GitHub. Where it is comes with each call, so one Provider
// serves github.com and every GitHub Enterprise Server. It satisfies
// source.Provider, source.Hooker, source.Lister, source.Detailer and
// source.RoleReader.
type Provider struct {
	client *rest.Client
	now    func() time.Time
}

// New returns a Provider that calls as o says.
func New(o rest.Options) *Provider {
	p := &Provider{now: time.Now}
	p.client = rest.New(rest.Dialect{
		Name:      "GitHub",
		Header:    http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}},
		Authorize: func(r *http.Request, by source.Login) { r.Header.Set("Authorization", "Bearer "+by.Token.Reveal()) },
		Limited:   p.limited,
		Explain:   explain,
		Words:     words,
		Keep: []string{
			"X-GitHub-Request-Id", "X-OAuth-Scopes", "X-Accepted-OAuth-Scopes", "X-Accepted-GitHub-Permissions", "X-GitHub-SSO",
			"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Resource", "Retry-After",
			"GitHub-Authentication-Token-Expiration", "X-GitHub-Enterprise-Version",
		},
	}, o)
	return p
}

// repository returns the address of something below a repository in the API.
func repository(r source.Repository, rest string) string {
	return r.APIBase + "/repos/" + url.PathEscape(r.Owner) + "/" + url.PathEscape(r.Name) + rest
}

// get reads one thing into v and returns the whole answer.
func (p *Provider) get(ctx context.Context, at source.Site, target string, by source.Login, v any) (*rest.Answer, error) {
	a, err := p.client.Do(ctx, rest.Call{URL: target, At: at, By: by})
	if err != nil {
		return nil, err
	}
	return a, a.JSON(v)
}

// A status is the body of "Create a commit status".
type status struct {
	State       string `json:"state"`
	TargetURL   string `json:"target_url,omitzero"`
	Description string `json:"description,omitzero"`
	Context     string `json:"context,omitzero"`
}

// states are GitHub's words for how a build stands. It has none for one that
// somebody ended.
var states = map[source.State]string{
	source.Pending: "pending", source.Success: "success", source.Failure: "failure", source.Errored: "error", source.Stopped: "error",
}

// ReportStatus sets s on a commit. A description too long for GitHub is cut,
// and a target that is no web address left out: GitHub would refuse all of it.
func (p *Provider) ReportStatus(ctx context.Context, r source.Repository, commit string, s source.Status, by source.Login) error {
	body := status{State: states[s.State], Context: s.Context, Description: rest.Cut(s.Description, maxDescription)}
	if strings.HasPrefix(s.TargetURL, "https://") || strings.HasPrefix(s.TargetURL, "http://") {
		body.TargetURL = s.TargetURL
	}
	_, err := p.client.Do(ctx, rest.Call{
		Method: http.MethodPost, URL: repository(r, "/statuses/"+url.PathEscape(commit)), At: r.Site, By: by,
		Body: body, Want: []int{http.StatusCreated}, Repeatable: true, // the latest of a context counts
	})
	return p.diagnose(ctx, r, by, err, false)
}

var (
	commitID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
	pullRef  = regexp.MustCompile(`^(?:refs/)?(?:pull|pr)/([0-9]{1,10})(/head|/merge)?$`)
)

// Resolve returns the whole id of the commit that version names. Where a list
// of allowed addresses keeps a login out, it asks once more without: GitHub
// then still shows what is public.
func (p *Provider) Resolve(ctx context.Context, r source.Repository, version string, by source.Login) (string, error) {
	commit, err := p.resolve(ctx, r, version, by)
	if refused, ok := errors.AsType[*source.Refusal](err); ok && refused.Cause == slipway.FailureCauseIpNotAllowed && !by.IsZero() {
		if public, again := p.resolve(ctx, r, version, source.Login{}); again == nil {
			return public, nil
		}
	}
	return commit, err
}

func (p *Provider) resolve(ctx context.Context, r source.Repository, version string, by source.Login) (string, error) {
	if pull := pullRef.FindStringSubmatch(version); pull != nil {
		return p.resolvePull(ctx, r, pull[1], pull[2] == "/merge", by)
	}
	if !namesCommit(version) {
		return "", &source.Refusal{Cause: slipway.FailureCauseRejected, Message: strconv.Quote(rest.Cut(version, 100)) + " cannot be the name of a branch, tag or commit."}
	}
	elements := strings.Split(strings.TrimPrefix(version, "refs/"), "/") // GitHub takes heads/x and tags/x
	for i := range elements {
		elements[i] = url.PathEscape(elements[i])
	}
	a, err := p.client.Do(ctx, rest.Call{
		URL: repository(r, "/commits/"+strings.Join(elements, "/")), At: r.Site, By: by,
		Header: http.Header{"Accept": {"application/vnd.github.sha"}},
	})
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(a.Body))
	if !commitID.MatchString(commit) {
		return "", notGitHub(a)
	}
	return commit, nil
}

// namesCommit reports whether version can stand in a path and name a commit.
// What git forbids in names is left to GitHub, but for what changes the path.
func namesCommit(version string) bool {
	if version == "" || len(version) > 1024 || strings.HasPrefix(version, "/") || strings.HasSuffix(version, "/") {
		return false
	}
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }
	return !strings.ContainsFunc(version, odd) && !strings.Contains(version, "..") && !strings.Contains(version, "//") && !strings.Contains("/"+version+"/", "/./")
}

func (p *Provider) resolvePull(ctx context.Context, r source.Repository, number string, merged bool, by source.Login) (string, error) {
	var pull pullRequest
	a, err := p.get(ctx, r.Site, repository(r, "/pulls/"+number), by, &pull)
	switch {
	case err != nil:
		return "", err
	case merged && pull.MergeCommit == "":
		return "", &source.Refusal{Cause: slipway.FailureCauseConflict, HTTPStatus: a.Status, Again: true,
			Message: "GitHub has no merge commit for pull request " + number + ": it conflicts with its base branch, or GitHub has not tried yet."}
	case merged:
		return pull.MergeCommit, nil
	case !commitID.MatchString(pull.Head.SHA):
		return "", notGitHub(a)
	}
	return pull.Head.SHA, nil
}

// notGitHub is the Refusal of an answer that GitHub would not give.
func notGitHub(a *rest.Answer) error {
	return &source.Refusal{Cause: slipway.FailureCauseProviderError, HTTPStatus: a.Status,
		Message:  "What answers at " + a.URL.Host + " is not GitHub's API.",
		NextStep: "Check the address of the repository, and that no proxy or login page stands before it."}
}

// Refs returns the commits that a repository's refs point at.
func (p *Provider) Refs(ctx context.Context, r source.Repository, by source.Login) (map[string]string, error) {
	return p.client.Refs(ctx, r, by)
}

// Branches returns the commits of a repository's branches, and which is the default.
func (p *Provider) Branches(ctx context.Context, r source.Repository, by source.Login) (byDefault string, all map[string]string, err error) {
	return p.client.Branches(ctx, r, by)
}
