package fetch

import (
	"bytes"
	"io"
	"testing"
)

// FuzzRequest holds: whatever git writes, its requests are read one by one, each
// as it was written, and nothing is read that is none.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{"", "0000", "0014command=ls-refs\n00010000", "0009done\n00000000", "0004", "0003", "00", "ffff", "0002xx", "-001"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in := bytes.NewReader(text)
		var all []byte
		for {
			request, err := readRequest(in)
			if err != nil {
				return
			}
			if request == nil {
				break
			}
			if !bytes.HasSuffix(request, []byte("0000")) || len(request) < 8 {
				t.Fatalf("request %q", request)
			}
			all = append(all, request...)
		}
		rest, _ := io.ReadAll(in)
		if end := text[:len(text)-len(rest)]; !bytes.Equal(bytes.TrimSuffix(end, []byte("0000")), bytes.TrimSuffix(all, []byte("0000"))) && !bytes.Equal(end, append(all, "0000"...)) {
			t.Errorf("read %q of %q", all, end)
		}
	})
}

// FuzzPackets holds: however an answer comes in, it is seen to end where its
// last packet is the one that ends answers.
func FuzzPackets(f *testing.F) {
	for _, seed := range []string{"", "0000", "0009done\n0000", "0009done\n", "00010000", "00000009done\n", "0009do", "000", "00090000\n", "zzzz0000", "000d0000 0000"} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		var whole, parts packets
		whole.pass(text)
		for rest := text; len(rest) > 0; {
			n := min(max(1, n), len(rest))
			parts.pass(rest[:n])
			rest = rest[n:]
		}
		if whole.ended != parts.ended {
			t.Errorf("%q ends: %t at once, %t in parts", text, whole.ended, parts.ended)
		}
		in, last := bytes.NewReader(text), []byte(nil)
		for { // as git reads it
			request, err := readRequest(in)
			if err != nil {
				return
			}
			if request == nil {
				break
			}
			last = request
		}
		if in.Len() == 0 && len(text) > 0 && !whole.ended && last != nil {
			t.Errorf("%q does not end", text)
		}
	})
}
