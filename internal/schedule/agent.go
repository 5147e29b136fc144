package schedule

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// maxEvents is how many events one report may carry.
const maxEvents = 1000

var _ agentapi.Backend = (*Scheduler)(nil)

var (
	errDenied = fault.New(fault.Denied, "The token is not good for this build.")
	errGone   = fault.New(fault.Gone, "The build is no longer this agent's.")
)

// authorize returns the hold of the agent with this token.
func (s *Scheduler) authorize(ctx context.Context, id string, token secret.Text) (*hold, error) {
	sum := sha256.Sum256([]byte(token.Reveal()))
	h, ready := s.hold(id)
	if h == nil {
		if !ready {
			return nil, fault.New(fault.Unavailable, "The server is starting. Try again in a moment.")
		}
		return nil, s.refusal(ctx, id, sum[:])
	}
	if subtle.ConstantTimeCompare(h.hash, sum[:]) != 1 {
		return nil, errDenied
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost {
		return nil, errGone
	}
	return h, nil
}

// refusal says why there is no hold on a build. Whoever has no token for it
// does not learn whether it exists.
func (s *Scheduler) refusal(ctx context.Context, id string, hash []byte) error {
	b, err := s.parts.Builds.Find(ctx, id)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if err != nil || subtle.ConstantTimeCompare(b.State.TokenHash, hash) != 1 {
		return errDenied
	}
	return errGone
}

// Begin records that the agent lives and returns its work. A build whose
// sources cannot be fetched from where they are said to be ends here.
func (s *Scheduler) Begin(ctx context.Context, id string, token secret.Text) (*agentapi.Work, error) {
	h, err := s.authorize(ctx, id, token)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	lease := now.Add(s.options.Lease)
	frames, err := s.openLog(h, now)
	if err != nil {
		return nil, err
	}
	var work *agentapi.Work
	var refused error
	b, err := s.change(ctx, id, func(b *build.Build) error {
		if !h.holds(b) {
			return errGone
		}
		b.Begin(now, lease)
		if work, refused = s.workOf(*b); refused != nil {
			b.Fail(api.StatusTypeFailed, "CLIENT_ERROR", fault.Message(refused), now)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.begun, h.named, h.lease, h.stored = true, b.State.HasLog, lease, lease
	h.mu.Unlock()
	if b.Finished() {
		s.finished(h, b.Public.BuildStatus)
		return nil, errGone
	}
	work.Frames = frames
	return work, nil
}

// Report applies the events that are not applied yet, all or none, and
// prolongs the lease.
func (s *Scheduler) Report(ctx context.Context, id string, token secret.Text, in agentapi.Report) (*agentapi.Answer, error) {
	h, err := s.authorize(ctx, id, token)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	lease, store := h.heard(now, s.options.Lease)
	if len(in.Events) == 0 && !store {
		return &agentapi.Answer{End: h.answer(now)}, nil
	}
	if in.First < 0 || len(in.Events) > maxEvents {
		return nil, fault.New(fault.Invalid, "A report carries at most %d events, counted from 0.", maxEvents)
	}
	if slices.ContainsFunc(in.Events, func(e event.Event) bool { return e.End != "" }) {
		s.syncLog(h) // before the build shows as ended
	}
	steps := []func(*build.Build) error{func(b *build.Build) error {
		if !h.holds(b) {
			return errGone
		}
		if len(in.Events) > 0 && b.State.Applied < in.First {
			return fault.New(fault.Invalid, "Event %d comes next, not %d.", b.State.Applied, in.First)
		}
		b.State.Lease = lease
		return nil
	}}
	for i, e := range in.Events { // one by one: a build that is quick owes a status for its start too
		steps = append(steps, func(b *build.Build) error { return apply(b, in.First+i, e, now) })
	}
	b, err := s.change(ctx, id, steps...)
	if err != nil {
		return nil, err
	}
	if b.Finished() {
		s.finished(h, b.Public.BuildStatus)
	}
	return &agentapi.Answer{End: h.answer(now)}, nil
}

// apply applies an agent's event number n, unless that was done before.
func apply(b *build.Build, n int, e event.Event, now time.Time) error {
	if n < b.State.Applied {
		return nil
	}
	err := b.Apply(e, now)
	if fault.KindOf(err) == fault.Gone { // after an End in this report
		return fault.New(fault.Invalid, "Nothing happens to a build after its end.")
	}
	if err == nil {
		b.State.Applied++
	}
	return err
}

// Log appends one frame to the build's log. Of a build that keeps no log, or
// whose stream was deleted, it is accepted and dropped.
func (s *Scheduler) Log(ctx context.Context, id string, token secret.Text, seq uint64, frame []byte) error {
	h, err := s.authorize(ctx, id, token)
	if err != nil {
		return err
	}
	if len(frame) == 0 || len(frame) > agentapi.MaxFrame {
		return fault.New(fault.Invalid, "A log frame has at least one and at most %d bytes.", agentapi.MaxFrame)
	}
	h.heard(time.Now(), s.options.Lease)
	h.mu.Lock()
	begun := h.begun
	h.mu.Unlock()
	if !begun {
		return fault.New(fault.Invalid, "A build that has not begun has no log.")
	}
	if h.stream == nil {
		return nil
	}
	if err := s.parts.Logs.Append(*h.stream, seq, frame); err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return nil
}
