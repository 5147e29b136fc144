package fetch_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
)

// caching returns the world with a cache in a new directory.
func caching(t testing.TB, w *world) *world {
	w.launch.Mirrors = agentapi.Mirrors{Dir: filepath.Join(t.TempDir(), "mirrors"), Limit: 1 << 30}
	return w
}

// A copy is what user code sees of a repository.
type copied struct{ head, refs, log, status, shallow string }

func seen(t *testing.T, dir string) copied {
	t.Helper()
	c := copied{
		head:   git(t, dir, "rev-parse", "HEAD"),
		refs:   git(t, dir, "for-each-ref"),
		log:    git(t, dir, "log", "--all", "--format=%H %P %s"),
		status: git(t, dir, "status", "--porcelain"),
	}
	c.shallow = git(t, dir, "rev-parse", "--is-shallow-repository")
	if out := git(t, dir, "fsck", "--no-dangling"); out != "" {
		t.Errorf("fsck: %s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, ".git", "objects", "info", "alternates")); err == nil {
		t.Error("the repository borrows objects")
	}
	return c
}

// sameFromCache fetches again what came to plain without a cache, with one: it
// changes nothing but the time, whatever was fetched before.
func (w *world) sameFromCache(t *testing.T, mirrors agentapi.Mirrors, plain fetch.Source, without fetch.Result) {
	t.Helper()
	cached := w.source(t, plain.Version)
	cached.Depth = plain.Depth
	w.launch.Mirrors = mirrors
	with := w.fetched(t, cached)
	w.launch.Mirrors = agentapi.Mirrors{}
	if diff := cmp.Diff(without, with); diff != "" {
		t.Errorf("Result (-without +with a cache):\n%s", diff)
	}
	if diff := cmp.Diff(seen(t, plain.Dir), seen(t, cached.Dir), cmp.AllowUnexported(copied{})); diff != "" {
		t.Errorf("what is there (-without +with a cache):\n%s", diff)
	}
	noSecretBelow(t, cached.Dir)
}

// mirrorsOf are the directories of the world's mirrors.
func (w *world) mirrorsOf(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(w.launch.Mirrors.Dir, strings.Repeat("[0-9a-f]", 32)))
	must(t, err)
	return all
}

// packs are the packs of a git directory, with their sizes.
func packs(t *testing.T, gitDir string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	names, err := filepath.Glob(filepath.Join(gitDir, "objects", "pack", "*.pack"))
	must(t, err)
	for _, name := range names {
		info, err := os.Stat(name)
		must(t, err)
		all[filepath.Base(name)] = info.Size()
	}
	return all
}

func TestOnlyWhatIsNewIsFetched(t *testing.T) {
	for _, depth := range []int{0, 1} {
		t.Run("depth "+strconv.Itoa(depth), func(t *testing.T) {
			w, _ := withApp(t)
			caching(t, w)
			noise := make([]byte, 100<<10)
			_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
			_, err := w.Commit("octo", "app", "main", map[string]string{"noise": hex.EncodeToString(noise)}, "noise")
			must(t, err)
			fetched := func() map[string]int64 {
				s := w.source(t, "main")
				s.Depth = depth
				w.fetched(t, s)
				return packs(t, filepath.Join(s.Dir, ".git"))
			}
			first := fetched()
			w.commit(t, "main", "news")
			second := fetched()
			for name, size := range second {
				if _, known := first[name]; !known && size > 2000 {
					t.Errorf("%d bytes were fetched for a commit of a few", size)
				}
			}
			if len(second) != 2 {
				t.Errorf("packs = %v, want those of before and one more", second)
			}
			if diff := cmp.Diff(second, packs(t, w.mirrorsOf(t)[0])); diff != "" {
				t.Errorf("the mirror (-build +mirror):\n%s", diff)
			}
		})
	}
}

