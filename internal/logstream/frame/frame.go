// Package frame is the form in which build logs travel and rest: some lines
// with their times, compressed together, behind a header that can be read
// without decompressing.
//
// A frame is a header of HeaderSize bytes (all numbers little endian) and a
// zstd payload:
//
//	 0  magic "SLF1"       4  events         8  first, ms     16  last, ms
//	24  stored, ms        32  raw bytes     36  body bytes    40  payload bytes
//	44  CRC-32C of the payload               48  CRC-32C of the 48 bytes before
//
// The payload decompresses to the body, one record per event: milliseconds
// since the event before (the first: since first) and length of the message,
// both as uvarint, and the message.
package frame

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// HeaderSize is the length of a frame's header.
const HeaderSize = 52

// The bounds of a frame. Decode and ParseHeader refuse what is beyond them.
const (
	MaxRaw     = 4 << 20   // bytes of messages in a frame
	MaxMessage = 1 << 20   // bytes of one message
	SplitAt    = 256 << 10 // Add makes several events of a longer line
	MaxSpan    = 24 * 60 * 60 * 1000

	maxBody    = 4 * MaxRaw // a record of a one-byte message takes three bytes
	maxPayload = maxBody + 64<<10
	maxTime    = 253402300799999 // the last millisecond of the year 9999
)

const magic = "SLF1"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrBroken is the error for bytes that are no frame, not all of one, or a
// frame that contradicts its header.
var ErrBroken = errors.New("broken log frame")

// A Header says what is in a frame.
type Header struct {
	Events  int   // at least 1
	First   int64 // time of the first event, milliseconds since 1970
	Last    int64 // time of the last event; not before First, at most MaxSpan after it
	Stored  int64 // when the server took it in; 0 as it comes from a Builder
	Raw     int   // bytes of all messages
	Body    int   // bytes of the payload once decompressed
	Payload int   // bytes of the payload: the frame is HeaderSize+Payload long

	sum uint32 // CRC-32C of the payload
}

// Size returns the length of the whole frame.
func (h Header) Size() int { return HeaderSize + h.Payload }

// ParseHeader reads the header at the start of b, which need not hold the
// payload too. Everything it returns is within the bounds of a frame; the only
// error is ErrBroken.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize || string(b[:4]) != magic {
		return Header{}, ErrBroken
	}
	u32 := binary.LittleEndian.Uint32
	i64 := func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }
	if u32(b[48:]) != crc32.Checksum(b[:48], castagnoli) {
		return Header{}, ErrBroken
	}
	events, raw, body, payload := u32(b[4:]), u32(b[32:]), u32(b[36:]), u32(b[40:])
	h := Header{
		First: i64(b[8:]), Last: i64(b[16:]), Stored: i64(b[24:]),
		Events: int(events), Raw: int(raw), Body: int(body), Payload: int(payload),
		sum: u32(b[44:]),
	}
	if events < 1 || raw > MaxRaw || events > raw || // every event has a byte at least
		body > maxBody || body < raw+2*events || payload > maxPayload ||
		h.First < 0 || h.Last < h.First || h.Last > maxTime || h.Last-h.First > MaxSpan ||
		h.Stored < 0 || h.Stored > maxTime {
		return Header{}, ErrBroken
	}
	return h, nil
}

// Put writes h to the first HeaderSize bytes of b. With a Header that
// ParseHeader returned this changes the times of a frame: its events move with
// First, so Last has to move as much.
func (h Header) Put(b []byte) {
	_ = b[HeaderSize-1]
	copy(b, magic)
	u32 := binary.LittleEndian.PutUint32
	u64 := binary.LittleEndian.PutUint64
	u32(b[4:], uint32(h.Events))
	u64(b[8:], uint64(h.First))
	u64(b[16:], uint64(h.Last))
	u64(b[24:], uint64(h.Stored))
	u32(b[32:], uint32(h.Raw))
	u32(b[36:], uint32(h.Body))
	u32(b[40:], uint32(h.Payload))
	u32(b[44:], h.sum)
	u32(b[48:], crc32.Checksum(b[:48], castagnoli))
}

// Intact reports whether payload is the payload h was made for. It does not
// decompress, so it does not say that Decode will succeed.
func (h Header) Intact(payload []byte) bool {
	return len(payload) == h.Payload && crc32.Checksum(payload, castagnoli) == h.sum
}
