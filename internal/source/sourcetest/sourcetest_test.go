package sourcetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/source/sourcetest"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Tokens of the provider that start makes.
const (
	full       = "ghp_full0000000000000000000000000000000000"
	statusOnly = "ghp_status00000000000000000000000000000000"
	noScopes   = "ghp_none0000000000000000000000000000000000"
	expired    = "ghp_expired0000000000000000000000000000000"
	elsewhere  = "ghp_elsewhere00000000000000000000000000000"
	fineRead   = "github_pat_read000000000000000000000000000"
	fineWrite  = "github_pat_write00000000000000000000000000"
	unknown    = "ghp_unknown0000000000000000000000000000000"
)

// start serves the private repository octo/app and the public octo/site, each
// with one commit, whose ids it returns.
func start(t *testing.T) (s *sourcetest.Server, app, site string) {
	t.Helper()
	s, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, token := range []sourcetest.Token{
		{Value: full, Login: "mona", Scopes: []string{"repo"}, Expires: now.Add(time.Hour)},
		{Value: statusOnly, Login: "mona", Scopes: []string{"repo:status"}},
		{Value: noScopes, Login: "mona"},
		{Value: expired, Login: "mona", Scopes: []string{"repo"}, Expires: now},
		{Value: elsewhere, Login: "hubot", Scopes: []string{"repo"}, Repositories: []string{"octo/other"}},
		{Value: fineRead, Login: "mona", Permissions: map[string]string{"contents": "read"}, Repositories: []string{"octo/app"}},
		{Value: fineWrite, Login: "mona", Permissions: map[string]string{"contents": "write", "statuses": "write"}},
	} {
		s.AddToken(token)
	}
	must(t, s.CreateRepository("octo", "app", true))
	must(t, s.CreateRepository("octo", "site", false))
	app, err = s.Commit("octo", "app", "main", map[string]string{"README.md": "private\n"}, "first")
	must(t, err)
	site, err = s.Commit("octo", "site", "main", map[string]string{"README.md": "public\n"}, "first")
	must(t, err)
	return s, app, site
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a response that has been read.
type answer struct {
	*http.Response
	text string
	body map[string]any // nil if it is not a JSON object
}

// ask sends one request without following redirects. A token is sent as
// Bearer; header holds name, value pairs.
func ask(t *testing.T, method, url, token, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	r.Header.Set("User-Agent", "slipway-test")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	a := answer{Response: resp, text: string(text)}
	_ = json.Unmarshal(text, &a.body)
	return a
}

func (a answer) message() string {
	m, _ := a.body["message"].(string)
	return m
}

func TestEveryRequestIsCheckedAsGitHubDoes(t *testing.T) {
	s, app, site := start(t)
	long, _ := json.Marshal(map[string]string{"state": "success", "description": strings.Repeat("é", 141)})
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		message                         string
	}{
		{"the user of a token", "GET", "/user", full, "", 200, ""},
		{"no token has no user", "GET", "/user", "", "", 401, "Requires authentication"},
		{"an unknown token is refused everywhere", "GET", "/repos/octo/site", unknown, "", 401, "Bad credentials"},
		{"an expired token is refused", "GET", "/user", expired, "", 401, "Bad credentials"},
		{"a private repository", "GET", "/repos/octo/app", full, "", 200, ""},
		{"names are case-insensitive", "GET", "/repos/OCTO/App", full, "", 200, ""},
		{"a private repository does not exist for strangers", "GET", "/repos/octo/app", "", "", 404, "Not Found"},
		{"nor for tokens without the scope", "GET", "/repos/octo/app", noScopes, "", 404, "Not Found"},
		{"nor for tokens that do not reach it", "GET", "/repos/octo/app", elsewhere, "", 404, "Not Found"},
		{"a public repository exists for all", "GET", "/repos/octo/site", "", "", 200, ""},
		{"a repository that is not there", "GET", "/repos/octo/nothing", full, "", 404, "Not Found"},
		{"a trailing slash is not found", "GET", "/repos/octo/app/", full, "", 404, "Not Found"},
		{"an operation we do not have", "DELETE", "/repos/octo/app", full, "", 404, "Not Found"},
		{"a commit by branch", "GET", "/repos/octo/app/commits/main", full, "", 200, ""},
		{"a commit by heads/branch", "GET", "/repos/octo/app/commits/heads/main", full, "", 200, ""},
		{"a commit that is not there", "GET", "/repos/octo/app/commits/nope", full, "", 422, "No commit found for SHA: nope"},
		{"code needs more than repo:status", "GET", "/repos/octo/app/commits/main", statusOnly, "", 404, "Not Found"},
		{"a status with repo", "POST", "/repos/octo/app/statuses/" + app, full, `{"state":"pending"}`, 201, ""},
		{"a status with repo:status alone", "POST", "/repos/octo/app/statuses/" + app, statusOnly, `{"state":"success","context":"ci"}`, 201, ""},
		{"a status without scope on a public repository", "POST", "/repos/octo/site/statuses/" + site, noScopes, `{"state":"success"}`, 404, "Not Found"},
		{"a status by a stranger", "POST", "/repos/octo/site/statuses/" + site, "", `{"state":"success"}`, 404, "Not Found"},
		{"a fine-grained token without the permission", "POST", "/repos/octo/app/statuses/" + app, fineRead, `{"state":"success"}`, 403, "Resource not accessible by personal access token"},
		{"a fine-grained token with it", "POST", "/repos/octo/app/statuses/" + app, fineWrite, `{"state":"error"}`, 201, ""},
		{"a status of an unknown commit", "POST", "/repos/octo/app/statuses/" + site, full, `{"state":"success"}`, 422, "No commit found for SHA: " + site},
		{"a status on a branch name", "POST", "/repos/octo/app/statuses/main", full, `{"state":"success"}`, 422, "No commit found for SHA: main"},
		{"a state that is none", "POST", "/repos/octo/app/statuses/" + app, full, `{"state":"SUCCEEDED"}`, 422, "Validation Failed"},
		{"no state", "POST", "/repos/octo/app/statuses/" + app, full, `{}`, 422, "Validation Failed"},
		{"a description of 141 characters", "POST", "/repos/octo/app/statuses/" + app, full, string(long), 422, "Validation Failed"},
		{"a target that is not a web address", "POST", "/repos/octo/app/statuses/" + app, full, `{"state":"success","target_url":"ftp://x"}`, 422, "Validation Failed"},
		{"a body that is not JSON", "POST", "/repos/octo/app/statuses/" + app, full, `{`, 400, "Problems parsing JSON"},
	} {
		for _, base := range []string{"", "/api/v3"} {
			t.Run(c.name+base, func(t *testing.T) {
				a := ask(t, c.method, s.URL()+base+c.path, c.token, c.body)
				if a.StatusCode != c.status || c.message != "" && a.message() != c.message {
					t.Errorf("%s %s = %d %s, want %d %q", c.method, c.path, a.StatusCode, a.text, c.status, c.message)
				}
				if got := a.Header.Get("X-GitHub-Enterprise-Version"); (got != "") != (base != "") {
					t.Errorf("X-GitHub-Enterprise-Version = %q below %q", got, base)
				}
				if c.status >= 400 && a.body["documentation_url"] == "" {
					t.Errorf("a refusal without documentation_url: %s", a.text)
				}
			})
		}
	}
}

