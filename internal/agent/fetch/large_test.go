package fetch_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/internal/agent/fetch"
)

const content = "a large file\n"

// withLarge is a world whose octo/app keeps data/big.bin in LFS. The contents
// are at a storage that is elsewhere, as providers have it.
func withLarge(t *testing.T, more map[string]string) (w *world, source fetch.Source, batches, stored *atomic.Int32) {
	t.Helper()
	w, _ = withApp(t)
	sum := sha256.Sum256([]byte(content))
	oid := hex.EncodeToString(sum[:])
	files := map[string]string{
		"data/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
		"data/big.bin":        fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(content)),
	}
	for name, text := range more {
		files[name] = text
	}
	_, err := w.Commit("octo", "app", "main", files, "large")
	must(t, err)

	batches, stored = new(atomic.Int32), new(atomic.Int32)
	storage := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		stored.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("the storage got a login")
		}
		fmt.Fprint(rw, content)
	}))
	t.Cleanup(storage.Close)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/octo/app.git/info/lfs/objects/batch" {
			w.ServeHTTP(rw, r)
			return
		}
		if _, password, _ := r.BasicAuth(); password != canary {
			rw.Header().Set("LFS-Authenticate", `Basic realm="LFS"`)
			rw.Header().Set("WWW-Authenticate", `Basic realm="LFS"`)
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		batches.Add(1)
		noSecretInProcesses(t)
		rw.Header().Set("Content-Type", "application/vnd.git-lfs+json")
		_ = json.NewEncoder(rw).Encode(map[string]any{"transfer": "basic", "objects": []any{map[string]any{
			"oid": oid, "size": len(content), "actions": map[string]any{"download": map[string]any{"href": storage.URL + "/" + oid}},
		}}})
	}))
	t.Cleanup(front.Close)
	w.credential.Host = hostOf(front.URL)
	source = w.source(t, "main")
	source.URL, source.Location = front.URL+"/octo/app.git", front.URL+"/octo/app.git"
	return w, source, batches, stored
}

func needsLFS(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git-lfs"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("git-lfs is not installed: see scripts/test-packages")
	}
	t.Skip("git-lfs is not installed: see scripts/test-packages")
}

func TestFilesInLFS(t *testing.T) {
	needsLFS(t)
	for _, depth := range []int{0, 1} {
		w, s, batches, stored := withLarge(t, nil)
		s.Depth = depth
		w.fetched(t, s)
		text, err := os.ReadFile(filepath.Join(s.Dir, "data/big.bin"))
		if err != nil || string(text) != content {
			t.Errorf("data/big.bin = %q, %v, want %q", text, err, content)
		}
		if batches.Load() == 0 || stored.Load() != 1 {
			t.Errorf("%d batches, %d downloads", batches.Load(), stored.Load())
		}
		if got := git(t, s.Dir, "-c", "filter.lfs.clean=git-lfs clean -- %f", "status", "--porcelain"); got != "" {
			t.Errorf("the working copy differs: %s", got)
		}
		noSecretBelow(t, s.Dir)
	}
}

func TestFilesInLFSThatCannotBeHad(t *testing.T) {
	needsLFS(t)
	thief := newProvider(t)
	for _, c := range []struct{ name, config, says string }{
		{"a server of a stranger", "[lfs]\n\turl = " + thief.URL() + "/octo/app.git/info/lfs\n", "It says: "},
		{"a directory of this machine", "[lfs]\n\turl = file:///etc\n", "not at https:// or http://"},
		{"a remote of this machine", "[remote \"origin\"]\n\tlfsurl = /etc\n", "not at https:// or http://"},
		{"SSH", "[lfs]\n\turl = git@github.com:octo/app.git\n", "not at https:// or http://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, s, batches, _ := withLarge(t, map[string]string{".lfsconfig": c.config})
			message, _ := w.fails(t, s)
			if !strings.HasPrefix(message, "git lfs failed for primary source and source version main: the clone worked, LFS did not. ") || !strings.Contains(message, c.says) {
				t.Errorf("message = %q", message)
			}
			if batches.Load() > 0 {
				t.Error("the source's own LFS was asked")
			}
			for _, r := range thief.Requests() {
				if r.Authorization {
					t.Errorf("the thief got a login: %+v", r)
				}
			}
		})
	}
}

func TestLFSThatIsNotInstalled(t *testing.T) {
	w, s, _, _ := withLarge(t, nil)
	dir := t.TempDir()
	for _, name := range []string{"git", "env", "sh"} {
		path, err := exec.LookPath(name)
		must(t, err)
		must(t, os.Symlink(path, filepath.Join(dir, name)))
	}
	t.Setenv("PATH", dir)
	result, log := w.fetch(t, s)
	if result.Failure != nil {
		t.Fatalf("Failure = %s", *result.Failure.Message)
	}
	if want := "git-lfs is not installed where the agent runs: these files are pointers"; !strings.Contains(log, want) || strings.Count(log, "\n") != 1 {
		t.Errorf("log = %q, want one line with %q", log, want)
	}
}

func TestAttributesWithoutLFS(t *testing.T) {
	w, _ := withApp(t)
	_, err := w.Commit("octo", "app", "main", map[string]string{".gitattributes": "*.txt text\n*.bin filter=other\n", "a.bin": "x"}, "attributes")
	must(t, err)
	w.fetched(t, w.source(t, ""))
}
