package keyring_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/store"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

const foreign = "arn:aws:secretsmanager:us-east-1:123456789012:secret:github-AbCdEf"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// journal is a log that several goroutines write.
type journal struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// vault is a small store of secrets.
type vault struct {
	held  map[string]string
	err   error
	reads int
}

func (v *vault) Read(_ context.Context, name string) (secret.Text, error) {
	v.reads++
	if v.err != nil {
		return secret.Text{}, v.err
	}
	return secret.New(v.held[name]), nil
}

// A bench is a Keyring on a real store and a real key. Every token in it
// contains "hunter2", which the log must never.
type bench struct {
	*keyring.Keyring
	t       *testing.T
	db      *store.DB
	keys    *seal.Keyset
	journal *journal
	now     time.Time
}

func newBench(t *testing.T, o keyring.Options) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	must(t, err)
	keys, err := seal.New()
	must(t, err)
	b := &bench{t: t, db: db, keys: keys, journal: &journal{}, now: noon}
	o.Now = func() time.Time { return b.now }
	b.Keyring = keyring.New(db.Credentials(), keys, slog.New(slog.NewTextHandler(b.journal, nil)), o)
	t.Cleanup(func() {
		must(t, db.Close())
		if log := b.journal.String(); strings.Contains(log, "hunter2") {
			t.Errorf("the log holds a token:\n%s", log)
		}
	})
	return b
}

// put imports a credential and returns what is known of it. The token is
// "hunter2 NAME" unless change says another.
func (b *bench) put(name string, server slipway.ServerType, change ...func(*slipway.ImportCredentialInput)) credential.About {
	b.t.Helper()
	in := &slipway.ImportCredentialInput{Name: name, ServerType: server, AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("hunter2" + name)}
	for _, c := range change {
		c(in)
	}
	c, err := credential.NewNamed(scope, in, b.now)
	must(b.t, err)
	a, err := b.Import(b.t.Context(), c, true)
	must(b.t, err)
	return a
}

type input = slipway.ImportCredentialInput

func owner(pattern string) func(*input) {
	return func(in *input) { in.Match = &slipway.CredentialMatch{Owner: pattern} }
}
func at(hosts ...string) func(*input) { return func(in *input) { in.Hosts = hosts } }
func refersTo(t, arn string) func(*input) {
	return func(in *input) { in.AuthType, in.Token = slipway.AuthType(t), secret.New(arn) }
}
func auth(t, resource string) *api.SourceAuth {
	return &api.SourceAuth{Type: api.SourceAuthType(t), Resource: &resource}
}

func need(server api.ServerType, location string, change ...func(*keyring.Need)) keyring.Need {
	n := keyring.Need{Scope: scope, Server: server, Location: location, Purpose: "FETCH", Project: "app", BuildID: "app:1"}
	for _, c := range change {
		c(&n)
	}
	return n
}

// token finds and returns the token that was given out.
func (b *bench) token(n keyring.Need) string {
	b.t.Helper()
	found, err := b.Find(b.t.Context(), n)
	must(b.t, err)
	return found.Login.Token.Reveal()
}

func (b *bench) refused(n keyring.Need, want string) {
	b.t.Helper()
	found, err := b.Find(b.t.Context(), n)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), want) || !found.Login.IsZero() {
		b.t.Errorf("Find = %v (login %v), want Invalid: %s", err, !found.Login.IsZero(), want)
	}
	if strings.Contains(fmt.Sprint(err), "hunter2") {
		b.t.Errorf("the token is in %v", err)
	}
}

