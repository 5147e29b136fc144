package frame

import (
	"encoding/binary"
	"hash/crc32"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// A Builder gathers lines into a frame. It is for one goroutine. Its memory
// stays what the largest frame needed, about 1 MiB with frames of 256 KiB.
type Builder struct {
	encoder *zstd.Encoder // made when it is first needed
	body    []byte
	out     []byte
	events  int
	raw     int
	first   int64
	last    int64 // also of the frames before
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder { return &Builder{} }

// Events returns how many events have been added since the last Frame.
func (b *Builder) Events() int { return b.events }

// Bytes returns how many bytes of lines have been added since the last Frame.
func (b *Builder) Bytes() int { return b.raw }

// Add adds a line, with its line end if it had one, as an event of time ms
// (milliseconds since 1970). The line is copied. Time never goes back: an
// earlier ms becomes that of the event before. An empty line adds nothing; one
// longer than SplitAt becomes several events.
//
// Add reports whether the line was added: false means that the frame would
// pass MaxRaw, and nothing was taken. Whoever takes a Frame as soon as Bytes
// passes some 256 KiB, and cuts lines at 1 MiB, never sees false.
func (b *Builder) Add(ms int64, line []byte) bool {
	if b.raw+len(line) > MaxRaw {
		return false
	}
	for len(line) > SplitAt {
		n := SplitAt
		for n > SplitAt-utf8.UTFMax && !utf8.RuneStart(line[n]) {
			n-- // not inside a character
		}
		b.add(ms, line[:n])
		line = line[n:]
	}
	if len(line) > 0 {
		b.add(ms, line)
	}
	return true
}

func (b *Builder) add(ms int64, line []byte) {
	ms = min(max(ms, b.last, 0), maxTime)
	if b.events == 0 {
		b.first, b.last = ms, ms
	}
	ms = min(ms, b.first+MaxSpan) // the machine slept for days between two lines: ParseHeader has its bound
	b.body = binary.AppendUvarint(b.body, uint64(ms-b.last))
	b.body = binary.AppendUvarint(b.body, uint64(len(line)))
	b.body = append(b.body, line...)
	b.last = ms
	b.events++
	b.raw += len(line)
}

// Frame returns the frame of everything added since the last one, and empties
// the Builder. The slice is valid until the next Frame; it is nil if nothing
// was added.
func (b *Builder) Frame() []byte {
	if b.events == 0 {
		return nil
	}
	if b.encoder == nil {
		b.encoder = newEncoder()
	}
	if cap(b.out) < HeaderSize {
		b.out = make([]byte, HeaderSize, HeaderSize+len(b.body)/3)
	}
	b.out = b.encoder.EncodeAll(b.body, b.out[:HeaderSize])
	h := Header{
		Events: b.events, First: b.first, Last: b.last, Raw: b.raw,
		Body: len(b.body), Payload: len(b.out) - HeaderSize,
		sum: crc32.Checksum(b.out[HeaderSize:], castagnoli),
	}
	h.Put(b.out)
	b.body, b.events, b.raw = b.body[:0], 0, 0
	return b.out
}

// newEncoder returns an encoder for one goroutine. Its window is small, so that
// an agent beside somebody's build stays small too; lines repeat at a short
// distance anyway.
func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(128<<10),
		zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false), // the header has one
	)
	if err != nil {
		panic(err) // the options above are wrong
	}
	return e
}
