package checkup

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
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
	"slipway/internal/project"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
	"slipway/internal/store"
	"slipway/internal/webhook/event"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon  = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
)

const good = "ghp_goodgoodgoodgoodgoodgoodgoodgoodgood"

// asker is GitHub as far as these tests need it: over HTTP, with what GitHub's
// answers say of a login.
type asker struct{}

func (asker) get(ctx context.Context, url string, by source.Login) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+by.Token.Reveal())
	r.Header.Set("User-Agent", "slipway")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, &source.Refusal{Cause: slipway.FailureCauseUnreachable, Message: "GitHub could not be reached.", Again: true}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func (p asker) Check(ctx context.Context, at source.Site, repo *source.Repository, by source.Login) (slipway.CredentialHealth, error) {
	resp, body, err := p.get(ctx, at.APIBase+"/user", by)
	if err != nil {
		return slipway.CredentialHealth{}, err
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return slipway.CredentialHealth{State: slipway.CredentialStateInvalid, Cause: slipway.FailureCauseBadToken, Message: "GitHub answered 401: Bad credentials."}, nil
	}
	if resp.StatusCode != http.StatusOK {
		return slipway.CredentialHealth{}, &source.Refusal{Cause: slipway.FailureCauseProviderError, HTTPStatus: resp.StatusCode, Message: "GitHub answered " + resp.Status + "."}
	}
	var user struct {
		Login string `json:"login"`
	}
	if err := json.Unmarshal(body, &user); err != nil {
		return slipway.CredentialHealth{}, err
	}
	scopes := strings.Split(resp.Header.Get("X-OAuth-Scopes"), ", ")
	h := slipway.CredentialHealth{State: slipway.CredentialStateValid, TokenKind: by.Kind, Owner: user.Login, Scopes: scopes, ScopesKnown: true}
	if text := resp.Header.Get("GitHub-Authentication-Token-Expiration"); text != "" {
		if ends, err := time.Parse("2006-01-02 15:04:05 MST", text); err == nil {
			h.Expires = api.At(ends)
		}
	}
	clone := slipway.JobAbility{Job: slipway.CredentialJobClone, Ability: slipway.AbilityUnknown}
	if repo != nil {
		resp, _, err := p.get(ctx, at.APIBase+"/repos/"+repo.FullName(), by)
		if err != nil {
			return slipway.CredentialHealth{}, err
		}
		clone.Ability = slipway.AbilityYes
		if resp.StatusCode != http.StatusOK {
			h.State = slipway.CredentialStateLimited
			clone.Ability, clone.Cause, clone.Message = slipway.AbilityNo, slipway.FailureCauseNotVisible, "GitHub answered "+resp.Status+"."
		}
	}
	status := slipway.JobAbility{Job: slipway.CredentialJobCommitStatus, Ability: slipway.AbilityYes}
	if !slices.Contains(scopes, "repo") && !slices.Contains(scopes, "repo:status") {
		h.State = slipway.CredentialStateLimited
		status.Ability, status.Cause, status.Missing = slipway.AbilityNo, slipway.FailureCauseMissingScope, []string{"repo:status"}
	}
	h.Jobs = []slipway.JobAbility{clone, status}
	return h, nil
}

func (asker) Resolve(context.Context, source.Repository, string, source.Login) (string, error) {
	return "", fault.New(fault.Invalid, "not asked here")
}

func (asker) ReportStatus(context.Context, source.Repository, string, source.Status, source.Login) error {
	return fault.New(fault.Invalid, "not asked here")
}

func (asker) Signed(http.Header, []byte, []secret.Text, time.Time) (slipway.SignatureVerdict, int) {
	return slipway.SignatureVerdictMissing, -1
}

func (asker) Read(http.Header, []byte) (event.Delivery, error) { return event.Delivery{}, nil }

// ring is a small keyring: the default of a server type, and a named one before
// it if its owner matches, on the real store.
type ring struct {
	all    *sync.Map // ARN → credential.Credential; named ones, which the store lists elsewhere
	stored *store.Credentials
	keys   *seal.Keyset
}

func (r ring) List(ctx context.Context, s arn.Scope) ([]credential.About, error) {
	sealed, err := r.stored.List(ctx, s)
	var all []credential.About
	for _, c := range sealed {
		all = append(all, c.About)
	}
	r.all.Range(func(_, v any) bool {
		all = append(all, v.(credential.Credential).About)
		return true
	})
	return all, err
}

func (r ring) Pick(ctx context.Context, s arn.Scope, nameOrARN string) (credential.About, error) {
	all, err := r.List(ctx, s)
	if err != nil {
		return credential.About{}, err
	}
	for _, a := range all {
		if a.ARN == nameOrARN || a.Name != "" && a.Name == nameOrARN {
			return a, nil
		}
	}
	return credential.About{}, fault.New(fault.NotFound, "Source credentials do not exist: %s", nameOrARN)
}

func (r ring) Login(ctx context.Context, a credential.About) (source.Login, error) {
	if v, ok := r.all.Load(a.ARN); ok {
		return source.NewLogin(a.ServerType, a.Username, v.(credential.Credential).Token), nil
	}
	sealed, err := r.stored.Get(ctx, a.Scope, a.ServerType)
	if err != nil {
		return source.Login{}, err
	}
	c, err := sealed.Open(r.keys)
	return source.NewLogin(a.ServerType, c.Username, c.Token), err
}

