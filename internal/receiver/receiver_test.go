package receiver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/outbox"
	"slipway/internal/source"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

func TestAPushStartsABuild(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, filters(group("EVENT=PUSH", "HEAD_REF=^refs/heads/main$")))
	b.hook("lib", "GITHUB", place, filters(group("EVENT=PUSH", "HEAD_REF=^refs/heads/dev$")))
	b.run()
	d, verdicts := b.says(place, about(push("main")))
	if len(verdicts) != 2 || verdicts[0].ProjectName != "app" || verdicts[0].Outcome != "BUILD" || verdicts[1].Outcome != "NO_MATCH" {
		t.Fatalf("the verdicts are %+v", verdicts)
	}
	if d.Record.Repository != "acme/app" || d.Record.State != "DONE" || d.Record.Signature != "VALID" || !slices.Equal(d.Record.BuildIDs, []string{verdicts[0].BuildID}) {
		t.Errorf("the delivery is %+v", d.Record)
	}
	for name := range d.Header {
		if strings.Contains(name, "Signature") || strings.Contains(name, "Token") {
			t.Errorf("header %s is kept", name)
		}
	}
	got := b.build(verdicts[0].BuildID)
	want := &build.Trigger{Event: "PUSH", Trigger: "branch/main", HeadRef: "refs/heads/main", ActorID: "12345", PrevCommit: strings.Repeat("1", 40), Private: true, DeliveryID: webhook.DeliveryName(d.Sequence)}
	if diff := cmp.Diff(want, got.State.Webhook); diff != "" {
		t.Errorf("the trigger (-want +got):\n%s", diff)
	}
	if *got.Public.SourceVersion != sha || got.State.Commit != sha || *got.Public.Initiator != "GitHub-Hookshot/fc9e274" {
		t.Errorf("the build is of %s at %s, by %s", *got.Public.SourceVersion, got.State.Commit, *got.Public.Initiator)
	}
	if b.provider.was() != "" {
		t.Error("the provider was asked though nothing was missing")
	}
}

func TestHowDeliveriesAreAnswered(t *testing.T) {
	b := newBench(t)
	const lab = "gitlab.com/acme/app"
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.hook("lab", "GITLAB", lab, api.Webhook{})
	body := []byte(`{"Note": "nothing to do"}`)
	large := bytes.Repeat([]byte(" "), 25<<20+1)
	tests := []struct {
		name      string
		call      call
		status    int
		signature slipway.SignatureVerdict // of what is stored
		note      string
	}{
		{"well signed", call{body: body}, 200, "VALID", ""},
		{"with another secret", call{body: body, secret: "guess"}, 401, "INVALID", "The signature does not fit the webhook's secret."},
		{"not signed", call{body: body, secret: "-"}, 401, "MISSING", "The delivery is not signed."},
		{"with another secret, by GitLab, which would end deliveries", call{place: lab, body: body, secret: "guess"}, 200, "INVALID", "The signature does not fit"},
		{"too large", call{body: large}, 413, "", ""},
		{"at an unknown key", call{place: "github.com/none/none", body: body}, 404, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.t = t
			a := b.deliver(tt.call)
			if a.Status != tt.status || (a.ID != "") != (tt.signature != "") || (a.Message == "") != (tt.signature == "VALID") {
				t.Fatalf("the answer is %+v", a)
			}
			if tt.signature == "" {
				return
			}
			sequence, _ := webhook.ParseDelivery(a.ID)
			d, err := b.db.Deliveries().Get(t.Context(), sequence)
			must(t, err)
			good := tt.signature == "VALID"
			if d.Record.Signature != tt.signature || d.Pending != good || (d.Body != nil) != good || !strings.Contains(d.Record.Note, tt.note) {
				t.Errorf("what is stored is %+v with a payload of %d bytes", d, len(d.Body))
			}
		})
	}
	b.t = t
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/webhooks?t=key-"+place, nil)
	must(t, err)
	if a := b.send(r); a.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered with %+v", a)
	}
}

func TestLargePayloadsAreTakenInTurn(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.options.Large, b.options.Turn = 1, time.Millisecond
	b.renew()
	large := bytes.Repeat([]byte(" "), 20<<20) // more than what networks hold, so that the reader has begun once it is written
	slowly, write := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/webhooks?t=key-"+place, slowly)
	must(t, err)
	first := make(chan int)
	go func() {
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			first <- 0
			return
		}
		_ = a.Body.Close()
		first <- a.StatusCode
	}()
	_, err = write.Write(large)
	must(t, err)
	if a := b.deliver(call{body: large[:1<<20+1]}); a.Status != http.StatusServiceUnavailable {
		t.Errorf("a second large one is answered with %+v", a)
	}
	if a := b.deliver(call{body: []byte("{}")}); a.Status != http.StatusOK {
		t.Errorf("a small one is answered with %+v", a)
	}
	must(t, write.Close())
	if status := <-first; status != http.StatusUnauthorized {
		t.Errorf("the first one is answered with %d", status)
	}
	if a := b.deliver(call{body: large}); a.Status != http.StatusOK {
		t.Errorf("the next one is answered with %+v", a)
	}
}

