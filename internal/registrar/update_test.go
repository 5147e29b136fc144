package registrar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
	"slipway/internal/webhook/event"
)

func TestUpdateChangesWhatItHas(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.create("app", events("PUSH"), func(in *api.CreateWebhookInput) { in.BuildType = "BUILD" })
	filled := [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "RELEASED", ExcludeMatchedPattern: new(false)}}}
	policy := &api.PullRequestBuildPolicy{RequiresCommentApproval: "FORK_PULL_REQUESTS", ApproverRoles: []api.PullRequestBuildApproverRole{"GITHUB_ADMIN", "GITHUB_WRITE"}}
	for _, c := range []struct {
		name   string
		in     api.UpdateWebhookInput
		want   func(*api.Webhook)
		events []event.Type
	}{
		{"nothing", api.UpdateWebhookInput{RotateSecret: new(false)}, func(*api.Webhook) {}, []event.Type{"PUSH"}},
		{"filter groups", api.UpdateWebhookInput{FilterGroups: groups("RELEASED")}, func(w *api.Webhook) { w.FilterGroups = filled }, []event.Type{"RELEASED"}},
		{"the build type", api.UpdateWebhookInput{BuildType: "BUILD_BATCH"}, func(w *api.Webhook) { w.BuildType = "BUILD_BATCH" }, []event.Type{"RELEASED"}},
		{"a branch filter in their place", api.UpdateWebhookInput{BranchFilter: new("^main$")}, func(w *api.Webhook) { w.FilterGroups, w.BranchFilter = nil, new("^main$") }, []event.Type{"PULL_REQUEST_CREATED", "PUSH"}},
		{"filter groups in its place, as Terraform sends them", api.UpdateWebhookInput{FilterGroups: groups("RELEASED"), BranchFilter: new("")}, func(w *api.Webhook) { w.FilterGroups, w.BranchFilter = filled, nil }, []event.Type{"RELEASED"}},
		{"no filter at all, as Terraform sends it", api.UpdateWebhookInput{BranchFilter: new("")}, func(w *api.Webhook) { w.FilterGroups, w.BranchFilter = nil, nil }, []event.Type{"PULL_REQUEST_CREATED", "PUSH"}},
		{"the policy", api.UpdateWebhookInput{PullRequestBuildPolicy: &api.PullRequestBuildPolicy{RequiresCommentApproval: "FORK_PULL_REQUESTS"}}, func(w *api.Webhook) { w.PullRequestBuildPolicy = policy }, []event.Type{"PULL_REQUEST_CREATED", "PUSH"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := *b.get("app").Public.Webhook
			c.want(&want)
			got := b.update("app", c.in)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("answered (-want +got):\n%s", d)
			}
			if d := cmp.Diff(&want, b.get("app").Public.Webhook); d != "" {
				t.Errorf("read (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.events, b.hook().Events); d != "" {
				t.Errorf("events at the provider (-want +got):\n%s", d)
			}
		})
	}
	b.site.Calls()
	b.update("app", api.UpdateWebhookInput{BuildType: "BUILD"})
	if calls := b.site.Calls(); len(calls) != 0 {
		t.Errorf("for what the provider need not know it was asked %v", calls)
	}
	before := b.get("app")
	_, err := b.Update(t.Context(), before, &api.UpdateWebhookInput{FilterGroups: groups("bad")})
	refused(t, err, fault.Invalid, "The pattern of the filter EVENT is bad")
	b.site.Fail(hooktest.Failure{Method: "GET", Status: 503, Times: 9})
	_, err = b.Update(t.Context(), before, &api.UpdateWebhookInput{FilterGroups: groups("PUSH")})
	refused(t, err, fault.Provider, "Unable to update webhook at this time. Please try again later.")
	if d := cmp.Diff(before, b.get("app")); d != "" {
		t.Errorf("what was refused changed the project:\n%s", d)
	}
}

