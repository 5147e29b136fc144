package bitbucket_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/go-playground/webhooks/v6/bitbucket" // its testdata holds the payloads that Atlassian documents

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/bitbucket"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

// listen makes a hook for everything at the place and returns what came in, the
// last first.
func listen(t *testing.T, p *place) (last func() (http.Header, []byte)) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	_, err := p.provider.CreateHook(t.Context(), source.Target{Repository: p.repo}, source.HookSettings{
		PayloadURL: srv.URL, Secret: secret.New("hush"), Comments: true,
		Events: []event.Type{event.Push, event.PullRequestCreated, event.PullRequestUpdated, event.PullRequestMerged, event.PullRequestClosed},
	}, p.mona(allScopes...))
	must(t, err)
	return func() (http.Header, []byte) {
		t.Helper()
		sent := p.Sent()
		if len(sent) == 0 {
			t.Fatal("nothing was delivered")
		}
		return sent[len(sent)-1].Header, sent[len(sent)-1].Body
	}
}

// heard reads the last delivery, which must be signed and sound.
func (p *place) heard(t *testing.T, last func() (http.Header, []byte)) event.Delivery {
	t.Helper()
	header, body := last()
	if v, i := p.provider.Signed(header, body, []secret.Text{secret.New("hush")}, now); v != slipway.SignatureVerdictValid || i != 0 {
		t.Errorf("Signed = %s, %d", v, i)
	}
	d, err := p.provider.Read(header, body)
	must(t, err)
	if d.ID != header.Get("X-Request-UUID") || d.ID == "" || d.Sender != "Bitbucket-Webhooks/2.0" || d.Name != header.Get("X-Event-Key") {
		t.Errorf("delivery = %+v", d)
	}
	if d.Repository.ID == "" {
		t.Error("the repository has no id")
	}
	same(t, "repository", d.Repository, event.Repository{
		ID: d.Repository.ID, FullName: "octo/app", Name: "app", Organization: "octo", CloneURL: p.CloneURL("octo", "app"), Private: true,
	})
	return d
}

func TestPushes(t *testing.T) {
	p := start(t)
	last := listen(t, p)
	lisa := p.AccountID("lisa")
	second, err := p.Push("octo", "app", "main", map[string]string{"a": "1"}, "second\n\nwith a body", "lisa")
	must(t, err)
	same(t, "push to main", p.heard(t, last).Events, []event.Event{{
		Type: event.Push, ActorID: lisa, ActorName: "Lisa", HeadRef: "refs/heads/main", Commit: second, Before: p.head, Message: new("second\n\nwith a body\n"),
	}})
	topic, err := p.Push("octo", "app", "feature/one", map[string]string{"b": "1"}, "topic", "lisa")
	must(t, err)
	same(t, "new branch", p.heard(t, last).Events, []event.Event{{
		Type: event.Push, ActorID: lisa, ActorName: "Lisa", HeadRef: "refs/heads/feature/one", Commit: topic, Message: new("topic\n"),
	}})
	must(t, p.DeliverTag("octo", "app", "v1", second, "lisa"))
	same(t, "new tag", p.heard(t, last).Events, []event.Event{{
		Type: event.Push, ActorID: lisa, ActorName: "Lisa", HeadRef: "refs/tags/v1", Commit: second, Message: new("second\n\nwith a body\n"),
	}})
	must(t, p.DeliverDelete("octo", "app", "refs/heads/feature/one", "lisa"))
	same(t, "deleted branch", p.heard(t, last).Events, []event.Event{{
		Type: event.Push, ActorID: lisa, ActorName: "Lisa", HeadRef: "refs/heads/feature/one", Before: topic, Deleted: true,
	}})
	must(t, p.DeliverDelete("octo", "app", "refs/tags/v1", "lisa"))
	same(t, "deleted tag", p.heard(t, last).Events, []event.Event{{
		Type: event.Push, ActorID: lisa, ActorName: "Lisa", HeadRef: "refs/tags/v1", Before: second, Deleted: true,
	}})
	must(t, p.DeliverChanges("octo", "app", "app-bot",
		sourcetest.RefChange{Ref: "refs/heads/main", Before: p.head, After: second}, sourcetest.RefChange{Ref: "refs/tags/v2", After: second}, sourcetest.RefChange{Ref: "refs/heads/old", Before: p.head}))
	got := p.heard(t, last).Events
	if len(got) != 3 || got[0].HeadRef != "refs/heads/main" || got[1].HeadRef != "refs/tags/v2" || !got[2].Deleted {
		t.Errorf("a push of three refs = %+v", got)
	}
	if id := got[0].ActorID; !strings.HasPrefix(id, "{") {
		t.Errorf("an actor without account id = %q, want its UUID", id)
	}
}