func TestBothSecretsAreGoodForAWhile(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	body := []byte(`{}`)
	signature := func(secret string) slipway.SignatureVerdict {
		a := b.deliver(call{secret: secret, body: body})
		sequence, _ := webhook.ParseDelivery(a.ID)
		d, err := b.db.Deliveries().Get(t.Context(), sequence)
		must(t, err)
		return d.Record.Signature
	}
	if got := signature("secret of " + place); got != "VALID" {
		t.Fatal(got)
	}
	_, err := b.db.Hooks().Change(t.Context(), "key-"+place, func(h *webhook.SealedHook) error {
		var err error
		h.OldBox, h.OldUntil = h.Box, noon.Add(time.Hour)
		h.Box, err = b.keys.Seal([]byte("new secret"), "webhook/"+h.Key)
		return err
	})
	must(t, err)
	for secret, want := range map[string]slipway.SignatureVerdict{"new secret": "VALID", "secret of " + place: "VALID_OLD_SECRET", "other": "INVALID"} {
		if got := signature(secret); got != want {
			t.Errorf("signed with %q: %s, want %s", secret, got, want)
		}
	}
	b.now = noon.Add(time.Hour)
	if got := signature("secret of " + place); got != "INVALID" {
		t.Errorf("with the old secret, too late: %s", got)
	}
}

func TestARepeatedDeliveryBuildsOnce(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.run()
	body, err := json.Marshal(about(push("main")))
	must(t, err)
	first := b.deliver(call{id: "same", body: body})
	b.of(first.ID)
	for range 3 {
		if a := b.deliver(call{id: "same", body: body}); a != first {
			t.Errorf("a repeat is answered with %+v, the first with %+v", a, first)
		}
	}
	d, _ := b.of(first.ID)
	if n := b.builds(); n != 1 || d.Record.Repeats != 3 {
		t.Errorf("%d builds after %d repeats", n, d.Record.Repeats)
	}
}

func TestWhatWasPendingIsTakenUpAtTheNextStart(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	var ids []string
	for n := range 70 { // more than a worker takes at once
		body, err := json.Marshal(about(push(fmt.Sprintf("b%02d", n))))
		must(t, err)
		ids = append(ids, b.deliver(call{body: body}).ID)
	}
	b.renew()
	b.run()
	for n, id := range ids {
		_, v := b.of(id)
		if len(v) != 1 || v[0].BuildID == "" {
			t.Fatalf("delivery %d came to %+v", n, v)
		}
		if got := b.build(v[0].BuildID); *got.Public.BuildNumber != int64(n+1) {
			t.Errorf("delivery %d is build %d", n, *got.Public.BuildNumber)
		}
	}
}

func TestABuildIsStartedOnceThoughItsDeliveryIsNotSettled(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.kept.fails = 3
	b.run()
	d, v := b.says(place, about(push("main"), push("dev")))
	if n := b.builds(); n != 2 || len(d.Record.BuildIDs) != 2 || len(v) != 2 {
		t.Errorf("%d builds, %v in the delivery", n, d.Record.BuildIDs)
	}
}

func TestWhatFailsAgainAndAgainIsGivenUp(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.kept.fails = 5
	b.run()
	d, _ := b.says(place, about(push("main")))
	if !strings.Contains(d.Record.Note, "slipway webhook redeliver "+webhook.DeliveryName(d.Sequence)) {
		t.Errorf("the note is %q", d.Record.Note)
	}
	if d, _ := b.says(place, about(push("dev"))); len(d.Record.BuildIDs) != 1 {
		t.Errorf("the next delivery came to %+v", d.Record)
	}
}

func TestAPayloadThatCannotBeReadEndsNothingElse(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.run()
	for event, want := range map[string]string{"panic": "reader failed", "push": "no JSON of this provider"} {
		d, v := b.of(b.deliver(call{event: event, body: []byte("]")}).ID)
		if !strings.Contains(d.Record.Note, want) || len(v) != 0 || d.Record.State != "DONE" {
			t.Errorf("the delivery is %+v", d.Record)
		}
	}
	if d, _ := b.says(place, event.Delivery{Note: "This is a ping."}); d.Record.Note != "This is a ping." {
		t.Errorf("the note is %q", d.Record.Note)
	}
}

