package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// swept is where a container sees the folder that it empties.
const swept = "/swept"

// sweep empties a folder of files that only root can remove, by a container
// that has nothing but that folder and the agent's program.
func (r *Runner) sweep(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	image, err := r.engine.emptyImage(ctx)
	if err != nil {
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
	clean := context.WithoutCancel(ctx)
	defer func() { _, _ = r.engine.client.ImageRemove(clean, image, client.ImageRemoveOptions{}) }()
	host := &container.HostConfig{
		LogConfig: container.LogConfig{Type: "none"}, NetworkMode: "none", AutoRemove: true,
		Mounts: []mount.Mount{
			{Type: mount.TypeBind, Source: dir, Target: swept},
			{Type: mount.TypeBind, Source: r.options.Inside[0], Target: "/agent", ReadOnly: true},
		},
	}
	r.engine.secure(host)
	made, err := r.engine.client.ContainerCreate(ctx, client.ContainerCreateOptions{HostConfig: host, Config: &container.Config{
		Image: image, User: "0:0", Entrypoint: append(append([]string{"/agent"}, r.options.Inside[1:]...), "sweep", swept),
		Labels: map[string]string{folderLabel: r.agents.Root()},
	}})
	if err != nil {
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
	defer func() { _ = r.engine.remove(clean, made.ID) }()
	exit := r.engine.client.ContainerWait(ctx, made.ID, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := r.engine.client.ContainerStart(ctx, made.ID, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
	select {
	case got := <-exit.Result:
		if got.StatusCode != 0 {
			return fmt.Errorf("sweep %s: exit status %d", dir, got.StatusCode)
		}
		return nil
	case err := <-exit.Error:
		return fmt.Errorf("sweep %s: %w", dir, err)
	}
}

// emptyImage makes an image with nothing in it and returns its id. So sweeping
// does not need a build's image, which may be gone.
func (e *Engine) emptyImage(ctx context.Context) (string, error) {
	var root bytes.Buffer
	w := tar.NewWriter(&root)
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "swept/", Mode: 0o755})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", err
	}
	answer, err := e.client.ImageImport(ctx, client.ImageImportSource{Source: &root, SourceName: "-"}, "", client.ImageImportOptions{})
	if err != nil {
		return "", err
	}
	defer answer.Close()
	var said struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	for d := json.NewDecoder(answer); ; { // the last word is the id
		if err := d.Decode(&said); err == io.EOF {
			return said.Status, nil
		} else if err != nil {
			return "", err
		}
		if said.Error != "" {
			return "", fmt.Errorf("import an image: %s", said.Error)
		}
	}
}
