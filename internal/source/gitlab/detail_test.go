package gitlab_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

func TestFiles(t *testing.T) {
	l := start(t, sourcetest.Options{})
	commit := func(branch string, files map[string]string) string {
		t.Helper()
		sha, err := l.Commit("a/b", "app", branch, files, "more")
		must(t, err)
		return sha
	}
	topic := commit("topic", map[string]string{"t/one": "1"})
	commit("topic", map[string]string{"t/two": "2"})
	main := commit("main", map[string]string{"m": "m"})
	head := commit("topic", map[string]string{"t/three": "3"})
	n, err := l.OpenPullRequest("a/b", "app", sourcetest.PullRequest{HeadBranch: "topic", BaseBranch: "main"})
	must(t, err)
	for _, c := range []struct {
		name string
		e    event.Event
		want []string
	}{
		{"a push is compared with what was before", event.Event{Type: event.Push, Before: topic, Commit: head}, []string{"t/three", "t/two"}},
		{"a push by force as well", event.Event{Type: event.Push, Before: head, Commit: topic}, []string{"t/three", "t/two"}},
		{"a new branch is compared with the default one", event.Event{Type: event.Push, Commit: head}, []string{"t/one", "t/three", "t/two"}},
		{"a new branch that brings nothing has its commit's", event.Event{Type: event.Push, Commit: main}, []string{"m"}},
		{"a merge request has its own, not those of the target", event.Event{Type: event.PullRequestCreated, Commit: head, PullRequest: &event.PullRequest{Number: int64(n)}}, []string{"t/one", "t/three", "t/two"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := l.Files(t.Context(), l.repo, c.e, login(readAPI))
			must(t, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Files (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := l.Files(t.Context(), l.repo, event.Event{Before: topic, Commit: head}, login(cloneOnly)); err == nil {
		t.Error("Files without the scope succeeded")
	}
}

func TestFilesThatWereRenamedHaveBothNames(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.Fail("*/merge_requests/1/diffs", sourcetest.Failure{Status: 200, Body: `[{"old_path":"old/name","new_path":"new/name","renamed_file":true},{"old_path":"x","new_path":"x","collapsed":true,"too_large":true}]`}, 1)
	got, err := l.Files(t.Context(), l.repo, event.Event{Type: event.PullRequestUpdated, PullRequest: &event.PullRequest{Number: 1}}, login(full))
	must(t, err)
	if diff := cmp.Diff([]string{"new/name", "old/name", "x"}, got); diff != "" {
		t.Errorf("Files (-want +got):\n%s", diff)
	}
	l.FailNext("*/repository/compare", 200, `{"diffs":[],"compare_timeout":true}`, 1)
	_, err = l.Files(t.Context(), l.repo, event.Event{Type: event.Push, Before: l.first, Commit: l.first}, login(full))
	if r := refusal(t, err); !r.Again {
		t.Errorf("a comparison that GitLab gave up: %+v", r)
	}
}

func TestMessageAndPullRequest(t *testing.T) {
	l := start(t, sourcetest.Options{})
	if got, err := l.Message(t.Context(), l.repo, l.first, login(readAPI)); err != nil || got != "first\n\nand more" {
		t.Errorf("Message = %q, %v", got, err)
	}
	_, err := l.Message(t.Context(), l.repo, "0123456789012345678901234567890123456789", login(readAPI))
	if r := refusal(t, err); r.Cause != slipway.FailureCauseRejected {
		t.Errorf("a commit that is not there: %+v", r)
	}
	must(t, l.Fork("a/b", "app", "eve"))
	n, err := l.OpenPullRequest("a/b", "app", sourcetest.PullRequest{Author: "eve", HeadOwner: "eve", HeadName: "app", HeadBranch: "main", BaseBranch: "main"})
	must(t, err)
	want := event.Event{
		Type: event.PullRequestUpdated, HeadRef: "refs/heads/main", BaseRef: "refs/heads/main", Commit: l.first, At: time.Now(),
		PullRequest: &event.PullRequest{
			Number: int64(n), AuthorID: l.id("eve"), AuthorName: "eve", Fork: true,
			Head: event.Repository{ID: "3", FullName: "eve/app", Name: "app", Organization: "eve", CloneURL: l.URL() + "/eve/app.git"},
		},
	}
	got, err := l.PullRequest(t.Context(), l.repo, int64(n), login(full))
	must(t, err)
	if diff := cmp.Diff(want, got, sloppily); diff != "" {
		t.Errorf("PullRequest (-want +got):\n%s", diff)
	}
	got, err = l.PullRequest(t.Context(), l.repo, int64(n), login(bot)) // which does not see the fork
	must(t, err)
	want.PullRequest.Head = event.Repository{ID: "3"}
	if diff := cmp.Diff(want, got, sloppily); diff != "" {
		t.Errorf("PullRequest of a hidden fork (-want +got):\n%s", diff)
	}
	if _, err := l.PullRequest(t.Context(), l.repo, 99, login(full)); err == nil {
		t.Error("a merge request that is not there was found")
	}
}

func TestRole(t *testing.T) {
	l := start(t, sourcetest.Options{})
	for login, role := range map[string]string{"rita": "read", "will": "write", "mary": "maintain", "nobody": "none"} {
		l.SetRole("a/b", "app", login, role)
	}
	l.SetGuest("a/b", "app", "gus", false)
	l.SetGuest("a/b", "app", "pia", true)
	for _, c := range []struct {
		user string
		want api.PullRequestBuildApproverRole
	}{
		{"mona", "GITLAB_OWNER"}, {"MARY", "GITLAB_MAINTAINER"}, {"will", "GITLAB_DEVELOPER"}, {"rita", "GITLAB_REPORTER"},
		{"pia", "GITLAB_PLANNER"}, {"gus", "GITLAB_GUEST"}, {"nobody", ""}, {"zoe", ""}, {l.id("will"), "GITLAB_DEVELOPER"}, {"12", ""}, {"", ""}, {"../../x", ""},
	} {
		got, err := l.Role(t.Context(), l.repo, c.user, login(readAPI))
		if err != nil || got != c.want {
			t.Errorf("Role(%q) = %q, %v, want %q", c.user, got, err, c.want)
		}
	}
	hidden := l.repo
	hidden.Name = "nothing"
	if got, err := l.Role(t.Context(), hidden, "mona", login(full)); err == nil {
		t.Errorf("Role on a project that nobody sees = %q, want an error", got)
	}
	l.FailNext("*/members/all/*", 200, `{"access_level":50,"state":"blocked"}`, 1)
	if got, err := l.Role(t.Context(), l.repo, "mona", login(full)); err != nil || got != "" {
		t.Errorf("Role of who is blocked = %q, %v", got, err)
	}
}

func TestRepositories(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.SetRole("a", "site", "mona", "read")
	page, next, warnings, err := l.Repositories(t.Context(), l.at, "", "", login(readAPI))
	must(t, err)
	want := []slipway.Repository{
		{FullName: "a/b/app", CloneURL: l.URL() + "/a/b/app.git", DefaultBranch: "main", Private: true, Admin: true},
		{FullName: "a/site", CloneURL: l.URL() + "/a/site.git", DefaultBranch: "main"},
	}
	if diff := cmp.Diff(want, page); diff != "" || next != "" || warnings != nil {
		t.Errorf("Repositories: %q, %v (-want +got):\n%s", next, warnings, diff)
	}
	page, _, _, err = l.Repositories(t.Context(), l.at, "sit", "", login(full))
	if must(t, err); len(page) != 1 || page[0].FullName != "a/site" {
		t.Errorf("Repositories of sit = %v", page)
	}
	l.Fail("*/projects", sourcetest.Failure{Status: 200, Header: map[string][]string{"X-Next-Page": {"2"}}, Body: `[]`}, 1)
	_, next, _, err = l.Repositories(t.Context(), l.at, "", "", login(full))
	if must(t, err); next != "2" {
		t.Errorf("next = %q", next)
	}
	if page, next, _, err = l.Repositories(t.Context(), l.at, "", "2", login(full)); err != nil || len(page) != 0 || next != "" {
		t.Errorf("the second page = %v, %q, %v", page, next, err)
	}
	if _, _, _, err = l.Repositories(t.Context(), l.at, "", "2&x", login(full)); err == nil {
		t.Error("a page that nobody named was read")
	}
	_, _, _, err = l.Repositories(t.Context(), l.at, "", "", login(deploy))
	if r := refusal(t, err); r.Cause != slipway.FailureCauseWrongKind {
		t.Errorf("a deploy token: %+v", r)
	}
}
