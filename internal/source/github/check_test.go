package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/github"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

var all = map[string]string{"contents": "read", "statuses": "write", "repository_hooks": "write", "pull_requests": "read"}

// A bench is GitHub with the private repository octo/app, and a Provider.
type bench struct {
	*testing.T
	*sourcetest.Server
	*github.Provider
	repo source.Repository
	head string
}

func newBench(t *testing.T, server api.ServerType) *bench {
	t.Helper()
	s, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Server: server})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	base, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, Server: s, Provider: github.New(rest.Options{Pause: func(context.Context, time.Duration) error { return nil }})}
	b.repo = source.Repository{Site: source.Endpoints{server: base}.Site(server, base), Owner: "octo", Name: "app"}
	b.must(s.CreateRepository("octo", "app", true))
	b.head, err = s.Commit("octo", "app", "main", map[string]string{"a": "1"}, "first")
	b.must(err)
	return b
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) login(token sourcetest.Token) source.Login {
	b.AddToken(token)
	return source.NewLogin(b.repo.Server, "", secret.New(token.Value))
}

func refused(t *testing.T, err error) *source.Refusal {
	t.Helper()
	r, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		t.Fatalf("the error is %v, want a Refusal", err)
	}
	return r
}

func TestCheckWithoutARepository(t *testing.T) {
	b := newBench(t, api.ServerTypeGithub)
	ends := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	for _, c := range []struct {
		name  string
		token sourcetest.Token
		state slipway.CredentialState
		can   string // the abilities in order
		lacks string
	}{
		{"repo", sourcetest.Token{Value: "ghp_a", Login: "mona", Scopes: []string{"repo"}, Expires: ends}, slipway.CredentialStateValid, "YES YES YES YES", ""},
		{"repo:status", sourcetest.Token{Value: "ghp_b", Login: "mona", Scopes: []string{"repo:status"}, Expires: ends}, slipway.CredentialStateLimited, "NO YES NO NO", "repo"},
		{"repo:status and hooks that can be made only", sourcetest.Token{Value: "ghp_c", Login: "mona", Scopes: []string{"repo:status", "write:repo_hook"}, Expires: ends}, slipway.CredentialStateLimited, "NO YES NO NO", "repo"},
		{"no scopes", sourcetest.Token{Value: "ghp_d", Login: "mona", Expires: ends}, slipway.CredentialStateLimited, "NO NO NO NO", "repo"},
		{"fine-grained", sourcetest.Token{Value: "github_pat_e", Login: "mona", Permissions: all, Expires: ends}, slipway.CredentialStateValid, "UNKNOWN UNKNOWN UNKNOWN UNKNOWN", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := b.Check(t.Context(), b.repo.Site, nil, b.login(c.token))
			b.must(err)
			var can []string
			for _, job := range h.Jobs {
				can = append(can, string(job.Ability))
			}
			if h.State != c.state || strings.Join(can, " ") != c.can || h.Owner != "mona" || !h.Expires.Equal(ends) || h.ScopesKnown != (c.token.Permissions == nil) {
				t.Errorf("Check = %+v, want %s %s, mona's until %v", h, c.state, c.can, ends)
			}
			if c.lacks != "" && (!slices.Equal(h.Jobs[0].Missing, []string{c.lacks}) || h.Link == "" || !strings.Contains(h.NextStep, h.Link)) {
				t.Errorf("the first job is %+v, want it to lack %s and to say where to get it", h.Jobs[0], c.lacks)
			}
		})
	}
}

func TestCheckOfATokenThatIsOld(t *testing.T) {
	b := newBench(t, api.ServerTypeGithub)
	b.FailNext("*", 401, `{"message":"Bad credentials"}`, 1)
	h, err := b.Check(t.Context(), b.repo.Site, nil, b.login(sourcetest.Token{Value: "ghp_a", Login: "mona"}))
	if b.must(err); h.State != slipway.CredentialStateInvalid || h.Cause != slipway.FailureCauseBadToken {
		t.Errorf("Check = %s %s, want INVALID BAD_TOKEN", h.State, h.Cause)
	}
	b.Fail("*", sourcetest.Failure{Status: 401, Body: `{"message":"Bad credentials"}`, Header: http.Header{"GitHub-Authentication-Token-Expiration": {"2026-01-01 00:00:00 UTC"}}}, 1)
	h, err = b.Check(t.Context(), b.repo.Site, nil, b.login(sourcetest.Token{Value: "ghp_a", Login: "mona"}))
	if b.must(err); h.State != slipway.CredentialStateExpired || h.Cause != slipway.FailureCauseExpiredToken {
		t.Errorf("Check = %s %s, want EXPIRED EXPIRED_TOKEN", h.State, h.Cause)
	}
	for _, text := range []string{"ghp_with a space", "ghp_line\n", "\tghp_tab"} {
		h, err := b.Check(t.Context(), b.repo.Site, nil, source.NewLogin(api.ServerTypeGithub, "", secret.New(text)))
		if b.must(err); h.State != slipway.CredentialStateInvalid || !strings.Contains(h.Message, "space or a line break") {
			t.Errorf("Check = %s %q, want that it says so", h.State, h.Message)
		}
	}
}