func TestAPushOfManyCommitsIsRead(t *testing.T) {
	p := start(t)
	last := listen(t, p)
	var tip string
	for range 7 {
		var err error
		tip, err = p.Commit("octo", "app", "main", map[string]string{"a": "1"}, "more")
		must(t, err)
	}
	must(t, p.DeliverChanges("octo", "app", "lisa", sourcetest.RefChange{Ref: "refs/heads/main", Before: p.head, After: tip}))
	if _, body := last(); !strings.Contains(string(body), `"truncated":true`) {
		t.Error("the delivery is not truncated")
	}
	if got := p.heard(t, last).Events; len(got) != 1 || got[0].Commit != tip || *got[0].Message != "more\n" || got[0].Files != nil {
		t.Errorf("events = %+v", got)
	}
}

func TestPullRequests(t *testing.T) {
	p := start(t)
	last := listen(t, p)
	_, err := p.Commit("octo", "app", "topic", map[string]string{"b": "1"}, "topic")
	must(t, err)
	n, err := p.OpenPullRequest("octo", "app", sourcetest.PullRequest{Author: "lisa", HeadBranch: "topic", BaseBranch: "main"})
	must(t, err)
	for action, want := range map[string]event.Type{
		"opened": event.PullRequestCreated, "updated": event.PullRequestUpdated, "closed": event.PullRequestClosed,
	} {
		must(t, p.DeliverPullRequest("octo", "app", n, action, "mona"))
		e := p.heard(t, last).Events[0]
		e.At = time.Time{}
		commit, err := p.provider.Resolve(t.Context(), p.repo, e.Commit, p.mona(allScopes...))
		if err != nil || len(e.Commit) != 12 || !strings.HasPrefix(commit, e.Commit) || len(commit) != 40 {
			t.Errorf("%s: commit %q is %q, %v", action, e.Commit, commit, err)
		}
		same(t, action, e, event.Event{
			Type: want, ActorID: p.AccountID("mona"), ActorName: "Mona", HeadRef: "refs/heads/topic", BaseRef: "refs/heads/main", Commit: e.Commit, Repeats: action == "updated",
			PullRequest: &event.PullRequest{Number: int64(n), AuthorID: p.AccountID("lisa"), AuthorName: p.AccountID("lisa"), Head: p.heard(t, last).Repository},
		})
	}
	must(t, p.DeliverPullRequest("octo", "app", n, "merged", "mona"))
	e := p.heard(t, last).Events[0]
	merge, err := p.provider.Resolve(t.Context(), p.repo, e.Merge, p.mona(allScopes...))
	main, _ := p.provider.Resolve(t.Context(), p.repo, "main", p.mona(allScopes...))
	if err != nil || e.Type != event.PullRequestMerged || len(e.Merge) != 12 || merge != main || !e.At.Equal(now) {
		t.Errorf("merged = %+v, merge commit %q, %v, want %q", e, merge, err, main)
	}
	if err := p.DeliverPullRequest("octo", "app", n, "reopened", "mona"); err == nil {
		t.Error("Bitbucket reopened a pull request")
	}
}

