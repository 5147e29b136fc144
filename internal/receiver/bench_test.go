package receiver_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/codebuild"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/receiver"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/store"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

const sha = "0123456789abcdef0123456789abcdef01234567"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A provider delivers our own form of events, signs like GitHub, and answers
// what its fields say.
type provider struct {
	mu      sync.Mutex // guards what follows
	commits map[string]string
	files   []string
	message string
	roles   map[string]api.PullRequestBuildApproverRole
	fails   []error       // what calls fail with, one after the other
	hold    chan struct{} // what calls wait for; nil means nothing
	calls   []string      // what was asked
}

func (p *provider) asked(what string) error {
	if p.hold != nil {
		<-p.hold
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, what)
	if len(p.fails) == 0 {
		return nil
	}
	err := p.fails[0]
	p.fails = p.fails[1:]
	return err
}

func (p *provider) was() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := strings.Join(p.calls, "; ")
	p.calls = nil
	return all
}

func (p *provider) Check(context.Context, source.Site, *source.Repository, source.Login) (slipway.CredentialHealth, error) {
	return slipway.CredentialHealth{}, nil
}

func (p *provider) ReportStatus(context.Context, source.Repository, string, source.Status, source.Login) error {
	return nil
}

func (p *provider) Resolve(_ context.Context, r source.Repository, version string, _ source.Login) (string, error) {
	return p.commits[version], p.asked("resolve " + version + " of " + r.FullName())
}

func (p *provider) Files(_ context.Context, r source.Repository, _ event.Event, _ source.Login) ([]string, error) {
	if r.Insecure {
		return p.files, p.asked("files of " + r.FullName() + ", whatever the certificate")
	}
	return p.files, p.asked("files of " + r.FullName())
}

func (p *provider) Message(_ context.Context, r source.Repository, commit string, _ source.Login) (string, error) {
	return p.message, p.asked("message of " + r.FullName())
}

func (p *provider) OpenPullRequests(context.Context, source.Repository, source.Login) ([]event.Event, error) {
	return nil, nil
}

func (p *provider) PullRequest(context.Context, source.Repository, int64, source.Login) (event.Event, error) {
	return event.Event{}, nil
}

func (p *provider) Role(_ context.Context, r source.Repository, user string, _ source.Login) (api.PullRequestBuildApproverRole, error) {
	return cmp.Or(p.roles[user], p.roles[user+" of "+r.FullName()]), p.asked("role of " + user)
}

func (p *provider) Signed(h http.Header, body []byte, secrets []secret.Text, _ time.Time) (slipway.SignatureVerdict, int) {
	got := h.Get("X-Hub-Signature-256")
	if got == "" {
		return slipway.SignatureVerdictMissing, 0
	}
	for i, s := range secrets {
		if hmac.Equal([]byte(got), []byte(sign(s.Reveal(), body))) {
			return slipway.SignatureVerdictValid, i
		}
	}
	return slipway.SignatureVerdictInvalid, 0
}

func (p *provider) Read(h http.Header, body []byte) (d event.Delivery, err error) {
	if h.Get("X-GitHub-Event") == "panic" {
		panic("a payload that nobody thought of")
	}
	if json.Unmarshal(body, &d) != nil {
		return d, errors.New("the payload is no JSON of this provider")
	}
	d.Sender = h.Get("User-Agent")
	return d, nil
}

