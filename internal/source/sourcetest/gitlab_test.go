package sourcetest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// Tokens of the GitLab that startLab makes.
const (
	labFull    = "glpat-full00000000000000"
	labRead    = "glpat-read00000000000000"
	labClone   = "custom-prefix-clone00000"
	labUser    = "glpat-user00000000000000"
	labExpired = "glpat-expired00000000000"
	labDeploy  = "gldt-deploy0000000000000"
	labBot     = "glpat-bot000000000000000"
	labGuest   = "glpat-guest0000000000000"
	labUnknown = "glpat-unknown00000000000"
)

// startLab serves the private project a/b/app and the public a/site.
func startLab(t *testing.T, o sourcetest.Options) (s *sourcetest.Server, app string) {
	t.Helper()
	o.Dir, o.Server, o.Now = t.TempDir(), api.ServerTypeGitlab, func() time.Time { return now }
	s, err := sourcetest.New(o)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	_, err = s.Start("127.0.0.1:0")
	must(t, err)
	for _, token := range []sourcetest.Token{
		{Value: labFull, Login: "mona", Scopes: []string{"api"}, Expires: now.Add(24 * time.Hour)},
		{Value: labRead, Login: "mona", Scopes: []string{"read_api"}},
		{Value: labClone, Login: "mona", Scopes: []string{"read_repository"}},
		{Value: labUser, Login: "mona", Scopes: []string{"read_user", "self_rotate"}},
		{Value: labExpired, Login: "mona", Scopes: []string{"api"}, Expires: now},
		{Value: labDeploy, Login: "gitlab+deploy-token-7", Scopes: []string{"read_repository"}},
		{Value: labBot, Login: "project_1_bot_0a", Scopes: []string{"api"}, Repositories: []string{"a/b/app"}},
		{Value: labGuest, Login: "gus", Scopes: []string{"api"}},
	} {
		s.AddToken(token)
	}
	must(t, s.CreateRepository("a/b", "app", true))
	must(t, s.CreateRepository("a", "site", false))
	app, err = s.Commit("a/b", "app", "main", map[string]string{"README.md": "private\n"}, "first")
	must(t, err)
	_, err = s.Commit("a", "site", "main", map[string]string{"README.md": "public\n"}, "first")
	must(t, err)
	s.SetGuest("a/b", "app", "gus", false)
	return s, app
}

// askLab sends a request with a token in GitLab's header.
func askLab(t *testing.T, s *sourcetest.Server, method, path, token, body string) answer {
	t.Helper()
	return ask(t, method, s.URL()+"/api/v4"+path, "", body, "Private-Token", token)
}

