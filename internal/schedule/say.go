package schedule

import (
	"context"
	"time"

	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/logstream/frame"
)

// say adds a line to the log of a build in PROVISIONING, whose agent is not
// there yet. It is called by the one who launches the build. A line that cannot
// be kept is missing from the log and harms nothing else.
func (s *Scheduler) say(ctx context.Context, h *hold, line string) {
	next, err := s.nameLog(ctx, h)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("log not opened", "buildId", h.id, "error", err)
		}
		return
	}
	if h.stream == nil {
		return
	}
	now := time.Now()
	f := frame.NewBuilder()
	f.Add(now.UnixMilli(), []byte(event.LineStart+" "+now.UTC().Format(event.LineTime)+" "+line+"\n"))
	if err := s.parts.Logs.Append(*h.stream, next, f.Frame()); err != nil {
		s.log.Warn("line not kept", "buildId", h.id, "error", err)
	}
}

// nameLog opens the log of a build that is being launched, has the build tell
// where it is, and returns how many frames it has.
func (s *Scheduler) nameLog(ctx context.Context, h *hold) (frames uint64, err error) {
	if frames, err = s.openLog(h, time.Now()); err != nil {
		return 0, err
	}
	h.mu.Lock()
	named := h.named
	h.mu.Unlock()
	if named || h.stream == nil {
		return frames, nil
	}
	b, err := s.change(ctx, h.id, func(b *build.Build) error {
		if !h.holds(b) {
			return errGone
		}
		b.OpenLog()
		return nil
	})
	if err != nil {
		return 0, err
	}
	h.mu.Lock()
	h.named = b.State.HasLog
	h.mu.Unlock()
	return frames, nil
}

// openLog makes the stream of a build that keeps a log, if it is not there yet,
// and returns how many frames it has. That comes before the build tells where its
// log is: whoever reads that may read there at once.
func (s *Scheduler) openLog(h *hold, now time.Time) (frames uint64, err error) {
	if h.stream == nil {
		return 0, nil
	}
	if err := s.parts.Logs.Create(*h.stream, now); err != nil {
		return 0, err
	}
	return s.parts.Logs.Next(*h.stream)
}
