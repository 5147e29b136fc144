package extension

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	smapi "slipway/internal/api/secretsmanager"
	"slipway/internal/api/slipway"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/secretsmanager"
	"slipway/internal/ssm"
	"slipway/internal/store"
	"slipway/internal/vault"
)

// sourceUse is when sources used a secret, by ARN.
type sourceUse map[string]time.Time

func (s sourceUse) LastUsed(_ context.Context, arn string) (time.Time, error) { return s[arn], nil }

func TestSecretsAreListedWithoutTheirValues(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	here := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: here, User: "ada"})
	parameters, secrets := ssm.New(db.Parameters(), db.Uses(), keys, now), secretsmanager.New(db.Secrets(), db.Uses(), keys, now)
	for _, name := range []string{"/b", "/a/x", "top"} {
		if _, err := parameters.PutParameter(ctx, &ssmapi.PutParameterRequest{Name: name, Value: secret.New("hunter22"), Type: "SecureString", Description: new("Parameter " + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := parameters.PutParameter(ctx, &ssmapi.PutParameterRequest{Name: "top", Value: secret.New("hunter24"), Type: "SecureString", Overwrite: new(true), Description: new("Parameter top")}); err != nil {
		t.Fatal(err)
	}
	arns := map[string]string{}
	for _, name := range []string{"db", "app/key", "old"} {
		made, err := secrets.CreateSecret(ctx, &smapi.CreateSecretRequest{Name: name, SecretString: secret.New("hunter23")})
		if err != nil {
			t.Fatal(err)
		}
		arns[name] = *made.ARN
	}
	if _, err := secrets.DeleteSecret(ctx, &smapi.DeleteSecretRequest{SecretID: "old", RecoveryWindowInDays: new(int64(7))}); err != nil {
		t.Fatal(err)
	}
	if err := db.Uses().Record(ctx, vault.Use{ARN: arns["db"], At: at, BuildID: "shop:1", Project: "shop"}, vault.Use{ARN: vault.ParameterARN(here, "/b"), At: at, User: "ada"}); err != nil {
		t.Fatal(err)
	}
	s := NewSecrets(db.Parameters(), db.Secrets(), db.Uses(), sourceUse{arns["app/key"]: at.Add(time.Hour), arns["db"]: at.Add(-time.Hour)}, now)

	list := func(in *slipway.ListSecretsInput) string {
		t.Helper()
		var pages []string
		for {
			out, err := s.ListSecrets(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			var page []string
			for _, e := range out.Secrets {
				line := string(e.Kind[0]) + ":" + e.Name
				if u := e.LastUse; u != nil {
					line += fmt.Sprintf("(%s %s%s%s)", u.At.Format("15"), u.ProjectName, u.BuildID, u.User)
				}
				if e.Versions != 1 {
					line += fmt.Sprintf("v%d", e.Versions)
				}
				if !e.Deleted.IsZero() {
					line += "!"
				}
				page = append(page, line)
			}
			if text, err := json.Marshal(out); err != nil || strings.Contains(string(text), "hunter") {
				t.Errorf("it answers a value: %s, %v", text, err)
			}
			pages = append(pages, strings.Join(page, " "))
			if in.NextToken = out.NextToken; in.NextToken == "" {
				return strings.Join(pages, " | ")
			}
		}
	}
	for _, c := range []struct {
		in   slipway.ListSecretsInput
		want string
	}{
		{slipway.ListSecretsInput{}, "P:/a/x P:/b(12 ada) P:topv2 S:app/key(13 ) S:db(12 shopshop:1) S:old!"},
		{slipway.ListSecretsInput{MaxResults: new(2)}, "P:/a/x P:/b(12 ada) | P:topv2 S:app/key(13 ) | S:db(12 shopshop:1) S:old!"},
		{slipway.ListSecretsInput{MaxResults: new(3)}, "P:/a/x P:/b(12 ada) P:topv2 | S:app/key(13 ) S:db(12 shopshop:1) S:old!"},
		{slipway.ListSecretsInput{Search: "/B"}, "P:/b(12 ada)"},
		{slipway.ListSecretsInput{Search: "parameter t"}, "P:topv2"},
		{slipway.ListSecretsInput{Search: "none"}, ""},
	} {
		if got := list(&c.in); got != c.want {
			t.Errorf("%+v: %s, want %s", c.in, got, c.want)
		}
	}
	at = at.AddDate(0, 0, 7)
	if got := list(&slipway.ListSecretsInput{Search: "old"}); got != "" {
		t.Errorf("after its window there is %s", got)
	}
	for _, token := range []string{"*", "AAAA", "UEFSQU1FVEVS"} {
		if _, err := s.ListSecrets(ctx, &slipway.ListSecretsInput{NextToken: token}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("token %s: %v", token, err)
		}
	}
}
