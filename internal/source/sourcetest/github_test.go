package sourcetest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

const hookAdmin = "ghp_hooks00000000000000000000000000000000"

// listen returns the address of a receiver that takes everything.
func listen(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(s.Close)
	return s.URL + "/hook"
}

func TestHooksAreCheckedAsGitHubDoes(t *testing.T) {
	s, _, _ := start(t)
	to := listen(t)
	s.AddToken(sourcetest.Token{Value: hookAdmin, Login: "mona", Scopes: []string{"admin:repo_hook"}})
	s.AddToken(sourcetest.Token{Value: "github_pat_hooks", Login: "mona", Permissions: map[string]string{"repository_hooks": "write"}})
	s.AddToken(sourcetest.Token{Value: "ghp_writer", Login: "hubot", Scopes: []string{"repo"}})
	s.SetRole("octo", "app", "hubot", "write")
	body := func(url string) string { return `{"name":"web","config":{"url":"` + url + `","content_type":"json"}}` }
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		message                         string
	}{
		{"listing needs a scope", "GET", "/repos/octo/app/hooks", statusOnly, "", 404, "Not Found"},
		{"listing needs an administrator", "GET", "/repos/octo/app/hooks", "ghp_writer", "", 404, "Not Found"},
		{"a fine-grained token needs the permission", "GET", "/repos/octo/app/hooks", fineRead, "", 403, "Resource not accessible by personal access token"},
		{"a hook", "POST", "/repos/octo/app/hooks", hookAdmin, body(to), 201, ""},
		{"the same hook again", "POST", "/repos/octo/app/hooks", hookAdmin, body(to), 422, "Hook already exists on this repository"},
		{"a hook of another name", "POST", "/repos/octo/app/hooks", hookAdmin, `{"name":"email"}`, 422, `"field":"name"`},
		{"a hook to nowhere", "POST", "/repos/octo/app/hooks", hookAdmin, `{"name":"web","config":{}}`, 422, "Config must contain URL for webhooks"},
		{"a hook by a fine-grained token", "POST", "/repos/octo/app/hooks", "github_pat_hooks", body(to + "/2"), 201, ""},
		{"an organization's needs its own scope", "GET", "/orgs/octo/hooks", full, "", 404, "Not Found"},
		{"deleting", "DELETE", "/repos/octo/app/hooks/2", hookAdmin, "", 204, ""},
		{"deleting again", "DELETE", "/repos/octo/app/hooks/2", hookAdmin, "", 404, "Not Found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := ask(t, c.method, s.URL()+"/api/v3"+c.path, c.token, c.body)
			if a.StatusCode != c.status || !strings.Contains(a.text, c.message) {
				t.Errorf("%s %s = %d %s, want %d %q", c.method, c.path, a.StatusCode, a.text, c.status, c.message)
			}
		})
	}
	for i := range 19 {
		if a := ask(t, "POST", s.URL()+"/repos/octo/app/hooks", hookAdmin, body(to+strings.Repeat("x", i+1))); a.StatusCode != 201 {
			t.Fatalf("hook %d = %d %s", i, a.StatusCode, a.text)
		}
	}
	if a := ask(t, "POST", s.URL()+"/repos/octo/app/hooks", hookAdmin, body(to+"/21")); a.StatusCode != 422 || !strings.Contains(a.text, "cannot have more than 20 hooks") {
		t.Errorf("the 21st hook = %d %s", a.StatusCode, a.text)
	}
	if a := ask(t, "GET", s.URL()+"/repos/octo/app/hooks?per_page=15", hookAdmin, ""); !strings.Contains(a.Header.Get("Link"), `page=2`) {
		t.Errorf("a page of hooks links to %q", a.Header.Get("Link"))
	}
}

func TestASecretIsNotShownAndGoesWhenLeftOut(t *testing.T) {
	s, _, _ := start(t)
	to := listen(t)
	url := s.URL() + "/repos/octo/app/hooks"
	a := ask(t, "POST", url, full, `{"config":{"url":"`+to+`","secret":"s3cret"}}`)
	config, _ := a.body["config"].(map[string]any)
	if want := map[string]any{"url": to, "content_type": "form", "insecure_ssl": "0", "secret": "********"}; !cmp.Equal(want, config) {
		t.Errorf("the config (-want +got):\n%s", cmp.Diff(want, config))
	}
	for _, step := range []struct{ path, body, secret string }{
		{"/config", `{"content_type":"json"}`, "s3cret"},
		{"", `{"active":true}`, "s3cret"},
		{"", `{"config":{"url":"` + to + `","content_type":"json"}}`, ""},
	} {
		if a := ask(t, "PATCH", url+"/1"+step.path, full, step.body); a.StatusCode != 200 {
			t.Fatalf("PATCH %s = %d %s", step.body, a.StatusCode, a.text)
		}
		if got := s.Hooks("octo/app")[0].Secret; got != step.secret {
			t.Errorf("after PATCH %s the secret is %q, want %q", step.body, got, step.secret)
		}
	}
}

