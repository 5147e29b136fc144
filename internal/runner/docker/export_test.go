package docker

import (
	"context"

	"slipway/internal/runner"
)

// FreeLayers is what create calls for a privileged build.
func (r *Runner) FreeLayers(ctx context.Context, l runner.Launch) (string, error) {
	return r.engine.freeLayers(ctx, r.agents.Root(), l)
}

// Sweep is what removes what only root can.
func (r *Runner) Sweep(ctx context.Context, dir string) error { return r.sweep(ctx, dir) }
