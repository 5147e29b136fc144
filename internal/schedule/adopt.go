package schedule

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/api"
	"slipway/internal/runner"
)

// adopt takes up what an earlier server left: builds whose agents still live
// go on, builds whose agents are gone end or are queued again, and places that
// hold no unfinished build are removed.
func (s *Scheduler) adopt(ctx context.Context) error {
	places, err := s.parts.Runner.List(ctx)
	if err != nil {
		return fmt.Errorf("find running agents: %w", err)
	}
	unfinished, err := s.parts.Builds.Unfinished(ctx)
	if err != nil {
		return fmt.Errorf("find unfinished builds: %w", err)
	}
	living := map[string][]runner.Place{}
	for _, p := range places {
		living[p.BuildID] = append(living[p.BuildID], p)
	}
	for _, b := range unfinished {
		if b.Queued() {
			continue
		}
		id := *b.Public.ID
		h := newHold(b, time.Now().Add(s.options.Lease))
		s.keep(h)
		if len(living[id]) == 0 {
			h.settle(runner.Place{})
			s.lose(h, "The server or its machine was restarted, and the build's agent did not survive that.")
			continue
		}
		// There is more than one only if the place of an earlier attempt could
		// not be removed: its agent learns with its next word that it is to end.
		h.settle(living[id][0])
		delete(living, id)
		s.log.Info("build taken up again", "buildId", id, "attempt", b.State.Attempt)
		if b.State.StopRequested {
			s.end(h, ending{status: api.StatusTypeStopped, grace: s.options.StopGrace})
		}
	}
	s.mu.Lock()
	s.ready = true
	s.mu.Unlock()
	for _, left := range living {
		for _, p := range left {
			s.later(func(ctx context.Context) { s.clear(ctx, p) })
		}
	}
	return nil
}

// clear removes a place that holds no unfinished build.
func (s *Scheduler) clear(ctx context.Context, p runner.Place) {
	if err := s.parts.Runner.Stop(ctx, p, 0); err != nil && ctx.Err() == nil {
		s.log.Warn("place without a build not removed", "buildId", p.BuildID, "error", err)
	}
}
