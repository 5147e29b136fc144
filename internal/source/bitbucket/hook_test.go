package bitbucket_test

import (
	"net/url"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

func TestHooks(t *testing.T) {
	p := startPaged(t, 3)
	by, to := p.mona(allScopes...), source.Target{Repository: p.repo}
	ctx := t.Context()
	settings := source.HookSettings{
		PayloadURL: "http://127.0.0.1:9/webhooks/a?b=c", Secret: secret.New("hush"), Comments: true, Insecure: true,
		Events: []event.Type{event.PullRequestMerged, event.Push, event.PullRequestReopened, event.Released},
	}
	made, err := p.provider.CreateHook(ctx, to, settings, by)
	must(t, err)
	stands := sourcetest.Hook{
		ID: made.ID, Target: "octo/app", URL: settings.PayloadURL, Secret: "hush", Active: true, InsecureTLS: true,
		Events: []string{"repo:push", "pullrequest:fulfilled", "pullrequest:comment_created"},
	}
	same(t, "made", p.Server.Hooks("octo/app"), []sourcetest.Hook{stands})
	want := source.Hook{ID: made.ID, URL: p.repo.APIBase + "/repositories/octo/app/hooks/" + url.PathEscape(made.ID), Active: true, Signed: true}
	same(t, "hook", made, want)
	if !strings.HasPrefix(made.ID, "{") {
		t.Errorf("id = %q, want a UUID in braces", made.ID)
	}
	for range 5 { // more than a page of others
		other := settings
		other.PayloadURL += "d"
		_, err := p.provider.CreateHook(ctx, to, other, by)
		must(t, err)
	}
	late := settings
	late.PayloadURL = "http://127.0.0.1:9/late"
	last, err := p.provider.CreateHook(ctx, to, late, by)
	must(t, err)
	found, err := p.provider.Hooks(ctx, to, late.PayloadURL, by)
	must(t, err)
	same(t, "a hook on a later page", found, []source.Hook{last})

	p.SetHookActive(made.ID, false)
	found, err = p.provider.Hooks(ctx, to, settings.PayloadURL, by)
	must(t, err)
	if len(found) != 1 || found[0].Active || found[0].State != "inactive" {
		t.Errorf("a switched off hook = %+v", found)
	}
	settings.Secret, settings.Events, settings.Comments, settings.Insecure = secret.New("new"), []event.Type{event.PullRequestClosed}, false, false
	updated, err := p.provider.UpdateHook(ctx, to, made.ID, settings, by)
	must(t, err)
	same(t, "updated", updated, want)
	stands.Secret, stands.Events, stands.InsecureTLS = "new", []string{"pullrequest:rejected"}, false
	same(t, "stands", p.Server.Hooks("octo/app")[0], stands)

	must(t, p.provider.DeleteHook(ctx, to, made.ID, by))
	must(t, p.provider.DeleteHook(ctx, to, made.ID, by)) // gone already
	if n := len(p.Server.Hooks("octo/app")); n != 6 {
		t.Errorf("%d hooks are left, want the 6 others", n)
	}
}

func TestHooksOfAWorkspace(t *testing.T) {
	p := start(t)
	by := p.mona(allScopes...)
	to := source.Target{Repository: source.Repository{Site: p.repo.Site}, Scope: "BITBUCKET_WORKSPACE", ScopeName: "octo"}
	made, err := p.provider.CreateHook(t.Context(), to, source.HookSettings{PayloadURL: "http://127.0.0.1:9/", Secret: secret.New("hush-hush"), Events: []event.Type{event.Push}}, by)
	must(t, err)
	if got := p.Server.Hooks("workspace:octo"); len(got) != 1 || got[0].ID != made.ID {
		t.Errorf("hooks = %+v", got)
	}
	must(t, p.provider.DeleteHook(t.Context(), to, made.ID, by))
}

func TestHooksThatCannotBeMade(t *testing.T) {
	p := start(t)
	p.SetRole("octo", "app", "hubot", "write")
	for _, c := range []struct {
		name   string
		by     source.Login
		events []event.Type
		cause  slipway.FailureCause
		want   string
	}{
		{"no administrator", p.login(sourcetest.Token{Value: "ATATTw", Login: "hubot", Email: email, Scopes: allScopes}), []event.Type{event.Push}, slipway.FailureCauseNotAdmin,
			"Bitbucket answered 403: Forbidden. No scope is missing: the token's owner lacks the right. " +
				"Give the account the permission Admin under Repository settings → Repository permissions, or use an administrator's token."},
		{"no scope to write hooks", p.login(sourcetest.Token{Value: "ATATTr", Email: email, Scopes: without("write:webhook:bitbucket")}), []event.Type{event.Push}, slipway.FailureCauseMissingScope,
			"Bitbucket answered 403: Your credentials lack one or more required privilege scopes. The token lacks write:webhook:bitbucket. " +
				"Scopes cannot be added to an API token: create a new 'API token with scopes' for the app Bitbucket that also has write:webhook:bitbucket, and import it with 'slipway credential import'."},
		{"no scope to hear of pull requests", p.login(sourcetest.Token{Value: "ATCTTp", Login: "p-bot", Scopes: []string{"webhook", "repository"}}), []event.Type{event.PullRequestCreated}, slipway.FailureCauseMissingScope,
			"Bitbucket answered 403: Your credentials lack one or more required privilege scopes. The token lacks the permission pullrequest. " +
				"Permissions cannot be added to an access token: create a new one that also has the permission pullrequest, and import it with 'slipway credential import'."},
		{"nothing that Bitbucket tells of", p.mona(allScopes...), []event.Type{event.Released, event.WorkflowJobQueued}, slipway.FailureCauseRejected,
			"Bitbucket tells of pushes and of pull requests being created, updated, merged and closed, and of nothing that this webhook is to hear."},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.provider.CreateHook(t.Context(), source.Target{Repository: p.repo}, source.HookSettings{PayloadURL: "http://127.0.0.1:9/", Secret: secret.New("hush-hush"), Events: c.events}, c.by)
			if r := refused(t, err); r.Cause != c.cause || r.Error() != c.want {
				t.Errorf("refusal = %s\n%s\nwant %s\n%s", r.Cause, r.Error(), c.cause, c.want)
			}
		})
	}
	if n := len(p.Server.Hooks("octo/app")); n != 0 {
		t.Errorf("%d hooks were made", n)
	}
}

