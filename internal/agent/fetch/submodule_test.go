package fetch_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// withSubmodule is a world whose octo/app has the submodule lib, at url, and
// where octo/lib is private; commit is octo/lib's.
func withSubmodule(t *testing.T, url func(w *world) string) (w *world, commit string) {
	t.Helper()
	w, _ = withApp(t)
	must(t, w.CreateRepository("octo", "lib", true))
	commit, err := w.Commit("octo", "lib", "main", map[string]string{"lib.txt": "lib\n"}, "lib")
	must(t, err)
	_, err = w.Submodule("octo", "app", "main", "vendor/lib", url(w), commit)
	must(t, err)
	return w, commit
}

func TestSubmodulesOfTheSameHost(t *testing.T) {
	for _, c := range []struct {
		name string
		url  func(w *world) string
	}{
		{"by HTTP", func(w *world) string { return w.CloneURL("octo", "lib") }},
		{"relative", func(*world) string { return "../lib.git" }},
		{"by SSH's short form", func(*world) string { return "git@127.0.0.1:octo/lib.git" }},
		{"by SSH", func(*world) string { return "ssh://git@127.0.0.1/octo/lib.git" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, commit := withSubmodule(t, c.url)
			s := w.source(t, "main")
			s.Submodules = true
			s.Depth = 1
			w.fetched(t, s)
			lib := filepath.Join(s.Dir, "vendor/lib")
			if got := git(t, lib, "rev-parse", "HEAD"); got != commit {
				t.Errorf("the submodule is at %s, want %s", got, commit)
			}
			if _, err := os.Stat(filepath.Join(lib, "lib.txt")); err != nil {
				t.Error(err)
			}
			noSecretBelow(t, s.Dir)
			for _, text := range []string{git(t, s.Dir, "config", "--local", "--list"), git(t, lib, "config", "--local", "--list")} {
				if strings.Contains(text, "credential") || strings.Contains(text, "insteadof") || strings.Contains(text, "sslverify") {
					t.Errorf("the configuration keeps something of ours: %s", text)
				}
			}
		})
	}
}

func TestSubmodulesAreFetchedOnlyWhenWanted(t *testing.T) {
	w, _ := withSubmodule(t, func(*world) string { return "../lib.git" })
	s := w.source(t, "main")
	w.fetched(t, s)
	if _, err := os.Stat(filepath.Join(s.Dir, "vendor/lib/lib.txt")); err == nil {
		t.Error("the submodule is there")
	}
}

func TestSubmodulesInsideSubmodules(t *testing.T) {
	w, lib := withSubmodule(t, func(*world) string { return "../lib.git" })
	must(t, w.CreateRepository("octo", "deep", true))
	deep, err := w.Commit("octo", "deep", "main", map[string]string{"deep.txt": "x"}, "deep")
	must(t, err)
	_ = lib
	lib, err = w.Submodule("octo", "lib", "main", "deep", "../deep.git", deep)
	must(t, err)
	_, err = w.Submodule("octo", "app", "main", "vendor/lib", "../lib.git", lib)
	must(t, err)
	s := w.source(t, "")
	s.Submodules = true
	w.fetched(t, s)
	if _, err := os.Stat(filepath.Join(s.Dir, "vendor/lib/deep/deep.txt")); err != nil {
		t.Error(err)
	}
}

func TestGitLabWantsItsAddressesWhole(t *testing.T) {
	w, commit := withSubmodule(t, func(w *world) string { return strings.TrimSuffix(w.CloneURL("octo", "lib"), ".git") })
	w.OnRequest(func(r *http.Request) {
		if !strings.Contains(r.URL.Path, ".git/") { // it redirects what is asked for otherwise
			t.Errorf("GitLab was asked for %s", r.URL.Path)
		}
	})
	s := w.source(t, "main")
	s.Type, s.Submodules = api.SourceTypeGitlabSelfManaged, true
	s.URL = strings.TrimSuffix(s.URL, ".git")
	w.fetched(t, s)
	if got := git(t, filepath.Join(s.Dir, "vendor/lib"), "rev-parse", "HEAD"); got != commit {
		t.Errorf("the submodule is at %s, want %s", got, commit)
	}
}

