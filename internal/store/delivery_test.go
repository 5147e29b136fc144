package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

func delivered(hook, id string, at time.Time) webhook.Delivery {
	return webhook.Delivery{
		Scope: scope, ServerType: "GITHUB", Hook: hook, ID: id, Received: at, Pending: true,
		Record: webhook.DeliveryRecord{Event: "push", Sender: "GitHub-Hookshot/1", Signature: slipway.SignatureVerdictValid, State: slipway.DeliveryStatePending},
		Header: map[string][]string{"X-Github-Event": {"push"}}, Body: []byte(`{"ref":"refs/heads/main"}`),
	}
}

func refused(hook, id string, at time.Time) webhook.Delivery {
	d := delivered(hook, id, at)
	d.Record.Signature, d.Record.State = slipway.SignatureVerdictInvalid, slipway.DeliveryStateRefused
	return d
}

func TestADeliveryIsStoredOnceAndCountedAgain(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	deliveries, ctx := db.Deliveries(), t.Context()
	first, again, err := deliveries.Accept(ctx, delivered("hook", "a", noon))
	must(t, err)
	if again || first.Sequence == 0 {
		t.Fatalf("the first is number %d, seen before: %t", first.Sequence, again)
	}
	for n := 1; n <= 2; n++ {
		same, again, err := deliveries.Accept(ctx, delivered("hook", "a", noon.Add(time.Hour)))
		must(t, err)
		if !again || same.Sequence != first.Sequence || same.Record.Repeats != n {
			t.Errorf("repeat %d is number %d with %d repeats, seen before: %t", n, same.Sequence, same.Record.Repeats, again)
		}
	}
	other, again, err := deliveries.Accept(ctx, delivered("other", "a", noon))
	must(t, err)
	if again || other.Sequence <= first.Sequence {
		t.Errorf("the same id at another hook is number %d, seen before: %t", other.Sequence, again)
	}
	for range 2 { // a provider that gives no ids: nothing is taken for a repeat
		if _, again, err := deliveries.Accept(ctx, delivered("hook", "", noon)); err != nil || again {
			t.Errorf("a delivery without an id: seen before: %t, %v", again, err)
		}
	}
	must(t, db.Close())

	got, err := open(t, dir).Deliveries().Get(ctx, first.Sequence)
	must(t, err)
	want := first
	want.Record.Repeats = 2
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("after a restart (-want +got):\n%s", d)
	}
}

func TestConcurrentRepeatsAreOne(t *testing.T) {
	deliveries := open(t, t.TempDir()).Deliveries()
	var wg sync.WaitGroup
	firsts := make(chan int64, 40)
	for range 40 {
		wg.Go(func() {
			d, again, err := deliveries.Accept(t.Context(), delivered("hook", "a", noon))
			if err != nil {
				t.Error(err)
			}
			if !again {
				firsts <- d.Sequence
			}
		})
	}
	wg.Wait()
	if len(firsts) != 1 {
		t.Errorf("%d deliveries are the first", len(firsts))
	}
}

func TestBadlySignedDeliveriesAreBoundedAndInNobodysWay(t *testing.T) {
	deliveries, ctx := open(t, t.TempDir()).Deliveries(), t.Context()
	for n := range keptRefused + 20 {
		if _, again, err := deliveries.Accept(ctx, refused("hook", "a", noon.Add(time.Duration(n)))); err != nil || again {
			t.Fatal(again, err)
		}
	}
	_, _, err := deliveries.Accept(ctx, refused("other", "a", noon))
	must(t, err)
	good, again, err := deliveries.Accept(ctx, delivered("hook", "a", noon))
	must(t, err)
	if again {
		t.Error("a badly signed delivery took the id of a good one")
	}
	page, _, err := deliveries.List(ctx, scope, "", 0, 1000)
	must(t, err)
	if len(page) != keptRefused+2 || page[0].Sequence != good.Sequence {
		t.Errorf("%d deliveries are kept, the newest is %d", len(page), page[0].Sequence)
	}
	bad, err := deliveries.Get(ctx, page[1].Sequence)
	must(t, err)
	if bad.Body != nil || bad.Pending {
		t.Errorf("a badly signed delivery is pending (%t) with a payload of %d bytes", bad.Pending, len(bad.Body))
	}
	if pending, err := deliveries.Pending(ctx, 0, 10); err != nil || len(pending) != 1 {
		t.Errorf("%d are pending, %v", len(pending), err)
	}
}