func TestFind(t *testing.T) {
	b := newBench(t, keyring.Options{})
	const acme, other = "https://github.com/acme/app", "https://github.com/other/app"
	if got := b.token(need("GITHUB", acme)); got != "" {
		t.Errorf("without credentials the token is %q", got)
	}
	byDefault := b.put("", "GITHUB")
	named := b.put("team", "GITHUB", owner("acme"))
	plain := b.put("plain", "GITHUB")
	for _, test := range []struct {
		name string
		need keyring.Need
		want credential.About
	}{
		{"the default", need("GITHUB", other), byDefault},
		{"the one that matches", need("GITHUB", acme), named},
		{"the one that the source names", need("GITHUB", acme, func(n *keyring.Need) { n.Auth = auth("SECRETS_MANAGER", plain.ARN) }), plain},
		{"the one that the source names as a connection", need("GITHUB", acme, func(n *keyring.Need) { n.Auth = auth("CODECONNECTIONS", plain.ConnectionARN) }), plain},
		{"the one that the primary source names", need("GITHUB", acme, func(n *keyring.Need) { n.Primary = auth("SECRETS_MANAGER", plain.ARN) }), plain},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := b.Find(t.Context(), test.need)
			must(t, err)
			if got.ARN != test.want.ARN || got.Login.Token.Reveal() != "hunter2"+test.want.Name || got.Version != 1 || got.Host != "github.com" {
				t.Errorf("found %s version %d at %s, want %s", got.ARN, got.Version, got.Host, test.want.ARN)
			}
			rungs, winner, ok, err := b.Ladder(t.Context(), test.need)
			must(t, err)
			i := slices.IndexFunc(rungs, func(r slipway.CredentialRung) bool { return r.Wins })
			if !ok || winner.ARN != test.want.ARN || i < 0 || rungs[i].Name != test.want.Name {
				t.Errorf("Ladder explains another: %+v", rungs)
			}
		})
	}
	b.refused(need("GITHUB", "https://evil.example/github.com/app"), "a location of type GITHUB must be at https://github.com")
}

func TestATokenGoesToItsHostsOnly(t *testing.T) {
	b := newBench(t, keyring.Options{})
	const ghe, evil = "https://ghe.example/acme/app", "https://evil.example/acme/app"
	b.put("", "GITHUB_ENTERPRISE")
	ladder := func() { // looking binds nothing
		_, _, ok, err := b.Ladder(t.Context(), need("GITHUB_ENTERPRISE", evil))
		if err != nil || !ok {
			t.Errorf("Ladder: %v, %v", ok, err)
		}
	}
	ladder()
	if got := b.token(need("GITHUB_ENTERPRISE", ghe)); got != "hunter2" {
		t.Errorf("the first use got %q", got)
	}
	if log := b.journal.String(); strings.Count(log, "source credential bound to a host") != 1 || !strings.Contains(log, "host=ghe.example") {
		t.Errorf("the log does not say that it was bound:\n%s", log)
	}
	const bound = "is bound to ghe.example and is not sent to evil.example. Import a credential for that host with 'slipway credential import --name NAME --server-type GITHUB_ENTERPRISE --host evil.example'."
	b.refused(need("GITHUB_ENTERPRISE", evil), bound)
	b.refused(need("GITHUB_ENTERPRISE", "http://ghe.example/acme/app"), "is not sent to ghe.example:80")
	b.now = noon.Add(time.Hour)
	b.put("", "GITHUB_ENTERPRISE", func(in *input) { in.Token = secret.New("hunter2new") })
	b.refused(need("GITHUB_ENTERPRISE", evil), bound)
	if _, _, ok, err := b.Ladder(t.Context(), need("GITHUB_ENTERPRISE", evil)); ok || err != nil {
		t.Errorf("Ladder says that it may be used: %v", err)
	}
	b.put("evil", "GITHUB_ENTERPRISE", at("evil.example"))
	if got := b.token(need("GITHUB_ENTERPRISE", evil)); got != "hunter2evil" {
		t.Errorf("with a credential of its own that host gets %q", got)
	}
	if got := b.token(need("GITHUB_ENTERPRISE", ghe)); got != "hunter2new" {
		t.Errorf("the first host gets %q", got)
	}
}

func TestOfManyFirstUsesOneHostIsBound(t *testing.T) {
	b := newBench(t, keyring.Options{})
	b.put("", "GITLAB_SELF_MANAGED")
	var mu sync.Mutex
	got := map[string]int{}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			host := fmt.Sprintf("h%d.example", i%3)
			found, err := b.Find(t.Context(), need("GITLAB_SELF_MANAGED", "https://"+host+"/g/app"))
			mu.Lock()
			defer mu.Unlock()
			if err == nil && !found.Login.IsZero() {
				got[host]++
			} else if fault.KindOf(err) != fault.Invalid {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("the token went to %v", got)
	}
}

