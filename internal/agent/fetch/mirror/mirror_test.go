package mirror_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch/mirror"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository makes a repository whose objects are in one pack.
func repository(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, "init", "-q")
	commit(t, dir, "first")
	return dir
}

// commit adds a commit, in a pack of its own.
func commit(t testing.TB, dir, text string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, text), []byte(strings.Repeat(text, 1000)), 0o644))
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", text)
	git(t, dir, "repack", "-q", "-d")
}

func gitDir(dir string) string { return filepath.Join(dir, ".git") }

// begin makes a repository from a seed, as git clone does.
func begin(t testing.TB, s mirror.Seed) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "--template="+s.Dir)
	return dir
}

func TestASeedHasWhatWasKept(t *testing.T) {
	f := mirror.Folder{Dir: filepath.Join(t.TempDir(), "mirrors"), Limit: 1 << 30}
	n := mirror.Name{Project: "p", URL: "https://ghe.example/o/r"}
	from := repository(t)
	s, err := f.Seed(n, filepath.Join(t.TempDir(), "seed"))
	must(t, err)
	if s.Dir != "" {
		t.Fatalf("Seed before Keep = %v", s)
	}
	must(t, f.Keep(n, gitDir(from), s))
	for _, text := range []string{"second", "third"} {
		s, err = f.Seed(n, filepath.Join(t.TempDir(), "seed"))
		must(t, err)
		to := begin(t, s)
		head := git(t, from, "rev-parse", "HEAD")
		if got := git(t, to, "rev-list", "--objects", "--all"); got != git(t, from, "rev-list", "--objects", "HEAD") || !strings.HasPrefix(got, head) {
			t.Errorf("the seed has\n%s", got)
		}
		must(t, mirror.Clean(gitDir(to), mirror.Excess{}))
		if refs := git(t, to, "for-each-ref"); refs != "" {
			t.Errorf("after Clean there are %s", refs)
		}
		commit(t, from, text)
		must(t, f.Keep(n, gitDir(from), s))
	}
	for _, other := range []mirror.Name{{Project: "q", URL: n.URL}, {Project: "p", URL: n.URL + "x"}, {Project: "p", URL: n.URL, Depth: 1}} {
		if s, err := f.Seed(other, filepath.Join(t.TempDir(), "seed")); err != nil || s.Dir != "" {
			t.Errorf("Seed(%v) = %v, %v; want none", other, s, err)
		}
	}
}

func TestCleanLeavesAllElse(t *testing.T) {
	dir := repository(t)
	head := git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "tag", "-a", "-m", "x", "annotated")
	for _, ref := range []string{"refs/slipway/0", "refs/slipwayer/x", "refs/tags/mine", "refs/tags/theirs", "refs/pull/1/head"} {
		git(t, dir, "update-ref", ref, head)
	}
	git(t, dir, "update-ref", "refs/slipway/1", "annotated")
	git(t, dir, "pack-refs", "--all")
	git(t, dir, "update-ref", "refs/tags/loose", head)
	must(t, os.WriteFile(filepath.Join(gitDir(dir), "shallow"), []byte(head+"\n"+strings.Repeat("12", 20)+"\n"), 0o644))
	must(t, mirror.Clean(gitDir(dir), mirror.Excess{
		Refs:    map[string]bool{"refs/tags/theirs": true, "refs/tags/loose": true, "refs/tags/gone": true},
		Shallow: func(id string) bool { return id != head },
	}))
	want := "refs/heads/" + git(t, dir, "branch", "--show-current") + "\nrefs/pull/1/head\nrefs/slipwayer/x\nrefs/tags/annotated\nrefs/tags/mine"
	if got := git(t, dir, "for-each-ref", "--format=%(refname)"); got != want {
		t.Errorf("refs = %s, want %s", got, want)
	}
	if got, err := os.ReadFile(filepath.Join(gitDir(dir), "shallow")); err != nil || string(got) != head+"\n" {
		t.Errorf("shallow = %q, %v", got, err)
	}
	git(t, dir, "fsck")
}

func TestMirrorsUsedLongestAgoGoFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mirrors")
	from := repository(t)
	f := mirror.Folder{Dir: dir, Limit: 1 << 30}
	name := func(i int) mirror.Name { return mirror.Name{Project: "p", URL: fmt.Sprint(i)} }
	for i := range 4 {
		must(t, f.Keep(name(i), gitDir(from), mirror.Seed{}))
		all, err := filepath.Glob(filepath.Join(dir, "*", ".info"))
		must(t, err)
		for _, info := range all { // every one is an hour older than the next
			i, err := os.Stat(info)
			must(t, err)
			at := i.ModTime().Add(-time.Hour)
			must(t, os.Chtimes(info, at, at))
		}
	}
	has := func(i int) bool {
		s, err := f.Seed(name(i), filepath.Join(t.TempDir(), "seed"))
		must(t, err)
		return s.Dir != ""
	}
	if !has(0) { // which is a use
		t.Fatal("there is no mirror 0")
	}
	var size int64
	packs, err := filepath.Glob(filepath.Join(gitDir(from), "objects/pack/*.[pi]*"))
	must(t, err)
	for _, p := range packs {
		if strings.HasSuffix(p, ".pack") || strings.HasSuffix(p, ".idx") {
			i, err := os.Stat(p)
			must(t, err)
			size += i.Size()
		}
	}
	old := time.Now().Add(-48 * time.Hour)
	left := filepath.Join(dir, "tmp-dead")
	must(t, os.MkdirAll(filepath.Join(left, "x"), 0o700))
	must(t, os.Chtimes(left, old, old))
	f.Limit = 3 * size
	must(t, f.Keep(name(4), gitDir(from), mirror.Seed{}))
	for i, want := range []bool{true, false, false, true, true} {
		if got := has(i); got != want {
			t.Errorf("there is a mirror %d: %v, want %v", i, got, want)
		}
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a dead process left is there")
	}
	f.Limit = size - 1
	must(t, f.Keep(name(5), gitDir(from), mirror.Seed{}))
	if has(5) {
		t.Error("a mirror that is larger than all may be was kept")
	}
}

func TestAMirrorOfManyPacksIsMadeAnew(t *testing.T) {
	f := mirror.Folder{Dir: filepath.Join(t.TempDir(), "mirrors"), Limit: 1 << 30}
	n := mirror.Name{Project: "p", URL: "u"}
	from := repository(t)
	must(t, f.Keep(n, gitDir(from), mirror.Seed{}))
	for i := range 60 {
		s, err := f.Seed(n, filepath.Join(t.TempDir(), "seed"))
		must(t, err)
		if s.Dir == "" {
			if i < 30 {
				t.Errorf("it is made anew after %d", i)
			}
			return
		}
		commit(t, from, fmt.Sprint("c", i))
		must(t, f.Keep(n, gitDir(from), s))
	}
	t.Error("it grows for ever")
}

func TestADamagedMirrorIsNoSeed(t *testing.T) {
	f := mirror.Folder{Dir: filepath.Join(t.TempDir(), "mirrors"), Limit: 1 << 30}
	n := mirror.Name{Project: "p", URL: "u"}
	must(t, f.Keep(n, gitDir(repository(t)), mirror.Seed{}))
	packs, err := filepath.Glob(filepath.Join(f.Dir, "*", "objects", "pack", "*.pack"))
	must(t, err)
	must(t, os.Chmod(packs[0], 0o644))
	must(t, os.Truncate(packs[0], 40))
	to := filepath.Join(t.TempDir(), "seed")
	if s, err := f.Seed(n, to); !errors.Is(err, mirror.ErrDamaged) || s.Dir != "" {
		t.Errorf("Seed = %v, %v; want ErrDamaged", s, err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a part of a seed is left")
	}
	if s, err := f.Seed(n, to); err != nil || s.Dir != "" {
		t.Errorf("Seed = %v, %v after that; want none", s, err)
	}
}
