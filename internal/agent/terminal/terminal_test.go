package terminal

import (
	"bytes"
	"io"
	"testing"
)

// FuzzRecords holds that what is typed arrives, however it is cut up, and that
// nothing strangers send is more than a record may hold.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("ls\r"), "xterm")
	f.Add(bytes.Repeat([]byte("x"), 3*maxRecord), "")
	f.Add([]byte{'k', 0xff, 0xff}, string(make([]byte, 1000)))
	f.Fuzz(func(t *testing.T, text []byte, term string) {
		var wire, got bytes.Buffer
		s, err := NewSender(&wire, term)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(text); err != nil {
			t.Fatal(err)
		}
		for kind, body, err := receive(&wire); err != io.EOF; kind, body, err = receive(&wire) {
			if err != nil {
				t.Fatal(err)
			}
			if kind == keys {
				got.Write(body)
			}
		}
		if !bytes.Equal(got.Bytes(), text) {
			t.Errorf("%q arrives as %q", text, got.Bytes())
		}
		for r := bytes.NewReader(text); ; {
			_, body, err := receive(r)
			if len(body) > maxRecord {
				t.Errorf("a record of %d bytes", len(body))
			}
			if err != nil {
				break
			}
		}
	})
}
