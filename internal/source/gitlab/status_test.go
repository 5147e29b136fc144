package gitlab_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
)

func TestStatusesInGitLabsWords(t *testing.T) {
	l := start(t, sourcetest.Options{})
	_, err := l.Commit("a/b", "app", "topic/x", map[string]string{"x": "x"}, "second")
	must(t, err)
	for _, c := range []struct {
		state source.State
		ref   string
		want  sourcetest.Status
	}{
		{source.Pending, "refs/heads/main", sourcetest.Status{State: "running", Ref: "main"}},
		{source.Success, "refs/heads/topic/x", sourcetest.Status{State: "success", Ref: "topic/x"}},
		{source.Failure, "main", sourcetest.Status{State: "failed", Ref: "main"}},
		{source.Errored, "refs/tags/v1", sourcetest.Status{State: "failed", Ref: "v1"}},
		{source.Stopped, "refs/merge-requests/1/head", sourcetest.Status{State: "canceled", Ref: "main"}}, // GitLab finds the branch
		{source.Success, "", sourcetest.Status{State: "success", Ref: "main"}},
	} {
		before := len(l.Statuses("a/b", "app", l.first))
		err := l.ReportStatus(t.Context(), l.repo, l.first, source.Status{State: c.state, Context: "ci", Description: "d", TargetURL: "https://ci.example/1", Ref: c.ref}, login(full))
		must(t, err)
		got := l.Statuses("a/b", "app", l.first)[before:]
		c.want.Context, c.want.Description, c.want.TargetURL, c.want.Creator = "ci", "d", "https://ci.example/1", "mona"
		if diff := cmp.Diff([]sourcetest.Status{c.want}, got, cmpopts.IgnoreFields(sourcetest.Status{}, "ID", "Created")); diff != "" {
			t.Errorf("%s on %q (-want +got):\n%s", c.state, c.ref, diff)
		}
	}
}

// Pitfall: GitLab refuses the state that a status has already.
func TestTheSameStateTwiceIsNoError(t *testing.T) {
	l := start(t, sourcetest.Options{})
	s := source.Status{State: source.Pending, Context: "ci", Ref: "refs/heads/main"}
	for range 3 {
		must(t, l.ReportStatus(t.Context(), l.repo, l.first, s, login(full)))
	}
	if got := len(l.Statuses("a/b", "app", l.first)); got != 1 {
		t.Errorf("%d statuses, want 1", got)
	}
}

// Pitfall: GitLab refuses a link or description that is too long.
func TestWhatIsTooLongIsLeftOutOrCut(t *testing.T) {
	l := start(t, sourcetest.Options{})
	link := "https://ci.example/" + strings.Repeat("x", 255)
	must(t, l.ReportStatus(t.Context(), l.repo, l.first, source.Status{State: source.Success, Description: strings.Repeat("é", 300), TargetURL: link}, login(full)))
	got := l.Statuses("a/b", "app", l.first)[0]
	if n := len([]rune(got.Description)); n != 255 || got.TargetURL != "" {
		t.Errorf("a description of %d characters and the link %q, want 255 and none", n, got.TargetURL)
	}
	must(t, l.ReportStatus(t.Context(), l.repo, l.first, source.Status{State: source.Success, TargetURL: link[:255]}, login(full)))
	if got := l.Statuses("a/b", "app", l.first)[1]; got.TargetURL != link[:255] {
		t.Errorf("a link of 255 characters became %q", got.TargetURL)
	}
}

func TestAStatusIsSentAgainWhenGitLabIsAway(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("POST *", 503, "busy", 2)
	must(t, l.ReportStatus(t.Context(), l.repo, l.first, source.Status{State: source.Success}, login(full)))
	if got := l.Statuses("a/b", "app", l.first); len(got) != 1 || time.Since(got[0].Created) > time.Hour {
		t.Errorf("statuses = %v", got)
	}
}
