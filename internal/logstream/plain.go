package logstream

import "bytes"

const (
	esc = 0x1b
	bel = 0x07
)

// Plain returns what a reader sees of a message: without its line end and
// without escape sequences (ECMA-48: colours, moves of the cursor, titles and
// links of a terminal). A sequence that the message does not finish is left as
// text, but for its escape character. What it returns is message itself if it
// has none, or shares buf's memory, from its start.
func Plain(buf, message []byte) []byte {
	if rest, ok := bytes.CutSuffix(message, []byte("\n")); ok {
		message = bytes.TrimSuffix(rest, []byte("\r"))
	}
	at := bytes.IndexByte(message, esc)
	if at < 0 {
		return message
	}
	buf = buf[:0]
	for at >= 0 {
		buf = append(buf, message[:at]...)
		message = message[at+sequence(message[at:]):]
		at = bytes.IndexByte(message, esc)
	}
	return append(buf, message...)
}

// sequence returns the length of the escape sequence that b starts with, and 1
// if b starts with an escape character alone.
func sequence(b []byte) int {
	if len(b) < 2 {
		return 1
	}
	switch b[1] {
	case '[':
		return tail(b, 2, '0', '?')
	case ']', 'P', 'X', '^', '_': // strings, up to their terminator
		for i := 2; i < len(b); i++ {
			switch {
			case b[i] == bel && b[1] == ']':
				return i + 1
			case b[i] == esc && i+1 < len(b) && b[i+1] == '\\':
				return i + 2
			case b[i] == esc:
				return 1 // another sequence ends it: so all of a line is looked at once
			}
		}
		return 1
	}
	return tail(b, 1, 1, 0)
}

// tail returns the length of the sequence b, given where the parameters, from
// first to last, may begin: behind them come intermediates and a final byte. It
// is 1 if there is no final byte.
func tail(b []byte, i int, first, last byte) int {
	for i < len(b) && first <= b[i] && b[i] <= last {
		i++
	}
	for i < len(b) && ' ' <= b[i] && b[i] <= '/' {
		i++
	}
	if i == len(b) || b[i] < '0' || b[i] > '~' {
		return 1
	}
	return i + 1
}
