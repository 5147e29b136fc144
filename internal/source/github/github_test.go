package github

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

var (
	_ source.Provider   = (*Provider)(nil)
	_ source.Hooker     = (*Provider)(nil)
	_ source.Lister     = (*Provider)(nil)
	_ source.Detailer   = (*Provider)(nil)
	_ source.RoleReader = (*Provider)(nil)
)

const (
	classic = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	fine    = "github_pat_0123456789abcdefghijklmnopqrstuvwxyz"
	commit  = "0123456789abcdef0123456789abcdef01234567"
)

func at(base string) source.Repository {
	return source.Repository{Site: source.Site{Server: api.ServerTypeGithub, APIBase: base + "/api/v3", WebBase: base}, Owner: "octo", Name: "app"}
}

func login(token string) source.Login {
	return source.NewLogin(api.ServerTypeGithub, "", secret.New(token))
}

// impatient is a Provider that does not wait.
func impatient() *Provider {
	return New(rest.Options{UserAgent: "Slipway/1", Pause: func(context.Context, time.Duration) error { return nil }})
}

func report(t *testing.T, p *Provider, base, token string) error {
	return p.ReportStatus(t.Context(), at(base), commit, source.Status{
		State: source.Pending, Context: "AWS CodeBuild us-east-1 (app)", Description: "Build started", TargetURL: "https://ci.example/1",
	}, login(token))
}

