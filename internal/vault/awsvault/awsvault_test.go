package awsvault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/accesskey"
	smapi "slipway/internal/api/secretsmanager"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/arn"
	"slipway/internal/awsjson"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/secretsmanager"
	"slipway/internal/ssm"
	"slipway/internal/store"
	"slipway/internal/vault"
)

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

// one is a key that signs for its own account.
type one struct{}

func (one) Key(_ context.Context, id string) (accesskey.Key, error) {
	if id != "AKIDEXAMPLE" {
		return accesskey.Key{}, fault.New(fault.NotFound, "no such key")
	}
	return accesskey.Key{ID: id, Secret: secret.New("secret"), Account: scope.Account, User: "ada"}, nil
}

// remote is AWS as far as it matters here: our own operations, behind the
// protocol and the signatures of AWS's.
func remote(t *testing.T) (cfg aws.Config, parameters *ssm.Service, secrets *secretsmanager.Service, ctx context.Context) {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	parameters = ssm.New(db.Parameters(), db.Uses(), keys, nil)
	secrets = secretsmanager.New(db.Secrets(), db.Uses(), keys, nil)
	s := httptest.NewServer(awsjson.NewServer(awsjson.Options{Keys: one{}},
		awsjson.Service{Definition: ssmapi.Definition, Implementation: parameters},
		awsjson.Service{Definition: smapi.Definition, Implementation: secrets},
	))
	t.Cleanup(s.Close)
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &s.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	}, parameters, secrets, accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope, User: "ada"})
}

func with(cfg aws.Config) *Vault {
	return New(func(context.Context) (aws.Config, error) { return cfg, nil })
}

func TestValuesComeFromAWS(t *testing.T) {
	cfg, parameters, secrets, ctx := remote(t)
	var names []string
	for i := range 23 {
		name := fmt.Sprintf("/app/%d", i)
		if _, err := parameters.PutParameter(ctx, &ssmapi.PutParameterRequest{Name: name, Value: secret.New(fmt.Sprint("value ", i)), Type: ssmapi.ParameterTypeSecureString}); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	made, err := secrets.CreateSecret(ctx, &smapi.CreateSecretRequest{Name: "db", SecretString: secret.New(`{"password":"hunter22"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.PutSecretValue(ctx, &smapi.PutSecretValueRequest{SecretID: "db", SecretString: secret.New("new")}); err != nil {
		t.Fatal(err)
	}
	v := with(cfg)
	byARN := vault.ParameterARN(scope, "/app/1")
	found, err := v.Parameters(t.Context(), scope, append(names, "/none", "/app/0:1", byARN), vault.Use{})
	if err != nil || found["/app/0"].Reveal() != "value 0" || found["/app/22"].Reveal() != "value 22" || found["/app/0:1"].Reveal() != "value 0" || found[byARN].Reveal() != "value 1" {
		t.Errorf("Parameters = %d values, %v", len(found), err)
	}
	if _, ok := found["/none"]; ok {
		t.Error("a parameter was found that is not there")
	}
	for _, c := range []struct {
		ref  vault.SecretReference
		want string
	}{
		{vault.SecretReference{ID: "db"}, "new"},
		{vault.SecretReference{ID: *made.ARN, Stage: "AWSPREVIOUS"}, `{"password":"hunter22"}`},
		{vault.SecretReference{ID: "db", Version: *made.VersionID}, `{"password":"hunter22"}`},
	} {
		if got, err := v.Secret(t.Context(), scope, c.ref, vault.Use{}); err != nil || got.Reveal() != c.want {
			t.Errorf("Secret(%+v) = %q, %v", c.ref, got.Reveal(), err)
		}
	}
	// What resolving makes of it is the same as with our own vault.
	_, failure, err := vault.Resolve(t.Context(), scope, []vault.Source{v}, []vault.Reference{{Type: "SECRETS_MANAGER", Value: "none"}}, vault.Use{})
	if err != nil || failure == nil || failure.Message != "ResourceNotFoundException: Secrets Manager can't find the specified secret." {
		t.Errorf("a secret that is not there: %+v, %v", failure, err)
	}
}

func TestWhyThereIsNoValue(t *testing.T) {
	cfg, _, _, _ := remote(t)
	stranger, dead, nobody := cfg, cfg, cfg
	stranger.Credentials = credentials.NewStaticCredentialsProvider("AKIDOTHER", "other", "")
	nobody.Credentials = nil
	gone := httptest.NewServer(http.NotFoundHandler())
	dead.BaseEndpoint = &gone.URL
	gone.Close()
	for name, c := range map[string]struct {
		vault *Vault
		want  string
	}{
		"a key that is not known": {with(stranger), "UnrecognizedClientException: The security token included in the request is invalid."},
		"no credentials":          {with(nobody), "The server has no AWS credentials"},
		"no configuration": {New(func(context.Context) (aws.Config, error) {
			return aws.Config{}, errors.New("/root/.aws/config is broken")
		}), "The server has no AWS credentials"},
		"nobody there": {with(dead), "did not answer: check that the server reaches it"},
	} {
		_, err := c.vault.Parameters(t.Context(), scope, []string{"/a"}, vault.Use{})
		_, err2 := c.vault.Secret(t.Context(), scope, vault.SecretReference{ID: "db"}, vault.Use{})
		for _, err := range []error{err, err2} {
			refusal, ok := errors.AsType[*vault.Refusal](err)
			if !ok || !strings.Contains(refusal.Error(), c.want) || strings.Contains(refusal.Error(), "/root") {
				t.Errorf("%s: %v, want a refusal with %q", name, err, c.want)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := with(cfg).Parameters(ctx, scope, []string{"/a"}, vault.Use{}); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever asked has left: %v", err)
	}
}
