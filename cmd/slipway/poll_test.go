package main

import (
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// TestPolling is a server that no provider reaches: it compares refs and pull
// requests, and what it finds passes the same filters.
func TestPolling(t *testing.T) {
	eachForge(t, false, []string{"--poll", "--poll-interval", "100ms"}, func(t *testing.T, f *forge) {
		made := call[api.CreateWebhookOutput](f.server, "CreateWebhook", &api.CreateWebhookInput{
			ProjectName: "app", PullRequestBuildPolicy: &api.PullRequestBuildPolicy{RequiresCommentApproval: api.PullRequestBuildCommentApprovalDisabled},
			FilterGroups: [][]api.WebhookFilter{
				{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "^refs/heads/main$"}},
				{{Type: "EVENT", Pattern: "PULL_REQUEST_CREATED"}},
			},
		}).Webhook
		if hooks := f.Hooks(f.fullName()); len(hooks) != 0 || made.URL != nil {
			t.Errorf("the provider was told of a webhook: %+v, %s", hooks, asJSON(t, made))
		}
		f.wait(t, "has looked at the refs", func() bool {
			var out slipway.ListWebhooksOutput
			if err := f.server.client.Call(t.Context(), slipway.Definition, "ListWebhooks", &slipway.ListWebhooksInput{}, &out); err != nil {
				t.Fatal(err)
			}
			return len(out.Webhooks) == 1 && out.Webhooks[0].State == slipway.ProviderHookStatePolled && f.looks() > 1
		})
		head := f.commit(t, "main", "More basil")
		b := f.builds(t, "app", 1)[0]
		if value(b.ResolvedSourceVersion) != head || b.BuildStatus != api.StatusTypeSucceeded {
			t.Errorf("the push built %s, %s; want %s", value(b.ResolvedSourceVersion), b.BuildStatus, head)
		}
		f.heard(t, head, "success")
		feature := f.commit(t, "feature", "Less salt")
		f.open(t, "feature", f.login)
		b = f.builds(t, "app", 2)[1]
		if value(b.ResolvedSourceVersion) != feature {
			t.Errorf("the pull request built %s, want %s", value(b.ResolvedSourceVersion), feature)
		}
	})
}

// looks counts how often git's refs were asked for.
func (f *forge) looks() (n int) {
	for _, r := range f.Requests() {
		if r.Query == "service=git-upload-pack" {
			n++
		}
	}
	return n
}
