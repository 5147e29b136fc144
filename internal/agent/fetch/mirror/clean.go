package mirror

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// Excess is what a repository has of its Seed beside refs in the Namespace.
type Excess struct {
	Refs    map[string]bool      // by their full names
	Shallow func(id string) bool // tells it of the commits where history is cut off; nil means that there is none
}

// Clean takes out of a repository what only its fetch needed to know.
func Clean(gitDir string, excess Excess) error {
	root, err := os.OpenRoot(gitDir)
	if err != nil {
		return err
	}
	defer root.Close()
	for name := range excess.Refs {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := rewrite(root, "packed-refs", func(text []byte) []byte { return cleanRefs(text, excess.Refs) }); err != nil || excess.Shallow == nil {
		return err
	}
	return rewrite(root, shallowFile, func(text []byte) []byte {
		var rest []byte
		for line := range bytes.Lines(text) {
			if !excess.Shallow(string(bytes.TrimSpace(line))) {
				rest = append(rest, line...)
			}
		}
		return rest
	})
}

// HasTags reports whether there is a tag in a repository.
func HasTags(gitDir string) bool {
	root, err := os.OpenRoot(gitDir)
	if err != nil {
		return false
	}
	defer root.Close()
	packed, _ := root.ReadFile("packed-refs")
	loose, _ := fs.ReadDir(root.FS(), "refs/tags")
	return len(loose) > 0 || bytes.Contains(packed, []byte(" refs/tags/"))
}

// cleanRefs returns the packed refs that are a repository's own.
func cleanRefs(text []byte, excess map[string]bool) []byte {
	var rest []byte
	keep := true
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("^")) { // which says what the ref before it leads to
			_, name, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
			keep = !strings.HasPrefix(name, Namespace) && !excess[name]
		}
		if keep {
			rest = append(rest, line...)
		}
	}
	return rest
}

// rewrite changes a file of a git directory as git does, if there is one.
// Without a text there is none any more.
func rewrite(root *os.Root, name string, change func([]byte) []byte) error {
	from, err := root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := change(from)
	switch {
	case len(to) == 0:
		return root.Remove(name)
	case len(from) == len(to):
		return nil
	}
	lock := name + ".lock"                                  // under which git changes it
	if err := root.WriteFile(lock, to, 0o644); err != nil { //nolint:gosec // as git does
		return err
	}
	return root.Rename(lock, name)
}
