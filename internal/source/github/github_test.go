package github

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/secret"
	"slipway/internal/source"
)

const (
	token  = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	commit = "0123456789abcdef0123456789abcdef01234567"
)

func repository(base string) source.Repository {
	return source.Repository{Site: source.Site{APIBase: base + "/api/v3", WebBase: base}, Owner: "octo", Name: "app"}
}

func report(t *testing.T, p *Provider, base string) error {
	return p.ReportStatus(t.Context(), repository(base), commit, source.Status{
		State: source.Pending, Context: "AWS CodeBuild us-east-1 (app)", Description: "Build started", TargetURL: "https://ci.example/1",
	}, source.Login{Token: secret.New(token)})
}

func TestReportStatus(t *testing.T) {
	var got map[string]any
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := http.Header{
			"Authorization":        {"Bearer " + token},
			"Accept":               {"application/vnd.github+json"},
			"X-Github-Api-Version": {"2022-11-28"},
			"User-Agent":           {"Slipway/1"},
			"Content-Type":         {"application/json"},
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
	if err := report(t, New(nil, "Slipway/1"), s.URL); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"state": "pending", "context": "AWS CodeBuild us-east-1 (app)", "description": "Build started", "target_url": "https://ci.example/1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestDescriptionFits(t *testing.T) {
	var got status
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(http.StatusCreated)
	}))
	defer s.Close()
	long := source.Status{State: source.Success, Description: strings.Repeat("é", 200)}
	if err := New(nil, "x").ReportStatus(t.Context(), repository(s.URL), commit, long, source.Login{Token: secret.New(token)}); err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(got.Description)); n != maxDescription {
		t.Errorf("the description has %d characters, want %d", n, maxDescription)
	}
}

func TestRefusals(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	tests := []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   source.Refusal
	}{
		{"a bad token", 401, nil, `{"message":"Bad credentials"}`,
			source.Refusal{HTTPStatus: 401, Message: "GitHub answered 401: Bad credentials. The imported token is wrong, expired or revoked: import a new one"}},
		{"a missing permission", 403, map[string]string{"X-RateLimit-Remaining": "4999"}, `{"message":"Resource not accessible by personal access token"}`,
			source.Refusal{HTTPStatus: 403, Message: "GitHub answered 403: Resource not accessible by personal access token. The imported token needs the permission to write commit statuses on octo/app"}},
		{"single sign-on", 403, map[string]string{"X-GitHub-SSO": "required; url=https://github.com/orgs/o/sso?x=1"}, `{"message":"Resource protected by organization SAML enforcement."}`,
			source.Refusal{HTTPStatus: 403, Message: "GitHub answered 403: Resource protected by organization SAML enforcement. Authorize the token for the organization at https://github.com/orgs/o/sso?x=1"}},
		{"an unseen repository", 404, nil, `{"message":"Not Found"}`,
			source.Refusal{HTTPStatus: 404, Message: "GitHub answered 404: Not Found. The imported token does not reach octo/app, or may not write its commit statuses"}},
		{"an unknown commit", 422, nil, `{"message":"No commit found for SHA: 01"}`,
			source.Refusal{HTTPStatus: 422, Message: "GitHub answered 422: No commit found for SHA: 01"}},
		{"200 is not 201", 200, nil, `{}`,
			source.Refusal{HTTPStatus: 200, Message: "GitHub answered 200: ok"}},
		{"the primary limit", 403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000600"}, `{"message":"API rate limit exceeded"}`,
			source.Refusal{HTTPStatus: 403, Message: "GitHub answered 403: API rate limit exceeded", Again: true, After: 10 * time.Minute}},
		{"a limit without end", 429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999"}, ``,
			source.Refusal{HTTPStatus: 429, Message: "GitHub answered 429: too many requests", Again: true, After: longestWait}},
		{"a secondary limit with a time", 403, map[string]string{"Retry-After": "7"}, `{"message":"Slow down"}`,
			source.Refusal{HTTPStatus: 403, Message: "GitHub answered 403: Slow down", Again: true, After: 7 * time.Second}},
		{"a secondary limit without one", 403, nil, `{"message":"You have exceeded a secondary rate limit"}`,
			source.Refusal{HTTPStatus: 403, Message: "GitHub answered 403: You have exceeded a secondary rate limit", Again: true, After: time.Minute}},
		{"an unavailable server that is not GitHub", 503, nil, "<html>\x00\x1b[31m",
			source.Refusal{HTTPStatus: 503, Message: "GitHub answered 503: service unavailable", Again: true}},
		{"a server that repeats the token and controls", 400, nil, `{"message":"bad \u001b[31m\r\nheader Bearer ` + token + `"}`,
			source.Refusal{HTTPStatus: 400, Message: "GitHub answered 400: bad [31m header Bearer [redacted]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer s.Close()
			p := New(nil, "x")
			p.now = func() time.Time { return now }
			err := report(t, p, s.URL)
			refused, ok := errors.AsType[*source.Refusal](err)
			if !ok {
				t.Fatalf("ReportStatus: %v, want a Refusal", err)
			}
			if diff := cmp.Diff(tt.want, *refused); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked with %q", r.Header["Authorization"])
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
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.State != source.Pending || r.Method != "POST" {
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
			err := report(t, New(nil, "x"), s.URL)
			if (err == nil) != tt.ok {
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
	untrusted.Config.ErrorLog = nil
	defer untrusted.Close()
	for name, base := range map[string]string{"nobody listens": closed.URL, "the connection drops": dropping.URL, "an unknown certificate": untrusted.URL} {
		t.Run(name, func(t *testing.T) {
			err := report(t, New(nil, "x"), base)
			refused, ok := errors.AsType[*source.Refusal](err)
			if !ok || !refused.Again || refused.HTTPStatus != 0 || strings.Contains(err.Error(), token) {
				t.Errorf("ReportStatus: %v, want a Refusal that is worth another try", err)
			}
		})
	}
}
