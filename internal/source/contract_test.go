package source_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
	"slipway/internal/webhook/event"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// A provider is everything that a provider can be asked.
type provider interface {
	source.Provider
	source.Hooker
	source.Lister
	source.Detailer
	source.RoleReader
}

// A flavour is one of the providers: what differs between them.
type flavour struct {
	server  api.ServerType
	name    string                                      // in the table of docs/providers.md
	site    func(base string) source.Site               // of a test provider at base
	make    func(o rest.Options) provider               // the member under test
	owner   string                                      // of the repository app; may have several elements
	good    kind                                        // a token that can do everything
	kinds   []kind                                      // the others, good first or not; each is a row of the table
	foreign []secret.Text                               // tokens of other providers
	expired kind                                        // one that ended
	limited func(time.Duration) sourcetest.Failure      // a rate limit that ends so long from now
	pullRef func(number int) string                     // a version that names a pull request; nil if there is none
	roles   map[string]api.PullRequestBuildApproverRole // by the words of sourcetest
	signs   bool                                        // deliveries are signed over the body
	reopens bool                                        // a closed pull request can be opened again

	user func(s *sourcetest.Server, login string) string // what roles are asked by; nil means the login
}

// A kind is a token as somebody may import it.
type kind struct {
	name     string // in the table
	token    sourcetest.Token
	username string // imported beside it
	role     string // of its owner on the repository; "" is admin
}

func (k kind) login(server api.ServerType) source.Login {
	return source.NewLogin(server, k.username, secret.New(k.token.Value))
}

// flavours are the members of the family. A new one is added here.
func flavours() []flavour {
	return []flavour{
		gitHub(api.ServerTypeGithub, "GitHub"),
		gitHub(api.ServerTypeGithubEnterprise, "GitHub Enterprise Server"),
		bitbucketCloud(),
		gitLab(api.ServerTypeGitlab, "GitLab.com"),
		gitLab(api.ServerTypeGitlabSelfManaged, "GitLab, self-managed"),
	}
}

// TestContract holds every provider to what package source promises. With
// -update it writes what it finds of the kinds of tokens into docs/providers.md.
func TestContract(t *testing.T) {
	var rows []row
	whole := true
	for _, f := range flavours() {
		ran := false
		t.Run(string(f.server), func(t *testing.T) {
			ran = true
			rows = append(rows, contract(t, f)...)
		})
		whole = whole && ran
	}
	if whole && !t.Failed() {
		compareTable(t, rows)
	}
}

// contract runs the suite on one member and returns what its tokens can do.
func contract(t *testing.T, f flavour) []row {
	for name, test := range map[string]func(*bench){
		"a good token is told whole":                      (*bench).goodToken,
		"a token that ended is told":                      (*bench).expiredToken,
		"a token of another provider is told":             (*bench).foreignTokens,
		"a redirect to another host carries no token":     (*bench).redirect,
		"another site than the one given is not called":   (*bench).otherSite,
		"versions are resolved":                           (*bench).resolve,
		"statuses are set and repeated":                   (*bench).statuses,
		"hooks are made, found, changed and deleted":      (*bench).hooks,
		"deliveries are verified":                         (*bench).signatures,
		"pushes, tags and deletions are read":             (*bench).pushes,
		"pull requests are read":                          (*bench).pulls,
		"comments are read":                               (*bench).comments,
		"what deliveries leave out is told":               (*bench).details,
		"roles are told":                                  (*bench).roles,
		"repositories are listed, searched and paged":     (*bench).list,
		"rate limits are honoured":                        (*bench).rateLimit,
		"nothing that is not JSON is taken for an answer": (*bench).notJSON,
	} {
		t.Run(name, func(t *testing.T) { test(newBench(t, f)) })
	}
	var rows []row
	t.Run("what a check says of a token is true", func(t *testing.T) { rows = newBench(t, f).kinds() })
	return rows
}

// A bench is a provider at work, and the member under test before it.
type bench struct {
	*testing.T
	flavour
	at     *sourcetest.Server
	under  provider
	repo   source.Repository
	by     source.Login
	head   string // of main
	calls  string // where hooks lead to
	waited *waits
}

// waits are how long calls waited before they were repeated.
type waits struct {
	mu   sync.Mutex // guards list
	list []time.Duration
}

func (w *waits) add(_ context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, d)
	return nil
}

