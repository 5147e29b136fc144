package logstream

import (
	"bytes"
	"testing"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n":                      "plain",
		"plain\r\n":                    "plain",
		"10%\r20%\n":                   "10%\r20%",
		"\x1b[1;31merror\x1b[0m: no\n": "error: no",
		"\x1b[38;2;1;2;3mx\x1b[Ky":     "xy",
		"\x1b[?25lx\x1b[2 q":           "x",
		"\x1b]0;title\x07x":            "x",
		"\x1b]8;;https://e.com\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b(Bx\x1b=\x1bMy":                            "xy",
		"\x1b\x1b[0mx":                                  "x",
		"half \x1b[1;":                                  "half [1;",
		"half \x1b]0;title":                             "half ]0;title",
		"end\x1b":                                       "end",
		"\x1b[1\x00m":                                   "[1\x00m",
		"":                                              "",
	} {
		if got := Plain(nil, []byte(in)); string(got) != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

// Nothing that is plain starts an escape sequence, and text without one stays
// as it is.
func FuzzPlain(f *testing.F) {
	f.Add([]byte("\x1b[1mx\x1b]0;t\x07\x1b\\"))
	f.Fuzz(func(t *testing.T, message []byte) {
		before := bytes.Clone(message)
		got := Plain(nil, message)
		if bytes.IndexByte(got, esc) >= 0 || !bytes.Equal(before, message) {
			t.Errorf("Plain(%q) = %q", before, got)
		}
		if bytes.IndexByte(message, esc) < 0 && !bytes.HasPrefix(message, got) {
			t.Errorf("Plain(%q) = %q", message, got)
		}
	})
}
