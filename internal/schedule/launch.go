package schedule

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/runner"
	"slipway/internal/secret"
)

// launchLoop launches queued builds as long as there is room.
func (s *Scheduler) launchLoop(ctx context.Context) {
	safety := time.NewTicker(poll)
	defer safety.Stop()
	for {
		for s.room() && ctx.Err() == nil {
			more, err := s.launchNext(ctx)
			if err != nil && ctx.Err() == nil {
				s.log.Error("queued build not claimed", "error", err)
			}
			if !more {
				break
			}
		}
		select {
		case <-s.wake:
		case <-safety.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Scheduler) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.draining && len(s.holds) < s.options.MaxBuilds
}

// launchNext claims the oldest queued build and has its agent started. more is
// false if none was queued.
func (s *Scheduler) launchNext(ctx context.Context) (more bool, err error) {
	s.claiming.Lock()
	defer s.claiming.Unlock()
	token, hash := newToken()
	now := time.Now()
	lease := now.Add(s.options.Lease)
	b, ok, err := s.parts.Builds.Claim(ctx, func(b *build.Build) error {
		if late(b, now) {
			timeOut(b, now)
			return nil
		}
		b.Claim(hash, now, lease)
		return nil
	})
	if err != nil || !ok {
		return false, err
	}
	if b.Finished() {
		return true, nil
	}
	h := newHold(b, lease)
	s.keep(h)
	s.later(func(ctx context.Context) { s.start(ctx, h, token) })
	return true, nil
}

// newToken returns an agent's token and its SHA-256.
func newToken() (secret.Text, []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw)
	hash := sha256.Sum256([]byte(token))
	return secret.New(token), hash[:]
}

// start has the runner make a place for a claimed build. A launch in flight is
// carried through when ctx ends.
func (s *Scheduler) start(ctx context.Context, h *hold, token secret.Text) {
	for try := 1; ; try++ {
		launch, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
		p, err := s.parts.Runner.Start(launch, runner.Launch{BuildID: h.id, Token: token})
		cancel()
		if err == nil {
			s.log.Info("build launched", "buildId", h.id, "attempt", h.attempt)
			h.settle(p)
			return
		}
		s.log.Error("agent not started", "buildId", h.id, "try", try, "error", err)
		if try == startTries {
			break
		}
		if !pause(ctx, startPause*time.Duration(try)) {
			h.settle(runner.Place{})
			return // the next start finds it claimed and without an agent
		}
	}
	h.settle(runner.Place{})
	s.end(h, ending{
		status: api.StatusTypeFault, code: faultCode, silent: true,
		message: "The build's agent could not be started. The server's log says why.",
	})
}
