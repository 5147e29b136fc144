package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

func TestHealth(t *testing.T) {
	db := open(t, t.TempDir())
	ctx := t.Context()
	c := github("one")
	must(t, db.Credentials().Put(ctx, c, true))
	found := func(owner string) slipway.CredentialHealth {
		return slipway.CredentialHealth{State: slipway.CredentialStateValid, TokenKind: slipway.TokenKindGithubClassic, Owner: owner}
	}
	health := func(owner string, at time.Duration) credential.Health {
		return credential.Health{ARN: c.ARN, Version: c.Version, Checked: noon.Add(at), Warned: credential.NeverWarned, Found: found(owner)}
	}
	want := func(step string, want *credential.Health) {
		t.Helper()
		all, err := db.Health().All(ctx)
		must(t, err)
		if len(all) != 1 || all[0].ARN != c.ARN {
			t.Fatalf("%s: All = %+v, want the credential", step, all)
		}
		if d := cmp.Diff(want, all[0].Health); d != "" {
			t.Errorf("%s: %s", step, d)
		}
		got, err := db.Health().Get(ctx, all[0].About)
		if want == nil {
			wantFault(t, err, fault.NotFound, "The source credential "+c.ARN+" has not been checked yet")
			return
		}
		must(t, err)
		if d := cmp.Diff(*want, got); d != "" {
			t.Errorf("%s: %s", step, d)
		}
	}
	want("before any check", nil)

	first := health("ada", time.Minute)
	must(t, db.Health().Put(ctx, first))
	want("after a check", &first)

	must(t, db.Health().Warned(ctx, c.ARN, 1, 14))
	second := health("bob", 2*time.Minute)
	must(t, db.Health().Put(ctx, second))
	second.Warned = 14
	want("a further check keeps the warning", &second)

	must(t, db.Health().Put(ctx, first))
	want("a check that began earlier is dropped", &second)

	c.Modified = noon.Add(time.Hour)
	must(t, db.Credentials().Put(ctx, c, true)) // version 2
	want("another token was not checked", nil)
	must(t, db.Health().Put(ctx, health("late", 2*time.Hour)))
	want("a check of the token before is dropped", nil)
	third := health("cy", 2*time.Hour)
	third.Version = 2
	must(t, db.Health().Put(ctx, third))
	want("a check of the new token starts without a warning", &third)

	must(t, db.Credentials().Delete(ctx, scope, c.ARN))
	c.Modified = noon.Add(3 * time.Hour)
	must(t, db.Credentials().Put(ctx, c, true)) // version 1 again
	want("a credential deleted and imported again was not checked", nil)
	must(t, db.Health().Put(ctx, health("old", 2*time.Minute)))
	want("a check that began before the import is dropped", nil)
}

func TestCheckOfASoundDatabase(t *testing.T) {
	db := open(t, t.TempDir())
	size, problems, err := db.Check(t.Context())
	if err != nil || size == 0 || len(problems) != 0 {
		t.Errorf("Check = %d, %q, %v", size, problems, err)
	}
}
