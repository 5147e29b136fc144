package schedule

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/runner"
)

// Codes of the contexts that say why the server ended a build.
const (
	faultCode   = "INTERNAL_ERROR"
	timeOutCode = "BUILD_TIMED_OUT"
	timeOutText = "Build has timed out. " // CodeBuild's text, with its blank
)

const (
	sweepEvery = time.Second
	// How often queued builds are searched for late ones: no build may be
	// queued for less than five minutes, so none is missed by much.
	queueSweepMost  = 5 * time.Minute
	queueSweepLeast = 5 * time.Second
)

// reapLoop ends builds whose agents are silent or late, and queued builds that
// waited too long.
func (s *Scheduler) reapLoop(ctx context.Context) {
	every := min(sweepEvery, s.options.Lease/4)
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := time.Now()
	queue := last
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		if now.Sub(last) > every+s.options.Lease/2 {
			// It is this server that was not there: it was held, or the machine
			// was too busy. What the agents said meanwhile is still to be read.
			for _, h := range s.all() {
				h.heard(now, s.options.Lease)
			}
		}
		last = now
		s.sweep(now)
		if !now.Before(queue) {
			queue = s.sweepQueue(ctx, now)
		}
	}
}

// sweep ends the running builds that are lost or late.
func (s *Scheduler) sweep(now time.Time) {
	for _, h := range s.all() {
		h.mu.Lock()
		silent, begun := now.After(h.lease) && h.launched(), h.begun
		h.mu.Unlock()
		switch {
		case silent && begun:
			s.lose(h, "The build's agent stopped reporting. Its process, or the machine it ran on, may have been ended or have run out of memory.")
		case silent:
			s.lose(h, "")
		case now.After(h.deadline.Add(s.options.Overrun)):
			s.end(h, ending{status: api.StatusTypeTimedOut, code: timeOutCode, message: timeOutText, grace: s.options.StopGrace})
		}
	}
}

