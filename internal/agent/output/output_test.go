package output_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agent/output"
	"slipway/internal/logstream/frame"
)

func TestEveryLineIsAnEventOfTheTimeItWasRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var s server
		l := start(t, &s, nil)
		begin := time.Now().UnixMilli()
		write(t, l, "one\ntwo\n\nthr")
		time.Sleep(time.Second)
		write(t, l, "ee\n")
		l.Service("four\nfive")
		time.Sleep(time.Second)
		write(t, l, "unfinished")
		l.Close()
		want := []frame.Event{
			{Time: begin, Message: []byte("one\n")},
			{Time: begin, Message: []byte("two\n")},
			{Time: begin, Message: []byte("\n")},
			{Time: begin + 1000, Message: []byte("three\n")},
			{Time: begin + 1000, Message: []byte("\n")},
			{Time: begin + 1000, Message: []byte("[Container] 2000/01/01 00:00:01.000000 four\n")},
			{Time: begin + 1000, Message: []byte("five\n")},
			{Time: begin + 2000, Message: []byte("unfinished\n")},
		}
		if d := cmp.Diff(want, s.events); d != "" {
			t.Error("the events (-want +got)\n", d)
		}
	})
}

func TestServiceLines(t *testing.T) {
	const a, b = "[Container] 2000/01/01 00:00:00.000000 a\n", "[Container] 2000/01/01 00:00:00.000000 b\n"
	for name, c := range map[string]struct {
		before, between, want string
	}{
		"alone":                                 {"", "", a + b},
		"after whole lines":                     {"x\n", "y\nz\n", "x\n\n" + a + "y\nz\n\n" + b},
		"after text without a line end":         {"x", "y\nz", "x\n\n" + a + "y\nz\n\n" + b},
		"only after output is there a space":    {"x\n", "", "x\n\n" + a + b},
		"after an empty line":                   {"\n", "", "\n\n" + a + b},
		"after what may be the start of a mask": {"hunter2", "hunt", "hunter2\n\n" + a + "hunt\n\n" + b},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var s server
				l := start(t, &s, nil, "hunter22")
				write(t, l, c.before)
				l.Service("a")
				write(t, l, c.between)
				l.Service("%s", "b")
				l.Close()
				if d := cmp.Diff(c.want, s.text()); d != "" {
					t.Error("the log (-want +got)\n", d)
				}
			})
		})
	}
}

func TestALongLineBecomesSeveralEvents(t *testing.T) {
	const maxLine = 128 << 10
	for name, c := range map[string]struct{ character, end string }{
		"of 10 MiB":              {strings.Repeat("0123456789", 100), "\n"},
		"of ASCII":               {"x", "\n"},
		"of two bytes each":      {"é", "\n"},
		"of three bytes each":    {"語", "\n"},
		"of four bytes each":     {"🚢", "\n"},
		"without an end":         {"🚢", ""},
		"of no text at all":      {"\xff", "\n"},
		"of broken text":         {"a\xe8\xaa", "\n"},
		"of nothing but NULs":    {"\x00", "\n"},
		"with a carriage return": {"50%\r", "\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var s server
			l := start(t, &s, nil)
			// One more byte in front, so that the limit is inside a character.
			size := 1 << 20
			if len(c.character) > utf8.UTFMax {
				size = 10 << 20
			}
			text := "-" + strings.Repeat(c.character, size/len(c.character)) + c.end
			write(t, l, text)
			l.Close()
			got := s.messages()
			for i, m := range got {
				if !utf8.ValidString(m) {
					t.Fatalf("event %d of %d is no text", i, len(got))
				}
				if utf8.ValidString(text) && !strings.Contains(text, "\x00") && len(m) > maxLine {
					t.Fatalf("event %d of %d has %d bytes, want %d at most", i, len(got), len(m), maxLine)
				}
			}
			if len(got) < size/maxLine || len(got) > 3*size/maxLine {
				t.Errorf("there are %d events", len(got))
			}
			if want := cleaned(strings.TrimSuffix(text, "\n") + "\n"); squeezed(s.text()) != squeezed(want) {
				t.Error("the log is not what was written")
			}
		})
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a stretch is replaced once":           {"a\xff\xfe\xfdb\n", "a\uFFFDb\n"},
		"each NUL is replaced":                 {"a\x00\x00b\n", "a\uFFFD\uFFFDb\n"},
		"a character that is only begun":       {"a\xe8\xaa\n", "a\uFFFD\n"},
		"a surrogate":                          {"a\xed\xa0\x80b\n", "a\uFFFDb\n"},
		"escapes and tabs stay":                {"\x1b[31mred\x1b[0m\t\a\r\n", "\x1b[31mred\x1b[0m\t\a\r\n"},
		"no text around a secret":              {"\xffhunter22\x00\n", "\uFFFD***\uFFFD\n"},
		"a secret with no text in it":          {"x\xff\x00\xfey\n", "***\n"},
		"a character cut by the end of a line": {"\xe8\n\xaa\x9e\n", "\uFFFD\n\uFFFD\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 2, len(c.in)} {
				var s server
				l := start(t, &s, nil, "hunter22", "x\xff\x00\xfey")
				for p := range slices.Chunk([]byte(c.in), size) {
					write(t, l, string(p))
				}
				l.Close()
				if s.text() != c.want {
					t.Errorf("in pieces of %d the log is %q, want %q", size, s.text(), c.want)
				}
			}
		})
	}
}

