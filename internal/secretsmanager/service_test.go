package secretsmanager

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api/secretsmanager"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/store"
	"slipway/internal/vault"
)

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

// A bench is a Service on a real database, a caller and a clock.
type bench struct {
	*Service
	t   *testing.T
	ctx context.Context
	at  time.Time
}

func newBench(t *testing.T) *bench {
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
	b := &bench{t: t, at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	b.ctx = accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope, User: "ada"})
	b.Service = New(db.Secrets(), db.Uses(), keys, func() time.Time { return b.at })
	return b
}

func (b *bench) create(name, value string) string {
	b.t.Helper()
	b.at = b.at.Add(time.Second)
	out, err := b.CreateSecret(b.ctx, &secretsmanager.CreateSecretRequest{Name: name, SecretString: secret.New(value)})
	if err != nil {
		b.t.Fatal(err)
	}
	return *out.ARN
}

func (b *bench) value(in *secretsmanager.GetSecretValueRequest) string {
	b.t.Helper()
	out, err := b.GetSecretValue(b.ctx, in)
	if err != nil {
		return fault.Message(err)
	}
	return *out.SecretString
}

func wants(t *testing.T, err error, kind fault.Kind, reason fault.Reason, text string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.ReasonOf(err) != reason || !strings.Contains(fault.Message(err), text) {
		t.Errorf("error %v of kind %d for %q, want %q of kind %d for %q", err, fault.KindOf(err), fault.ReasonOf(err), text, kind, reason)
	}
}

const (
	token1 = "11111111-1111-1111-1111-111111111111"
	token2 = "22222222-2222-2222-2222-222222222222"
)

