package schedule

import (
	"context"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
)

// StopBuild asks a build to end and returns its record as it then is. A queued
// build ends at once, a finished one is returned unchanged; the wish to end a
// running one is durable, and its agent has Options.StopGrace to carry it out.
// NotFound if there is no such build.
func (s *Scheduler) StopBuild(ctx context.Context, id string) (build.Build, error) {
	s.claiming.Lock()
	b, err := s.change(ctx, id, func(b *build.Build) error {
		b.RequestStop(time.Now())
		return nil
	})
	h, _ := s.hold(id)
	s.claiming.Unlock()
	if err == nil && h != nil && !b.Finished() {
		s.end(h, ending{status: api.StatusTypeStopped, grace: s.options.StopGrace})
	}
	return b, err
}
