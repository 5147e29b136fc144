package solo

import (
	"io"
	"sync"
	"time"

	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// A printer writes the lines of a build's log as they come.
type printer struct {
	out io.Writer

	mu   sync.Mutex // guards what follows
	next uint64     // frame
	err  error      // the first that out had: nothing is written after it
}

// Create has nothing to make.
func (*printer) Create(logstream.StreamID, time.Time) error { return nil }

// Next returns the number of the frame that comes next.
func (p *printer) Next(logstream.StreamID) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next, nil
}

// Append writes frame number seq, unless it was written before.
func (p *printer) Append(_ logstream.StreamID, seq uint64, body []byte) error {
	events, err := frame.Decode(body)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if seq < p.next {
		return nil
	}
	p.next = seq + 1
	var text []byte // at once: a write for each line takes most of the time
	for e := range events {
		text = append(text, e.Message...)
	}
	if p.err == nil {
		_, p.err = p.out.Write(text)
	}
	return nil
}

// Sync has nothing to do: a terminal is not durable.
func (*printer) Sync(logstream.StreamID) error { return nil }