func TestAPullRequestFromAFork(t *testing.T) {
	p := start(t)
	last := listen(t, p)
	must(t, p.Fork("octo", "app", "stranger"))
	sha, err := p.Commit("stranger", "app", "evil", map[string]string{"c": "1"}, "from afar")
	must(t, err)
	n, err := p.OpenPullRequest("octo", "app", sourcetest.PullRequest{Author: "stranger", HeadOwner: "stranger", HeadName: "app", HeadBranch: "evil", BaseBranch: "main"})
	must(t, err)
	must(t, p.DeliverPullRequest("octo", "app", n, "opened", "stranger"))
	e := p.heard(t, last).Events[0]
	head := e.PullRequest.Head
	if !e.PullRequest.Fork || head.FullName != "stranger/app" || head.CloneURL != p.CloneURL("stranger", "app") || head.ID == "" {
		t.Errorf("pull request = %+v", e.PullRequest)
	}
	by := p.mona(allScopes...)
	got, err := p.provider.PullRequest(t.Context(), p.repo, int64(n), by)
	must(t, err)
	if got.Commit != sha || !got.PullRequest.Fork || got.PullRequest.Head != head {
		t.Errorf("PullRequest = %+v, want commit %s", got, sha)
	}
	files, err := p.provider.Files(t.Context(), p.repo, e, by)
	must(t, err)
	same(t, "Files", files, []string{"c"})
}

func TestAForkThatIsGoneIsAFork(t *testing.T) {
	body := `{"repository":{"uuid":"{b}","full_name":"octo/app"},"actor":{"uuid":"{u}"},"pullrequest":{"id":3,"source":{"branch":{"name":"x"},"commit":{"hash":"0123456789ab"},"repository":null},"destination":{"branch":{"name":"main"},"repository":{"uuid":"{b}"}}}}`
	d, err := bitbucket.New(rest.Options{}).Read(http.Header{"X-Event-Key": {"pullrequest:created"}}, []byte(body))
	must(t, err)
	if e := d.Events[0]; !e.PullRequest.Fork || e.PullRequest.Head != (event.Repository{}) || e.ActorID != "{u}" || e.Commit != "0123456789ab" {
		t.Errorf("event = %+v", e)
	}
	if d.Repository.CloneURL != "https://bitbucket.org/octo/app.git" {
		t.Errorf("clone URL = %q", d.Repository.CloneURL)
	}
}

func TestComments(t *testing.T) {
	p := start(t)
	last := listen(t, p)
	_, err := p.Commit("octo", "app", "topic", map[string]string{"b": "1"}, "topic")
	must(t, err)
	n, err := p.OpenPullRequest("octo", "app", sourcetest.PullRequest{HeadBranch: "topic", BaseBranch: "main"})
	must(t, err)
	must(t, p.DeliverComment("octo", "app", n, "/codebuild_run(abc)", "lisa"))
	d := p.heard(t, last)
	same(t, "comment", d.Comment, &event.Comment{PullRequest: int64(n), AuthorID: p.AccountID("lisa"), AuthorName: p.AccountID("lisa"), Text: "/codebuild_run(abc)"})
	if len(d.Events) != 0 {
		t.Errorf("events = %+v", d.Events)
	}
	must(t, p.DeliverComment("octo", "app", n, strings.Repeat("ä", 40<<10), "lisa"))
	if text := p.heard(t, last).Comment.Text; len(text) > 64<<10 || len(text) < 64<<10-2 || strings.Trim(text, "ä") != "" {
		t.Errorf("a long comment has %d bytes, want 64 KiB of it", len(text))
	}
}

