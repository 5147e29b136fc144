package output_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/agent/output"
	"slipway/internal/logstream/frame"
)

// limit is how long anything may take before a test fails.
const limit = 60 * time.Second

// A server takes the frames of one log.
type server struct {
	t      testing.TB
	refuse error         // of the next frame and all after it
	gate   chan struct{} // each frame waits for a token; nil lets all pass
	coming func(seen int)

	mu     sync.Mutex // guards all below
	frames int
	calls  int
	size   int
	events []frame.Event
}

func (s *server) send(seq uint64, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if seq != uint64(s.frames) {
		s.t.Errorf("frame %d came when %d was due", seq, s.frames)
	}
	if s.coming != nil {
		s.coming(s.size)
	}
	if s.gate != nil {
		s.mu.Unlock()
		<-s.gate
		s.mu.Lock()
	}
	if s.refuse != nil {
		return s.refuse
	}
	events, err := frame.Decode(bytes.Clone(data))
	if err != nil {
		s.t.Errorf("frame %d: %v", seq, err)
		return err
	}
	for e := range events {
		s.events = append(s.events, e)
		s.size += len(e.Message)
	}
	s.frames++
	return nil
}

// sent returns the number of frames so far.
func (s *server) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frames
}

// messages returns what has come so far, event by event.
func (s *server) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.events {
		all = append(all, string(e.Message))
	}
	return all
}

func (s *server) text() string { return strings.Join(s.messages(), "") }

// start returns a log that is running and ends with the test.
func start(t testing.TB, s *server, pipe *os.File, secrets ...string) *output.Log {
	s.t = t
	l := output.New(pipe, secrets, s.send)
	go l.Run()
	t.Cleanup(l.Close)
	return l
}

// within fails the test if f does not return.
func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s does not return", what)
	}
}

// inBubble runs test with a clock of its own, which starts with the year 2000.
func inBubble(t *testing.T, test func(*testing.T)) {
	b := frame.NewBuilder()
	b.Add(0, []byte("x"))
	if _, err := frame.Decode(b.Frame()); err != nil { // makes the decoder that all tests share outside of the bubble
		t.Fatal(err)
	}
	synctest.Test(t, test)
}

// pipe returns a pipe such as user code writes into.
func pipe(t testing.TB) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func write(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(w, text); n != len(text) || err != nil {
		t.Errorf("Write = %d, %v, want %d", n, err, len(text))
	}
}

// cleaned returns text as clients take it: valid UTF-8 without NUL.
func cleaned(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// squeezed returns text as if every stretch of replaced bytes were one: where a
// long line is cut, a stretch may become two.
func squeezed(text string) string {
	for strings.Contains(text, "\uFFFD\uFFFD") {
		text = strings.ReplaceAll(text, "\uFFFD\uFFFD", "\uFFFD")
	}
	return text
}