func TestTheProviderIsAskedOnlyWhatIsNeeded(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, filters(group("EVENT=PUSH", "HEAD_REF=main$", "FILE_PATH=^src/")))
	b.hook("lib", "GITHUB", place, filters(group("EVENT=PUSH", "HEAD_REF=main$", "FILE_PATH=^lib/", "COMMIT_MESSAGE=.")))
	b.provider.files, b.provider.message = []string{"src/a.go"}, "fix"
	b.run()
	_, v := b.says(place, about(push("dev")))
	if got := b.provider.was(); got != "" || v[0].Outcome != "NO_MATCH" {
		t.Errorf("asked %q for what another filter decides: %s", got, v[0].Outcome)
	}
	_, v = b.says(place, about(push("main")))
	if got := b.provider.was(); got != "files of acme/app" { // the second project has no need of the message then
		t.Errorf("asked: %s", got)
	}
	if v[0].Outcome != "BUILD" || v[1].Outcome != "NO_MATCH" || v[0].Groups[0].Filters[2].Value != "src/a.go" {
		t.Errorf("the verdicts are %+v", v)
	}
}

func TestTheProviderIsAskedAsTheSourceSays(t *testing.T) {
	b := newBench(t)
	const place = "ghe.example/acme/app"
	b.hook("app", "GITHUB_ENTERPRISE", place, filters(group("EVENT=PUSH", "FILE_PATH=.")), func(in *api.CreateProjectInput) { in.Source.InsecureSSL = new(true) })
	b.provider.files = []string{"a.go"}
	b.run()
	b.says(place, about(push("main")))
	if got := b.provider.was(); got != "files of acme/app, whatever the certificate" {
		t.Errorf("asked: %s", got)
	}
}

func TestAProviderThatIsSlowHoldsUpNobodyElse(t *testing.T) {
	b := newBench(t)
	b.hook("slow", "GITHUB", place, filters(group("EVENT=PUSH", "FILE_PATH=.")))
	b.hook("app", "GITHUB", "github.com/acme/lib", filters(group("EVENT=PUSH")))
	b.options.Workers = 1
	b.renew()
	b.provider.files, b.provider.hold = []string{"a.go"}, make(chan struct{})
	answers := sync.OnceFunc(func() { close(b.provider.hold) })
	defer answers()
	body, err := json.Marshal(about(push("main")))
	must(t, err)
	slow := b.deliver(call{body: body})
	b.run()
	if _, v := b.says("github.com/acme/lib", about(push("main"))); v[0].Outcome != "BUILD" {
		t.Errorf("behind a slow provider: %+v", v)
	}
	answers()
	if _, v := b.of(slow.ID); v[0].Outcome != "BUILD" {
		t.Errorf("of the slow provider: %+v", v)
	}
}

func TestAProviderThatFails(t *testing.T) {
	down := &source.Refusal{Cause: slipway.FailureCauseUnreachable, Message: "GitHub did not answer.", Again: true}
	denied := &source.Refusal{Cause: slipway.FailureCauseMissingScope, Message: "The token lacks repo.", NextStep: "Make one with it."}
	long := &source.Refusal{Cause: slipway.FailureCauseRateLimited, Message: "GitHub's limit is reached.", Again: true, After: time.Hour}
	tests := []struct {
		name    string
		fails   []error
		outcome slipway.VerdictOutcome
		reason  string
	}{
		{"for a moment", []error{down, down}, "BUILD", "Filter group 1 matched."},
		{"for good", []error{denied}, "FAILED", "The token lacks repo. Make one with it."},
		{"for longer than we wait", []error{long}, "FAILED", "GitHub's limit is reached."},
		{"by our own fault, once", []error{errors.New("out of memory")}, "BUILD", "Filter group 1 matched."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.hook("app", "GITHUB", place, filters(group("EVENT=PUSH", "COMMIT_MESSAGE=fix")))
			b.provider.message, b.provider.fails = "fix", tt.fails
			b.run()
			if _, v := b.says(place, about(push("main"))); v[0].Outcome != tt.outcome || !strings.Contains(v[0].Reason, tt.reason) {
				t.Errorf("the verdict is %s: %s", v[0].Outcome, v[0].Reason)
			}
		})
	}
}

func TestWhatCannotBeStartedSaysWhy(t *testing.T) {
	b := newBench(t)
	batch := api.Webhook{BuildType: "BUILD_BATCH"}
	b.hook("batch", "GITHUB", place, batch)
	b.hook("limit", "GITHUB", place, api.Webhook{}, func(in *api.CreateProjectInput) { in.ConcurrentBuildLimit = new(1) })
	b.run()
	b.says(place, about(push("main")))
	_, v := b.says(place, about(push("main")))
	for i, want := range []string{"batch builds are not carried out yet", "Cannot have more than 1 active builds for the project"} {
		if v[i].Outcome != "FAILED" || !strings.Contains(v[i].Reason, want) {
			t.Errorf("project %s: %s: %s", v[i].ProjectName, v[i].Outcome, v[i].Reason)
		}
	}
	nothing := push("main")
	nothing.Commit = ""
	if _, v := b.says(place, about(nothing)); !strings.Contains(v[1].Reason, "does not say which commit") {
		t.Errorf("without a commit: %s", v[1].Reason)
	}
	gone := push("main")
	gone.Deleted, gone.Commit = true, ""
	if _, v := b.says(place, about(gone)); v[1].Outcome != "IGNORED" {
		t.Errorf("a deletion: %s", v[1].Outcome)
	}
}

