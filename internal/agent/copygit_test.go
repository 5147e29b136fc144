package agent

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is copied of a worktree or a submodule is a repository of its own, with
// the same commit and the same changes, wherever the other ones are.
func TestTheCopyOfAWorktreeOrSubmoduleIsARepository(t *testing.T) {
	dir := t.TempDir()
	git := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"}, args...)...)
		cmd.Dir = in
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	first, lib := filepath.Join(dir, "first"), filepath.Join(dir, "lib")
	for _, repository := range []string{lib, first} {
		git(dir, "init", "-q", repository)
		git(repository, "commit", "-q", "--allow-empty", "-m", "one")
	}
	git(first, "submodule", "--quiet", "add", lib, "sub")
	git(first, "commit", "-q", "-m", "two")
	git(first, "worktree", "add", "-q", "-b", "other", filepath.Join(dir, "second"))
	git(filepath.Join(dir, "second"), "commit", "-q", "--allow-empty", "-m", "three")
	for _, name := range []string{"second", "first/sub", "first"} {
		from, to := filepath.Join(dir, name), filepath.Join(t.TempDir(), "copy")
		if err := copyTree(t.Context(), from, to, nil); err != nil {
			t.Fatal(err)
		}
		if err := copyRepository(t.Context(), from, to); err != nil {
			t.Fatal(err)
		}
		if got := git(to, "rev-parse", "--show-toplevel"); got != to {
			t.Errorf("%s: the copy's repository is of %s", name, got)
		}
		for _, command := range [][]string{{"rev-parse", "HEAD"}, {"rev-parse", "--abbrev-ref", "HEAD"}, {"status", "--porcelain"}} {
			if got, want := git(to, command...), git(from, command...); got != want {
				t.Errorf("%s: git %v says %q in the copy, want %q", name, command, got, want)
			}
		}
		if name != "first" { // whose copy has a submodule of its own, which git does not find there
			git(to, "commit", "-q", "--allow-empty", "-m", "in the copy")
		}
	}
}
