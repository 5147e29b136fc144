// Package dockertest has what tests of the Docker runner need: an engine that
// answers, small images, and the agent as a static program.
package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/internal/runner/docker"
)

// Image is a small one with busybox, PATH and a variable IMAGE=busybox.
const Image = "slipway-test/busybox:1"

// root is the repository's root.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..")
}

// start starts an engine, once, if none answers.
var start = sync.OnceValue(func() error {
	engine, err := docker.Probe(context.Background(), os.Getenv("DOCKER_HOST"))
	if err == nil {
		return engine.Close()
	}
	if out, err := exec.Command(filepath.Join(root(), "scripts", "test-docker")).CombinedOutput(); err != nil { //nolint:gosec // our own script
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
})

// Engine returns a client of an engine that answers and has Image. A machine
// that can have none fails the test in CI and skips it elsewhere.
func Engine(t testing.TB) *client.Client {
	t.Helper()
	c, err := Open()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Open is Engine for what is no test.
func Open() (*client.Client, error) {
	if err := start(); err != nil {
		return nil, fmt.Errorf("no Docker engine: %w", err)
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		return nil, err
	}
	_, err = c.ImageInspect(context.Background(), Image)
	if errdefs.IsNotFound(err) {
		err = busybox(c, Image, nil, "ENV PATH=/usr/local/bin:/usr/bin:/bin", "ENV IMAGE=busybox")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Make makes an image like Image with a tag of its own, changed by instructions
// of a Dockerfile, and removes it when the test ends.
func Make(t testing.TB, c *client.Client, name string, instructions ...string) {
	t.Helper()
	if err := busybox(c, name, nil, instructions...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Remove(t, c, name) })
}

// MakeEmpty makes an image without a shell, likewise.
func MakeEmpty(t testing.TB, c *client.Client, name string) {
	t.Helper()
	err := imported(c, name, nil, func(w *tar.Writer) error {
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Remove(t, c, name) })
}

// Remove removes an image if it is there.
func Remove(t testing.TB, c *client.Client, name string) {
	t.Helper()
	if _, err := c.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) {
		t.Errorf("remove image %s: %v", name, err)
	}
}

// busybox makes an image of the machine's static busybox, and of further files
// of the machine at their own places, or at another one: "there=here".
func busybox(c *client.Client, name string, more []string, instructions ...string) error {
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return fmt.Errorf("busybox-static is not installed: %w", err)
	}
	applets, err := exec.Command("/bin/busybox", "--list").Output()
	if err != nil {
		return err
	}
	return imported(c, name, instructions, func(w *tar.Writer) error {
		for _, dir := range []string{"bin", "etc", "root", "usr", "usr/bin", "var"} {
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
				return err
			}
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
			return err
		}
		const users = "root:x:0:0:root:/root:/bin/sh\nother:x:1000:1000:other:/home/other:/bin/sh\n"
		for file, text := range map[string]string{"etc/passwd": users, "etc/group": "root:x:0:\nother:x:1000:\n", "bin/busybox": string(program)} {
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: file, Mode: 0o755, Size: int64(len(text))}); err != nil {
				return err
			}
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
		}
		for _, path := range more {
			if err := add(w, path); err != nil {
				return err
			}
		}
		for _, applet := range strings.Fields(string(applets)) {
			if applet == "busybox" {
				continue
			}
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + applet, Linkname: "busybox"}); err != nil {
				return err
			}
		}
		return nil
	})
}

// add adds a file of the machine.
func add(w *tar.Writer, path string) error {
	there, here, ok := strings.Cut(path, "=")
	if !ok {
		here = there
	}
	f, err := os.Open(here)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(there, "/"), Mode: 0o755, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

func imported(c *client.Client, name string, instructions []string, fill func(*tar.Writer) error) error {
	read, write := io.Pipe()
	defer read.Close() // or what fills it would wait for ever
	go func() {
		w := tar.NewWriter(write)
		_ = write.CloseWithError(errors.Join(fill(w), w.Close())) // never fails
	}()
	answer, err := c.ImageImport(context.Background(), client.ImageImportSource{Source: read, SourceName: "-"}, name, client.ImageImportOptions{Changes: instructions})
	if err != nil {
		return err
	}
	defer answer.Close()
	said, err := io.ReadAll(answer)
	if err == nil && bytes.Contains(said, []byte(`"error"`)) {
		err = fmt.Errorf("import %s: %s", name, said)
	}
	return err
}

var built struct {
	sync.Once
	dir string
	err error
}

// Agent returns the path of the agent as a static program, built once for all
// tests of a package; Main removes it.
func Agent(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "slipway-agent-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(built.dir, "slipway-agent"), "./cmd/slipway-agent")
		build.Dir, build.Env = root(), append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "slipway-agent")
}

// Clean removes what Agent made. It is for TestMain.
func Clean() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}
