package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// A tamer passes on the text of an XML file with less in it: only tags and
// text are left. It stands before the parser, which holds a whole token in
// memory and refuses files that have characters no XML may have; and those are
// in many results, since tools write the output of tests into them as it is.
//
//   - Texts and values of attributes longer than maxText are cut.
//   - Characters that XML cannot have become U+FFFD, also those written as
//     references; & and < that mean nothing are taken as such.
//   - Marked sections become text; comments, instructions, the document type and
//     other declarations go. One with something in it is refused: no tool writes
//     one, and entities are how XML files grow without bound.
type tamer struct {
	r    *bufio.Reader
	out  []byte // is passed on before anything more is read
	at   int
	err  error // what follows out
	line int   // of the file, counted from 0

	tag   bool
	quote byte // in a tag: what ends the value that began
	count int  // bytes of the text or value so far
	size  int  // bytes of the tag so far
}

func newTamer(r *bufio.Reader) *tamer { return &tamer{r: r} }

// ReadByte is what the parser calls.
func (t *tamer) ReadByte() (byte, error) {
	for t.at == len(t.out) {
		if t.err != nil {
			return 0, t.err
		}
		t.out, t.at = t.out[:0], 0
		t.err = t.fill()
	}
	b := t.out[t.at]
	t.at++
	return b, nil
}

// Read is here for the sake of io.Reader.
func (t *tamer) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if b[n], err = t.ReadByte(); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// fill takes in some bytes of the file.
func (t *tamer) fill() error {
	b, err := t.next()
	if err != nil {
		return err
	}
	for range 256 { // a few, so that ReadByte mostly finds some
		if err := t.take(b); err != nil {
			return err
		}
		if t.r.Buffered() == 0 {
			return nil
		}
		if b, err = t.next(); err != nil {
			return err
		}
	}
	return t.take(b)
}

func (t *tamer) next() (byte, error) {
	b, err := t.r.ReadByte()
	if b == '\n' {
		t.line++
	}
	return b, err
}

func (t *tamer) take(b byte) error {
	switch {
	case t.quote != 0 || !t.tag:
		return t.takeText(b)
	case b == '"' || b == '\'':
		t.quote, t.count = b, 0
	case b == '>':
		t.tag, t.count = false, 0
	}
	t.out = append(t.out, b)
	if t.size++; t.size > maxTag {
		return fmt.Errorf("a tag has more than %d bytes", maxTag)
	}
	return nil
}

func (t *tamer) takeText(b byte) error {
	switch {
	case t.tag && b == t.quote:
		t.quote = 0
		t.out = append(t.out, b)
		return nil
	case b == '<' && !t.tag:
		return t.open()
	case b == '&':
		return t.reference()
	}
	t.text(b)
	return nil
}

// text passes on a byte of text as such.
func (t *tamer) text(b byte) {
	switch {
	case b >= 0x80 && !utf8.RuneStart(b): // goes with what it is a part of
		if t.count <= maxText {
			t.out = append(t.out, b)
		}
	case b == 0xEF && t.isNoncharacter():
		t.emit("\uFFFD")
	case b < 0x20 && b != '\t' && b != '\n' && b != '\r':
		t.emit("\uFFFD")
	case b == '<':
		t.emit("&lt;")
	case b == '>':
		t.emit("&gt;")
	case b == '&':
		t.emit("&amp;")
	default:
		if t.count++; t.count <= maxText {
			t.out = append(t.out, b)
			if t.tag {
				t.size++
			}
		}
	}
}

// emit passes on s as one character.
func (t *tamer) emit(s string) {
	if t.count += len(s); t.count <= maxText {
		t.out = append(t.out, s...)
		if t.tag {
			t.size += len(s)
		}
	}
}

// isNoncharacter takes the rest of U+FFFE or U+FFFF, of which 0xEF was read.
func (t *tamer) isNoncharacter() bool {
	rest, err := t.r.Peek(2)
	if err != nil || rest[0] != 0xBF || rest[1] < 0xBE {
		return false
	}
	_, err = t.r.Discard(2)
	return err == nil
}

// reference takes what follows an ampersand.
func (t *tamer) reference() error {
	rest, err := t.r.Peek(12)
	if err != nil && err != io.EOF {
		return err
	}
	end := bytes.IndexByte(rest, ';')
	if end < 1 {
		t.emit("&amp;")
		return nil
	}
	text := "&" + string(rest[:end+1])
	switch name := string(rest[:end]); {
	case name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos":
	case name[0] == '#':
		n, err := number(name[1:])
		if err != nil {
			t.emit("&amp;")
			return nil
		}
		if !isCharacter(rune(n)) {
			text = "\uFFFD"
		}
	default:
		t.emit("&amp;") // it is nobody's, or a document type's that was not read
		return nil
	}
	_, err = t.r.Discard(end + 1)
	t.emit(text)
	return err
}

func number(s string) (uint64, error) {
	if len(s) > 0 && s[0] == 'x' { // XML has no other
		return strconv.ParseUint(s[1:], 16, 31)
	}
	return strconv.ParseUint(s, 10, 31)
}

func isCharacter(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r < 0xD800 || r >= 0xE000 && r < 0xFFFE || r >= 0x10000 && r <= utf8.MaxRune
}

var errDocument = errors.New("the document type declares something: that is refused, since no test tool needs it")

// open takes what follows the beginning of a tag.
func (t *tamer) open() error {
	for _, c := range []struct {
		begin string
		take  func() error
	}{
		{"!--", func() error { return t.skip("-->") }},
		{"![CDATA[", t.section},
		{"!", t.document},
		{"?", func() error { return t.skip("?>") }},
	} {
		if rest, err := t.r.Peek(len(c.begin)); err == nil && string(rest) == c.begin {
			if _, err := t.r.Discard(len(c.begin)); err != nil {
				return err
			}
			return c.take()
		}
	}
	t.tag, t.size = true, 0
	t.out = append(t.out, '<')
	return nil
}

// skip drops all until end.
func (t *tamer) skip(end string) error { return t.until(end, func(byte) {}) }

// section takes a marked section as text.
func (t *tamer) section() error { return t.until("]]>", t.text) }

func (t *tamer) until(end string, do func(byte)) error {
	for {
		b, err := t.next()
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if b == end[0] {
			if rest, err := t.r.Peek(len(end) - 1); err == nil && string(rest) == end[1:] {
				_, err := t.r.Discard(len(end) - 1)
				return err
			}
		}
		do(b)
	}
}

// document drops a document type that only names one, and what else begins as
// it does.
func (t *tamer) document() error {
	quote := byte(0)
	for i := range maxText {
		b, err := t.next()
		switch {
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case i == 0 && (b|0x20 < 'a' || b|0x20 > 'z'): // it has no name, and parsers differ on where it ends
			return errDocument
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '[' || b == '<':
			return errDocument
		case b == '>':
			return nil
		}
	}
	return errDocument
}
