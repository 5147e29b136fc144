package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/internal/arn"
	"slipway/internal/runner"
)

// mostLayers is how many volumes of layers a project may have: as many of its
// builds can run at once with layers of an earlier one.
const mostLayers = 16

// freeLayers returns the name of a volume with the layers of the launch's
// project that no container has: two Docker daemons cannot share one. It is
// empty, which means a new one for this build alone, if there are too many.
func (e *Engine) freeLayers(ctx context.Context, folder string, l runner.Launch) (string, error) {
	project := projectName(folder, l.Scope, l.ProjectName)
	for n := range mostLayers {
		name := fmt.Sprintf("slipway-layers-%s-%d", project, n)
		used, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("volume", name)})
		if err != nil {
			return "", err
		}
		if len(used.Items) > 0 {
			continue
		}
		_, err = e.client.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: map[string]string{ // as it is if it is there
			folderLabel: folder, projectLabel: project,
		}})
		return name, err
	}
	return "", nil
}

// projectName names a project of a server in an engine.
func projectName(folder string, s arn.Scope, project string) string {
	sum := sha256.Sum256([]byte(folder + "\x00" + s.Account + "\x00" + s.Region + "\x00" + project))
	return hex.EncodeToString(sum[:8])
}

// DropLayers removes what Docker daemons of a project's builds have kept for
// the next ones. Those of builds that run now are kept.
func (r *Runner) DropLayers(ctx context.Context, s arn.Scope, project string) error {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	filters := client.Filters{}.Add("label", projectLabel+"="+projectName(r.agents.Root(), s, project))
	got, err := r.engine.client.VolumeList(ctx, client.VolumeListOptions{Filters: filters})
	if err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	for _, v := range got.Items {
		if _, gone := r.engine.client.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{}); gone != nil && !errdefs.IsNotFound(gone) && !errdefs.IsConflict(gone) {
			err = errors.Join(err, fmt.Errorf("remove volume %s: %w", v.Name, gone))
		}
	}
	return err
}
