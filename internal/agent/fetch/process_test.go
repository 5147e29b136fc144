package fetch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch"
)

// stuck makes the provider hold back the next clone, and returns a channel
// that is closed when git waits for it.
func (w *world) stuck(t *testing.T) <-chan struct{} {
	t.Helper()
	waiting := make(chan struct{})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	first := make(chan struct{}, 1)
	first <- struct{}{}
	w.OnRequest(func(r *http.Request) {
		if !hasLogin(r) || !asksForObjects(r) {
			return
		}
		select {
		case <-first:
			close(waiting)
			<-release
		default:
		}
	})
	return waiting
}

// asksForObjects reports whether a request is for objects, which git waits for:
// the one for refs may be sent before git has started.
func asksForObjects(r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte("command=fetch"))
}

func hasLogin(r *http.Request) bool { _, _, ok := r.BasicAuth(); return ok }

// ours returns what processes there are that belong to w's fetch.
func (w *world) ours() []string {
	var all []string
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		environ, _ := os.ReadFile(filepath.Join(p, "environ"))
		cmdline, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		if strings.Contains(string(environ), w.launch.Dir) || strings.Contains(string(cmdline), w.URL()) {
			all = append(all, string(cmdline))
		}
	}
	return all
}

// nobodyLeft waits until no process of w's fetch is left: the kernel takes a
// moment to end them.
func (w *world) nobodyLeft(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for len(w.ours()) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("processes are left: %q", w.ours())
		}
		time.Sleep(5 * time.Millisecond) // nothing tells of a stranger's end
	}
}

func TestTheEndOfTheContextKillsGit(t *testing.T) {
	w, _ := withApp(t)
	waiting := w.stuck(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stopped := errors.New("stopped")
	ended := make(chan error, 1)
	go func() {
		_, err := fetch.Run(ctx, self(), w.job(w.source(t, "")), new(bytes.Buffer))
		ended <- err
	}()
	<-waiting
	if len(w.ours()) == 0 {
		t.Error("no process of the fetch was found: the search finds nothing")
	}
	cancel(stopped)
	if err := <-ended; !errors.Is(err, stopped) {
		t.Errorf("Run = %v, want %v", err, stopped)
	}
	w.nobodyLeft(t)
	w.leavesNothing(t)
}

func TestTheEndOfTheAgentKillsGit(t *testing.T) {
	w, _ := withApp(t)
	waiting := w.stuck(t)
	job, err := json.Marshal(w.job(w.source(t, "")))
	must(t, err)
	cmd := exec.CommandContext(t.Context(), racing(t)[2], "agent")
	cmd.Stdin = bytes.NewReader(job)
	must(t, cmd.Start())
	<-waiting
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	w.nobodyLeft(t)
}

func TestAChildThatCannotWorkIsAnError(t *testing.T) {
	w, _ := withApp(t)
	for _, c := range []struct {
		name string
		self []string
		want string
	}{
		{"no such program", []string{"/nowhere/agent"}, "start the fetch"},
		{"a program that says nothing", []string{"true"}, "without a result"},
		{"a program that complains", []string{"sh", "-c", "echo 'first' >&2; echo 'oh no' >&2; exit 3"}, "(exit status 3): oh no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := fetch.Run(t.Context(), c.self, w.job(w.source(t, "")), new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Run = %v, want %q in it", err, c.want)
			}
			w.leavesNothing(t)
		})
	}
}

func TestGitThatIsNotInstalledIsAnError(t *testing.T) {
	w, _ := withApp(t)
	t.Setenv("PATH", t.TempDir())
	_, err := fetch.Run(t.Context(), self(), w.job(w.source(t, "")), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "git is not installed") {
		t.Errorf("Run = %v, want it to say that git is not installed", err)
	}
}

func TestAVeryLongDirectory(t *testing.T) {
	w, _ := withApp(t)
	w.launch.Dir = filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	must(t, os.Mkdir(w.launch.Dir, 0o700))
	w.fetched(t, w.source(t, ""))
}