func newBench(t *testing.T, f flavour) *bench {
	t.Helper()
	s, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Server: f.server, PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	base, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	b := &bench{T: t, flavour: f, at: s, calls: receiver.URL + "/hook/a", waited: &waits{}}
	b.under = f.make(rest.Options{UserAgent: "slipway/contract", Pause: b.waited.add})
	b.repo = source.Repository{Site: f.site(base), Owner: f.owner, Name: "app"}
	b.by = f.good.login(f.server)
	s.AddToken(f.good.token)
	b.must(s.CreateRepository(f.owner, "app", true))
	b.head, err = s.Commit(f.owner, "app", "main", map[string]string{"README.md": "hello\n"}, "First\n\nWith a body.")
	b.must(err)
	return b
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// refused returns err as the Refusal that it must be.
func (b *bench) refused(err error) *source.Refusal {
	b.Helper()
	r, ok := errors.AsType[*source.Refusal](err)
	if !ok {
		b.Fatalf("the error is %v, want a Refusal", err)
	}
	return r
}

// tellsNoSecret fails if words hold the login's token.
func (b *bench) tellsNoSecret(by source.Login, words ...string) {
	b.Helper()
	for _, w := range words {
		if strings.Contains(w, by.Token.Reveal()) {
			b.Errorf("a token is told in %q", strings.ReplaceAll(w, by.Token.Reveal(), "[the token]"))
		}
	}
}

func (b *bench) check(r *source.Repository, by source.Login) slipway.CredentialHealth {
	b.Helper()
	h, err := b.under.Check(b.Context(), b.repo.Site, r, by)
	b.must(err)
	b.tellsNoSecret(by, fmt.Sprintf("%+v", h))
	if h.State != slipway.CredentialStateValid && (h.Message == "" || h.NextStep == "" || h.Cause == "") {
		b.Errorf("%s without a cause, message or next step: %+v", h.State, h)
	}
	return h
}

func (b *bench) goodToken() {
	for _, r := range []*source.Repository{nil, &b.repo} {
		h := b.check(r, b.by)
		if h.State != slipway.CredentialStateValid || h.Owner == "" || h.Host == "" || h.TokenKind == slipway.TokenKindUnknown {
			b.Errorf("Check with repository %t = %+v, want it valid with its owner, host and kind", r != nil, h)
		}
		if r != nil && slices.ContainsFunc(h.Jobs, func(j slipway.JobAbility) bool { return j.Ability != slipway.AbilityYes }) || len(h.Jobs) != 4 {
			b.Errorf("Check with repository %t = jobs %+v, want four, and on a repository YES", r != nil, h.Jobs)
		}
	}
	for _, hook := range b.at.Hooks(b.repo.FullName()) {
		b.Errorf("a check left the hook %+v", hook)
	}
	if s := b.at.Statuses(b.owner, "app", b.head); len(s) > 0 {
		b.Errorf("a check left the statuses %+v", s)
	}
}

func (b *bench) expiredToken() {
	b.at.AddToken(b.expired.token)
	h := b.check(&b.repo, b.expired.login(b.server))
	if h.State != slipway.CredentialStateInvalid && h.State != slipway.CredentialStateExpired {
		b.Errorf("Check = %+v, want it invalid or expired", h)
	}
	_, err := b.under.Resolve(b.Context(), b.repo, "main", b.expired.login(b.server))
	if r := b.refused(err); r.Cause != slipway.FailureCauseBadToken && r.Cause != slipway.FailureCauseExpiredToken || r.NextStep == "" {
		b.Errorf("Resolve: %+v, want BAD_TOKEN or EXPIRED_TOKEN and what to do", r)
	}
}

func (b *bench) foreignTokens() {
	for _, text := range b.foreign {
		h := b.check(nil, source.NewLogin(b.server, "", text))
		if h.State != slipway.CredentialStateInvalid || h.Cause != slipway.FailureCauseWrongKind {
			b.Errorf("Check of a %s = %s %s %q, want INVALID WRONG_KIND", h.TokenKind, h.State, h.Cause, h.Message)
		}
	}
	if n := len(b.at.Requests()); n > 0 {
		b.Errorf("%d requests carried tokens of other providers", n)
	}
}

func (b *bench) redirect() {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 307, 308} {
		b.at.Fail("*", sourcetest.Failure{Status: status, Header: http.Header{"Location": {elsewhere.URL + "/x"}}}, 1)
		_, err := b.under.Resolve(b.Context(), b.repo, "main", b.by)
		if r := b.refused(err); r.Cause != slipway.FailureCauseMoved || r.NextStep == "" {
			b.Errorf("after a %d: %+v, want MOVED and what to do", status, r)
		}
	}
	b.at.Fail("*", sourcetest.Failure{Status: 302, Header: http.Header{"Location": {elsewhere.URL + "/x"}}}, 1000)
	b.check(&b.repo, b.by)
	if asked.Load() > 0 {
		b.Errorf("the other host was asked %d times", asked.Load())
	}
}