func TestSecretsAreMaskedHoweverTheyCome(t *testing.T) {
	const secret, long = "hunter22", "first half\nsecond half"
	stamp := regexp.MustCompile(`\[Container\] [^ ]+ [^ ]+ `)
	for name, c := range map[string]struct {
		do   func(testing.TB, *output.Log)
		want string
	}{
		"in two writes":      {func(t testing.TB, l *output.Log) { write(t, l, "a hun"); write(t, l, "ter22 b\n") }, "a *** b\n"},
		"across a line":      {func(t testing.TB, l *output.Log) { write(t, l, "a first half\n"); write(t, l, "second half b\n") }, "a *** b\n"},
		"in a service line":  {func(_ testing.TB, l *output.Log) { l.Service("Running command login %s", secret) }, "# Running command login ***\n"},
		"in several of them": {func(_ testing.TB, l *output.Log) { l.Service("a %s b", long) }, "# a *** b\n"},
		"before a service line, without a line end": {
			func(t testing.TB, l *output.Log) { write(t, l, "hunter22"); l.Service("a") }, "***\n\n# a\n",
		},
		"at the very end": {func(t testing.TB, l *output.Log) { write(t, l, "hunter"); write(t, l, "22") }, "***\n"},
		// Neither half is the secret, and whoever knows the other half put a line between them.
		"half before a service line and half in it": {
			func(t testing.TB, l *output.Log) { write(t, l, "hunt"); l.Service("er22 b") }, "hunt\n\n# er22 b\n",
		},
		"half before a service line, whole after it": {
			func(t testing.TB, l *output.Log) { write(t, l, "hunt"); l.Service("a"); write(t, l, "hunter22\n") }, "hunt\n\n# a\n***\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s server
			l := start(t, &s, nil, secret, long)
			c.do(t, l)
			l.Close()
			if got := stamp.ReplaceAllString(s.text(), "# "); got != c.want {
				t.Errorf("the log is %q, want %q", got, c.want)
			}
		})
	}
	if got := output.Mask("login hunter22 failed", []string{secret}); got != "login *** failed" {
		t.Errorf("Mask = %q", got)
	}
}

func TestASecretAcrossTwoReadsOfThePipe(t *testing.T) {
	var s server
	r, w := pipe(t)
	l := start(t, &s, r, "hunter22")
	write(t, w, "a hun")
	l.Drain()
	write(t, w, "ter22 b\n")
	l.Drain()
	l.Close()
	if s.text() != "a *** b\n" {
		t.Errorf("the log is %q", s.text())
	}
}

