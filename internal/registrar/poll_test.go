package registrar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
)

// polled is a bench whose server polls octo/app for the project app.
func polled(t *testing.T, names string) *bench {
	t.Helper()
	b := newBench(t, registrar.Options{Poll: true})
	b.project("app", "GITHUB")
	b.site.SetRef("octo/app", "refs/heads/main", "m1")
	w := b.create("app", events(names))
	if w.PayloadURL != nil || w.URL != nil || w.Secret != nil || w.Status != "ACTIVE" || len(b.site.Calls()) != 0 {
		t.Fatalf("answered %+v", w)
	}
	return b
}

func (b *bench) poll() []string {
	b.t.Helper()
	b.now = b.now.Add(time.Minute)
	must(b.t, b.Poll(b.t.Context()))
	return b.told()
}

func (b *bench) wantPoll(what string, want ...string) {
	b.t.Helper()
	if d := cmp.Diff(append([]string{}, want...), b.poll()); d != "" {
		b.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestPollTellsOfRefs(t *testing.T) {
	b := polled(t, "PUSH")
	b.wantPoll("the first look only remembers")
	b.wantPoll("nothing happened")
	b.site.SetRef("octo/app", "refs/heads/main", "m2")
	b.site.SetRef("octo/app", "refs/heads/topic", "t1")
	b.site.SetRef("octo/app", "refs/tags/v1", "m2")
	b.site.SetRef("octo/app", "refs/pull/7/head", "p1")
	b.site.SetRef("octo/app", "HEAD", "m2")
	b.wantPoll("changed and new heads and tags", "PUSH refs/heads/main m2", "PUSH refs/heads/topic t1", "PUSH refs/tags/v1 m2")
	b.site.SetRef("octo/app", "refs/heads/topic", "")
	b.wantPoll("a deletion builds nothing")
	b.site.SetRef("octo/app", "refs/heads/topic", "t1")
	b.wantPoll("a branch is made again", "PUSH refs/heads/topic t1")
	b.site.SetRef("octo/app", "refs/heads/main", "m1")
	b.wantPoll("it is forced back", "PUSH refs/heads/main m1")
	b.site.SetPull("octo/app", hooktest.Pull{Number: 1, Commit: "p", Open: true})
	b.wantPoll("nobody wants to know of pull requests")
	if strings.Contains(strings.Join(b.site.Calls(), " "), "pulls") {
		t.Error("the provider was asked for pull requests")
	}
}

func TestPollTellsOfPullRequests(t *testing.T) {
	b := polled(t, "PUSH, PULL_REQUEST_CREATED")
	set := func(n int64, commit string, open bool, merge string) {
		b.site.SetPull("octo/app", hooktest.Pull{Number: n, Commit: commit, Open: open, Merge: merge})
	}
	set(1, "a1", true, "")
	set(2, "b1", true, "")
	b.wantPoll("the first look only remembers")
	set(1, "a2", true, "")
	set(4, "d1", true, "")
	b.wantPoll("changed and new ones", "PULL_REQUEST_UPDATED #1 a2", "PULL_REQUEST_CREATED #4 d1")
	set(1, "a2", false, "")
	set(2, "b1", false, "m9")
	b.wantPoll("closed and merged ones", "PULL_REQUEST_CLOSED #1 a2", "PULL_REQUEST_MERGED #2 b1")
	set(1, "a2", true, "")
	b.wantPoll("one that is open again", "PULL_REQUEST_REOPENED #1 a2")
	b.update("app", apiUpdate("PUSH"))
	set(1, "a3", true, "")
	b.wantPoll("nobody wants to know any more")
	b.update("app", apiUpdate("PULL_REQUEST_UPDATED"))
	b.wantPoll("whoever wants to know again hears of what happens then")
	set(1, "a4", true, "")
	b.wantPoll("which is this", "PULL_REQUEST_UPDATED #1 a4")
}

func TestWhatPollingTellsIsToldOnceUnderOneName(t *testing.T) {
	b := polled(t, "PUSH")
	b.wantPoll("first")
	b.site.SetRef("octo/app", "refs/heads/main", "m2")
	b.full = errFull
	b.wantPoll("nobody takes it")
	b.full = nil
	b.now = b.now.Add(time.Minute)
	must(t, b.Poll(t.Context()))
	first := b.polled[0]
	if d := cmp.Diff([]string{"PUSH refs/heads/main m2"}, b.told()); d != "" {
		t.Error(d)
	}
	if first.Repository.FullName != "octo/app" || first.Repository.CloneURL != b.site.URL+"/octo/app.git" || first.Sender != "Slipway-Poll" || first.Events[0].Before != "m1" {
		t.Errorf("it tells %+v", first)
	}
	seen := map[string]bool{first.ID: true}
	for i, commit := range []string{"m1", "m2", "m1", "m2"} { // to and fro is news each time
		b.site.SetRef("octo/app", "refs/heads/main", commit)
		b.now = b.now.Add(time.Minute)
		must(t, b.Poll(t.Context()))
		if len(b.polled) != 1 || seen[b.polled[0].ID] {
			t.Fatalf("move %d: %+v, seen before: %v", i, b.polled, seen)
		}
		seen[b.polled[0].ID] = true
		b.told()
	}
}

func TestManyChangesAreToldBitByBit(t *testing.T) {
	b := polled(t, "PUSH")
	b.wantPoll("first")
	for i := range 250 {
		b.site.SetRef("octo/app", fmt.Sprintf("refs/heads/b%03d", i), "c")
	}
	total := 0
	for _, want := range []int{100, 100, 50, 0} {
		got := len(b.poll())
		total += got
		if got != want {
			t.Errorf("a look tells of %d changes, want %d", got, want)
		}
	}
	if total != 250 {
		t.Errorf("%d changes were told", total)
	}
}

func TestAPollThatFails(t *testing.T) {
	b := polled(t, "PUSH")
	b.wantPoll("first")
	b.login("GITHUB", "ghp_dead")
	for range 3 {
		b.wantPoll("a bad token")
	}
	sum := b.list("app", false)[0]
	if sum.State != "POLLED" || !strings.Contains(sum.Message, "Bad credentials") {
		t.Errorf("listed %+v", sum)
	}
	if n := strings.Count(b.log.String(), "refs cannot be compared"); n != 1 {
		t.Errorf("the log says it %d times, want once", n)
	}
	b.login("GITHUB", token)
	b.site.SetRef("octo/app", "refs/heads/main", "m2")
	b.wantPoll("what happened meanwhile", "PUSH refs/heads/main m2")
	if sum := b.list("app", false)[0]; sum.Message != "" || !strings.Contains(b.log.String(), "refs are compared again") {
		t.Errorf("listed %+v", sum)
	}
}

// With a webhook, comparing refs is for what the provider did not deliver.
func TestPollingBesideAWebhook(t *testing.T) {
	b := newBench(t, registrar.Options{PublicURL: public, Poll: true})
	b.project("app", "GITHUB")
	b.site.SetRef("octo/app", "refs/heads/main", "m1")
	b.create("app", events("PUSH"))
	b.wantPoll("first")
	b.site.SetRef("octo/app", "refs/heads/main", "m2")
	b.wantPoll("the delivery has a minute to arrive")
	// It arrives, and whoever takes it remembers.
	must(t, b.db.Polls().Remember(t.Context(), b.stored("app").Key, map[string]string{"refs/heads/main": "m2"}, nil, nil))
	b.wantPoll("it arrived")
	b.site.SetRef("octo/app", "refs/heads/main", "m3")
	b.wantPoll("the next has a minute too")
	b.site.SetRef("octo/app", "refs/heads/topic", "t1")
	b.wantPoll("it did not arrive", "PUSH refs/heads/main m3")
	b.site.SetRef("octo/app", "refs/heads/topic", "t2")
	b.wantPoll("what changes again has another minute")
	b.wantPoll("and then none", "PUSH refs/heads/topic t2")
}

func TestAPolledWebhook(t *testing.T) {
	b := polled(t, "PULL_REQUEST_CREATED")
	sum := b.list("app", true)[0]
	if sum.State != "POLLED" || sum.PayloadURL != "" || len(sum.Warnings) != 1 || !strings.Contains(sum.Warnings[0], "hears no comments") {
		t.Errorf("listed %+v", sum)
	}
	w := b.update("app", api.UpdateWebhookInput{RotateSecret: new(true)})
	if w.Secret != nil || w.PayloadURL != nil || b.stored("app").Record.Unsure {
		t.Errorf("answered %+v", w)
	}
	b.start(registrar.Options{})
	if sum := b.list("app", false)[0]; len(sum.Warnings) != 1 || !strings.Contains(sum.Warnings[0], "slipway serve --poll") {
		t.Errorf("listed %+v", sum)
	}
	must(t, b.Delete(t.Context(), b.get("app")))
	if b.rows() != 0 || len(b.owed()) != 0 || strings.Contains(strings.Join(b.site.Calls(), " "), "hooks") {
		t.Errorf("%d rows, owed %v", b.rows(), b.owed())
	}
}

func apiUpdate(names string) api.UpdateWebhookInput {
	return api.UpdateWebhookInput{FilterGroups: groups(names)}
}
