package inside

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// What is compressed in frames is read as one stream, whatever pieces it came in.
func TestFramesAreOneStream(t *testing.T) {
	for _, size := range []int{0, 1, frameSize - 1, frameSize, frameSize + 1, 11*frameSize + 7} {
		want := make([]byte, size)
		random := rand.New(rand.NewPCG(1, uint64(size)))
		for i := range want {
			want[i] = "some text"[random.IntN(9)]
		}
		var out bytes.Buffer
		w, err := newFrameWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(frameSize))
			if m, err := w.Write(rest[:n]); m != n || err != nil {
				t.Fatalf("Write = %d, %v, want %d", m, err, n)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		z.Close()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("of %d bytes %d came back, %v", size, len(got), err)
		}
	}
}

// A brokenWriter fails after so many bytes.
type brokenWriter struct{ left int }

var errBroken = errors.New("broken")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// Who writes learns soon that nobody reads any more, and does not wait.
func TestFramesToAWriterThatFails(t *testing.T) {
	text := make([]byte, frameSize)
	for _, left := range []int{0, 200, 1000} { // a frame of zeros has some 150 bytes
		w, err := newFrameWriter(&brokenWriter{left})
		if err != nil {
			t.Fatal(err)
		}
		var failed error
		for range 1000 {
			if _, failed = w.Write(text); failed != nil {
				break
			}
		}
		if err := w.Close(); !errors.Is(failed, errBroken) || !errors.Is(err, errBroken) {
			t.Errorf("after %d bytes Write and Close = %v, %v", left, failed, err)
		}
	}
	w, err := newFrameWriter(&brokenWriter{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text[:10]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errBroken) {
		t.Errorf("Close = %v", err)
	}
}
