package registrar_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

func TestWatchMendsWhatIsBroken(t *testing.T) {
	for _, c := range []struct {
		name  string
		hurt  func(*bench)
		log   string
		state slipway.ProviderHookState // while it is broken
	}{
		{"a hook that was removed", func(b *bench) { b.site.Remove(b.hook().ID) }, "state=MISSING", "MISSING"},
		{"a hook that was disabled", func(b *bench) { b.site.SetActive(b.hook().ID, false) }, "state=DISABLED", "DISABLED"},
		{"a second hook of ours", func(b *bench) { b.site.Add(hooktest.Hook{Target: "octo/app", URL: b.hook().URL, Active: true}) }, "webhook updated", "ACTIVE"},
		{"an old public URL", func(b *bench) { b.start(registrar.Options{PublicURL: "https://new.example"}) }, "webhook updated", "ACTIVE"},
		{"events that nobody needed before", func(b *bench) {
			_, err := b.db.Hooks().Change(b.t.Context(), b.stored("app").Key, func(h *webhook.SealedHook) error {
				h.Record.Events = []event.Type{event.Released}
				return nil
			})
			must(b.t, err)
		}, "webhook updated", "ACTIVE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, registrar.Options{PublicURL: public})
			b.project("app", "GITHUB")
			b.create("app", events("PUSH"))
			c.hurt(b)
			if sum := b.list("app", true); sum[0].State != c.state || (c.state != "ACTIVE") != (sum[0].Message != "") {
				t.Errorf("verified it is %s: %q", sum[0].State, sum[0].Message)
			}
			must(t, b.Watch(t.Context()))
			h, w := b.hook(), b.get("app").Public.Webhook
			if !h.Active || h.URL != *w.PayloadURL || h.Secret != b.stored("app").Secret.Reveal() || !cmp.Equal(h.Events, []event.Type{event.Push}) || w.Status != "ACTIVE" {
				t.Errorf("the hook is %+v, the webhook %+v", h, w)
			}
			if sum := b.list("app", false); sum[0].State != "ACTIVE" || sum[0].Message != "" || sum[0].PayloadURL != h.URL || sum[0].LastResponse != "200 OK" {
				t.Errorf("listed %+v", sum[0])
			}
			if !strings.Contains(b.log.String(), c.log) {
				t.Errorf("the log says %s", b.log)
			}
			b.site.Calls()
			must(t, b.Watch(t.Context()))
			if calls := b.site.Calls(); strings.Contains(strings.Join(calls, " "), "PATCH") {
				t.Errorf("what is well was changed: %v", calls)
			}
		})
	}
}

func TestWatchSaysWhatItCannotMend(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.create("app")
	b.site.Remove(b.hook().ID)
	b.site.Fail(hooktest.Failure{Method: "POST", Status: 403})
	must(t, b.Watch(t.Context()))
	w := b.get("app").Public.Webhook
	if w.Status != "CREATE_FAILED" || !strings.Contains(*w.StatusMessage, "403") || b.list("app", false)[0].State != "MISSING" {
		t.Errorf("the webhook is %+v", w)
	}
	must(t, b.Watch(t.Context()))
	if w = b.get("app").Public.Webhook; w.Status != "ACTIVE" || w.StatusMessage != nil || w.PayloadURL == nil {
		t.Errorf("later the webhook is %+v", w)
	}
	b.login("GITHUB", "")
	for range 3 {
		must(t, b.Watch(t.Context()))
	}
	if sum := b.list("app", false)[0]; sum.State != "UNKNOWN" || !strings.Contains(sum.Message, "Could not find access token") {
		t.Errorf("without a credential it is %s: %q", sum.State, sum.Message)
	}
	if n := strings.Count(b.log.String(), "Could not find access token"); n != 1 {
		t.Errorf("the log says %d times that there is no credential, want once", n)
	}
}

func TestWatchRemovesWhatNobodyHears(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.create("app")
	b.unhear("app") // and then the server died
	must(t, b.Watch(t.Context()))
	if b.rows() != 0 || len(b.site.Hooks("octo/app")) != 0 {
		t.Errorf("%d rows, the provider has %+v", b.rows(), b.site.Hooks("octo/app"))
	}
	// The server died before it knew what the provider answered.
	_, err := b.db.Hooks().Reserve(t.Context(), webhook.SealedHook{Box: []byte("sealed"), Hook: webhook.Hook{
		Key: "key", Scope: scope, ServerType: "GITHUB", Place: "x/octo/app", Record: webhook.HookRecord{Location: locations["GITHUB"]},
	}})
	must(t, err)
	b.site.Add(hooktest.Hook{Target: "octo/app", URL: public + "/webhooks?t=key&v=1"})
	stranger := b.site.Add(hooktest.Hook{Target: "octo/app", URL: public + "/webhooks?t=other&v=1"})
	must(t, b.Watch(t.Context()))
	if b.rows() != 0 || b.hook().ID != stranger {
		t.Errorf("%d rows, the provider has %+v", b.rows(), b.site.Hooks("octo/app"))
	}
}

