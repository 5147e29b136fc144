package docker_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"slipway/internal/arn"
	"slipway/internal/runner"
	"slipway/internal/runner/docker"
	"slipway/internal/runner/docker/dockertest"
	"slipway/internal/runner/runnertest"
)

func TestMain(m *testing.M) {
	runnertest.MaybeAgent()
	status := m.Run()
	dockertest.Clean()
	os.Exit(status)
}

func TestContract(t *testing.T) {
	c := dockertest.Engine(t)
	images, err := docker.ParseImages([]string{"*=" + dockertest.Image})
	if err != nil {
		t.Fatal(err)
	}
	runnertest.Run(t, func(t *testing.T, server string) runnertest.Ground {
		dir := t.TempDir()
		t.Cleanup(func() { nothingIsLeft(t, c, dir) })
		return runnertest.Ground{Image: dockertest.Image, Open: func() runner.Runner {
			return open(t, docker.Options{Dir: dir, Server: server, Agent: runnertest.Command(), Images: images, Network: "none"})
		}}
	})
}

func open(t *testing.T, o docker.Options) *docker.Runner {
	t.Helper()
	o.Inside = []string{dockertest.Agent(t)}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r, err := docker.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// nothingIsLeft fails if something of the places in a folder is still there.
func nothingIsLeft(t *testing.T, c *client.Client, dir string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	got, err := c.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", "slipway.folder="+dir)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Items {
		t.Errorf("the container %v is left, %s", c.Names, c.State)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("the folder of %s is left", e.Name())
	}
}

func TestLayersAreForOneBuildAtATime(t *testing.T) {
	c := dockertest.Engine(t)
	dir := t.TempDir()
	r := open(t, docker.Options{Dir: dir, Server: "unix:///nobody", Agent: runnertest.Command()})
	app := runner.Launch{Scope: arn.Scope{Account: "000000000000", Region: "us-east-1"}, ProjectName: "app"}
	other := app
	other.ProjectName = "other"
	free := func(l runner.Launch) string {
		name, err := r.FreeLayers(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	first := free(app)
	if again := free(app); again != first || first == "" {
		t.Errorf("the next build has %s, want the %s of the one before", again, first)
	}
	if got := free(other); got == first {
		t.Errorf("another project has the same: %s", got)
	}
	made, err := c.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Config:     &container.Config{Image: dockertest.Image, Cmd: []string{"true"}},
		HostConfig: &container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: first, Target: "/var/lib/docker"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	second := free(app)
	if second == first {
		t.Error("two builds have the same")
	}
	volumes := func() []string {
		got, err := c.VolumeList(t.Context(), client.VolumeListOptions{Filters: client.Filters{}.Add("label", "slipway.folder="+dir)})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range got.Items {
			names = append(names, v.Name)
		}
		return names
	}
	if err := r.DropLayers(t.Context(), app.Scope, "app"); err != nil {
		t.Error(err)
	}
	if got := volumes(); len(got) != 2 || !slices.Contains(got, first) || slices.Contains(got, second) {
		t.Errorf("left are %v, want %s, which a build has, and the other project's", got, first)
	}
	if _, err := c.ContainerRemove(t.Context(), made.ID, client.ContainerRemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, project := range []string{"app", "other", "none"} {
		if err := r.DropLayers(t.Context(), app.Scope, project); err != nil {
			t.Error(err)
		}
	}
	if got := volumes(); len(got) > 0 {
		t.Errorf("left are %v, want none", got)
	}
}

func TestSweepLeavesNoTrace(t *testing.T) {
	c := dockertest.Engine(t)
	r := open(t, docker.Options{Dir: t.TempDir(), Server: "unix:///nobody", Agent: runnertest.Command()})
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700), os.WriteFile(filepath.Join(dir, "a", "file"), nil, 0o600),
		os.WriteFile(outside, nil, 0o600), os.Symlink(outside, filepath.Join(dir, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	images := func() int {
		got, err := c.ImageList(t.Context(), client.ImageListOptions{All: true, Filters: client.Filters{}.Add("dangling", "true")})
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Items)
	}
	before := images()
	if err := r.Sweep(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if _, kept := os.Stat(outside); err != nil || len(left) > 0 || kept != nil {
		t.Errorf("left %v, %v; outside: %v", left, err, kept)
	}
	if after := images(); after > before {
		t.Errorf("%d images without a name, before there were %d", after, before)
	}
	nothingIsLeft(t, c, dir)
}

func TestNoEngine(t *testing.T) {
	for at, want := range map[string]string{
		"unix://" + t.TempDir() + "/none.sock": "no Docker engine answers at",
		"tcp://192.0.2.1:2375":                 "on another machine",
	} {
		e, err := docker.Probe(t.Context(), at)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Probe(%s) = %+v, %v, want %q", at, e, err, want)
		}
	}
	_, err := docker.Open(t.Context(), docker.Options{Dir: t.TempDir(), Server: "unix:///s", Agent: []string{"/bin/ls"}})
	if err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("Open with a program that needs libraries: %v", err)
	}
}
