package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
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
	"slipway/internal/build"
	"slipway/internal/credential"
	"slipway/internal/outbox"
	"slipway/internal/schedule"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/github"
	"slipway/internal/source/rest"
	"slipway/internal/webhook"
)

// A provider is a source provider that takes statuses as it is told to.
type provider struct {
	mu      sync.Mutex // guards what follows
	answers []error    // to the next calls; after them, and for nil, it takes all
	calls   []string
	at      []time.Time
	busy    int // calls in flight
	most    int // that there ever were
	takes   time.Duration
}

func (p *provider) ReportStatus(ctx context.Context, r source.Repository, commit string, s source.Status, by source.Login) error {
	p.mu.Lock()
	var answer error
	if len(p.answers) > 0 {
		answer, p.answers = p.answers[0], p.answers[1:]
	}
	p.calls = append(p.calls, strings.Join([]string{r.APIBase, r.Owner, r.Name, commit[:7], string(s.State), s.Context, by.Token.Reveal()}, " "))
	p.at = append(p.at, time.Now())
	p.busy++
	p.most = max(p.most, p.busy)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.busy--
		p.mu.Unlock()
	}()
	select {
	case <-time.After(p.takes):
		return answer
	case <-ctx.Done():
		return &source.Refusal{Again: true, Message: "interrupted"}
	}
}

// heard returns the calls so far.
func (p *provider) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// deliverBench returns a bench with a provider and a GitHub token.
func deliverBench(t *testing.T, p schedule.Reporter, o schedule.Options) *bench {
	t.Helper()
	b := newBench(t, o)
	b.stop()
	b.provider = p
	b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
	b.start()
	return b
}

// told returns what is known of a build's items.
func (b *bench) told(id string) []string {
	b.t.Helper()
	items, err := b.db.Outbox().BySubject(b.t.Context(), id)
	must(b.t, err)
	var all []string
	for _, i := range items {
		var s build.CommitStatus
		must(b.t, json.Unmarshal(i.Payload, &s))
		all = append(all, strings.TrimSpace(s.State+" "+string(i.State)+" "+i.Message))
	}
	return all
}

func TestCommitStatusesArriveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		b := deliverBench(t, p, schedule.Options{})
		b.runner.behave = func(a *agent) {
			must(t, a.begin())
			_, _ = a.report(through(agentPhases[0])...)
			time.Sleep(3 * time.Second)
			_, _ = a.report(append(through(agentPhases[1:]...), end(api.StatusTypeSucceeded))...)
		}
		id := b.queue()
		synctest.Wait()
		const call = "https://api.github.com octo app 0123456 "
		if diff := cmp.Diff([]string{call + "pending AWS CodeBuild us-east-1 (app) ghp_secret"}, p.heard()); diff != "" {
			t.Errorf("while it runs (-want +got):\n%s", diff)
		}
		within(time.Minute)
		if diff := cmp.Diff([]string{call + "pending AWS CodeBuild us-east-1 (app) ghp_secret", call + "success AWS CodeBuild us-east-1 (app) ghp_secret"}, p.heard()); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"pending DELIVERED", "success DELIVERED"}, b.told(id)); diff != "" {
			t.Errorf("the outbox (-want +got):\n%s", diff)
		}
		if journal := b.journal.String(); strings.Contains(journal, "ghp_secret") || strings.Count(journal, "source credential used") != 2 {
			t.Errorf("the log holds the token, or not each use of it:\n%s", journal)
		}
	})
}

func TestDeliveryIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{answers: []error{
			&source.Refusal{Again: true, Message: "GitHub answered 503: service unavailable", HTTPStatus: 503},
			&source.Refusal{Again: true, Message: "GitHub answered 403: slow down", HTTPStatus: 403, After: 10 * time.Minute},
			errors.New("a failure nobody thought of"),
		}}
		b := deliverBench(t, p, schedule.Options{})
		began := time.Now()
		id := b.queue()
		within(time.Hour)
		if diff := cmp.Diff([]string{"pending DELIVERED", "success DELIVERED"}, b.told(id)); diff != "" {
			t.Fatalf("the outbox (-want +got):\n%s", diff)
		}
		if waited := p.at[1].Sub(began); waited < time.Second || waited > time.Minute {
			t.Errorf("the second attempt came after %v", waited)
		}
		if waited := p.at[2].Sub(p.at[1]); waited < 10*time.Minute || waited > 11*time.Minute {
			t.Errorf("the third attempt came after %v, want the ten minutes that were asked for", waited)
		}
	})
}

