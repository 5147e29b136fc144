package codebuild

import (
	"context"
	"log/slog"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/store"
)

// A bench is a Service on a real database whose clock stands still between ticks.
type bench struct {
	*Service
	db   *store.DB
	keys *seal.Keyset
	now  time.Time
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
	b := &bench{db: db, keys: keys, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	b.reach(t, nil, registrar.Options{})
	return b
}

// reach has the service make webhooks at a provider, which stands for all.
func (b *bench) reach(t *testing.T, site *hooktest.Server, o registrar.Options) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	providers := map[api.ServerType]source.Provider{}
	if site != nil {
		o.Endpoints = source.Endpoints{}
		for _, server := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB"} {
			o.Endpoints[server], providers[server] = site.URL, hooktest.New()
		}
	}
	o.Now = func() time.Time { return b.now }
	webhooks := registrar.New(registrar.Parts{
		Hooks: b.db.Hooks(), Polls: b.db.Polls(), Seal: b.keys, Providers: providers, Rules: hooktest.Rules(), Log: log,
		Keys: keyring.New(b.db.Credentials(), b.keys, log, keyring.Options{Endpoints: o.Endpoints}),
	}, o)
	b.Service = New(Parts{
		Credentials: b.db.Credentials(), Projects: b.db.Projects(), Builds: b.db.Builds(), ReportGroups: b.db.ReportGroups(), Reports: b.db.Reports(),
		Seal: b.keys, Webhooks: webhooks,
	}, Options{Now: o.Now})
}

var west = arn.Scope{Account: "123456789012", Region: "us-west-2"}

func callerIn(t *testing.T, scope arn.Scope) context.Context {
	return accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope, User: "alice"})
}

// refused fails unless err is of a kind and says what is wanted.
func refused(t *testing.T, err error, kind fault.Kind, want string) {
	t.Helper()
	if fault.KindOf(err) != kind || fault.Message(err) != want {
		t.Errorf("got %v (kind %d), want %q (kind %d)", err, fault.KindOf(err), want, kind)
	}
}

func token(server api.ServerType, token string) *api.ImportSourceCredentialsInput {
	return &api.ImportSourceCredentialsInput{ServerType: server, AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New(token)}
}

func TestCredentialsAreImportedListedAndDeleted(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	const connection = "arn:aws:codeconnections:us-west-2:123456789012:connection/0a1b"
	for _, c := range []*api.ImportSourceCredentialsInput{
		token("GITHUB", "ghp_1"),
		token("GITHUB_ENTERPRISE", "ghp_2"),
		{ServerType: "GITLAB", AuthType: "CODECONNECTIONS", Token: secret.New(connection)},
	} {
		out, err := b.ImportSourceCredentials(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:aws:codebuild:us-west-2:123456789012:token/" + strings.ToLower(string(c.ServerType)); *out.ARN != want {
			t.Errorf("arn = %s, want %s", *out.ARN, want)
		}
	}
	info := func(server, auth string, resource *string) api.SourceCredentialsInfo {
		return api.SourceCredentialsInfo{ARN: new(west.Token(server)), ServerType: api.ServerType(server), AuthType: api.AuthType(auth), Resource: resource}
	}
	list := func(scope arn.Scope, want ...api.SourceCredentialsInfo) {
		t.Helper()
		out, err := b.ListSourceCredentials(callerIn(t, scope), &api.ListSourceCredentialsInput{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append([]api.SourceCredentialsInfo{}, want...), out.SourceCredentialsInfos); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
	}
	list(west, info("GITHUB", "PERSONAL_ACCESS_TOKEN", nil), info("GITHUB_ENTERPRISE", "PERSONAL_ACCESS_TOKEN", nil), info("GITLAB", "CODECONNECTIONS", new(connection)))
	list(arn.Scope{Account: west.Account, Region: "us-east-1"})
	list(arn.Scope{Account: "210987654321", Region: west.Region})

	out, err := b.DeleteSourceCredentials(ctx, &api.DeleteSourceCredentialsInput{ARN: west.Token("GITHUB")})
	if err != nil || *out.ARN != west.Token("GITHUB") {
		t.Errorf("DeleteSourceCredentials = %v, %v", out, err)
	}
	list(west, info("GITHUB_ENTERPRISE", "PERSONAL_ACCESS_TOKEN", nil), info("GITLAB", "CODECONNECTIONS", new(connection)))

	_, err = b.DeleteSourceCredentials(ctx, &api.DeleteSourceCredentialsInput{ARN: west.Token("GITHUB")})
	refused(t, err, fault.NotFound, "Source credentials cannot be found: arn:aws:codebuild:us-west-2:123456789012:token/github")
	_, err = b.DeleteSourceCredentials(callerIn(t, arn.Scope{Account: "210987654321", Region: west.Region}), &api.DeleteSourceCredentialsInput{ARN: west.Token("GITLAB")})
	refused(t, err, fault.NotFound, "Source credentials cannot be found: arn:aws:codebuild:us-west-2:123456789012:token/gitlab")
	_, err = b.DeleteSourceCredentials(ctx, &api.DeleteSourceCredentialsInput{ARN: "ghp_1"})
	refused(t, err, fault.Invalid, "Invalid source credentials arn provided")
}

func TestAnImportReplacesUnlessToldNotTo(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	held := func(want string) {
		t.Helper()
		sealed, err := b.db.Credentials().Get(ctx, west, "BITBUCKET")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(sealed.Box), path.Base(want)) {
			t.Error("the token is stored in the clear")
		}
		c, err := sealed.Open(b.keys)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Username + "/" + c.Token.Reveal(); got != want {
			t.Errorf("stored %s, want %s", got, want)
		}
	}
	keep := token("BITBUCKET", "third")
	keep.ShouldOverwrite = new(false)
	if _, err := b.ImportSourceCredentials(ctx, token("BITBUCKET", "first")); err != nil {
		t.Fatal(err)
	}
	held("/first")
	basic := &api.ImportSourceCredentialsInput{ServerType: "BITBUCKET", AuthType: "BASIC_AUTH", Token: secret.New("second"), Username: new("me"), ShouldOverwrite: new(true)}
	if _, err := b.ImportSourceCredentials(ctx, basic); err != nil {
		t.Fatal(err)
	}
	held("me/second")
	_, err := b.ImportSourceCredentials(ctx, keep)
	refused(t, err, fault.Exists, "Access token with server type BITBUCKET already exists. Delete its source credential and try again.")
	held("me/second")
	_, err = b.ImportSourceCredentials(ctx, token("BITBUCKET", " "))
	refused(t, err, fault.Invalid, "Token is required")
	held("me/second")
}

