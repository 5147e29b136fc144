package output

import (
	"bytes"
	"unicode/utf8"
)

var replacement = []byte(string(utf8.RuneError))

// clean returns text that is valid UTF-8 without NUL, since it travels in JSON
// to clients that take neither. What is wrong becomes U+FFFD, one for a stretch
// of bytes that are no text. The result may share memory with text.
func clean(text []byte) []byte {
	if !utf8.Valid(text) {
		text = bytes.ToValidUTF8(text, replacement)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		text = bytes.ReplaceAll(text, []byte{0}, replacement)
	}
	return text
}

// runeStart returns the last place at n or before where a character begins, so
// that cutting there breaks none. Text that is no UTF-8 is cut at n.
func runeStart(text []byte, n int) int {
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(text[i]) {
			return i
		}
	}
	return n
}
