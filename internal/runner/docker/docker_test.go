package docker_test

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/moby/moby/client"

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