func TestAFrameGoesOutWhenItsFirstLineIsOldEnough(t *testing.T) {
	const frameAge = 100 * time.Millisecond
	inBubble(t, func(t *testing.T) {
		var s server
		l := start(t, &s, nil)
		expect := func(frames int, when string) {
			t.Helper()
			synctest.Wait()
			if s.sent() != frames {
				t.Fatalf("%s %d frames were sent, want %d", when, s.sent(), frames)
			}
		}
		time.Sleep(time.Hour)
		expect(0, "while nothing is written")
		for i := range 3 {
			write(t, l, "one\n")
			time.Sleep(frameAge - time.Nanosecond)
			write(t, l, "two\n")
			expect(i, "too early")
			time.Sleep(time.Nanosecond)
			expect(i+1, "when the first line is old enough")
			time.Sleep(time.Hour)
			expect(i+1, "while nothing more is written")
		}
		write(t, l, "a line that has not ended")
		time.Sleep(time.Hour)
		expect(3, "while a line has not ended")
		write(t, l, "\n")
		time.Sleep(frameAge)
		expect(4, "when a line has ended")
	})
}

func TestAFrameGoesOutWhenItIsFull(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var s server
		l := start(t, &s, nil)
		line := strings.Repeat("x", 1<<10-1) + "\n"
		write(t, l, strings.Repeat(line, 255))
		synctest.Wait()
		if s.sent() != 0 {
			t.Error("a frame was sent before it was full")
		}
		write(t, l, line)
		synctest.Wait()
		if s.sent() != 1 {
			t.Error("a full frame was not sent at once")
		}
	})
}

// The bound on what has been taken from writers and not been sent: what waits,
// with one chunk that came just before the bound, and as much in the frame
// under way.
const maxTaken = 2 * (1<<20 + 64<<10)

func TestAWriterWaitsForTheServer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := server{gate: make(chan struct{})}
		l := start(t, &s, nil)
		const lines = 512
		line := strings.Repeat("x", 32<<10-1) + "\n"
		written := 0
		var mu sync.Mutex
		go func() {
			for range lines {
				write(t, l, line)
				mu.Lock()
				written += len(line)
				mu.Unlock()
			}
		}()
		served := make(chan struct{})
		go func() { l.Service("a service line waits, too"); close(served) }()
		synctest.Wait() // nothing moves any more
		mu.Lock()
		if written > maxTaken {
			t.Errorf("%d bytes were taken in while none could be sent, want %d at most", written, maxTaken)
		}
		mu.Unlock()
		close(s.gate)
		<-served
		synctest.Wait()
		l.Close()
		if n := strings.Count(s.text(), line); n != lines {
			t.Errorf("%d of %d lines came", n, lines)
		}
	})
}

func TestUserCodeWaitsForTheServer(t *testing.T) {
	r, w := pipe(t)
	const total = 16 << 20
	var mu sync.Mutex
	written := 0
	s := server{coming: func(seen int) {
		mu.Lock()
		defer mu.Unlock()
		if most := maxTaken + 64<<10; written-seen > most { // and what is in the pipe
			t.Errorf("%d bytes were written and not sent, want %d at most", written-seen, most)
		}
	}}
	l := start(t, &s, r)
	go func() {
		line := strings.Repeat("x", 999) + "\n"
		for n := 0; n < total; n += len(line) {
			mu.Lock()
			written = n
			mu.Unlock()
			write(t, w, line)
		}
		w.Close()
	}()
	l.Copy()
	l.Close()
	if len(s.text()) < total {
		t.Errorf("%d of %d bytes came", len(s.text()), total)
	}
}

func TestAfterAnErrorEverythingIsThrownAway(t *testing.T) {
	r, w := pipe(t)
	s := server{refuse: errors.New("refused")}
	l := start(t, &s, r)
	flood := strings.Repeat("some text\n", 800<<10) // more than may wait
	within(t, "a log whose server refuses", func() {
		go l.Copy()
		write(t, w, flood)
		write(t, l, flood)
		l.Service("over")
		l.Drain()
		l.Close()
	})
	if s.calls != 1 {
		t.Errorf("send was called %d times", s.calls)
	}
}