func TestARotatedSecret(t *testing.T) {
	for _, server := range []api.SourceType{"GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB"} {
		t.Run(string(server), func(t *testing.T) {
			b := newBench(t, registrar.Options{PublicURL: public})
			b.project("app", server)
			b.project("lib", server)
			b.create("app")
			b.create("lib")
			old := b.hook()
			b.now = b.now.Add(time.Hour)
			w := b.update("app", api.UpdateWebhookInput{RotateSecret: new(true)})
			h := b.hook()
			if h.ID != old.ID || h.URL != old.URL || h.Secret == old.Secret {
				t.Errorf("the hook was %+v and is %+v", old, h)
			}
			stored := b.stored("app")
			if stored.Secret.Reveal() != h.Secret || stored.OldSecret.Reveal() != old.Secret || !stored.OldUntil.Equal(b.now.Add(24*time.Hour)) || stored.Record.Unsure {
				t.Errorf("stored %+v", stored.Hook)
			}
			if (w.Secret != nil) != (server == "GITHUB_ENTERPRISE") {
				t.Errorf("answered %+v", w)
			}
			for _, name := range []string{"app", "lib"} {
				if got := b.get(name).Public.Webhook; !got.LastModifiedSecret.Equal(b.now) || got.Secret != nil {
					t.Errorf("%s reads %+v", name, got)
				}
			}
		})
	}
}

func TestASecretThatTheProviderDoesNotTakeIsTakenBack(t *testing.T) {
	for _, lost := range []bool{false, true} {
		b := newBench(t, registrar.Options{PublicURL: public})
		b.project("app", "GITHUB")
		b.create("app")
		old := b.hook().Secret
		b.site.Fail(hooktest.Failure{Method: "PATCH", Status: 502, Lost: lost, Times: 5})
		_, err := b.Update(t.Context(), b.get("app"), &api.UpdateWebhookInput{RotateSecret: new(true)})
		refused(t, err, fault.Provider, "Unable to update webhook at this time.")
		h := b.stored("app")
		if h.Secret.Reveal() != old || !h.Record.Unsure || !h.Record.SecretModified.Equal(b.now) {
			t.Errorf("lost %v: stored %+v", lost, h.Hook)
		}
		if now := b.hook().Secret; lost && now != h.OldSecret.Reveal() {
			t.Error("the secret that the provider took is not accepted")
		}
		must(t, b.Watch(t.Context()))
		if b.hook().Secret != old || b.stored("app").Record.Unsure {
			t.Errorf("lost %v: the provider was not told again", lost)
		}
	}
}

func TestUpdateAndDeleteWithoutAWebhook(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	p := b.project("app", "GITHUB")
	_, err := b.Update(t.Context(), p, &api.UpdateWebhookInput{})
	refused(t, err, fault.NotFound, "Webhook for project app does not exist")
	refused(t, b.Delete(t.Context(), p), fault.NotFound, "Webhook for project app does not exist")
	must(t, b.Forget(t.Context(), p))
	b.create("app")
	stale := b.get("app")
	must(t, b.Delete(t.Context(), stale))
	_, err = b.Update(t.Context(), stale, &api.UpdateWebhookInput{})
	refused(t, err, fault.NotFound, "Webhook for project app does not exist")
}

func TestRemoval(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(b *bench, id string)
		owed   int
		after  func(*bench) // what makes it possible again
		log    string
		left   int
	}{
		{"a provider that is down is told later", func(b *bench, _ string) { b.site.Fail(hooktest.Failure{Method: "DELETE", Status: 503, Times: 5}) }, 1, func(*bench) {}, "", 0},
		{"a missing credential is waited for", func(b *bench, _ string) { b.login("GITHUB", "") }, 1, func(b *bench) { b.login("GITHUB", token) }, "", 0},
		{"a token that may not is said", func(b *bench, _ string) { b.site.AddToken(token, hooktest.Access{}) }, 0, nil, "remove it there by hand", 1},
		{"one that is gone already is fine", func(b *bench, id string) { b.site.Remove(id) }, 0, nil, "webhook removed", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, registrar.Options{PublicURL: public})
			b.site.Add(hooktest.Hook{Target: "octo/app", URL: "https://elsewhere.example", Secret: "theirs", Active: true})
			b.project("app", "GITHUB")
			b.create("app")
			theirs := b.site.Hooks("octo/app")[0]
			c.before(b, b.site.Hooks("octo/app")[1].ID)
			must(t, b.Delete(t.Context(), b.get("app")))
			if b.get("app").Public.Webhook != nil || b.rows() != 0 || len(b.owed()) != c.owed {
				t.Errorf("webhook %+v, %d rows, owed %v", b.get("app").Public.Webhook, b.rows(), b.owed())
			}
			for _, item := range b.owed() {
				if text := string(item.Payload); strings.Contains(text, token) || strings.Contains(text, "secret") {
					t.Errorf("the payload is %s", text)
				}
				if c.name == "a missing credential is waited for" {
					if err := b.Deliver(t.Context(), item); err == nil || !strings.Contains(err.Error(), "Could not find access token") {
						t.Errorf("without a credential Deliver = %v", err)
					}
				}
				c.after(b)
				must(t, b.Deliver(t.Context(), item))
				must(t, b.Deliver(t.Context(), item)) // again does no harm
			}
			left := b.site.Hooks("octo/app")
			if len(left) != 1+c.left || !cmp.Equal(left[0], theirs) {
				t.Errorf("the provider has %+v", left)
			}
			if !strings.Contains(b.log.String(), c.log) || strings.Contains(b.log.String(), token) {
				t.Errorf("the log says %s", b.log)
			}
		})
	}
}

