package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
)

// TestWebhooks is the life of a webhook at every provider: it is made, pushes
// and pull requests start the right builds, strangers wait for approval, the
// secret is changed, the deliveries explain themselves, and it is gone.
func TestWebhooks(t *testing.T) {
	eachForge(t, true, nil, func(t *testing.T, f *forge) {
		f.project(t, "docs") // on the same repository
		made := call[api.CreateWebhookOutput](f.server, "CreateWebhook", &api.CreateWebhookInput{
			ProjectName: "app",
			FilterGroups: [][]api.WebhookFilter{
				{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "^refs/heads/main$"}},
				{{Type: "EVENT", Pattern: "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"}, {Type: "BASE_REF", Pattern: "^refs/heads/main$"}},
			},
		}).Webhook
		if value(made.PayloadURL) == "" || (made.Secret != nil) != (f.serverType == "GITHUB_ENTERPRISE") {
			t.Errorf("CreateWebhook answers %s", asJSON(t, made))
		}
		call[api.CreateWebhookOutput](f.server, "CreateWebhook", &api.CreateWebhookInput{
			ProjectName:  "docs",
			FilterGroups: [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "FILE_PATH", Pattern: "^docs/"}}},
		})
		hooks := f.Hooks(f.fullName())
		if len(hooks) != 1 || !hooks[0].Active || hooks[0].Secret == "" || hooks[0].URL != *made.PayloadURL {
			t.Fatalf("the provider has hooks %+v, want one for both projects", hooks)
		}
		known := call[api.BatchGetProjectsOutput](f.server, "BatchGetProjects", &api.BatchGetProjectsInput{Names: []string{"app"}}).Projects[0].Webhook
		if known == nil || known.Secret != nil || len(known.FilterGroups) != 2 || known.FilterGroups[0][0].ExcludeMatchedPattern == nil {
			t.Errorf("BatchGetProjects answers the webhook %s", asJSON(t, known))
		}

		commit := f.push(t, "main", "More basil")
		b := f.builds(t, "app", 1)[0]
		if b.BuildStatus != api.StatusTypeSucceeded || value(b.ResolvedSourceVersion) != commit || value(b.SourceVersion) != commit {
			t.Errorf("the push built %s at %s, %s; want %s", value(b.SourceVersion), value(b.ResolvedSourceVersion), b.BuildStatus, commit)
		}
		if got, want := f.told(t, b), "told PUSH branch/main refs/heads/main - at "+commit; got != want {
			t.Errorf("the build was %s, want %s", got, want)
		}
		f.heard(t, commit, "success")
		if v := f.verdict(t, "docs"); v.Outcome != slipway.VerdictOutcomeNoMatch || len(v.Groups) != 1 || v.Groups[0].Filters[1].Matched {
			t.Errorf("docs, which wants changes below docs/, came to %s: %s", v.Outcome, asJSON(t, v))
		}
		f.push(t, "side", "Elsewhere")
		if v := f.verdict(t, "app"); v.Outcome != slipway.VerdictOutcomeNoMatch {
			t.Errorf("a push to another branch came to %s, %s", v.Outcome, v.Reason)
		}
		if err := f.DeliverDelete(f.owner, f.name, "refs/heads/side", f.login); err == nil {
			if v := f.verdict(t, "app"); v.BuildID != "" {
				t.Error("a deletion was built")
			}
		}

		f.pullRequests(t)
		f.secrets(t, hooks[0].URL)

		all := f.settled(t)
		id := all[slices.IndexFunc(all, func(d slipway.WebhookDeliverySummary) bool { return len(d.BuildIDs) > 0 })].ID
		explained := f.server.command("webhook", "explain", id)
		if !strings.Contains(explained, "app") || !strings.Contains(explained, "EVENT") {
			t.Errorf("slipway webhook explain %s says:\n%s", id, explained)
		}
		if listed := f.server.command("webhook", "list", "--verify"); !strings.Contains(listed, "app") || !strings.Contains(strings.ToLower(listed), "active") {
			t.Errorf("slipway webhook list says:\n%s", listed)
		}
		for _, name := range []string{"app", "docs"} {
			if hooks := f.Hooks(f.fullName()); len(hooks) != 1 {
				t.Errorf("before the webhook of %s is deleted the provider has %d hooks, want 1", name, len(hooks))
			}
			call[api.DeleteWebhookOutput](f.server, "DeleteWebhook", &api.DeleteWebhookInput{ProjectName: name})
		}
		if hooks := f.Hooks(f.fullName()); len(hooks) != 0 {
			t.Errorf("the provider still has the hook %+v", hooks)
		}
	})
}

