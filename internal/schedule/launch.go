package schedule

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
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
	s.later(func(ctx context.Context) { s.start(ctx, h, b, token) })
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

// start has the runner make a place for a claimed build. A launch in flight has
// a moment to be carried through when ctx ends; it ends at once with the build.
func (s *Scheduler) start(ctx context.Context, h *hold, b build.Build, token secret.Text) {
	launch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(startGrace, cancel) })()
	h.mu.Lock()
	h.cancel = cancel
	if h.ending {
		cancel()
	}
	h.mu.Unlock()
	p, err := s.launch(ctx, launch, h, s.launchOf(launch, h, b, token))
	if err == nil {
		h.heard(time.Now(), s.options.Lease) // only now somebody is there to be heard
		h.settle(p)
		return
	}
	h.settle(runner.Place{})
	if ctx.Err() != nil {
		return // the next start finds it claimed and without an agent
	}
	how := ending{
		status: api.StatusTypeFault, code: faultCode, silent: true,
		message: "The build's agent could not be started. The server's log says why.",
	}
	if f, ok := errors.AsType[*runner.Failure](err); ok {
		how.status, how.code, how.message = api.StatusTypeFailed, f.Code, f.Message
		s.say(ctx, h, fmt.Sprintf("Phase complete: %s State: %s", api.BuildPhaseTypeProvisioning, how.status))
		s.say(ctx, h, event.PhaseContext+f.Code+event.MessageOf+f.Message)
	}
	s.end(h, how) // without effect if it is being ended already
}

// launch calls the runner, again if it fails, until launch ends.
func (s *Scheduler) launch(ctx, launch context.Context, h *hold, l runner.Launch) (p runner.Place, err error) {
	for try := 1; try <= startTries; try++ {
		if p, err = s.parts.Runner.Start(launch, l); err == nil {
			s.log.Info("build launched", "buildId", h.id, "attempt", h.attempt)
			return p, nil
		}
		if launch.Err() != nil {
			break
		}
		if f, ok := errors.AsType[*runner.Failure](err); ok {
			s.log.Warn("build cannot have its place", "buildId", h.id, "code", f.Code, "message", f.Message, "error", f.Err)
			break
		}
		s.log.Error("agent not started", "buildId", h.id, "try", try, "error", err)
		if try == startTries || !pause(ctx, startPause*time.Duration(try)) {
			break
		}
	}
	return runner.Place{}, err
}

// launchOf is what the runner needs to know of a build.
func (s *Scheduler) launchOf(ctx context.Context, h *hold, b build.Build, token secret.Text) runner.Launch {
	l := runner.Launch{
		BuildID: h.id, Token: token, Scope: b.Scope, ProjectName: text(b.Public.ProjectName),
		Say: func(line string) { s.say(ctx, h, line) },
	}
	if e := b.Public.Environment; e != nil {
		l.Image, l.ComputeType, l.Compute = e.Image, e.ComputeType, e.ComputeConfiguration
		l.Privileged = e.PrivilegedMode != nil && *e.PrivilegedMode
		if e.RegistryCredential != nil {
			l.RegistryCredential = e.RegistryCredential.Credential
		}
	}
	sources := slices.Clone(b.Public.SecondarySources)
	if s := b.Public.Source; s != nil {
		sources = append(sources, *s)
	}
	l.Fetches = b.State.Local == nil && slices.ContainsFunc(sources, func(s api.ProjectSource) bool { return s.Type != api.SourceTypeNoSource })
	if c := b.Public.Cache; c != nil && c.Type == api.CacheTypeLocal {
		l.LayerCache = slices.Contains(c.Modes, api.CacheModeLocalDockerLayerCache)
	}
	return l
}