func (b *bench) otherSite() {
	other := newBench(b.T, b.flavour)
	before := len(b.at.Requests())
	_, _ = other.under.Resolve(b.Context(), other.repo, "main", other.by)
	if len(b.at.Requests()) != before || len(other.at.Requests()) == 0 {
		b.Error("a call for one site reached another")
	}
}

func (b *bench) resolve() {
	topic, err := b.at.Commit(b.owner, "app", "topic/one", map[string]string{"a": "1"}, "topic")
	b.must(err)
	b.must(b.at.Tag(b.owner, "app", "v1", b.head, ""))
	b.must(b.at.Tag(b.owner, "app", "v2", topic, "annotated"))
	versions := map[string]string{
		"main": b.head, "topic/one": topic, "v1": b.head, "v2": topic, "refs/heads/topic/one": topic, "refs/tags/v2": topic,
		b.head: b.head, topic[:7]: topic, topic[:12]: topic,
	}
	if b.pullRef != nil {
		n, err := b.at.OpenPullRequest(b.owner, "app", sourcetest.PullRequest{HeadBranch: "topic/one", BaseBranch: "main"})
		b.must(err)
		versions[b.pullRef(n)] = topic
	}
	for version, want := range versions {
		if got, err := b.under.Resolve(b.Context(), b.repo, version, b.by); err != nil || got != want {
			b.Errorf("Resolve(%q) = %q, %v, want %q", version, got, err, want)
		}
	}
	for _, version := range []string{"none", "refs/heads/none", strings.Repeat("0", 40), "", "..", "../../user", "a b", "a\nb"} {
		got, err := b.under.Resolve(b.Context(), b.repo, version, b.by)
		if r := b.refused(err); r.Message == "" || r.Again {
			b.Errorf("Resolve(%q) = %q, %+v, want a Refusal for good", version, got, r)
		}
	}
	if _, err := b.under.Resolve(b.Context(), b.repo, "main", source.Login{}); err == nil {
		b.Error("nobody sees the private repository")
	}
}

func (b *bench) statuses() {
	long := strings.Repeat("é", 400)
	states := []source.State{source.Pending, source.Pending, source.Success, source.Failure, source.Errored, source.Stopped}
	for _, state := range states {
		s := source.Status{State: state, Context: "AWS CodeBuild us-east-1 (" + strings.Repeat("long-", 20) + "app)", Description: long, TargetURL: "https://ci.example/" + strings.Repeat("x", 400), Ref: "refs/heads/main"}
		if err := b.under.ReportStatus(b.Context(), b.repo, b.head, s, b.by); err != nil {
			b.Errorf("ReportStatus %s: %v", state, err)
		}
	}
	if got := b.at.Statuses(b.owner, "app", b.head); len(got) == 0 {
		b.Error("the provider has no status")
	}
	if err := b.under.ReportStatus(b.Context(), b.repo, strings.Repeat("1", 40), source.Status{State: source.Success, Context: "x", TargetURL: "https://ci.example"}, b.by); err == nil {
		b.Error("a status of an unknown commit was taken")
	}
	if err := b.under.ReportStatus(b.Context(), b.repo, b.head, source.Status{State: source.Success, Context: "x"}, b.by); err != nil {
		b.Errorf("a status without a target: %v", err)
	}
}

func (b *bench) target() source.Target { return source.Target{Repository: b.repo} }

func (b *bench) settings() source.HookSettings {
	return source.HookSettings{PayloadURL: b.calls, Secret: secret.New("first-secret-of-the-hook"), Comments: true, Events: []event.Type{
		event.Push, event.PullRequestCreated, event.PullRequestUpdated, event.PullRequestReopened, event.PullRequestMerged, event.PullRequestClosed,
	}}
}

