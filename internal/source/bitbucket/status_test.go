package bitbucket_test

import (
	"strings"
	"testing"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
)

func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   source.Status
		want sourcetest.Status
	}{
		{"a build that runs", source.Status{State: source.Pending, Context: "ci", Description: "Build started", TargetURL: "https://slipway.example/b/1", Ref: "refs/heads/topic/one"},
			sourcetest.Status{State: "INPROGRESS", Context: "ci", Name: "ci", Description: "Build started", TargetURL: "https://slipway.example/b/1", Ref: "topic/one"}},
		{"a success", source.Status{State: source.Success, Context: "ci", TargetURL: "https://x.example"},
			sourcetest.Status{State: "SUCCESSFUL", Context: "ci", Name: "ci", TargetURL: "https://x.example"}},
		{"a failure", source.Status{State: source.Failure, Context: "ci", TargetURL: "https://x.example"},
			sourcetest.Status{State: "FAILED", Context: "ci", Name: "ci", TargetURL: "https://x.example"}},
		{"a fault is a failure", source.Status{State: source.Errored, Context: "ci", TargetURL: "https://x.example"},
			sourcetest.Status{State: "FAILED", Context: "ci", Name: "ci", TargetURL: "https://x.example"}},
		{"a stopped build", source.Status{State: source.Stopped, Context: "ci", TargetURL: "https://x.example"},
			sourcetest.Status{State: "STOPPED", Context: "ci", Name: "ci", TargetURL: "https://x.example"}},
		{"a tag is no branch to show it on", source.Status{State: source.Success, Context: "ci", TargetURL: "https://x.example", Ref: "refs/tags/v1"},
			sourcetest.Status{State: "SUCCESSFUL", Context: "ci", Name: "ci", TargetURL: "https://x.example"}},
		{"a key of forty characters stays", source.Status{State: source.Success, Context: strings.Repeat("ä", 40), TargetURL: "https://x.example"},
			sourcetest.Status{State: "SUCCESSFUL", Context: strings.Repeat("ä", 40), Name: strings.Repeat("ä", 40), TargetURL: "https://x.example"}},
		{"a longer key is hashed, its name is not", source.Status{State: source.Success, Context: "AWS CodeBuild us-east-1 (a-longer-project)", TargetURL: "https://x.example"},
			sourcetest.Status{State: "SUCCESSFUL", Context: "d4a9e8185a9d369a617d4de85050763473381c35", Name: "AWS CodeBuild us-east-1 (a-longer-project)", TargetURL: "https://x.example"}},
		{"a long description is cut", source.Status{State: source.Success, Context: "ci", Description: strings.Repeat("x", 300), TargetURL: "https://x.example"},
			sourcetest.Status{State: "SUCCESSFUL", Context: "ci", Name: "ci", Description: strings.Repeat("x", 254) + "…", TargetURL: "https://x.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t)
			by := p.bot("", "repository")
			must(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, c.in, by))
			must(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, c.in, by)) // again is no error
			got := p.Statuses("octo", "app", p.head)
			if len(got) != 2 {
				t.Fatalf("%d statuses, want 2", len(got))
			}
			got[1].ID, got[1].Creator, got[1].Created = 0, "", c.want.Created
			same(t, "status", got[1], c.want)
		})
	}
}

func TestAStatusWithoutAddressLeadsToItsCommit(t *testing.T) {
	p := start(t)
	must(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, source.Status{State: source.Success}, p.mona("read:repository:bitbucket")))
	got := p.Statuses("octo", "app", p.head)[0]
	if want := p.repo.WebBase + "/octo/app/commits/" + p.head; got.TargetURL != want || got.Context != "default" {
		t.Errorf("status = %+v, want %s", got, want)
	}
}

func TestAStatusThatAnotherMadeIsRefusedByName(t *testing.T) {
	p := start(t)
	p.SetRole("octo", "app", "hubot", "write")
	before := p.login(sourcetest.Token{Value: "ATATTbefore", Login: "lisa", Email: "lisa@example.com", Scopes: allScopes})
	after := p.login(sourcetest.Token{Value: "ATATTafter", Login: "hubot", Email: "hubot@example.com", Scopes: allScopes})
	pending, done := source.Status{State: source.Pending, Context: "ci"}, source.Status{State: source.Success, Context: "ci"}
	must(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, pending, before))
	r := refused(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, done, after))
	want := "Bitbucket answered 403: You cannot overwrite a build status that was created by another user. " +
		"The status is there already, made by Lisa, and Bitbucket lets only whoever made a status, or an administrator of the repository, replace it. " +
		"Until builds that began with another credential have ended, keep that credential; or give this one's owner the permission Admin on the repository."
	if r.Cause != slipway.FailureCauseConflict || r.Error() != want || r.Again {
		t.Errorf("refusal = %s\n%s\nwant CONFLICT\n%s", r.Cause, r.Error(), want)
	}
	p.SetRole("octo", "app", "hubot", "admin")
	if err := p.provider.ReportStatus(t.Context(), p.repo, p.head, done, after); err != nil {
		t.Errorf("an administrator was refused: %v", err)
	}
}

func TestAStatusThatTakesWriteScopeSaysSo(t *testing.T) {
	p := start(t)
	p.FailNext("POST *", 403, `{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"required":["write:repository:bitbucket"],"granted":["read:repository:bitbucket"]}}}`, 1)
	r := refused(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, source.Status{State: source.Success, Context: "ci"}, p.mona(allScopes...)))
	if r.Cause != slipway.FailureCauseMissingScope {
		t.Errorf("cause = %s", r.Cause)
	}
	same(t, "Missing", r.Missing, []string{"write:repository:bitbucket"})
}

func TestAFieldThatBitbucketRefusesIsNamed(t *testing.T) {
	p := start(t)
	p.FailNext("POST *", 400, `{"type":"error","error":{"message":"Bad request","fields":{"key":["Ensure this value has at most 40 characters (it has 42)."]}}}`, 1)
	r := refused(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, source.Status{State: source.Success, Context: "ci"}, p.mona(allScopes...)))
	if want := "Bitbucket answered 400: Bad request. key: Ensure this value has at most 40 characters (it has 42)."; r.Cause != slipway.FailureCauseRejected || r.Error() != want {
		t.Errorf("refusal = %s %s, want %s", r.Cause, r.Error(), want)
	}
}

func TestAPendingStatusIsSentAgainWhenBitbucketIsAway(t *testing.T) {
	p := start(t)
	p.FailNext("POST *", 502, "", 2)
	must(t, p.provider.ReportStatus(t.Context(), p.repo, p.head, source.Status{State: source.Pending, Context: "ci"}, p.mona(allScopes...)))
	if len(p.waits) != 2 {
		t.Errorf("%d waits, want 2", len(p.waits))
	}
}
