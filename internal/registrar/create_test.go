package registrar_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
	"slipway/internal/webhook/event"
)

var payload = regexp.MustCompile(`^https://ci\.example\.com/slipway/webhooks\?t=[A-Za-z0-9_-]{43}&v=1$`)

func TestWhatEachProviderAnswers(t *testing.T) {
	for _, c := range []struct {
		server           api.SourceType
		url, secret, mod bool
	}{
		{"GITHUB", true, false, true},
		{"GITHUB_ENTERPRISE", false, true, false},
		{"BITBUCKET", true, false, false},
		{"GITLAB", true, false, true},
		{"GITLAB_SELF_MANAGED", true, false, true},
	} {
		t.Run(string(c.server), func(t *testing.T) {
			b := newBench(t, registrar.Options{PublicURL: public})
			b.project("app", c.server)
			w := b.create("app", events("PUSH"))
			if (w.URL != nil) != c.url || (w.Secret != nil) != c.secret || w.LastModifiedSecret.IsZero() == c.mod {
				t.Errorf("answered url %v, secret %v, lastModifiedSecret %v, want %v, %v, %v", w.URL, w.Secret != nil, w.LastModifiedSecret, c.url, c.secret, c.mod)
			}
			if w.PayloadURL == nil || !payload.MatchString(*w.PayloadURL) || w.Status != api.WebhookStatusActive {
				t.Errorf("answered payloadUrl %v, status %s", w.PayloadURL, w.Status)
			}
			h := b.hook()
			if h.URL != *w.PayloadURL || h.Secret == "" || !h.Active || c.secret && *w.Secret != h.Secret {
				t.Errorf("the provider has %+v", h)
			}
			if gitlab := strings.HasPrefix(string(c.server), "GITLAB"); gitlab != regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{43}=$`).MatchString(h.Secret) {
				t.Errorf("the secret has the wrong form for %s", c.server)
			}
			if b.stored("app").Secret.Reveal() != h.Secret {
				t.Error("the secret that is stored is not the provider's")
			}
			want := w
			want.Secret = nil
			if d := cmp.Diff(&want, b.get("app").Public.Webhook); d != "" {
				t.Errorf("the project (-answered +read):\n%s", d)
			}
			if strings.Contains(b.log.String(), h.Secret) {
				t.Error("the log holds the secret")
			}
		})
	}
}

func TestDefaultsAreEchoed(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	w := b.create("app", events("PUSH"), func(in *api.CreateWebhookInput) { in.BuildType = "BUILD_BATCH" })
	want := api.Webhook{
		BuildType: "BUILD_BATCH", Status: "ACTIVE", URL: w.URL, PayloadURL: w.PayloadURL, LastModifiedSecret: api.At(b.now),
		FilterGroups: [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH", ExcludeMatchedPattern: new(false)}}},
		PullRequestBuildPolicy: &api.PullRequestBuildPolicy{
			RequiresCommentApproval: "ALL_PULL_REQUESTS", ApproverRoles: []api.PullRequestBuildApproverRole{"GITHUB_ADMIN", "GITHUB_WRITE"},
		},
	}
	if d := cmp.Diff(want, w); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	b.project("own", "GITHUB")
	policy := &api.PullRequestBuildPolicy{RequiresCommentApproval: "FORK_PULL_REQUESTS", ApproverRoles: []api.PullRequestBuildApproverRole{"GITHUB_READ"}}
	w = b.create("own", func(in *api.CreateWebhookInput) { in.PullRequestBuildPolicy, in.BranchFilter = policy, new("^main$") })
	if d := cmp.Diff(policy, w.PullRequestBuildPolicy); d != "" || *w.BranchFilter != "^main$" || w.BuildType != "" {
		t.Errorf("answered %+v", w)
	}
}

func TestOneHookServesAllProjectsOfARepository(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.project("lib", "GITHUB", "https://github.com/Octo/App")
	b.project("other", "GITHUB", "https://github.com/octo/other")
	b.create("app", events("PUSH"))
	if h := b.hook(); !cmp.Equal(h.Events, []event.Type{event.Push}) || h.Comments {
		t.Errorf("for one project it hears %v, comments %v", h.Events, h.Comments)
	}
	first := b.hook()
	b.create("lib", events("PUSH, PULL_REQUEST_CREATED"))
	b.create("other")
	h := b.hook()
	if !cmp.Equal(h.Events, []event.Type{event.PullRequestCreated, event.Push}) || !h.Comments {
		t.Errorf("for two it hears %v, comments %v", h.Events, h.Comments)
	}
	if h.ID != first.ID || h.URL != first.URL || h.Secret != first.Secret || len(b.site.Hooks("octo/other")) != 1 {
		t.Errorf("the hook was %+v and is %+v", first, h)
	}
	must(t, b.Delete(t.Context(), b.get("lib")))
	if h := b.hook(); !cmp.Equal(h.Events, []event.Type{event.Push}) || h.Comments {
		t.Errorf("for one again it hears %v, comments %v", h.Events, h.Comments)
	}
	must(t, b.Delete(t.Context(), b.get("app")))
	if left := b.site.Hooks("octo/app"); len(left) != 0 || b.rows() != 1 {
		t.Errorf("nobody hears it, and the provider has %+v, the store %d", left, b.rows())
	}
}

func TestCreatesOfOneRepositoryComeOneAfterTheOther(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	names := []string{"one", "two", "three", "four", "five", "six"}
	for _, name := range names {
		b.project(name, "GITHUB")
	}
	var all sync.WaitGroup
	for _, name := range names {
		p := b.get(name)
		for range 2 { // the second of a project is one too many
			all.Go(func() {
				if _, err := b.Create(t.Context(), p, &api.CreateWebhookInput{ProjectName: name}); err != nil && fault.KindOf(err) != fault.Exists {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
	key := b.stored("one").Key
	for _, name := range names {
		if b.stored(name).Key != key || b.get(name).Public.Webhook == nil {
			t.Errorf("%s hears another hook than one", name)
		}
	}
	b.hook()
}

func TestCreateFindsWhatACrashLeft(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	stranger := b.site.Add(hooktest.Hook{Target: "octo/app", URL: "https://elsewhere.example/hook", Secret: "theirs", Active: true})
	// A project is deleted while its hook is made.
	p := b.get("app")
	p.Public.Name = new("gone")
	_, err := b.Create(t.Context(), p, &api.CreateWebhookInput{})
	refused(t, err, fault.NotFound, "Project cannot be found")
	if all := b.site.Hooks("octo/app"); len(all) != 1 || all[0].ID != stranger || b.rows() != 0 {
		t.Errorf("what was made for nobody stayed: %+v, %d rows", all, b.rows())
	}

	// An answer is lost: the hook is there, and we do not know.
	b.site.Fail(hooktest.Failure{Method: "POST", Status: 502, Lost: true})
	_, err = b.Create(t.Context(), b.get("app"), &api.CreateWebhookInput{})
	refused(t, err, fault.Provider, "Unable to create webhook at this time. Please try again later.", "Example answered 502")
	if len(b.site.Hooks("octo/app")) != 2 || len(b.owed()) != 1 {
		t.Errorf("the provider has %+v, owed is %v", b.site.Hooks("octo/app"), b.owed())
	}
	for _, item := range b.owed() {
		must(t, b.Deliver(t.Context(), item))
	}
	if all := b.site.Hooks("octo/app"); len(all) != 1 || all[0].ID != stranger || all[0].Secret != "theirs" {
		t.Errorf("after what was owed the provider has %+v", all)
	}

	// The store has a hook, the provider too, and no project hears it.
	b.create("app")
	b.unhear("app")
	before := b.site.Hooks("octo/app")
	w := b.create("app")
	after := b.site.Hooks("octo/app")
	if d := cmp.Diff(before, after); d != "" || len(after) != 2 || *w.PayloadURL != after[1].URL {
		t.Errorf("the second Create did not use what the first left (-before +after):\n%s", d)
	}
}

func TestAHookThatSomebodyWasFasterToMakeIsUsed(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	var once sync.Once
	b.site.OnCall(func(call string) {
		if strings.HasPrefix(call, "POST ") {
			once.Do(func() {
				all, err := b.db.Hooks().All(t.Context())
				must(t, err)
				b.site.Add(hooktest.Hook{Target: "octo/app", URL: public + "/webhooks?t=" + all[0].Key + "&v=1"})
			})
		}
	})
	b.create("app")
	if h := b.hook(); !h.Active || h.Secret != b.stored("app").Secret.Reveal() {
		t.Errorf("the hook is %+v", h)
	}
	if d := cmp.Diff([]string{"GET octo/app/hooks", "POST octo/app/hooks", "GET octo/app/hooks", "PATCH octo/app/hooks"}, b.site.Calls()); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestAHookMadeByHand(t *testing.T) {
	b := newBench(t, registrar.Options{LocalURL: "http://127.0.0.1:4680"})
	b.login("GITHUB", "") // not needed
	b.project("app", "GITHUB")
	b.project("lib", "GITHUB")
	w, other := b.create("app", byHand), b.create("lib", byHand)
	if len(b.site.Calls()) != 0 {
		t.Error("the provider was called")
	}
	if !*w.ManualCreation || w.Secret == nil || w.URL != nil || *w.PayloadURL == *other.PayloadURL || *w.Secret == *other.Secret ||
		!strings.HasPrefix(*w.PayloadURL, "http://127.0.0.1:4680/webhooks?t=") {
		t.Errorf("answered %+v and %+v", w, other)
	}
	if got := b.get("app").Public.Webhook; got.Secret != nil || !*got.ManualCreation || *got.PayloadURL != *w.PayloadURL {
		t.Errorf("read %+v", got)
	}
	rotated := b.update("app", api.UpdateWebhookInput{RotateSecret: new(true)})
	if rotated.Secret == nil || *rotated.Secret == *w.Secret || rotated.LastModifiedSecret.IsZero() || *rotated.PayloadURL != *w.PayloadURL {
		t.Errorf("after the rotation %+v", rotated)
	}
	if again := b.update("app", api.UpdateWebhookInput{}); again.Secret != nil {
		t.Error("the secret is shown again")
	}
	if h := b.stored("app"); h.Project != "app" || h.OldSecret.Reveal() != *w.Secret || !h.OldUntil.Equal(b.now.Add(24*time.Hour)) {
		t.Errorf("stored %+v", h.Hook)
	}
	must(t, b.Delete(t.Context(), b.get("app")))
	if b.rows() != 1 || len(b.site.Calls()) != 0 {
		t.Errorf("%d hooks are left", b.rows())
	}
}

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		name   string
		server api.SourceType
		scope  api.ScopeConfiguration
		target string
		fails  string
	}{
		{"an organization", "GITHUB", api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "octo"}, "GITHUB_ORGANIZATION:octo", ""},
		{"an enterprise", "GITHUB", api.ScopeConfiguration{Scope: "GITHUB_GLOBAL", Name: "big"}, "GITHUB_GLOBAL:big", ""},
		{"an organization of a server", "GITHUB_ENTERPRISE", api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "octo", Domain: new("ghe.example")}, "GITHUB_ORGANIZATION:octo", ""},
		{"a nested group", "GITLAB", api.ScopeConfiguration{Scope: "GITLAB_GROUP", Name: "octo/cats"}, "GITLAB_GROUP:octo/cats", ""},
		{"a group of a server", "GITLAB_SELF_MANAGED", api.ScopeConfiguration{Scope: "GITLAB_GROUP", Name: "octo", Domain: new("git.example:8443")}, "GITLAB_GROUP:octo", ""},
		{"a server without its host", "GITLAB_SELF_MANAGED", api.ScopeConfiguration{Scope: "GITLAB_GROUP", Name: "octo"}, "", "domain is required"},
		{"a host with a path", "GITLAB_SELF_MANAGED", api.ScopeConfiguration{Scope: "GITLAB_GROUP", Name: "octo", Domain: new("git.example/x")}, "", "domain must be the host"},
		{"the wrong provider", "GITLAB", api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "octo"}, "", "cannot be made at a source of type GITLAB"},
		{"a strange name", "GITHUB", api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "octo/.."}, "", "as it stands in its address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, registrar.Options{PublicURL: public})
			b.project("app", c.server, "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")
			w, err := b.Create(t.Context(), b.get("app"), &api.CreateWebhookInput{ScopeConfiguration: &c.scope})
			if c.fails != "" {
				refused(t, err, fault.Invalid, c.fails)
				return
			}
			must(t, err)
			if all := b.site.Hooks(c.target); len(all) != 1 || !cmp.Equal(w.ScopeConfiguration, &c.scope) {
				t.Errorf("%s has %+v, answered %+v", c.target, all, w.ScopeConfiguration)
			}
			must(t, b.Watch(t.Context()))
			must(t, b.Delete(t.Context(), b.get("app")))
			if all := b.site.Hooks(c.target); len(all) != 0 {
				t.Errorf("after Delete %s has %+v", c.target, all)
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, c := range []struct {
		name     string
		server   api.SourceType
		location []string
		options  registrar.Options
		before   func(*bench)
		in       api.CreateWebhookInput
		kind     fault.Kind
		want     []string
	}{
		{"what is no repository", "S3", []string{"bucket/key"}, registrar.Options{PublicURL: public}, nil, api.CreateWebhookInput{}, fault.Invalid, []string{"The source of project app is of type S3."}},
		{"a server that nobody reaches", "GITHUB", nil, registrar.Options{}, nil, api.CreateWebhookInput{}, fault.Invalid,
			[]string{"This server has no public URL, so GitHub cannot reach it.", "--public-url https://…", "--poll", "--manual-creation"}},
		{"to poll an organization", "GITHUB", []string{"CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"}, registrar.Options{Poll: true}, nil,
			api.CreateWebhookInput{ScopeConfiguration: &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "o"}}, fault.Invalid, []string{"works for single repositories only", "--public-url"}},
		{"every repository of nobody", "GITHUB", []string{"CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"}, registrar.Options{PublicURL: public}, nil, api.CreateWebhookInput{}, fault.Invalid, []string{"Name it with scopeConfiguration"}},
		{"one repository of many", "GITHUB", nil, registrar.Options{PublicURL: public}, nil,
			api.CreateWebhookInput{ScopeConfiguration: &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "o"}}, fault.Invalid, []string{"must be CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"}},
		{"without a credential", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.login("GITHUB", "") }, api.CreateWebhookInput{}, fault.NotFound,
			[]string{"Could not find access token for server type github. Import one", "--server-type GITHUB"}},
		{"a bad filter, before anything else is done", "GITHUB", nil, registrar.Options{}, nil, api.CreateWebhookInput{FilterGroups: groups("bad")}, fault.Invalid, []string{"The pattern of the filter EVENT is bad"}},
		{"an empty branchFilter", "GITHUB", nil, registrar.Options{PublicURL: public}, nil, api.CreateWebhookInput{BranchFilter: new("")}, fault.Constraint, []string{"newProjectVersion.webhook.branches"}},
		{"a token without the scope", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.site.AddToken(token, hooktest.Access{}) }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Failed to create webhook. Repository not found or permission denied. Please make sure the source credentials associated with your project have the permission to create webhook. " +
				"Example answered 404: Not Found. The token lacks the scope hooks. Make one with it. See http://"}},
		{"a token that does not see the repository", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.site.AddToken(token, hooktest.Access{Blind: true}) }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Failed to create webhook. Repository not found or permission denied.", "The token does not see the repository. Give it access. See http://"}},
		{"a dead token", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.login("GITHUB", "ghp_dead") }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Failed to create webhook. Repository not found or permission denied.", "Example answered 401: Bad credentials. Import another token."}},
		{"a true rate limit", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.site.Fail(hooktest.Failure{Method: "GET", Status: 403, After: 600}) }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Failed to create webhook. GitHub API limit reached. Please try again later. Example answered 403: failed as it was told to. It takes calls again in 10m0s."}},
		{"a limit of Bitbucket's", "BITBUCKET", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.site.Fail(hooktest.Failure{Method: "POST", Status: 429, After: 600}) }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Failed to create webhook. Bitbucket API limit reached. Please try again later."}},
		{"a provider that is down", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.site.Fail(hooktest.Failure{Method: "GET", Status: 503, Times: 9}) }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Unable to create webhook at this time. Please try again later. Example answered 503"}},
		{"an address that the provider does not like", "GITHUB", nil, registrar.Options{PublicURL: public}, func(b *bench) { b.site.Fail(hooktest.Failure{Method: "POST", Status: 422}) }, api.CreateWebhookInput{}, fault.Provider,
			[]string{"Failed to create webhook. Example answered 422: failed as it was told to."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.options)
			p := b.project("app", c.server, c.location...)
			if c.before != nil {
				c.before(b)
			}
			_, err := b.Create(t.Context(), p, &c.in)
			refused(t, err, c.kind, c.want...)
			if b.get("app").Public.Webhook != nil || b.rows() != 0 {
				t.Errorf("the project has the webhook %+v, the store %d hooks", b.get("app").Public.Webhook, b.rows())
			}
			if strings.Contains(err.Error(), token) || strings.Contains(b.log.String(), token) {
				t.Error("the token is told")
			}
		})
	}
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.create("app")
	_, err := b.Create(t.Context(), b.get("app"), &api.CreateWebhookInput{})
	refused(t, err, fault.Exists, "Webhook for project app already exists.")
}