func TestAProviderUnderAPathOfItsHost(t *testing.T) {
	b := newBench(t, keyring.Options{})
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	b.put("", "GITLAB_SELF_MANAGED", at("git.example:8443/gitlab"), func(in *input) { in.Token, in.CaBundle = secret.New("glpat-hunter2"), ca })
	found, err := b.Find(t.Context(), need("GITLAB_SELF_MANAGED", "https://git.example:8443/gitlab/group/sub/app.git"))
	must(t, err)
	want := source.Repository{Owner: "group/sub", Name: "app", Site: source.Site{
		Server: "GITLAB_SELF_MANAGED", WebBase: "https://git.example:8443/gitlab", APIBase: "https://git.example:8443/gitlab/api/v4", CA: ca,
	}}
	if d := cmp.Diff(want, found.Repository); d != "" || found.Host != "git.example:8443" || found.Repository.CloneURL() != "https://git.example:8443/gitlab/group/sub/app.git" {
		t.Errorf("at %s (-want +got):\n%s", found.Host, d)
	}
	b.refused(need("GITLAB_SELF_MANAGED", "https://git.example:8443/other/app"), "is bound to git.example:8443/gitlab")
}

// Whoever gave the token said whom to trust.
func TestInsecureDoesNotOverruleTheCertificatesOfACredential(t *testing.T) {
	b := newBench(t, keyring.Options{})
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	b.put("", "GITHUB_ENTERPRISE", at("ghe.example"), func(in *input) { in.CaBundle = ca })
	found, err := b.Find(t.Context(), need("GITHUB_ENTERPRISE", "https://ghe.example/o/r", func(n *keyring.Need) { n.Insecure = true }))
	if err != nil || found.Repository.Insecure || found.Repository.CA != ca {
		t.Errorf("Find = %+v, %v, want a checked certificate", found.Repository, err)
	}
}

func TestInsecureIsTheProjectsAndOfOneServerType(t *testing.T) {
	b := newBench(t, keyring.Options{})
	insecure := func(n *keyring.Need) { n.Insecure = true }
	for _, test := range []struct {
		need keyring.Need
		want bool
	}{
		{need("GITHUB_ENTERPRISE", "https://ghe.example/o/r", insecure), true},
		{need("GITHUB_ENTERPRISE", "https://ghe.example/o/r"), false},
		{need("GITLAB_SELF_MANAGED", "https://ghe.example/o/r", insecure), false},
		{need("GITHUB", "https://github.com/o/r", insecure), false},
	} {
		found, err := b.Find(t.Context(), test.need)
		if err != nil || found.Repository.Insecure != test.want {
			t.Errorf("%s: Insecure = %v, %v, want %v", test.need.Server, found.Repository.Insecure, err, test.want)
		}
	}
}