func (r ring) Find(ctx context.Context, n keyring.Need) (keyring.Found, error) {
	repository, err := source.Endpoints(nil).Repository(n.Server, n.Location)
	if err != nil {
		return keyring.Found{}, err
	}
	_, winner, ok, err := r.Ladder(ctx, n)
	if err != nil || !ok {
		return keyring.Found{Repository: repository}, err
	}
	l, err := r.Login(ctx, winner)
	return keyring.Found{Login: l, Repository: repository, ARN: winner.ARN, Version: winner.Version}, err
}

func (r ring) Ladder(ctx context.Context, n keyring.Need) ([]slipway.CredentialRung, credential.About, bool, error) {
	all, err := r.List(ctx, n.Scope)
	if err != nil {
		return nil, credential.About{}, false, err
	}
	slices.SortFunc(all, func(a, b credential.About) int { return strings.Compare(b.Name, a.Name) })
	var rungs []slipway.CredentialRung
	var winner credential.About
	for _, a := range all {
		if a.ServerType != n.Server {
			continue
		}
		rung := slipway.CredentialRung{Basis: slipway.CredentialBasisDefault, ARN: a.ARN, Name: a.Name, Applies: true}
		if a.Name != "" {
			rung.Basis = slipway.CredentialBasisNamed
			rung.Applies = strings.Contains(n.Location, "/"+a.Match.Owner+"/")
		}
		if rung.Applies && winner.ARN == "" {
			winner, rung.Wins = a, true
		}
		rungs = append(rungs, rung)
	}
	return rungs, winner, winner.ARN != "", nil
}

// A bench is a Checker on real parts, with a GitHub Enterprise Server of its own.
type bench struct {
	*Checker
	t        *testing.T
	db       *store.DB
	ring     ring
	provider *sourcetest.Server
	log      *lines

	mu    sync.Mutex
	now   time.Time
	timer chan time.Time
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, db: db, ring: ring{&sync.Map{}, db.Credentials(), keys}, log: &lines{}, now: noon, timer: make(chan time.Time)}
	b.provider, err = sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.provider.Close() })
	if _, err := b.provider.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.provider.AddToken(sourcetest.Token{Value: good, Login: "ada", Scopes: []string{"repo"}})
	o.Now = b.clock
	o.After = func(time.Duration) <-chan time.Time { return b.timer }
	b.Checker = New(Parts{
		Keys: b.ring, Projects: db.Projects(), Health: db.Health(),
		Providers: map[api.ServerType]source.Provider{api.ServerTypeGithubEnterprise: asker{}, api.ServerTypeGithub: asker{}},
		Log:       slog.New(slog.NewTextHandler(b.log, nil)),
	}, o)
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// pass lets time pass, and the Checker look what is due.
func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	b.timer <- b.now
}

// imports stores the default credential of a server type.
func (b *bench) imports(server api.ServerType, token string, change func(*credential.Credential)) credential.About {
	b.t.Helper()
	c, err := credential.New(scope, &api.ImportSourceCredentialsInput{ServerType: server, AuthType: api.AuthTypePersonalAccessToken, Token: secret.New(token)}, b.clock())
	if err != nil {
		b.t.Fatal(err)
	}
	if change != nil {
		change(&c)
	}
	sealed, err := credential.Seal(c, b.ring.keys)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.db.Credentials().Put(b.t.Context(), sealed, true); err != nil {
		b.t.Fatal(err)
	}
	a, err := b.ring.Pick(b.t.Context(), scope, c.ARN)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// repository makes a private repository and a project on it.
func (b *bench) repository(project_, owner, name string, reports bool) {
	b.t.Helper()
	if err := b.provider.CreateRepository(owner, name, true); err != nil {
		b.t.Fatal(err)
	}
	location := b.provider.CloneURL(owner, name)
	p, err := project.New(scope, &api.CreateProjectInput{
		Name:        project_,
		Source:      &api.ProjectSource{Type: api.SourceTypeGithubEnterprise, Location: &location, ReportBuildStatus: &reports},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	}, noon)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.db.Projects().Create(b.t.Context(), p); err != nil {
		b.t.Fatal(err)
	}
}

// running runs the Checker until the test ends.
func (b *bench) running() {
	ctx, cancel := context.WithCancel(b.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Run(ctx); err != nil {
			b.t.Errorf("Run: %v", err)
		}
	})
	b.t.Cleanup(func() { cancel(); wg.Wait() })
}

// lines is a log that can be waited on.
type lines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	heard []chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.heard {
		close(c)
	}
	l.heard = nil
	return l.text.Write(p)
}

// wait returns the log once it holds text n times, or fails the test.
func (l *lines) wait(t *testing.T, text string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		l.mu.Lock()
		all := l.text.String()
		more := make(chan struct{})
		l.heard = append(l.heard, more)
		l.mu.Unlock()
		if strings.Count(all, text) >= n {
			return all
		}
		select {
		case <-more:
		case <-ctx.Done():
			t.Fatalf("the log does not say %q %d times:\n%s", text, n, all)
		}
	}
}
