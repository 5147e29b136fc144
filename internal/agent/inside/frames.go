package inside

import (
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// frameSize is how much of an archive is compressed by itself, in bytes. Larger
// frames would be a few percent smaller together, and all that are in work are in
// memory twice.
const frameSize = 2 << 20

// maxFrames bounds how many frames are in work at a time.
const maxFrames = 4

// A frameWriter compresses a stream as zstd -3 does, in frames that several
// processors work at. Whoever reads zstd reads them as one stream.
type frameWriter struct {
	to      io.Writer
	encoder *zstd.Encoder
	fill    []byte           // of the next frame
	buffers sync.Pool        // of *[]byte, frameSize of capacity
	frames  chan chan []byte // those in work, in order
	failed  chan struct{}    // closed when to has failed
	ended   chan struct{}    // closed when nothing more is written to it
	err     error            // why to failed; read after either
}

// newFrameWriter returns a writer that compresses to another one, which it does
// not close. Its Close must be called, also after an error.
func newFrameWriter(to io.Writer) (*frameWriter, error) {
	n := min(runtime.GOMAXPROCS(0), maxFrames)
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(n), zstd.WithWindowSize(frameSize))
	if err != nil {
		return nil, err
	}
	w := &frameWriter{to: to, encoder: encoder, frames: make(chan chan []byte, n-1), failed: make(chan struct{}), ended: make(chan struct{})}
	w.buffers.New = func() any { b := make([]byte, 0, frameSize); return &b }
	w.fill = w.buffer()
	go w.send()
	return w, nil
}

func (w *frameWriter) buffer() []byte { return (*w.buffers.Get().(*[]byte))[:0] }

func (w *frameWriter) release(b []byte) { w.buffers.Put(&b) }

// Write takes p. An error may be that of earlier bytes.
func (w *frameWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		m := min(len(p), frameSize-len(w.fill))
		w.fill = append(w.fill, p[:m]...)
		p, n = p[m:], n+m
		if len(w.fill) == frameSize {
			if err := w.compress(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// compress has what was gathered compressed, once there is room for it.
func (w *frameWriter) compress() error {
	frame := make(chan []byte, 1)
	select {
	case w.frames <- frame:
	case <-w.failed:
		return w.err
	}
	go func(in []byte) {
		frame <- w.encoder.EncodeAll(in, w.buffer())
		w.release(in)
	}(w.fill)
	w.fill = w.buffer()
	return nil
}

// send writes the frames in order.
func (w *frameWriter) send() {
	defer close(w.ended)
	for frame := range w.frames {
		out := <-frame
		if w.err == nil {
			if _, w.err = w.to.Write(out); w.err != nil {
				close(w.failed)
			}
		}
		w.release(out)
	}
}

// Close compresses the rest and returns when all is written, or could not be.
func (w *frameWriter) Close() error {
	var err error
	if len(w.fill) > 0 {
		err = w.compress()
	}
	close(w.frames)
	<-w.ended
	_ = w.encoder.Close() // it writes nothing by itself
	if w.err != nil {
		err = w.err
	}
	return err
}