func TestHeadersTellOfTheToken(t *testing.T) {
	s, _, _ := start(t)
	a := ask(t, "GET", s.URL()+"/api/v3/user", full, "")
	for name, want := range map[string]string{
		"X-OAuth-Scopes":                         "repo",
		"github-authentication-token-expiration": "2026-11-23 13:00:00 UTC",
		"X-RateLimit-Limit":                      "5000",
		"X-RateLimit-Resource":                   "core",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if a.Header.Get("X-GitHub-Request-Id") == "" {
		t.Error("no X-GitHub-Request-Id")
	}
	if got := ask(t, "GET", s.URL()+"/user", noScopes, "").Header.Values("X-OAuth-Scopes"); len(got) != 1 || got[0] != "" {
		t.Errorf("X-OAuth-Scopes of a classic token without scopes = %q, want it there and blank", got)
	}
	if got := ask(t, "GET", s.URL()+"/user", fineRead, "").Header.Values("X-OAuth-Scopes"); len(got) != 0 {
		t.Errorf("X-OAuth-Scopes of a fine-grained token = %q, want none", got)
	}
}

func TestRequestsNeedAUserAgentAndAKnownVersion(t *testing.T) {
	s, _, _ := start(t)
	if a := ask(t, "GET", s.URL()+"/user", full, "", "User-Agent", ""); a.StatusCode != 403 || !strings.Contains(a.text, "User-Agent header") {
		t.Errorf("without User-Agent = %d %s", a.StatusCode, a.text)
	}
	if a := ask(t, "GET", s.URL()+"/user", full, "", "X-GitHub-Api-Version", "2001-01-01"); a.StatusCode != 400 {
		t.Errorf("with an unknown version = %d %s", a.StatusCode, a.text)
	}
}

func TestPoliciesRefuseTokens(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy sourcetest.Policy
		token  string
		want   string // in the message; "" means served
	}{
		{"single sign-on", sourcetest.Policy{SSO: true}, full, "SAML enforcement"},
		{"single sign-on does not touch fine-grained tokens", sourcetest.Policy{SSO: true}, fineWrite, ""},
		{"no classic tokens", sourcetest.Policy{ForbidClassic: true}, full, "forbids access via a personal access token (classic)"},
		{"a lifetime", sourcetest.Policy{MaxLifetime: 24 * time.Hour}, fineWrite, "lifetime is greater than 1 days"},
		{"a lifetime that is kept", sourcetest.Policy{MaxLifetime: 24 * time.Hour}, full, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, _ := start(t)
			s.SetPolicy("octo", c.policy)
			a := ask(t, "GET", s.URL()+"/repos/octo/app", c.token, "")
			if c.want == "" && a.StatusCode != 200 || c.want != "" && (a.StatusCode != 403 || !strings.Contains(a.message(), c.want)) {
				t.Errorf("= %d %s, want %q", a.StatusCode, a.text, c.want)
			}
		})
	}
}

