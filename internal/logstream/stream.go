package logstream

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"slipway/internal/fault"
	"slipway/internal/logstream/frame"
)

// A stream is an open file.
type stream struct {
	entry   *entry // its place in the cache
	file    *os.File
	name    string
	created int64
	start   int64 // where the first frame is

	writing   sync.Mutex // held by the one that appends; guards recovered
	recovered bool       // nothing is behind the last whole frame

	mu   sync.Mutex // guards view
	view view
}

// A view is a stream at one moment. Its frames stay readable, and its marks
// unchanged, while the stream grows.
type view struct {
	size   int64 // of the file, up to the end of the last whole frame
	frames int64
	events int64
	first  int64 // time of the first event, if there is one
	last   int64 // time of the last event, or 0
	stored int64 // when the last frame was taken in, or 0
	raw    int64 // bytes of all messages

	marks  []mark
	stride int64 // there is a mark for every stride-th frame
}

// A mark says where a frame is.
type mark struct {
	offset int64
	event  int64 // number of its first event
	frame  int64
	first  int64 // time of its first event
}

// maxMarks bounds the index of a stream: when there are more, every other one
// is dropped and the frames between are found by their headers.
const maxMarks = 1024

// add counts the frame h at the end of v.
func (v *view) add(h frame.Header) {
	if v.frames%v.stride == 0 {
		if len(v.marks) == maxMarks {
			half := make([]mark, 0, maxMarks) // a new one: older views keep theirs
			for i := 0; i < maxMarks; i += 2 {
				half = append(half, v.marks[i])
			}
			v.marks, v.stride = half, 2*v.stride
		}
		if v.frames%v.stride == 0 {
			v.marks = append(v.marks, mark{v.size, v.events, v.frames, h.First})
		}
	}
	if v.frames == 0 {
		v.first = h.First
	}
	v.size += int64(h.Size())
	v.frames++
	v.events += int64(h.Events)
	v.raw += int64(h.Raw)
	v.last, v.stored = h.Last, h.Stored
}

func (s *stream) snapshot() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

// load opens a stream's file and reads its headers.
func (s *Store) load(id StreamID) (*stream, error) {
	file, err := s.root.OpenFile(id.path(), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoStream
	}
	if err != nil {
		return nil, fmt.Errorf("open log stream: %w", err)
	}
	st := &stream{file: file}
	if err := st.begin(); err != nil {
		_ = file.Close()
		return nil, err
	}
	if st.name != id.Name { // broken by a crash while it was made, or not ours
		_ = file.Close()
		return nil, errNoStream
	}
	return st, nil
}

func (s *stream) begin() error {
	b := make([]byte, preambleFixed+maxName+4)
	n, err := s.file.ReadAt(b[:512], 0)
	if err == nil {
		var more int
		more, err = s.file.ReadAt(b[n:], int64(n))
		n += more
	}
	if err != nil && err != io.EOF {
		return fmt.Errorf("read log stream: %w", err)
	}
	created, name, size, ok := parsePreamble(b[:n])
	if !ok {
		return nil
	}
	s.created, s.name, s.start = created, name, int64(size)
	s.view, err = s.scan()
	return err
}

// scan reads the headers of all frames, up to the first that is broken or not
// all there. Of the payloads only the last is read: what a crash can leave
// undone is at the end, and a damaged one further up is for its reader to find.
func (s *stream) scan() (view, error) {
	info, err := s.file.Stat()
	if err != nil {
		return view{}, fmt.Errorf("read log stream: %w", err)
	}
	v := view{size: s.start, stride: 1}
	before := v // v without its last frame
	var last frame.Header
	r := headers{file: s.file, end: info.Size()}
	for v.size < info.Size() {
		h, err := r.at(v.size)
		if err != nil && !errors.Is(err, frame.ErrBroken) {
			return view{}, fmt.Errorf("read log stream: %w", err)
		}
		if err != nil || h.First < v.last {
			break
		}
		before, last = v, h
		v.add(h)
	}
	if v.frames > 0 {
		payload := make([]byte, last.Payload)
		if _, err := s.file.ReadAt(payload, before.size+frame.HeaderSize); err != nil || !last.Intact(payload) {
			return before, nil
		}
	}
	return v, nil
}

// recover cuts off, the first time, what a crash left behind the last whole
// frame. s.writing is held.
func (s *stream) recover() error {
	if s.recovered {
		return nil
	}
	info, err := s.file.Stat()
	if v := s.snapshot(); err == nil && info.Size() > v.size {
		err = s.file.Truncate(v.size)
	}
	if err != nil {
		return fmt.Errorf("cut log stream: %w", err)
	}
	s.recovered = true
	return nil
}

func (s *stream) publish(v view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = v
}

// buffers hold a frame with its new header, so that it is written with one call.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// append adds a frame. The caller holds the stream, see Store.hold.
func (s *stream) append(seq uint64, h frame.Header, f []byte, now int64) error {
	if err := s.recover(); err != nil {
		return err
	}
	v := s.snapshot()
	switch next := uint64(v.frames); {
	case seq < next:
		return nil
	case seq > next:
		return fault.New(fault.Invalid, "log frame %d is expected, not %d", next, seq)
	}
	h = settle(h, v.last, now)
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	*b = append((*b)[:0], f...)
	h.Put(*b)
	if _, err := s.file.WriteAt(*b, v.size); err != nil {
		// What was written of it is behind the end of the view: nobody sees it,
		// and the next frame is written over it, or recover cuts it off.
		return fmt.Errorf("append to log stream: %w", errors.Join(err, s.file.Truncate(v.size)))
	}
	v.add(h)
	s.publish(v)
	return nil
}

// settle moves a frame in time: not before the stream's last event and, as far
// as that allows, not after now, when the server takes it in.
func settle(h frame.Header, last, now int64) frame.Header {
	span := h.Last - h.First
	h.First = max(min(h.First, now-span), last, 0)
	h.Last = h.First + span
	h.Stored = max(now, 0)
	return h
}
