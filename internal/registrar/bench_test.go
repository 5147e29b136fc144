package registrar_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/store"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

const (
	token  = "ghp_example"
	public = "https://ci.example.com/slipway"
)

// A bench is a Registrar on a real store, before a provider that is every kind
// of provider. It can be started anew with other options.
type bench struct {
	*registrar.Registrar
	t      *testing.T
	db     *store.DB
	keys   *seal.Keyset
	site   *hooktest.Server
	web    string // where the provider is; "" means where site is
	log    *journal
	now    time.Time
	polled []event.Delivery // what polling has told
	full   error            // what taking it fails with
}

func newBench(t *testing.T, o registrar.Options) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	keys, err := seal.New()
	must(t, err)
	b := &bench{t: t, db: db, keys: keys, site: hooktest.Start(t), log: &journal{}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	b.site.AddToken(token, hooktest.Access{Hooks: true})
	for _, server := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED"} {
		b.login(server, token)
	}
	b.start(o)
	return b
}

// start starts a server on what the last one left.
func (b *bench) start(o registrar.Options) {
	endpoints := source.Endpoints{}
	providers := map[api.ServerType]source.Provider{}
	for _, server := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE", "BITBUCKET", "GITLAB", "GITLAB_SELF_MANAGED"} {
		endpoints[server] = cmp.Or(b.web, b.site.URL)
		providers[server] = hooktest.New()
	}
	log := slog.New(slog.NewTextHandler(b.log, nil))
	o.Endpoints, o.Now = endpoints, func() time.Time { return b.now }
	b.Registrar = registrar.New(registrar.Parts{
		Hooks: b.db.Hooks(), Polls: b.db.Polls(), Seal: b.keys, Providers: providers, Rules: hooktest.Rules(), Log: log,
		Keys: keyring.New(b.db.Credentials(), b.keys, log, keyring.Options{Endpoints: endpoints}),
		Deliver: func(_ context.Context, d webhook.Delivery) error {
			if b.full != nil {
				return b.full
			}
			var said event.Delivery
			must(b.t, json.Unmarshal(d.Body, &said))
			if d.ID != said.ID || !d.Pending || d.Record.Signature != slipway.SignatureVerdictPolled || d.Scope != scope {
				b.t.Errorf("polling delivers %+v", d)
			}
			b.polled = append(b.polled, said)
			return nil
		},
	}, o)
}

// login imports a token for a server type; "" deletes it.
func (b *bench) login(server api.ServerType, token string) {
	b.t.Helper()
	if token == "" {
		must(b.t, b.db.Credentials().Delete(b.t.Context(), scope, scope.Token(string(server))))
		return
	}
	in := &api.ImportSourceCredentialsInput{ServerType: server, AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New(token)}
	if server == "BITBUCKET" {
		in.AuthType, in.Username = "BASIC_AUTH", new("ada@example.com")
	}
	c, err := credential.New(scope, in, b.now)
	must(b.t, err)
	sealed, err := credential.Seal(c, b.keys)
	must(b.t, err)
	must(b.t, b.db.Credentials().Put(b.t.Context(), sealed, true))
}

// locations are where octo/app is at each provider.
var locations = map[api.SourceType]string{
	"GITHUB": "https://github.com/octo/app.git", "GITHUB_ENTERPRISE": "https://ghe.example/octo/app", "BITBUCKET": "https://bitbucket.org/octo/app",
	"GITLAB": "https://gitlab.com/octo/app", "GITLAB_SELF_MANAGED": "https://git.example/octo/app",
}

// project makes a project of octo/app, or of another location.
func (b *bench) project(name string, t api.SourceType, location ...string) project.Project {
	b.t.Helper()
	src := &api.ProjectSource{Type: t, Location: new(locations[t])}
	if len(location) > 0 {
		src.Location = &location[0]
	}
	p := project.Project{Scope: scope, Public: api.Project{
		Name: &name, ARN: new(scope.Project(name)), Source: src,
	}}
	must(b.t, b.db.Projects().Create(b.t.Context(), p))
	return p
}

