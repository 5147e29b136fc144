package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

func parameter(scope arn.Scope, name string, version int64) *vault.SealedParameter {
	return &vault.SealedParameter{ParameterAbout: vault.ParameterAbout{
		Scope: scope, Name: name, Version: version, Type: ssm.ParameterTypeSecureString, DataType: "text", Tier: ssm.ParameterTierStandard,
		Tags: []vault.Tag{{Key: "v", Value: fmt.Sprint(version)}}, Modified: noon, ModifiedBy: "ada",
	}, Box: fmt.Appendf(nil, "box %d", version)}
}

func putParameter(t *testing.T, s *Parameters, scope arn.Scope, name string) {
	t.Helper()
	must(t, s.Change(t.Context(), scope, name, func(old *vault.SealedParameter) (*vault.SealedParameter, error) {
		if old == nil {
			return parameter(scope, name, 1), nil
		}
		return parameter(scope, old.Name, old.Version+1), nil
	}))
}

func paths(all []vault.SealedParameter) string {
	var names []string
	for _, p := range all {
		names = append(names, fmt.Sprintf("%s:%d", p.Name, p.Version))
	}
	return strings.Join(names, " ")
}

func TestParameters(t *testing.T) {
	db := open(t, t.TempDir())
	s, ctx := db.Parameters(), t.Context()
	if holds, err := db.HoldsSealed(ctx); err != nil || holds {
		t.Errorf("an empty database holds sealed values: %v, %v", holds, err)
	}
	for _, name := range []string{"/app/db", "/app/db", "/app/db", "/app/x/y", "/apple", "/app.b", "top"} {
		putParameter(t, s, scope, name)
	}
	putParameter(t, s, other, "/app/db")
	if holds, err := db.HoldsSealed(ctx); err != nil || !holds {
		t.Errorf("a database with a parameter holds sealed values: %v, %v", holds, err)
	}

	got, err := s.Get(ctx, scope, "app/db", 0)
	must(t, err)
	if d := cmp.Diff(*parameter(scope, "/app/db", 3), got); d != "" {
		t.Errorf("Get (-want +got):\n%s", d)
	}
	past, err := s.Get(ctx, scope, "/app/db", 1)
	must(t, err)
	if string(past.Box) != "box 1" || past.Version != 1 || past.Tags[0].Value != "3" {
		t.Errorf("a past version is %+v: its tags are the parameter's", past)
	}
	_, err = s.Get(ctx, scope, "/app/db", 4)
	if fault.KindOf(err) != fault.NotFound || fault.ReasonOf(err) != vault.NoVersion {
		t.Errorf("a version that there is none of: %v", err)
	}
	_, err = s.Get(ctx, scope, "/none", 0)
	wantFault(t, err, fault.NotFound, "Parameter /none not found.")

	some, err := s.GetMany(ctx, scope, []string{"top", "/app/x/y", "none", "/top"})
	must(t, err)
	if len(some) != 2 {
		t.Errorf("GetMany found %s", paths(some))
	}
	for _, c := range []struct {
		below, after string
		limit        int
		want         string
	}{
		{"", "", 10, "/app.b:1 /app/db:3 /app/x/y:1 /apple:1 top:1"},
		{"", "app/db", 2, "/app/x/y:1 /apple:1"},
		{"app/", "", 10, "/app/db:3 /app/x/y:1"},
		{"app/", "app/db", 10, "/app/x/y:1"},
		{"app/x/", "", 10, "/app/x/y:1"},
		{"none/", "", 10, ""},
	} {
		all, err := s.List(ctx, scope, c.below, c.after, c.limit)
		must(t, err)
		if got := paths(all); got != c.want {
			t.Errorf("List(%q, %q, %d) = %s, want %s", c.below, c.after, c.limit, got, c.want)
		}
	}
	history, err := s.History(ctx, scope, "/app/db", 1, 5)
	must(t, err)
	if got := paths(history); got != "/app/db:2 /app/db:3" {
		t.Errorf("History = %s", got)
	}

	no := errors.New("no")
	if err := s.Change(ctx, scope, "/app/db", func(*vault.SealedParameter) (*vault.SealedParameter, error) { return nil, no }); !errors.Is(err, no) {
		t.Errorf("a change that fails: %v", err)
	}
	must(t, s.Change(ctx, scope, "app/db", func(*vault.SealedParameter) (*vault.SealedParameter, error) { return nil, nil }))
	_, err = s.Get(ctx, scope, "/app/db", 0)
	wantFault(t, err, fault.NotFound, "Parameter /app/db not found.")
	putParameter(t, s, scope, "/app/db")
	if history, err := s.History(ctx, scope, "/app/db", 0, 5); err != nil || paths(history) != "/app/db:1" {
		t.Errorf("a parameter that is new again has the past %s, %v", paths(history), err)
	}
	if p, err := s.Get(ctx, other, "/app/db", 0); err != nil || p.Version != 1 {
		t.Errorf("that of another region is %+v, %v", p, err)
	}
}

