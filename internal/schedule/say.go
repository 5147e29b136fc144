package schedule

import (
	"context"
	"time"

	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// say adds a line to the log of a build in PROVISIONING, whose agent is not
// there yet. It is called by the one who launches the build. A line that cannot
// be kept is missing from the log and harms nothing else.
func (s *Scheduler) say(ctx context.Context, h *hold, line string) {
	log, err := s.sayingTo(ctx, h)
	if err != nil || log == nil {
		if err != nil && ctx.Err() == nil {
			s.log.Warn("log not opened", "buildId", h.id, "error", err)
		}
		return
	}
	now := time.Now()
	f := frame.NewBuilder()
	f.Add(now.UnixMilli(), []byte(event.LineStart+" "+now.UTC().Format(event.LineTime)+" "+line+"\n"))
	next, err := s.parts.Logs.Next(*log)
	if err == nil {
		err = s.parts.Logs.Append(*log, next, f.Frame())
	}
	if err != nil {
		s.log.Warn("line not kept", "buildId", h.id, "error", err)
	}
}

// sayingTo returns the stream of a build that is being launched, which it makes
// if need be; nil if the build keeps no log.
func (s *Scheduler) sayingTo(ctx context.Context, h *hold) (*logstream.StreamID, error) {
	h.mu.Lock()
	log := h.log
	h.mu.Unlock()
	if log != nil {
		return log, nil
	}
	b, err := s.change(ctx, h.id, func(b *build.Build) error {
		if !h.holds(b) {
			return errGone
		}
		b.OpenLog()
		return nil
	})
	if err != nil || !b.State.HasLog {
		return nil, err
	}
	h.mu.Lock()
	h.setLog(b)
	log = h.log
	h.mu.Unlock()
	_, err = s.openLog(*log, time.Now())
	return log, err
}

// openLog makes a stream, if it is not there yet, and returns how many frames
// it has.
func (s *Scheduler) openLog(id logstream.StreamID, now time.Time) (frames uint64, err error) {
	if err := s.parts.Logs.Create(id, now); err != nil {
		return 0, err
	}
	return s.parts.Logs.Next(id)
}