func TestDeliveriesArePagedNewestFirst(t *testing.T) {
	db := open(t, t.TempDir())
	deliveries, ctx := db.Deliveries(), t.Context()
	must(t, db.Projects().Create(ctx, project.Project{Scope: scope, Public: newProject("app", noon).Public}))
	_, err := db.Hooks().Reserve(ctx, sealedHook("mine", "github.com/o/r"))
	must(t, err)
	_, err = db.Hooks().Attach(ctx, scope, "app", "mine", func(p project.Project) (project.Project, error) { return p, nil })
	must(t, err)
	var all, own []int64
	for n := range 7 {
		hook := []string{"mine", "gone"}[n%2]
		d, _, err := deliveries.Accept(ctx, delivered(hook, fmt.Sprint(n), noon))
		must(t, err)
		all = append([]int64{d.Sequence}, all...)
		if hook == "mine" {
			own = append([]int64{d.Sequence}, own...)
		}
	}
	// One of a hook that is gone came to something for the project.
	_, err = deliveries.Settle(ctx, all[1], webhook.Settlement{Verdicts: []webhook.Verdict{{Scope: scope, ProjectVerdict: slipway.ProjectVerdict{ProjectName: "app"}}}})
	must(t, err)
	own = append([]int64{own[0], all[1]}, own[1:]...)
	elsewhere := delivered("mine", "x", noon)
	elsewhere.Scope.Region = "eu-west-1"
	_, _, err = deliveries.Accept(ctx, elsewhere)
	must(t, err)
	for projectName, want := range map[string][]int64{"": all, "app": own, "none": nil} {
		var got []int64
		for next, more := int64(0), true; more; more = next != 0 {
			page, after, err := deliveries.List(ctx, scope, projectName, next, 2)
			must(t, err)
			for _, d := range page {
				got = append(got, d.Sequence)
			}
			next = after
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("of project %q (-want +got):\n%s", projectName, d)
		}
	}
	_, err = deliveries.Find(ctx, arn.Scope{Account: scope.Account, Region: "eu-west-1"}, all[0])
	wantFault(t, err, fault.NotFound, "There is no delivery d-"+fmt.Sprint(all[0])+". Deliveries are kept for a while only; 'slipway webhook deliveries' lists those that are.")
}