func TestCheckUnderPolicies(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy sourcetest.Policy
		cause  slipway.FailureCause
	}{
		{"single sign-on", sourcetest.Policy{SSO: true}, slipway.FailureCauseSsoRequired},
		{"no classic tokens", sourcetest.Policy{ForbidClassic: true}, slipway.FailureCauseKindForbidden},
		{"a lifetime", sourcetest.Policy{MaxLifetime: 24 * time.Hour}, slipway.FailureCauseLifetimePolicy},
		{"a list of addresses", sourcetest.Policy{IPAllowList: true}, slipway.FailureCauseIpNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, api.ServerTypeGithub)
			b.SetPolicy("octo", c.policy)
			by := b.login(sourcetest.Token{Value: "ghp_a", Login: "mona", Scopes: []string{"repo"}})
			h, err := b.Check(t.Context(), b.repo.Site, &b.repo, by)
			b.must(err)
			for _, job := range h.Jobs {
				if job.Ability != slipway.AbilityNo || job.Cause != c.cause || job.Link == "" || !strings.Contains(job.NextStep, job.Link) {
					t.Errorf("%s is %+v, want NO for %s and where to go", job.Job, job, c.cause)
				}
			}
			if h.State != slipway.CredentialStateLimited || h.Cause != c.cause || len(h.Jobs) != 4 {
				t.Errorf("Check = %s %s, want LIMITED %s", h.State, h.Cause, c.cause)
			}
			if h, err = b.Check(t.Context(), b.repo.Site, nil, by); err != nil || c.cause == slipway.FailureCauseSsoRequired && (len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], "with the id ")) {
				t.Errorf("Check without a repository = %+v, %v, want a warning that names the organization", h, err)
			}
			if _, _, warnings, err := b.Repositories(t.Context(), b.repo.Site, "", "", by); err != nil || (len(warnings) > 0) != c.policy.SSO {
				t.Errorf("Repositories warn %q, %v", warnings, err)
			}
			if _, err := b.Resolve(t.Context(), b.repo, "main", by); refused(t, err).Cause != c.cause {
				t.Errorf("Resolve: %v, want %s", err, c.cause)
			}
		})
	}
}

func TestAPublicRepositoryIsReadPastAListOfAddresses(t *testing.T) {
	b := newBench(t, api.ServerTypeGithub)
	b.must(b.CreateRepository("octo", "site", false))
	head, err := b.Commit("octo", "site", "main", map[string]string{"a": "1"}, "first")
	b.must(err)
	b.SetPolicy("octo", sourcetest.Policy{IPAllowList: true})
	site := b.repo
	site.Name = "site"
	got, err := b.Resolve(t.Context(), site, "main", b.login(sourcetest.Token{Value: "ghp_a", Login: "mona", Scopes: []string{"repo"}}))
	if err != nil || got != head {
		t.Errorf("Resolve = %q, %v, want %q", got, err, head)
	}
}

func TestAHookIsRefusedForTheFirstReasonThatHolds(t *testing.T) {
	b := newBench(t, api.ServerTypeGithub)
	for _, c := range []struct {
		name  string
		token sourcetest.Token
		role  string
		cause slipway.FailureCause
		says  string

		policy sourcetest.Policy
	}{
		{"a bad token", sourcetest.Token{Value: "ghp_a", Login: "mona", Expires: time.Now()}, "", slipway.FailureCauseBadToken, "wrong, expired or revoked", sourcetest.Policy{}},
		{"no scope", sourcetest.Token{Value: "ghp_b", Login: "mona", Scopes: []string{"repo:status"}}, "", slipway.FailureCauseMissingScope, "the token has repo:status", sourcetest.Policy{}},
		{"another's repository", sourcetest.Token{Value: "ghp_c", Login: "mona", Scopes: []string{"repo"}, Repositories: []string{}}, "", slipway.FailureCauseNotVisible, "octo/app does not exist, or", sourcetest.Policy{}},
		{"a writer", sourcetest.Token{Value: "ghp_d", Login: "hubot", Scopes: []string{"repo"}}, "write", slipway.FailureCauseNotAdmin, "has the role write", sourcetest.Policy{}},
		{"a fine-grained token of the user", sourcetest.Token{Value: "github_pat_e", Login: "mona", Owner: "mona", Permissions: all}, "", slipway.FailureCauseNotVisible, "resource owner must be octo", sourcetest.Policy{}},
		{"a fine-grained token without the permission", sourcetest.Token{Value: "github_pat_f", Login: "mona", Permissions: map[string]string{"contents": "read"}}, "", slipway.FailureCauseMissingScope, "Webhooks: write", sourcetest.Policy{}},
		{"no single sign-on", sourcetest.Token{Value: "ghp_g", Login: "mona", Scopes: []string{"repo"}}, "", slipway.FailureCauseSsoRequired, "asks for single sign-on", sourcetest.Policy{SSO: true}},
		{"a list of addresses", sourcetest.Token{Value: "ghp_h", Login: "mona", Scopes: []string{"repo"}}, "", slipway.FailureCauseIpNotAllowed, "add this server's public address", sourcetest.Policy{IPAllowList: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.SetPolicy("octo", c.policy)
			if c.role != "" {
				b.SetRole("octo", "app", c.token.Login, c.role)
			}
			_, err := b.CreateHook(t.Context(), source.Target{Repository: b.repo}, source.HookSettings{PayloadURL: "https://ci.example/x", Events: []event.Type{event.Push}}, b.login(c.token))
			if r := refused(t, err); r.Cause != c.cause || !strings.Contains(r.Error(), c.says) {
				t.Errorf("CreateHook: %s %v, want %s with %q", r.Cause, r, c.cause, c.says)
			}
		})
	}
}

