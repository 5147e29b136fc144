package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/secret"
)

// named returns a sealed named credential for GitHub Enterprise Server.
func named(t *testing.T, name, box string, hosts ...string) credential.Sealed {
	t.Helper()
	c, err := credential.NewNamed(scope, &slipway.ImportCredentialInput{
		Name: name, ServerType: "GITHUB_ENTERPRISE", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("x"), Hosts: hosts,
		Match: &slipway.CredentialMatch{Owner: "acme"},
	}, noon)
	must(t, err)
	c.Version = 1
	if c.Hosts == nil {
		c.Hosts = []string{}
	}
	return credential.Sealed{About: c.About, Box: []byte(box)}
}

func TestNamedCredentials(t *testing.T) {
	store := open(t, t.TempDir()).Credentials()
	ctx := t.Context()
	a, b := named(t, "a", "one", "ghe.example"), named(t, "b", "two")
	for _, c := range []credential.Sealed{b, github("box"), a} {
		must(t, store.Put(ctx, c, false))
	}
	all, err := store.All(ctx, scope)
	must(t, err)
	if d := cmp.Diff([]credential.Sealed{github("box"), a, b}, all); d != "" {
		t.Errorf("All (-want +got):\n%s", d)
	}
	defaults, err := store.List(ctx, scope)
	must(t, err)
	if d := cmp.Diff([]credential.Sealed{github("box")}, defaults); d != "" {
		t.Errorf("List shows more than the defaults (-want +got):\n%s", d)
	}
	_, err = store.Get(ctx, scope, "GITHUB_ENTERPRISE")
	wantFault(t, err, fault.NotFound, "Could not find access token for server type GITHUB_ENTERPRISE")

	byName, err := store.ByName(ctx, scope, "a")
	must(t, err)
	for _, arn := range []string{a.ARN, a.ConnectionARN, "arn:aws:codestar-connections" + a.ConnectionARN[len("arn:aws:codeconnections"):]} {
		byARN, err := store.ByARN(ctx, scope, arn)
		must(t, err)
		if d := cmp.Diff(byName, byARN); d != "" {
			t.Errorf("by %s it is another (-want +got):\n%s", arn, d)
		}
	}
	const none = "There is no such source credential. 'slipway credential list' shows those that there are."
	_, err = store.ByName(ctx, scope, "")
	wantFault(t, err, fault.NotFound, none)
	_, err = store.ByARN(ctx, scope, "")
	wantFault(t, err, fault.NotFound, none)
	_, err = store.ByName(ctx, other, "a")
	wantFault(t, err, fault.NotFound, none)

	wantFault(t, store.Put(ctx, named(t, "a", "three"), false), fault.Exists,
		"A source credential with the name a exists already. Choose another name, or delete it with 'slipway credential delete a'.")
}

func TestANewTokenKeepsTheOldOnesHosts(t *testing.T) {
	store := open(t, t.TempDir()).Credentials()
	ctx := t.Context()
	old := named(t, "a", "one", "ghe.example", "git.example/x")
	old.CA = "PEM"
	must(t, store.Put(ctx, old, false))
	held := func(wantHosts []string, wantCA string) {
		t.Helper()
		got, err := store.ByName(ctx, scope, "a")
		must(t, err)
		if !slices.Equal(got.Hosts, wantHosts) || got.CA != wantCA {
			t.Errorf("hosts %v, CA %q, want %v, %q", got.Hosts, got.CA, wantHosts, wantCA)
		}
	}
	must(t, store.Put(ctx, named(t, "a", "two"), true))
	held([]string{"ghe.example", "git.example/x"}, "PEM")
	must(t, store.Put(ctx, named(t, "a", "three", "new.example"), true))
	held([]string{"new.example"}, "PEM")
	gitlab := named(t, "a", "four")
	gitlab.ServerType = "GITLAB_SELF_MANAGED"
	must(t, store.Put(ctx, gitlab, true))
	held([]string{}, "")
}

func TestAReplacedTokenIsKeptForAWhile(t *testing.T) {
	db := open(t, t.TempDir())
	store, ctx := db.Credentials(), t.Context()
	put := func(box string, at time.Duration) {
		t.Helper()
		c := named(t, "a", box)
		c.Modified = noon.Add(at)
		if box == "" {
			c.Box = nil
		}
		must(t, store.Put(ctx, c, true))
	}
	put("one", 0)
	put("two", time.Hour)
	put("", 2*time.Hour)
	put("four", 80*time.Hour)
	arn := named(t, "a", "").ARN
	past := func(want ...string) {
		t.Helper()
		var got []string
		for version := range int64(6) {
			c, err := store.Past(ctx, arn, version)
			if fault.KindOf(err) == fault.NotFound {
				continue
			}
			must(t, err)
			if c.ARN != arn || c.Version != version || c.ServerType != "GITHUB_ENTERPRISE" || c.AuthType != "PERSONAL_ACCESS_TOKEN" {
				t.Errorf("version %d is %+v", version, c.About)
			}
			got = append(got, fmt.Sprint(version, string(c.Box)))
		}
		if !slices.Equal(got, want) {
			t.Errorf("past tokens %v, want %v", got, want)
		}
	}
	past("1one", "2two")
	must(t, store.Prune(ctx, noon.Add(73*time.Hour)))
	past("1one", "2two")
	must(t, store.Prune(ctx, noon.Add(73*time.Hour+time.Second)))
	past("2two")
	wantFault(t, store.Put(ctx, named(t, "a", "no"), false), fault.Exists, "A source credential with the name a exists already. Choose another name, or delete it with 'slipway credential delete a'.")
	past("2two")
	must(t, store.Delete(ctx, scope, arn))
	past()
	if holds, err := db.HoldsSealed(ctx); holds || err != nil {
		t.Errorf("HoldsSealed = %v, %v after the credential was deleted", holds, err)
	}
}

