package receiver_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// previewed is what deliveries would come to, newest first, as a person would
// read it.
func (b *bench) previewed(of webhook.Preview) (all, warnings string) {
	b.t.Helper()
	if of.Limit == 0 {
		of.Limit = 20
	}
	previews, w, err := b.Preview(b.t.Context(), scope, of)
	must(b.t, err)
	var lines []string
	for _, p := range previews {
		line := fmt.Sprintf("%s %s", strings.TrimPrefix(p.Verdict.HeadRef, "refs/heads/"), p.Verdict.Outcome)
		if p.BuiltBefore {
			line += " built"
		}
		lines = append(lines, strings.TrimSpace(line))
		if p.Delivery.Body != nil || p.Verdict.ProjectName != of.Project || p.Verdict.Reason == "" {
			b.t.Errorf("the preview of %s is %+v", webhook.DeliveryName(p.Delivery.Sequence), p.Verdict)
		}
	}
	return strings.Join(lines, ", "), strings.Join(w, " ")
}

func TestAPreviewHoldsKeptDeliveriesAgainstFilters(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, filters(group("EVENT=PUSH", "HEAD_REF=^refs/heads/main$")))
	b.hook("other", "GITHUB", "github.com/acme/other", filters(group("EVENT=PUSH")))
	b.run()
	b.says(place, about(push("main")))
	b.says(place, about(push("dev")))
	b.says(place, about(pull("1", false)))
	b.says(place, about(push("one"), push("two")))
	b.says(place, event.Delivery{Note: "This is a ping."}) // about no repository
	other := about(push("main"))
	other.Repository = event.Repository{FullName: "acme/other", Name: "other", CloneURL: "https://github.com/acme/other.git"}
	b.says("github.com/acme/other", other)
	b.deliver(call{body: []byte("{}"), secret: "guess"})
	builds := b.builds()
	was := b.provider.was()

	for _, c := range []struct {
		name, want string
		of         webhook.Preview
	}{
		{"its own filters", "one NO_MATCH, x NO_MATCH, dev NO_MATCH, main BUILD built", webhook.Preview{Project: "app"}},
		{"others", "two BUILD, x NO_MATCH, dev NO_MATCH, main NO_MATCH built", webhook.Preview{Project: "app", Filters: [][]api.WebhookFilter{group("EVENT=PUSH", "HEAD_REF=^refs/heads/two$")}}},
		{"none at all", "one BUILD, x BUILD, dev BUILD, main BUILD built", webhook.Preview{Project: "app", Filters: [][]api.WebhookFilter{}}},
		{"the latest only", "one NO_MATCH, x NO_MATCH", webhook.Preview{Project: "app", Limit: 2}},
		{"a project that is not made yet", "one NO_MATCH, x NO_MATCH, dev BUILD, main NO_MATCH",
			webhook.Preview{Server: "GITHUB", Location: "git@github.com:Acme/App.git", Filters: [][]api.WebhookFilter{group("EVENT=PUSH", "HEAD_REF=^refs/heads/dev$")}}},
		{"what must be asked for", "one FAILED, x FAILED, dev FAILED, main FAILED", webhook.Preview{Server: "GITHUB", Location: "https://github.com/acme/app", Filters: [][]api.WebhookFilter{group("EVENT=PUSH,PULL_REQUEST_CREATED", "FILE_PATH=.")}}},
		{"another repository", "main BUILD built", webhook.Preview{Project: "other"}},
		{"one that nothing was heard of", "", webhook.Preview{Server: "GITHUB", Location: "https://github.com/acme/none"}},
		{"another provider's of that name", "", webhook.Preview{Server: "GITLAB", Location: "https://gitlab.com/acme/app"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			if got, _ := b.previewed(c.of); got != c.want {
				t.Errorf("previews %q, want %q", got, c.want)
			}
		})
	}
	b.t = t
	if _, warnings := b.previewed(webhook.Preview{Project: "app", Filters: [][]api.WebhookFilter{group("EVENT=PUSH", "HEAD_REF=main")}}); !strings.Contains(warnings, "also matches") {
		t.Errorf("the warnings are %q", warnings)
	}
	if n := b.builds(); n != builds || b.provider.was() != was {
		t.Errorf("%d builds were started, and the provider was asked for %q", n-builds, b.provider.was())
	}
	for want, of := range map[string]webhook.Preview{
		"does not exist":              {Project: "none"},
		"no filter of type EVENT":     {Project: "app", Filters: [][]api.WebhookFilter{group("HEAD_REF=x")}},
		"not available for sources":   {Server: "SVN", Location: "https://github.com/acme/app"},
		"must be the URL of a reposi": {Server: "GITHUB", Location: "ghp_secret"},
	} {
		if _, _, err := b.Preview(t.Context(), scope, of); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "ghp_") || fault.KindOf(err) == fault.Internal {
			t.Errorf("Preview = %v, want %q", err, want)
		}
	}
}

// At servers of their own several repositories may have the same name.
func TestAPreviewKnowsServersApart(t *testing.T) {
	b := newBench(t)
	const one, two = "git.example/gitlab/acme/app", "other.example/acme/app"
	b.hook("one", "GITLAB_SELF_MANAGED", one, api.Webhook{})
	b.hook("two", "GITLAB_SELF_MANAGED", two, api.Webhook{})
	b.run()
	for at, branch := range map[string]string{one: "first", two: "second"} {
		d := about(push(branch))
		d.Repository.CloneURL = "https://" + at + ".git"
		b.says(at, d)
	}
	for name, want := range map[string]string{"one": "first BUILD built", "two": "second BUILD built"} {
		if got, _ := b.previewed(webhook.Preview{Project: name}); got != want {
			t.Errorf("of %s the previews are %q, want %q", name, got, want)
		}
	}
	if got, _ := b.previewed(webhook.Preview{Server: "GITLAB_SELF_MANAGED", Location: "https://git.example:8443/gitlab/Acme/app.git"}); got != "first BUILD" {
		t.Errorf("of a new project the previews are %q", got)
	}
}

func TestAPreviewOfAnOrganizationsWebhook(t *testing.T) {
	b := newBench(t)
	const org = "github.com/GITHUB_ORGANIZATION/acme"
	w := filters(group("EVENT=PUSH", "REPOSITORY_NAME=^app$"))
	w.ScopeConfiguration = &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "acme"}
	anywhere := func(in *api.CreateProjectInput) {
		in.Source.Location = new("CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")
	}
	b.hook("app", "GITHUB", org, w, anywhere)
	b.run()
	b.says(org, about(push("main")))
	if got, _ := b.previewed(webhook.Preview{Project: "app"}); got != "main BUILD built" {
		t.Errorf("the previews are %q", got)
	}
}
