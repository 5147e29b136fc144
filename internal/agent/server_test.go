package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/agent"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logstream/frame"
	"slipway/internal/project"
	"slipway/internal/secret"
)

// TestMain lets this program be the agent that its tests start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		self, err := os.Executable()
		if err != nil {
			panic(err)
		}
		code := agent.Main(context.Background(), []string{self, "agent"}, os.Args[2:], os.Stdin, os.Stdout, os.Stderr)
		if os.Getenv("GORACE") == "" { // a tool, in the environment of a build: the race detector would have it sleep for a second
			syscall.Exit(code)
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

const (
	buildID = "demo:0b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11"
	token   = "tok-5c2a6f1be9d4"
)

// limit is how long anything may take before a test fails: much longer than it
// does, for slow machines.
const limit = 60 * time.Second

// A server is the other side of one agent. It holds the agent to the rules of
// package build: an event that Apply refuses fails the test.
type server struct {
	agentapi.Backend // for what no test asks of it

	t     testing.TB
	work  agentapi.Work
	vault func([]agentapi.Reference) (*agentapi.Secrets, error)

	mu      sync.Mutex // guards all below
	changed *sync.Cond
	build   build.Build
	begun   bool
	applied int
	log     strings.Builder
	size    int // of the log, also when it is not kept
	frames  uint64
	times   []int64
	answer  agentapi.Answer
	refuse  error // of every request
	silent  bool  // the log's text is not kept
	logins  func(agentapi.CredentialRequest) (*agentapi.Credential, error)
	endedAt int // frames when the end was reported, or -1
}

func newServer(t testing.TB, work agentapi.Work) *server {
	scope := arn.Scope{Account: "123456789012", Region: "eu-north-1"}
	p := project.Project{Scope: scope, Public: api.Project{
		Name:             new("demo"),
		Source:           &api.ProjectSource{Type: work.Source.Type, Location: &work.Source.Location},
		Artifacts:        &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment:      &api.ProjectEnvironment{Type: "LINUX_CONTAINER", Image: "local", ComputeType: "BUILD_GENERAL1_SMALL"},
		ServiceRole:      new("arn:aws:iam::123456789012:role/demo"),
		TimeoutInMinutes: new(60), QueuedTimeoutInMinutes: new(60),
	}}
	if work.Source.Type == api.SourceTypeNoSource {
		p.Public.Source = &api.ProjectSource{Type: work.Source.Type, Buildspec: new("version: 0.2")}
	}
	if work.CacheType != "" {
		p.Public.Cache = &api.ProjectCache{Type: work.CacheType, Modes: work.CacheModes, Location: new("bucket/prefix")}
	}
	now := time.Now()
	b, err := build.New(p, &api.StartBuildInput{ProjectName: "demo"}, accesskey.Caller{Scope: scope, User: "ann"}, buildID, now)
	if err != nil {
		t.Fatal(err)
	}
	b.Claim([]byte("hash"), now, now.Add(time.Minute))
	work.BuildID, work.ProjectName, work.Region = buildID, "demo", scope.Region
	work.Service = append(work.Service,
		agentapi.Variable{Name: "AWS_REGION", Value: scope.Region}, agentapi.Variable{Name: "CODEBUILD_BUILD_ID", Value: buildID})
	if work.Artifacts.Type == "" {
		work.Artifacts.Type = api.ArtifactsTypeNoArtifacts
	}
	if work.Deadline.IsZero() {
		work.Deadline = now.Add(time.Hour)
	}
	s := &server{t: t, work: work, build: b, endedAt: -1}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *server) check(id string, got secret.Text) error {
	if id != buildID || got.Reveal() != token {
		return fault.New(fault.Denied, "bad token")
	}
	return s.refuse
}

func (s *server) Begin(_ context.Context, id string, got secret.Text) (*agentapi.Work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(id, got); err != nil {
		return nil, err
	}
	s.build.Begin(time.Now(), time.Now().Add(time.Minute))
	s.begun = true
	s.changed.Broadcast()
	return &s.work, nil
}

func (s *server) Credential(_ context.Context, _ string, _ secret.Text, in agentapi.CredentialRequest) (*agentapi.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logins != nil {
		return s.logins(in)
	}
	return &agentapi.Credential{}, nil
}

func (s *server) Secrets(_ context.Context, id string, got secret.Text, in agentapi.SecretsRequest) (*agentapi.Secrets, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(id, got); err != nil {
		return nil, err
	}
	return s.vault(in.References)
}

func (s *server) Report(_ context.Context, id string, got secret.Text, in agentapi.Report) (*agentapi.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(id, got); err != nil {
		return nil, err
	}
	defer s.changed.Broadcast()
	for i, e := range in.Events {
		if in.First+i < s.applied {
			continue
		}
		if err := s.build.Apply(e, time.Now()); err != nil {
			s.t.Errorf("event %d is refused: %v", in.First+i, err)
			return nil, err
		}
		s.applied++
		if e.End != "" {
			s.endedAt = int(s.frames)
		}
	}
	return &s.answer, nil
}

func (s *server) Log(_ context.Context, id string, got secret.Text, seq uint64, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(id, got); err != nil {
		return err
	}
	if seq < s.frames {
		return nil
	}
	if seq > s.frames {
		s.t.Errorf("frame %d came when %d was due", seq, s.frames)
	}
	h, err := frame.ParseHeader(data)
	if err != nil {
		s.t.Errorf("frame %d: %v", seq, err)
		return err
	}
	s.frames++
	s.size += h.Raw
	if !s.silent {
		lines, err := frame.Decode(data)
		if err != nil {
			s.t.Errorf("frame %d: %v", seq, err)
			return err
		}
		for l := range lines {
			s.log.Write(l.Message)
			s.times = append(s.times, l.Time)
		}
	}
	s.changed.Broadcast()
	return nil
}

// await waits until there is something in the log.
func (s *server) await(text string) {
	s.t.Helper()
	s.awaitState(func() bool { return strings.Contains(s.log.String(), text) }, text)
}

// awaitState waits until is, which is called with the server locked.
func (s *server) awaitState(is func() bool, what string) {
	s.t.Helper()
	late := time.AfterFunc(limit, func() { s.mu.Lock(); defer s.mu.Unlock(); s.changed.Broadcast() })
	defer late.Stop()
	begin := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !is() {
		if time.Since(begin) > limit {
			s.t.Fatalf("%q never came; the log:\n%s", what, s.log.String())
		}
		s.changed.Wait()
	}
}

func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// listen serves the agent until the function it returns is called.
func (s *server) listen(socket string) (stop func()) {
	s.t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o777); err != nil {
		s.t.Fatal(err)
	}
	h := &http.Server{Handler: agentapi.NewHandler(s, slog.New(slog.DiscardHandler))}
	go func() { _ = h.Serve(l) }()
	return func() { _ = h.Close() }
}