func TestWhatWasLostIsFoundInTheRefs(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.create("app", events("PUSH"))
	b.site.SetRef("octo/app", "refs/heads/main", "c1")
	must(t, b.Watch(t.Context())) // remembers
	b.site.SetRef("octo/app", "refs/heads/main", "c2")
	must(t, b.Watch(t.Context())) // the hook is well: that was delivered
	if told := b.told(); len(told) != 0 {
		t.Errorf("while the hook is well polling tells %v", told)
	}
	b.site.SetActive(b.hook().ID, false)
	b.site.SetRef("octo/app", "refs/heads/main", "c3")
	b.site.SetRef("octo/app", "refs/heads/topic", "c4")
	must(t, b.Watch(t.Context()))
	if d := cmp.Diff([]string{"PUSH refs/heads/main c3", "PUSH refs/heads/topic c4"}, b.told()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	must(t, b.Watch(t.Context()))
	if told := b.told(); len(told) != 0 {
		t.Errorf("it is told again: %v", told)
	}
}

func TestPolledHooksAreMadeOnceProvidersReachUs(t *testing.T) {
	b := newBench(t, registrar.Options{Poll: true})
	b.project("app", "GITHUB_ENTERPRISE")
	b.create("app")
	b.start(registrar.Options{PublicURL: public})
	must(t, b.Watch(t.Context()))
	w := b.get("app").Public.Webhook
	if h := b.hook(); w.PayloadURL == nil || h.URL != *w.PayloadURL || b.list("app", false)[0].State != "ACTIVE" {
		t.Errorf("the hook is %+v, the webhook %+v", h, w)
	}
	b.start(registrar.Options{Poll: true}) // and back again: the hook stays
	must(t, b.Watch(t.Context()))
	if sum := b.list("app", true)[0]; sum.State != "ACTIVE" || len(sum.Warnings) != 1 || !strings.Contains(sum.Warnings[0], "without --public-url") {
		t.Errorf("without a public URL it is %+v", sum)
	}
	b.hook()
}

func TestRunLooksAtOnceAndEndsWithItsContext(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public, Poll: true, PollEvery: 10 * time.Millisecond})
	b.project("app", "GITHUB")
	b.create("app")
	id := b.hook().ID
	b.site.Remove(id)
	made, polled := make(chan struct{}, 1), make(chan struct{}, 1)
	b.site.OnCall(func(call string) {
		signal := func(c chan struct{}) {
			select {
			case c <- struct{}{}:
			default:
			}
		}
		switch {
		case strings.HasPrefix(call, "POST"):
			signal(made)
		case strings.HasSuffix(call, "/refs"):
			signal(polled)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	<-made
	<-polled
	<-polled
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestWebhooks(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	b.project("app", "GITHUB")
	b.project("lib", "GITHUB")
	b.project("own", "GITLAB")
	b.project("org", "GITHUB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")
	b.create("lib", func(in *api.CreateWebhookInput) {
		in.FilterGroups = [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "main"}}}
	})
	b.create("app")
	b.create("own", byHand)
	b.create("org", func(in *api.CreateWebhookInput) {
		in.ScopeConfiguration = &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "octo"}
	})
	all := b.list("", true)
	var names []string
	for _, sum := range all {
		names = append(names, sum.ProjectName+" "+string(sum.State)+" "+strings.Join(sum.SharedWith, ",")+" "+strings.TrimPrefix(sum.RepositoryURL, b.site.URL))
	}
	if d := cmp.Diff([]string{
		"app ACTIVE lib https://github.com/octo/app.git", "lib ACTIVE app https://github.com/octo/app.git", "org ACTIVE  /octo", "own MANUAL  https://gitlab.com/octo/app",
	}, names); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if all[3].ProviderURL != "" || !all[3].ManualCreation || all[0].ProviderURL == "" || all[0].ServerType != "GITHUB" {
		t.Errorf("listed %+v", all)
	}
	if d := cmp.Diff([]string{"The pattern main is not anchored."}, all[1].Warnings); d != "" || len(all[0].Warnings) != 0 {
		t.Errorf("warnings: %v and %v", all[0].Warnings, all[1].Warnings)
	}
	if one := b.list("lib", false); len(one) != 1 || one[0].ProjectName != "lib" {
		t.Errorf("of lib: %+v", one)
	}
	_, err := b.Webhooks(t.Context(), scope, "none", false)
	refused(t, err, fault.NotFound, "Webhook for project none does not exist")
	elsewhere := scope
	elsewhere.Region = "eu-west-1"
	if got, err := b.Webhooks(t.Context(), elsewhere, "", true); err != nil || got == nil || len(got) != 0 {
		t.Errorf("elsewhere: %v, %v", got, err)
	}
}

var errFull = errors.New("the disk is full")

func TestACertificateThatNobodyIsToCheck(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public})
	inner, err := url.Parse(b.site.URL)
	must(t, err)
	front := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(inner))
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are broken off
	front.StartTLS()
	t.Cleanup(front.Close)
	b.web = front.URL
	b.start(registrar.Options{PublicURL: public})

	strict := b.project("strict", "GITHUB_ENTERPRISE")
	if _, err := b.Create(t.Context(), strict, &api.CreateWebhookInput{ProjectName: "strict"}); fault.KindOf(err) != fault.Provider || !strings.Contains(fault.Message(err), "certificate") {
		t.Errorf("a certificate of nobody's: %v", err)
	}
	trusts := func(p project.Project) (project.Project, error) {
		p.Public.Source.InsecureSSL = new(true)
		return p, nil
	}
	b.project("app", "GITHUB_ENTERPRISE")
	_, err = b.db.Projects().Update(t.Context(), scope, "app", trusts)
	must(t, err)
	b.create("app")
	if all, err := b.Webhooks(t.Context(), scope, "app", true); err != nil || all[0].State != slipway.ProviderHookStateActive {
		t.Errorf("Webhooks = %+v, %v", all, err)
	}
	must(t, b.Delete(t.Context(), b.get("app")))
	if left := b.site.Hooks("octo/app"); len(left) != 0 {
		t.Errorf("the provider still has %+v", left)
	}

	b.start(registrar.Options{Poll: true})
	b.create("app")
	must(t, b.Poll(t.Context()))
	if h := b.stored("app"); h.Record.LastPoll.IsZero() {
		t.Errorf("its refs cannot be compared: %s", h.Record.PollMessage)
	}
}
