// Package redact masks secrets in a stream of text, in one pass.
package redact

import (
	"io"
	"strings"
)

// Mask is what stands where a secret was, however long that was.
const Mask = "***"

// piece is how much of a Write is looked at at once: it bounds the memory.
const piece = 64 << 10

// A Writer passes text on with secrets masked. What it writes does not depend
// on how the text is cut into Writes: every occurrence of a secret in it is
// found, also overlapping ones, and each stretch they cover becomes one Mask.
//
// It holds text back only while that may be the beginning of a secret. It is
// for one goroutine.
type Writer struct {
	w   io.Writer
	err error // the first error of w: nothing is written after it
	set *set

	buf  []byte // text not yet passed on; undecided from at on
	at   int    // the next place in buf where a secret may begin
	mask int    // buf is masked up to here: what lies before is written as a Mask already
	runs [len(charsets)]run
	out  []byte
}

// A run is the stretch of characters of a charset that was measured last. A
// token beginning within it ends where it ends, so that measuring stays linear.
type run struct {
	start, end int  // in buf
	open       bool // it reaches the end of buf: more of it may come
	token      bool // it ends a token, so what comes is masked
}

// New returns a Writer to w that masks each of secrets in all its Forms, and
// always whatever looks like an access token of a source provider or an AWS
// access key id. Secrets shorter than MinSecret are not masked: a log without
// every "1" and "no" would be shredded, and would tell the secret by its gaps.
func New(w io.Writer, secrets []string) *Writer {
	return &Writer{w: w, set: newSet(secrets)}
}

// Hide has secrets masked too, from the first text on that is not passed on yet.
func (w *Writer) Hide(secrets ...string) { w.set.hide(secrets) }

// Mask returns text with what w masks masked. It does not go into the stream.
func (w *Writer) Mask(text string) string {
	var out strings.Builder
	other := &Writer{w: &out, set: w.set}
	_, _ = other.Write([]byte(text)) // a Builder never fails
	_ = other.Flush()
	return out.String()
}

// Write takes all of p. An error is one of the underlying writer; after it
// every Write and Flush fails.
func (w *Writer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && w.err == nil; {
		n := min(len(rest), piece)
		w.extend(rest[:n])
		w.buf = append(w.buf, rest[:n]...)
		rest = rest[n:]
		w.pass(false)
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Flush writes out what was held back. It is for moments when nothing more is
// coming soon, such as the end of a command: a secret that is only half there
// is written, and its other half is not recognised later.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.pass(true)
	}
	return w.err
}

// extend lets the runs that are still open go on into p, which is about to be
// appended to buf.
func (w *Writer) extend(p []byte) {
	for i := range w.runs {
		r := &w.runs[i]
		if !r.open {
			continue
		}
		n := charsets[i].span(p)
		r.end += n
		r.open = n == len(p)
		if r.token {
			w.mask = max(w.mask, r.end)
		}
	}
}

// pass looks at the undecided text, writes out what is decided and keeps the
// rest. With final everything is decided.
func (w *Writer) pass(final bool) {
	w.out = w.out[:0]
	for {
		i, found := w.set.next(w.buf, w.at, final)
		w.at = i
		if !found {
			break
		}
		end, enough := w.match(i, final)
		if !enough {
			break
		}
		w.at++
		if end == 0 {
			continue
		}
		if i >= w.mask {
			w.out = append(append(w.out, w.buf[w.mask:i]...), Mask...)
		}
		w.mask = max(w.mask, end)
	}
	clear := w.buf[w.mask:max(w.mask, w.at)]
	if len(w.out) > 0 {
		w.out = append(w.out, clear...)
		clear = w.out
	}
	w.write(clear)
	w.keep(w.at)
	if final {
		w.mask = 0
		w.runs = [len(charsets)]run{}
	}
}

// keep drops buf before n.
func (w *Writer) keep(n int) {
	w.buf = append(w.buf[:0], w.buf[n:]...)
	w.at = 0
	w.mask = max(0, w.mask-n)
	for i := range w.runs {
		r := &w.runs[i]
		r.start, r.end = max(0, r.start-n), max(0, r.end-n)
	}
}

func (w *Writer) write(p []byte) {
	if len(p) == 0 || w.err != nil {
		return
	}
	_, w.err = w.w.Write(p)
}

// match returns where the longest secret that begins at i ends, or 0 if none
// does. If that cannot be told without more text, enough is false.
func (w *Writer) match(i int, final bool) (end int, enough bool) {
	text := w.buf[i:]
	for _, n := range w.set.beginning(text) { // longest first
		if len(n.text) > len(text) {
			if !final && n.text[:len(text)] == string(text) {
				return 0, false
			}
			continue
		}
		if string(text[:len(n.text)]) != n.text {
			continue
		}
		if n.least == 0 {
			end = max(end, i+len(n.text))
			continue
		}
		r := w.measure(n.charset, i+len(n.text))
		switch {
		case r.end-i >= len(n.text)+n.least:
			r.token = true
			end = max(end, r.end)
		case r.open && !final:
			return 0, false
		}
	}
	return end, true
}

// measure returns the run of characters of a charset that starts at start or
// before, and holds it if it is not empty.
func (w *Writer) measure(charset, start int) *run {
	r := &w.runs[charset]
	if start < r.start || start > r.end || start == r.end && !r.open {
		end := start + charsets[charset].span(w.buf[start:])
		*r = run{start: start, end: end, open: end == len(w.buf)}
	}
	return r
}
