package schedule

import (
	"context"
	"crypto/subtle"
	"sync"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/logstream"
	"slipway/internal/runner"
)

// A hold is an attempt's hold on a build, from its claim to its end.
type hold struct {
	id       string
	attempt  int
	hash     []byte // SHA-256 of the agent's token
	deadline time.Time
	placed   chan struct{}       // closed when place is known, or there will be none
	stream   *logstream.StreamID // where the log goes; nil if none is kept

	mu     sync.Mutex // guards what follows
	place  runner.Place
	lease  time.Time          // the agent's silence is borne until then; reaches further than the stored one
	stored time.Time          // the lease in the store
	begun  bool               // the agent has reported
	named  bool               // the build tells where its log is
	tell   api.StatusType     // what the agent is told to end with
	ending bool               // the server is ending the build
	lost   bool               // the agent is not heard any more
	cancel context.CancelFunc // ends the launch in flight; nil while there is none
}

// newHold returns the hold on a claimed build.
func newHold(b build.Build, lease time.Time) *hold {
	h := &hold{
		id: *b.Public.ID, attempt: b.State.Attempt, hash: b.State.TokenHash, deadline: b.State.Deadline,
		placed: make(chan struct{}), lease: lease, stored: b.State.Lease, begun: b.State.Begun, named: b.State.HasLog,
	}
	if b.KeepsLog() {
		h.stream = &logstream.StreamID{Scope: b.Scope, Group: b.LogGroup(), Name: b.LogStream()}
	}
	return h
}

// holds reports whether b is still held by this attempt.
func (h *hold) holds(b *build.Build) bool {
	return !b.Finished() && !b.Queued() && subtle.ConstantTimeCompare(b.State.TokenHash, h.hash) == 1
}

// settle makes the place known; the zero Place means that there is none.
func (h *hold) settle(p runner.Place) {
	h.mu.Lock()
	h.place = p
	h.mu.Unlock()
	close(h.placed)
}

// launched reports whether the place is known, or that there is none: until
// then no agent can be silent.
func (h *hold) launched() bool {
	select {
	case <-h.placed:
		return true
	default:
		return false
	}
}

// heard prolongs the lease and reports whether it is worth storing.
func (h *hold) heard(now time.Time, lease time.Duration) (until time.Time, store bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lease = now.Add(lease)
	store = h.begun && h.lease.Sub(h.stored) >= min(storeLease, lease)
	if store {
		h.stored = h.lease // whether the write succeeds or not: the next one is soon
	}
	return h.lease, store
}

// answer is what the agent is to be told.
func (h *hold) answer(now time.Time) api.StatusType {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tell == "" && now.After(h.deadline) {
		return api.StatusTypeTimedOut
	}
	return h.tell
}

// hold returns the hold on a build, or nil.
func (s *Scheduler) hold(id string) (h *hold, ready bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holds[id], s.ready
}

func (s *Scheduler) keep(h *hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds[h.id] = h
}

// release lets a build go that has ended or was queued again. It reports
// whether this call did: whoever gets true cleans up.
func (s *Scheduler) release(h *hold) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds[h.id] != h {
		return false
	}
	delete(s.holds, h.id)
	close(s.freed)
	s.freed = make(chan struct{})
	signal(s.wake)
	return true
}

// all returns every hold.
func (s *Scheduler) all() []*hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*hold, 0, len(s.holds))
	for _, h := range s.holds {
		all = append(all, h)
	}
	return all
}
