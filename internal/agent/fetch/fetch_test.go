package fetch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source/sourcetest"
)

// agentPath is the agent, whose program is the fetch and git's credential helper
// of most tests.
var agentPath string

// TestMain makes this program its own child, for tests that look for races: the
// fetch, git's credential helper, and an agent that fetches.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "fetch":
			os.Exit(fetch.Main(os.Stdin, os.Stdout))
		case "credential":
			os.Exit(fetch.CredentialHelper(os.Args[2:], os.Stdin, os.Stdout))
		case "agent":
			var job fetch.Job
			if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil {
				os.Exit(1)
			}
			_, _ = fetch.Run(context.Background(), []string{os.Args[0]}, job, io.Discard)
			os.Exit(0)
		}
	}
	for _, name := range []string{"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"} {
		os.Unsetenv(name)
	}
	os.Exit(run(m))
}

// run builds the agent as users do, so that what make has compiled is used. It
// starts several times in each fetch, which with the race detector would cost
// more than the fetch.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "slipway-agent-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	agentPath = filepath.Join(dir, "slipway-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", agentPath, "slipway/cmd/slipway-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const (
	canary = "ghp_c4nary/T0ken+Zq1Xw3Er5Ty7Ui9Op1As3Df5" // with characters that URLs and forms escape
	arn    = "arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise"
)

// A world is a provider, a server that knows the login to it, and a directory
// for the build.
type world struct {
	agentapi.Backend // for what no test asks of it

	*sourcetest.Server
	dir    string
	launch agentapi.Launch

	mu         sync.Mutex // guards all below
	credential agentapi.Credential
	others     map[string]agentapi.Credential // of submodules, by host
	urls       []string                       // of submodules, as they were asked for
	refusals   []error                        // given, in turn, before the credential; nil is none
	asked      int
	objects    map[string]string // in S3, by the identifier of their source and their path, with a slash between
	broken     int               // how many bodies end early
	versioned  string            // the version of every object

	certificate string // the project's
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Server: newProvider(t), dir: t.TempDir()}
	w.AddToken(sourcetest.Token{Value: canary, Login: "mona", Scopes: []string{"repo"}})
	w.login(canary)

	// A socket's path must be short, which t.TempDir is not always.
	dir, err := os.MkdirTemp("", "w")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	w.launch = agentapi.Launch{
		Server: "unix://" + filepath.Join(dir, "s"), BuildID: "app:1",
		Token: agentapi.Bearer{Text: secret.New("build-token")}, Dir: filepath.Join(dir, "build"),
	}
	must(t, os.Mkdir(w.launch.Dir, 0o700))
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	server := &http.Server{Handler: agentapi.NewHandler(w, slog.New(slog.DiscardHandler))}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return w
}

func newProvider(t testing.TB) *sourcetest.Server {
	t.Helper()
	p, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { p.Close() })
	_, err = p.Start("127.0.0.1:0")
	must(t, err)
	return p
}

// login makes the server hand out token for the provider; "" means none.
func (w *world) login(token string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.credential = agentapi.Credential{}
	if token != "" {
		w.credential = agentapi.Credential{
			Username: "mona", Password: agentapi.Bearer{Text: secret.New(token)},
			Host: strings.TrimPrefix(w.URL(), "http://"), ARN: arn,
		}
	}
}

func (w *world) refuse(errs ...error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusals = errs
}

// Credential and the methods below make a world an agentapi.Backend.
func (w *world) Credential(_ context.Context, _ string, _ secret.Text, in agentapi.CredentialRequest) (*agentapi.Credential, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if len(w.refusals) > 0 {
		err := w.refusals[0]
		w.refusals = w.refusals[1:]
		if err != nil {
			return nil, err
		}
	}
	if in.URL == "" {
		return &w.credential, nil
	}
	w.urls = append(w.urls, in.URL)
	at, err := url.Parse(in.URL)
	if err != nil || at.User != nil {
		return nil, fault.New(fault.Invalid, "not the URL of a submodule")
	}
	if at.Host == w.credential.Host && at.Scheme == "http" {
		return &w.credential, nil
	}
	other := w.others[at.Host]
	return &other, nil
}

func (w *world) Get(_ context.Context, _ string, _ secret.Text, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.object(o); err != nil {
		return nil, agentapi.ObjectInfo{}, err
	}
	text, ok := w.objects[o.Identifier+"/"+o.Path]
	if o.Kind == agentapi.CertificateObject {
		text, ok = w.certificate, true
	}
	if !ok {
		return nil, agentapi.ObjectInfo{}, fault.New(fault.NotFound, "NoSuchKey: The specified key does not exist.")
	}
	body := io.Reader(strings.NewReader(text))
	if w.broken > 0 {
		w.broken--
		body = io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(errors.New("the store is gone")))
	}
	return io.NopCloser(body), agentapi.ObjectInfo{Size: int64(len(text)), Version: w.versioned}, nil
}

func (w *world) List(_ context.Context, _ string, _ secret.Text, o agentapi.Object) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.object(o); err != nil {
		return nil, err
	}
	var all []string
	for name := range w.objects {
		if at, ok := strings.CutPrefix(name, o.Identifier+"/"); ok {
			all = append(all, at)
		}
	}
	return all, nil
}

// object answers for every object that is asked for. w is locked.
func (w *world) object(o agentapi.Object) error {
	w.asked++
	if o.Kind != agentapi.SourceObject && o.Kind != agentapi.CertificateObject {
		return fault.New(fault.Invalid, "no source")
	}
	if len(w.refusals) == 0 {
		return nil
	}
	err := w.refusals[0]
	w.refusals = w.refusals[1:]
	return err
}

func (*world) Begin(context.Context, string, secret.Text) (*agentapi.Work, error) {
	return nil, fault.New(fault.Gone, "not here")
}