func TestHooksOfOrganizationsAndServers(t *testing.T) {
	b := newBench(t, api.ServerTypeGithubEnterprise)
	by := b.login(sourcetest.Token{Value: "ghp_owner", Login: "mona", Scopes: []string{"repo", "admin:org_hook", "site_admin"}})
	settings := source.HookSettings{PayloadURL: "https://ci.example/x", Secret: secret.New("s3cret"), Insecure: true,
		Events: []event.Type{event.Push, event.PullRequestMerged, event.Prereleased, event.WorkflowJobQueued}, Comments: true}
	for _, c := range []struct {
		scope api.WebhookScopeType
		name  string
		kept  string
	}{
		{api.WebhookScopeTypeGithubOrganization, "octo", "org:octo"},
		{api.WebhookScopeTypeGithubGlobal, "octo-corp", "enterprise:octo-corp"},
	} {
		t.Run(string(c.scope), func(t *testing.T) {
			target := source.Target{Repository: source.Repository{Site: b.repo.Site}, Scope: c.scope, ScopeName: c.name}
			made, err := b.CreateHook(t.Context(), target, settings, by)
			b.must(err)
			kept := b.Server.Hooks(c.kept)
			want := []string{"push", "pull_request", "release", "workflow_job", "issue_comment"}
			if len(kept) != 1 || kept[0].ID != made.ID || kept[0].Secret != "s3cret" || !kept[0].InsecureTLS || !slices.Equal(kept[0].Events, want) {
				t.Errorf("kept %+v, want one of %q", kept, want)
			}
			found, err := b.Provider.Hooks(t.Context(), target, "https://ci.example/x", by)
			if err != nil || len(found) != 1 {
				t.Errorf("Hooks = %+v, %v, want one", found, err)
			}
			b.must(b.DeleteHook(t.Context(), target, made.ID, by))
			if kept := b.Server.Hooks(c.kept); len(kept) > 0 {
				t.Errorf("%+v is left", kept)
			}
		})
	}
	org := source.Target{Repository: source.Repository{Site: b.repo.Site}, Scope: api.WebhookScopeTypeGithubOrganization, ScopeName: "octo"}
	_, err := b.CreateHook(t.Context(), org, settings, b.login(sourcetest.Token{Value: "ghp_repo", Login: "mona", Scopes: []string{"repo"}}))
	if r := refused(t, err); r.Cause != slipway.FailureCauseMissingScope || !slices.Equal(r.Missing, []string{"admin:org_hook"}) || !strings.Contains(r.Link, "admin:org_hook") {
		t.Errorf("CreateHook: %s %v, want that admin:org_hook is missing", r.Cause, r)
	}
	site := source.Endpoints(nil).Site(api.ServerTypeGithub, "")
	_, err = b.CreateHook(t.Context(), source.Target{Repository: source.Repository{Site: site}, Scope: api.WebhookScopeTypeGithubGlobal, ScopeName: "octo-corp"}, settings, by)
	if r := refused(t, err); !strings.Contains(r.NextStep, "manualCreation") || r.Link != "https://github.com/enterprises/octo-corp/settings/hooks" {
		t.Errorf("CreateHook for an enterprise: %v, want the way by hand", r)
	}
}

func TestFilesOfALargePush(t *testing.T) {
	b := newBench(t, api.ServerTypeGithub)
	by := b.login(sourcetest.Token{Value: "ghp_a", Login: "mona", Scopes: []string{"repo"}})
	head := b.head
	for i := range 2 {
		files := map[string]string{}
		for j := range 200 {
			files[fmt.Sprintf("%d/%d", i, j)] = "x"
		}
		var err error
		head, err = b.Commit("octo", "app", "main", files, "many")
		b.must(err)
	}
	got, err := b.Files(t.Context(), b.repo, event.Event{Type: event.Push, HeadRef: "refs/heads/main", Before: b.head, Commit: head}, by)
	if err != nil || len(got) != 400 {
		t.Errorf("Files = %d paths, %v, want 400: GitHub compares no more than 300", len(got), err)
	}
}
