package build_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/build"
)

// pulled is a build that a pull request started, of a source that does not
// itself ask for statuses.
func pulled(t testing.TB, trigger build.Trigger) build.Build {
	t.Helper()
	b, err := build.NewForWebhook(demo(), build.WebhookStart{
		Input: &api.StartBuildInput{SourceVersion: new("pr/7")}, Trigger: trigger, Commit: sha, Initiator: "GitHub-Hookshot/fc9e274",
	}, id, start)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// webhookVariables returns what a build is told of its webhook.
func webhookVariables(b build.Build) map[string]string {
	all := map[string]string{}
	for _, v := range b.ServiceVariables("") {
		if name, ok := strings.CutPrefix(v.Name, "CODEBUILD_WEBHOOK_"); ok {
			all[name] = v.Value
		}
	}
	return all
}

func TestABuildKnowsWhatStartedIt(t *testing.T) {
	b := pulled(t, build.Trigger{
		Event: "PULL_REQUEST_MERGED", Trigger: "pr/7", HeadRef: "refs/heads/x", BaseRef: "refs/heads/main", ActorID: "12", MergeCommit: "abc", PullRequest: 7, DeliveryID: "d-1",
	})
	want := map[string]string{
		"EVENT": "PULL_REQUEST_MERGED", "TRIGGER": "pr/7", "HEAD_REF": "refs/heads/x", "BASE_REF": "refs/heads/main", "ACTOR_ACCOUNT_ID": "12", "MERGE_COMMIT": "abc",
	}
	if diff := cmp.Diff(want, webhookVariables(b)); diff != "" {
		t.Errorf("the variables (-want +got):\n%s", diff)
	}
	if b.State.Commit != sha || b.State.SourceVersion != "pr/7" || *b.Public.SourceVersion != "pr/7" || *b.Public.Initiator != "GitHub-Hookshot/fc9e274" {
		t.Errorf("the build is of %s at %s, started by %s", b.State.SourceVersion, b.State.Commit, *b.Public.Initiator)
	}
	again := build.Retry(b, accesskey.Caller{Scope: scope, User: "bob"}, id, at(100))
	if diff := cmp.Diff(want, webhookVariables(again)); diff != "" {
		t.Errorf("the variables of a retry (-want +got):\n%s", diff)
	}
	if again.State.Commit != sha {
		t.Errorf("a retry is of commit %q, and only %s was approved", again.State.Commit, sha)
	}
	job := pulled(t, build.Trigger{Event: "WORKFLOW_JOB_QUEUED", Label: "codebuild-my-demo-1-1", RunID: "1", JobID: "2", WorkflowName: "CI"})
	want = map[string]string{"EVENT": "WORKFLOW_JOB_QUEUED", "LABEL": "codebuild-my-demo-1-1", "RUN_ID": "1", "JOB_ID": "2", "WORKFLOW_NAME": "CI"}
	if diff := cmp.Diff(want, webhookVariables(job)); diff != "" {
		t.Errorf("the variables of a workflow job (-want +got):\n%s", diff)
	}
	if got := webhookVariables(started(t, nil, api.StartBuildInput{})); len(got) > 0 {
		t.Errorf("a build that no webhook started is told %v", got)
	}
}

func TestAWebhookBuildReportsItsStatusAndItsRetryOnlyIfAsked(t *testing.T) {
	owes := func(b build.Build) bool {
		b.Public.ResolvedSourceVersion = &sha
		_, ok := b.CommitStatus("")
		return ok
	}
	first := pulled(t, build.Trigger{Event: "PUSH"})
	again := build.Retry(first, caller, id, at(100))
	twice := build.Retry(again, caller, id, at(200))
	if !owes(first) || owes(again) || owes(twice) {
		t.Errorf("statuses are owed: build %t, retry %t, second retry %t; want only the first", owes(first), owes(again), owes(twice))
	}
	again.Public.Source.ReportBuildStatus = new(true)
	if !owes(again) {
		t.Error("a retry whose source asks for statuses owes none")
	}
	if owes(started(t, nil, api.StartBuildInput{})) {
		t.Error("a build that nobody asked statuses of owes one")
	}
}