func TestMoved(t *testing.T) {
	move := func(b *bench, server api.SourceType, location string) error {
		before := b.get("app")
		after, err := b.db.Projects().Update(t.Context(), scope, "app", moveTo(server, location))
		must(t, err)
		if err := b.Fits(before, after); err != nil {
			return err
		}
		return b.Moved(t.Context(), before, after)
	}
	t.Run("the webhook goes along", func(t *testing.T) {
		b := newBench(t, registrar.Options{PublicURL: public})
		b.project("app", "GITHUB")
		w := b.create("app", events("PUSH"))
		must(t, move(b, "GITHUB", "https://github.com/octo/new"))
		got := b.get("app").Public.Webhook
		if fresh := b.site.Hooks("octo/new"); len(fresh) != 1 || fresh[0].URL != *got.PayloadURL || *got.PayloadURL == *w.PayloadURL || len(b.site.Hooks("octo/app")) != 0 || b.rows() != 1 {
			t.Errorf("the new repository has %+v, the old %+v", fresh, b.site.Hooks("octo/app"))
		}
		if d := cmp.Diff(w.FilterGroups, got.FilterGroups); d != "" || got.Status != "ACTIVE" {
			t.Errorf("the webhook is %+v", got)
		}
	})
	t.Run("another spelling is no move", func(t *testing.T) {
		b := newBench(t, registrar.Options{PublicURL: public})
		b.project("app", "GITHUB")
		b.create("app")
		before := b.hook()
		must(t, move(b, "GITHUB", "git@github.com:Octo/App.git"))
		if d := cmp.Diff(before, b.hook()); d != "" {
			t.Error(d)
		}
	})
	t.Run("a provider that refuses is asked again", func(t *testing.T) {
		b := newBench(t, registrar.Options{PublicURL: public})
		b.project("app", "GITHUB")
		b.create("app")
		b.site.Fail(hooktest.Failure{Method: "POST", Status: 422})
		must(t, move(b, "GITHUB", "https://github.com/octo/new"))
		if got := b.get("app").Public.Webhook; got.Status != "CREATE_FAILED" || !strings.HasPrefix(*got.StatusMessage, "Failed to create webhook.") {
			t.Errorf("the webhook is %+v", got)
		}
		must(t, b.Watch(t.Context()))
		if got := b.get("app").Public.Webhook; got.Status != "ACTIVE" || got.StatusMessage != nil || len(b.site.Hooks("octo/new")) != 1 {
			t.Errorf("later the webhook is %+v", got)
		}
	})
	t.Run("one made by hand keeps its address", func(t *testing.T) {
		b := newBench(t, registrar.Options{PublicURL: public})
		b.project("app", "GITHUB")
		w := b.create("app", byHand)
		must(t, move(b, "GITHUB", "https://github.com/octo/new"))
		if got := b.get("app").Public.Webhook; *got.PayloadURL != *w.PayloadURL || b.stored("app").Record.Location != "https://github.com/octo/new" {
			t.Errorf("the webhook is %+v", got)
		}
		refused(t, move(b, "GITLAB", "https://gitlab.com/octo/new"), fault.Invalid, "It was made by hand at a source of type GITHUB.", "delete-webhook")
	})
	t.Run("what has no webhooks is refused", func(t *testing.T) {
		b := newBench(t, registrar.Options{PublicURL: public})
		b.project("app", "GITHUB")
		b.create("app")
		refused(t, move(b, "S3", "bucket/key"), fault.Invalid, "does not suit the new source", "of type S3", "delete it with delete-webhook")
	})
}