func TestARefusedStatusDoesNotFailTheBuild(t *testing.T) {
	tests := []struct {
		name   string
		answer error
		forget bool // the credential is deleted
		want   string
	}{
		{"by the provider", &source.Refusal{HTTPStatus: 404, Message: "GitHub answered 404: Not Found"}, false, "GitHub answered 404: Not Found"},
		{"for want of a credential", nil, true, "Without a credential no commit status can be set. No source credential serves this repository: none for GITHUB is imported in account 000000000000, region us-east-1. " +
			"Import one with 'aws codebuild import-source-credentials --region us-east-1 --server-type GITHUB --auth-type PERSONAL_ACCESS_TOKEN --token TOKEN'."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &provider{answers: []error{tt.answer, tt.answer}}
				b := deliverBench(t, p, schedule.Options{})
				if tt.forget {
					must(t, b.db.Credentials().Delete(t.Context(), scope, scope.Token("GITHUB")))
				}
				id := b.queue()
				within(time.Hour)
				b.want(id, api.StatusTypeSucceeded, api.BuildPhaseTypeFinalizing, api.StatusTypeSucceeded, "")
				if diff := cmp.Diff([]string{"pending REFUSED " + tt.want, "success REFUSED " + tt.want}, b.told(id)); diff != "" {
					t.Errorf("the outbox (-want +got):\n%s", diff)
				}
				if n := strings.Count(b.journal.String(), "commit status refused"); n != 2 {
					t.Errorf("the log warns %d times, want once for each", n)
				}
				if !tt.forget && len(p.heard()) != 2 {
					t.Errorf("the provider was asked %d times, want once for each", len(p.heard()))
				}
			})
		})
	}
}

// delivered is a Deliverer that remembers.
type delivered []string

func (d *delivered) Deliver(_ context.Context, item outbox.Item) error {
	*d = append(*d, string(item.Kind)+" "+item.Subject)
	if len(*d) == 1 {
		return &source.Refusal{Again: true, Message: "later"}
	}
	return nil
}

func TestOtherThingsOwedAreDeliveredToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := deliverBench(t, &provider{}, schedule.Options{})
		b.stop()
		removals := &delivered{}
		b.deliverers = map[outbox.Kind]schedule.Deliverer{outbox.HookRemoval: removals}
		_, err := b.db.Hooks().Reserve(t.Context(), webhook.SealedHook{Hook: webhook.Hook{Key: "key", Scope: scope}, Box: []byte("box")})
		must(t, err)
		_, err = b.db.Hooks().Delete(t.Context(), "key",
			outbox.Item{Kind: outbox.HookRemoval, Subject: "hook 1", Payload: []byte("{}"), State: outbox.Owed, NotBefore: time.Now(), Created: time.Now()},
			outbox.Item{Kind: "carrier-pigeon", Subject: "pigeon 1", Payload: []byte("{}"), State: outbox.Owed, NotBefore: time.Now(), Created: time.Now()})
		must(t, err)
		b.start()
		within(time.Minute)
		if d := cmp.Diff(delivered{"hook-removal hook 1", "hook-removal hook 1"}, *removals); d != "" {
			t.Errorf("attempts (-want +got):\n%s", d)
		}
		if j := b.journal.String(); !strings.Contains(j, `"hook removal delayed" subject="hook 1"`) || !strings.Contains(j, `"carrier pigeon refused" subject="pigeon 1"`) {
			t.Errorf("the log does not name what was delayed and refused:\n%s", j)
		}
	})
}