func TestSignatures(t *testing.T) {
	p := bitbucket.New(rest.Options{})
	const body, sum = "Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	ours, other := secret.New("It's a Secret to Everybody"), secret.New("another")
	for _, c := range []struct {
		name    string
		header  string
		body    string
		secrets []secret.Text
		want    slipway.SignatureVerdict
		index   int
	}{
		{"the published vector", "sha256=" + sum, body, []secret.Text{ours}, slipway.SignatureVerdictValid, 0},
		{"the secret before", "sha256=" + sum, body, []secret.Text{other, ours}, slipway.SignatureVerdictValidOldSecret, 1},
		{"capital digits", "sha256=" + strings.ToUpper(sum), body, []secret.Text{ours}, slipway.SignatureVerdictValid, 0},
		{"another body", "sha256=" + sum, body + "\n", []secret.Text{ours}, slipway.SignatureVerdictInvalid, -1},
		{"another secret", "sha256=" + sum, body, []secret.Text{other}, slipway.SignatureVerdictInvalid, -1},
		{"no secret at all", "sha256=" + sum, body, nil, slipway.SignatureVerdictInvalid, -1},
		{"a signature with the empty secret", "sha256=2bbcfa9524f3218c7a34b30e6936f8b1a4516cb097f1a85a1c7d98b5977ec769", body, []secret.Text{{}}, slipway.SignatureVerdictInvalid, -1},
		{"SHA-1", "sha1=" + sum[:40], body, []secret.Text{ours}, slipway.SignatureVerdictInvalid, -1},
		{"a bare sum", sum, body, []secret.Text{ours}, slipway.SignatureVerdictInvalid, -1},
		{"half a sum", "sha256=" + sum[:32], body, []secret.Text{ours}, slipway.SignatureVerdictInvalid, -1},
		{"nonsense", "sha256=zz", body, []secret.Text{ours}, slipway.SignatureVerdictInvalid, -1},
		{"no signature", "", body, []secret.Text{ours}, slipway.SignatureVerdictMissing, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			if c.header != "" {
				h.Set("X-Hub-Signature", c.header)
			}
			if v, i := p.Signed(h, []byte(c.body), c.secrets, now); v != c.want || i != c.index {
				t.Errorf("Signed = %s, %d, want %s, %d", v, i, c.want, c.index)
			}
		})
	}
}

func TestDeliveriesThatBuildNothing(t *testing.T) {
	for _, c := range []struct{ name, key, body, note, err string }{
		{"a test", "diagnostics:ping", `{"test":true}`, "This is a test of the connection: there is nothing to build.", ""},
		{"another event", "repo:fork", `{"repository":{"full_name":"octo/app"},"push":7}`, "Bitbucket's event repo:fork starts no builds.", ""},
		{"another event on a comment", "pullrequest:comment_deleted", `{}`, "Bitbucket's event pullrequest:comment_deleted starts no builds.", ""},
		{"a push of nothing", "repo:push", `{"push":{"changes":[]}}`, "The push changed no branch and no tag.", ""},
		{"a push of a bookmark", "repo:push", `{"push":{"changes":[{"new":{"type":"bookmark","name":"x"}}]}}`, "The push changed no branch and no tag.", ""},
		{"a push without a push", "repo:push", `{}`, "", "repo:push has no push"},
		{"a push to nowhere", "repo:push", `{"push":{"changes":[{"new":{"type":"branch","name":"x","target":{"hash":"--upload-pack=x"}}}]}}`, "", "repo:push does not say at which commit refs/heads/x is"},
		{"a pull request without one", "pullrequest:created", `{}`, "", "pullrequest:created has no pull request"},
		{"a pull request without a commit", "pullrequest:updated", `{"pullrequest":{"id":1}}`, "", "pullrequest:updated does not say at which commit the pull request is"},
		{"a comment without one", "pullrequest:comment_created", `{"pullrequest":{"id":1}}`, "", "pullrequest:comment_created has no pull request or no comment"},
		{"no JSON", "repo:push", `payload=%7B`, "", "repo:push is not the JSON that Bitbucket documents: invalid character 'p' looking for beginning of value"},
		{"no event", "", `{}`, "", "the delivery has no X-Event-Key header: it does not come from Bitbucket"},
		{"Data Center", "repo:refs_changed", `{}`, "", "repo:refs_changed comes from Bitbucket Data Center, which Slipway does not support: sources of type BITBUCKET are at bitbucket.org"},
		{"a pull request of Data Center", "pr:opened", `{}`, "", "pr:opened comes from Bitbucket Data Center, which Slipway does not support: sources of type BITBUCKET are at bitbucket.org"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := bitbucket.New(rest.Options{}).Read(http.Header{"X-Event-Key": {c.key}}, []byte(c.body))
			said := ""
			if err != nil {
				said = err.Error()
			}
			if d.Note != c.note || said != c.err || len(d.Events) != 0 || d.Comment != nil {
				t.Errorf("Read = %+v, %v, want note %q, error %q", d, err, c.note, c.err)
			}
		})
	}
}

