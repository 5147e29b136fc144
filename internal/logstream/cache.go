package logstream

import (
	"container/list"
	"sync"
)

// maxOpen bounds how many streams are open at once, but for those in use. An
// open stream has a file and at most 32 KiB of index.
const maxOpen = 256

// A cache holds open streams, the last used first.
type cache struct {
	open func(StreamID) (*stream, error)

	mu      sync.Mutex // guards what follows, and entries' uses and place
	streams map[StreamID]*entry
	recent  list.List // of *entry
}

type entry struct {
	id      StreamID
	load    sync.Once
	stream  *stream // set by load
	err     error   // set by load
	uses    int
	place   *list.Element
	dropped bool // no longer in streams: closed by the last release
}

// acquire returns the stream, opened if need be. Every acquire without an
// error needs a release.
func (c *cache) acquire(id StreamID) (*stream, error) {
	c.mu.Lock()
	e, ok := c.streams[id]
	if ok {
		c.recent.MoveToFront(e.place)
	} else {
		e = &entry{id: id}
		if c.streams == nil {
			c.streams = map[StreamID]*entry{}
		}
		c.streams[id] = e
		e.place = c.recent.PushFront(e)
	}
	e.uses++
	c.evict()
	c.mu.Unlock()

	e.load.Do(func() { // outside the lock: it reads the disk
		if e.stream, e.err = c.open(id); e.err == nil {
			e.stream.entry = e
		}
	})
	if e.err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(e) // the next acquire tries again
		e.uses--
		return nil, e.err
	}
	return e.stream, nil
}

func (c *cache) release(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.entry.uses--
	c.closeUnused(s.entry)
}

// peek returns the stream if it is open, and then needs a release.
func (c *cache) peek(id StreamID) (*stream, bool) {
	c.mu.Lock()
	_, ok := c.streams[id]
	c.mu.Unlock()
	if !ok {
		return nil, false
	}
	s, err := c.acquire(id)
	return s, err == nil
}

// holds reports whether s is what acquire would return.
func (c *cache) holds(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !s.entry.dropped
}

// drop closes a stream as soon as nobody uses it. Who acquires it from now on
// opens it anew.
func (c *cache) drop(id StreamID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.streams[id]; ok {
		c.remove(e)
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.streams {
		c.remove(e)
	}
}

// evict removes the streams used longest ago. c.mu is held.
func (c *cache) evict() {
	for at := c.recent.Back(); at != nil && c.recent.Len() > maxOpen; {
		e := at.Value.(*entry)
		at = at.Prev()
		if e.uses == 0 {
			c.remove(e)
		}
	}
}

// remove takes e out of the cache. c.mu is held.
func (c *cache) remove(e *entry) {
	if e.dropped {
		return
	}
	e.dropped = true
	delete(c.streams, e.id)
	c.recent.Remove(e.place)
	c.closeUnused(e)
}

// closeUnused closes the stream of an entry that was removed, once nobody uses it.
func (c *cache) closeUnused(e *entry) {
	if e.dropped && e.uses == 0 && e.stream != nil {
		_ = e.stream.file.Close() // nothing is buffered: there is nothing to lose
		e.stream = nil
	}
}
