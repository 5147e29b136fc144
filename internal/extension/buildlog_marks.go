package extension

import (
	"bytes"
	"container/list"
	"context"
	"slices"
	"sync"

	"slipway/internal/api/slipway"
	"slipway/internal/build/event"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// The bounds of what is remembered of logs.
const (
	maxMarked    = 64        // logs
	maxMarkBytes = 32 << 20  // of the marks of all, about
	maxMarks     = 10_000    // of a log
	maxMarkText  = 200       // characters of a mark
	maxMarkScan  = 256 << 20 // bytes of log that are looked at in one call
	markBytes    = 64        // a mark's, beside its text
)

// marks are what was found in the logs that were last asked for.
type marks struct {
	mu     sync.Mutex // guards what follows, and the sizes of entries
	logs   map[logstream.StreamID]*list.Element
	recent list.List // of *marked, the last used first
	size   int
}

// A marked is what was found in one log so far.
type marked struct {
	stream logstream.StreamID
	turn   chan struct{} // holds one while somebody reads on; guards found
	found  found
	size   int // as it is counted in marks
}

// found is what one has found in the lines before next.
type found struct {
	next       int64
	marks      []slipway.LogMark
	firstError *slipway.LogMark
	size       int
}

// of returns what is known of a log, and makes it the last used.
func (m *marks) of(stream logstream.StreamID) *marked {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.logs[stream]; ok {
		m.recent.MoveToFront(at)
		return at.Value.(*marked)
	}
	k := &marked{stream: stream, turn: make(chan struct{}, 1)}
	if m.logs == nil {
		m.logs = map[logstream.StreamID]*list.Element{}
	}
	m.logs[stream] = m.recent.PushFront(k)
	m.shrink()
	return k
}

// grown tells that k has another size.
func (m *marks) grown(k *marked, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.logs[k.stream]; ok && at.Value.(*marked) == k {
		m.size += size - k.size
		k.size = size
		m.shrink()
	}
}

// shrink forgets the logs used longest ago, until all bounds hold. m.mu is held.
func (m *marks) shrink() {
	for m.recent.Len() > maxMarked || m.size > maxMarkBytes && m.recent.Len() > 1 {
		k := m.recent.Remove(m.recent.Back()).(*marked)
		delete(m.logs, k.stream)
		m.size -= k.size
	}
}

// mark reads on where the last reader of the log stopped.
func (s *Builds) mark(ctx context.Context, l buildLog) (found, error) {
	k := s.marks.of(l.stream)
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return found{}, ctx.Err()
	}
	if k.found.next > l.lines {
		k.found = found{} // it was cut after a crash, or is another one
	}
	scanned := 0
	err := s.each(ctx, l, k.found.next, func() bool { return scanned > maxMarkScan }, func(line int64, e frame.Event) bool {
		scanned += len(e.Message)
		k.found.add(line, e.Message)
		return true
	})
	s.marks.grown(k, k.found.size)
	if err != nil {
		return found{}, err
	}
	f := k.found
	f.marks = slices.Clip(f.marks) // what is appended later is not the caller's
	return f, nil
}

var markKinds = map[event.Line]slipway.LogMarkKind{
	event.PhaseLine: slipway.LogMarkKindPhase, event.CommandLine: slipway.LogMarkKindCommand, event.ErrorLine: slipway.LogMarkKindError,
}

// add takes in the line that comes next.
func (f *found) add(line int64, message []byte) {
	f.next = line + 1
	kind, about := event.ParseLine(message)
	if kind == event.OtherLine || len(f.marks) >= maxMarks && (kind != event.ErrorLine || f.firstError != nil) {
		return
	}
	text := event.Cut(string(bytes.ToValidUTF8(logstream.Plain(nil, about), []byte("\ufffd"))), maxMarkText)
	mark := slipway.LogMark{Kind: markKinds[kind], Line: line, Text: string([]byte(text))} // a copy: not all of a long line
	if len(f.marks) < maxMarks {
		f.marks = append(f.marks, mark)
		f.size += markBytes + len(mark.Text)
	}
	if kind == event.ErrorLine && f.firstError == nil {
		f.firstError = &mark
	}
}
