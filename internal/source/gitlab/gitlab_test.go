package gitlab_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/gitlab"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
)

// Tokens of the GitLab that start makes.
const (
	full      = "glpat-full00000000000000"
	readAPI   = "glpat-readapi00000000000"
	cloneOnly = "ourown-clone000000000000" // with a prefix that an administrator chose
	userOnly  = "glpat-user00000000000000"
	expired   = "glpat-expired00000000000"
	deploy    = "gldt-deploy0000000000000"
	bot       = "glpat-bot000000000000000"
	groupBot  = "glpat-groupbot0000000000"
	unknown   = "glpat-unknown00000000000"
)

const deployName = "gitlab+deploy-token-7"

// A lab is a GitLab that works, and what it hears of it.
type lab struct {
	*sourcetest.Server
	*gitlab.Provider
	at    source.Site
	repo  source.Repository // a/b/app, private
	site  source.Repository // a/site, public
	first string            // commit of repo
}

var dayAfter = time.Now().UTC().AddDate(0, 0, 2).Truncate(24 * time.Hour)

func start(t testing.TB, o sourcetest.Options) *lab {
	t.Helper()
	o.Dir, o.Server = t.TempDir(), api.ServerTypeGitlab
	s, err := sourcetest.New(o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	base, err := s.Start("127.0.0.1:0")
	must(t, err)
	for _, token := range []sourcetest.Token{
		{Value: full, Login: "mona", Scopes: []string{"api"}, Expires: dayAfter},
		{Value: readAPI, Login: "mona", Scopes: []string{"read_api"}},
		{Value: cloneOnly, Login: "mona", Scopes: []string{"read_repository"}},
		{Value: userOnly, Login: "mona", Scopes: []string{"read_user", "self_rotate"}},
		{Value: expired, Login: "mona", Scopes: []string{"api"}, Expires: time.Now().Add(-time.Hour)},
		{Value: deploy, Login: deployName, Scopes: []string{"read_repository"}},
		{Value: bot, Login: "project_1_bot_0a", Scopes: []string{"api"}, Repositories: []string{"a/b/app"}},
		{Value: groupBot, Login: "group_9_bot_0b", Scopes: []string{"api"}},
	} {
		s.AddToken(token)
	}
	must(t, s.CreateRepository("a/b", "app", true))
	must(t, s.CreateRepository("a", "site", false))
	first, err := s.Commit("a/b", "app", "main", map[string]string{"README.md": "private\n"}, "first\n\nand more")
	must(t, err)
	_, err = s.Commit("a", "site", "main", map[string]string{"README.md": "public\n"}, "first")
	must(t, err)
	endpoints := source.Endpoints{api.ServerTypeGitlab: base}
	l := &lab{Server: s, Provider: gitlab.New(rest.Options{Pause: func(context.Context, time.Duration) error { return nil }}), first: first}
	l.at = endpoints.Site(api.ServerTypeGitlab, "")
	l.repo, err = endpoints.Repository(api.ServerTypeGitlab, "https://gitlab.com/a/b/app.git")
	must(t, err)
	l.site, err = endpoints.Repository(api.ServerTypeGitlab, "https://gitlab.com/a/site.git")
	must(t, err)
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func login(token string) source.Login {
	name := ""
	if strings.HasPrefix(token, "gldt-") {
		name = deployName
	}
	return source.NewLogin(api.ServerTypeGitlab, name, secret.New(token))
}

func refusal(t *testing.T, err error) *source.Refusal {
	t.Helper()
	r, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		t.Fatalf("%v is no Refusal", err)
	}
	return r
}

// A listener is what a hook leads to.
type listener struct {
	url string

	mu     sync.Mutex // guards all below
	status int
	heard  []sourcetest.Sent
}

func listen(t *testing.T) *listener {
	l := &listener{status: 200}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, sourcetest.Sent{Header: r.Header.Clone(), Body: body})
		w.WriteHeader(l.status)
	}))
	t.Cleanup(s.Close)
	l.url = s.URL + "/webhooks/key"
	return l
}

// take returns what was heard since the last call.
func (l *listener) take() []sourcetest.Sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

func (l *listener) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func TestResolve(t *testing.T) {
	l := start(t, sourcetest.Options{})
	second, err := l.Commit("a/b", "app", "topic/x", map[string]string{"x": "x"}, "second")
	must(t, err)
	must(t, l.Tag("a/b", "app", "v1", l.first, "annotated"))
	must(t, l.SetRef("a/b", "app", "refs/merge-requests/5/head", second))
	for _, c := range []struct{ name, version, token, want string }{
		{"a branch", "main", full, l.first},
		{"a branch with a slash", "topic/x", full, second},
		{"an annotated tag means its commit", "v1", full, l.first},
		{"a full ref", "refs/heads/topic/x", full, second},
		{"the head of a merge request", "refs/merge-requests/5/head", full, second},
		{"a whole id", second, readAPI + "x", ""},
		{"the beginning of an id", second[:8], full, second},
		{"a branch with a token for git only", "main", cloneOnly, l.first},
		{"a branch with a deploy token", "main", deploy, l.first},
		{"a whole id with a deploy token", second, deploy, second},
		{"a whole id with a token for git only", second, cloneOnly, second},
		{"what is not there", "nope", full, ""},
		{"an id that is not there", strings.Repeat("d", 40), full, ""},
		{"nothing", "", full, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := l.Resolve(t.Context(), l.repo, c.version, login(c.token))
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("Resolve(%q) = %q, %v, want %q", c.version, got, err, c.want)
			}
		})
	}
}

