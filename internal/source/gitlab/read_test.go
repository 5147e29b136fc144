package gitlab_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"slipway/internal/source/gitlab"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

// everything is all that a hook can be set to hear of what we know.
var everything = []event.Type{event.Push, event.PullRequestCreated, event.Released, event.WorkflowJobQueued}

// hearing is a lab whose project a/b/app has a hook that hears everything.
func hearing(t *testing.T) (*lab, *listener) {
	l, h := start(t, sourcetest.Options{}), listen(t)
	s := wanting(h.url, plainSecret, everything...)
	s.Comments = true
	_, err := l.CreateHook(t.Context(), on(l.repo), s, login(full))
	must(t, err)
	return l, h
}

// one reads the only delivery since the last call.
func (l *lab) one(t *testing.T, h *listener) event.Delivery {
	t.Helper()
	heard := h.take()
	if len(heard) != 1 {
		t.Fatalf("%d deliveries, want 1", len(heard))
	}
	d, err := l.Read(heard[0].Header, heard[0].Body)
	must(t, err)
	if d.ID == "" || d.ID != heard[0].Header.Get("Idempotency-Key") || !strings.HasPrefix(d.Sender, "GitLab/") {
		t.Errorf("the delivery is %q from %q", d.ID, d.Sender)
	}
	want := event.Repository{ID: "1", FullName: "a/b/app", Name: "app", Organization: "a", CloneURL: l.URL() + "/a/b/app.git", Private: true}
	if diff := cmp.Diff(want, d.Repository); diff != "" {
		t.Errorf("repository (-want +got):\n%s", diff)
	}
	return d
}

func (l *lab) event(t *testing.T, h *listener) event.Event {
	t.Helper()
	d := l.one(t, h)
	if len(d.Events) != 1 || d.Note != "" {
		t.Fatalf("delivery = %+v, want one event", d)
	}
	return d.Events[0]
}

func (l *lab) id(login string) string {
	return fmt.Sprint(memberID(l, login))
}

