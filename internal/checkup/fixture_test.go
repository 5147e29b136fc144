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

func (p asker) Repositories(ctx context.Context, at source.Site, _, _ string, by source.Login) (page []slipway.Repository, next string, warnings []string, err error) {
	_, body, err := p.get(ctx, at.APIBase+"/user/repos", by)
	if err != nil {
		return nil, "", nil, err
	}
	var all []struct {
		FullName string `json:"full_name"`
		CloneURL string `json:"clone_url"`
	}
	err = json.Unmarshal(body, &all)
	for _, r := range all {
		page = append(page, slipway.Repository{FullName: r.FullName, CloneURL: r.CloneURL})
	}
	return page, "", nil, err
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

// A bench is a Checker on real parts, with a GitHub Enterprise Server of its own.
type bench struct {
	*Checker
	t        *testing.T
	db       *store.DB
	ring     *keyring.Keyring
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
	b := &bench{t: t, db: db, log: &lines{}, now: noon, timer: make(chan time.Time)}
	b.ring = keyring.New(db.Credentials(), keys, slog.New(slog.DiscardHandler), keyring.Options{Now: b.clock})
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
	return b.stores(c)
}

// stores stores a credential, in place of one with its ARN.
func (b *bench) stores(c credential.Credential) credential.About {
	b.t.Helper()
	a, err := b.ring.Import(b.t.Context(), c, true)
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
	b.project(project_, b.provider.CloneURL(owner, name), reports)
}

// project makes a project whose source is at a location.
func (b *bench) project(name, location string, reports bool) {
	b.t.Helper()
	p, err := project.New(scope, &api.CreateProjectInput{
		Name:        name,
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
