package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// removeAll removes a directory with all that a build left in it. Builds make
// directories that their owner may not write, such as Go's module cache: where
// that is in the way, it is changed first.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	root, err := os.OpenRoot(filepath.Dir(dir)) // never beyond, however the build's links lead
	if err != nil {
		return err
	}
	defer root.Close()
	unlock(root, filepath.Base(dir))
	return root.RemoveAll(filepath.Base(dir))
}

// unlock makes a directory and all directories in it writable to their owner.
// What cannot be changed shows itself when it is removed.
func unlock(root *os.Root, name string) {
	info, err := root.Lstat(name)
	if err != nil || !info.IsDir() {
		return
	}
	_ = root.Chmod(name, 0o700)
	f, err := root.Open(name)
	if err != nil {
		return
	}
	entries, _ := f.ReadDir(-1)
	f.Close()
	for _, e := range entries {
		if e.IsDir() {
			unlock(root, filepath.Join(name, e.Name()))
		}
	}
}