// The token is replaced while the build runs. Who opened the status closes it,
// as long as the provider takes that.
func TestWhoOpenedAStatusClosesIt(t *testing.T) {
	no := &source.Refusal{HTTPStatus: 401, Cause: "BAD_TOKEN", Message: "GitHub answered 401: Bad credentials."}
	for _, tt := range []struct {
		name    string
		answers []error
		forget  bool // it is deleted and imported anew, instead of replaced
		calls   []string
		sent    []int64 // versions of the credential
	}{
		{"the old token still works", nil, false, []string{"pending ghp_old", "success ghp_old"}, []int64{1, 1}},
		{"the old token was revoked", []error{nil, no}, false, []string{"pending ghp_old", "success ghp_old", "success ghp_new"}, []int64{1, 2}},
		{"the provider is away for a moment", []error{nil, &source.Refusal{Again: true, Message: "503"}}, false, []string{"pending ghp_old", "success ghp_old", "success ghp_old"}, []int64{1, 1}},
		{"the old token is not kept", nil, true, []string{"pending ghp_old", "success ghp_new"}, []int64{1, 1}},
		{"the first status never arrived", []error{no}, false, []string{"pending ghp_old", "success ghp_new"}, []int64{1, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &provider{answers: tt.answers}
				b := deliverBench(t, p, schedule.Options{})
				must(t, b.db.Credentials().Delete(t.Context(), scope, scope.Token("GITHUB")))
				b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_old")
				b.runner.behave = func(a *agent) {
					must(t, a.begin())
					_, _ = a.report(through(agentPhases[0])...)
					time.Sleep(3 * time.Second)
					if tt.forget {
						must(t, b.db.Credentials().Delete(t.Context(), scope, scope.Token("GITHUB")))
					}
					b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_new")
					_, _ = a.report(append(through(agentPhases[1:]...), end(api.StatusTypeSucceeded))...)
				}
				id := b.queue()
				within(time.Hour)
				var calls []string
				for _, c := range p.heard() {
					words := strings.Fields(c)
					calls = append(calls, words[4]+" "+words[len(words)-1])
				}
				if diff := cmp.Diff(tt.calls, calls); diff != "" {
					t.Errorf("the provider heard (-want +got):\n%s", diff)
				}
				items, err := b.db.Outbox().BySubject(t.Context(), id)
				must(t, err)
				var sent []int64
				for _, i := range items {
					sent = append(sent, i.Outcome.Version)
					if i.Outcome.Credential != scope.Token("GITHUB") {
						t.Errorf("%s was sent with %s", i.State, i.Outcome.Credential)
					}
				}
				if diff := cmp.Diff(tt.sent, sent); diff != "" {
					t.Errorf("versions (-want +got):\n%s", diff)
				}
				if journal := b.journal.String(); strings.Contains(journal, "ghp_") {
					t.Errorf("the log holds a token:\n%s", journal)
				}
			})
		})
	}
}

// What waits for approval has the same subject before and after its project
// moves to another server.
func TestWhoOpenedAStatusElsewhereClosesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		b := deliverBench(t, p, schedule.Options{})
		for _, host := range []string{"a", "b"} {
			b.importBound("GITHUB_ENTERPRISE", api.AuthTypePersonalAccessToken, "", "ghp_"+host, host+".example")
			item, err := build.CommitStatus{
				ServerType: "GITHUB_ENTERPRISE", Location: "https://" + host + ".example/team/app", Commit: strings.Repeat("1", 40), State: "failure", Context: "c",
			}.Owe("withheld/app/team/app/7", "app", scope, time.Now())
			must(t, err)
			hook := webhook.SealedHook{Hook: webhook.Hook{Key: host, Scope: scope, Place: host}, Box: []byte("box")}
			_, err = b.db.Hooks().Reserve(t.Context(), hook)
			must(t, err)
			_, err = b.db.Hooks().Delete(t.Context(), host, item)
			must(t, err)
			within(time.Hour)
		}
		want := []string{"https://a.example/api/v3 team app 1111111 failure c ghp_a", "https://b.example/api/v3 team app 1111111 failure c ghp_b"}
		if d := cmp.Diff(want, p.heard()); d != "" {
			t.Errorf("the provider heard (-want +got):\n%s", d)
		}
	})
}

