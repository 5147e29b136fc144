package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/runner"
	"slipway/internal/runner/local"
	"slipway/internal/runner/runnertest"
	"slipway/internal/secret"
)

func TestMain(m *testing.M) {
	runnertest.MaybeAgent()
	os.Exit(m.Run())
}

func TestContract(t *testing.T) {
	runnertest.Run(t, func(t *testing.T, server string) runnertest.Ground {
		dir := t.TempDir()
		return runnertest.Ground{Open: func() runner.Runner {
			return open(t, local.Options{Dir: dir, Server: server, Agent: runnertest.Command(), Log: slog.New(slog.DiscardHandler)})
		}}
	})
}

func open(t *testing.T, o local.Options) *local.Runner {
	t.Helper()
	r, err := local.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const buildID = "web:11111111-2222-3333-4444-555555555555"

// start runs a shell script as the agent and returns its place's directory
// once it has ended.
func start(t *testing.T, o local.Options, script string) (*local.Runner, runner.Place, string) {
	t.Helper()
	o.Dir, o.Server, o.Agent = t.TempDir(), "unix:///srv/agent.sock", []string{"/bin/sh", "-c", script}
	r := open(t, o)
	p, err := r.Start(t.Context(), runner.Launch{BuildID: buildID, Token: secret.New("the-token")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Stop(context.WithoutCancel(t.Context()), p, 0) })
	select {
	case got := <-r.Ended():
		if got != p {
			t.Errorf("Ended told of %+v, want %+v", got, p)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the end of the agent was not told")
	}
	return r, p, filepath.Join(o.Dir, p.ID)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatAnAgentIsGiven(t *testing.T) {
	o := local.Options{Path: "/opt/tools:/usr/bin:/bin", Sandbox: agentapi.Sandbox{Bubblewrap: "/usr/bin/bwrap", Hide: []string{"/srv/secret"}}}
	_, p, dir := start(t, o, `cat > launch; tr '\0' '\n' < /proc/self/environ > environ; tr '\0' ' ' < /proc/$$/cmdline > cmdline; pwd > pwd; cut -d' ' -f1,6 /proc/$$/stat > session; echo hello`)
	var l agentapi.Launch
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, "launch"))), &l); err != nil {
		t.Fatal(err)
	}
	if l.Token.Reveal() != "the-token" {
		t.Errorf("the token arrived as %q", l.Token.Reveal())
	}
	l.Token = agentapi.Bearer{}
	want := agentapi.Launch{Server: "unix:///srv/agent.sock", BuildID: buildID, Dir: dir,
		Sandbox: agentapi.Sandbox{Bubblewrap: "/usr/bin/bwrap", Hide: []string{"/srv/secret", filepath.Dir(dir)}}}
	if diff := cmp.Diff(want, l, cmp.Comparer(func(a, b agentapi.Bearer) bool { return a.Reveal() == b.Reveal() })); diff != "" {
		t.Errorf("launch (-want +got):\n%s", diff)
	}
	environ := strings.Fields(read(t, filepath.Join(dir, "environ")))
	environ = slices.DeleteFunc(environ, func(s string) bool { return strings.HasPrefix(s, "PWD=") || strings.HasPrefix(s, "_=") }) // the shell's own
	if diff := cmp.Diff([]string{"PATH=/opt/tools:/usr/bin:/bin"}, environ); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if got := read(t, filepath.Join(dir, "cmdline")); strings.Contains(got, "the-token") {
		t.Errorf("the token is among the arguments: %s", got)
	}
	if got := strings.TrimSpace(read(t, filepath.Join(dir, "pwd"))); got != dir {
		t.Errorf("the agent began in %s, want %s", got, dir)
	}
	if pid, session, _ := strings.Cut(strings.TrimSpace(read(t, filepath.Join(dir, "session"))), " "); pid != session {
		t.Errorf("the agent %s is in session %s, want its own", pid, session)
	}
	if got := read(t, filepath.Join(dir, "agent.log")); got != "hello\n" {
		t.Errorf("agent.log = %q, want what the agent printed", got)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the place has mode %v, %v, want 0700", info.Mode(), err)
	}
	if p.BuildID != buildID {
		t.Errorf("the place is of %s", p.BuildID)
	}
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAnAgentThatFailsIsExplainedInTheLog(t *testing.T) {
	log := &safeBuffer{}
	start(t, local.Options{Log: slog.New(slog.NewTextHandler(log, nil))}, `echo no such thing >&2; exit 7`)
	for _, want := range []string{"exit status 7", "no such thing", buildID} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}

func TestNothingOfABuildOutlivesItsPlace(t *testing.T) {
	// Two commands that left the agent's session, one with its working
	// directory in the place and one in the agent's process group.
	script := `mkdir ws; (cd ws && exec setsid sh -c 'echo $$ > ../a; exec sleep 1000') & sh -c 'echo $$ > b; exec sleep 1000' & while ! [ -s a ] || ! [ -s b ]; do :; done; exit 1`
	r, p, dir := start(t, local.Options{Log: slog.New(slog.DiscardHandler)}, script)
	var pids []string
	for _, name := range []string{"a", "b"} {
		pids = append(pids, strings.TrimSpace(read(t, filepath.Join(dir, name))))
	}
	if err := r.Stop(t.Context(), p, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the place is still there: %v", err)
	}
	for _, pid := range pids {
		if state, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil && !strings.Contains(string(state), ") Z ") && strings.Contains(string(state), "(sleep)") {
			t.Errorf("process %s outlived its place: %s", pid, state)
		}
	}
}

func TestStopRefusesNamesThatAreNoPlaces(t *testing.T) {
	keep := t.TempDir()
	r := open(t, local.Options{Dir: filepath.Join(keep, "places"), Server: "unix:///s", Agent: []string{"/bin/true"}})
	for _, id := range []string{"", ".", "..", "../x", "/", "a/b"} {
		if err := r.Stop(t.Context(), runner.Place{BuildID: buildID, ID: id}, 0); err == nil {
			t.Errorf("Stop(%q) succeeded", id)
		}
	}
	if _, err := os.Stat(filepath.Join(keep, "places")); err != nil {
		t.Error(err)
	}
}

func TestAMissingAgentIsAnErrorAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	r := open(t, local.Options{Dir: dir, Server: "unix:///s", Agent: []string{"/no/such/agent"}})
	if _, err := r.Start(t.Context(), runner.Launch{BuildID: buildID}); err == nil {
		t.Error("Start succeeded")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for _, o := range []local.Options{{}, {Dir: t.TempDir(), Server: "unix:///s"}, {Dir: "/proc/x", Server: "unix:///s", Agent: []string{"a"}}} {
		if _, err := local.New(o); err == nil {
			t.Errorf("New(%+v) succeeded", o)
		}
	}
}

func TestProbe(t *testing.T) {
	if path, err := local.Probe(t.Context()); err != nil || !filepath.IsAbs(path) {
		t.Errorf("Probe = %q, %v, want bwrap's path", path, err)
	}
	t.Setenv("PATH", t.TempDir())
	if path, err := local.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "apt-get install bubblewrap") {
		t.Errorf("Probe = %q, %v, want an error that says what to install", path, err)
	}
}