func TestASecretIsMadeChangedAndRead(t *testing.T) {
	b := newBench(t)
	in := &secretsmanager.CreateSecretRequest{
		Name: "app/db", SecretString: secret.New("hunter22"), ClientRequestToken: new(token1), Description: new("the database"),
		Tags: []secretsmanager.Tag{{Key: new("team"), Value: new("shop")}},
	}
	made, err := b.CreateSecret(b.ctx, in)
	if err != nil || *made.VersionID != token1 {
		t.Fatalf("CreateSecret = %+v, %v", made, err)
	}
	again, err := b.CreateSecret(b.ctx, in)
	if err != nil || *again.ARN != *made.ARN || *again.VersionID != token1 {
		t.Errorf("the same again = %+v, %v", again, err)
	}
	in.SecretString = secret.New("hunter23")
	_, err = b.CreateSecret(b.ctx, in)
	wants(t, err, fault.Exists, "", "You can't use ClientRequestToken")
	in.ClientRequestToken = new(token2)
	_, err = b.CreateSecret(b.ctx, in)
	wants(t, err, fault.Exists, "", "The operation failed because the secret app/db already exists.")

	put, err := b.PutSecretValue(b.ctx, &secretsmanager.PutSecretValueRequest{SecretID: *made.ARN, SecretString: secret.New("hunter23"), ClientRequestToken: new(token2)})
	if err != nil || strings.Join(put.VersionStages, " ") != "AWSCURRENT" {
		t.Errorf("PutSecretValue = %+v, %v", put, err)
	}
	for want, in := range map[string]*secretsmanager.GetSecretValueRequest{
		"hunter23": {SecretID: "app/db"},
		"hunter22": {SecretID: "app/db", VersionStage: new("AWSPREVIOUS")},
		"Secrets Manager can't find the specified secret.":                                     {SecretID: "app/none"},
		"Secrets Manager can't find the specified secret value for staging label: blue":        {SecretID: "app/db", VersionStage: new("blue")},
		"Secrets Manager can't find the specified secret value for VersionId: " + token1 + "x": {SecretID: "app/db", VersionID: new(token1 + "x")},
		"You provided a VersionStage that is not associated to the provided VersionId.":        {SecretID: "app/db", VersionID: new(token1), VersionStage: new("AWSCURRENT")},
	} {
		if got := b.value(in); got != want {
			t.Errorf("GetSecretValue(%+v) = %s, want %s", *in, got, want)
		}
	}
	if _, err := b.UpdateSecretVersionStage(b.ctx, &secretsmanager.UpdateSecretVersionStageRequest{
		SecretID: "app/db", VersionStage: "AWSCURRENT", RemoveFromVersionID: new(token2), MoveToVersionID: new(token1),
	}); err != nil {
		t.Error(err)
	}
	if got := b.value(&secretsmanager.GetSecretValueRequest{SecretID: "app/db"}); got != "hunter22" {
		t.Errorf("after the stage has moved the value is %s", got)
	}

	updated, err := b.UpdateSecret(b.ctx, &secretsmanager.UpdateSecretRequest{SecretID: "app/db", Description: new("another")})
	if err != nil || updated.VersionID != nil {
		t.Errorf("UpdateSecret = %+v, %v", updated, err)
	}
	updated, err = b.UpdateSecret(b.ctx, &secretsmanager.UpdateSecretRequest{SecretID: "app/db", SecretBinary: secret.New(base64.StdEncoding.EncodeToString([]byte{0, 255}))})
	if err != nil || updated.VersionID == nil {
		t.Errorf("UpdateSecret with bytes = %+v, %v", updated, err)
	}
	bytes, err := b.GetSecretValue(b.ctx, &secretsmanager.GetSecretValueRequest{SecretID: "app/db"})
	if err != nil || bytes.SecretString != nil || string(bytes.SecretBinary) != "\x00\xff" {
		t.Errorf("bytes are answered as %+v, %v", bytes, err)
	}
	_, err = b.PutSecretValue(b.ctx, &secretsmanager.PutSecretValueRequest{SecretID: "app/db"})
	wants(t, err, fault.Invalid, "", "You must provide either SecretString or SecretBinary.")

	about, err := b.DescribeSecret(b.ctx, &secretsmanager.DescribeSecretRequest{SecretID: "app/db"})
	if err != nil || *about.Description != "another" || len(about.Tags) != 1 || len(about.VersionIDsToStages) != 2 || about.KMSKeyID != nil || !about.DeletedDate.IsZero() ||
		!about.LastAccessedDate.Equal(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("DescribeSecret = %+v, %v", about, err)
	}
	versions, err := b.ListSecretVersionIds(b.ctx, &secretsmanager.ListSecretVersionIdsRequest{SecretID: "app/db", IncludeDeprecated: new(true), MaxResults: new(2)})
	if err != nil || len(versions.Versions) != 2 || versions.NextToken == nil {
		t.Fatalf("ListSecretVersionIds = %+v, %v", versions, err)
	}
	versions, err = b.ListSecretVersionIds(b.ctx, &secretsmanager.ListSecretVersionIdsRequest{SecretID: "app/db", IncludeDeprecated: new(true), NextToken: versions.NextToken})
	if err != nil || len(versions.Versions) != 1 || versions.NextToken != nil {
		t.Errorf("its second page = %+v, %v", versions, err)
	}
	versions, err = b.ListSecretVersionIds(b.ctx, &secretsmanager.ListSecretVersionIdsRequest{SecretID: "app/db"})
	if err != nil || len(versions.Versions) != 2 {
		t.Errorf("those with stages = %+v, %v", versions, err)
	}
	if policy, err := b.GetResourcePolicy(b.ctx, &secretsmanager.GetResourcePolicyRequest{SecretID: "app/db"}); err != nil || policy.ResourcePolicy != nil || *policy.ARN != *made.ARN {
		t.Errorf("GetResourcePolicy = %+v, %v", policy, err)
	}
	_, err = b.CreateSecret(b.ctx, &secretsmanager.CreateSecretRequest{Name: "x", AddReplicaRegions: []secretsmanager.ReplicaRegionType{{Region: new("eu-west-1")}}})
	wants(t, err, fault.Invalid, "", "not replicated")
}

func TestASecretWithoutAValue(t *testing.T) {
	b := newBench(t)
	made, err := b.CreateSecret(b.ctx, &secretsmanager.CreateSecretRequest{Name: "later"})
	if err != nil || made.VersionID != nil {
		t.Fatalf("CreateSecret = %+v, %v", made, err)
	}
	if got := b.value(&secretsmanager.GetSecretValueRequest{SecretID: "later"}); got != "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT" {
		t.Errorf("its value is %s", got)
	}
	if _, err := b.CreateSecret(b.ctx, &secretsmanager.CreateSecretRequest{Name: "later"}); fault.KindOf(err) != fault.Exists {
		t.Errorf("made again: %v", err)
	}
}