func TestWhatIsBuilt(t *testing.T) {
	const short = "0123456789ab"
	merged := pull("mona", false)
	merged.Type, merged.Merge = event.PullRequestMerged, "merge"
	brief := func(fork bool) event.Event {
		e := pull("mallory", fork)
		e.Commit = short
		return e
	}
	gone := brief(true)
	gone.PullRequest.Head = event.Repository{}
	foreign := brief(true)
	foreign.PullRequest.Head.CloneURL = "https://evil.example/mallory/app.git"
	gitHubGone := pull("mona", true)
	gitHubGone.PullRequest.Head = event.Repository{}
	release := event.Event{Type: event.Released, ActorID: "1", HeadRef: "refs/tags/v1", Tag: "v1", ReleaseName: "One"}
	job := event.Event{Type: event.WorkflowJobQueued, HeadRef: "refs/heads/main", Commit: sha, Job: &event.Job{ID: 3, RunID: 2, Workflow: "CI", Labels: []string{"codebuild-app-2-1"}}}
	other := job
	other.Job = &event.Job{ID: 3, RunID: 2, Workflow: "CI", Labels: []string{"codebuild-lib-2-1"}}
	tag := push("main")
	tag.HeadRef = "refs/tags/v1"
	tests := []struct {
		name     string
		server   api.ServerType
		place    string
		event    event.Event
		version  string
		location string
		trigger  string
		outcome  slipway.VerdictOutcome
		reason   string
	}{
		{"a tag", "GITHUB", place, tag, sha, "https://github.com/acme/app", "tag/v1", "BUILD", ""},
		{"a pull request on GitHub", "GITHUB", place, pull("mona", false), "pr/7", "https://github.com/acme/app", "pr/7", "BUILD", ""},
		{"one from a fork that is gone", "GITHUB_ENTERPRISE", "ghe.example/acme/app", gitHubGone, "pr/7", "https://ghe.example/acme/app", "pr/7", "BUILD", ""},
		{"a merged one", "GITHUB", place, merged, "pr/7", "https://github.com/acme/app", "pr/7", "BUILD", ""},
		{"a merge request", "GITLAB", "gitlab.com/acme/app", pull("mona", true), sha, "https://gitlab.com/acme/app", "pr/7", "BUILD", ""},
		{"a pull request on Bitbucket, abbreviated", "BITBUCKET", "bitbucket.org/acme/app", brief(false), sha, "https://bitbucket.org/acme/app", "pr/7", "BUILD", ""},
		{"one from a fork there", "BITBUCKET", "bitbucket.org/acme/app", brief(true), sha, "https://bitbucket.org/mallory/app.git", "pr/7", "BUILD", ""},
		{"one from a fork there that is gone", "BITBUCKET", "bitbucket.org/acme/app", gone, "", "", "", "FAILED", "The fork that pull request 7 comes from is gone"},
		{"one from elsewhere", "BITBUCKET", "bitbucket.org/acme/app", foreign, "", "", "", "FAILED", ""},
		{"a release", "GITHUB", place, release, sha, "https://github.com/acme/app", "tag/v1", "BUILD", ""},
		{"a workflow job that asks for the project", "GITHUB", place, job, sha, "https://github.com/acme/app", "branch/main", "BUILD", ""},
		{"a workflow job that asks for another", "GITHUB", place, other, "", "", "", "IGNORED", "one must be codebuild-app-<run id>-<attempt>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.provider.commits = map[string]string{short: strings.ToUpper(sha), "refs/tags/v1": sha}
			b.hook("app", tt.server, tt.place, filters(group("EVENT="+string(tt.event.Type))))
			b.run()
			_, v := b.says(tt.place, about(tt.event))
			if v[0].Outcome != tt.outcome || !strings.Contains(v[0].Reason, tt.reason) {
				t.Fatalf("the verdict is %s: %s", v[0].Outcome, v[0].Reason)
			}
			if tt.outcome != "BUILD" {
				return
			}
			got := b.build(v[0].BuildID)
			if *got.Public.SourceVersion != tt.version || got.State.Commit != sha || *got.Public.Source.Location != tt.location || got.State.Webhook.Trigger != tt.trigger {
				t.Errorf("the build is of %s at %s from %s, trigger %s", *got.Public.SourceVersion, got.State.Commit, *got.Public.Source.Location, got.State.Webhook.Trigger)
			}
			if tt.name == "a merged one" && got.State.Webhook.MergeCommit != "merge" {
				t.Errorf("the merge commit is %q", got.State.Webhook.MergeCommit)
			}
			if tt.event.Job != nil && (got.State.Webhook.Label != "codebuild-app-2-1" || got.State.Webhook.RunID != "2" || got.State.Webhook.JobID != "3" || got.State.Webhook.WorkflowName != "CI") {
				t.Errorf("the trigger is %+v", got.State.Webhook)
			}
		})
	}
}

