package bitbucket_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

func TestVersionsAreResolved(t *testing.T) {
	p := start(t)
	topic, err := p.Commit("octo", "app", "feature/one&two%", map[string]string{"a": "1"}, "topic")
	must(t, err)
	must(t, p.Tag("octo", "app", "v1.0", p.head, ""))
	must(t, p.Tag("octo", "app", "v2/annotated", topic, "a release"))
	must(t, p.Tag("octo", "app", "main", topic, "")) // a branch is called so, too
	by := p.mona(allScopes...)
	for version, want := range map[string]string{
		"main": p.head, "refs/heads/main": p.head, "feature/one&two%": topic, "refs/heads/feature/one&two%": topic, "v1.0": p.head, "refs/tags/v1.0": p.head,
		"v2/annotated": topic, "refs/tags/main": topic, p.head: p.head, p.head[:12]: p.head, topic[:7]: topic,
	} {
		if got, err := p.provider.Resolve(t.Context(), p.repo, version, by); err != nil || got != want {
			t.Errorf("Resolve(%q) = %q, %v, want %q", version, got, err, want)
		}
	}
	for version, want := range map[string]string{
		"nothing": `There is no branch, tag or commit "nothing" in octo/app at Bitbucket. ` +
			"Check the spelling; a commit must have been pushed to this repository, not only to a fork.",
		"0123456789ab": `There is no branch, tag or commit "0123456789ab" in octo/app at Bitbucket. ` +
			"Check the spelling; a commit must have been pushed to this repository, not only to a fork.",
		"refs/pull-requests/1/from": `Bitbucket has branches and tags only, not "refs/pull-requests/1/from".`,
		"":                          "There is no version to look for.",
	} {
		_, err := p.provider.Resolve(t.Context(), p.repo, version, by)
		if r := refused(t, err); r.Cause != slipway.FailureCauseRejected || r.Error() != want {
			t.Errorf("Resolve(%q) = %s %s, want %s", version, r.Cause, r.Error(), want)
		}
	}
}

func TestARenamedRepositoryIsFound(t *testing.T) {
	p := start(t)
	must(t, p.Rename("octo/app", "octo/moved"))
	if got, err := p.provider.Resolve(t.Context(), p.repo, "main", p.mona(allScopes...)); err != nil || got != p.head {
		t.Errorf("Resolve = %q, %v, want %q", got, err, p.head)
	}
}