func TestTheFirstUseBinds(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	store, ctx := db.Credentials(), t.Context()
	c := named(t, "a", "one")
	must(t, store.Put(ctx, c, false))
	const foreign = "arn:aws:secretsmanager:us-east-1:999999999999:secret:x-AbCdEf"
	for _, arn := range []string{c.ARN, foreign} {
		answers := make([]string, 16)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				hosts, err := store.BindHosts(ctx, arn, fmt.Sprintf("h%d.example", i))
				if err != nil {
					t.Error(err)
				}
				answers[i] = fmt.Sprint(hosts)
			})
		}
		wg.Wait()
		if slices.Sort(answers); answers[0] != answers[15] || answers[0] == "[]" {
			t.Errorf("%s is bound to %v", arn, slices.Compact(answers))
		}
		must(t, db.Close())
		db = open(t, dir)
		store = db.Credentials()
		if hosts, err := store.BindHosts(ctx, arn, "late.example"); err != nil || fmt.Sprint(hosts) != answers[0] {
			t.Errorf("after a start it is bound to %v (%v), want %s", hosts, err, answers[0])
		}
	}
	stored, err := store.ByName(ctx, scope, "a")
	if err != nil || len(stored.Hosts) != 1 || stored.Version != 1 {
		t.Errorf("stored is %+v, %v", stored.About, err)
	}
}

func TestUses(t *testing.T) {
	store := open(t, t.TempDir()).Credentials()
	ctx := t.Context()
	use := func(arn string, day int, purpose slipway.CredentialPurpose) credential.Use {
		return credential.Use{ARN: arn, At: noon.Add(time.Duration(day) * 24 * time.Hour), Purpose: purpose, Host: "ghe.example", Repository: "o/r", Project: "app", BuildID: fmt.Sprint("app:", day)}
	}
	const a, b = "arn:a", "arn:b"
	var want []credential.Use
	for day := range 5 {
		must(t, store.Record(ctx, use(a, day, "FETCH"), use(b, day, "CHECK")))
		want = append([]credential.Use{use(a, day, "FETCH")}, want...)
	}
	var got []credential.Use
	pages := 0
	for next, more := "", true; more; more = next != "" {
		page, after, err := store.Uses(ctx, a, next, 2)
		must(t, err)
		got, next = append(got, page...), after
		pages++
	}
	if d := cmp.Diff(want, got); d != "" || pages != 3 {
		t.Errorf("%d pages (-want +got):\n%s", pages, d)
	}
	_, _, err := store.Uses(ctx, a, "x", 2)
	wantFault(t, err, fault.Invalid, "Invalid next token: it is none of this list's")
	last := func(arn string, want time.Time) {
		t.Helper()
		if got, err := store.LastUsed(ctx, arn); err != nil || !got.Equal(want) {
			t.Errorf("LastUsed(%s) = %v, %v, want %v", arn, got, err, want)
		}
	}
	last(a, noon.Add(4*24*time.Hour))
	last(b, time.Time{}) // a check is no use
	must(t, store.Prune(ctx, noon.Add(93*24*time.Hour)))
	if page, next, err := store.Uses(ctx, a, "", 10); err != nil || next != "" || len(page) != 2 {
		t.Errorf("after 93 days there are %d uses, %q, %v, want those of the last 90", len(page), next, err)
	}
	last("arn:c", time.Time{})
}

func TestAnOutcomeIsKept(t *testing.T) {
	db := open(t, t.TempDir())
	b, ctx := db.Outbox(), t.Context()
	must(t, db.write.do(ctx, func(ctx context.Context, q *statements) error {
		return addItem(ctx, q, outbox.Item{Kind: outbox.CommitStatus, Subject: "app:1", Payload: []byte(`{}`), State: outbox.Owed, Created: noon})
	}))
	of := func() outbox.Item {
		t.Helper()
		all, err := b.BySubject(ctx, "app:1")
		must(t, err)
		return all[0]
	}
	item := of()
	if item.Outcome != (outbox.Outcome{}) {
		t.Errorf("before it was tried the outcome is %+v", item.Outcome)
	}
	item.Outcome = outbox.Outcome{Credential: "arn:a", Version: 3, HTTPStatus: 403, Cause: slipway.FailureCauseMissingScope, NextStep: "Add repo:status.", Link: "https://github.com/settings/tokens"}
	want := item.Outcome
	must(t, b.Settle(ctx, item.Refuse(noon, "no")))
	if d := cmp.Diff(want, of().Outcome); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