// phases are those of the build, with their status unless that is SUCCEEDED.
func (s *server) phases() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, p := range s.build.Public.Phases[3:] { // after SUBMITTED, QUEUED and PROVISIONING
		text := string(p.PhaseType)
		if p.PhaseStatus != "" && p.PhaseStatus != api.StatusTypeSucceeded {
			text += ":" + string(p.PhaseStatus)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// context is the first context of a phase, as code and message.
func (s *server) context(typ api.BuildPhaseType) (code, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.build.Public.Phases {
		if p.PhaseType == typ && len(p.Contexts) > 0 {
			return *p.Contexts[0].StatusCode, *p.Contexts[0].Message
		}
	}
	return "", ""
}

func (s *server) status() api.StatusType {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.build.Public.BuildStatus
}

func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// An agentProcess is an agent under test.
type agentProcess struct {
	*server
	dir      string // of the build
	socket   string
	cmd      *exec.Cmd
	stderr   bytes.Buffer
	hangUp   func()
	exited   chan struct{}
	exitCode int
}

// launch starts an agent.
func launch(t testing.TB, box agentapi.Sandbox, work agentapi.Work, options ...func(*agentProcess)) *agentProcess {
	t.Helper()
	base, err := os.MkdirTemp("", "agent") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if base, err = filepath.EvalSymlinks(base); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a := &agentProcess{server: newServer(t, work), dir: filepath.Join(base, "b"), socket: filepath.Join(base, "s"), exited: make(chan struct{})}
	if err := os.Mkdir(a.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	a.cmd = exec.Command(self, "agent")
	a.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "AGENTS_OWN=variable", "GORACE=atexit_sleep_ms=0"} // or each would take a second to end
	a.cmd.Dir = a.dir
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	a.cmd.Stderr = &a.stderr
	for _, o := range options {
		o(a)
	}
	stdin, err := json.Marshal(agentapi.Launch{
		Server: "unix://" + a.socket, BuildID: buildID, Token: agentapi.Bearer{Text: secret.New(token)}, Dir: a.dir, Sandbox: box,
		Fetches: work.Source.Type != api.SourceTypeNoSource,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.cmd.Stdin = bytes.NewReader(stdin)
	a.hangUp = a.listen(a.socket)
	t.Cleanup(func() { a.hangUp() })
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = a.cmd.Wait()
		a.exitCode = a.cmd.ProcessState.ExitCode()
		close(a.exited)
	}()
	t.Cleanup(func() {
		_ = a.cmd.Process.Kill()
		<-a.exited
	})
	return a
}

// wait returns the agent's exit status once it has ended.
func (a *agentProcess) wait() int {
	a.t.Helper()
	select {
	case <-a.exited:
	case <-time.After(limit):
		_ = a.cmd.Process.Kill()
		<-a.exited
		a.t.Fatalf("the agent does not end; its log:\n%s\n%s", a.text(), a.stderr.String())
	}
	if s := a.stderr.String(); strings.Contains(s, token) || strings.Contains(s, "DATA RACE") || strings.Contains(s, "panic") {
		a.t.Errorf("the agent says\n%s", s)
	}
	if log := a.text(); strings.Contains(log, "DATA RACE") { // of a tool, whose exit status does not tell
		a.t.Errorf("the build's log says\n%s", log)
	}
	return a.exitCode
}

// finish waits for the build's end in order and returns its log.
func (a *agentProcess) finish() string {
	a.t.Helper()
	if code := a.wait(); code != 0 {
		a.t.Fatalf("the agent ends with %d: %s\n%s", code, a.stderr.String(), a.text())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.endedAt != int(a.frames) {
		a.t.Errorf("the end was reported after %d of %d log frames", a.endedAt, a.frames)
	}
	if !slices.IsSorted(a.times) {
		a.t.Error("times go back in the log")
	}
	return a.log.String()
}

// withPipes makes named pipes that the build knows as ${TMPDIR:-/tmp}/NAME.
func withPipes(names ...string) func(*agentProcess) {
	return func(a *agentProcess) {
		dir := filepath.Join(a.dir, "tmp")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			a.t.Fatal(err)
		}
		for _, n := range names {
			if err := syscall.Mkfifo(filepath.Join(dir, n), 0o666); err != nil {
				a.t.Fatal(err)
			}
		}
	}
}

// pipe opens a named pipe once the build has opened its end.
func (a *agentProcess) pipe(name string, flag int) *os.File {
	a.t.Helper()
	opened := make(chan *os.File)
	go func() {
		f, _ := os.OpenFile(filepath.Join(a.dir, "tmp", name), flag, 0) // nil if it fails
		opened <- f
	}()
	select {
	case f := <-opened:
		a.t.Cleanup(func() { f.Close() })
		return f
	case <-time.After(limit):
		a.t.Fatalf("the build does not open %s; its log:\n%s", name, a.text())
		return nil
	}
}

// inline is the work of a build without a source.
func inline(spec string) agentapi.Work {
	return agentapi.Work{Source: agentapi.Source{Type: api.SourceTypeNoSource}, Buildspec: spec}
}

// run runs a build to its end.
func run(t testing.TB, box agentapi.Sandbox, work agentapi.Work, options ...func(*agentProcess)) (*agentProcess, string) {
	t.Helper()
	a := launch(t, box, work, options...)
	return a, a.finish()
}

// masking has the server name secrets.
func masking(secrets ...string) func(*agentProcess) {
	return func(a *agentProcess) {
		for _, s := range secrets {
			a.work.Mask = append(a.work.Mask, agentapi.Bearer{Text: secret.New(s)})
		}
	}
}

// bubblewrap is a sandbox with bubblewrap. A machine without it cannot run
// the tests that want one.
func bubblewrap(t testing.TB) agentapi.Sandbox {
	t.Helper()
	path, err := exec.LookPath("bwrap")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("bubblewrap is not installed")
		}
		t.Skip("bubblewrap is not installed")
	}
	return agentapi.Sandbox{Bubblewrap: path}
}

// inBoth runs a test in a sandbox and in a plain process tree, at the same time,
// once the test around has returned: agents mostly wait.
func inBoth(t *testing.T, test func(*testing.T, agentapi.Sandbox)) {
	t.Run("sandbox", func(t *testing.T) { t.Parallel(); test(t, bubblewrap(t)) })
	t.Run("plain", func(t *testing.T) { t.Parallel(); test(t, agentapi.Sandbox{}) })
}

var (
	stamp  = regexp.MustCompile(`(?m)^\[Container\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} `)
	digits = regexp.MustCompile(`/output/src\d+/`)
	took   = regexp.MustCompile(` took [0-9.]+ seconds\n`)
)

// steady is a log without what differs between two runs.
func (a *agentProcess) steady(log string) string {
	log = stamp.ReplaceAllString(log, "[Container] TIME ")
	log = digits.ReplaceAllString(log, "/output/srcN/")
	log = took.ReplaceAllString(log, " took N seconds\n")
	return strings.ReplaceAll(log, filepath.Join(a.dir, "codebuild"), "/codebuild")
}

// marker is an argument of sleep by which its process is found.
func marker(t testing.TB) string {
	return fmt.Sprintf("1%06d.%09d", os.Getpid(), time.Now().UnixNano()%1e9)
}

// living lists the processes whose command line holds text.
func living(t testing.TB, text string) []int {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, d := range dirs {
		line, _ := os.ReadFile(filepath.Join(d, "cmdline")) // it may have ended
		if pid, err := strconv.Atoi(filepath.Base(d)); err == nil && bytes.Contains(line, []byte(text)) {
			out = append(out, pid)
		}
	}
	return out
}

// asUser has the agent run as a user other than root, if the tests are root's.
func asUser(t testing.TB, uid int) func(*agentProcess) {
	return func(a *agentProcess) {
		if os.Geteuid() != 0 {
			return
		}
		base := filepath.Dir(a.dir)
		for _, dir := range []string{base, a.dir} {
			if err := os.Chown(dir, uid, uid); err != nil {
				t.Fatal(err)
			}
		}
		// The test's program may be where only root can get to.
		program := filepath.Join(base, "agent")
		text, err := os.ReadFile(a.cmd.Path)
		if err == nil {
			err = os.WriteFile(program, text, 0o755) //nolint:gosec // a program
		}
		if err != nil {
			t.Fatal(err)
		}
		a.cmd.Path = program
		a.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)} //nolint:gosec // small numbers
	}
}