func TestAnAnswerThatIsNoCommitIsRefused(t *testing.T) {
	p := start(t)
	for _, body := range []string{`{"hash":"0123456789ab"}`, `{"hash":"--upload-pack=touch /tmp/x; 0123456789012345678901234567"}`, `{}`, `[]`} {
		p.FailNext("*", 200, body, 1)
		_, err := p.provider.Resolve(t.Context(), p.repo, p.head, p.mona(allScopes...))
		if r := refused(t, err); r.Cause != slipway.FailureCauseProviderError {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestFiles(t *testing.T) {
	p := start(t)
	by := p.mona(allScopes...)
	files := map[string]string{}
	var many []string
	for i := range 130 { // more than a page of pull requests' files
		name := fmt.Sprintf("many/%03d", i)
		files[name] = name
		many = append(many, name)
	}
	tip, err := p.Commit("octo", "app", "main", files, "many")
	must(t, err)
	topic, err := p.Commit("octo", "app", "topic", map[string]string{"b": "1"}, "topic")
	must(t, err)
	must(t, p.SetRef("octo", "app", "refs/heads/renamed", p.head))
	renamed, err := p.Move("octo", "app", "renamed", "README.md", "READYOU.md")
	must(t, err)
	n, err := p.OpenPullRequest("octo", "app", sourcetest.PullRequest{HeadBranch: "topic", BaseBranch: "main"})
	must(t, err)
	must(t, p.SetRef("octo", "app", "refs/heads/from-first", p.head))
	big, err := p.OpenPullRequest("octo", "app", sourcetest.PullRequest{HeadBranch: "topic", BaseBranch: "from-first"})
	must(t, err)
	pull := func(n int) *event.PullRequest { return &event.PullRequest{Number: int64(n)} }
	for _, c := range []struct {
		name string
		e    event.Event
		want []string
	}{
		{"a push", event.Event{Type: event.Push, HeadRef: "refs/heads/main", Commit: tip, Before: p.head}, many},
		{"a new branch is compared with the main one", event.Event{Type: event.Push, HeadRef: "refs/heads/topic", Commit: topic}, []string{"b"}},
		{"a new branch where main is changes nothing", event.Event{Type: event.Push, HeadRef: "refs/heads/same", Commit: tip}, []string{}},
		{"the first push to the main branch", event.Event{Type: event.Push, HeadRef: "refs/heads/main", Commit: p.head}, []string{"README.md"}},
		{"a renamed file has both names", event.Event{Type: event.Push, HeadRef: "refs/heads/renamed", Commit: renamed, Before: p.head}, []string{"README.md", "READYOU.md"}},
		{"a deleted branch", event.Event{Type: event.Push, HeadRef: "refs/heads/gone", Before: tip, Deleted: true}, []string{}},
		{"a pull request", event.Event{Type: event.PullRequestCreated, Commit: topic[:12], PullRequest: pull(n)}, []string{"b"}},
		{"a pull request of several pages", event.Event{Type: event.PullRequestUpdated, Commit: topic[:12], PullRequest: pull(big)}, append([]string{"b"}, many...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.provider.Files(t.Context(), p.repo, c.e, by)
			must(t, err)
			same(t, "Files", got, c.want)
		})
	}
	_, err = p.provider.Files(t.Context(), p.repo, event.Event{PullRequest: pull(n)}, p.login(sourcetest.Token{Value: "ATATTnopr", Email: email, Scopes: without("read:pullrequest:bitbucket")}))
	if r := refused(t, err); r.Cause != slipway.FailureCauseMissingScope || !slices.Equal(r.Missing, []string{"read:pullrequest:bitbucket"}) {
		t.Errorf("Files without the scope = %v", err)
	}
}

func TestPullRequestsAreListed(t *testing.T) {
	p := startPaged(t, 3)
	by := p.mona(allScopes...)
	topic, err := p.Commit("octo", "app", "topic", map[string]string{"b": "1"}, "topic")
	must(t, err)
	for range 8 { // more than a page
		_, err := p.OpenPullRequest("octo", "app", sourcetest.PullRequest{Author: "lisa", HeadBranch: "topic", BaseBranch: "main"})
		must(t, err)
	}
	must(t, p.DeliverPullRequest("octo", "app", 7, "closed", "mona"))
	list, err := p.provider.OpenPullRequests(t.Context(), p.repo, by)
	must(t, err)
	if len(list) != 7 || slices.ContainsFunc(list, func(e event.Event) bool { return e.PullRequest.Number == 7 }) {
		t.Errorf("%d open pull requests, want all 7 but the closed one", len(list))
	}
	e := list[0]
	if e.Type != event.PullRequestUpdated || e.Commit != topic[:12] || e.HeadRef != "refs/heads/topic" || e.BaseRef != "refs/heads/main" || e.ActorID != p.AccountID("lisa") ||
		e.PullRequest.Fork || e.PullRequest.AuthorID != p.AccountID("lisa") || e.PullRequest.Head.CloneURL != p.CloneURL("octo", "app") {
		t.Errorf("event = %+v %+v", e, e.PullRequest)
	}
	one, err := p.provider.PullRequest(t.Context(), p.repo, 7, by)
	if err != nil || one.Commit != topic || one.PullRequest.Number != 7 || *one.Message != "topic\n" {
		t.Errorf("PullRequest(7) = %+v, %v", one, err)
	}
	_, err = p.provider.PullRequest(t.Context(), p.repo, 99, by)
	if r := refused(t, err); r.Cause != slipway.FailureCauseNotVisible {
		t.Errorf("PullRequest(99) = %v", err)
	}
}

func TestMessages(t *testing.T) {
	p := start(t)
	sha, err := p.Commit("octo", "app", "main", map[string]string{"b": "1"}, "subject\n\nbody")
	must(t, err)
	for _, id := range []string{sha, sha[:12]} {
		if got, err := p.provider.Message(t.Context(), p.repo, id, p.bot("", "repository")); err != nil || got != "subject\n\nbody\n" {
			t.Errorf("Message(%s) = %q, %v", id, got, err)
		}
	}
}

func TestRepositoriesAreListedWorkspaceByWorkspace(t *testing.T) {
	p := startPaged(t, 2)
	for i := range 5 {
		must(t, p.CreateRepository("big", fmt.Sprintf("app-%03d", i), i%2 == 0))
	}
	must(t, p.CreateRepository("empty", "nothing-here", true))
	by := p.mona(allScopes...)
	all := func(search string) (names []string, pages int) {
		for after, more := "", true; more; more = after != "" {
			list, next, warnings, err := p.provider.Repositories(t.Context(), p.repo.Site, search, after, by)
			must(t, err)
			if len(warnings) > 0 {
				t.Errorf("warnings = %q", warnings)
			}
			for _, r := range list {
				names = append(names, r.FullName)
			}
			after = next
			pages++
		}
		return names, pages
	}
	if names, pages := all("APP"); len(names) != 6 || pages != 4 || names[5] != "octo/app" {
		t.Errorf("%d names on %d pages, want 6 on 4: %v", len(names), pages, names)
	}
	if names, pages := all(`no "such" \ thing`); len(names) != 0 || pages != 1 {
		t.Errorf("names = %v on %d pages, want none on 1", names, pages)
	}
	list, _, _, err := p.provider.Repositories(t.Context(), p.repo.Site, "", "octo:1", by)
	must(t, err)
	same(t, "a repository", list, []slipway.Repository{{FullName: "octo/app", CloneURL: p.CloneURL("octo", "app"), DefaultBranch: "main", Private: true}})
}

func TestAWorkspaceThatCannotBeListedIsAWarning(t *testing.T) {
	p := start(t)
	must(t, p.CreateRepository("closed", "app", true))
	p.FailNext("/2.0/repositories/closed", 403, `{"error":{"message":"To access this workspace, an admin must whitelist your IP."}}`, 1)
	list, next, warnings, err := p.provider.Repositories(t.Context(), p.repo.Site, "", "", p.mona(allScopes...))
	must(t, err)
	want := "The repositories of the workspace closed are missing from the list. Bitbucket answered 403: To access this workspace, an admin must whitelist your IP."
	if len(list) != 1 || next != "" || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("= %v, %q, %q", list, next, warnings)
	}
}

func TestWhoCannotList(t *testing.T) {
	p := start(t)
	list, next, warnings, err := p.provider.Repositories(t.Context(), p.repo.Site, "", "", p.bot("workspace_access_token", "repository", "account"))
	want := "A Bitbucket access token belongs to one repository, project or workspace and cannot list what it reaches: give the repository's address instead."
	if len(list) != 0 || next != "" || err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("= %v, %q, %q, %v", list, next, warnings, err)
	}
	_, _, _, err = p.provider.Repositories(t.Context(), p.repo.Site, "", "", p.mona(without("read:workspace:bitbucket")...))
	if r := refused(t, err); r.Cause != slipway.FailureCauseMissingScope || strings.Join(r.Missing, " ") != "read:workspace:bitbucket" {
		t.Errorf("without the scope = %v", err)
	}
}
