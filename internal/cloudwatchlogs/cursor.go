package cloudwatchlogs

import (
	"bytes"
	"iter"

	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// unknown is the number of an event that has not been looked for yet.
const unknown = -1

// A cursor reads a stream forward.
type cursor struct {
	id     logstream.StreamID
	end    int64 // number of events: what comes later is for the next request
	number int64 // of the next event, or unknown
	at     place // of the next event; while that is not known, a lower bound

	current []byte // message of the next event; nil while that has to be loaded
	stored  int64
	queue   []event // what follows current, if its block was unloaded

	// What follows is of the block that holds the next event, while it is loaded.
	bytes int
	until int64 // number of the event after the block
	next  func() (int64, frame.Event, bool)
	stop  func()
}

type event struct {
	n int64
	frame.Event
}

// read makes c go on in b, which holds its next event. If there is no event
// there after all it goes behind b and returns the bytes that are free again.
func (c *cursor) read(b logstream.Block) (free int) {
	c.stored, c.bytes, c.until = b.Stored, b.Bytes, b.End
	c.next, c.stop = iter.Pull2(b.From(c.number))
	return c.advance()
}

// advance goes to the next event, as far as it is loaded. At the end of a
// block it gives that up and returns the bytes that are free again.
func (c *cursor) advance() (free int) {
	var e event
	var ok bool
	switch {
	case len(c.queue) > 0:
		e, ok = c.queue[0], true
		c.queue = c.queue[1:]
	case c.next != nil:
		if e.n, e.Event, ok = c.next(); !ok || e.n >= c.end {
			c.number = c.until
			ok = false
			free = c.drop()
		}
	default:
		c.number++
	}
	if !ok {
		c.current, c.at.Event = nil, c.number
		return free
	}
	c.number, c.current = e.n, e.Message
	c.at.Time, c.at.Event = e.Time, e.n
	return 0
}

// drop gives up the block and returns the bytes that are free again.
func (c *cursor) drop() (free int) {
	if c.stop == nil {
		return 0
	}
	c.stop()
	free = c.bytes
	c.next, c.stop, c.bytes = nil, nil, 0
	return free
}

// unload gives up the block but for a few events, so that streams that take
// turns in short supply of memory do not load it anew for each of them.
func (c *cursor) unload() (free int) {
	const events, bytesOf = 128, 32 << 10
	c.current = bytes.Clone(c.current)
	for size := 0; len(c.queue) < events && size < bytesOf; {
		n, e, ok := c.next()
		if !ok || n >= c.end {
			break
		}
		e.Message = bytes.Clone(e.Message)
		size += len(e.Message)
		c.queue = append(c.queue, event{n, e})
	}
	return c.drop()
}

// cursors is a heap: the one with the next event is first.
type cursors []*cursor

func (c cursors) Len() int           { return len(c) }
func (c cursors) Less(i, j int) bool { return c[i].at.less(c[j].at) }
func (c cursors) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *cursors) Push(x any)        { *c = append(*c, x.(*cursor)) }
func (c *cursors) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}