// below serves a GitLab under a path, behind a proxy: what it says of its own
// address is wrong there. Its pages are of two.
func below(t *testing.T, base, path string) string {
	to, err := url.Parse(base)
	must(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = "inside.example"
		r.Out.URL.RawQuery = strings.ReplaceAll(r.Out.URL.RawQuery, "per_page=100", "per_page=2")
	}}
	s := httptest.NewServer(http.StripPrefix(path, proxy))
	t.Cleanup(s.Close)
	return s.URL + path
}

func TestAGitLabBelowAPathAndBehindAProxy(t *testing.T) {
	l := start(t, sourcetest.Options{})
	web := below(t, l.URL(), "/git/lab")
	r := source.Repository{Site: source.Site{Server: api.ServerTypeGitlabSelfManaged, APIBase: web + "/api/v4", WebBase: web}, Owner: "a/b", Name: "app"}
	if got, err := l.Resolve(t.Context(), r, l.first[:7], login(full)); got != l.first {
		t.Errorf("Resolve = %q, %v", got, err)
	}
	for _, branch := range []string{"one", "two", "three", "four", "five"} {
		must(t, l.SetRef("a/b", "app", "refs/heads/"+branch, l.first))
		_, err := l.OpenPullRequest("a/b", "app", sourcetest.PullRequest{HeadBranch: branch, BaseBranch: "main", Author: "mona"})
		must(t, err)
	}
	open, err := l.OpenPullRequests(t.Context(), r, login(full))
	if err != nil || len(open) != 5 {
		t.Errorf("OpenPullRequests = %d, %v, want 5 from three pages", len(open), err)
	}
}

func TestHowGitLabLimits(t *testing.T) {
	for _, c := range []struct {
		name    string
		failure sourcetest.Failure
		want    time.Duration
	}{
		{"with Retry-After", sourcetest.Failure{Status: 429, Header: http.Header{"Retry-After": {"90"}}, Body: "Retry later\n"}, 90 * time.Second},
		{"with RateLimit-Reset", sourcetest.Failure{Status: 429, Header: http.Header{"RateLimit-Reset": {"99999999999"}}, Body: "Retry later\n"}, 2 * time.Hour},
		{"with neither, as the application's own limits", sourcetest.Failure{Status: 429, Body: "Retry later\n"}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := start(t, sourcetest.Options{})
			l.Fail("/api/v4/*", c.failure, 9)
			_, err := l.Message(t.Context(), l.repo, l.first, login(full))
			r := refusal(t, err)
			if r.Cause != slipway.FailureCauseRateLimited || !r.Again || r.After != c.want || !strings.Contains(r.Message, "Retry later") {
				t.Errorf("refusal = %+v, want a limit of %v", r, c.want)
			}
		})
	}
}

func TestWhatGitLabRefusesIsExplained(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.SetRole("a/b", "app", "project_1_bot_0a", "write")
	nowhere := l.repo
	nowhere.Name = "nothing"
	hook := func(r source.Repository, token string) error {
		_, err := l.CreateHook(t.Context(), source.Target{Repository: r}, source.HookSettings{PayloadURL: "https://ci.example/x"}, login(token))
		return err
	}
	status := func(r source.Repository, token string) error {
		return l.ReportStatus(t.Context(), r, l.first, source.Status{State: source.Success}, login(token))
	}
	for _, c := range []struct {
		name    string
		err     error
		cause   slipway.FailureCause
		missing []string
		next    string
		link    string
	}{
		{"a wrong token", status(l.repo, unknown), slipway.FailureCauseBadToken, nil, "wrong, expired or revoked, or of another GitLab", "/-/user_settings/personal_access_tokens?name=slipway&scopes=api"},
		{"an expired token", status(l.repo, expired), slipway.FailureCauseExpiredToken, nil, "has expired", "/-/user_settings/personal_access_tokens?name=slipway&scopes=api"},
		{"a deploy token", status(l.repo, deploy), slipway.FailureCauseWrongKind, nil, "personal, project or group access token", "scopes=api"},
		{"a scope that reads", status(l.repo, readAPI), slipway.FailureCauseMissingScope, []string{"api"}, "with the scope api", "scopes=api"},
		{"a role that is too low for hooks", hook(l.repo, bot), slipway.FailureCauseNotAdmin, nil, "Maintainer", "/a/b/app/-/project_members"},
		{"a project that is not there", status(nowhere, full), slipway.FailureCauseNotVisible, nil, "spelling of a/b/nothing", "/a/b/nothing/-/project_members"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := refusal(t, c.err)
			if r.Cause != c.cause || !strings.Contains(r.NextStep, c.next) || !strings.Contains(r.Link, c.link) {
				t.Errorf("refusal = %+v\nwant %s, %q, %q", r, c.cause, c.next, c.link)
			}
			if diff := cmp.Diff(c.missing, r.Missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			for _, token := range []string{full, unknown, expired, deploy, readAPI, bot} {
				if strings.Contains(r.Error(), token) {
					t.Errorf("the token is in %q", r.Error())
				}
			}
		})
	}
}