func TestDrainTakesInWhatIsInThePipe(t *testing.T) {
	var s server
	r, w := pipe(t)
	l := start(t, &s, r)
	copied := make(chan struct{})
	go func() { l.Copy(); close(copied) }()
	var want strings.Builder
	for i := range 200 {
		line := strconv.Itoa(i) + strings.Repeat("x", 50*i) + "\n"
		write(t, w, line)
		l.Drain()
		write(t, l, "then\n") // after all that was in the pipe
		want.WriteString(line + "then\n")
	}
	w.Close()
	<-copied
	l.Drain() // of a pipe that has ended
	l.Close()
	if s.text() != want.String() {
		t.Error("the log is not in the order in which it was written")
	}
}

func TestDrainAndCopyKeepTheOrder(t *testing.T) {
	var s server
	r, w := pipe(t)
	l := start(t, &s, r)
	var want bytes.Buffer
	for i := range 20_000 {
		want.WriteString(strconv.Itoa(i) + "\n")
	}
	go func() {
		write(t, w, want.String())
		w.Close()
	}()
	copied := make(chan struct{})
	go func() { l.Copy(); close(copied) }()
	for over := false; !over; {
		select {
		case <-copied:
			over = true
		default:
			l.Drain()
		}
	}
	l.Close()
	if s.text() != want.String() {
		t.Error("lines were mixed up")
	}
}

// endless writes to w until it cannot, and returns once it has begun.
func endless(t testing.TB, w *os.File) {
	line := bytes.Repeat([]byte("x\n"), 32<<10)
	if _, err := w.Write(line[:4096]); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}()
}

func TestDrainDoesNotFollowAWriterWithoutEnd(t *testing.T) {
	for name, copying := range map[string]bool{"alone": false, "beside Copy": true} {
		t.Run(name, func(t *testing.T) {
			var s server
			r, w := pipe(t)
			l := start(t, &s, r)
			if copying {
				go l.Copy()
			}
			endless(t, w)
			within(t, "Drain", func() {
				for range 20 {
					l.Drain()
				}
			})
			w.Close()
		})
	}
}

// A process that could not be killed may go on to write.
func TestCloseDoesNotFollowAWriterWithoutEnd(t *testing.T) {
	var s server
	r, w := pipe(t)
	l := start(t, &s, r)
	go l.Copy()
	endless(t, w)
	l.Drain()
	within(t, "Close", l.Close)
	if s.text() == "" {
		t.Error("nothing that was written before is in the log")
	}
	w.Close()
}

func TestAClosedLog(t *testing.T) {
	var s server
	r, w := pipe(t)
	l := start(t, &s, r)
	write(t, l, "before")
	l.Close()
	frames := s.sent()
	within(t, "a log that is closed", func() {
		l.Close()
		write(t, l, strings.Repeat("after\n", 1<<20))
		l.Service("after")
		write(t, w, "after\n")
		l.Drain()
		l.Close()
	})
	if s.text() != "before\n" || s.sent() != frames {
		t.Errorf("the log is %q in %d frames", s.text(), s.sent())
	}
}

func TestAnEmptyLogSendsNothing(t *testing.T) {
	var s server
	l := start(t, &s, nil)
	write(t, l, "")
	l.Close()
	if s.calls != 0 {
		t.Errorf("%d frames were sent", s.calls)
	}
}

func TestCopyEndsWhenThePipeIsClosed(t *testing.T) {
	var s server
	r, w := pipe(t)
	l := start(t, &s, r)
	copied := make(chan struct{})
	go func() { l.Copy(); close(copied) }()
	write(t, w, "x\n")
	l.Drain() // Copy may be waiting for more now
	r.Close()
	within(t, "Copy", func() { <-copied })
	l.Drain() // of a pipe that is closed
	l.Close()
	if s.text() != "x\n" {
		t.Errorf("the log is %q", s.text())
	}
}

func TestASecretThatBecomesKnownWhileTheLogIsWritten(t *testing.T) {
	var s server
	l := start(t, &s, nil)
	write(t, l, "before: late-secret\n")
	l.Hide("late-secret")
	write(t, l, "after: late-")
	write(t, l, "secret\n")
	if got := l.Mask("says late-secret"); got != "says ***" {
		t.Errorf("Mask = %q", got)
	}
	l.Close()
	if got, want := s.text(), "before: late-secret\nafter: ***\n"; got != want {
		t.Errorf("the log is %q, want %q", got, want)
	}
}