func TestDeliveriesAreSignedAndShapedAsGitHubDoes(t *testing.T) {
	s, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Server: api.ServerTypeGithubEnterprise})
	must(t, err)
	defer s.Close()
	_, err = s.Start("127.0.0.1:0")
	must(t, err)
	s.AddToken(sourcetest.Token{Value: full, Login: "mona", Scopes: []string{"repo"}})
	must(t, s.CreateRepository("octo", "app", true))
	first, err := s.Commit("octo", "app", "main", map[string]string{"a": "1"}, "first")
	must(t, err)
	a := ask(t, "POST", s.URL()+"/api/v3/repos/octo/app/hooks", full, `{"config":{"url":"`+listen(t)+`","secret":"s3cret","content_type":"json"},"events":["*"]}`)
	if a.StatusCode != 201 {
		t.Fatalf("POST = %d %s", a.StatusCode, a.text)
	}
	pushed, err := s.Push("octo", "app", "main", map[string]string{"b": "2"}, "second", "ada")
	must(t, err)
	must(t, s.DeliverTag("octo", "app", "v1", pushed, "ada"))
	must(t, s.DeliverDelete("octo", "app", "refs/tags/v1", "ada"))
	must(t, s.Fork("octo", "app", "eve"))
	_, err = s.Commit("eve", "app", "topic", map[string]string{"c": "3"}, "third")
	must(t, err)
	n, err := s.OpenPullRequest("octo", "app", sourcetest.PullRequest{HeadOwner: "eve", HeadBranch: "topic", BaseBranch: "main"})
	must(t, err)
	for _, action := range []string{"opened", "closed", "reopened", "merged"} {
		must(t, s.DeliverPullRequest("octo", "app", n, action, "eve"))
	}
	must(t, s.DeliverComment("octo", "app", n, "hello", "eve"))
	must(t, s.DeliverRelease("octo", "app", "v2", "Two", "ada", false))
	must(t, s.DeliverWorkflowJob("octo", "app", sourcetest.WorkflowJob{ID: 1, RunID: 2, Workflow: "CI", Branch: "main", Commit: first, Labels: []string{"x"}}, "ada"))
	var events []string
	for _, sent := range s.Sent() {
		var body struct {
			Action       string
			Ref          string
			Organization struct{ Login string }
			Repository   struct {
				FullName string `json:"full_name"`
			}
		}
		if err := json.Unmarshal(sent.Body, &body); err != nil || body.Repository.FullName != "octo/app" || body.Organization.Login != "octo" {
			t.Errorf("%s is about %+v, %v", sent.Event, body, err)
		}
		events = append(events, strings.TrimSpace(sent.Event+" "+body.Action+body.Ref))
		mac := hmac.New(sha256.New, []byte("s3cret"))
		mac.Write(sent.Body)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); sent.Header.Get("X-Hub-Signature-256") != want || sent.Status != 200 {
			t.Errorf("%s is signed %q, want %q; it was answered %d", sent.Event, sent.Header.Get("X-Hub-Signature-256"), want, sent.Status)
		}
		if sent.Header.Get("X-GitHub-Event") != sent.Event || sent.Header.Get("X-GitHub-Delivery") != sent.ID || sent.Header.Get("X-GitHub-Hook-ID") != sent.HookID || sent.Header.Get("X-GitHub-Enterprise-Version") == "" {
			t.Errorf("the headers of %s are %v", sent.Event, sent.Header)
		}
	}
	want := []string{"ping", "push refs/heads/main", "push refs/tags/v1", "push refs/tags/v1", "pull_request opened", "pull_request closed", "pull_request reopened",
		"pull_request closed", "issue_comment created", "release created", "release published", "release released", "workflow_job queued"}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("the deliveries (-want +got):\n%s", diff)
	}
	must(t, s.Redeliver(s.Sent()[1].ID))
	if all := s.Sent(); all[len(all)-1].ID != all[1].ID {
		t.Errorf("delivered again as %s, want %s", all[len(all)-1].ID, all[1].ID)
	}
}

func TestListsForThePicker(t *testing.T) {
	s, _, _ := start(t)
	s.AddToken(sourcetest.Token{Value: "ghs_app", Permissions: map[string]string{"contents": "read"}, Repositories: []string{"octo/app"}})
	for _, c := range []struct {
		name, path, token string
		status            int
		want              string
	}{
		{"a user's", "/user/repos?affiliation=owner&per_page=1", full, 200, `"full_name":"octo/site"`},
		{"type and affiliation", "/user/repos?type=all&affiliation=owner", full, 422, "you cannot specify type"},
		{"an App has no user", "/user", "ghs_app", 403, "Resource not accessible by integration"},
		{"an App's", "/installation/repositories", "ghs_app", 200, `"total_count":1`},
		{"a user is no App", "/installation/repositories", full, 403, "installation access token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := ask(t, "GET", s.URL()+c.path, c.token, ""); a.StatusCode != c.status || !strings.Contains(a.text, c.want) {
				t.Errorf("GET %s = %d %s, want %d %q", c.path, a.StatusCode, a.text, c.status, c.want)
			}
		})
	}
	s.SetPolicy("octo", sourcetest.Policy{SSO: true})
	if a := ask(t, "GET", s.URL()+"/user/repos", full, ""); !strings.HasPrefix(a.Header.Get("X-GitHub-SSO"), "partial-results; organizations=") || a.text != "[]" {
		t.Errorf("GET /user/repos = %s with X-GitHub-SSO %q", a.text, a.Header.Get("X-GitHub-SSO"))
	}
}
