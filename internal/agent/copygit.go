package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxGitFile bounds the small files in which git says where a repository is.
const maxGitFile = 16 << 10

// copyRepository gives a copied directory its git repository, if the directory
// is a worktree or a submodule: its .git is then a file that names a folder
// elsewhere, which commands could not reach. What is shared with other worktrees
// is copied, too. Without such a file, or without the folder, nothing is done:
// what git says of that is true.
func copyRepository(ctx context.Context, from, to string) error {
	info, err := os.Lstat(filepath.Join(from, ".git"))
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxGitFile {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(from, ".git"))
	if err != nil {
		return err
	}
	own, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if !ok {
		return nil
	}
	own = below(from, own)
	if info, err := os.Stat(own); err != nil || !info.IsDir() {
		return nil
	}
	there := filepath.Join(to, ".git")
	if err := os.Remove(there); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err = os.ReadFile(filepath.Join(own, "commondir"))
	if errors.Is(err, fs.ErrNotExist) { // a submodule
		if err := copyTree(ctx, own, there, nil); err != nil {
			return err
		}
		return forgetWorktree(filepath.Join(there, "config"))
	}
	if err != nil {
		return err
	}
	common := below(own, strings.TrimSpace(string(text)))
	exclude := []string{filepath.Join(common, "worktrees")}
	for _, name := range ownOfWorktree {
		exclude = append(exclude, filepath.Join(common, name))
	}
	if err := copyTree(ctx, common, there, exclude); err != nil {
		return err
	}
	for _, name := range ownOfWorktree {
		info, err := os.Lstat(filepath.Join(own, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // not every worktree has them all
		}
		if err := copyFile(filepath.Join(own, name), filepath.Join(there, name), info); err != nil {
			return err
		}
	}
	return forgetWorktree(filepath.Join(there, "config"))
}

// ownOfWorktree are the files that each worktree has for itself.
var ownOfWorktree = []string{"HEAD", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "index", "config.worktree"}

// forgetWorktree removes from a repository's settings where its files were, and
// that it has none.
func forgetWorktree(config string) error {
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var kept strings.Builder
	core := false
	for line := range strings.Lines(string(text)) {
		if word := strings.TrimSpace(line); strings.HasPrefix(word, "[") {
			core = strings.HasPrefix(strings.ToLower(word), "[core]")
		}
		name, _, _ := strings.Cut(strings.TrimSpace(line), "=")
		if name = strings.ToLower(strings.TrimSpace(name)); !core || name != "worktree" && name != "bare" {
			kept.WriteString(line)
		}
	}
	if err := os.Remove(config); err != nil { // it may be a link to a file that is not ours
		return err
	}
	return os.WriteFile(config, []byte(kept.String()), 0o644)
}

// below returns a path that may be relative to a directory.
func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
