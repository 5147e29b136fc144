package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/internal/api/slipway"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// says fails unless there is a finding of an area and level that says text.
func says(t *testing.T, all []slipway.Finding, area string, level slipway.FindingLevel, text string) {
	t.Helper()
	for _, f := range all {
		if f.Area == area && f.Level == level && strings.Contains(f.Message, text) {
			if level != slipway.FindingLevelOk && f.Fix == "" {
				t.Errorf("%q has no fix", f.Message)
			}
			return
		}
	}
	t.Errorf("no finding on %s of level %s says %q: %+v", area, level, text, all)
}

func TestAMachineThatIsWell(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
		}
	}))
	defer public.Close()
	all := Machine{
		Data: dir, Now: func() time.Time { return noon },
		OpenKey:  func() (string, error) { return "7", nil },
		Database: func(context.Context) (int64, []string, error) { return 3 << 20, nil, nil },
		Sandbox:  "auto", Probe: func(context.Context) (string, error) { return "/usr/bin/bwrap", nil },
		Listen: "http://127.0.0.1:4680", PublicURL: public.URL,
	}.Findings(t.Context())
	for _, f := range all {
		if f.Level != slipway.FindingLevelOk && !strings.Contains(f.Message, "There is room for") { // of the machine that tests
			t.Errorf("%+v", f)
		}
	}
	says(t, all, AreaKey, slipway.FindingLevelOk, "opens (id 7)")
	says(t, all, AreaDatabase, slipway.FindingLevelOk, "has 3.0 MiB")
	says(t, all, AreaGit, slipway.FindingLevelOk, "git version")
	says(t, all, AreaAddress, slipway.FindingLevelOk, "leads to a server that is well")
}

func TestAMachineThatIsNotWell(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	all := Machine{
		Data: dir, Now: func() time.Time { return time.Unix(0, 0) },
		OpenKey: func() (string, error) { return "", errors.New("no such file") },
		Database: func(context.Context) (int64, []string, error) {
			return 0, []string{"row 7 missing from index build_key"}, nil
		},
		Sandbox: "auto", Probe: func(context.Context) (string, error) { return "", errors.New("bubblewrap is not installed") },
		Listen: "http://0.0.0.0:4680", PublicURL: "http://127.0.0.1:1",
	}.Findings(t.Context())
	says(t, all, AreaClock, slipway.FindingLevelError, "1970")
	says(t, all, AreaData, slipway.FindingLevelWarning, "Others on this machine may look into the data folder (mode 0755)")
	says(t, all, AreaData, slipway.FindingLevelError, "holds the data folder and does not answer")
	says(t, all, AreaKey, slipway.FindingLevelError, "no such file")
	says(t, all, AreaDatabase, slipway.FindingLevelError, "row 7 missing")
	says(t, all, AreaSandbox, slipway.FindingLevelWarning, "without a sandbox")
	says(t, all, AreaAddress, slipway.FindingLevelWarning, "without TLS")
	says(t, all, AreaAddress, slipway.FindingLevelWarning, "does not lead here")

	says(t, Machine{Data: filepath.Join(dir, "absent")}.Findings(t.Context()), AreaData, slipway.FindingLevelWarning, "does not exist yet")
	says(t, Machine{Sandbox: "none", Probe: func(context.Context) (string, error) { return "", nil }}.Findings(t.Context()), AreaSandbox, slipway.FindingLevelWarning, "--sandbox none")
}

func TestTheClockIsHeldAgainstProviders(t *testing.T) {
	ours := noon
	theirs := noon
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", theirs.UTC().Format(http.TimeFormat))
	}))
	defer provider.Close()
	for _, test := range []struct {
		name  string
		ahead time.Duration
		level slipway.FindingLevel
		says  string
	}{
		{"it agrees", 0, slipway.FindingLevelOk, "agrees with that of 127.0.0.1:"},
		{"it is some seconds off", -10 * time.Second, slipway.FindingLevelOk, "agrees"},
		{"it is behind", time.Minute, slipway.FindingLevelWarning, "1m0s behind that of 127.0.0.1:"},
		{"it is far ahead", -10 * time.Minute, slipway.FindingLevelError, "ahead of that of 127.0.0.1:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			theirs = ours.Add(test.ahead)
			dates := &Dates{Now: func() time.Time { return ours }}
			m := Machine{Dates: dates, Now: func() time.Time { return ours }}
			says(t, m.clock(), AreaClock, slipway.FindingLevelOk, "no provider has answered yet")
			client := &http.Client{Transport: dates}
			resp, err := client.Get(provider.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			says(t, m.clock(), AreaClock, test.level, test.says)
		})
	}
}

func TestGitVersions(t *testing.T) {
	for said, want := range map[string]bool{
		"git version 2.31.0": true, "git version 2.47.3": true, "git version 3.0.0": true, "git version 2.39.5 (Apple Git-154)": true,
		"git version 2.30.9": false, "git version 1.99.0": false, "git version two": false, "": false, "git version 99999999999999999999.1": false,
	} {
		if got := newEnough(said); got != want {
			t.Errorf("newEnough(%q) = %t, want %t", said, got, want)
		}
	}
}

func TestDockerIsOnlyANote(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	says(t, Machine{}.docker(t.Context()), AreaDocker, slipway.FindingLevelOk, "There is no Docker here")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	daemon := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Second}
	go func() { _ = daemon.Serve(l) }() // ends with Close
	defer daemon.Close()
	says(t, Machine{}.docker(t.Context()), AreaDocker, slipway.FindingLevelOk, "Docker answers.")
	t.Setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
	says(t, Machine{}.docker(t.Context()), AreaDocker, slipway.FindingLevelOk, "was not asked")
}