func TestEveryRequestIsCheckedAsGitLabDoes(t *testing.T) {
	s, app := startLab(t, sourcetest.Options{})
	const project = "/projects/a%2Fb%2Fapp"
	status := project + "/statuses/" + app
	long, _ := json.Marshal(map[string]string{"state": "success", "target_url": "https://x/" + strings.Repeat("y", 250)})
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		text                            string
	}{
		{"a token tells of itself whatever its scopes", "GET", "/personal_access_tokens/self", labUser, "", 200, `"scopes":["read_user","self_rotate"]`},
		{"the user needs a scope", "GET", "/user", labClone, "", 403, `"error":"insufficient_scope"`},
		{"an unknown token", "GET", "/user", labUnknown, "", 401, `{"message":"401 Unauthorized"}`},
		{"an expired token", "GET", "/user", labExpired, "", 401, `"error":"invalid_token"`},
		{"a deploy token is not for the API", "GET", "/user", labDeploy, "", 401, `{"message":"401 Unauthorized"}`},
		{"a project's token is a bot", "GET", "/user", labBot, "", 200, `"bot":true`},
		{"a private project", "GET", project, labRead, "", 200, `"group_access":{"access_level":50`},
		{"a private project by number", "GET", "/projects/1", labBot, "", 200, `"project_access":{"access_level":50`},
		{"a private project for strangers", "GET", project, "", "", 404, `{"message":"404 Project Not Found"}`},
		{"a public project for strangers", "GET", "/projects/a%2Fsite", "", "", 200, `"visibility":"public"`},
		{"a project that a token does not reach", "GET", "/projects/a%2Fsite/hooks", labBot, "", 403, `403 Forbidden`},
		{"the code of a private project for a Guest", "GET", project + "/repository/commits/main", labGuest, "", 403, `403 Forbidden`},
		{"a commit by branch", "GET", project + "/repository/commits/main", labRead, "", 200, `"id":"` + app},
		{"no such ref", "GET", project + "/repository/commits/nope", labRead, "", 404, `404 Commit Not Found`},
		{"reading is not enough for a status", "POST", status, labRead, `{"state":"running"}`, 403, `"scope":"api"`},
		{"nobody may set a status", "POST", status, "", `{"state":"running"}`, 401, ``},
		{"a Guest may not set a status", "POST", status, labGuest, `{"state":"running"}`, 403, `403 Forbidden`},
		{"a status", "POST", status, labFull, `{"state":"running","name":"ci"}`, 201, `"ref":"main"`},
		{"the same state again", "POST", status, labFull, `{"state":"running","name":"ci"}`, 400, `Cannot transition status via :run from :running`},
		{"back to pending", "POST", status, labFull, `{"state":"pending","name":"ci"}`, 400, `Cannot transition status via :enqueue from :running`},
		{"the end", "POST", status, labFull, `{"state":"success","name":"ci"}`, 201, `"status":"success"`},
		{"a new run after the end", "POST", status, labFull, `{"state":"running","name":"ci"}`, 201, ``},
		{"no state", "POST", status, labFull, `{}`, 400, `state is missing`},
		{"a state of GitHub's", "POST", status, labFull, `{"state":"failure"}`, 400, `state does not have a valid value`},
		{"a target_url that is too long", "POST", status, labFull, string(long), 400, `is too long (maximum is 255 characters)`},
		{"no such commit", "POST", project + "/statuses/" + strings.Repeat("0", 40), labFull, `{"state":"running"}`, 404, `404 Commit Not Found`},
		{"a hook without a URL", "POST", project + "/hooks", labFull, `{}`, 400, `url is missing`},
		{"a user by name", "GET", "/users?username=MONA", labUser, "", 200, `"username":"mona"`},
		{"nobody of that name", "GET", "/users?username=zoe", labUser, "", 200, `[]`},
		{"no such route", "GET", "/nothing", labFull, "", 404, `{"error":"404 Not Found"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := askLab(t, s, c.method, c.path, c.token, c.body)
			if a.StatusCode != c.status || !strings.Contains(a.text, c.text) {
				t.Errorf("%s %s = %d %s, want %d %s", c.method, c.path, a.StatusCode, a.text, c.status, c.text)
			}
			if a.Header.Get("RateLimit-Limit") == "" {
				t.Error("no rate limit header")
			}
		})
	}
}

func TestGitLabListsInPages(t *testing.T) {
	s, app := startLab(t, sourcetest.Options{})
	for i := range 3 {
		must(t, s.SetRef("a/b", "app", fmt.Sprintf("refs/heads/b%d", i), app))
	}
	a := askLab(t, s, "GET", "/projects/1/repository/branches?per_page=2", labFull, "")
	if a.Header.Get("X-Next-Page") != "2" || !strings.Contains(a.Header.Get("Link"), `page=2`) || strings.Count(a.text, `"name"`) != 2 {
		t.Errorf("first page: %v %s", a.Header, a.text)
	}
	a = askLab(t, s, "GET", "/projects/1/repository/branches?per_page=2&page=2", labFull, "")
	if a.Header.Get("X-Next-Page") != "" || strings.Count(a.text, `"name"`) != 2 {
		t.Errorf("last page: %v %s", a.Header, a.text)
	}
	a = askLab(t, s, "GET", "/projects?pagination=keyset&order_by=id&per_page=1", labFull, "")
	if !strings.Contains(a.Header.Get("Link"), "id_after=1") {
		t.Errorf("keyset: %v", a.Header)
	}
}

// heard is what a hook received.
type heard struct {
	mu     sync.Mutex
	status int
	events []string
	bodies []map[string]any
	heads  []http.Header
}

func listenLab(t *testing.T) (*heard, string) {
	h := &heard{status: 200}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var v map[string]any
		_ = json.Unmarshal(body, &v)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events, h.bodies, h.heads = append(h.events, r.Header.Get("X-Gitlab-Event")), append(h.bodies, v), append(h.heads, r.Header)
		w.WriteHeader(h.status)
	}))
	t.Cleanup(srv.Close)
	return h, srv.URL
}

func (h *heard) take() ([]string, []map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	events, bodies := h.events, h.bodies
	h.events, h.bodies = nil, nil
	return events, bodies
}

func TestGitLabTellsOfWhatGitPushes(t *testing.T) {
	s, _ := startLab(t, sourcetest.Options{})
	h, url := listenLab(t)
	a := askLab(t, s, "POST", "/projects/1/hooks", labFull, `{"url":"`+url+`","tag_push_events":true,"token":"t0ken"}`)
	if a.StatusCode != 201 || !strings.Contains(a.text, `"token_present":true`) {
		t.Fatalf("create = %d %s", a.StatusCode, a.text)
	}
	work := filepath.Join(t.TempDir(), "work")
	run := func(args ...string) {
		t.Helper()
		if out, err := git(t, labFull, args...); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("clone", "-q", s.CloneURL("a/b", "app"), work)
	push := func(want string, refs ...string) []map[string]any {
		t.Helper()
		run(append([]string{"-C", work, "push", "-q", "origin"}, refs...)...)
		events, bodies := h.take()
		if got := strings.Join(events, ","); got != want {
			t.Errorf("a push of %v told of %q, want %q", refs, got, want)
		}
		return bodies
	}
	for i := range 25 {
		run("-C", work, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("more ", i))
	}
	bodies := push("Push Hook", "HEAD:main")
	if list, _ := bodies[0]["commits"].([]any); len(list) != 20 || bodies[0]["total_commits_count"] != 25.0 {
		t.Errorf("%d commits of %v, want the newest 20 of 25", len(list), bodies[0]["total_commits_count"])
	}
	bodies = push("Push Hook", "HEAD:refs/heads/new")
	if list, _ := bodies[0]["commits"].([]any); len(list) != 0 || bodies[0]["before"] != strings.Repeat("0", 40) {
		t.Errorf("a new branch without commits: %v", bodies[0])
	}
	run("-C", work, "tag", "-a", "-m", "annotated", "v1")
	bodies = push("Tag Push Hook", "v1")
	if bodies[0]["after"] == bodies[0]["checkout_sha"] {
		t.Errorf("an annotated tag is told without the commit that it means: %v", bodies[0])
	}
	bodies = push("Push Hook", ":new")
	if bodies[0]["after"] != strings.Repeat("0", 40) || bodies[0]["checkout_sha"] != nil {
		t.Errorf("a deletion: %v", bodies[0])
	}
	push("", "HEAD:b1", "HEAD:b2", "HEAD:b3", "HEAD:b4") // nothing at all
	push("Push Hook,Push Hook,Push Hook", ":b1", ":b2", ":b3")
	if got := h.heads[0].Get("X-Gitlab-Token"); got != "t0ken" {
		t.Errorf("X-Gitlab-Token = %q", got)
	}
}

func TestGitLabHoldsBackHooksThatFail(t *testing.T) {
	s, _ := startLab(t, sourcetest.Options{SigningTokens: true})
	h, url := listenLab(t)
	askLab(t, s, "POST", "/projects/1/hooks", labFull, `{"url":"`+url+`","signing_token":"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}`)
	h.status = 500
	for i := range 6 {
		_, err := s.Push("a/b", "app", "main", map[string]string{"f": fmt.Sprint(i)}, "more", "mona")
		must(t, err)
	}
	if events, _ := h.take(); len(events) != 4 {
		t.Errorf("%d deliveries, want 4 and then none", len(events))
	}
	a := askLab(t, s, "GET", "/projects/1/hooks/1", labFull, "")
	if !strings.Contains(a.text, `"alert_status":"temporarily_disabled"`) || strings.Contains(a.text, `"disabled_until":null`) {
		t.Errorf("the hook is %s", a.text)
	}
	h.status = 200
	if a := askLab(t, s, "POST", "/projects/1/hooks/1/test/push_events", labFull, ""); a.StatusCode != 201 {
		t.Errorf("test = %d %s", a.StatusCode, a.text)
	}
	if a := askLab(t, s, "GET", "/projects/1/hooks/1/events", labFull, ""); !strings.Contains(a.text, `"response_status":"200"`) || !strings.Contains(a.text, `"response_status":"500"`) {
		t.Errorf("events = %s", a.text)
	}
	if a := askLab(t, s, "GET", "/projects/1/hooks/1", labFull, ""); !strings.Contains(a.text, `"alert_status":"executable"`) {
		t.Errorf("the hook is %s after a test that went well", a.text)
	}
	if h.heads[0].Get("webhook-signature") == "" || h.heads[0].Get("webhook-id") != h.heads[0].Get("Idempotency-Key") {
		t.Errorf("headers = %v", h.heads[0])
	}
}

func TestAnotherAddressDropsTheTokenOfAHook(t *testing.T) {
	s, _ := startLab(t, sourcetest.Options{RefuseLocal: true})
	if a := askLab(t, s, "POST", "/projects/1/hooks", labFull, `{"url":"http://127.0.0.1:1/"}`); a.StatusCode != 422 {
		t.Errorf("a private address = %d %s, want 422", a.StatusCode, a.text)
	}
	a := askLab(t, s, "POST", "/projects/1/hooks", labFull, `{"url":"https://one.example/","token":"x","signing_token":"whsec_AAAA"}`)
	if !strings.Contains(a.text, `"signing_token_present":false`) {
		t.Errorf("without the feature flag: %s", a.text)
	}
	if a := askLab(t, s, "PUT", "/projects/1/hooks/1", labFull, `{"url":"https://two.example/"}`); !strings.Contains(a.text, `"token_present":false`) {
		t.Errorf("another address: %s", a.text)
	}
	if a := askLab(t, s, "DELETE", "/projects/1/hooks/1", labFull, ""); a.StatusCode != 204 {
		t.Errorf("delete = %d", a.StatusCode)
	}
}

func TestCloneAsGitLabAllowsIt(t *testing.T) {
	s, _ := startLab(t, sourcetest.Options{})
	for _, c := range []struct{ name, repo, token, want string }{
		{"a private project of a subgroup", "b/app", labClone, ""},
		{"the scope api clones too", "b/app", labFull, ""},
		{"read_api does not clone", "b/app", labRead, "not allowed to download code"},
		{"a Guest may not download", "b/app", labGuest, "not allowed to download code"},
		{"a wrong token", "b/app", labUnknown, "Access denied"},
		{"a deploy token under another name", "b/app", labDeploy, "Access denied"},
		{"a public project", "site", "", ""},
		{"a project that is not there", "nothing", labFull, "could not be found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := git(t, c.token, "clone", "-q", s.CloneURL("a", c.repo), "work")
			if (err == nil) != (c.want == "") || !strings.Contains(out, c.want) {
				t.Errorf("git clone = %v\n%s\nwant %q", err, out, c.want)
			}
		})
	}
}
