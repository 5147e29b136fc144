package agent

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// copyTree copies the directory from to the new one to: files with their mode
// and time, links as they are. Pipes, sockets and devices are left out, and so
// is what exclude names.
func copyTree(ctx context.Context, from, to string, exclude []string) error {
	type stamp struct {
		dir string
		at  time.Time
	}
	var times []stamp // of directories: what is made in them changes theirs
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if slices.Contains(exclude, path) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		there := filepath.Join(to, rel)
		switch d.Type() {
		case fs.ModeDir:
			times = append(times, stamp{there, info.ModTime()})
			return os.MkdirAll(there, info.Mode().Perm()|0o700)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, there)
		case 0:
			return copyFile(path, there, info)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(times) {
		if err := os.Chtimes(t.dir, t.at, t.at); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string, info fs.FileInfo) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) // in the kernel, and shared where the file system can
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}
