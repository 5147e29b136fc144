package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"slipway/internal/logstream/frame"
)

// ordinary is the n-th line, about 100 bytes long, of a build's log as builds write them.
func ordinary(n int) []byte {
	return fmt.Appendf(nil, "[INFO] %06d compiling src/main/java/com/example/service/Module%d.java (%d warnings, %d ms)\n",
		n, n*7919%977, n%5, n*31%4000)
}

func all(t testing.TB, b []byte) []frame.Event {
	t.Helper()
	seq, err := frame.Decode(b)
	if err != nil {
		t.Fatalf("Decode = %v", err)
	}
	var got []frame.Event
	for e := range seq {
		got = append(got, e)
	}
	return got
}

func TestRoundTrip(t *testing.T) {
	for name, lines := range map[string][]frame.Event{
		"one line":                    {{Time: 5, Message: []byte("x\n")}},
		"a last line without an end":  {{Time: 5, Message: []byte("x\n")}, {Time: 9, Message: []byte("rest")}},
		"bytes that are no text":      {{Time: 0, Message: []byte{0, 255, 10}}},
		"many lines of one time":      {{Time: 7, Message: []byte("a\n")}, {Time: 7, Message: []byte("\n")}, {Time: 7, Message: []byte("c\n")}},
		"a line as long as one event": {{Time: 7, Message: bytes.Repeat([]byte("z"), frame.SplitAt)}},
	} {
		t.Run(name, func(t *testing.T) {
			b := frame.NewBuilder()
			raw := 0
			for _, l := range lines {
				b.Add(l.Time, l.Message)
				raw += len(l.Message)
			}
			if b.Events() != len(lines) || b.Bytes() != raw {
				t.Errorf("Events, Bytes = %d, %d, want %d, %d", b.Events(), b.Bytes(), len(lines), raw)
			}
			f := b.Frame()
			same := func(a, b frame.Event) bool { return a.Time == b.Time && bytes.Equal(a.Message, b.Message) }
			if got := all(t, f); !slices.EqualFunc(got, lines, same) { // cmp would take seconds for the long line
				t.Errorf("%d events, want these %d", len(got), len(lines))
			}
			h, err := frame.ParseHeader(f)
			if err != nil || h.Events != len(lines) || h.First != lines[0].Time || h.Last != lines[len(lines)-1].Time || h.Raw != raw || h.Size() != len(f) {
				t.Errorf("ParseHeader = %+v, %v", h, err)
			}
			if b.Events() != 0 || b.Bytes() != 0 || b.Frame() != nil {
				t.Error("Frame did not empty the builder")
			}
		})
	}
}

func TestAdd(t *testing.T) {
	t.Run("time never goes back, from frame to frame either", func(t *testing.T) {
		b := frame.NewBuilder()
		b.Add(100, []byte("a"))
		b.Add(90, []byte("b"))
		b.Frame()
		b.Add(-5, []byte("c"))
		if got := all(t, b.Frame()); got[0].Time != 100 {
			t.Errorf("time = %d, want 100", got[0].Time)
		}
	})
	t.Run("a frame spans a day at most", func(t *testing.T) {
		b := frame.NewBuilder()
		b.Add(100, []byte("a"))
		b.Add(100+3*frame.MaxSpan, []byte("b"))
		if got := all(t, b.Frame()); got[1].Time != 100+frame.MaxSpan {
			t.Errorf("time = %d", got[1].Time)
		}
	})
	t.Run("an empty line is no event", func(t *testing.T) {
		b := frame.NewBuilder()
		if b.Add(1, nil); b.Events() != 0 {
			t.Error("an event was added")
		}
	})
	t.Run("a long line is split between characters", func(t *testing.T) {
		b := frame.NewBuilder()
		line := []byte(strings.Repeat("é€", 150_000) + "\n")
		b.Add(1, line)
		got := all(t, b.Frame())
		var joined []byte
		for _, e := range got {
			if !bytes.Equal(bytes.ToValidUTF8(e.Message, []byte("?")), e.Message) {
				t.Error("a character was cut")
			}
			joined = append(joined, e.Message...)
		}
		if len(got) != 3 || !bytes.Equal(joined, line) {
			t.Errorf("%d events, %d bytes", len(got), len(joined))
		}
	})
	t.Run("a long line of no text at all is split too", func(t *testing.T) {
		b := frame.NewBuilder()
		b.Add(1, bytes.Repeat([]byte{0x80}, 3*frame.SplitAt))
		if got := all(t, b.Frame()); len(got) != 4 {
			t.Errorf("%d events", len(got))
		}
	})
	t.Run("what does not fit is refused whole", func(t *testing.T) {
		b := frame.NewBuilder()
		if !b.Add(1, make([]byte, frame.MaxRaw)) || b.Add(1, []byte("x")) {
			t.Error("Add took more or less than MaxRaw")
		}
		all(t, b.Frame())
	})
	t.Run("a frame as full of one-byte lines as can be", func(t *testing.T) {
		b := frame.NewBuilder()
		for i := range frame.MaxRaw {
			b.Add(int64(i), []byte("\n"))
		}
		seq, err := frame.Decode(b.Frame())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range seq {
			n++
		}
		if n != frame.MaxRaw {
			t.Errorf("%d events", n)
		}
	})
}