// get returns a project as it stands.
func (b *bench) get(name string) project.Project {
	b.t.Helper()
	p, err := b.db.Projects().Get(b.t.Context(), scope, name)
	must(b.t, err)
	return p
}

// create makes the webhook of a project.
func (b *bench) create(name string, change ...func(*api.CreateWebhookInput)) api.Webhook {
	b.t.Helper()
	in := &api.CreateWebhookInput{ProjectName: name}
	for _, c := range change {
		c(in)
	}
	w, err := b.Create(b.t.Context(), b.get(name), in)
	must(b.t, err)
	return w
}

func (b *bench) update(name string, in api.UpdateWebhookInput) api.Webhook {
	b.t.Helper()
	w, err := b.Update(b.t.Context(), b.get(name), &in)
	must(b.t, err)
	return w
}

// hook returns the one hook at octo/app.
func (b *bench) hook() hooktest.Hook {
	b.t.Helper()
	all := b.site.Hooks("octo/app")
	if len(all) != 1 {
		b.t.Fatalf("the provider has the hooks %+v, want one", all)
	}
	return all[0]
}

// stored returns the hook that a project hears, with its secrets.
func (b *bench) stored(name string) webhook.OpenHook {
	b.t.Helper()
	sealed, err := b.db.Hooks().OfProject(b.t.Context(), scope, name)
	must(b.t, err)
	h, err := sealed.Open(b.keys)
	must(b.t, err)
	return h
}

// unhear has a project hear nothing, as a server does that dies right after.
func (b *bench) unhear(name string) {
	b.t.Helper()
	_, _, err := b.db.Hooks().Detach(b.t.Context(), scope, name, func(p project.Project) (project.Project, error) {
		p.Public.Webhook = nil
		return p, nil
	})
	must(b.t, err)
}

// rows returns how many hooks are stored.
func (b *bench) rows() int {
	b.t.Helper()
	all, err := b.db.Hooks().All(b.t.Context())
	must(b.t, err)
	return len(all)
}

// owed returns the removals that are owed.
func (b *bench) owed() []outbox.Item {
	b.t.Helper()
	due, err := b.db.Outbox().Due(b.t.Context(), b.now.Add(time.Hour), 10)
	must(b.t, err)
	return due
}

// told returns what polling has told since the last time: TYPE ref commit.
func (b *bench) told() []string {
	out := []string{}
	for _, d := range b.polled {
		for _, e := range d.Events {
			what := e.HeadRef
			if e.PullRequest != nil {
				what = fmt.Sprintf("#%d", e.PullRequest.Number)
			}
			out = append(out, strings.Join([]string{string(e.Type), what, e.Commit}, " "))
		}
	}
	b.polled = nil
	return out
}

// moveTo gives a project another source.
func moveTo(t api.SourceType, location string) func(project.Project) (project.Project, error) {
	return func(p project.Project) (project.Project, error) {
		p.Public.Source = &api.ProjectSource{Type: t, Location: &location}
		return p, nil
	}
}

func events(names string) func(*api.CreateWebhookInput) {
	return func(in *api.CreateWebhookInput) { in.FilterGroups = groups(names) }
}

func groups(names string) [][]api.WebhookFilter {
	return [][]api.WebhookFilter{{{Type: api.WebhookFilterTypeEvent, Pattern: names}}}
}

func byHand(in *api.CreateWebhookInput) { in.ManualCreation = new(true) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused fails the test unless err is of a kind and says all that is wanted.
func refused(t *testing.T, err error, kind fault.Kind, want ...string) {
	t.Helper()
	for _, w := range want {
		if fault.KindOf(err) != kind || !strings.Contains(fault.Message(err), w) {
			t.Errorf("got %v (kind %d), want %q in it (kind %d)", err, fault.KindOf(err), w, kind)
		}
	}
}

// A journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// list returns how webhooks are.
func (b *bench) list(name string, verify bool) []slipway.WebhookSummary {
	b.t.Helper()
	all, err := b.Webhooks(b.t.Context(), scope, name, verify)
	must(b.t, err)
	return all
}