// memberID asks the GitLab for the number of a user.
func memberID(l *lab, login string) int {
	req, err := http.NewRequest(http.MethodGet, l.at.APIBase+"/users?username="+login, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Private-Token", full)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	var found []struct{ ID int }
	if json.NewDecoder(resp.Body).Decode(&found) != nil || len(found) == 0 {
		return 0
	}
	return found[0].ID
}

var sloppily = cmp.Options{cmpopts.EquateApproxTime(time.Hour), cmpopts.SortSlices(func(a, b string) bool { return a < b })}

func TestReadPushes(t *testing.T) {
	l, h := hearing(t)
	second, err := l.Push("a/b", "app", "main", map[string]string{"src/x": "x", "README.md": "changed"}, "second\n\nbody", "mona")
	must(t, err)
	want := event.Event{
		Type: event.Push, ActorID: l.id("mona"), ActorName: "mona", HeadRef: "refs/heads/main", Commit: second, Before: l.first,
		Message: new("second\n\nbody\n"), Files: []string{"README.md", "src/x"},
	}
	if diff := cmp.Diff(want, l.event(t, h)); diff != "" {
		t.Errorf("a push (-want +got):\n%s", diff)
	}

	third, err := l.Push("a/b", "app", "topic/x", map[string]string{"y": "y"}, "third", "mona")
	must(t, err)
	want = event.Event{Type: event.Push, ActorID: l.id("mona"), ActorName: "mona", HeadRef: "refs/heads/topic/x", Commit: third, Message: new("third\n"), Files: []string{"y"}}
	if diff := cmp.Diff(want, l.event(t, h)); diff != "" {
		t.Errorf("a new branch (-want +got):\n%s", diff)
	}

	must(t, l.DeliverTag("a/b", "app", "v1", second, "mona"))
	want = event.Event{Type: event.Push, ActorID: l.id("mona"), ActorName: "mona", HeadRef: "refs/tags/v1", Commit: second}
	if diff := cmp.Diff(want, l.event(t, h)); diff != "" {
		t.Errorf("a tag (-want +got):\n%s", diff)
	}

	must(t, l.DeliverDelete("a/b", "app", "refs/heads/topic/x", "mona"))
	want = event.Event{Type: event.Push, ActorID: l.id("mona"), ActorName: "mona", HeadRef: "refs/heads/topic/x", Before: third, Deleted: true}
	if diff := cmp.Diff(want, l.event(t, h)); diff != "" {
		t.Errorf("a deletion (-want +got):\n%s", diff)
	}
}

func TestReadMergeRequests(t *testing.T) {
	l, h := hearing(t)
	must(t, l.Fork("a/b", "app", "eve"))
	head, err := l.Commit("eve", "app", "fix", map[string]string{"x": "x"}, "a fix")
	must(t, err)
	n, err := l.OpenPullRequest("a/b", "app", sourcetest.PullRequest{Title: "Fix", Author: "eve", HeadOwner: "eve", HeadName: "app", HeadBranch: "fix", BaseBranch: "main"})
	must(t, err)
	act := func(action, sender string) {
		t.Helper()
		must(t, l.DeliverPullRequest("a/b", "app", n, action, sender))
	}

	act("opened", "eve")
	want := event.Event{
		Type: event.PullRequestCreated, ActorID: l.id("eve"), ActorName: "eve", HeadRef: "refs/heads/fix", BaseRef: "refs/heads/main", Commit: head,
		Message: new("a fix\n"), At: time.Now(),
		PullRequest: &event.PullRequest{
			Number: 1, AuthorID: l.id("eve"), AuthorName: "eve", Fork: true,
			Head: event.Repository{ID: "3", FullName: "eve/app", Name: "app", Organization: "eve", CloneURL: l.URL() + "/eve/app.git", Private: true},
		},
	}
	if diff := cmp.Diff(want, l.event(t, h), sloppily); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}

	act("updated", "mona") // without new commits
	if d := l.one(t, h); len(d.Events) != 0 || !strings.Contains(d.Note, "no new commits") || d.Name != "Merge Request Hook update" {
		t.Errorf("a new title = %+v", d)
	}

	next, err := l.Commit("eve", "app", "fix", map[string]string{"x": "y"}, "better")
	must(t, err)
	act("updated", "mona")
	want.Type, want.ActorID, want.ActorName = event.PullRequestUpdated, l.id("mona"), "mona"
	want.Commit, want.Before, want.Message = next, head, new("better\n")
	want.PullRequest.AuthorName = l.id("eve") // of who is not the actor, GitLab says the number only
	if diff := cmp.Diff(want, l.event(t, h), sloppily); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}

	want.Before = ""
	for action, kind := range map[string]event.Type{"closed": event.PullRequestClosed, "reopened": event.PullRequestReopened} {
		act(action, "mona")
		want.Type = kind
		if diff := cmp.Diff(want, l.event(t, h), sloppily); diff != "" {
			t.Errorf("%s (-want +got):\n%s", action, diff)
		}
	}

	act("merged", "mona")
	got := l.event(t, h)
	merged, err := l.Resolve(t.Context(), l.repo, "main", login(full))
	must(t, err)
	want.Type, want.Merge = event.PullRequestMerged, merged
	if diff := cmp.Diff(want, got, sloppily); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
}

func TestReadComments(t *testing.T) {
	l, h := hearing(t)
	must(t, l.SetRef("a/b", "app", "refs/heads/fix", l.first))
	n, err := l.OpenPullRequest("a/b", "app", sourcetest.PullRequest{HeadBranch: "fix", BaseBranch: "main"})
	must(t, err)
	must(t, l.DeliverComment("a/b", "app", n, "/codebuild_run("+l.first+")", "mona"))
	d := l.one(t, h)
	want := &event.Comment{PullRequest: 1, AuthorID: l.id("mona"), AuthorName: "mona", Text: "/codebuild_run(" + l.first + ")"}
	if diff := cmp.Diff(want, d.Comment); diff != "" || d.Note != "" || len(d.Events) != 0 {
		t.Errorf("delivery = %+v (-want +got):\n%s", d, diff)
	}
	must(t, l.DeliverComment("a/b", "app", n, strings.Repeat("é", 64<<10), "mona"))
	if got := l.one(t, h).Comment.Text; len(got) != 64<<10 {
		t.Errorf("a long comment has %d bytes", len(got))
	}
}