func TestOldVersionsOfAParameterGo(t *testing.T) {
	s := open(t, t.TempDir()).Parameters()
	for range 103 {
		putParameter(t, s, scope, "a")
	}
	all, err := s.History(t.Context(), scope, "a", 0, 200)
	must(t, err)
	if len(all) != 100 || all[0].Version != 4 || all[99].Version != 103 {
		t.Errorf("%d versions are kept: %s", len(all), paths(all))
	}
}

func TestSecrets(t *testing.T) {
	db := open(t, t.TempDir())
	s, ctx := db.Secrets(), t.Context()
	keys, err := seal.New()
	must(t, err)
	put := func(id string, version string) {
		t.Helper()
		must(t, s.Change(ctx, scope, id, func(old *vault.Secret) (*vault.Secret, error) {
			if old == nil {
				var err error
				if old, err = vault.NewSecret(scope, id, noon); err != nil {
					return nil, err
				}
				old.Tags = []vault.Tag{{Key: "team", Value: "shop"}}
			}
			v, _, err := vault.NewValue(secretText("value of "+version), secretText(""))
			if err != nil {
				return nil, err
			}
			_, err = old.Put(v, version, nil, keys, noon)
			return old, err
		}))
	}
	for _, v := range []string{"v1", "v2", "v3"} {
		put("app/db", v)
	}
	put("app/db-AbCdEf", "w1") // as if it were the ARN of the other one
	got, err := s.Get(ctx, scope, "app/db")
	must(t, err)
	if len(got.Versions) != 3 || got.Versions[0].ID != "v1" || got.Versions[0].Stages == nil || got.Versions[2].Stages[0] != vault.Current || !got.Created.Equal(noon) || got.Tags[0].Key != "team" {
		t.Errorf("Get = %+v", got)
	}
	for _, id := range []string{got.ARN, strings.TrimSuffix(got.ARN, got.ARN[len(got.ARN)-7:])} {
		if again, err := s.Get(ctx, scope, id); err != nil || again.ARN != got.ARN {
			t.Errorf("Get(%s) = %+v, %v", id, again, err)
		}
	}
	for _, id := range []string{"none", "", got.ARN + "x", "arn:aws:secretsmanager:eu-west-1:000000000000:secret:app/db"} {
		_, err := s.Get(ctx, scope, id)
		wantFault(t, err, fault.NotFound, "Secrets Manager can't find the specified secret.")
	}
	if _, err := s.Get(ctx, other, "app/db"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("in another region: %v", err)
	}
	for i, v := range got.Versions {
		value, err := got.Open(&got.Versions[i], keys)
		if text, ok := value.Text(); err != nil || !ok || text.Reveal() != "value of "+v.ID {
			t.Errorf("the value of %s is %q, %v", v.ID, text.Reveal(), err)
		}
	}

	all, err := s.List(ctx, scope)
	must(t, err)
	if len(all) != 2 || all[0].Name != "app/db" || len(all[0].Versions) != 2 || all[0].Versions[1].Box != nil {
		t.Errorf("List = %+v", all)
	}
	must(t, s.Change(ctx, scope, got.ARN, func(old *vault.Secret) (*vault.Secret, error) { return old, old.Mark(new(int64(7)), noon) }))
	must(t, s.Prune(ctx, noon.AddDate(0, 0, 6)))
	if marked, err := s.Get(ctx, scope, "app/db"); err != nil || marked.Deleted.IsZero() || len(marked.Versions) != 3 {
		t.Errorf("before its time a deleted secret is %+v, %v", marked, err)
	}
	must(t, s.Prune(ctx, noon.AddDate(0, 0, 7)))
	if _, err := s.Get(ctx, scope, "app/db"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("after its time: %v", err)
	}
	var left int
	must(t, db.pool.QueryRowContext(ctx, `SELECT count(*) FROM secret_version`).Scan(&left))
	if left != 1 {
		t.Errorf("%d versions are left, want that of the other secret", left)
	}
	must(t, s.Change(ctx, scope, "app/db-AbCdEf", func(*vault.Secret) (*vault.Secret, error) { return nil, nil }))
	if all, err := s.List(ctx, scope); err != nil || len(all) != 0 {
		t.Errorf("List = %+v, %v", all, err)
	}
}

func TestLastUses(t *testing.T) {
	s := open(t, t.TempDir()).Uses()
	ctx := t.Context()
	a := vault.Use{ARN: "a", At: noon, BuildID: "app:1", Project: "app"}
	b := vault.Use{ARN: "b", At: noon, User: "ada"}
	must(t, s.Record(ctx, a, b))
	a.At, a.BuildID = noon.Add(time.Hour), "app:2"
	must(t, s.Record(ctx, a))
	must(t, s.Record(ctx))
	got, err := s.Last(ctx, []string{"a", "b", "c"})
	must(t, err)
	if d := cmp.Diff(map[string]vault.Use{"a": a, "b": b}, got); d != "" {
		t.Errorf("Last (-want +got):\n%s", d)
	}
}

func secretText(s string) secret.Text { return secret.New(s) }