func (b *bench) hooks() {
	if found, err := b.under.Hooks(b.Context(), b.target(), b.calls, b.by); err != nil || len(found) > 0 {
		b.Fatalf("Hooks = %+v, %v, want none", found, err)
	}
	for _, n := range []string{"b", "c", "d"} { // so that there is more than a page of them
		s := b.settings()
		s.PayloadURL = strings.TrimSuffix(b.calls, "a") + n
		_, err := b.under.CreateHook(b.Context(), b.target(), s, b.by)
		b.must(err)
	}
	made, err := b.under.CreateHook(b.Context(), b.target(), b.settings(), b.by)
	b.must(err)
	if made.ID == "" || !made.Active || !made.Signed {
		b.Errorf("CreateHook = %+v, want it active and signed, with an id", made)
	}
	found, err := b.under.Hooks(b.Context(), b.target(), b.calls, b.by)
	if err != nil || len(found) != 1 || found[0].ID != made.ID {
		b.Errorf("Hooks = %+v, %v, want the one made, %s", found, err, made.ID)
	}
	if found, err := b.under.Hooks(b.Context(), b.target(), b.calls[:len(b.calls)-1], b.by); err != nil || len(found) > 0 {
		b.Errorf("Hooks of an address that begins so = %+v, %v, want none", found, err)
	}
	b.at.SetHookActive(made.ID, false)
	s := b.settings()
	s.Secret, s.Comments = secret.New("second-secret-of-the-hook"), false
	changed, err := b.under.UpdateHook(b.Context(), b.target(), made.ID, s, b.by)
	if err != nil || changed.ID != made.ID || !changed.Active {
		b.Errorf("UpdateHook = %+v, %v, want it active again", changed, err)
	}
	if _, err := b.at.Push(b.owner, "app", "main", map[string]string{"x": "1"}, "x", "ada"); err != nil {
		b.Fatal(err)
	}
	if verdict, _ := b.signed(b.last(), "second-secret-of-the-hook"); verdict != slipway.SignatureVerdictValid {
		b.Errorf("after the change deliveries are %s under the new secret", verdict)
	}
	for range 2 {
		if err := b.under.DeleteHook(b.Context(), b.target(), made.ID, b.by); err != nil {
			b.Errorf("DeleteHook: %v", err)
		}
	}
	if found, err := b.under.Hooks(b.Context(), b.target(), b.calls, b.by); err != nil || len(found) > 0 {
		b.Errorf("Hooks after DeleteHook = %+v, %v, want none", found, err)
	}
	if rest := b.at.Hooks(b.repo.FullName()); len(rest) != 3 {
		b.Errorf("%d hooks are left, want the three others", len(rest))
	}
}

// hooked makes a hook and returns its secret.
func (b *bench) hooked() string {
	b.Helper()
	_, err := b.under.CreateHook(b.Context(), b.target(), b.settings(), b.by)
	b.must(err)
	return b.settings().Secret.Reveal()
}

// last returns the latest delivery to b.calls.
func (b *bench) last() sourcetest.Sent {
	b.Helper()
	hooks := b.at.Hooks(b.repo.FullName())
	for _, sent := range slices.Backward(b.at.Sent()) {
		if slices.ContainsFunc(hooks, func(h sourcetest.Hook) bool { return h.ID == sent.HookID && h.URL == b.calls }) {
			return sent
		}
	}
	b.Fatal("nothing was delivered")
	return sourcetest.Sent{}
}

func (b *bench) signed(sent sourcetest.Sent, secrets ...string) (slipway.SignatureVerdict, int) {
	var texts []secret.Text
	for _, s := range secrets {
		texts = append(texts, secret.New(s))
	}
	return b.under.Signed(sent.Header, sent.Body, texts, time.Now())
}

// read returns what the latest delivery says.
func (b *bench) read() event.Delivery {
	b.Helper()
	sent := b.last()
	d, err := b.under.Read(sent.Header, sent.Body)
	b.must(err)
	if d.ID == "" || d.Sender == "" || d.Name == "" || d.Repository.FullName != b.repo.FullName() || d.Repository.ID == "" || d.Repository.Name != "app" || d.Repository.CloneURL == "" {
		b.Errorf("the delivery says %+v, want its id, name, sender and repository", d)
	}
	return d
}

// event returns the only event of the latest delivery.
func (b *bench) event() event.Event {
	b.Helper()
	d := b.read()
	if len(d.Events) != 1 {
		b.Fatalf("the delivery %s says %+v (%s), want one event", d.Name, d.Events, d.Note)
	}
	return d.Events[0]
}