func TestDeletingASecret(t *testing.T) {
	b := newBench(t)
	first := b.create("db", "hunter22")
	_, err := b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "db", RecoveryWindowInDays: new(int64(3))})
	wants(t, err, fault.Invalid, "", "between 7 and 30 days")
	_, err = b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "db", RecoveryWindowInDays: new(int64(7)), ForceDeleteWithoutRecovery: new(true)})
	wants(t, err, fault.Invalid, "", "in conjunction with")
	_, err = b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "none"})
	wants(t, err, fault.NotFound, "", "can't find the specified secret.")

	out, err := b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "db", RecoveryWindowInDays: new(int64(7))})
	if err != nil || *out.ARN != first || !out.DeletionDate.Equal(b.at.AddDate(0, 0, 7)) {
		t.Fatalf("DeleteSecret = %+v, %v", out, err)
	}
	const marked = "You can't perform this operation on the secret because it was marked for deletion."
	if got := b.value(&secretsmanager.GetSecretValueRequest{SecretID: "db"}); got != marked {
		t.Errorf("a deleted secret's value is %s", got)
	}
	_, err = b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "db"})
	wants(t, err, fault.Invalid, vault.Unfit, marked)
	_, err = b.TagResource(b.ctx, &secretsmanager.TagResourceRequest{SecretID: "db", Tags: []secretsmanager.Tag{{Key: new("a")}}})
	wants(t, err, fault.Invalid, vault.Unfit, marked)
	_, err = b.CreateSecret(b.ctx, &secretsmanager.CreateSecretRequest{Name: "db"})
	wants(t, err, fault.Invalid, vault.Unfit, "already scheduled for deletion")
	if about, err := b.DescribeSecret(b.ctx, &secretsmanager.DescribeSecretRequest{SecretID: "db"}); err != nil || about.DeletedDate.IsZero() {
		t.Errorf("DescribeSecret = %+v, %v", about, err)
	}
	if list, err := b.ListSecrets(b.ctx, &secretsmanager.ListSecretsRequest{}); err != nil || len(list.SecretList) != 0 {
		t.Errorf("ListSecrets = %+v, %v", list, err)
	}
	if list, err := b.ListSecrets(b.ctx, &secretsmanager.ListSecretsRequest{IncludePlannedDeletion: new(true)}); err != nil || len(list.SecretList) != 1 {
		t.Errorf("ListSecrets with deleted ones = %+v, %v", list, err)
	}
	if _, err := b.RestoreSecret(b.ctx, &secretsmanager.RestoreSecretRequest{SecretID: "db"}); err != nil || b.value(&secretsmanager.GetSecretValueRequest{SecretID: first}) != "hunter22" {
		t.Errorf("RestoreSecret: %v", err)
	}

	if _, err := b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "db", RecoveryWindowInDays: new(int64(7))}); err != nil {
		t.Fatal(err)
	}
	b.at = b.at.AddDate(0, 0, 7) // nothing has removed it, and yet it is gone
	for what, err := range map[string]error{
		"value": func() error {
			_, err := b.GetSecretValue(b.ctx, &secretsmanager.GetSecretValueRequest{SecretID: "db"})
			return err
		}(),
		"about": func() error {
			_, err := b.DescribeSecret(b.ctx, &secretsmanager.DescribeSecretRequest{SecretID: "db"})
			return err
		}(),
		"restore": func() error {
			_, err := b.RestoreSecret(b.ctx, &secretsmanager.RestoreSecretRequest{SecretID: "db"})
			return err
		}(),
	} {
		if fault.Message(err) != "Secrets Manager can't find the specified secret." {
			t.Errorf("%s after the window: %v", what, err)
		}
	}
	second := b.create("db", "hunter23")
	if second == first {
		t.Error("a new secret has the ARN of one that is gone")
	}
	for range 2 { // that it is gone already is no error
		if out, err := b.DeleteSecret(b.ctx, &secretsmanager.DeleteSecretRequest{SecretID: "db", ForceDeleteWithoutRecovery: new(true)}); err != nil || out.ARN == nil {
			t.Errorf("DeleteSecret by force = %+v, %v", out, err)
		}
	}
	if got := b.value(&secretsmanager.GetSecretValueRequest{SecretID: second}); got != "Secrets Manager can't find the specified secret." {
		t.Errorf("after that its value is %s", got)
	}
}