func TestAHookIsNeverMadeTwice(t *testing.T) {
	p := start(t)
	p.FailNext("POST *", 502, "", 1)
	_, err := p.provider.CreateHook(t.Context(), source.Target{Repository: p.repo}, source.HookSettings{PayloadURL: "http://127.0.0.1:9/", Secret: secret.New("hush"), Events: []event.Type{event.Push}}, p.mona(allScopes...))
	if r := refused(t, err); !r.Again || len(p.waits) != 0 {
		t.Errorf("refusal = %+v after %d waits, want one to try again later, since nobody knows whether the hook was made", r, len(p.waits))
	}
}

func TestASecretInBitbucketsWordsIsHidden(t *testing.T) {
	p := start(t)
	p.FailNext("POST *", 400, `{"error":{"message":"Bad request","fields":{"secret":["hush-hush is too short"]}}}`, 1)
	_, err := p.provider.CreateHook(t.Context(), source.Target{Repository: p.repo}, source.HookSettings{PayloadURL: "http://127.0.0.1:9/", Secret: secret.New("hush-hush"), Events: []event.Type{event.Push}}, p.mona(allScopes...))
	if r := refused(t, err); strings.Contains(r.Error(), "hush-hush") {
		t.Errorf("refusal = %s", r.Error())
	}
}

func TestRoles(t *testing.T) {
	p := start(t)
	for login, role := range map[string]string{"ada": "admin", "mia": "maintain", "will": "write", "tri": "triage", "rita": "read", "nobody": "none"} {
		p.SetRole("octo", "app", login, role)
	}
	want := map[string]api.PullRequestBuildApproverRole{
		"ada": api.PullRequestBuildApproverRoleBitbucketAdmin, "mia": api.PullRequestBuildApproverRoleBitbucketWrite, "will": api.PullRequestBuildApproverRoleBitbucketWrite,
		"tri": api.PullRequestBuildApproverRoleBitbucketRead, "rita": api.PullRequestBuildApproverRoleBitbucketRead, "nobody": "", "stranger": "",
	}
	logins := map[string]source.Login{
		"by everybody's effective permission": p.mona(allScopes...),
		"by the user's own permission alone":  p.login(sourcetest.Token{Value: "ATATTadmin", Email: email, Scopes: []string{"admin:repository:bitbucket"}}),
	}
	for name, by := range logins {
		t.Run(name, func(t *testing.T) {
			for login, role := range want {
				got, err := p.provider.Role(t.Context(), p.repo, p.AccountID(login), by)
				if name != "by everybody's effective permission" && login == "stranger" {
					if r := refused(t, err); r.Cause != slipway.FailureCauseMissingScope || got != "" {
						t.Errorf("Role(stranger) = %q, %v: groups could not be looked at", got, err)
					}
					continue
				}
				if err != nil || got != role {
					t.Errorf("Role(%s) = %q, %v, want %q", login, got, err, role)
				}
			}
		})
	}
	for _, user := range []string{"ada", "Ada", ""} {
		if got, err := p.provider.Role(t.Context(), p.repo, user, logins["by everybody's effective permission"]); got != "" || err != nil {
			t.Errorf("Role(%q) = %q, %v: nicknames are not unique and must not count", user, got, err)
		}
	}
	p.SetRole("octo", "app", "will", "write")
	_, err := p.provider.Role(t.Context(), p.repo, p.AccountID("ada"), p.login(sourcetest.Token{Value: "ATATTwill", Login: "will", Email: email, Scopes: allScopes}))
	if r := refused(t, err); r.Cause != slipway.FailureCauseNotAdmin {
		t.Errorf("Role for one who is no administrator = %v", err)
	}
}