func TestReadReleasesAndJobs(t *testing.T) {
	l, h := hearing(t)
	must(t, l.Tag("a/b", "app", "v1", l.first, "annotated"))
	must(t, l.DeliverRelease("a/b", "app", "v1", "The first", "mona", false))
	want := event.Event{Type: event.Released, HeadRef: "refs/tags/v1", Commit: l.first, Tag: "v1", ReleaseName: "The first", Message: new("first\n\nand more\n"), At: time.Now()}
	if diff := cmp.Diff(want, l.event(t, h), sloppily); diff != "" {
		t.Errorf("a release has no actor (-want +got):\n%s", diff)
	}

	must(t, l.DeliverJob("a/b", "app", "main", "created", "mona"))
	if d := l.one(t, h); len(d.Events) != 0 || !strings.Contains(d.Note, "pending") {
		t.Errorf("a job that is created = %+v", d)
	}
	must(t, l.DeliverJob("a/b", "app", "main", "pending", "mona"))
	got := l.event(t, h)
	want = event.Event{
		Type: event.WorkflowJobQueued, ActorID: l.id("mona"), ActorName: "mona", HeadRef: "refs/heads/main", Commit: l.first, Message: new(""), At: time.Now(),
		Job: &event.Job{ID: got.Job.ID, RunID: got.Job.RunID, Workflow: "Build pipeline"},
	}
	if diff := cmp.Diff(want, got, sloppily); diff != "" || got.Job.ID == 0 || got.Job.RunID == 0 {
		t.Errorf("a job that waits (-want +got):\n%s", diff)
	}
}

// Pitfall: GitLab says nothing of a push of more than three branches; what was
// missed is found by comparing refs.
func TestOpenMergeRequestsAreFoundWithoutADelivery(t *testing.T) {
	l, h := hearing(t)
	must(t, l.SetRef("a/b", "app", "refs/heads/fix", l.first))
	n, err := l.OpenPullRequest("a/b", "app", sourcetest.PullRequest{HeadBranch: "fix", BaseBranch: "main", Author: "eve"})
	must(t, err)
	if got := h.take(); len(got) != 0 {
		t.Fatalf("%d deliveries", len(got))
	}
	open, err := l.OpenPullRequests(t.Context(), l.repo, login(readAPI))
	must(t, err)
	want := []event.Event{{
		Type: event.PullRequestUpdated, HeadRef: "refs/heads/fix", BaseRef: "refs/heads/main", Commit: l.first, At: time.Now(),
		PullRequest: &event.PullRequest{Number: int64(n), AuthorID: l.id("eve"), AuthorName: "eve", Head: event.Repository{ID: "1"}},
	}}
	if diff := cmp.Diff(want, open, sloppily); diff != "" {
		t.Errorf("OpenPullRequests (-want +got):\n%s", diff)
	}
}

func TestReadRefusesWhatIsNotGitLabs(t *testing.T) {
	p := gitlab.New(rest.Options{})
	sha := strings.Repeat("a", 40)
	for _, c := range []struct{ name, body, want string }{
		{"no JSON", "object_kind=push", "no JSON object"},
		{"a list", "[]", "no JSON object"},
		{"another type", `{"object_kind":"push","commits":"many"}`, "not the JSON that GitLab promises"},
		{"an id that is a name", `{"object_kind":"push","user_id":"mona"}`, "not the JSON that GitLab promises"},
		{"a ref that is none", `{"object_kind":"push","ref":"main","after":"` + sha + `"}`, `no branch or tag: its ref is "main"`},
		{"a ref with a line break", `{"object_kind":"push","ref":"refs/heads/a\nb","after":"` + sha + `"}`, `no branch or tag`},
		{"no commit", `{"object_kind":"push","ref":"refs/heads/main","after":"--upload-pack=x"}`, "no commit for refs/heads/main"},
		{"a merge request without branches", `{"object_kind":"merge_request","object_attributes":{"action":"open","iid":1}}`, "no merge request, or not its branches"},
		{"a merge request without commit", `{"object_kind":"merge_request","object_attributes":{"action":"open","iid":1,"source_branch":"a","target_branch":"b"}}`, "no commit for merge request 1"},
		{"a comment on no merge request", `{"object_kind":"note","object_attributes":{"noteable_type":"MergeRequest"}}`, "on which merge request"},
		{"a release without tag", `{"object_kind":"release","action":"create"}`, "tag of the release"},
		{"a job without commit", `{"object_kind":"build","build_status":"pending","build_id":7}`, "for job 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d, err := p.Read(http.Header{"X-Gitlab-Event": {"Push Hook"}}, []byte(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Read = %+v, %v, want %q", d, err, c.want)
			}
		})
	}
}