func TestASubmoduleOfAnotherHostGetsNoToken(t *testing.T) {
	stranger := newProvider(t)
	must(t, stranger.CreateRepository("evil", "open", false))
	open, err := stranger.Commit("evil", "open", "main", map[string]string{"open.txt": "x"}, "open")
	must(t, err)
	must(t, stranger.CreateRepository("evil", "closed", true))

	w, _ := withApp(t)
	_, err = w.Submodule("octo", "app", "main", "open", stranger.CloneURL("evil", "open"), open)
	must(t, err)
	s := w.source(t, "")
	s.Submodules = true
	w.fetched(t, s)

	_, err = w.Submodule("octo", "app", "main", "open", stranger.CloneURL("evil", "closed"), open)
	must(t, err)
	s = w.source(t, "")
	s.Submodules = true
	message, _ := w.fails(t, s)
	host := strings.TrimPrefix(stranger.URL(), "http://")
	for _, want := range []string{"authentication required for primary source: the submodule open could not be fetched from " + stranger.CloneURL("evil", "closed") + ".", "no source credential is known for " + host + " that covers it", "slipway credential import --name evil ", " --host " + host + " --owner evil "} {
		if !strings.Contains(message, want) {
			t.Errorf("message = %q, want %q in it", message, want)
		}
	}
	requests := stranger.Requests()
	if len(requests) == 0 {
		t.Fatal("the other host got no request")
	}
	for _, r := range requests {
		if r.Authorization {
			t.Errorf("the other host got a login: %+v", r)
		}
	}
}

func TestASubmoduleThatCannotBeHad(t *testing.T) {
	for _, c := range []struct {
		name string
		url  string
		want []string
	}{
		{"one that the token does not reach", "../secret.git", []string{"repository not found for primary source: the submodule vendor/lib could not be fetched from http://127.0.0.1:", "The token of " + arn + " must be allowed to read the submodule's repository too", "slipway credential import --name octo --server-type GITHUB_ENTERPRISE --host 127.0.0.1:"}},
		{"a file of this machine", "file:///etc", []string{"URL not allowed for primary source: the submodule vendor/lib", "HTTPS only"}},
		{"a program", "ext::sh -c id", []string{"URL not allowed for primary source: the submodule vendor/lib", "HTTPS only"}},
		{"SSH to another host", "git@example.com:o/r.git", []string{"URL not allowed for primary source: the submodule vendor/lib", "HTTPS only"}},
		{"an option", "--upload-pack=id", []string{" for primary source: ", "submodule"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := withSubmodule(t, func(*world) string { return c.url })
			must(t, w.CreateRepository("octo", "secret", true))
			w.AddToken(sourcetest.Token{Value: canary, Login: "mona", Scopes: []string{"repo"}, Repositories: []string{"octo/app", "octo/lib"}})
			s := w.source(t, "")
			s.Submodules = true
			message, _ := w.fails(t, s)
			for _, want := range c.want {
				if !strings.Contains(message, want) {
					t.Errorf("message = %q, want %q in it", message, want)
				}
			}
		})
	}
}

func TestASubmodulesCommitThatIsNotThere(t *testing.T) {
	w, _ := withSubmodule(t, func(*world) string { return "../lib.git" })
	_, err := w.Submodule("octo", "app", "main", "vendor/lib", "../lib.git", strings.Repeat("12", 20))
	must(t, err)
	s := w.source(t, "")
	s.Submodules = true
	message, _ := w.fails(t, s)
	if !strings.HasPrefix(message, "reference not found for primary source: the submodule vendor/lib") || !strings.Contains(message, "pinned to is not in its repository") {
		t.Errorf("message = %q", message)
	}
}

func TestAHookOfTheRepositoryDoesNotRun(t *testing.T) {
	w, _ := withApp(t)
	mark := filepath.Join(t.TempDir(), "ran")
	script := "#!/bin/sh\ntouch " + mark + "\n"
	_, err := w.Commit("octo", "app", "main", map[string]string{
		".gitattributes": "* filter=x\n", ".githooks/post-checkout": script, "hooks/post-checkout": script,
	}, "hooks")
	must(t, err)
	w.fetched(t, w.source(t, ""))
	if _, err := os.Stat(mark); err == nil {
		t.Error("a program of the repository ran")
	}
}