// pullRequests holds what pull requests of those who may push, and of others,
// come to. app has one build before.
func (f *forge) pullRequests(t *testing.T) {
	head := f.commit(t, "feature", "Less salt")
	n := f.open(t, "feature", f.login)
	b := f.builds(t, "app", 2)[1]
	if b.BuildStatus != api.StatusTypeSucceeded || value(b.ResolvedSourceVersion) != head {
		t.Errorf("the pull request built %s, %s; want %s", value(b.ResolvedSourceVersion), b.BuildStatus, head)
	}
	if got, want := f.told(t, b), "told PULL_REQUEST_CREATED pr/"+strconv.Itoa(n)+" refs/heads/feature refs/heads/main at "+head; got != want {
		t.Errorf("the build was %s, want %s", got, want)
	}
	f.heard(t, head, "success")

	f.SetRole(f.owner, f.name, "mallory", "read")
	strange := f.commit(t, "strange", "Arsenic")
	n = f.open(t, "strange", "mallory")
	if v := f.verdict(t, "app"); v.Outcome != slipway.VerdictOutcomeWithheld {
		t.Fatalf("a stranger's pull request came to %s: %s", v.Outcome, v.Reason)
	}
	f.heard(t, strange, "fail")
	run := "/codebuild_run(" + strange + ")"
	for _, attempt := range []struct{ text, by string }{{run, "mallory"}, {"looks good", f.login}, {"/codebuild_run(" + head + ")", f.login}} {
		if err := f.DeliverComment(f.owner, f.name, n, attempt.text, attempt.by); err != nil {
			t.Fatal(err)
		}
		f.settled(t)
	}
	f.builds(t, "app", 2)
	if err := f.DeliverComment(f.owner, f.name, n, run, f.login); err != nil {
		t.Fatal(err)
	}
	b = f.builds(t, "app", 3)[2]
	if value(b.ResolvedSourceVersion) != strange {
		t.Errorf("the approved build is of %s, want %s", value(b.ResolvedSourceVersion), strange)
	}
	f.heard(t, strange, "success")
}

// secrets changes the webhook's secret: what was signed with the old one is
// still taken, what is signed with none or another is not. app has three builds
// before.
func (f *forge) secrets(t *testing.T, payloadURL string) {
	before := f.Hooks(f.fullName())[0].Secret
	rotated := call[api.UpdateWebhookOutput](f.server, "UpdateWebhook", &api.UpdateWebhookInput{ProjectName: "app", RotateSecret: new(true), FilterGroups: [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH"}}}})
	if after := f.Hooks(f.fullName())[0].Secret; after == before || after == "" {
		t.Errorf("the provider's secret was not changed: %s", asJSON(t, rotated.Webhook))
	}
	sent := f.Sent() // signed with the secret before
	old := sent[slices.IndexFunc(sent, func(s sourcetest.Sent) bool { return strings.Contains(strings.ToLower(s.Event), "push") })]
	if err := f.DeliverTag(f.owner, f.name, "v1", f.push(t, "main", "Salt"), f.login); err != nil {
		t.Fatal(err)
	}
	f.builds(t, "app", 5) // the push and the tag
	tag := f.settled(t)[0]
	if v := f.verdictOf(t, tag.ID, "app"); v.HeadRef != "refs/tags/v1" || tag.Signature != slipway.SignatureVerdictValid {
		t.Errorf("the tag's delivery is %s, of %s", tag.Signature, v.HeadRef)
	}
	post := func(header http.Header) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, payloadURL, strings.NewReader(string(old.Body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	fresh := func() http.Header {
		h := old.Header.Clone()
		for _, name := range []string{"X-Github-Delivery", "X-Request-Uuid", "Idempotency-Key", "X-Gitlab-Event-Uuid", "Webhook-Id"} {
			if h.Get(name) != "" {
				h.Set(name, "3f0c0000-0000-4000-8000-00000000000"+strconv.Itoa(len(f.settled(t))%10))
			}
		}
		return h
	}
	if got := post(fresh()); got != http.StatusOK {
		t.Errorf("what was signed with the old secret is answered %d, want 200", got)
	}
	if got := f.settled(t)[0].Signature; got != slipway.SignatureVerdictValidOldSecret {
		t.Errorf("its signature is %s, want VALID_OLD_SECRET", got)
	}
	f.builds(t, "app", 6) // the old push again, under a new id
	bare := fresh()
	for _, name := range []string{"X-Hub-Signature-256", "X-Hub-Signature", "X-Gitlab-Token", "Webhook-Signature"} {
		bare.Del(name)
	}
	refused := http.StatusUnauthorized
	if strings.HasPrefix(string(f.serverType), "GITLAB") {
		refused = http.StatusOK // it would disable the hook
	}
	if got := post(bare); got != refused {
		t.Errorf("what is not signed is answered %d, want %d", got, refused)
	}
	if d := f.settled(t)[0]; d.State != slipway.DeliveryStateRefused || d.Signature != slipway.SignatureVerdictMissing {
		t.Errorf("what is not signed is %s, its signature %s", d.State, d.Signature)
	}
	f.builds(t, "app", 6)
}
