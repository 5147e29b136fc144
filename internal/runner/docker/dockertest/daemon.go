package dockertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// daemonImage is an image with a Docker daemon and its client; its tag tells
// other sets of files apart, of which the engine may have one.
var daemonImage = fmt.Sprintf("slipway-test/docker:%x", sha256.Sum256([]byte(strings.Join(daemonFiles, " "))))

// daemonFiles are what a daemon consists of, as this machine has it.
var daemonFiles = []string{
	"/usr/sbin/dockerd", "/usr/bin/docker", "/usr/bin/containerd", "/usr/bin/containerd-shim-runc-v2", "/usr/sbin/runc", "/usr/sbin/iptables=/usr/sbin/xtables-legacy-multi",
}

// Daemon makes an image with a Docker daemon, if the engine does not have it,
// and returns its name. It stays there, since it is large.
func Daemon(t testing.TB, c *client.Client) string {
	t.Helper()
	_, err := c.ImageInspect(t.Context(), daemonImage)
	if errdefs.IsNotFound(err) {
		var files []string
		if files, err = withLibraries(t.Context(), daemonFiles); err == nil {
			err = busybox(c, daemonImage, files, "ENV PATH=/usr/sbin:/usr/bin:/bin", "ENV IMAGE=docker")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return daemonImage
}

// Privileged fails the test in CI, and skips it elsewhere, if the engine cannot
// run privileged containers: where root lacks capabilities, only one that
// scripts/test-docker started can.
func Privileged(t testing.TB, c *client.Client) {
	t.Helper()
	made, err := c.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config:     &container.Config{Image: Image, Cmd: []string{"true"}},
		HostConfig: &container.HostConfig{Privileged: true, NetworkMode: "none"},
	})
	if err == nil {
		_, err = c.ContainerStart(t.Context(), made.ID, client.ContainerStartOptions{})
		_, gone := c.ContainerRemove(t.Context(), made.ID, client.ContainerRemoveOptions{Force: true})
		err = errors.Join(err, gone)
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no privileged containers: %v; stop this engine and let scripts/test-docker start one", err)
	}
	if err != nil {
		t.Skipf("no privileged containers: %v; stop this engine and let scripts/test-docker start one", err)
	}
}

var library = regexp.MustCompile(`(/\S+) \(0x`)

// withLibraries returns programs with all that they are linked to.
func withLibraries(ctx context.Context, programs []string) ([]string, error) {
	files := slices.Clone(programs)
	for _, p := range programs {
		if _, here, ok := strings.Cut(p, "="); ok {
			p = here
		}
		out, err := exec.CommandContext(ctx, "ldd", p).CombinedOutput()
		if err != nil && !strings.Contains(string(out), "not a dynamic executable") {
			return nil, fmt.Errorf("ldd %s: %w: %s", p, err, out)
		}
		for _, found := range library.FindAllStringSubmatch(string(out), -1) {
			if !slices.Contains(files, found[1]) {
				files = append(files, found[1])
			}
		}
	}
	modules, err := filepath.Glob("/usr/lib/*/xtables/*.so")
	return append(files, modules...), err
}