func (b *bench) signatures() {
	right := b.hooked()
	_, err := b.at.Push(b.owner, "app", "main", map[string]string{"x": "1"}, "x", "ada")
	b.must(err)
	sent := b.last()
	for _, c := range []struct {
		name    string
		secrets []string
		want    slipway.SignatureVerdict
		which   int
	}{
		{"the right secret", []string{right}, slipway.SignatureVerdictValid, 0},
		{"the old secret", []string{"another", right}, slipway.SignatureVerdictValidOldSecret, 1},
		{"a wrong secret", []string{"another"}, slipway.SignatureVerdictInvalid, -1},
		{"an empty secret", []string{""}, slipway.SignatureVerdictInvalid, -1},
		{"no secret", nil, slipway.SignatureVerdictInvalid, -1},
	} {
		if verdict, which := b.signed(sent, c.secrets...); verdict != c.want || c.which >= 0 && which != c.which {
			b.Errorf("under %s = %s, %d, want %s, %d", c.name, verdict, which, c.want, c.which)
		}
	}
	if b.signs {
		changed := sent
		changed.Body = append(slices.Clone(sent.Body), ' ')
		if verdict, _ := b.signed(changed, right); verdict != slipway.SignatureVerdictInvalid {
			b.Errorf("another body = %s, want INVALID", verdict)
		}
	}
	if verdict, _ := b.under.Signed(http.Header{}, sent.Body, []secret.Text{secret.New(right)}, time.Now()); verdict != slipway.SignatureVerdictMissing {
		b.Errorf("without a signature = %s, want MISSING", verdict)
	}
	b.must(b.at.Redeliver(sent.ID))
	again := b.last()
	first, err := b.under.Read(sent.Header, sent.Body)
	b.must(err)
	second, err := b.under.Read(again.Header, again.Body)
	b.must(err)
	if first.ID != second.ID {
		b.Errorf("delivered again it has the id %q, want %q", second.ID, first.ID)
	}
	if _, err := b.under.Read(sent.Header, []byte("{")); err == nil {
		b.Error("half a delivery was read")
	}
	if _, err := b.under.Read(http.Header{}, sent.Body); err == nil {
		b.Error("a delivery without the provider's headers was read")
	}
}

// whole completes an event by the API, where the payload is short.
func (b *bench) whole(e event.Event) (commit, message string, files []string) {
	b.Helper()
	commit, err := b.under.Resolve(b.Context(), b.repo, e.Commit, b.by)
	b.must(err)
	if e.Message != nil {
		message = *e.Message
	} else {
		message, err = b.under.Message(b.Context(), b.repo, commit, b.by)
		b.must(err)
	}
	files = e.Files
	if files == nil {
		files, err = b.under.Files(b.Context(), b.repo, e, b.by)
		b.must(err)
	}
	slices.Sort(files)
	return commit, strings.TrimSpace(message), files
}

func (b *bench) pushes() {
	b.hooked()
	one, err := b.at.Push(b.owner, "app", "main", map[string]string{"src/a.go": "1", "docs/b.md": "2"}, "Second\n\nIt says more.", "ada")
	b.must(err)
	e := b.event()
	if e.Type != event.Push || e.HeadRef != "refs/heads/main" || e.Before == "" || e.Deleted || e.ActorID == "" || e.BaseRef != "" || e.PullRequest != nil {
		b.Errorf("a push is %+v", e)
	}
	if commit, message, files := b.whole(e); commit != one || message != "Second\n\nIt says more." || !slices.Equal(files, []string{"docs/b.md", "src/a.go"}) {
		b.Errorf("a push is of %s %q with %q, want %s", commit, message, files, one)
	}
	two, err := b.at.Push(b.owner, "app", "fresh", map[string]string{"new.txt": "1"}, "Third", "ada")
	b.must(err)
	e = b.event()
	if commit, _, files := b.whole(e); e.HeadRef != "refs/heads/fresh" || e.Before != "" || commit != two || !slices.Contains(files, "new.txt") {
		b.Errorf("a push of a new branch is %+v of %s with %q, want %s", e, commit, files, two)
	}
	b.must(b.at.DeliverTag(b.owner, "app", "v1", two, "ada"))
	e = b.event()
	if commit, _, _ := b.whole(e); e.Type != event.Push || e.HeadRef != "refs/tags/v1" || e.Deleted || commit != two {
		b.Errorf("a push of a tag is %+v of %s, want %s", e, commit, two)
	}
	for _, ref := range []string{"refs/heads/fresh", "refs/tags/v1"} {
		b.must(b.at.DeliverDelete(b.owner, "app", ref, "ada"))
		if e = b.event(); e.Type != event.Push || !e.Deleted || e.HeadRef != ref {
			b.Errorf("a deletion of %s is %+v, want it marked as one", ref, e)
		}
	}
}