// collected returns the payloads that Atlassian documents, by file name.
func collected(t testing.TB) map[string][]byte {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-playground/webhooks/v6").Output()
	if err != nil {
		t.Fatalf("where the collection is: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "bitbucket", "*.json"))
	if err != nil || len(files) < 18 {
		t.Fatalf("%d payloads in the collection, %v, want 18", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = text
	}
	return all
}

// keys is under which event the collection's payloads come.
var keys = map[string]string{
	"commit-comment-created.json":        "repo:commit_comment_created",
	"issue-comment-created.json":         "issue:comment_created",
	"issue-created.json":                 "issue:created",
	"issue-updated.json":                 "issue:updated",
	"pull-request-approval-removed.json": "pullrequest:unapproved",
	"pull-request-approved.json":         "pullrequest:approved",
	"pull-request-comment-created.json":  "pullrequest:comment_created",
	"pull-request-comment-deleted.json":  "pullrequest:comment_deleted",
	"pull-request-comment-updated.json":  "pullrequest:comment_updated",
	"pull-request-created.json":          "pullrequest:created",
	"pull-request-declined.json":         "pullrequest:rejected",
	"pull-request-merged.json":           "pullrequest:fulfilled",
	"pull-request-updated.json":          "pullrequest:updated",
	"repo-commit-status-created.json":    "repo:commit_status_created",
	"repo-commit-status-updated.json":    "repo:commit_status_updated",
	"repo-fork.json":                     "repo:fork",
	"repo-push.json":                     "repo:push",
	"repo-updated.json":                  "repo:updated",
}

func TestTheDocumentedPayloadsAreRead(t *testing.T) {
	builds := map[string]event.Type{
		"repo:push": event.Push, "pullrequest:created": event.PullRequestCreated, "pullrequest:updated": event.PullRequestUpdated,
		"pullrequest:fulfilled": event.PullRequestMerged, "pullrequest:rejected": event.PullRequestClosed,
	}
	for name, body := range collected(t) {
		t.Run(name, func(t *testing.T) {
			key := keys[name]
			d, err := bitbucket.New(rest.Options{}).Read(http.Header{"X-Event-Key": {key}}, body)
			if err != nil {
				t.Fatalf("Read = %v", err)
			}
			if d.Repository.FullName == "" || !strings.HasPrefix(d.Repository.CloneURL, "https://bitbucket.org/") {
				t.Errorf("repository = %+v", d.Repository)
			}
			if want, ok := builds[key]; ok {
				if len(d.Events) != 1 || d.Events[0].Type != want || d.Events[0].ActorID == "" || d.Events[0].Commit == "" || d.Note != "" {
					t.Errorf("Read = %+v, want one %s", d, want)
				}
				return
			}
			if said := d.Comment != nil; len(d.Events) != 0 || said != (key == "pullrequest:comment_created") || !said && d.Note == "" {
				t.Errorf("Read = %+v", d)
			}
		})
	}
}

// FuzzRead holds that whatever comes in, what Read returns can be built or says
// why not.
func FuzzRead(f *testing.F) {
	for name, body := range collected(f) {
		f.Add(keys[name], body)
	}
	f.Add("repo:push", []byte(`{"push":{"changes":[{"new":null,"old":{"type":"tag","name":"v1","target":null}}]}}`))
	f.Add("pullrequest:created", []byte(`{"pullrequest":{"id":1,"source":{"repository":null,"commit":{"hash":"0123456789ab"}}}}`))
	f.Add("diagnostics:ping", []byte(`{"test":true}`))
	p := bitbucket.New(rest.Options{})
	f.Fuzz(func(t *testing.T, key string, body []byte) {
		d, err := p.Read(http.Header{"X-Event-Key": {key}}, body)
		if err != nil {
			return
		}
		if len(d.Events) == 0 && d.Comment == nil && d.Note == "" {
			t.Errorf("%q: nothing happened and nothing says why", key)
		}
		if d.Comment != nil && len(d.Comment.Text) > 64<<10 {
			t.Errorf("%q: a comment of %d bytes", key, len(d.Comment.Text))
		}
		for _, e := range d.Events {
			if !e.Deleted && len(e.Commit) < 7 || e.Type == event.Push && e.HeadRef == "" || e.Type.IsPullRequest() != (e.PullRequest != nil) || e.Files != nil {
				t.Errorf("%q: event %+v", key, e)
			}
		}
		if _, err := json.Marshal(d); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	})
}
