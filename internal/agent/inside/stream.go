package inside

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxPart bounds a part of a stream, in bytes.
const maxPart = 1 << 20

// A Sender writes a stream in parts, so that the other side can tell whether it
// got all of it: the stream is whole only once Close has returned nil.
type Sender struct{ w io.Writer }

// NewSender returns a Sender to w, which it does not close.
func NewSender(w io.Writer) *Sender { return &Sender{w} }

// Write sends p at once.
func (s *Sender) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), maxPart)]
		if err := s.length(len(part)); err != nil {
			return n, err
		}
		m, err := s.w.Write(part)
		if n += m; err != nil {
			return n, err
		}
		p = p[len(part):]
	}
	return n, nil
}

// Close says that this was all.
func (s *Sender) Close() error { return s.length(0) }

func (s *Sender) length(n int) error {
	_, err := s.w.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
	return err
}

// A Receiver reads what a Sender sent. It returns io.EOF only after all of it,
// and io.ErrUnexpectedEOF if the stream ends before that.
type Receiver struct {
	r    io.Reader
	left int // of this part
	err  error
}

// NewReceiver returns a Receiver of what comes from r.
func NewReceiver(r io.Reader) *Receiver { return &Receiver{r: r} }

// Read reads a part of the stream.
func (r *Receiver) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.err == nil && r.left == 0 {
		r.err = r.next()
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	if err != nil && (r.left > 0 || !errors.Is(err, io.EOF)) {
		r.err = cutOff(err)
	}
	return n, r.err
}

func (r *Receiver) next() error {
	var head [4]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return cutOff(err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 {
		return io.EOF
	}
	if n > maxPart {
		return fmt.Errorf("a part of a stream has %d bytes, at most %d", n, maxPart)
	}
	r.left = int(n)
	return nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