func TestReferences(t *testing.T) {
	const value = `{"ServerType":"GITHUB","AuthType":"PERSONAL_ACCESS_TOKEN","Token":"hunter2aws"}`
	const there = "arn:aws:codeconnections:us-east-1:123456789012:connection/11111111-2222-3333-4444-555555555555"
	const location = "https://github.com/acme/app"
	for _, test := range []struct {
		name    string
		arrange func(*bench, *vault) *api.SourceAuth
		primary bool
		want    string // token
		refused string
	}{
		{"a default that refers to a named one", func(b *bench, _ *vault) *api.SourceAuth {
			b.put("", "GITHUB", refersTo("CODECONNECTIONS", b.put("real", "GITHUB").ConnectionARN))
			return nil
		}, false, "hunter2real", ""},
		{"a default that refers to a secret in AWS", func(b *bench, _ *vault) *api.SourceAuth {
			b.put("", "GITHUB", refersTo("SECRETS_MANAGER", foreign))
			return nil
		}, false, "hunter2aws", ""},
		{"a source that names a secret in AWS", func(*bench, *vault) *api.SourceAuth { return auth("SECRETS_MANAGER", foreign) }, false, "hunter2aws", ""},
		{"one that refers to itself in a circle", func(b *bench, _ *vault) *api.SourceAuth {
			a := b.put("a", "GITHUB")
			b.put("a", "GITHUB", refersTo("SECRETS_MANAGER", b.put("b", "GITHUB", refersTo("SECRETS_MANAGER", a.ARN)).ARN))
			return auth("SECRETS_MANAGER", a.ARN)
		}, false, "", "refers to another and that back to it"},
		{"a default that refers to one of another server type", func(b *bench, _ *vault) *api.SourceAuth {
			b.put("", "GITHUB", refersTo("SECRETS_MANAGER", b.put("lab", "GITLAB").ARN))
			return nil
		}, false, "", "The source credential lab is for GITLAB and not for GITHUB."},
		{"a connection that is in AWS", func(*bench, *vault) *api.SourceAuth { return auth("CODECONNECTIONS", there) }, false, "",
			"Access denied to connection " + there + ". Slipway holds no credential with this ARN. Import a token with 'slipway credential import --name NAME"},
		{"nobody to ask as", func(_ *bench, v *vault) *api.SourceAuth {
			v.err = fault.New(fault.Denied, "none")
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", "Access denied to secret " + foreign + ". Slipway holds no credential with this ARN, and it has no AWS credentials"},
		{"AWS says no", func(_ *bench, v *vault) *api.SourceAuth {
			v.err = fault.New(fault.Invalid, "Access denied to secret X. Allow it.")
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", "Allow it."},
		{"no JSON", func(_ *bench, v *vault) *api.SourceAuth {
			v.held[foreign] = "hunter2aws"
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", `Its value must be JSON such as {"ServerType":"GITHUB"`},
		{"no token", func(_ *bench, v *vault) *api.SourceAuth {
			v.held[foreign] = `{"ServerType":"GITHUB","x":"hunter2"}`
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", `Its value must be JSON`},
		{"another server type", func(_ *bench, v *vault) *api.SourceAuth {
			v.held[foreign] = strings.Replace(value, "GITHUB", "hunter2", 1)
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", "is not for GITHUB: its ServerType is another"},
		{"another server type, named for all sources", func(b *bench, v *vault) *api.SourceAuth {
			b.put("", "GITHUB")
			v.held[foreign] = strings.Replace(value, "GITHUB", "GITLAB", 1)
			return auth("SECRETS_MANAGER", foreign)
		}, true, "hunter2", ""},
		{"a wrong auth type", func(_ *bench, v *vault) *api.SourceAuth {
			v.held[foreign] = strings.Replace(value, "PERSONAL_ACCESS_TOKEN", "BASIC_AUTH", 1)
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", "Invalid AuthType provided for ServerType GITHUB"},
		{"a secret that refers on", func(_ *bench, v *vault) *api.SourceAuth {
			v.held[foreign] = `{"ServerType":"GITHUB","AuthType":"SECRETS_MANAGER","Token":"` + foreign + `"}`
			return auth("SECRETS_MANAGER", foreign)
		}, false, "", "refers to something else instead of holding a token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := &vault{held: map[string]string{foreign: value}}
			b := newBench(t, keyring.Options{Secrets: v})
			n := need("GITHUB", location)
			n.Auth = test.arrange(b, v)
			if test.primary {
				n.Auth, n.Primary = nil, n.Auth
			}
			if test.refused != "" {
				b.refused(n, test.refused)
				return
			}
			if got := b.token(n); got != test.want {
				t.Errorf("the token is %q, want %q", got, test.want)
			}
		})
	}
}

func TestASecretIsReadAgainAfterAMinute(t *testing.T) {
	v := &vault{held: map[string]string{foreign: `{"ServerType":"BITBUCKET","AuthType":"BASIC_AUTH","Token":"ATAThunter2","Username":"ada@example.com"}`}}
	b := newBench(t, keyring.Options{Secrets: v})
	n := need("BITBUCKET", "https://bitbucket.org/ws/app", func(n *keyring.Need) { n.Auth = auth("SECRETS_MANAGER", foreign) })
	for _, step := range []struct {
		after time.Duration
		reads int
	}{{0, 1}, {59 * time.Second, 1}, {time.Minute, 2}, {0, 3}} {
		b.now = noon.Add(step.after)
		found, err := b.Find(t.Context(), n)
		if err != nil || found.Login.Username != "ada@example.com" || found.ARN != foreign || found.Version != 0 || v.reads != step.reads {
			t.Errorf("after %v: %s, %d reads, %v, want %d reads", step.after, found.ARN, v.reads, err, step.reads)
		}
	}
}

func TestASecretsTokenGoesToItsHostOnly(t *testing.T) {
	v := &vault{held: map[string]string{foreign: `{"ServerType":"GITHUB_ENTERPRISE","AuthType":"PERSONAL_ACCESS_TOKEN","Token":"hunter2aws"}`}}
	b := newBench(t, keyring.Options{Secrets: v})
	at := func(host string) keyring.Need {
		return need("GITHUB_ENTERPRISE", "https://"+host+"/o/r", func(n *keyring.Need) { n.Auth = auth("SECRETS_MANAGER", foreign) })
	}
	if got := b.token(at("ghe.example")); got != "hunter2aws" {
		t.Errorf("the first use got %q", got)
	}
	b.refused(at("evil.example"), "is bound to ghe.example")
	b.put("moved", "GITHUB_ENTERPRISE", refersTo("SECRETS_MANAGER", foreign), func(in *input) { in.Hosts = []string{"new.example"} })
	if got := b.token(at("new.example")); got != "hunter2aws" {
		t.Errorf("the host that its credential names gets %q", got)
	}
	b.refused(at("ghe.example"), "is bound to new.example")
}

func TestUsesArePagedAndKeptBeyondTheCredential(t *testing.T) {
	b := newBench(t, keyring.Options{})
	a := b.put("real", "GITHUB", owner("acme"))
	ref := b.put("", "GITHUB", refersTo("SECRETS_MANAGER", a.ARN))
	if last, err := b.LastUsed(t.Context(), a.ARN); err != nil || !last.IsZero() {
		t.Errorf("before its first use it was used %v, %v", last, err)
	}
	for i := range 3 {
		b.now = noon.Add(time.Duration(i) * time.Minute)
		b.token(need("GITHUB", "https://github.com/acme/app"))
	}
	b.now = noon.Add(time.Hour)
	b.token(need("GITHUB", "https://github.com/other/lib", func(n *keyring.Need) { n.Purpose, n.BuildID = "WEBHOOK", "" }))
	must(t, b.Delete(t.Context(), scope, a.ARN))
	var got []string
	for after := "first"; after != ""; {
		uses, next, err := b.Uses(t.Context(), scope, a.ARN, strings.TrimPrefix(after, "first"), 3)
		must(t, err)
		for _, u := range uses {
			got = append(got, fmt.Sprintf("%s %s %s %s %s %s", u.At.Format("15:04"), u.Purpose, u.Host, u.Repository, u.ProjectName, u.BuildID))
		}
		after = next
	}
	want := []string{"13:00 WEBHOOK github.com other/lib app ", "12:02 FETCH github.com acme/app app app:1", "12:01 FETCH github.com acme/app app app:1", "12:00 FETCH github.com acme/app app app:1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for _, arn := range []string{a.ARN, ref.ARN} {
		if last, err := b.LastUsed(t.Context(), arn); err != nil || !last.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s was last used %v, %v", arn, last, err)
		}
	}
	if uses, _, err := b.Uses(t.Context(), arn.Scope{Account: "999999999999", Region: scope.Region}, a.ARN, "", 3); len(uses) != 0 || err != nil {
		t.Errorf("another account sees %v, %v", uses, err)
	}
}

func TestPastTokens(t *testing.T) {
	b := newBench(t, keyring.Options{})
	a := b.put("", "BITBUCKET", func(in *input) { in.Username, in.Token = "ada@example.com", secret.New("ATAThunter2one") })
	b.put("", "BITBUCKET", func(in *input) { in.Token = secret.New("ATCThunter2two") })
	for version, want := range map[int64]string{1: "ATAThunter2one ada@example.com BITBUCKET_API_TOKEN", 2: "ATCThunter2two  BITBUCKET_ACCESS_TOKEN"} {
		l, err := b.Past(t.Context(), a.ARN, version)
		if got := fmt.Sprintf("%s %s %s", l.Token.Reveal(), l.Username, l.Kind); err != nil || got != want || l.Server != "BITBUCKET" {
			t.Errorf("version %d is %s, %v, want %s", version, got, err, want)
		}
	}
	if _, err := b.Past(t.Context(), a.ARN, 3); fault.KindOf(err) != fault.NotFound {
		t.Errorf("version 3: %v, want NotFound", err)
	}
	b.now = noon.Add(73 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.Run(ctx) // ended before it began, it forgets nothing and returns
	if _, err := b.Past(t.Context(), a.ARN, 1); err != nil {
		t.Error(err)
	}
	must(t, b.Delete(t.Context(), scope, a.ARN))
	if _, err := b.Past(t.Context(), a.ARN, 1); fault.KindOf(err) != fault.NotFound {
		t.Errorf("of a deleted credential: %v, want NotFound", err)
	}
}

func TestRunForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), t.TempDir())
		must(t, err)
		keys, err := seal.New()
		must(t, err)
		k := keyring.New(db.Credentials(), keys, slog.New(slog.DiscardHandler), keyring.Options{})
		for _, text := range []string{"one", "two"} {
			c, err := credential.NewNamed(scope, &input{ServerType: "GITHUB", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New(text)}, time.Now())
			must(t, err)
			_, err = k.Import(t.Context(), c, true)
			must(t, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			k.Run(ctx)
			close(ended)
		}()
		var got []bool
		for _, d := range []time.Duration{71 * time.Hour, 2*time.Hour + time.Second} {
			time.Sleep(d)
			synctest.Wait()
			_, err := k.Past(ctx, scope.Token("GITHUB"), 1)
			got = append(got, err == nil)
		}
		cancel()
		<-ended
		if want := []bool{true, false}; !slices.Equal(got, want) {
			t.Errorf("after 71 and 73 hours the past token is there: %v, want %v", got, want)
		}
		must(t, db.Close())
	})
}

func TestPickAndList(t *testing.T) {
	b := newBench(t, keyring.Options{})
	byDefault, named := b.put("", "GITHUB"), b.put("team", "GITHUB", owner("acme"))
	all, err := b.List(t.Context(), scope)
	must(t, err)
	if d := cmp.Diff([]credential.About{byDefault, named}, all); d != "" {
		t.Errorf("List (-want +got):\n%s", d)
	}
	for text, want := range map[string]credential.About{"team": named, named.ARN: named, named.ConnectionARN: named, "github": byDefault, "GITHUB": byDefault, byDefault.ARN: byDefault} {
		got, err := b.Pick(t.Context(), scope, text)
		if err != nil || got.ARN != want.ARN {
			t.Errorf("Pick(%s) = %s, %v, want %s", text, got.ARN, err, want.ARN)
		}
		l, _, err := b.Login(t.Context(), got)
		if err != nil || l.Token.Reveal() != "hunter2"+want.Name {
			t.Errorf("Login(%s): %v", text, err)
		}
	}
	for _, text := range []string{"", "Team", "gitlab", "ghp_hunter2"} {
		if _, err := b.Pick(t.Context(), scope, text); fault.KindOf(err) != fault.NotFound || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Pick(%s) = %v, want NotFound", text, err)
		}
	}
}

// ownVault has the secrets of one scope.
type ownVault struct {
	scope arn.Scope
	held  map[string]string
}

func (v ownVault) Read(_ context.Context, scope arn.Scope, name string) (secret.Text, error) {
	text, ok := v.held[name]
	switch {
	case !ok || scope != v.scope:
		return secret.Text{}, fault.New(fault.NotFound, "no such secret")
	case text == "":
		return secret.Text{}, fault.New(fault.Invalid, "It was marked for deletion.")
	}
	return secret.New(text), nil
}

func TestASecretOfOurOwnVaultIsASource(t *testing.T) {
	own := ownVault{scope: need("GITHUB", "https://github.com/o/r").Scope, held: map[string]string{foreign: `{"ServerType":"GITHUB","AuthType":"PERSONAL_ACCESS_TOKEN","Token":"ghp_own"}`}}
	elsewhere := &vault{held: map[string]string{foreign: `{"ServerType":"GITHUB","AuthType":"PERSONAL_ACCESS_TOKEN","Token":"ghp_aws"}`}}
	b := newBench(t, keyring.Options{Vault: own, Secrets: elsewhere})
	n := need("GITHUB", "https://github.com/o/r", func(n *keyring.Need) { n.Auth = auth("SECRETS_MANAGER", foreign) })
	if got := b.token(n); got != "ghp_own" || elsewhere.reads != 0 {
		t.Errorf("the token is %q, with %d reads elsewhere", got, elsewhere.reads)
	}
	own.held[foreign] = strings.Replace(own.held[foreign], "ghp_own", "ghp_new", 1)
	if got := b.token(n); got != "ghp_new" {
		t.Errorf("after it has changed the token is %q", got)
	}
	far := n
	far.Scope.Region = "eu-west-1"
	if got := b.token(far); got != "ghp_aws" {
		t.Errorf("in another region the token is %q", got)
	}
	own.held[foreign] = ""
	b.refused(n, "marked for deletion")
	delete(own.held, foreign)
	if got := b.token(n); got != "ghp_aws" {
		t.Errorf("without it the token is %q", got)
	}
}