// Whoever can write into the workspace cannot change what the next build gets.
func TestABuildHasCopiesOfItsOwn(t *testing.T) {
	w, _ := withApp(t)
	caching(t, w)
	for range 2 {
		s := w.source(t, "main")
		w.fetched(t, s)
		for name := range packs(t, filepath.Join(s.Dir, ".git")) {
			info, err := os.Stat(filepath.Join(s.Dir, ".git", "objects", "pack", name))
			must(t, err)
			if links := info.Sys().(*syscall.Stat_t).Nlink; links != 1 {
				t.Errorf("%s has %d links", name, links)
			}
		}
	}
}

func TestALoginThatMayNotReadGetsNothingOfTheCache(t *testing.T) {
	w, _ := withApp(t)
	caching(t, w)
	w.fetched(t, w.source(t, "main"))
	w.RevokeToken(canary)
	s := w.source(t, "main")
	message, log := w.fails(t, s)
	if !strings.HasPrefix(message, "authentication required for primary source and source version main: ") || strings.Contains(log, "cache") {
		t.Errorf("message = %q, log = %q; want the refusal of the token alone", message, log)
	}
	if got := files(t, s.Dir); len(got) > 0 {
		t.Errorf("there is %v", got)
	}
	w.login("")
	if message, _ = w.fails(t, w.source(t, "main")); !strings.HasPrefix(message, "authentication required") {
		t.Errorf("message = %q", message)
	}
}

func TestWhatTheProviderHasNoMoreIsNotFetched(t *testing.T) {
	for _, version := range []string{"%s", "main^{%s}", "refs/heads/main^{%s}", "%.10s"} {
		t.Run(version, func(t *testing.T) {
			w, _ := withApp(t)
			caching(t, w)
			lost := w.commit(t, "main", "lost")
			w.fetched(t, w.source(t, "main"))
			must(t, w.Rename("octo/app", "octo/old")) // with all its objects
			must(t, w.CreateRepository("octo", "app", true))
			_, err := w.Commit("octo", "app", "main", map[string]string{"new": "x"}, "another history")
			must(t, err)
			message, _ := w.fails(t, w.source(t, fmt.Sprintf(version, lost)))
			if !strings.HasPrefix(message, "reference not found") {
				t.Errorf("message = %q", message)
			}
			w.fetched(t, w.source(t, "main"))
		})
	}
}

func TestADamagedMirrorIsMadeAnew(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, mirror, pack string)
	}{
		{"a pack that is cut off", func(t *testing.T, _, pack string) { must(t, os.Truncate(pack, 100)) }},
		{"a pack that is empty", func(t *testing.T, _, pack string) { must(t, os.Truncate(pack, 0)) }},
		{"a pack of zeros", func(t *testing.T, _, pack string) { overwrite(t, pack, 0, 1<<20) }},
		{"zeros in a pack", func(t *testing.T, _, pack string) { overwrite(t, pack, 12, 60) }},
		{"no pack", func(t *testing.T, _, pack string) { must(t, os.Remove(pack)) }},
		{"an index that is cut off", func(t *testing.T, _, pack string) {
			must(t, os.Truncate(strings.TrimSuffix(pack, ".pack")+".idx", 1000))
		}},
		{"refs that are none", func(t *testing.T, mirror, _ string) {
			must(t, os.WriteFile(filepath.Join(mirror, "packed-refs"), []byte("hello\n"), 0o600))
		}},
		{"refs to what is not there", func(t *testing.T, mirror, _ string) {
			must(t, os.WriteFile(filepath.Join(mirror, "packed-refs"), []byte(strings.Repeat("12", 20)+" refs/slipway/0\n"), 0o600))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := withApp(t)
			caching(t, w)
			w.fetched(t, w.source(t, "main"))
			mirror := w.mirrorsOf(t)[0]
			for name := range packs(t, mirror) {
				pack := filepath.Join(mirror, "objects", "pack", name)
				must(t, os.Chmod(pack, 0o644))
				must(t, os.Chmod(strings.TrimSuffix(pack, ".pack")+".idx", 0o644))
				c.damage(t, mirror, pack)
			}
			s := w.source(t, "main")
			result, log := w.fetch(t, s)
			if result.Failure != nil || len(result.Commits) != 1 {
				t.Fatalf("Result = %v, log %q", result, log)
			}
			if want := "The cache of " + w.CloneURL("octo", "app") + " is damaged and is made anew.\n"; log != want {
				t.Errorf("log = %q, want %q", log, want)
			}
			seen(t, s.Dir)
			w.fetched(t, w.source(t, "main")) // which has nothing to say
		})
	}
}