func TestReportStatus(t *testing.T) {
	var got map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := http.Header{
			"Authorization": {"Bearer " + classic}, "Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"},
			"User-Agent": {"Slipway/1"}, "Content-Type": {"application/json"},
		}
		for name := range want {
			if diff := cmp.Diff(want[name], r.Header[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if want := "POST /api/v3/repos/octo/app/statuses/" + commit; r.Method+" "+r.URL.Path != want {
			t.Errorf("%s %s, want %s", r.Method, r.URL.Path, want)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer s.Close()
	for name, c := range map[string]struct {
		status source.Status
		want   map[string]any
	}{
		"all of it": {source.Status{State: source.Pending, Context: "c", Description: "d", TargetURL: "https://ci.example/1"},
			map[string]any{"state": "pending", "context": "c", "description": "d", "target_url": "https://ci.example/1"}},
		"a build that was stopped": {source.Status{State: source.Stopped, Context: "c"}, map[string]any{"state": "error", "context": "c"}},
		"a long description":       {source.Status{State: source.Success, Description: strings.Repeat("é", 141)}, map[string]any{"state": "success", "description": strings.Repeat("é", 139) + "…"}},
		"a target that is no page": {source.Status{State: source.Failure, TargetURL: "javascript:alert(1)"}, map[string]any{"state": "failure"}},
	} {
		t.Run(name, func(t *testing.T) {
			got = nil
			if err := impatient().ReportStatus(t.Context(), at(s.URL), commit, c.status, login(classic)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	scoped := func(have, accepted string) http.Header {
		return http.Header{"X-Oauth-Scopes": {have}, "X-Accepted-Oauth-Scopes": {accepted}, "X-Ratelimit-Remaining": {"4999"}}
	}
	tests := []struct {
		name    string
		token   string
		status  int
		header  http.Header
		body    string
		cause   slipway.FailureCause
		missing string
		says    []string // in the message or the next step
		link    string   // its end
		after   time.Duration
	}{
		{name: "a bad token", status: 401, body: `{"message":"Bad credentials"}`, cause: slipway.FailureCauseBadToken,
			says: []string{"GitHub answered 401: Bad credentials.", "wrong, expired or revoked", "slipway credential import"}, link: "/settings/tokens/new?scopes=repo,admin:repo_hook&description=Slipway"},
		{name: "a token of GitLab", token: "glpat-0123456789abcdefghij", status: 401, body: `{"message":"Bad credentials"}`, cause: slipway.FailureCauseWrongKind,
			says: []string{"GitLab, server type GITLAB or GITLAB_SELF_MANAGED", "imported for GITHUB"}},
		{name: "a missing permission that GitHub names", token: fine, status: 403, body: `{"message":"Resource not accessible by personal access token"}`, header: http.Header{"X-Accepted-Github-Permissions": {"statuses=write; contents=write"}},
			cause: slipway.FailureCauseMissingScope, missing: "Commit statuses: write", says: []string{"give it the repository permission Commit statuses: write"}, link: "/settings/personal-access-tokens/new?name=Slipway&target_name=octo&contents=read&statuses=write&repository_hooks=write&pull_requests=read"},
		{name: "a missing permission that GitHub does not name", token: fine, status: 403, body: `{"message":"Resource not accessible by personal access token"}`,
			cause: slipway.FailureCauseMissingScope, missing: "Commit statuses: write"},
		{name: "an App without the permission", token: "ghs_x", status: 403, body: `{"message":"Resource not accessible by integration"}`, header: http.Header{"X-Accepted-Github-Permissions": {"statuses=write"}},
			cause: slipway.FailureCauseMissingScope, missing: "Commit statuses: write", says: []string{"Give the GitHub App the permission"}, link: "/settings/apps"},
		{name: "a missing scope", status: 404, body: `{"message":"Not Found"}`, header: scoped("read:org, gist", "repo, repo:status"), cause: slipway.FailureCauseMissingScope, missing: "repo:status",
			says: []string{"hides what a token has no scope for", "the token has read:org, gist", "Tick the scope repo:status"}, link: "/settings/tokens/new?scopes=repo,admin:repo_hook&description=Slipway"},
		{name: "a scope for public repositories only", status: 404, body: `{"message":"Not Found"}`, header: scoped("public_repo", "public_repo, repo, repo:status"), cause: slipway.FailureCauseMissingScope, missing: "repo:status"},
		{name: "a hidden repository", status: 404, body: `{"message":"Not Found"}`, header: scoped("repo", "repo, repo:status"), cause: slipway.FailureCauseNotVisible,
			says: []string{"GitHub hides what a token may not see", "octo/app"}},
		{name: "a fine-grained token of another owner", token: fine, status: 404, body: `{"message":"Not Found"}`, cause: slipway.FailureCauseNotVisible,
			says: []string{"resource owner must be octo", "If octo has to approve tokens, it may not have done so yet"}, link: "/settings/personal-access-tokens/new?name=Slipway&target_name=octo&contents=read&statuses=write&repository_hooks=write&pull_requests=read"},
		{name: "single sign-on", status: 403, body: `{"message":"Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization."}`,
			header: http.Header{"X-Github-Sso": {"required; url=https://github.example/orgs/octo/sso?authorization_request=A1"}}, cause: slipway.FailureCauseSsoRequired,
			says: []string{"octo asks for single sign-on", "within the hour"}, link: "https://github.example/orgs/octo/sso?authorization_request=A1"},
		{name: "single sign-on with a link that is none", status: 403, body: `{"message":"Resource protected by organization SAML enforcement."}`,
			header: http.Header{"X-Github-Sso": {"required; url=javascript:alert(1)"}}, cause: slipway.FailureCauseSsoRequired, link: "/settings/tokens"},
		{name: "a list of addresses", status: 403, body: "{\"message\":\"Although you appear to have the correct authorization credentials, the `octo` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.\"}",
			cause: slipway.FailureCauseIpNotAllowed, says: []string{"add this server's public address"}, link: "/organizations/octo/settings/security"},
		{name: "classic tokens forbidden", status: 403, body: "{\"message\":\"`octo` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal access token with fine-grained permissions.\"}",
			cause: slipway.FailureCauseKindForbidden, says: []string{"refuses classic tokens"}, link: "pull_requests=read"},
		{name: "a lifetime", status: 403, body: `{"message":"The 'octo' organization forbids access via personal access tokens (classic) if the token's lifetime is greater than 366 days. Please adjust your token's lifetime at the following URL: https://github.example/settings/tokens/17"}`,
			cause: slipway.FailureCauseLifetimePolicy, says: []string{"lives longer than octo allows"}, link: "https://github.example/settings/tokens/17"},
		{name: "an unknown commit", status: 422, body: `{"message":"No commit found for SHA: 01"}`, cause: slipway.FailureCauseRejected, says: []string{"No commit found for SHA: 01."}},
		{name: "what did not validate", status: 422, body: `{"message":"Validation Failed","errors":[{"resource":"Status","code":"custom","message":"description is too long"},"odd",{"code":"missing_field","field":"state"}]}`,
			cause: slipway.FailureCauseRejected, says: []string{"Validation Failed: description is too long: odd: state is missing field."}},
		{name: "an archived repository", status: 403, body: `{"message":"Repository was archived so is read-only."}`, cause: slipway.FailureCauseMissingScope, says: []string{"Repository was archived so is read-only."}},
		{name: "the primary limit", status: 403, body: `{"message":"API rate limit exceeded"}`, header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1700000600"}},
			cause: slipway.FailureCauseRateLimited, after: 10 * time.Minute},
		{name: "a limit without end", status: 429, header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9999999999"}}, cause: slipway.FailureCauseRateLimited, after: 2 * time.Hour},
		{name: "a secondary limit with a time", status: 403, body: `{"message":"Slow down"}`, header: http.Header{"Retry-After": {"70"}}, cause: slipway.FailureCauseRateLimited, after: 70 * time.Second},
		{name: "a secondary limit by its page", status: 403, body: `{"message":"Slow down","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`, cause: slipway.FailureCauseRateLimited, after: time.Minute},
		{name: "the last call of the hour refused for another reason", status: 403, body: `{"message":"Resource not accessible by personal access token"}`, token: fine, header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1700000600"}},
			cause: slipway.FailureCauseMissingScope, missing: "Commit statuses: write"},
		{name: "a refusal that speaks of limits", status: 404, body: `{"message":"Not Found. Is it the rate limit?"}`, cause: slipway.FailureCauseNotVisible},
		{name: "an unavailable server that is not GitHub", status: 503, body: "<html>\x00\x1b[31m", cause: slipway.FailureCauseProviderError, says: []string{"GitHub answered 503: service unavailable."}},
		{name: "a server that repeats the token and controls", status: 400, body: `{"message":"bad \u001b[31m\r\nheader Bearer ` + classic + `"}`, cause: slipway.FailureCauseRejected, says: []string{"GitHub answered 400: bad [31m header Bearer [redacted]."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer s.Close()
			p := impatient()
			p.now = func() time.Time { return now }
			token := classic
			if tt.token != "" {
				token = tt.token
			}
			err := report(t, p, s.URL, token)
			r, ok := errors.AsType[*source.Refusal](err)
			if !ok {
				t.Fatalf("ReportStatus: %v, want a Refusal", err)
			}
			if r.Cause != tt.cause || strings.Join(r.Missing, ", ") != tt.missing || r.After != tt.after || r.Again != (tt.after > 0 || tt.status >= 500) {
				t.Errorf("refusal = %s, missing %q, again %t after %v; want %s, %q after %v\n%v", r.Cause, r.Missing, r.Again, r.After, tt.cause, tt.missing, tt.after, r)
			}
			for _, want := range tt.says {
				if !strings.Contains(r.Error(), want) {
					t.Errorf("it says %q, want %q in it", r.Error(), want)
				}
			}
			if !strings.HasSuffix(r.Link, tt.link) {
				t.Errorf("its link is %q, want it to end in %q", r.Link, tt.link)
			}
			if strings.Contains(r.Error()+r.Link, token) {
				t.Error("it tells the token")
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked with %d headers of authorization", len(r.Header["Authorization"]))
	}))
	defer elsewhere.Close()
	tests := []struct {
		name, location string
		status         int
		ok             bool
	}{
		{"a renamed repository", "/api/v3/repositories/7/statuses/x", 307, true},
		{"a renamed repository, for good", "/api/v3/repositories/7/statuses/x", 301, true},
		{"another host", elsewhere.URL, 307, false},
		{"a circle", "/api/v3/repos/octo/app/statuses/" + commit, 307, false},
		{"nowhere", "", 302, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body status
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.State != "pending" || r.Method != "POST" {
					t.Errorf("%s with %v, %v: the redirect lost the request", r.Method, body, err)
				}
				if strings.Contains(r.URL.Path, "/repositories/") {
					w.WriteHeader(http.StatusCreated)
					return
				}
				if tt.location != "" {
					w.Header().Set("Location", tt.location)
				}
				w.WriteHeader(tt.status)
			}))
			defer s.Close()
			if err := report(t, impatient(), s.URL, classic); (err == nil) != tt.ok {
				t.Errorf("ReportStatus: %v, want success %v", err, tt.ok)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	dropping := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer dropping.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	for name, base := range map[string]string{"nobody listens": closed.URL, "the connection drops": dropping.URL, "an unknown certificate": untrusted.URL} {
		t.Run(name, func(t *testing.T) {
			r, ok := errors.AsType[*source.Refusal](report(t, impatient(), base, classic))
			if !ok || !r.Again || r.HTTPStatus != 0 || strings.Contains(r.Error(), classic) {
				t.Errorf("ReportStatus: %v, want a Refusal that is worth another try", r)
			}
			h, err := impatient().Check(t.Context(), at(base).Site, nil, login(classic))
			if err != nil || h.State != slipway.CredentialStateUnreachable || h.Cause != r.Cause {
				t.Errorf("Check = %+v, %v, want UNREACHABLE %s", h, err, r.Cause)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	want := time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-12-31 22:00:00 UTC": want, "2027-01-01 00:00:00 +0200": want, "": {}, "soon": {}, "2026-12-31": {},
	} {
		if got := expiry(http.Header{"Github-Authentication-Token-Expiration": {text}}); !got.Equal(want) {
			t.Errorf("expiry(%q) = %v, want %v", text, got, want)
		}
	}
}

func FuzzExpiry(f *testing.F) {
	for _, seed := range []string{"2026-12-31 22:00:00 UTC", "2027-01-01 00:00:00 +0200", "9999-99-99 99:99:99 UTC", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := expiry(http.Header{"Github-Authentication-Token-Expiration": {text}})
		if !got.IsZero() && (got.Year() < -1 || got.Year() > 10_000 || got.Location() != time.UTC) {
			t.Errorf("expiry(%q) = %v", text, got)
		}
	})
}

func TestPermissionsAreNamedAsOnGitHubsPages(t *testing.T) {
	for header, want := range map[string]string{
		"pull_requests=read,contents=read; issues=read,contents=read": "Pull requests: read, Contents: read",
		"repository_hooks=write": "Webhooks: write", "some_new_thing=admin": "Some new thing: admin", "": "", "=": "", "<b>=read": "", ",,;": "",
	} {
		if got := strings.Join(permissions(http.Header{"X-Accepted-Github-Permissions": {header}}), ", "); got != want {
			t.Errorf("permissions(%q) = %q, want %q", header, got, want)
		}
	}
}
