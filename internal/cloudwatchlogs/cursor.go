package cloudwatchlogs

import (
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
	at     place // of the next event; while it is not loaded its time is a lower bound

	// What follows is of the block that holds the next event, if it is loaded.
	current []byte // the event's message
	stored  int64
	bytes   int
	until   int64 // number of the event after the block
	next    func() (int64, frame.Event, bool)
	stop    func()
}

// read makes c go on in b, which holds its next event. If there is no event
// there after all it goes behind b and returns the bytes that are free again.
func (c *cursor) read(b logstream.Block) (free int) {
	c.stored, c.bytes, c.until = b.Stored, b.Bytes, b.End
	c.next, c.stop = iter.Pull2(b.From(c.number))
	return c.advance()
}

// advance goes to the next event of the block. At the end of the block it
// unloads it and returns the bytes that are free again.
func (c *cursor) advance() (free int) {
	n, e, ok := c.next()
	if !ok || n >= c.end {
		c.number = c.until
		c.at.Event = c.until
		return c.unload()
	}
	c.number, c.current = n, e.Message
	c.at.Time, c.at.Event = e.Time, n
	return 0
}

// unload gives up the block and returns the bytes that are free again.
func (c *cursor) unload() (free int) {
	if c.stop == nil {
		return 0
	}
	c.stop()
	free = c.bytes
	c.current, c.next, c.stop, c.bytes = nil, nil, nil, 0
	return free
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