func (*world) Report(context.Context, string, secret.Text, agentapi.Report) (*agentapi.Answer, error) {
	return nil, fault.New(fault.Gone, "not here")
}

func (*world) Log(context.Context, string, secret.Text, uint64, []byte) error {
	return fault.New(fault.Gone, "not here")
}

// source is the repository octo/app at version, going to a new directory.
func (w *world) source(t *testing.T, version string) fetch.Source {
	return w.sourceIn(filepath.Join(t.TempDir(), "src"), version)
}

func (w *world) sourceIn(dir, version string) fetch.Source {
	return fetch.Source{
		Source: agentapi.Source{
			Type: api.SourceTypeGithubEnterprise, URL: w.CloneURL("octo", "app"),
			Location: w.CloneURL("octo", "app"), Version: version,
		},
		Dir: dir,
	}
}

func (w *world) job(sources ...fetch.Source) fetch.Job {
	job := fetch.Job{Launch: w.launch, Sources: sources}
	if w.launch.Mirrors.Dir != "" {
		job.Mirrors = "project"
	}
	return job
}

// fetch fetches sources as the agent does, and returns the log's lines beside
// the result.
func (w *world) fetch(t *testing.T, sources ...fetch.Source) (fetch.Result, string) {
	t.Helper()
	var log bytes.Buffer
	result, err := fetch.Run(t.Context(), self(), w.job(sources...), &log)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	w.leavesNothing(t)
	return result, log.String()
}

// fetched fetches sources, all of which must succeed with no word but on
// submodules.
func (w *world) fetched(t *testing.T, sources ...fetch.Source) fetch.Result {
	t.Helper()
	result, log := w.fetch(t, sources...)
	if result.Failure != nil {
		t.Fatalf("Failure = %s\n%s", *result.Failure.Message, log)
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "Submodule ") {
			t.Errorf("the log of a fetch that went well has %q", line)
		}
	}
	return result
}

// fails fetches s, which must fail, and returns the message and the log.
func (w *world) fails(t *testing.T, s fetch.Source) (message, log string) {
	t.Helper()
	result, log := w.fetch(t, s)
	if result.Failure == nil {
		t.Fatal("the fetch went well, which it must not")
	}
	if *result.Failure.StatusCode != "CLIENT_ERROR" {
		t.Errorf("status code %q, want CLIENT_ERROR", *result.Failure.StatusCode)
	}
	message = *result.Failure.Message
	noSecret(t, "the message", message)
	noSecret(t, "the log", log)
	if strings.ContainsFunc(message, func(r rune) bool { return r < ' ' }) {
		t.Errorf("the message has control characters: %q", message)
	}
	return message, log
}

// leavesNothing checks that a fetch has removed all it made beside the sources.
func (w *world) leavesNothing(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(w.launch.Dir)
	must(t, err)
	for _, f := range left {
		t.Errorf("the fetch left %s", f.Name())
	}
}

// commit adds one file to a branch of octo/app.
func (w *world) commit(t *testing.T, branch, file string) string {
	t.Helper()
	sha, err := w.Commit("octo", "app", branch, map[string]string{file: file + "\n"}, "add "+file)
	must(t, err)
	return sha
}

// withApp is a world with octo/app, private, that has one commit on main.
func withApp(t *testing.T) (*world, string) {
	t.Helper()
	w := newWorld(t)
	must(t, w.CreateRepository("octo", "app", true))
	return w, w.commit(t, "main", "README.md")
}

// A clone is two requests, both with the login: nothing is sent to hear that one
// is needed, and git itself has none.
func TestACloneIsTwoRequests(t *testing.T) {
	w, commit := withApp(t)
	for _, version := range []string{"", "main", commit} {
		before := len(w.Requests())
		w.fetched(t, w.source(t, version))
		requests := w.Requests()[before:]
		for _, r := range requests {
			if !r.Authorization || r.Method != "POST" || r.Status != 200 || !strings.HasPrefix(r.UserAgent, "git/") {
				t.Errorf("version %q: %+v", version, r)
			}
		}
		if len(requests) != 2 {
			t.Errorf("version %q: %d requests, want 2", version, len(requests))
		}
	}
}

// Where a provider speaks only the first version of git's protocol, or libcurl
// knows a way there that we do not, git fetches as it does everywhere.
func TestGitFetchesItselfWhereALinkDoesNotWork(t *testing.T) {
	for name, happens := range map[string]func(t *testing.T, w *world){
		"the first version": func(_ *testing.T, w *world) {
			w.OnRequest(func(r *http.Request) { r.Header.Del("Git-Protocol") })
		},
		"another proxy": func(t *testing.T, _ *world) {
			t.Setenv("ALL_PROXY", "socks5h://127.0.0.1:1")
			t.Setenv("NO_PROXY", "127.0.0.1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, commit := withApp(t)
			happens(t, w)
			for _, depth := range []int{0, 1} {
				s := w.source(t, "main")
				s.Depth = depth
				if got := w.fetched(t, s).Commits[0].Commit; got != commit {
					t.Errorf("commit %s, want %s", got, commit)
				}
			}
			last := w.Requests()
			if r := last[len(last)-1]; !strings.Contains(r.UserAgent, "git/2") || strings.Contains(r.UserAgent, "slipway") {
				t.Errorf("the last request is of %s", r.UserAgent)
			}
		})
	}
}

// self is the agent.
func self() []string { return []string{agentPath} }

// racing starts this program again, which has the race detector if the tests do.
// It would sleep for a second at its end unless it is told not to.
func racing(t *testing.T) []string {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	return []string{"env", "GORACE=atexit_sleep_ms=0", path}
}

// git runs git in a fetched source.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
