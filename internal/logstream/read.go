package logstream

import (
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sort"

	"slipway/internal/logstream/frame"
)

// An Info describes a stream. Times are milliseconds since 1970.
type Info struct {
	Created int64
	Events  int64
	First   int64 // time of the first event; 0 if there is none
	Last    int64 // time of the last event; 0 if there is none
	Stored  int64 // when the last event was taken in; 0 if there is none
	Bytes   int64 // on disk
	Raw     int64 // bytes of all messages
}

// Stat describes a stream, or returns a fault of kind NotFound.
func (s *Store) Stat(id StreamID) (Info, error) {
	st, err := s.cache.acquire(id)
	if err != nil {
		return Info{}, err
	}
	defer s.cache.release(st)
	v := st.snapshot()
	return Info{Created: st.created, Events: v.events, First: v.first, Last: v.last, Stored: v.stored, Bytes: v.size, Raw: v.raw}, nil
}

// Find returns the number of the first event whose time is ms or later, or the
// number of events if there is none. A stream's first event is number 0.
// NotFound if there is no such stream.
func (s *Store) Find(id StreamID, ms int64) (int64, error) {
	st, err := s.cache.acquire(id)
	if err != nil {
		return 0, err
	}
	defer s.cache.release(st)
	v := st.snapshot()
	switch {
	case v.events == 0 || ms > v.last:
		return v.events, nil
	case ms <= v.first:
		return 0, nil
	}
	// The frame begins in the stretch before the first mark that is late enough.
	i := sort.Search(len(v.marks), func(i int) bool { return v.marks[i].first >= ms })
	m, h, err := st.seek(v, v.marks[i-1], func(_ mark, h frame.Header) bool { return h.Last >= ms })
	if err != nil {
		return 0, err
	}
	b, err := st.block(m, h)
	if err != nil {
		return 0, err
	}
	for n, e := range b.From(b.Start) {
		if e.Time >= ms {
			return n, nil
		}
	}
	return b.End, nil
}

// A Block is some events of a stream that follow each other.
type Block struct {
	Start, End int64 // numbers of its first event and of the one after its last
	Stored     int64 // when they were taken in
	Bytes      int   // of memory that the block holds

	events iter.Seq[frame.Event]
}

// From returns the events of the block from number n on, with their numbers.
// Messages share the block's memory.
func (b Block) From(n int64) iter.Seq2[int64, frame.Event] {
	return func(yield func(int64, frame.Event) bool) {
		if b.events == nil {
			return
		}
		i := b.Start
		for e := range b.events {
			if i >= n && !yield(i, e) {
				return
			}
			i++
		}
	}
}

// lost stands for the events of a frame that cannot be read: a disk lied, or
// an agent made it up. They are one event; their other numbers have none.
const lost = "[slipway] this part of the log is damaged\n"

// Block returns the block that holds event n of a stream. Beyond the last
// event that is an empty block that starts where the stream ends. NotFound if
// there is no such stream.
func (s *Store) Block(id StreamID, n int64) (Block, error) {
	st, err := s.cache.acquire(id)
	if err != nil {
		return Block{}, err
	}
	defer s.cache.release(st)
	v := st.snapshot()
	if n >= v.events || n < 0 {
		return Block{Start: v.events, End: v.events}, nil
	}
	i := sort.Search(len(v.marks), func(i int) bool { return v.marks[i].event > n })
	m, h, err := st.seek(v, v.marks[i-1], func(m mark, h frame.Header) bool { return n < m.event+int64(h.Events) })
	if err != nil {
		return Block{}, err
	}
	return st.block(m, h)
}

// seek walks from m to the first frame that is the one, which there must be.
func (s *stream) seek(v view, m mark, isIt func(mark, frame.Header) bool) (mark, frame.Header, error) {
	r := headers{file: s.file, end: v.size}
	for {
		h, err := r.at(m.offset)
		if err != nil {
			return mark{}, frame.Header{}, fmt.Errorf("read log stream at %d: %w", m.offset, err)
		}
		m.first = h.First
		if isIt(m, h) {
			return m, h, nil
		}
		m.offset += int64(h.Size())
		m.event += int64(h.Events)
		m.frame++
	}
}

// block reads the frame at m.
func (s *stream) block(m mark, h frame.Header) (Block, error) {
	b := make([]byte, h.Size())
	if _, err := s.file.ReadAt(b, m.offset); err != nil {
		return Block{}, fmt.Errorf("read log stream at %d: %w", m.offset, err)
	}
	block := Block{Start: m.event, End: m.event + int64(h.Events), Stored: h.Stored, Bytes: h.Body}
	events, err := frame.Decode(b)
	if err != nil {
		events = slices.Values([]frame.Event{{Time: h.First, Message: []byte(lost)}})
	}
	block.events = events
	return block, nil
}

// headers reads the headers of frames one after the other, with few reads if
// frames are small and short reads if they are large.
type headers struct {
	file  *os.File
	end   int64 // nothing is read beyond
	chunk [4 << 10]byte
	at0   int64 // chunk[:n] is the file from here
	n     int
}

// at returns the header of the frame at offset. It is frame.ErrBroken if there
// is no frame, or not all of one.
func (r *headers) at(offset int64) (frame.Header, error) {
	if offset < r.at0 || offset+frame.HeaderSize > r.at0+int64(r.n) {
		want := min(int64(len(r.chunk)), r.end-offset)
		if want < frame.HeaderSize {
			return frame.Header{}, frame.ErrBroken
		}
		n, err := r.file.ReadAt(r.chunk[:want], offset)
		if err != nil && err != io.EOF {
			return frame.Header{}, err
		}
		r.at0, r.n = offset, n
	}
	h, err := frame.ParseHeader(r.chunk[offset-r.at0 : r.n])
	if err != nil || offset+int64(h.Size()) > r.end {
		return frame.Header{}, frame.ErrBroken
	}
	return h, nil
}