// named stores a named credential in west.
func (b *bench) named(t *testing.T, in *slipway.ImportCredentialInput) credential.About {
	t.Helper()
	c, err := credential.NewNamed(west, in, b.now)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := credential.Seal(c, b.keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.Credentials().Put(t.Context(), sealed, true); err != nil {
		t.Fatal(err)
	}
	return c.About
}

func TestTheWireKnowsDefaultsOnly(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	named := b.named(t, &slipway.ImportCredentialInput{Name: "team", ServerType: "GITHUB", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("t")})
	out, err := b.ListSourceCredentials(ctx, &api.ListSourceCredentialsInput{})
	if err != nil || len(out.SourceCredentialsInfos) != 0 {
		t.Errorf("ListSourceCredentials = %+v, %v", out, err)
	}
	_, err = b.DeleteSourceCredentials(ctx, &api.DeleteSourceCredentialsInput{ARN: named.ARN})
	refused(t, err, fault.NotFound, "Source credentials cannot be found: "+named.ARN)
	if _, err := b.db.Credentials().ByName(ctx, west, "team"); err != nil {
		t.Error(err)
	}
}

func TestAnImportIsBoundToTheHostThatIsKnown(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	at := func(name, location string) {
		p := demo(name)
		p.Source = &api.ProjectSource{Type: "GITHUB_ENTERPRISE", Location: &location}
		b.create(t, p)
	}
	imported := func(server api.ServerType, want ...string) {
		t.Helper()
		if _, err := b.ImportSourceCredentials(ctx, token(server, "t")); err != nil {
			t.Fatal(err)
		}
		got, err := b.db.Credentials().Get(ctx, west, server)
		if err != nil || !slices.Equal(got.Hosts, want) {
			t.Errorf("the token is bound to %v (%v), want %v", got.Hosts, err, want)
		}
	}
	imported("GITHUB_ENTERPRISE") // there are no projects
	at("first", "https://GHE.example/o/r")
	second := demo("second")
	second.SecondarySources = []api.ProjectSource{{Type: "GITHUB_ENTERPRISE", Location: new("https://ghe.example/o/lib"), SourceIdentifier: new("lib")}}
	b.create(t, second)
	imported("GITHUB_ENTERPRISE", "ghe.example")
	at("third", "https://other.example/o/r")
	imported("GITHUB_ENTERPRISE", "ghe.example") // as the one before
	if err := b.db.Credentials().Delete(ctx, west, west.Token("GITHUB_ENTERPRISE")); err != nil {
		t.Fatal(err)
	}
	imported("GITHUB_ENTERPRISE") // there are two
	imported("GITLAB_SELF_MANAGED")
	imported("GITHUB")
}

func TestImportsAreCheckedBeforeAndToldOf(t *testing.T) {
	b := newBench(t)
	var told []string
	b.Service = New(Parts{Credentials: b.db.Credentials(), Projects: b.db.Projects(), Builds: b.db.Builds(), Seal: b.keys}, Options{
		CheckBefore: func(_ context.Context, c credential.Credential) error {
			if c.Token.Reveal() == "bad" {
				return fault.New(fault.Provider, "Failed to verify the access token with server type %s.", c.ServerType)
			}
			return nil
		},
		Imported: func(arn string) { told = append(told, arn) },
	})
	ctx := callerIn(t, west)
	_, err := b.ImportSourceCredentials(ctx, token("GITHUB", "bad"))
	refused(t, err, fault.Provider, "Failed to verify the access token with server type GITHUB.")
	if _, err := b.db.Credentials().Get(ctx, west, "GITHUB"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("what was refused is stored: %v", err)
	}
	if _, err := b.ImportSourceCredentials(ctx, token("GITHUB", "good")); err != nil {
		t.Fatal(err)
	}
	if want := []string{west.Token("GITHUB")}; !cmp.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
}