func TestWhatStartsNoBuildsIsNoted(t *testing.T) {
	p := gitlab.New(rest.Options{})
	for _, c := range []struct{ name, header, body, want string }{
		{"a system hook", "System Hook", `{"object_kind":"push"}`, "System hooks"},
		{"a new project in a group", "Project Hook", `{"event_name":"project_create"}`, `kind "project_create"`},
		{"a pipeline", "Pipeline Hook", `{"object_kind":"pipeline"}`, `kind "pipeline"`},
		{"an approval", "Merge Request Hook", `{"object_kind":"merge_request","object_attributes":{"action":"approved"}}`, `action "approved"`},
		{"a comment on a commit", "Note Hook", `{"object_kind":"note","object_attributes":{"noteable_type":"Commit"}}`, `kind "Commit"`},
		{"a comment of GitLab itself", "Note Hook", `{"object_kind":"note","object_attributes":{"noteable_type":"MergeRequest","system":true}}`, "itself"},
		{"a comment that was edited", "Note Hook", `{"object_kind":"note","object_attributes":{"noteable_type":"MergeRequest","action":"update"},"merge_request":{"iid":1}}`, "only new ones count"},
		{"a release that is gone", "Release Hook", `{"object_kind":"release","action":"delete"}`, `action "delete"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := p.Read(http.Header{"X-Gitlab-Event": {c.header}}, []byte(c.body))
			if err != nil || len(d.Events) != 0 || d.Comment != nil || !strings.Contains(d.Note, c.want) {
				t.Errorf("Read = %+v, %v, want the note %q", d, err, c.want)
			}
		})
	}
}

func TestADeliveryWithoutGitLabsHeaderIsNotRead(t *testing.T) {
	if d, err := gitlab.New(rest.Options{}).Read(http.Header{}, []byte(`{"object_kind":"push"}`)); err == nil || !strings.Contains(err.Error(), "X-Gitlab-Event") {
		t.Errorf("Read = %+v, %v", d, err)
	}
}

// A user whose name is a number must not be taken for the one with that number.
func TestAUserWhoseNameIsANumberIsNamedByHisNumber(t *testing.T) {
	p := gitlab.New(rest.Options{})
	d, err := p.Read(http.Header{"X-Gitlab-Event": {"Push Hook"}}, []byte(`{"object_kind":"note","user":{"id":900,"username":"1"},"object_attributes":{"noteable_type":"MergeRequest","author_id":900,"note":"x"},"merge_request":{"iid":1}}`))
	if err != nil || d.Comment == nil || d.Comment.AuthorName != "900" {
		t.Errorf("Read = %+v, %v", d.Comment, err)
	}
}

// Whatever is delivered, an event names a ref and a commit that git can be
// given, and nothing is larger than it may be.
func FuzzRead(f *testing.F) {
	sha := strings.Repeat("a", 40)
	for _, seed := range []string{
		`{"object_kind":"push","ref":"refs/heads/main","before":"` + sha + `","after":"` + sha + `","commits":[{"id":"` + sha + `","message":"m","added":["a"]}],"total_commits_count":1,"project":{"id":1,"path_with_namespace":"a/b","git_http_url":"https://u:p@x/a/b.git"}}`,
		`{"object_kind":"tag_push","ref":"refs/tags/v1","after":"0000000000000000000000000000000000000000"}`,
		`{"object_kind":"merge_request","user":{"id":"7"},"object_attributes":{"action":"update","oldrev":"` + sha + `","iid":1,"source_branch":"a","target_branch":"b","last_commit":{"id":"` + sha + `"}}}`,
		`{"object_kind":"note","object_attributes":{"noteable_type":"MergeRequest","note":"x"},"merge_request":{"iid":1}}`,
		`{"object_kind":"release","action":"create","tag":"v1","commit":{"id":"` + sha + `"}}`,
		`{"object_kind":"build","build_status":"pending","sha":"` + sha + `","ref":"main"}`,
		`{"event_name":"push"}`,
	} {
		f.Add("Push Hook", []byte(seed))
	}
	p := gitlab.New(rest.Options{})
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		d, err := p.Read(http.Header{"X-Gitlab-Event": {name}}, body)
		if err != nil {
			return
		}
		if d.Comment == nil && (len(d.Events) == 0) != (d.Note != "") {
			t.Errorf("%d events and the note %q", len(d.Events), d.Note)
		}
		if d.Comment != nil && len(d.Comment.Text) > 64<<10 || len(d.Name) > 500 || strings.Contains(d.Repository.CloneURL, "@") && strings.Contains(strings.SplitN(d.Repository.CloneURL, "/", 4)[2], "@") {
			t.Errorf("delivery = %+v", d)
		}
		for _, e := range d.Events {
			if !strings.HasPrefix(e.HeadRef, "refs/") || strings.ContainsAny(e.HeadRef+e.BaseRef, "\n\r\x00") || !e.Deleted && strings.Trim(e.Commit, "0123456789abcdef") != "" || !e.Deleted && len(e.Commit) < 40 {
				t.Errorf("event = %+v", e)
			}
		}
	})
}