// overwrite writes zeros into a file, without making it longer.
func overwrite(t *testing.T, name string, from, to int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	_, err = f.WriteAt(make([]byte, min(to, info.Size())-from), from)
	must(t, err)
}

func TestBuildsAtTheSameTimeShareACache(t *testing.T) {
	w, _ := withApp(t)
	caching(t, w)
	for range 3 {
		var all sync.WaitGroup
		for range 6 {
			s := w.source(t, "")
			all.Go(func() {
				var log bytes.Buffer
				result, err := fetch.Run(t.Context(), racing(t), w.job(s), &log)
				if err != nil || result.Failure != nil || log.Len() > 0 {
					t.Errorf("Run = %v, %v, %q", result, err, log.String())
					return
				}
				seen(t, s.Dir)
			})
		}
		all.Wait()
		w.commit(t, "main", "news")
	}
	left, err := filepath.Glob(filepath.Join(w.launch.Mirrors.Dir, "tmp-*"))
	must(t, err)
	if len(w.mirrorsOf(t)) != 1 || len(left) > 0 {
		t.Errorf("there are %v and %v", w.mirrorsOf(t), left)
	}
}

func TestProjectsDoNotShareMirrors(t *testing.T) {
	w, _ := withApp(t)
	caching(t, w)
	for _, project := range []string{"one", "two"} {
		job := w.job(w.source(t, "main"))
		job.Mirrors = project
		_, err := fetch.Run(t.Context(), self(), job, new(bytes.Buffer))
		must(t, err)
	}
	if got := w.mirrorsOf(t); len(got) != 2 {
		t.Errorf("mirrors = %v, want one of each project", got)
	}
}

func TestSubmodulesThroughTheCache(t *testing.T) {
	w, _ := withSubmodule(t, func(*world) string { return "../lib.git" })
	caching(t, w)
	must(t, w.CreateRepository("octo", "deep", true))
	deep, err := w.Commit("octo", "deep", "main", map[string]string{"deep.txt": "x"}, "deep")
	must(t, err)
	lib, err := w.Submodule("octo", "lib", "main", "deep", "../deep.git", deep)
	must(t, err)
	_, err = w.Submodule("octo", "app", "main", "vendor/lib", "../lib.git", lib)
	must(t, err)
	for round := range 3 {
		s := w.source(t, "main")
		s.Submodules = true
		w.fetched(t, s)
		for at, want := range map[string]string{"vendor/lib": lib, "vendor/lib/deep": deep} {
			if got := git(t, filepath.Join(s.Dir, at), "rev-parse", "HEAD"); got != want {
				t.Errorf("%s is at %s, want %s", at, got, want)
			}
			if refs := git(t, filepath.Join(s.Dir, at), "for-each-ref"); strings.Contains(refs, "slipway") {
				t.Errorf("%s has the refs %s", at, refs)
			}
		}
		if got := w.mirrorsOf(t); len(got) != 3 {
			t.Errorf("there are %d mirrors, want 3", len(got))
		}
		noSecretBelow(t, s.Dir)
		if round == 1 { // a commit that its provider has no more is not the mirror's to give
			must(t, w.Rename("octo/deep", "octo/old"))
			must(t, w.CreateRepository("octo", "deep", true))
			_, err := w.Commit("octo", "deep", "main", map[string]string{"other": "x"}, "another history")
			must(t, err)
			s := w.source(t, "main")
			s.Submodules = true
			if message, _ := w.fails(t, s); !strings.Contains(message, "vendor/lib/deep") {
				t.Errorf("message = %q, want it to be of vendor/lib/deep", message)
			}
			break
		}
	}
}
