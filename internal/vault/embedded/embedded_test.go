package embedded

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/accesskey"
	smapi "slipway/internal/api/secretsmanager"
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

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func TestValuesAreGivenOut(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	var log strings.Builder
	v := New(db.Parameters(), db.Secrets(), db.Uses(), keys, slog.New(slog.NewTextHandler(&log, nil)), now)
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope, User: "ada"})
	parameters, secrets := ssm.New(db.Parameters(), db.Uses(), keys, now), secretsmanager.New(db.Secrets(), db.Uses(), keys, now)
	for _, value := range []string{"hunter22", "hunter23"} {
		if _, err := parameters.PutParameter(ctx, &ssmapi.PutParameterRequest{Name: "/app/password", Value: secret.New(value), Type: "SecureString", Overwrite: new(true)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"db": "hunter24", "old": "hunter25"} {
		if _, err := secrets.CreateSecret(ctx, &smapi.CreateSecretRequest{Name: name, SecretString: secret.New(value)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := secrets.CreateSecret(ctx, &smapi.CreateSecretRequest{Name: "bytes", SecretBinary: secret.New(base64.StdEncoding.EncodeToString([]byte("hunter26")))}); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.CreateSecret(ctx, &smapi.CreateSecretRequest{Name: "empty"}); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.DeleteSecret(ctx, &smapi.DeleteSecretRequest{SecretID: "old"}); err != nil {
		t.Fatal(err)
	}

	by := vault.Use{BuildID: "app:1", Project: "app"}
	found, err := v.Parameters(ctx, scope, []string{"/app/password", "app/password:1", "/app/password:prod", "/app/password:9", "/none", ""}, by)
	if err != nil || len(found) != 2 || found["/app/password"].Reveal() != "hunter23" || found["app/password:1"].Reveal() != "hunter22" {
		t.Errorf("Parameters = %d values, %v", len(found), err)
	}
	if got, err := v.Secret(ctx, scope, vault.SecretReference{ID: "db"}, by); err != nil || got.Reveal() != "hunter24" {
		t.Errorf("Secret = %q, %v", got.Reveal(), err)
	}
	for _, c := range []struct {
		ref  vault.SecretReference
		want string
	}{
		{vault.SecretReference{ID: "none"}, "ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		{vault.SecretReference{ID: "db", Stage: "blue"}, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: blue"},
		{vault.SecretReference{ID: "empty"}, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"},
		{vault.SecretReference{ID: "old"}, "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."},
		{vault.SecretReference{ID: "bytes"}, "The secret bytes holds bytes and no text, which a variable cannot hold: store it as SecretString"},
	} {
		_, err := v.Secret(ctx, scope, c.ref, by)
		if refusal, ok := errors.AsType[*vault.Refusal](err); !ok || refusal.Error() != c.want {
			t.Errorf("Secret(%+v): %v, want %s", c.ref, err, c.want)
		}
	}
	if _, err := v.Secret(ctx, arn.Scope{Account: "111111111111", Region: scope.Region}, vault.SecretReference{ID: "db"}, by); err == nil {
		t.Error("a secret is given out to another account")
	}

	about, err := db.Secrets().Get(ctx, scope, "db")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Read(ctx, scope, about.ARN); err != nil || got.Reveal() != "hunter24" {
		t.Errorf("Read = %q, %v", got.Reveal(), err)
	}
	for name, kind := range map[string]fault.Kind{"old": fault.Invalid, "bytes": fault.Invalid, "empty": fault.Invalid} {
		other, err := db.Secrets().Get(ctx, scope, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Read(ctx, scope, other.ARN); fault.KindOf(err) != kind {
			t.Errorf("Read(%s): %v, want kind %d", name, err, kind)
		}
	}
	for _, id := range []string{"none", "db", about.ARN[:len(about.ARN)-7]} {
		if _, err := v.Read(ctx, scope, id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("Read(%s), which is no whole ARN: %v", id, err)
		}
	}
	last, err := db.Uses().Last(ctx, []string{about.ARN, vault.ParameterARN(scope, "/app/password")})
	if err != nil || last[about.ARN].BuildID != "app:1" || last[vault.ParameterARN(scope, "/app/password")] != (vault.Use{
		ARN: vault.ParameterARN(scope, "/app/password"), At: noon, BuildID: "app:1", Project: "app",
	}) {
		t.Errorf("the last uses are %+v, %v", last, err)
	}
	if strings.Contains(log.String(), "hunter") || !strings.Contains(log.String(), "app:1") {
		t.Errorf("the log reads\n%s", log.String())
	}
	if _, err := db.Secrets().Get(ctx, scope, "old"); err != nil {
		t.Errorf("a marked secret is %v", err)
	}
}

// pruner is secrets that are pruned.
type pruner struct {
	secrets
	at []time.Time
}

func (p *pruner) Prune(_ context.Context, now time.Time) error {
	p.at = append(p.at, now)
	return nil
}

func TestDeletedSecretsAreRemovedEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pruner{}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		New(nil, p, nil, nil, slog.New(slog.DiscardHandler), nil).Run(ctx)
		if len(p.at) != 3 || p.at[2].Sub(p.at[0]) != 2*time.Hour {
			t.Errorf("pruned at %v", p.at)
		}
	})
}