func TestBrokenFrames(t *testing.T) {
	b := frame.NewBuilder()
	for i := range 100 {
		b.Add(int64(i), ordinary(i))
	}
	good := b.Frame()
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if _, err := frame.Decode(bad); !errors.Is(err, frame.ErrBroken) {
			t.Fatalf("byte %d changed: Decode = %v", i, err)
		}
		if _, err := frame.Decode(good[:i]); !errors.Is(err, frame.ErrBroken) {
			t.Fatalf("cut at %d: Decode = %v", i, err)
		}
	}
	if _, err := frame.Decode(append(bytes.Clone(good), 0)); !errors.Is(err, frame.ErrBroken) {
		t.Errorf("with a byte more: Decode = %v", err)
	}
}

// forge makes a frame with right checksums around any body, as a hostile agent would.
func forge(events, raw, size uint32, first, last int64, body []byte) []byte {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	defer e.Close()
	out := e.EncodeAll(body, make([]byte, frame.HeaderSize))
	table := crc32.MakeTable(crc32.Castagnoli)
	le := binary.LittleEndian
	copy(out, "SLF1")
	le.PutUint32(out[4:], events)
	le.PutUint64(out[8:], uint64(first))
	le.PutUint64(out[16:], uint64(last))
	le.PutUint32(out[32:], raw)
	le.PutUint32(out[36:], size)
	le.PutUint32(out[40:], uint32(len(out)-frame.HeaderSize))
	le.PutUint32(out[44:], crc32.Checksum(out[frame.HeaderSize:], table))
	le.PutUint32(out[48:], crc32.Checksum(out[:48], table))
	return out
}

func TestHostileFrames(t *testing.T) {
	for name, f := range map[string][]byte{
		"a bomb":                         forge(1, 1, 100, 0, 0, make([]byte, 64<<20)),
		"a bomb within the limit":        forge(1, 1, 16<<20, 0, 0, make([]byte, 64<<20)),
		"no events":                      forge(0, 0, 0, 0, 0, nil),
		"more events than bytes":         forge(1<<31, 10, 1<<20, 0, 0, []byte{0, 1, 'x'}),
		"fewer events than promised":     forge(2, 2, 6, 0, 0, []byte{0, 1, 'x', 0, 0, 0}),
		"a message beyond the end":       forge(1, 1, 3, 0, 0, []byte{0, 9, 'x'}),
		"a first event later than first": forge(1, 1, 3, 5, 9, []byte{4, 1, 'x'}),
		"a last event before last":       forge(1, 1, 3, 5, 9, []byte{0, 1, 'x'}),
		"events later than last":         forge(2, 2, 6, 5, 5, []byte{0, 1, 'x', 1, 1, 'y'}),
		"time running backwards":         forge(1, 1, 3, 9, 5, []byte{0, 1, 'x'}),
		"a time before 1970":             forge(1, 1, 3, -9, 5, []byte{0, 1, 'x'}),
		"a time after the year 9999":     forge(1, 1, 3, 1<<62, 1<<62, []byte{0, 1, 'x'}),
		"a span of years":                forge(2, 2, 10, 0, 1<<40, []byte{0, 1, 'x', 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 'y'}),
		"an endless number":              forge(1, 1, 12, 0, 0, bytes.Repeat([]byte{0x80}, 12)),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := frame.Decode(f); !errors.Is(err, frame.ErrBroken) {
				t.Errorf("Decode = %v", err)
			}
		})
	}
	if _, err := frame.Decode(forge(2, 2, 6, 5, 6, []byte{0, 1, 'x', 1, 1, 'y'})); err != nil {
		t.Errorf("the forger does not make good frames either: %v", err)
	}
}