func TestAnOrganizationsWebhookBuildsTheRepositoryThatItIsAbout(t *testing.T) {
	b := newBench(t)
	const org = "github.com/GITHUB_ORGANIZATION/acme"
	w := filters(group("EVENT=PUSH", "REPOSITORY_NAME=^app$"))
	w.ScopeConfiguration = &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "acme"}
	b.hook("app", "GITHUB", org, w, func(in *api.CreateProjectInput) {
		in.Source.Location = new("CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")
	})
	b.run()
	_, v := b.says(org, about(push("main")))
	if v[0].Outcome != "BUILD" {
		t.Fatalf("the verdict is %s: %s", v[0].Outcome, v[0].Reason)
	}
	if got := b.build(v[0].BuildID); *got.Public.Source.Location != "https://github.com/acme/app.git" {
		t.Errorf("the build is from %s", *got.Public.Source.Location)
	}
	elsewhere := about(push("main"))
	elsewhere.Repository.CloneURL = "https://evil.example/acme/app.git"
	if _, v := b.says(org, elsewhere); v[0].Outcome != "FAILED" {
		t.Errorf("of a repository elsewhere: %s: %s", v[0].Outcome, v[0].Reason)
	}
}

func TestPullRequestsWaitForApproval(t *testing.T) {
	forks := filters(group("EVENT=PULL_REQUEST_CREATED,PULL_REQUEST_UPDATED"))
	forks.PullRequestBuildPolicy = &api.PullRequestBuildPolicy{RequiresCommentApproval: "FORK_PULL_REQUESTS"}
	b := newBench(t)
	b.hook("app", "GITHUB", place, forks)
	b.provider.roles = map[string]api.PullRequestBuildApproverRole{"mona": "GITHUB_WRITE", "reader": "GITHUB_READ"}
	b.run()

	if _, v := b.says(place, about(pull("mallory", false))); v[0].Outcome != "BUILD" {
		t.Errorf("a pull request of the repository itself: %s", v[0].Outcome)
	}
	if _, v := b.says(place, about(pull("mona", true))); v[0].Outcome != "BUILD" {
		t.Errorf("an approver's from a fork: %s: %s", v[0].Outcome, v[0].Reason)
	}
	reopened := pull("mallory", true)
	reopened.Type, reopened.ActorID, reopened.ActorName = event.PullRequestUpdated, "mona", "mona"
	if _, v := b.says(place, about(reopened)); v[0].Outcome != "WITHHELD" {
		t.Errorf("a stranger's that an approver touched: %s", v[0].Outcome)
	}

	before := b.builds()
	_, v := b.says(place, about(pull("mallory", true)))
	if v[0].Outcome != "WITHHELD" || !strings.Contains(v[0].Reason, "mallory has no role on the repository") || !strings.Contains(v[0].Reason, "/codebuild_run("+sha+")") {
		t.Fatalf("the verdict is %s: %s", v[0].Outcome, v[0].Reason)
	}
	<-b.woken
	items, err := b.db.Outbox().BySubject(t.Context(), "withheld/"+scope.Project("app")+"/acme/app/7")
	must(t, err)
	var owed build.Debt
	must(t, json.Unmarshal(items[len(items)-1].Payload, &owed))
	want := build.Debt{Account: scope.Account, Region: scope.Region, Project: "app", CommitStatus: build.CommitStatus{
		ServerType: "GITHUB", Location: "https://github.com/acme/app", Commit: sha, State: "failure",
		Context: "AWS CodeBuild us-east-1 (app)", Description: "Pull request approval required for starting a build",
	}}
	if diff := cmp.Diff(want, owed); diff != "" || items[0].Kind != outbox.CommitStatus {
		t.Errorf("the status (-want +got):\n%s", diff)
	}

	comment := func(author, text string) (webhook.Delivery, []webhook.Verdict) {
		d := about()
		d.Comment = &event.Comment{PullRequest: 7, AuthorID: author, AuthorName: author, Text: text}
		return b.says(place, d)
	}
	run := "/codebuild_run(" + sha + ")"
	for _, tt := range []struct{ name, author, text, note string }{
		{"no command", "mona", "Thanks!", "The comment approves nothing"},
		{"another commit", "mona", "/codebuild_run(" + strings.Repeat("2", 40) + ")", "does not wait for approval, " + sha + " does"},
		{"an abbreviated one", "mona", "/codebuild_run(0123456)", "no full commit id"},
		{"by a reader", "reader", run, "reader may not approve. It waits for approval, since reader has the role GITHUB_READ, and approvers have GITHUB_ADMIN or GITHUB_MAINTAIN or GITHUB_WRITE."},
		{"by the author", "mallory", run, "mallory may not approve"},
	} {
		if d, v := comment(tt.author, tt.text); len(v) != 0 || !strings.Contains(d.Record.Note, tt.note) {
			t.Errorf("%s: %d verdicts, note %q", tt.name, len(v), d.Record.Note)
		}
	}
	if n := b.builds(); n != before {
		t.Fatalf("%d builds were started without approval", n-before)
	}
	d, v := comment("mona", "Looks good\n"+run)
	if len(v) != 1 || v[0].Outcome != "BUILD" || !strings.Contains(v[0].Reason, "mona approved it") {
		t.Fatalf("the approval came to %+v, note %q", v, d.Record.Note)
	}
	got := b.build(v[0].BuildID)
	if *got.Public.SourceVersion != "pr/7" || got.State.Commit != sha || got.State.Webhook.ActorID != "mallory" || got.State.Webhook.Event != "PULL_REQUEST_CREATED" {
		t.Errorf("the build is of %s at %s, trigger %+v", *got.Public.SourceVersion, got.State.Commit, got.State.Webhook)
	}
	if d, v := comment("mona", run); len(v) != 0 || !strings.Contains(d.Record.Note, "No build of pull request 7 waits") {
		t.Errorf("a second approval: %d verdicts, note %q", len(v), d.Record.Note)
	}

	b.provider.fails = []error{&source.Refusal{Message: "The token may not read roles."}}
	if _, v := b.says(place, about(pull("mona", true))); v[0].Outcome != "WITHHELD" || !strings.Contains(v[0].Reason, "The token may not read roles.") {
		t.Errorf("a role that cannot be read: %s: %s", v[0].Outcome, v[0].Reason)
	}
	if _, v := b.says(place, about(pull("mona", true))); v[0].Outcome != "BUILD" {
		t.Errorf("the next: %s", v[0].Outcome)
	}
	if _, ok, err := b.db.Deliveries().Withheld(t.Context(), scope, "app", "acme/app", 7); ok || err != nil {
		t.Errorf("a pull request that builds waits all the same: %v", err)
	}
}

