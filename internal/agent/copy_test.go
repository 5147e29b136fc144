package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestCopyingADirectory(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	past := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(from, "a/b"), 0o755))
	must(os.MkdirAll(filepath.Join(from, "out/deep"), 0o755))
	must(os.WriteFile(filepath.Join(from, "a/tool"), []byte("#!/bin/sh\n"), 0o755))
	must(os.WriteFile(filepath.Join(from, "out/deep/left"), nil, 0o644))
	must(os.Symlink("../nowhere", filepath.Join(from, "a/b/link")))
	must(syscall.Mkfifo(filepath.Join(from, "pipe"), 0o644))
	must(os.Chtimes(filepath.Join(from, "a/tool"), past, past))
	must(os.Chtimes(filepath.Join(from, "a"), past, past))

	must(copyTree(t.Context(), from, to, []string{filepath.Join(from, "out")}))
	tool, err := os.Stat(filepath.Join(to, "a/tool"))
	if err != nil || tool.Mode().Perm() != 0o755 || !tool.ModTime().Equal(past) {
		t.Errorf("a/tool: %v, %v", tool, err)
	}
	if dir, err := os.Stat(filepath.Join(to, "a")); err != nil || !dir.ModTime().Equal(past) {
		t.Errorf("a: %v, %v", dir, err)
	}
	if target, err := os.Readlink(filepath.Join(to, "a/b/link")); err != nil || target != "../nowhere" {
		t.Errorf("a/b/link leads to %q, %v", target, err)
	}
	for _, name := range []string{"pipe", "out"} {
		if _, err := os.Lstat(filepath.Join(to, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	ended, end := context.WithCancelCause(t.Context())
	end(endStopped)
	if err := copyTree(ended, from, filepath.Join(t.TempDir(), "copy"), nil); !errors.Is(err, endStopped) {
		t.Errorf("after the end of the build: %v", err)
	}
}