func TestSettleStoresAllThatCameOfADelivery(t *testing.T) {
	db := open(t, t.TempDir())
	deliveries, ctx := db.Deliveries(), t.Context()
	d, _, err := deliveries.Accept(ctx, delivered("hook", "a", noon))
	must(t, err)
	_, _, err = deliveries.Accept(ctx, delivered("hook", "a", noon))
	must(t, err)
	waiting := webhook.Withheld{
		Scope: scope, Project: "app", Repository: "acme/app", PullRequest: 7, Commit: "abc", Created: noon,
		Record: webhook.WithheldRecord{Delivery: d.Sequence, Sender: "x", Event: event.Event{Type: event.PullRequestCreated, PullRequest: &event.PullRequest{Number: 7}, Files: []string{}}},
	}
	verdict := webhook.Verdict{Scope: scope, Event: 1, ProjectVerdict: slipway.ProjectVerdict{ProjectName: "app", Outcome: slipway.VerdictOutcomeWithheld, Groups: []slipway.FilterGroupVerdict{{Matched: true}}}}
	of := webhook.Settlement{
		Record:   webhook.DeliveryRecord{Event: "pull_request opened", Signature: slipway.SignatureVerdictValid, State: slipway.DeliveryStateDone},
		Verdicts: []webhook.Verdict{verdict}, Withheld: []webhook.Withheld{waiting},
		Owed: []outbox.Item{{Kind: outbox.CommitStatus, Subject: "app/7", Payload: []byte(`{}`), State: outbox.Owed, NotBefore: noon, Created: noon}},
	}
	settled, err := deliveries.Settle(ctx, d.Sequence, of)
	must(t, err)
	again, err := deliveries.Settle(ctx, d.Sequence, of)
	must(t, err)
	if !settled || again {
		t.Errorf("Settle = %t, and once more %t", settled, again)
	}
	got, err := deliveries.Get(ctx, d.Sequence)
	must(t, err)
	if got.Pending || got.Record.Event != "pull_request opened" || got.Record.Repeats != 1 {
		t.Errorf("the delivery is %+v", got)
	}
	verdicts, err := deliveries.Verdicts(ctx, d.Sequence)
	must(t, err)
	if diff := cmp.Diff([]webhook.Verdict{verdict}, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if items, err := db.Outbox().BySubject(ctx, "app/7"); err != nil || len(items) != 1 {
		t.Errorf("%d items are owed, %v", len(items), err)
	}
	held, ok, err := deliveries.Withheld(ctx, scope, "app", "acme/app", 7)
	must(t, err)
	if diff := cmp.Diff(waiting, held); !ok || diff != "" {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}

	if _, ok, err := deliveries.Withheld(ctx, scope, "app", "acme/lib", 7); err != nil || ok {
		t.Errorf("another repository's pull request of that number waits: %t, %v", ok, err)
	}

	next, _, err := deliveries.Accept(ctx, delivered("hook", "b", noon))
	must(t, err)
	newer := waiting
	newer.Commit = "def"
	_, err = deliveries.Settle(ctx, next.Sequence, webhook.Settlement{Released: []webhook.Withheld{waiting}, Withheld: []webhook.Withheld{newer}})
	must(t, err)
	if held, ok, err := deliveries.Withheld(ctx, scope, "app", "acme/app", 7); err != nil || !ok || held.Commit != "def" {
		t.Errorf("a newer head waits: %t, %s, %v", ok, held.Commit, err)
	}
	for commit, want := range map[string]bool{"abc": true, "def": false} {
		third, _, err := deliveries.Accept(ctx, delivered("hook", commit, noon))
		must(t, err)
		released := newer
		released.Commit = commit
		_, err = deliveries.Settle(ctx, third.Sequence, webhook.Settlement{Released: []webhook.Withheld{released}})
		must(t, err)
		if _, ok, err := deliveries.Withheld(ctx, scope, "app", "acme/app", 7); commit == "def" && (err != nil || ok != want) {
			t.Errorf("after release of %s the newer head waits: %t, %v", commit, ok, err)
		}
	}
}

func TestPruneForgetsWhatIsOld(t *testing.T) {
	db := open(t, t.TempDir())
	deliveries, ctx := db.Deliveries(), t.Context()
	var last webhook.Delivery
	for n := range pruneSize + 100 {
		var err error
		last, _, err = deliveries.Accept(ctx, delivered("hook", fmt.Sprint(n), noon.Add(time.Duration(n)*time.Second)))
		must(t, err)
		if n%2 == 0 || n < 2 { // number 1 is settled, others stay pending
			_, err = deliveries.Settle(ctx, last.Sequence, webhook.Settlement{
				Verdicts: []webhook.Verdict{{Scope: scope, ProjectVerdict: slipway.ProjectVerdict{ProjectName: "app"}}},
				Withheld: []webhook.Withheld{{Scope: scope, Project: "app", Repository: "acme/app", PullRequest: int64(n), Created: noon.Add(time.Duration(n) * time.Second)}},
			})
			must(t, err)
		}
	}
	must(t, deliveries.Prune(ctx, noon.Add((pruneSize+50)*time.Second), noon.Add(10*time.Second)))
	page, _, err := deliveries.List(ctx, scope, "", 0, 2000)
	must(t, err)
	for _, d := range page {
		if !d.Pending && d.Received.Before(noon.Add((pruneSize+50)*time.Second)) {
			t.Errorf("delivery of %v is still there", d.Received)
		}
	}
	if want := (pruneSize+100)/2 + 25 - 1; len(page) != want {
		t.Errorf("%d deliveries are left, want %d", len(page), want)
	}
	if v, err := deliveries.Verdicts(ctx, 1); err != nil || v != nil {
		t.Errorf("verdicts of a forgotten delivery: %v, %v", v, err)
	}
	for n, want := range map[int64]bool{0: false, 8: false, 10: true} {
		if _, ok, err := deliveries.Withheld(ctx, scope, "app", "acme/app", n); err != nil || ok != want {
			t.Errorf("pull request %d waits: %t, %v", n, ok, err)
		}
	}
}

func TestPayloadsArePacked(t *testing.T) {
	for _, body := range [][]byte{nil, {}, []byte("{}"), bytes.Repeat([]byte(`{"path":"src/a.go"},`), 100000)} {
		packed := pack(body)
		got, err := unpack(packed)
		if err != nil || !bytes.Equal(got, body) || (got == nil) != (body == nil) {
			t.Errorf("%d bytes come back as %d, %v", len(body), len(got), err)
		}
		if len(body) > 1000 && len(packed) > len(body)/20 {
			t.Errorf("%d bytes are stored as %d", len(body), len(packed))
		}
	}
	if _, err := unpack([]byte(strings.Repeat("x", 100))); err == nil {
		t.Error("what is no packed payload is unpacked")
	}
}

func TestTheDeliveriesOfARepository(t *testing.T) {
	db := open(t, t.TempDir())
	deliveries, ctx := db.Deliveries(), t.Context()
	accept := func(id, repository string, change func(*webhook.Delivery)) int64 {
		t.Helper()
		d := delivered("hook", id, noon)
		change(&d)
		d, _, err := deliveries.Accept(ctx, d)
		must(t, err)
		if d.Pending && repository != "" {
			record := d.Record
			record.Repository = repository
			_, err := deliveries.Settle(ctx, d.Sequence, webhook.Settlement{Record: record})
			must(t, err)
		}
		return d.Sequence
	}
	same := func(*webhook.Delivery) {}
	a := accept("a", "Acme/App", same)
	accept("b", "acme/other", same)
	accept("c", "", same)
	d := accept("d", "", func(d *webhook.Delivery) { d.Record.Repository = "acme/APP" }) // as comparing refs knows it at once
	accept("e", "acme/app", func(d *webhook.Delivery) { d.ServerType = "GITLAB" })
	accept("f", "acme/app", func(d *webhook.Delivery) { d.Scope.Account = "other" })
	accept("g", "", func(d *webhook.Delivery) {
		d.Record.State, d.Record.Repository = slipway.DeliveryStateRefused, "acme/app"
	})
	h := accept("h", "gitlab/acme/app", same)
	for _, c := range []struct {
		names []string
		limit int
		want  string
	}{
		{[]string{"ACME/app"}, 10, fmt.Sprint([]int64{d, a})},
		{[]string{"acme/app", "gitlab/acme/app"}, 10, fmt.Sprint([]int64{h, d, a})},
		{[]string{"acme/app"}, 1, fmt.Sprint([]int64{d})},
		{[]string{"none"}, 10, "[]"},
		{nil, 10, "[]"},
	} {
		all, err := deliveries.About(ctx, scope, "GITHUB", c.names, c.limit)
		must(t, err)
		var got []int64
		for _, d := range all {
			got = append(got, d.Sequence)
			if d.Body != nil {
				t.Error("a payload is read")
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("About(%q, %d) = %v, want %s", c.names, c.limit, got, c.want)
		}
	}
}

// What was delivered before deliveries had the column is found as well.
func TestTheRepositoryOfOldDeliveries(t *testing.T) {
	dir := t.TempDir()
	conn, err := sql.Open(driver, writeName(filepath.Join(dir, "slipway.db")))
	must(t, err)
	for _, name := range []string{"migration/0001_nouns.sql", "migration/0002_providers.sql"} {
		text, err := migrations.ReadFile(name)
		must(t, err)
		_, err = conn.ExecContext(t.Context(), string(text))
		must(t, err)
	}
	for _, query := range []string{
		`UPDATE schema_version SET version = 2`,
		`INSERT INTO delivery (account, region, server_type, hook, delivery_id, received, pending, refused, record, header)
			VALUES ('` + scope.Account + `', '` + scope.Region + `', 'GITHUB', 'hook', 'a', 1, FALSE, FALSE, '{"repository":"Acme/App","signature":"VALID","state":"DONE"}', '{}'),
			('` + scope.Account + `', '` + scope.Region + `', 'GITHUB', 'hook', 'b', 1, TRUE, FALSE, '{"signature":"VALID","state":"PENDING"}', '{}')`,
	} {
		_, err = conn.ExecContext(t.Context(), query)
		must(t, err)
	}
	must(t, conn.Close())
	all, err := open(t, dir).Deliveries().About(t.Context(), scope, "GITHUB", []string{"acme/app"}, 10)
	must(t, err)
	if len(all) != 1 || all[0].ID != "a" {
		t.Errorf("About = %+v, want the first", all)
	}
}