// sweepQueue ends queued builds that are late and returns when to look again.
func (s *Scheduler) sweepQueue(ctx context.Context, now time.Time) time.Time {
	next := now.Add(queueSweepMost)
	unfinished, err := s.parts.Builds.Unfinished(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("queue not searched for late builds", "error", err)
		}
		return now.Add(queueSweepLeast)
	}
	for _, b := range unfinished {
		if !b.Queued() {
			continue
		}
		if !late(&b, now) {
			if until := b.State.QueuedUntil; !until.IsZero() && until.Before(next) {
				next = until
			}
			continue
		}
		_, err := s.change(ctx, *b.Public.ID, func(b *build.Build) error {
			if late(b, now) {
				timeOut(b, now)
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.log.Error("late build not ended", "buildId", *b.Public.ID, "error", err)
			next = now
		}
	}
	if least := now.Add(queueSweepLeast); next.Before(least) {
		return least
	}
	return next
}

// late reports whether a queued build waited for longer than it may.
func late(b *build.Build, now time.Time) bool {
	return b.Queued() && !b.State.QueuedUntil.IsZero() && now.After(b.State.QueuedUntil)
}

func timeOut(b *build.Build, now time.Time) {
	b.Fail(api.StatusTypeTimedOut, timeOutCode, timeOutText, now)
}

// endLoop hears of agents that have ended from runners that can tell.
func (s *Scheduler) endLoop(ctx context.Context) {
	e, ok := s.parts.Runner.(ender)
	if !ok {
		return
	}
	for {
		select {
		case p := <-e.Ended():
			if h, _ := s.hold(p.BuildID); h != nil {
				s.later(func(ctx context.Context) { s.agentEnded(ctx, h, p) })
			}
		case <-ctx.Done():
			return
		}
	}
}

// agentEnded ends a build whose agent has ended before it.
func (s *Scheduler) agentEnded(ctx context.Context, h *hold, p runner.Place) {
	select {
	case <-h.placed:
	case <-ctx.Done():
		return
	}
	h.mu.Lock()
	mine := h.place == p // or else it is the agent of an attempt before
	h.mu.Unlock()
	if mine {
		s.lose(h, "The build's agent ended before the build did. It may have been killed, for example because the machine ran out of memory.")
	}
}

// An ending is how the server ends a build that does not end by itself.
type ending struct {
	status        api.StatusType
	code, message string
	grace         time.Duration // the agent has this long to end the build itself
	silent        bool          // the agent is not heard any more
	requeue       bool          // rather queue the build again, if its agent never began
}

// lose takes a build from an agent that is gone or silent.
func (s *Scheduler) lose(h *hold, message string) {
	s.end(h, ending{status: api.StatusTypeFault, code: faultCode, message: message, silent: true, requeue: true})
}

// end begins to end a build, unless that has begun before.
func (s *Scheduler) end(h *hold, how ending) {
	h.mu.Lock()
	begun := h.ending
	h.ending = true
	h.lost = h.lost || how.silent
	if !begun {
		h.tell = how.status
	}
	if h.cancel != nil {
		h.cancel()
	}
	h.mu.Unlock()
	if begun {
		return
	}
	s.later(func(ctx context.Context) { s.carryOut(ctx, h, how) })
}

// carryOut stops the agent, which may report the end of its build until then,
// and ends the build if it did not. If ctx ends, the next start goes on here.
func (s *Scheduler) carryOut(ctx context.Context, h *hold, how ending) {
	select {
	case <-h.placed:
	case <-ctx.Done():
		return
	}
	if h.place != (runner.Place{}) {
		if err := s.parts.Runner.Stop(ctx, h.place, how.grace); err != nil {
			if ctx.Err() != nil {
				return
			}
			s.log.Error("agent not stopped", "buildId", h.id, "error", err)
		}
	}
	h.mu.Lock()
	h.lost = true
	h.mu.Unlock()
	s.syncLog(h)
	for {
		b, err := s.change(ctx, h.id, func(b *build.Build) error {
			if h.holds(b) {
				how.apply(b, time.Now())
			}
			return nil
		})
		if err == nil || fault.KindOf(err) == fault.NotFound {
			if s.release(h) && err == nil {
				s.log.Warn("build ended by the server", "buildId", h.id, "attempt", h.attempt, "status", b.Public.BuildStatus, "reason", how.message)
			}
			return
		}
		if ctx.Err() == nil {
			s.log.Error("end of build not stored", "buildId", h.id, "error", err)
		}
		if !pause(ctx, retryPause) {
			return
		}
	}
}

// apply ends b, or queues it again.
func (how ending) apply(b *build.Build, now time.Time) {
	switch {
	case b.State.StopRequested:
		b.Fail(api.StatusTypeStopped, "", "", now)
	case how.requeue && !b.State.Begun && b.State.Attempt < maxAttempts:
		b.Requeue(now)
	case how.requeue && !b.State.Begun:
		b.Fail(how.status, how.code, fmt.Sprintf("The build's agent was launched %d times and never reported. The server's log says why.", b.State.Attempt), now)
	default:
		b.Fail(how.status, how.code, how.message, now)
	}
}

// finished cleans up after a build whose agent reported its end.
func (s *Scheduler) finished(h *hold, status api.StatusType) {
	if !s.release(h) {
		return
	}
	s.log.Info("build ended", "buildId", h.id, "attempt", h.attempt, "status", status)
	h.mu.Lock()
	stopping := h.ending // carryOut removes the place
	h.mu.Unlock()
	if stopping {
		return
	}
	s.later(func(ctx context.Context) {
		select {
		case <-h.placed:
		case <-ctx.Done():
			return
		}
		if err := s.parts.Runner.Stop(ctx, h.place, tidyGrace); err != nil && ctx.Err() == nil {
			s.log.Warn("place not removed", "buildId", h.id, "error", err)
		}
	})
}

// syncLog makes the log of a build that ends durable.
func (s *Scheduler) syncLog(h *hold) {
	if h.stream == nil {
		return
	}
	if err := s.parts.Logs.Sync(*h.stream); err != nil && fault.KindOf(err) != fault.NotFound {
		s.log.Error("log not synced", "buildId", h.id, "error", err)
	}
}