func TestRevokedTokenIsRefusedAtOnce(t *testing.T) {
	s, _, _ := start(t)
	s.RevokeToken(full)
	if a := ask(t, "GET", s.URL()+"/user", full, ""); a.StatusCode != 401 || a.message() != "Bad credentials" {
		t.Errorf("= %d %s", a.StatusCode, a.text)
	}
}

func TestStatusesAreKeptAndListedNewestFirst(t *testing.T) {
	s, app, _ := start(t)
	url := s.URL() + "/api/v3/repos/octo/app/statuses/" + app
	for _, state := range []string{"pending", "success"} {
		a := ask(t, "POST", url, full, `{"state":"`+state+`","context":"Slipway","description":"d","target_url":"https://ci.example/1"}`)
		if creator, _ := a.body["creator"].(map[string]any); a.StatusCode != 201 || a.body["state"] != state || creator["login"] != "mona" {
			t.Fatalf("POST = %d %s", a.StatusCode, a.text)
		}
	}
	want := []sourcetest.Status{
		{ID: 1, State: "pending", Context: "Slipway", Description: "d", TargetURL: "https://ci.example/1", Creator: "mona", Created: now},
		{ID: 2, State: "success", Context: "Slipway", Description: "d", TargetURL: "https://ci.example/1", Creator: "mona", Created: now},
	}
	if diff := cmp.Diff(want, s.Statuses("octo", "app", app)); diff != "" {
		t.Errorf("Statuses (-want +got):\n%s", diff)
	}
	var list []struct{ State string }
	a := ask(t, "GET", s.URL()+"/api/v3/repos/octo/app/commits/main/statuses", full, "")
	if err := json.Unmarshal([]byte(a.text), &list); err != nil || len(list) != 2 || list[0].State != "success" {
		t.Errorf("GET statuses = %d %s", a.StatusCode, a.text)
	}
}

