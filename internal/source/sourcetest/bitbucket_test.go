package sourcetest_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// Tokens of the Bitbucket that startBitbucket makes.
const (
	apiToken = "ATATTfull"
	apiEmail = "mona@example.com"
	repoBot  = "ATCTTbot"
)

// startBitbucket serves the private repository octo/app and returns the commit
// of its branch main.
func startBitbucket(t *testing.T) (*sourcetest.Server, string) {
	t.Helper()
	s, err := sourcetest.New(sourcetest.Options{Server: api.ServerTypeBitbucket, Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err = s.Start("127.0.0.1:0")
	must(t, err)
	s.AddToken(sourcetest.Token{Value: apiToken, Login: "mona", Email: apiEmail, Scopes: []string{
		"read:repository:bitbucket", "read:pullrequest:bitbucket", "read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket",
	}})
	s.AddToken(sourcetest.Token{Value: repoBot, Login: "app-bot", Scopes: []string{"pullrequest", "webhook"}})
	must(t, s.CreateRepository("octo", "app", true))
	sha, err := s.Commit("octo", "app", "main", map[string]string{"a": "1"}, "first")
	must(t, err)
	return s, sha
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestBitbucketTakesEachTokenOneWay(t *testing.T) {
	s, _ := startBitbucket(t)
	s.AddToken(sourcetest.Token{Value: "ATATTunscoped", Login: "mona", Email: apiEmail})
	s.AddToken(sourcetest.Token{Value: "ATBBdead", Login: "mona", Scopes: []string{"repository"}})
	const repo, git = "/2.0/repositories/octo/app", "/octo/app.git/info/refs?service=git-upload-pack"
	for _, c := range []struct {
		name, path, auth string
		want             int
	}{
		{"an API token with the e-mail address", repo, basicAuth(apiEmail, apiToken), 200},
		{"an API token with the user name", repo, basicAuth("mona", apiToken), 401},
		{"an API token as bearer", repo, "Bearer " + apiToken, 401},
		{"an API token without scopes", repo, basicAuth(apiEmail, "ATATTunscoped"), 401},
		{"an access token as bearer", repo, "Bearer " + repoBot, 200},
		{"an access token with an e-mail address", repo, basicAuth(apiEmail, repoBot), 401},
		{"an app password", repo, basicAuth("mona", "ATBBdead"), 401},
		{"nobody", repo, "", 404},
		{"git with an API token", git, basicAuth("x-bitbucket-api-token-auth", apiToken), 200},
		{"git with an API token and the user name", git, basicAuth("mona", apiToken), 200},
		{"git with an API token and the e-mail address", git, basicAuth(apiEmail, apiToken), 401},
		{"git with an access token", git, basicAuth("x-token-auth", repoBot), 200},
		{"git with an access token and a user name", git, basicAuth("mona", repoBot), 401},
		{"git with an app password", git, basicAuth("mona", "ATBBdead"), 401},
		{"git of nobody", git, "", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			var header []string
			if c.auth != "" {
				header = []string{"Authorization", c.auth}
			}
			if a := ask(t, "GET", s.URL()+c.path, "", "", header...); a.StatusCode != c.want {
				t.Errorf("= %d %s, want %d", a.StatusCode, a.text, c.want)
			}
		})
	}
	if a := ask(t, "GET", s.URL()+repo, apiToken, ""); !strings.Contains(a.text, "Token is invalid, expired, or not supported for this endpoint") {
		t.Errorf("a bearer that is refused = %s", a.text)
	}
}

func TestBitbucketNamesScopes(t *testing.T) {
	s, _ := startBitbucket(t)
	a := ask(t, "GET", s.URL()+"/2.0/user", "", "", "Authorization", basicAuth(apiEmail, apiToken))
	want := `{"error":{"detail":{"granted":["read:repository:bitbucket","read:pullrequest:bitbucket","read:webhook:bitbucket","write:webhook:bitbucket","delete:webhook:bitbucket"],` +
		`"required":["read:user:bitbucket"]},"message":"Your credentials lack one or more required privilege scopes."},"type":"error"}`
	if a.StatusCode != 403 || a.text != want {
		t.Errorf("= %d %s", a.StatusCode, a.text)
	}
	a = ask(t, "GET", s.URL()+"/2.0/repositories/octo/app", repoBot, "")
	for name, want := range map[string]string{"X-Oauth-Scopes": "pullrequest, webhook", "X-Accepted-Oauth-Scopes": "repository", "X-Credential-Type": "repo_access_token"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestBitbucketHasRemovedItsListsAcrossWorkspaces(t *testing.T) {
	s, _ := startBitbucket(t)
	for _, path := range []string{"repositories", "workspaces", "user/permissions/repositories", "user/permissions/workspaces"} {
		if a := ask(t, "GET", s.URL()+"/2.0/"+path, repoBot, ""); a.StatusCode != 410 || !strings.Contains(a.text, "CHANGE-2770") {
			t.Errorf("%s = %d %s, want 410", path, a.StatusCode, a.text)
		}
	}
}

func TestBitbucketChecksStatuses(t *testing.T) {
	s, sha := startBitbucket(t)
	s.SetRole("octo", "app", "hubot", "write")
	s.AddToken(sourcetest.Token{Value: "ATCTThubot", Login: "hubot", Scopes: []string{"repository"}})
	at := s.URL() + "/2.0/repositories/octo/app/commit/" + sha + "/statuses/build"
	status := func(key, state, url string) string {
		text, err := json.Marshal(map[string]string{"key": key, "state": state, "url": url})
		must(t, err)
		return string(text)
	}
	for _, c := range []struct {
		name, method, path, token, body string
		want                            int
		text                            string
	}{
		{"a key of 41 characters", "POST", at, repoBot, status(strings.Repeat("k", 41), "FAILED", "https://x.example"), 400, "Ensure this value has at most 40 characters (it has 41)."},
		{"no URL", "POST", at, repoBot, status("k", "FAILED", ""), 400, "Enter a valid URL."},
		{"an unknown state", "POST", at, repoBot, status("k", "failure", "https://x.example"), 400, "Select a valid choice."},
		{"an unknown commit", "POST", strings.Replace(at, sha, strings.Repeat("0", 40), 1), repoBot, status("k", "FAILED", "https://x.example"), 404, "Commit not found"},
		{"a status that is not there", "PUT", at + "/k", repoBot, status("k", "FAILED", "https://x.example"), 404, "Build status k not found"},
		{"a status", "POST", at, repoBot, status("k", "INPROGRESS", "https://x.example"), 201, `"author"`},
		{"the same again", "POST", at, repoBot, status("k", "FAILED", "https://x.example"), 200, `"FAILED"`},
		{"the same by another", "POST", at, "ATCTThubot", status("k", "SUCCESSFUL", "https://x.example"), 403, "created by another user"},
		{"another key by another", "POST", at, "ATCTThubot", status("l", "SUCCESSFUL", "https://x.example"), 201, `"SUCCESSFUL"`},
		{"that by an administrator", "PUT", at + "/l", repoBot, status("l", "STOPPED", "https://x.example"), 200, `"STOPPED"`},
		{"reading it", "GET", at + "/l", repoBot, "", 200, `"nickname":"hubot"`},
		{"reading all", "GET", strings.TrimSuffix(at, "/build"), repoBot, "", 200, `"size":2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := ask(t, c.method, c.path, c.token, c.body, "Content-Type", "application/json"); a.StatusCode != c.want || !strings.Contains(a.text, c.text) {
				t.Errorf("= %d %s, want %d with %s", a.StatusCode, a.text, c.want, c.text)
			}
		})
	}
}

func TestBitbucketKeepsTheSecretOfAHook(t *testing.T) {
	s, _ := startBitbucket(t)
	at := s.URL() + "/2.0/repositories/octo/app/hooks"
	made := ask(t, "POST", at, repoBot, `{"description":"d","url":"http://127.0.0.1:9/","active":true,"secret":"one","events":["repo:push"]}`, "Content-Type", "application/json")
	if made.StatusCode != 201 || made.body["secret_set"] != true || strings.Contains(made.text, `"one"`) {
		t.Fatalf("= %d %s", made.StatusCode, made.text)
	}
	id := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(made.body["uuid"].(string))
	for _, c := range []struct{ body, want string }{
		{`{"active":false}`, "one"}, // left out: unchanged
		{`{"secret":"two"}`, "two"},
		{`{"secret":null}`, ""},
	} {
		a := ask(t, "PUT", at+"/"+id, repoBot, c.body, "Content-Type", "application/json")
		if got := s.Hooks("octo/app")[0]; a.StatusCode != 200 || got.Secret != c.want || got.Active {
			t.Errorf("%s = %d, hook %+v, want secret %q", c.body, a.StatusCode, got, c.want)
		}
	}
	if a := ask(t, "POST", at, repoBot, `{"url":"http://127.0.0.1:9/","events":["pullrequest:reopened"]}`, "Content-Type", "application/json"); a.StatusCode != 400 {
		t.Errorf("an unknown event = %d %s, want 400", a.StatusCode, a.text)
	}
	if a := ask(t, "DELETE", at+"/"+id, repoBot, ""); a.StatusCode != 204 || len(s.Hooks("octo/app")) != 0 {
		t.Errorf("DELETE = %d %s", a.StatusCode, a.text)
	}
}

func TestBitbucketDelivers(t *testing.T) {
	s, _ := startBitbucket(t)
	answer := http.StatusServiceUnavailable
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(answer)
	}))
	t.Cleanup(srv.Close)
	for _, body := range []string{
		`{"url":"` + srv.URL + `","secret":"hush","events":["repo:push"],"active":true}`,
		`{"url":"` + srv.URL + `","events":["repo:push","pullrequest:created"],"active":true}`,
		`{"url":"` + srv.URL + `","secret":"hush","events":["pullrequest:created"],"active":true}`,
	} {
		if a := ask(t, "POST", s.URL()+"/2.0/repositories/octo/app/hooks", repoBot, body, "Content-Type", "application/json"); a.StatusCode != 201 {
			t.Fatalf("= %d %s", a.StatusCode, a.text)
		}
	}
	hooks := s.Hooks("octo/app")
	s.SetHookActive(hooks[2].ID, false)
	_, err := s.Push("octo", "app", "main", map[string]string{"b": "1"}, "second", "mona")
	must(t, err)
	sent := s.Sent()
	if len(sent) != 2 || sent[0].HookID != hooks[0].ID || sent[0].Status != 503 || sent[0].Event != "repo:push" {
		t.Fatalf("sent = %+v", sent)
	}
	if signed, plain := sent[0].Header.Get("X-Hub-Signature"), sent[1].Header.Get("X-Hub-Signature"); !strings.HasPrefix(signed, "sha256=") || plain != "" {
		t.Errorf("signatures = %q and %q, want one where there is a secret", signed, plain)
	}
	answer = http.StatusOK
	must(t, s.Redeliver(sent[0].ID))
	again := s.Sent()[2]
	if again.Status != 200 || again.ID != sent[0].ID || again.Header.Get("X-Attempt-Number") != "2" || sent[0].Header.Get("X-Attempt-Number") != "1" || again.Header.Get("X-Hub-Signature") != sent[0].Header.Get("X-Hub-Signature") {
		t.Errorf("again = %+v", again)
	}
	_, err = s.Push("octo", "app", "main", map[string]string{"c": "1"}, strings.Repeat("long ", 60<<10), "mona")
	must(t, err)
	if n := len(s.Sent()); n != 3 {
		t.Errorf("%d deliveries, want 3: what is larger than 256 KiB is not sent", n)
	}
	if err := s.DeliverRelease("octo", "app", "v1", "", "mona", false); err == nil {
		t.Error("Bitbucket has releases")
	}
}

func TestBitbucketHasNoRefsOfPullRequests(t *testing.T) {
	s, _ := startBitbucket(t)
	must(t, s.Fork("octo", "app", "stranger"))
	head, err := s.Commit("stranger", "app", "topic", map[string]string{"b": "1"}, "topic")
	must(t, err)
	_, err = s.OpenPullRequest("octo", "app", sourcetest.PullRequest{HeadOwner: "stranger", HeadName: "app", HeadBranch: "topic", BaseBranch: "main"})
	must(t, err)
	a := ask(t, "GET", s.URL()+"/octo/app.git/info/refs?service=git-upload-pack", "", "", "Authorization", basicAuth("x-token-auth", repoBot))
	if strings.Contains(a.text, head) || strings.Contains(a.text, "refs/slipway") {
		t.Errorf("the head of the fork is advertised:\n%s", a.text)
	}
	pull := ask(t, "GET", s.URL()+"/2.0/repositories/octo/app/pullrequests/1", repoBot, "")
	if !strings.Contains(pull.text, `"hash":"`+head[:12]+`"`) || strings.Contains(pull.text, head) {
		t.Errorf("the head has not twelve characters:\n%s", pull.text)
	}
	stat := ask(t, "GET", s.URL()+"/2.0/repositories/octo/app/pullrequests/1/diffstat", repoBot, "")
	if stat.StatusCode != 302 || !strings.Contains(stat.Header.Get("Location"), "/diffstat/stranger/app:"+head[:12]+"%0D") {
		t.Errorf("diffstat = %d to %s", stat.StatusCode, stat.Header.Get("Location"))
	}
	if a := ask(t, "GET", stat.Header.Get("Location"), repoBot, ""); a.StatusCode != 200 || !strings.Contains(a.text, `"path":"b"`) {
		t.Errorf("its target = %d %s", a.StatusCode, a.text)
	}
	if a := ask(t, "GET", s.URL()+"/2.0/repositories/octo/app/pullrequests?pagelen=51", repoBot, ""); a.StatusCode != 400 {
		t.Errorf("51 on a page = %d, want 400", a.StatusCode)
	}
}