func TestMovingAFrame(t *testing.T) {
	b := frame.NewBuilder()
	b.Add(10, []byte("a"))
	b.Add(30, []byte("b"))
	f := b.Frame()
	h, _ := frame.ParseHeader(f)
	h.First, h.Last, h.Stored = 110, 130, 500
	h.Put(f)
	want := []frame.Event{{Time: 110, Message: []byte("a")}, {Time: 130, Message: []byte("b")}}
	if got := all(t, f); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if h, _ := frame.ParseHeader(f); h.Stored != 500 {
		t.Errorf("Stored = %d", h.Stored)
	}
}

// Whatever the bytes are, Decode ends, within its bounds, and what it accepts
// agrees with the header.
func FuzzDecode(f *testing.F) {
	f.Add(uint32(1), uint32(1), uint32(3), int64(5), int64(5), []byte{0, 1, 'x'}, true)
	f.Add(uint32(2), uint32(2), uint32(6), int64(5), int64(6), []byte{0, 1, 'x', 1, 1, 'y'}, true)
	b := frame.NewBuilder()
	b.Add(1, []byte("line\n"))
	f.Add(uint32(0), uint32(0), uint32(0), int64(0), int64(0), b.Frame(), false)
	f.Fuzz(func(t *testing.T, events, raw, size uint32, first, last int64, body []byte, wrap bool) {
		in := body
		if wrap {
			in = forge(events, raw, size, first, last, body)
		}
		seq, err := frame.Decode(in)
		if err != nil {
			return
		}
		h, err := frame.ParseHeader(in)
		if err != nil {
			t.Fatal("Decode takes what ParseHeader refuses")
		}
		n, bytes, now := 0, 0, h.First
		for e := range seq {
			if e.Time < now {
				t.Error("time runs backwards")
			}
			now = e.Time
			n++
			bytes += len(e.Message)
		}
		if n != h.Events || bytes != h.Raw || now != h.Last || bytes > frame.MaxRaw {
			t.Errorf("%d events, %d bytes, last %d against %+v", n, bytes, now, h)
		}
	})
}

func TestOrdinaryLogsShrink(t *testing.T) {
	b := frame.NewBuilder()
	raw, stored := 0, 0
	for i := range 50_000 {
		b.Add(int64(i/20), ordinary(i))
		if b.Bytes() >= 256<<10 {
			raw += b.Bytes()
			stored += len(b.Frame())
		}
	}
	if ratio := float64(stored) / float64(raw); ratio > 0.3 {
		t.Errorf("stored %.2f of raw, want at most 0.3", ratio)
	}
}

func BenchmarkBuild(b *testing.B) {
	var lines [][]byte
	for i := range 20_000 {
		lines = append(lines, ordinary(i))
	}
	for _, size := range []int{64 << 10, 256 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("frames of %d KiB", size>>10), func(b *testing.B) {
			builder := frame.NewBuilder()
			raw, stored, i := 0, 0, 0
			b.ReportAllocs()
			for b.Loop() {
				line := lines[i%len(lines)]
				builder.Add(int64(i), line)
				raw += len(line)
				if i++; builder.Bytes() >= size {
					stored += len(builder.Frame())
				}
			}
			b.SetBytes(int64(raw / i))
			b.ReportMetric(float64(stored)/float64(raw), "stored/raw")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	builder := frame.NewBuilder()
	for i := 0; builder.Bytes() < 256<<10; i++ {
		builder.Add(int64(i), ordinary(i))
	}
	raw := builder.Bytes()
	f := builder.Frame()
	b.SetBytes(int64(raw))
	b.ReportAllocs()
	for b.Loop() {
		seq, err := frame.Decode(f)
		if err != nil {
			b.Fatal(err)
		}
		for range seq {
		}
	}
}