func sign(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// kept is the store of deliveries, which tells what is settled and can fail.
type kept struct {
	*store.Deliveries
	settled chan int64

	mu    sync.Mutex // guards fails
	fails int        // how many settlements fail from now on
}

func (k *kept) Settle(ctx context.Context, sequence int64, of webhook.Settlement) (bool, error) {
	k.mu.Lock()
	failing := k.fails > 0
	if failing {
		k.fails--
	}
	k.mu.Unlock()
	if failing {
		return false, errors.New("the disk is full")
	}
	done, err := k.Deliveries.Settle(ctx, sequence, of)
	if err == nil {
		k.settled <- sequence
	}
	return done, err
}

// control is a scheduler that never starts anything.
type control struct{ woken chan struct{} }

func (control) Wake() {}

func (c control) WakeOutbox() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

func (control) StopBuild(context.Context, string) (build.Build, error) { return build.Build{}, nil }

// A bench is a Receiver on a real store behind a real server.
type bench struct {
	*receiver.Receiver
	t        *testing.T
	db       *store.DB
	keys     *seal.Keyset
	kept     *kept
	provider *provider
	service  *codebuild.Service
	url      string
	now      time.Time
	options  receiver.Options
	woken    chan struct{}
	stop     func()
	count    int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open(context.WithoutCancel(t.Context()), t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	keys, err := seal.New()
	must(t, err)
	b := &bench{
		t: t, db: db, keys: keys, now: noon, kept: &kept{Deliveries: db.Deliveries(), settled: make(chan int64, 10000)},
		provider: &provider{}, woken: make(chan struct{}, 1),
	}
	now := func() time.Time { return b.now }
	b.options = receiver.Options{Now: now, Pause: func(context.Context, time.Duration) error { return nil }}
	b.service = codebuild.New(codebuild.Parts{
		Credentials: db.Credentials(), Projects: db.Projects(), Builds: db.Builds(), Seal: keys, Control: control{},
	}, codebuild.Options{Now: now})
	b.renew()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// renew makes the Receiver anew, as after a restart; it is at rest.
func (b *bench) renew() {
	log := slog.New(slog.DiscardHandler)
	all := map[api.ServerType]source.Provider{}
	for _, t := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET"} {
		all[t] = b.provider
	}
	b.Receiver = receiver.New(receiver.Parts{
		Hooks: b.db.Hooks(), Deliveries: b.kept, Refs: b.db.Polls(), Projects: b.db.Projects(), Opener: b.keys,
		Keys:   keyring.New(b.db.Credentials(), b.keys, log, keyring.Options{}),
		Builds: b.service, Statuses: control{b.woken}, Providers: all, Log: log,
	}, b.options)
}

// run lets the Receiver evaluate until the test ends or stop is called.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := b.Run(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	b.stop = func() { cancel(); <-ended }
	b.t.Cleanup(b.stop)
}

// hook makes a project with a webhook; several of one place share the hook.
func (b *bench) hook(name string, server api.ServerType, place string, w api.Webhook, change ...func(*api.CreateProjectInput)) {
	b.t.Helper()
	in := &api.CreateProjectInput{
		Name: name, Source: &api.ProjectSource{Type: api.SourceType(server), Location: new("https://" + place)},
		Artifacts:   &api.ProjectArtifacts{Type: "NO_ARTIFACTS"},
		Environment: &api.ProjectEnvironment{Type: "LINUX_CONTAINER", Image: "i", ComputeType: "BUILD_GENERAL1_SMALL"},
		ServiceRole: "arn:aws:iam::000000000000:role/r",
	}
	for _, c := range change {
		c(in)
	}
	p, err := project.New(scope, in, b.now)
	must(b.t, err)
	must(b.t, b.db.Projects().Create(b.t.Context(), p))
	sealed, err := webhook.OpenHook{Hook: webhook.Hook{
		Key: "key-" + place, Scope: scope, ServerType: server, Place: place, Created: b.now, Modified: b.now,
	}, Secret: secret.New("secret of " + place)}.Seal(b.keys)
	must(b.t, err)
	stands, err := b.db.Hooks().Reserve(b.t.Context(), sealed)
	must(b.t, err)
	_, err = b.db.Hooks().Attach(b.t.Context(), scope, name, stands.Key, func(p project.Project) (project.Project, error) {
		p.Public.Webhook = &w
		return p, nil
	})
	must(b.t, err)
}

const place = "github.com/acme/app"

// A call is one delivery on its way.
type call struct {
	place  string
	secret string // "" means the right one, "-" none
	id     string // "" means a new one
	event  string
	body   []byte
}

// answer is how a delivery was answered.
type answer struct {
	Status  int
	ID      string
	Message string
}

func (b *bench) deliver(c call) answer {
	b.t.Helper()
	if c.place == "" {
		c.place = place
	}
	if c.secret == "" {
		c.secret = "secret of " + c.place
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+"/webhooks?t=key-"+c.place+"&v=1", bytes.NewReader(c.body))
	must(b.t, err)
	if c.secret != "-" {
		r.Header.Set("X-Hub-Signature-256", sign(c.secret, c.body))
	}
	if b.count++; c.id == "" {
		c.id = "delivery-" + time.Duration(b.count).String()
	}
	for _, name := range []string{"X-GitHub-Delivery", "X-Request-UUID", "Idempotency-Key"} {
		r.Header.Set(name, c.id)
	}
	r.Header.Set("X-GitHub-Event", c.event)
	r.Header.Set("X-Gitlab-Token", "a secret")
	r.Header.Set("User-Agent", "GitHub-Hookshot/fc9e274")
	return b.send(r)
}

func (b *bench) send(r *http.Request) answer {
	b.t.Helper()
	res, err := http.DefaultClient.Do(r)
	must(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(b.t, err)
	a := answer{Status: res.StatusCode}
	if err := json.Unmarshal(text, &a); err != nil {
		b.t.Fatalf("the answer is %q", text)
	}
	return a
}

// says delivers events and waits until they are evaluated; it returns the
// delivery and what it came to.
func (b *bench) says(place string, d event.Delivery) (webhook.Delivery, []webhook.Verdict) {
	b.t.Helper()
	body, err := json.Marshal(d)
	must(b.t, err)
	a := b.deliver(call{place: place, event: "push", body: body})
	if a.Status != http.StatusOK {
		b.t.Fatalf("the answer is %+v", a)
	}
	return b.of(a.ID)
}

// of waits until a delivery is evaluated and returns what it came to.
func (b *bench) of(id string) (webhook.Delivery, []webhook.Verdict) {
	b.t.Helper()
	sequence, ok := webhook.ParseDelivery(id)
	if !ok {
		b.t.Fatalf("no delivery: %q", id)
	}
	for {
		d, err := b.db.Deliveries().Get(b.t.Context(), sequence)
		must(b.t, err)
		if !d.Pending {
			v, err := b.db.Deliveries().Verdicts(b.t.Context(), sequence)
			must(b.t, err)
			return d, v
		}
		select {
		case <-b.kept.settled:
		case <-time.After(20 * time.Second):
			b.t.Fatalf("delivery %s is not evaluated", id)
		}
	}
}

// build returns a build by its id.
func (b *bench) build(id string) build.Build {
	b.t.Helper()
	found, err := b.db.Builds().Find(b.t.Context(), id)
	must(b.t, err)
	return found
}

// builds returns how many builds there are.
func (b *bench) builds() int {
	b.t.Helper()
	ids, _, err := b.db.Builds().List(b.t.Context(), scope, "", false, 0, 1000)
	must(b.t, err)
	return len(ids)
}

func filters(groups ...[]api.WebhookFilter) api.Webhook { return api.Webhook{FilterGroups: groups} }

func group(words ...string) (all []api.WebhookFilter) {
	for _, w := range words {
		kind, pattern, _ := strings.Cut(w, "=")
		all = append(all, api.WebhookFilter{Type: api.WebhookFilterType(kind), Pattern: pattern, ExcludeMatchedPattern: new(false)})
	}
	return all
}

func about(events ...event.Event) event.Delivery {
	return event.Delivery{
		Name: "push", Events: events,
		Repository: event.Repository{ID: "7", FullName: "acme/app", Name: "app", Organization: "acme", CloneURL: "https://github.com/acme/app.git", Private: true},
	}
}

func push(branch string) event.Event {
	return event.Event{Type: event.Push, ActorID: "12345", ActorName: "mona", HeadRef: "refs/heads/" + branch, Commit: sha, Before: strings.Repeat("1", 40)}
}

func pull(author string, fork bool) event.Event {
	return event.Event{
		Type: event.PullRequestCreated, ActorID: author, ActorName: author, HeadRef: "refs/heads/x", BaseRef: "refs/heads/main", Commit: sha,
		PullRequest: &event.PullRequest{Number: 7, AuthorID: author, AuthorName: author, Fork: fork, Head: event.Repository{FullName: "mallory/app", CloneURL: "https://bitbucket.org/mallory/app.git"}},
	}
}

// matchEverything takes a project's filters away.
func matchEverything(p project.Project) (project.Project, error) {
	p.Public.Webhook = &api.Webhook{}
	return p, nil
}
