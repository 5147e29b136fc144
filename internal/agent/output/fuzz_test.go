package output_test

import (
	"regexp"
	"strings"
	"testing"

	"slipway/internal/agent/output"
)

// However text is cut into writes, the log is the text, masked and cleaned; a
// service line comes between whole lines, after an empty one.
func FuzzLog(f *testing.F) {
	secrets := []string{"hunter22", "first half\nsecond half", "x\xff\x00\xfey"}
	f.Add([]byte("a hunter22 b\n"), []byte{4, 1, 200}, uint16(1))
	f.Add([]byte("first half\nsecond half"), []byte{0, 10, 1, 0}, uint16(2))
	f.Add([]byte("x\xff\x00\xfey\xff\xff\x00\xe8\xaa\x9e"), []byte{1, 1, 1, 1}, uint16(3))
	f.Add([]byte("é\xff\x00語"), []byte{255, 255}, uint16(40_000))
	f.Add([]byte("ghp_0123456789abcdefghijABCDEFGHIJ"), []byte{2, 30, 0, 9}, uint16(1))
	stamp := regexp.MustCompile(`\[Container\] [^ \n]+ [^ \n]+ step`)
	f.Fuzz(func(t *testing.T, text []byte, cuts []byte, times uint16) {
		whole := strings.Repeat(string(text), int(times))
		if len(whole) > 1<<20 {
			t.Skip("too much to be tried often")
		}
		var s server
		l := start(t, &s, nil, secrets...)
		var want strings.Builder
		segment := func(text string) {
			text = output.Mask(text, secrets)
			if text != "" && !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			want.WriteString(cleaned(text))
		}
		rest, begin := whole, 0
		for _, cut := range cuts {
			if cut > 0 {
				n := min(len(rest), int(cut)*int(cut)) // up to what is read from a pipe at once
				write(t, l, rest[:n])
				rest = rest[n:]
				continue
			}
			l.Service("step")
			if end := len(whole) - len(rest); end > begin {
				segment(whole[begin:end])
				want.WriteString("\n")
				begin = end
			}
			want.WriteString("# step\n")
		}
		write(t, l, rest)
		segment(whole[begin:])
		l.Close()
		got := s.text()
		if strings.Contains(got, secrets[0]) || strings.Contains(got, secrets[1]) {
			t.Error("a secret is in the log")
		}
		if got, want := squeezed(stamp.ReplaceAllString(got, "# step")), squeezed(stamp.ReplaceAllString(want.String(), "# step")); got != want {
			t.Errorf("the log is %q, want %q", shortened(got), shortened(want))
		}
		if longest(whole) <= 128<<10 && stamp.ReplaceAllString(got, "# step") != stamp.ReplaceAllString(want.String(), "# step") {
			t.Error("a stretch of bytes that are no text was not replaced by one character")
		}
	})
}

func shortened(text string) string {
	if len(text) > 400 {
		return text[:400] + "…"
	}
	return text
}

// longest returns the length of the longest line.
func longest(text string) int {
	most := 0
	for line := range strings.Lines(text) {
		most = max(most, len(line))
	}
	return most
}