func TestACommentApprovesInItsOwnRepositoryOnly(t *testing.T) {
	b := newBench(t)
	const org = "github.com/GITHUB_ORGANIZATION/acme"
	w := api.Webhook{
		ScopeConfiguration:     &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "acme"},
		PullRequestBuildPolicy: &api.PullRequestBuildPolicy{RequiresCommentApproval: "ALL_PULL_REQUESTS"},
	}
	b.hook("app", "GITHUB", org, w, func(in *api.CreateProjectInput) {
		in.Source.Location = new("CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")
	})
	b.provider.roles = map[string]api.PullRequestBuildApproverRole{"mallory of acme/own": "GITHUB_ADMIN", "mona of acme/app": "GITHUB_WRITE"}
	b.run()
	says := func(repository string, d event.Delivery) (webhook.Delivery, []webhook.Verdict) {
		d.Repository = event.Repository{FullName: repository, CloneURL: "https://github.com/" + repository + ".git"}
		return b.says(org, d)
	}
	comment := func(author string) event.Delivery {
		d := about()
		d.Comment = &event.Comment{PullRequest: 7, AuthorID: author, AuthorName: author, Text: "/codebuild_run(" + sha + ")"}
		return d
	}
	if _, v := says("acme/app", about(pull("mallory", true))); v[0].Outcome != "WITHHELD" {
		t.Fatalf("the verdict is %s: %s", v[0].Outcome, v[0].Reason)
	}
	if d, v := says("acme/own", comment("mallory")); len(v) != 0 || !strings.Contains(d.Record.Note, "No build of pull request 7 waits") {
		t.Errorf("approved from another repository: %+v, note %q", v, d.Record.Note)
	}
	other := pull("someone", true)
	other.Commit = strings.Repeat("2", 40)
	says("acme/own", about(other)) // waits beside it
	if d, v := says("acme/app", comment("mona")); len(v) != 1 || v[0].Outcome != "BUILD" {
		t.Errorf("approved where it waits: %+v, note %q", v, d.Record.Note)
	}
}

func TestAllPullRequestsWaitIfThePolicySaysSo(t *testing.T) {
	w := api.Webhook{PullRequestBuildPolicy: &api.PullRequestBuildPolicy{RequiresCommentApproval: "ALL_PULL_REQUESTS", ApproverRoles: []api.PullRequestBuildApproverRole{"GITHUB_ADMIN"}}}
	b := newBench(t)
	b.hook("app", "GITHUB", place, w)
	b.provider.roles = map[string]api.PullRequestBuildApproverRole{"mona": "GITHUB_WRITE"}
	b.run()
	if _, v := b.says(place, about(pull("mona", false))); v[0].Outcome != "WITHHELD" || !strings.Contains(v[0].Reason, "approvers have GITHUB_ADMIN.") {
		t.Errorf("the verdict is %s: %s", v[0].Outcome, v[0].Reason)
	}
	if _, v := b.says(place, about(push("main"))); v[0].Outcome != "BUILD" {
		t.Errorf("a push waits for approval: %s", v[0].Reason)
	}
}

