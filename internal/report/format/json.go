package format

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"slipway/internal/report"
)

// A clipper passes on the text of a JSON file with strings longer than maxText
// cut: a decoder holds a whole one in memory, and results have pictures and
// logs in them.
type clipper struct {
	r    *bufio.Reader
	out  []byte // is passed on before anything more is read
	at   int
	err  error // what follows out
	line int   // of the file, counted from 0

	depth int
	in    bool // a string
	count int  // bytes of it so far, or of what stands outside of strings without a break
	skip  bool // the string is long enough
}

// maxLiteral bounds numbers and words, in bytes.
const maxLiteral = 1000

func (c *clipper) Read(b []byte) (int, error) {
	for c.at == len(c.out) {
		if c.err != nil {
			return 0, c.err
		}
		c.out, c.at = c.out[:0], 0
		c.err = c.fill()
	}
	n := copy(b, c.out[c.at:])
	c.at += n
	return n, nil
}

// fill takes in some bytes of the file.
func (c *clipper) fill() error {
	for range 4096 {
		b, err := c.r.ReadByte()
		if err != nil {
			return err
		}
		if b == '\n' {
			c.line++
		}
		if c.in {
			err = c.inside(b)
		} else {
			err = c.outside(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inside takes a byte of a string.
func (c *clipper) inside(b byte) error {
	if b == '"' {
		c.in, c.count, c.skip = false, 0, false
		c.out = append(c.out, b)
		return nil
	}
	if c.count++; c.count > maxText && b&0xC0 != 0x80 { // not within a character
		c.skip = true
	}
	if !c.skip {
		c.out = append(c.out, b)
	}
	if b != '\\' {
		return nil
	}
	// What is escaped goes with the backslash: it may be a quotation mark, and
	// half of an escape is an error.
	n := 1
	if next, err := c.r.Peek(1); err == nil && next[0] == 'u' {
		n = 5
	}
	for range n {
		b, err := c.r.ReadByte()
		if err != nil {
			return err
		}
		if !c.skip {
			c.out = append(c.out, b)
		}
	}
	return nil
}

// outside takes a byte that is in no string.
func (c *clipper) outside(b byte) error {
	c.out = append(c.out, b)
	c.count++
	switch b {
	case '"':
		c.in, c.count = true, 0
	case '{', '[':
		c.count = 0
		if c.depth++; c.depth > maxDepth {
			return fmt.Errorf("more than %d values are in each other", maxDepth)
		}
	case '}', ']':
		c.count = 0
		c.depth--
	case ' ', '\t', '\r', '\n', ',', ':':
		c.count = 0
	}
	if c.count > maxLiteral {
		return fmt.Errorf("something that is no text has more than %d characters", maxLiteral)
	}
	return nil
}

// A document is a JSON file that is read piece by piece.
type document struct {
	clip    *clipper
	decoder *json.Decoder
}

func newDocument(r *bufio.Reader) *document {
	c := &clipper{r: r}
	return &document{clip: c, decoder: json.NewDecoder(c)}
}

// next returns the next token.
func (d *document) next() (json.Token, error) {
	t, err := d.decoder.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}

// object calls do with each name of an object whose beginning was read; do
// reads the value.
func (d *document) object(do func(name string) error) error {
	for d.decoder.More() {
		t, err := d.next()
		if err != nil {
			return err
		}
		if err := do(t.(string)); err != nil { // a decoder gives nothing else here
			return err
		}
	}
	_, err := d.next()
	return err
}

// array calls do for each value of an array whose beginning was read.
func (d *document) array(do func() error) error {
	for d.decoder.More() {
		if err := do(); err != nil {
			return err
		}
	}
	_, err := d.next()
	return err
}

// objectIn reads a value and calls do for the names of it, if it is an object.
func (d *document) objectIn(do func(name string) error) error {
	t, err := d.next()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return d.skipAfter(t)
	}
	return d.object(do)
}

// arrayIn is the same for an array.
func (d *document) arrayIn(do func() error) error {
	t, err := d.next()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		return d.skipAfter(t)
	}
	return d.array(do)
}

// skip reads a value and drops it.
func (d *document) skip() error {
	t, err := d.next()
	if err != nil {
		return err
	}
	return d.skipAfter(t)
}

// skipAfter drops the rest of a value whose first token was read.
func (d *document) skipAfter(t json.Token) (err error) {
	for depth := 0; ; {
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if t, err = d.next(); err != nil {
			return err
		}
	}
}

// text reads a value that is a string; another one is "".
func (d *document) text() (string, error) {
	t, err := d.next()
	if err != nil {
		return "", err
	}
	s, _ := t.(string)
	return s, d.skipAfter(t)
}

// number reads a value that is a number; another one is not ok.
func (d *document) number() (n float64, ok bool, err error) {
	t, err := d.next()
	if err != nil {
		return 0, false, err
	}
	n, ok = t.(float64)
	return n, ok, d.skipAfter(t)
}

// explain says where an error is, in words for users.
func (d *document) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the file breaks off in line %d: the tool that wrote it was ended, or is still writing", d.clip.line+1)
	case errors.As(err, &syntax):
		return fmt.Errorf("the file is no proper JSON near line %d: %s", d.clip.line+1, syntax.Error())
	}
	return fmt.Errorf("near line %d: %w", d.clip.line+1, err)
}

// detectJSON returns the format of a JSON file that begins with head, or "".
func detectJSON(head []byte) report.Format {
	d := newDocument(bufio.NewReaderSize(bytes.NewReader(head), 4096))
	switch t, _ := d.next(); t {
	case json.Delim('['):
		if looksLikeCucumber(d) {
			return report.CucumberJSON
		}
	case json.Delim('{'):
		if looksLikeSimpleCov(d) {
			return report.SimpleCov
		}
	}
	return ""
}
