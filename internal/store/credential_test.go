package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

func github(box string) credential.Sealed {
	return credential.Sealed{About: credential.About{Hosts: []string{}, Version: 1, Scope: scope, ARN: scope.Token("GITHUB"), ServerType: api.ServerTypeGithub,
		AuthType: api.AuthTypePersonalAccessToken, Created: noon, Modified: noon}, Box: []byte(box)}
}

func TestCredentials(t *testing.T) {
	store := open(t, t.TempDir()).Credentials()
	ctx := t.Context()
	first := github("one")
	bitbucket := credential.Sealed{About: credential.About{Hosts: []string{}, Version: 1, Scope: scope, ARN: scope.Token("BITBUCKET"), ServerType: api.ServerTypeBitbucket,
		AuthType: api.AuthTypeBasicAuth, Username: "ann", Created: noon, Modified: noon}, Box: []byte{0, 255, 1}}
	connection := credential.Sealed{About: credential.About{Hosts: []string{}, Version: 1, Scope: other, ARN: other.Token("GITHUB"), ServerType: api.ServerTypeGithub,
		AuthType: api.AuthTypeCodeconnections, Resource: "arn:aws:codeconnections:eu-west-1:000000000000:connection/1", Created: noon, Modified: noon}}
	for _, c := range []credential.Sealed{first, bitbucket, connection} {
		must(t, store.Put(ctx, c, false))
	}

	second := github("two")
	second.Created, second.Modified = noon.Add(time.Hour), noon.Add(time.Hour)
	second.AuthType = api.AuthTypeOauth
	wantFault(t, store.Put(ctx, second, false), fault.Exists,
		"Access token with server type GITHUB already exists. Delete its source credential and try again.")
	list := func(s arn.Scope, want ...credential.Sealed) {
		t.Helper()
		got, err := store.List(ctx, s)
		must(t, err)
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	list(scope, bitbucket, first)
	list(other, connection)

	must(t, store.Put(ctx, second, true))
	second.Created, second.Version = noon, 2
	got, err := store.Get(ctx, scope, api.ServerTypeGithub)
	must(t, err)
	if d := cmp.Diff(second, got); d != "" {
		t.Errorf("a replaced credential keeps its time of creation and nothing else: %s", d)
	}

	wantFault(t, store.Delete(ctx, other, second.ARN), fault.NotFound, "Source credentials do not exist: "+second.ARN)
	must(t, store.Delete(ctx, scope, second.ARN))
	wantFault(t, store.Delete(ctx, scope, second.ARN), fault.NotFound, "Source credentials do not exist: "+second.ARN)
	_, err = store.Get(ctx, scope, api.ServerTypeGithub)
	wantFault(t, err, fault.NotFound, "Could not find access token for server type GITHUB")
	list(scope, bitbucket)
	list(other, connection)
}