// Bitbucket tells of a new title as it does of new commits.
func TestAPullRequestWhoseTitleChangesIsNotBuiltAgain(t *testing.T) {
	b := newBench(t)
	const cloud = "bitbucket.org/acme/app"
	b.hook("app", "BITBUCKET", cloud, api.Webhook{})
	b.hook("lib", "BITBUCKET", cloud, filters(group("EVENT=PUSH")))
	b.provider.commits = map[string]string{sha[:12]: sha, strings.Repeat("2", 12): strings.Repeat("2", 40)}
	b.run()
	opened := pull("mona", false)
	opened.Commit = sha[:12]
	updated := opened
	updated.Type, updated.Repeats = event.PullRequestUpdated, true
	more := updated
	more.Commit = strings.Repeat("2", 12)
	merged := opened
	merged.Type = event.PullRequestMerged
	_, v := b.says(cloud, about(updated))
	if v[0].Outcome == "IGNORED" {
		t.Errorf("of a pull request that was never heard of: %s", v[0].Reason)
	}
	for _, tt := range []struct {
		name string
		e    event.Event
		want slipway.VerdictOutcome
	}{
		{"it is opened", opened, "BUILD"}, {"its title changes", updated, "IGNORED"}, {"it has new commits", more, "BUILD"}, {"its reviewers change", more, "IGNORED"},
		{"it is pushed back", updated, "BUILD"}, {"it is merged", merged, "BUILD"},
	} {
		d, v := b.says(cloud, about(tt.e))
		if v[0].ProjectName != "app" || v[0].Outcome != tt.want || (tt.want == "IGNORED") != (v[1].Outcome == "IGNORED") || v[0].ProjectVerdict.Event != string(tt.e.Type) {
			t.Errorf("%s: %+v", tt.name, v)
		}
		if tt.want != "IGNORED" {
			continue
		}
		sequence, err := b.Redeliver(t.Context(), scope, d.Sequence)
		must(t, err)
		if _, v := b.of(webhook.DeliveryName(sequence)); v[0].Outcome != "BUILD" {
			t.Errorf("%s, delivered again by hand: %s: %s", tt.name, v[0].Outcome, v[0].Reason)
		}
	}
}

// A project hears its own webhook only, however many others its repository has.
func TestAGroupsWebhookBesideARepositorysBuildsOnce(t *testing.T) {
	b := newBench(t)
	const org = "github.com/GITHUB_ORGANIZATION/acme"
	b.hook("app", "GITHUB", place, api.Webhook{})
	b.hook("all", "GITHUB", org, api.Webhook{ScopeConfiguration: &api.ScopeConfiguration{Scope: "GITHUB_ORGANIZATION", Name: "acme"}}, func(in *api.CreateProjectInput) {
		in.Source.Location = new("CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION")
	})
	b.run()
	for _, at := range []string{place, org} {
		b.says(at, about(push("main")))
	}
	builds := map[string]int{}
	ids, _, err := b.db.Builds().List(t.Context(), scope, "", false, 0, 10)
	must(t, err)
	for _, id := range ids {
		name, _, _ := strings.Cut(id, ":")
		builds[name]++
	}
	if diff := cmp.Diff(map[string]int{"app": 1, "all": 1}, builds); diff != "" {
		t.Errorf("builds (-want +got):\n%s", diff)
	}
}

func TestRedeliver(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, filters(group("EVENT=PUSH", "HEAD_REF=^refs/heads/dev$")))
	b.run()
	d, v := b.says(place, about(push("main")))
	if v[0].Outcome != "NO_MATCH" {
		t.Fatal(v[0].Outcome)
	}
	_, err := b.db.Projects().Update(t.Context(), scope, "app", matchEverything)
	must(t, err)
	for want := 1; want <= 2; want++ {
		again, err := b.Redeliver(t.Context(), scope, d.Sequence)
		must(t, err)
		anew, v := b.of(webhook.DeliveryName(again))
		if again == d.Sequence || v[0].Outcome != "BUILD" || anew.Record.Redelivery != d.Sequence || b.builds() != want {
			t.Errorf("delivered again it is %s, of %d, and there are %d builds", v[0].Outcome, anew.Record.Redelivery, b.builds())
		}
	}
	elsewhere := scope
	elsewhere.Region = "eu-west-1"
	for name, call := range map[string]func() (int64, error){
		"There is no delivery": func() (int64, error) { return b.Redeliver(t.Context(), elsewhere, d.Sequence) },
		"badly signed": func() (int64, error) {
			bad, _ := webhook.ParseDelivery(b.deliver(call{secret: "x", body: []byte("{}")}).ID)
			return b.Redeliver(t.Context(), scope, bad)
		},
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Redeliver: %v, want %q", err, name)
		}
	}
}