func TestListsOfSecrets(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"b/1", "a/2", "B/3", "c"} {
		arn := b.create(name, "v")
		if _, err := b.UpdateSecret(b.ctx, &secretsmanager.UpdateSecretRequest{SecretID: arn, Description: new("Number of " + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.TagResource(b.ctx, &secretsmanager.TagResourceRequest{SecretID: "c", Tags: []secretsmanager.Tag{{Key: new("team"), Value: new("shop")}, {Key: new("x"), Value: new("y")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.UntagResource(b.ctx, &secretsmanager.UntagResourceRequest{SecretID: "c", TagKeys: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	b.value(&secretsmanager.GetSecretValueRequest{SecretID: "a/2"})
	filter := func(key secretsmanager.FilterNameStringType, values ...string) []secretsmanager.Filter {
		return []secretsmanager.Filter{{Key: key, Values: values}}
	}
	names := func(in *secretsmanager.ListSecretsRequest) string {
		var pages []string
		for {
			out, err := b.ListSecrets(b.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			var page []string
			for _, e := range out.SecretList {
				page = append(page, *e.Name)
			}
			pages = append(pages, strings.Join(page, " "))
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return strings.Join(pages, " | ")
			}
		}
	}
	for _, c := range []struct {
		in   secretsmanager.ListSecretsRequest
		want string
	}{
		{secretsmanager.ListSecretsRequest{}, "b/1 a/2 B/3 c"},
		{secretsmanager.ListSecretsRequest{SortOrder: "desc", MaxResults: new(3)}, "c B/3 a/2 | b/1"},
		{secretsmanager.ListSecretsRequest{SortBy: "name", MaxResults: new(2)}, "B/3 a/2 | b/1 c"},
		{secretsmanager.ListSecretsRequest{SortBy: "last-changed-date"}, "b/1 a/2 B/3 c"},
		{secretsmanager.ListSecretsRequest{SortBy: "last-accessed-date", SortOrder: "desc"}, "a/2 c b/1 B/3"},
		{secretsmanager.ListSecretsRequest{Filters: filter("name", "b", "a")}, "b/1 a/2"},
		{secretsmanager.ListSecretsRequest{Filters: filter("name", "!b")}, "a/2 B/3 c"},
		{secretsmanager.ListSecretsRequest{Filters: filter("description", "number of A")}, "a/2"},
		{secretsmanager.ListSecretsRequest{Filters: filter("tag-key", "te")}, "c"},
		{secretsmanager.ListSecretsRequest{Filters: filter("tag-key", "x")}, ""},
		{secretsmanager.ListSecretsRequest{Filters: filter("tag-value", "shop")}, "c"},
		{secretsmanager.ListSecretsRequest{Filters: filter("all", "SHOP number")}, "c"},
		{secretsmanager.ListSecretsRequest{Filters: filter("owning-service", "rds")}, ""},
		{secretsmanager.ListSecretsRequest{Filters: filter("primary-region", "us-")}, "b/1 a/2 B/3 c"},
		{secretsmanager.ListSecretsRequest{Filters: append(filter("name", "b"), filter("description", "x")...)}, ""},
	} {
		if got := names(&c.in); got != c.want {
			t.Errorf("%+v: %s, want %s", c.in, got, c.want)
		}
	}
	out, err := b.ListSecrets(b.ctx, &secretsmanager.ListSecretsRequest{MaxResults: new(1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*secretsmanager.ListSecretsRequest{{NextToken: new("*")}, {NextToken: new("AAAA")}, {NextToken: out.NextToken, SortBy: "name"}} {
		_, err := b.ListSecrets(b.ctx, in)
		wants(t, err, fault.Invalid, vault.BadPage, "Invalid token")
	}
	_, err = b.ListSecretVersionIds(b.ctx, &secretsmanager.ListSecretVersionIdsRequest{SecretID: "c", NextToken: new("none")})
	wants(t, err, fault.Invalid, vault.BadPage, "Invalid token")
	if s := fmt.Sprintf("%+v", out); strings.Contains(s, "SecretString") {
		t.Errorf("a list shows values: %s", s)
	}
}