func (b *bench) pulls() {
	b.hooked()
	b.must(b.at.Fork(b.owner, "app", "eve"))
	head, err := b.at.Commit("eve", "app", "topic", map[string]string{"pulled.go": "1"}, "From a fork")
	b.must(err)
	n, err := b.at.OpenPullRequest(b.owner, "app", sourcetest.PullRequest{Title: "Topic", Author: "eve", HeadOwner: "eve", HeadName: "app", HeadBranch: "topic", BaseBranch: "main"})
	b.must(err)
	expect := func(action string, want event.Type) event.Event {
		b.Helper()
		b.must(b.at.DeliverPullRequest(b.owner, "app", n, action, "eve"))
		e := b.event()
		if e.Type != want || e.HeadRef != "refs/heads/topic" || e.BaseRef != "refs/heads/main" || e.ActorID == "" || !strings.HasPrefix(head, e.Commit) || e.Commit == "" {
			b.Errorf("%s is %+v, want %s of %s", action, e, want, head)
		}
		if pr := e.PullRequest; pr == nil || pr.Number != int64(n) || !pr.Fork || pr.AuthorName == "" || pr.Head.FullName != "eve/app" {
			b.Errorf("%s has the pull request %+v, want %d from a fork", action, pr, n)
		}
		return e
	}
	e := expect("opened", event.PullRequestCreated)
	files, err := b.under.Files(b.Context(), b.repo, e, b.by)
	if err != nil || !slices.Equal(files, []string{"pulled.go"}) {
		b.Errorf("Files = %q, %v, want pulled.go", files, err)
	}
	head, err = b.at.Commit("eve", "app", "topic", map[string]string{"more.go": "1"}, "More")
	b.must(err)
	expect("updated", event.PullRequestUpdated)
	expect("closed", event.PullRequestClosed)
	if b.reopens {
		expect("reopened", event.PullRequestReopened)
	}
	if e := expect("merged", event.PullRequestMerged); e.Merge == "" {
		b.Error("a merged pull request has no merge commit")
	}
}

func (b *bench) comments() {
	b.hooked()
	_, err := b.at.Commit(b.owner, "app", "topic", map[string]string{"a": "1"}, "topic")
	b.must(err)
	n, err := b.at.OpenPullRequest(b.owner, "app", sourcetest.PullRequest{HeadBranch: "topic", BaseBranch: "main"})
	b.must(err)
	text := "/codebuild_run(" + b.head + ")\n<b>&amp; \"quotes\"</b>"
	b.must(b.at.DeliverComment(b.owner, "app", n, text, "ada"))
	d := b.read()
	if d.Comment == nil || d.Comment.PullRequest != int64(n) || d.Comment.Text != text || d.Comment.AuthorID == "" || d.Comment.AuthorName == "" || len(d.Events) > 0 {
		b.Errorf("a comment is %+v, want %q", d.Comment, text)
	}
}

func (b *bench) details() {
	one, err := b.at.Commit(b.owner, "app", "topic", map[string]string{"a.txt": "1", "b.txt": "2", "c.txt": "3"}, "One\n\nBody")
	b.must(err)
	n, err := b.at.OpenPullRequest(b.owner, "app", sourcetest.PullRequest{Author: b.good.token.Login, HeadBranch: "topic", BaseBranch: "main"})
	b.must(err)
	if message, err := b.under.Message(b.Context(), b.repo, one, b.by); err != nil || strings.TrimSpace(message) != "One\n\nBody" {
		b.Errorf("Message = %q, %v", message, err)
	}
	e, err := b.under.PullRequest(b.Context(), b.repo, int64(n), b.by)
	b.must(err)
	if e.Type != event.PullRequestUpdated || e.HeadRef != "refs/heads/topic" || e.BaseRef != "refs/heads/main" || e.PullRequest == nil || e.PullRequest.Fork || !strings.HasPrefix(one, e.Commit) {
		b.Errorf("PullRequest = %+v", e)
	}
	files, err := b.under.Files(b.Context(), b.repo, e, b.by)
	if slices.Sort(files); err != nil || !slices.Equal(files, []string{"a.txt", "b.txt", "c.txt"}) {
		b.Errorf("Files of the pull request = %q, %v, want three over two pages", files, err)
	}
	files, err = b.under.Files(b.Context(), b.repo, event.Event{Type: event.Push, HeadRef: "refs/heads/topic", Before: b.head, Commit: one}, b.by)
	if slices.Sort(files); err != nil || !slices.Equal(files, []string{"a.txt", "b.txt", "c.txt"}) {
		b.Errorf("Files of a push = %q, %v, want three", files, err)
	}
	for i := range 2 {
		branch := fmt.Sprintf("more-%d", i)
		_, err := b.at.Commit(b.owner, "app", branch, map[string]string{branch: "1"}, branch)
		b.must(err)
		_, err = b.at.OpenPullRequest(b.owner, "app", sourcetest.PullRequest{HeadBranch: branch, BaseBranch: "main"})
		b.must(err)
	}
	b.must(b.at.DeliverPullRequest(b.owner, "app", n, "closed", "ada"))
	open, err := b.under.OpenPullRequests(b.Context(), b.repo, b.by)
	if err != nil || len(open) != 2 {
		b.Errorf("OpenPullRequests = %+v, %v, want two", open, err)
	}
	if _, err := b.under.PullRequest(b.Context(), b.repo, 999, b.by); b.refused(err).Message == "" {
		b.Error("there is a pull request 999")
	}
}