func TestTrialsBuildNothing(t *testing.T) {
	policy := filters(group("EVENT=PUSH", "HEAD_REF=^refs/heads/main$"))
	b := newBench(t)
	b.hook("app", "GITHUB", place, policy)
	b.run()
	payload, err := json.Marshal(about(push("main")))
	must(t, err)
	out, err := b.Test(t.Context(), scope, webhook.Trial{Project: "app", Event: "push", Payload: payload})
	must(t, err)
	if len(out.Verdicts) != 1 || out.Verdicts[0].Outcome != "BUILD" || out.Verdicts[0].ProjectName != "app" || !strings.Contains(out.Verdicts[0].Reason, "A build of "+sha+" would start.") {
		t.Errorf("the trial came to %+v", out)
	}
	out, err = b.Test(t.Context(), scope, webhook.Trial{Project: "app", Event: "push", Payload: payload, Filters: [][]api.WebhookFilter{group("EVENT=PUSH", "HEAD_REF=dev")}})
	must(t, err)
	if out.Verdicts[0].Outcome != "NO_MATCH" || len(out.Warnings) != 1 {
		t.Errorf("with other filters the trial came to %+v", out)
	}
	stored, _ := b.says(place, about(push("dev")))
	out, err = b.Test(t.Context(), scope, webhook.Trial{Project: "app", Delivery: stored.Sequence})
	must(t, err)
	if out.Verdicts[0].HeadRef != "refs/heads/dev" || out.Verdicts[0].Outcome != "NO_MATCH" {
		t.Errorf("a stored delivery came to %+v", out)
	}
	if n := b.builds(); n != 0 {
		t.Errorf("%d builds were started", n)
	}
	for want, trial := range map[string]webhook.Trial{
		"does not exist":                    {Project: "none", Payload: payload},
		"There is no payload":               {Project: "app"},
		"is no JSON object":                 {Project: "app", Payload: []byte("x")},
		"X-GitHub-Event":                    {Project: "app", Payload: []byte("{}")},
		"There is no delivery d-99":         {Project: "app", Delivery: 99},
		"no filter of type EVENT":           {Project: "app", Payload: payload, Filters: [][]api.WebhookFilter{group("HEAD_REF=x")}},
		"reader failed; its log says why":   {Project: "app", Event: "panic", Payload: payload},
		"which is no event of GitHub":       {Project: "app", Payload: payload, Filters: [][]api.WebhookFilter{group("EVENT=PUSHED")}},
		"Negative look-ahead is not availa": {Project: "app", Payload: payload, Filters: [][]api.WebhookFilter{group("EVENT=PUSH", "HEAD_REF=(?!x)")}},
	} {
		if _, err := b.Test(t.Context(), scope, trial); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Test = %v, want %q", err, want)
		}
	}
}

func TestWhatComparingFindsIsHeard(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, filters(group("EVENT=PUSH")))
	b.run()
	d := about(push("main"))
	d.ID, d.Sender = "refs/heads/main@"+sha, "Slipway-Poll"
	body, err := json.Marshal(d)
	must(t, err)
	for range 2 {
		must(t, b.Deliver(t.Context(), webhook.Delivery{
			Scope: scope, ServerType: "GITHUB", Hook: "key-" + place, ID: d.ID, Received: noon, Pending: true, Body: body,
			Record: webhook.DeliveryRecord{Event: "push", Sender: d.Sender, Signature: slipway.SignatureVerdictPolled, State: slipway.DeliveryStatePending},
		}))
	}
	got, v := b.of("d-1")
	if v[0].Outcome != "BUILD" || got.Record.Signature != "POLLED" || *b.build(v[0].BuildID).Public.Initiator != "Slipway-Poll" || b.builds() != 1 {
		t.Errorf("what was found came to %+v", v)
	}
}

func TestADeletedWebhookHearsNothing(t *testing.T) {
	b := newBench(t)
	b.hook("app", "GITHUB", place, api.Webhook{})
	body, err := json.Marshal(about(push("main")))
	must(t, err)
	id := b.deliver(call{body: body}).ID
	_, _, err = b.db.Hooks().Detach(t.Context(), scope, "app", nil)
	must(t, err)
	orphan := b.deliver(call{body: body}).ID
	_, err = b.db.Hooks().Delete(t.Context(), "key-"+place)
	must(t, err)
	b.run()
	for _, id := range []string{id, orphan} {
		if d, v := b.of(id); len(v) != 0 || !strings.Contains(d.Record.Note, "was deleted") {
			t.Errorf("the delivery is %+v", d.Record)
		}
	}
	if a := b.deliver(call{body: body}); a.Status != http.StatusNotFound {
		t.Errorf("a delivery to a deleted webhook is answered with %+v", a)
	}
}