func TestARefusalIsKeptWithItsCauseAndNextStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		no := &source.Refusal{HTTPStatus: 403, Cause: slipway.FailureCauseMissingScope, Message: "GitHub answered 403: Resource not accessible.",
			NextStep: "Add the permission Commit statuses: write.", Link: "https://github.com/settings/tokens"}
		b := deliverBench(t, &provider{answers: []error{no}}, schedule.Options{})
		id := b.queue()
		within(time.Hour)
		items, err := b.db.Outbox().BySubject(t.Context(), id)
		must(t, err)
		want := outbox.Outcome{Credential: scope.Token("GITHUB"), Version: 1, HTTPStatus: 403, Cause: slipway.FailureCauseMissingScope, NextStep: no.NextStep, Link: no.Link}
		if diff := cmp.Diff(want, items[0].Outcome); diff != "" || items[0].State != outbox.Refused || items[0].Message != no.Message {
			t.Errorf("%s %q (-want +got):\n%s", items[0].State, items[0].Message, diff)
		}
		if items[1].State != outbox.Delivered || items[1].Outcome.HTTPStatus != 0 {
			t.Errorf("the next one is %+v", items[1])
		}
	})
}

// A taker keeps what it is told, whole.
type taker struct {
	mu   sync.Mutex // guards told
	told []told
}

type told struct {
	Repository source.Repository
	Status     source.Status
	Token      string
}

func (p *taker) ReportStatus(_ context.Context, r source.Repository, _ string, s source.Status, by source.Login) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, told{r, s, by.Token.Reveal()})
	return nil
}

func TestEveryProviderIsTold(t *testing.T) {
	for _, tt := range []struct {
		kind     api.SourceType
		location string
		insecure bool
		want     source.Site
	}{
		{"GITHUB", "https://github.com/octo/app", false, source.Site{APIBase: "https://api.github.com", WebBase: "https://github.com"}},
		{"GITHUB_ENTERPRISE", "https://ghe.example/octo/app", true, source.Site{APIBase: "https://ghe.example/api/v3", WebBase: "https://ghe.example", Insecure: true}},
		{"BITBUCKET", "https://bitbucket.org/octo/app", false, source.Site{APIBase: "https://api.bitbucket.org/2.0", WebBase: "https://bitbucket.org"}},
		{"GITLAB", "https://gitlab.com/octo/app", false, source.Site{APIBase: "https://gitlab.com/api/v4", WebBase: "https://gitlab.com"}},
		{"GITLAB_SELF_MANAGED", "https://git.example/gitlab/octo/app", false, source.Site{APIBase: "https://git.example/gitlab/api/v4", WebBase: "https://git.example/gitlab"}},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &taker{}
				b := deliverBench(t, p, schedule.Options{})
				in := &slipway.ImportCredentialInput{Name: "status", ServerType: slipway.ServerType(tt.kind), AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("t_status")}
				if tt.kind == "GITLAB_SELF_MANAGED" {
					in.Hosts = []string{"git.example/gitlab"}
				}
				c, err := credential.NewNamed(scope, in, time.Now())
				must(t, err)
				b.importNamed(c)
				b.queue(func(in *api.StartBuildInput) {
					in.SourceTypeOverride, in.SourceLocationOverride, in.InsecureSSLOverride = tt.kind, &tt.location, &tt.insecure
					in.SourceVersion = new("refs/heads/main")
					names(c.ConnectionARN)(in)
				})
				within(time.Minute)
				tt.want.Server = api.ServerType(tt.kind)
				told1 := func(state source.State, words string) told {
					return told{source.Repository{Site: tt.want, Owner: "octo", Name: "app"},
						source.Status{State: state, Context: "AWS CodeBuild us-east-1 (app)", Description: words + " for project app", Ref: "refs/heads/main"}, "t_status"}
				}
				if diff := cmp.Diff([]told{told1("pending", "Build started"), told1("success", "Build succeeded")}, p.told); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
			})
		})
	}
}

func TestAStatusOfADeletedBuildIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{answers: []error{&source.Refusal{Again: true, Message: "later"}}}
		b := deliverBench(t, p, schedule.Options{})
		id := b.queue()
		synctest.Wait()
		must(t, b.db.Builds().Delete(t.Context(), scope, id))
		within(time.Minute)
		if diff := cmp.Diff([]string{"pending DELIVERED", "success DELIVERED"}, b.told(id)); diff != "" {
			t.Errorf("the outbox (-want +got):\n%s", diff)
		}
	})
}

func TestManyDeliveriesAtOnceButNotTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{takes: 5 * time.Second}
		b := deliverBench(t, p, schedule.Options{MaxBuilds: 50})
		var ids []string
		for range 20 {
			ids = append(ids, b.queue())
		}
		within(time.Minute)
		if p.most != 8 || len(p.heard()) != 40 {
			t.Errorf("%d calls, at most %d at once, want 40 and 8", len(p.heard()), p.most)
		}
		for _, id := range ids {
			if diff := cmp.Diff([]string{"pending DELIVERED", "success DELIVERED"}, b.told(id)); diff != "" {
				t.Errorf("the outbox (-want +got):\n%s", diff)
			}
		}
	})
}

func TestADeliveryCutOffByTheEndOfTheServerIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{takes: time.Minute}
		b := deliverBench(t, p, schedule.Options{})
		id := b.queue()
		within(time.Second)
		b.stop()
		items, err := b.db.Outbox().BySubject(t.Context(), id)
		must(t, err)
		if len(items) != 2 || items[0].State != outbox.Owed || items[0].Attempts != 0 {
			t.Errorf("the outbox holds %+v, want the first item as if it was never tried", items)
		}
		b.start()
		within(3 * time.Minute)
		if diff := cmp.Diff([]string{"pending DELIVERED", "success DELIVERED"}, b.told(id)); diff != "" {
			t.Errorf("the outbox (-want +got):\n%s", diff)
		}
	})
}

func TestABuildThatAsksForNoStatusOwesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		b := deliverBench(t, p, schedule.Options{})
		id := b.queue(func(in *api.StartBuildInput) { in.ReportBuildStatusOverride = new(false) })
		within(time.Minute)
		if got := b.told(id); len(got)+len(p.heard()) > 0 {
			t.Errorf("told %v, the outbox holds %v", p.heard(), got)
		}
	})
}

// The whole way to a server that behaves as GitHub does.
func TestGitHub(t *testing.T) {
	paths := make(chan string, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { paths <- r.URL.Path }()
		if r.Header.Get("Authorization") != "Bearer ghp_secret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"Bad credentials"}`))
			return
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer s.Close()
	b := deliverBench(t, github.New(rest.Options{}), schedule.Options{Endpoints: source.Endpoints{api.ServerTypeGithub: s.URL}})
	for _, tt := range []struct{ token, want string }{
		{"ghp_secret", "DELIVERED"},
		{"ghp_wrong", "REFUSED GitHub answered 401: Bad credentials. The imported token is wrong, expired or revoked."},
	} {
		b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", tt.token)
		id := b.queue()
		select {
		case path := <-paths:
			if want := "/api/v3/repos/octo/app/statuses/" + commit; path != want {
				t.Errorf("the status went to %s, want %s", path, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no status came")
		}
		await(t, func() bool { got := b.told(id); return len(got) == 2 && !strings.Contains(got[0]+got[1], "OWED") })
		<-paths // the second one's
		if diff := cmp.Diff([]string{"pending " + tt.want, "success " + tt.want}, b.told(id)); diff != "" {
			t.Errorf("the outbox (-want +got):\n%s", diff)
		}
	}
}

// await waits until done, in real time.
func await(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it did not happen")
		}
	}
}