func (b *bench) roles() {
	user := "zoe"
	if b.user != nil {
		user = b.user(b.at, "zoe")
	}
	for role, want := range b.flavour.roles {
		b.at.SetRole(b.owner, "app", "zoe", role)
		if got, err := b.under.Role(b.Context(), b.repo, user, b.by); err != nil || got != want {
			b.Errorf("Role of somebody who is %s = %q, %v, want %q", role, got, err, want)
		}
	}
}

func (b *bench) list() {
	for i := range 5 {
		b.must(b.at.CreateRepository(b.owner, fmt.Sprintf("service-%d", i), i%2 == 0))
	}
	all := func(search string) []string {
		b.Helper()
		var names []string
		after := ""
		for range 20 {
			page, next, _, err := b.under.Repositories(b.Context(), b.repo.Site, search, after, b.by)
			b.must(err)
			for _, r := range page {
				names = append(names, r.FullName)
				if r.CloneURL != b.repo.WebBase+"/"+r.FullName+".git" || r.DefaultBranch == "" {
					b.Errorf("a repository is listed as %+v", r)
				}
			}
			if next == "" {
				slices.Sort(names)
				return names
			}
			after = next
		}
		b.Fatal("the list does not end")
		return nil
	}
	if got := all(""); len(got) != 6 || len(slices.Compact(got)) != 6 {
		b.Errorf("Repositories = %q, want six, each once", got)
	}
	if got := all("SERVICE-3"); !slices.Equal(got, []string{b.owner + "/service-3"}) {
		b.Errorf("Repositories with service-3 = %q", got)
	}
	if _, _, _, err := b.under.Repositories(b.Context(), b.repo.Site, "", "\x00no", b.by); err == nil {
		b.Error("a next token of nobody was taken")
	}
}

func (b *bench) rateLimit() {
	b.at.Fail("*", b.limited(2*time.Second), 1)
	if _, err := b.under.Resolve(b.Context(), b.repo, "main", b.by); err != nil {
		b.Errorf("after a short limit: %v, want it tried again", err)
	}
	b.waited.mu.Lock()
	waited := slices.Clone(b.waited.list)
	b.waited.mu.Unlock()
	if len(waited) != 1 || waited[0] < time.Second {
		b.Errorf("waited %v, want at least a second, once", waited)
	}
	b.at.Fail("*", b.limited(time.Hour), 1)
	_, err := b.under.Resolve(b.Context(), b.repo, "main", b.by)
	if r := b.refused(err); r.Cause != slipway.FailureCauseRateLimited || !r.Again || r.After < 10*time.Minute {
		b.Errorf("after a long limit: %+v, want RATE_LIMITED with the time", r)
	}
	b.at.Fail("*", b.limited(time.Hour), 1)
	if h := b.check(nil, b.by); h.State != slipway.CredentialStateUnreachable || h.Cause != slipway.FailureCauseRateLimited {
		b.Errorf("Check under a limit = %s %s, want UNREACHABLE RATE_LIMITED", h.State, h.Cause)
	}
	b.at.FailNext("*", 502, "Bad Gateway", 2)
	if _, err := b.under.Resolve(b.Context(), b.repo, "main", b.by); err != nil {
		b.Errorf("after two failures: %v, want it tried again", err)
	}
}

func (b *bench) notJSON() {
	b.at.FailNext("*", 200, "<html>Sign in</html>", 1000)
	if h := b.check(nil, b.by); h.State == slipway.CredentialStateValid || h.State == slipway.CredentialStateInvalid {
		b.Errorf("Check of a login page = %s, want that the token is not blamed", h.State)
	}
	if _, err := b.under.Resolve(b.Context(), b.repo, "main", b.by); err == nil {
		b.Error("a login page was resolved")
	}
	if _, err := b.under.Hooks(b.Context(), b.target(), b.calls, b.by); err == nil {
		b.Error("a login page lists hooks")
	}
}

// A row of the table in docs/providers.md.
type row struct {
	provider, kind string
	cells          []string
}

// kinds checks every kind of token on the repository, does each job with it, and
// holds what the check says against what came of it.
func (b *bench) kinds() []row {
	_, err := b.at.Commit(b.owner, "app", "topic", map[string]string{"pulled.go": "1"}, "topic")
	b.must(err)
	n, err := b.at.OpenPullRequest(b.owner, "app", sourcetest.PullRequest{HeadBranch: "topic", BaseBranch: "main"})
	b.must(err)
	pull, err := b.under.PullRequest(b.Context(), b.repo, int64(n), b.by)
	b.must(err)
	var rows []row
	for _, k := range append([]kind{b.good}, b.flavour.kinds...) {
		b.Run(k.name, func(t *testing.T) {
			one := *b
			one.T = t
			rows = append(rows, one.kind(k, pull))
		})
	}
	return rows
}