func TestCommitAnswersItsIdAloneWhenAsked(t *testing.T) {
	s, app, _ := start(t)
	a := ask(t, "GET", s.URL()+"/repos/octo/app/commits/main", full, "", "Accept", "application/vnd.github.sha")
	if a.text != app {
		t.Errorf("= %q, want %q", a.text, app)
	}
	must(t, s.CreateRepository("octo", "empty", false))
	if a := ask(t, "GET", s.URL()+"/repos/octo/empty/commits/main", "", ""); a.StatusCode != 409 {
		t.Errorf("a commit of an empty repository = %d %s, want 409", a.StatusCode, a.text)
	}
}

func TestRenameRedirectsThoseWhoMayKnow(t *testing.T) {
	s, app, _ := start(t)
	must(t, s.Rename("octo/app", "octo/new-app"))
	a := ask(t, "GET", s.URL()+"/api/v3/repos/octo/app", full, "")
	if want := s.URL() + "/api/v3/repositories/1"; a.StatusCode != 301 || a.Header.Get("Location") != want {
		t.Errorf("GET = %d to %q, want 301 to %q", a.StatusCode, a.Header.Get("Location"), want)
	}
	if a := ask(t, "GET", a.Header.Get("Location"), full, ""); a.body["full_name"] != "octo/new-app" {
		t.Errorf("the redirect's target = %d %s", a.StatusCode, a.text)
	}
	if a := ask(t, "POST", s.URL()+"/repos/octo/app/statuses/"+app, full, `{"state":"success"}`); a.StatusCode != 307 {
		t.Errorf("POST = %d, want 307", a.StatusCode)
	}
	if a := ask(t, "GET", s.URL()+"/repos/octo/app", noScopes, ""); a.StatusCode != 404 {
		t.Errorf("GET by a stranger = %d, want 404", a.StatusCode)
	}
}

func TestFailuresAreUsedUpAndRequestsRecorded(t *testing.T) {
	s, app, _ := start(t)
	s.Fail("POST /repos/*/statuses/*", sourcetest.Failure{Status: 429, Header: http.Header{"retry-after": {"7"}}, Body: `{"message":"slow down"}`}, 1)
	s.FailNext("/user", 502, "Bad Gateway", 1)
	url := s.URL() + "/repos/octo/app/statuses/" + app
	for i, want := range []int{429, 201} {
		if a := ask(t, "POST", url, full, `{"state":"success"}`); a.StatusCode != want || want == 429 && a.Header.Get("Retry-After") != "7" {
			t.Errorf("POST %d = %d %s, want %d", i, a.StatusCode, a.text, want)
		}
	}
	if a := ask(t, "GET", s.URL()+"/user", unknown, ""); a.StatusCode != 502 {
		t.Errorf("GET /user = %d, want 502", a.StatusCode)
	}
	if a := ask(t, "GET", s.URL()+"/user", unknown, ""); a.StatusCode != 401 {
		t.Errorf("GET /user again = %d, want 401", a.StatusCode)
	}
	path := "/repos/octo/app/statuses/" + app
	want := []sourcetest.Request{
		{Method: "POST", Path: path, UserAgent: "slipway-test", Authorization: true, Login: "mona", Status: 429},
		{Method: "POST", Path: path, UserAgent: "slipway-test", Authorization: true, Login: "mona", Status: 201},
		{Method: "GET", Path: "/user", UserAgent: "slipway-test", Authorization: true, Status: 502},
		{Method: "GET", Path: "/user", UserAgent: "slipway-test", Authorization: true, Status: 401},
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("Requests (-want +got):\n%s", diff)
	}
}

func TestNamesThatCannotBeUsed(t *testing.T) {
	s, _, _ := start(t)
	for _, c := range [][2]string{{"octo", "app"}, {"OCTO", "APP"}, {"repos", "x"}, {"a/b", "x"}, {"a", "../x"}, {"a", ".."}, {"a", "x.git"}, {"", "x"}, {"a", ""}, {"-a", "x"}} {
		if err := s.CreateRepository(c[0], c[1], false); err == nil {
			t.Errorf("CreateRepository(%q, %q) was accepted", c[0], c[1])
		}
	}
	for _, branch := range []string{"a b", "a\nb", "..", "-x y"} {
		if _, err := s.Commit("octo", "app", branch, nil, "m"); err == nil {
			t.Errorf("Commit to branch %q was accepted", branch)
		}
	}
}
