package frame

import (
	"encoding/binary"
	"iter"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// An Event is one line of a log.
type Event struct {
	Time    int64 // milliseconds since 1970
	Message []byte
}

// Decode returns the events of the frame that b holds, and nothing after it.
// They share memory of Decode's own; whoever keeps a Message keeps all of it.
// All of the frame is checked before Decode returns: the only error is
// ErrBroken, and times never go back. It takes at most some 16 MiB, whatever b
// is, and may be called from several goroutines.
func Decode(b []byte) (iter.Seq[Event], error) {
	h, err := ParseHeader(b)
	if err != nil || len(b) != h.Size() || !h.Intact(b[HeaderSize:]) {
		return nil, ErrBroken
	}
	// The capacity is the limit (WithDecodeAllCapLimit): a payload that grows
	// beyond what its header says ends with an error.
	body, err := decoder().DecodeAll(b[HeaderSize:], make([]byte, 0, h.Body))
	if err != nil || len(body) != h.Body || !consistent(h, body) {
		return nil, ErrBroken
	}
	return events(h.First, body), nil
}

// consistent reports whether body holds what h says, so that events can read
// it without looking.
func consistent(h Header, body []byte) bool {
	var count, raw int
	now := h.First
	for len(body) > 0 {
		delta, n := binary.Uvarint(body)
		if n <= 0 || delta > MaxSpan || count == 0 && delta != 0 {
			return false
		}
		body = body[n:]
		length, n := binary.Uvarint(body)
		if n <= 0 || length < 1 || length > MaxMessage || length > uint64(len(body)-n) {
			return false
		}
		body = body[n+int(length):]
		now += int64(delta)
		if now > h.Last {
			return false
		}
		count++
		raw += int(length)
	}
	return count == h.Events && raw == h.Raw && now == h.Last
}

func events(now int64, body []byte) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		now := now // the sequence may be gone through twice
		for rest := body; len(rest) > 0; {
			delta, n := binary.Uvarint(rest)
			rest = rest[n:]
			length, n := binary.Uvarint(rest)
			message := rest[n : n+int(length) : n+int(length)]
			rest = rest[n+int(length):]
			now += int64(delta)
			if !yield(Event{now, message}) {
				return
			}
		}
	}
}

// decoder is shared: DecodeAll is safe for concurrent use, and a decoder's
// tables are too large to be made for each frame.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxBody),
		zstd.WithDecodeAllCapLimit(true),
	)
	if err != nil {
		panic(err) // the options above are wrong
	}
	return d
})