func (b *bench) kind(k kind, pull event.Event) row {
	b.at.AddToken(k.token)
	if k.role != "" {
		b.at.SetRole(b.owner, "app", k.token.Login, k.role)
		defer b.at.SetRole(b.owner, "app", k.token.Login, "admin")
	}
	by := k.login(b.server)
	h := b.check(&b.repo, by)
	did := map[slipway.CredentialJob]error{
		slipway.CredentialJobClone:            b.clone(by),
		slipway.CredentialJobCommitStatus:     b.under.ReportStatus(b.Context(), b.repo, b.head, source.Status{State: source.Success, Context: "for " + k.name, TargetURL: "https://ci.example"}, by),
		slipway.CredentialJobWebhook:          b.hookOnce(by),
		slipway.CredentialJobPullRequestFiles: func() error { _, err := b.under.Files(b.Context(), b.repo, pull, by); return err }(),
	}
	out := row{provider: b.name, kind: k.name}
	for _, job := range h.Jobs {
		err := did[job.Job]
		switch {
		case job.Ability == slipway.AbilityYes && err != nil:
			b.Errorf("%s is YES, but: %v", job.Job, err)
		case job.Ability == slipway.AbilityNo && err == nil:
			b.Errorf("%s is NO (%s), but it worked", job.Job, job.Message)
		case job.Ability == slipway.AbilityNo && (job.Cause == "" || job.Message == "" || job.NextStep == ""):
			b.Errorf("%s is NO without a cause, message or next step: %+v", job.Job, job)
		case job.Ability == slipway.AbilityNo && job.Cause == slipway.FailureCauseMissingScope && (len(job.Missing) == 0 || job.Link == ""):
			b.Errorf("%s misses %q, see %q; want the scope and where to get it", job.Job, job.Missing, job.Link)
		}
		out.cells = append(out.cells, cell(job))
	}
	if len(out.cells) != 4 {
		b.Errorf("%d jobs are told of, want 4", len(out.cells))
	}
	return out
}

func cell(job slipway.JobAbility) string {
	switch {
	case job.Ability != slipway.AbilityNo:
		return strings.ToLower(string(job.Ability))
	case len(job.Missing) > 0:
		return "no: lacks `" + strings.Join(job.Missing, "`, `") + "`"
	}
	return "no: " + strings.ToLower(strings.ReplaceAll(string(job.Cause), "_", " "))
}

// clone asks for the refs with git itself.
func (b *bench) clone(by source.Login) error {
	cmd := exec.CommandContext(b.Context(), "git", "-c", "credential.helper=", "-c", `credential.helper=!f() { test "$1" = get && echo "username=$GIT_LOGIN" && echo "password=$GIT_SECRET"; }; f`, "ls-remote", b.repo.CloneURL())
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_LOGIN="+by.GitUser(), "GIT_SECRET="+by.Token.Reveal())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (b *bench) hookOnce(by source.Login) error {
	s := b.settings()
	s.PayloadURL += "/" + strings.ToLower(strings.NewReplacer(" ", "-", "`", "", ":", "-").Replace(b.Name()))
	made, err := b.under.CreateHook(b.Context(), b.target(), s, by)
	if err != nil {
		return err
	}
	return b.under.DeleteHook(b.Context(), b.target(), made.ID, by)
}

// The table in docs/providers.md stands between these.
const (
	tablePath  = "../../docs/providers.md"
	tableBegin = "<!-- table of tokens: written by go test ./internal/source -update -->"
	tableEnd   = "<!-- end of the table of tokens -->"
)

// compareTable holds the table in docs/providers.md against rows.
func compareTable(t *testing.T, rows []row) {
	t.Helper()
	var want strings.Builder
	want.WriteString("\n| Provider | Token | Clone | Commit status | Webhook | Pull request files |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&want, "| %s | %s | %s |\n", r.provider, r.kind, strings.Join(r.cells, " | "))
	}
	text, err := os.ReadFile(tablePath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	got, after, ended := strings.Cut(rest, tableEnd)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table: a line %q and a line %q", tablePath, tableBegin, tableEnd)
	}
	if *update {
		if err := os.WriteFile(tablePath, []byte(before+tableBegin+"\n"+want.String()+"\n"+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.TrimSpace(want.String()), strings.TrimSpace(got)); diff != "" {
		t.Errorf("the table in %s is not what was found; run 'go test ./internal/source -update' (-found +there):\n%s", tablePath, diff)
	}
}
