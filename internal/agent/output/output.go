// Package output makes the log of a build: what user code and the agent write
// goes in, masked and timed lines come out in frames.
//
// Its memory is bounded: when the server does not take frames as fast as user
// code writes, user code has to wait.
package output

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"slipway/internal/agent/redact"
	"slipway/internal/build/event"
	"slipway/internal/logstream/frame"
)

const (
	frameBytes = 256 << 10              // a frame goes out when it holds this much,
	frameAge   = 100 * time.Millisecond // or when its first line is this old
	maxWaiting = 1 << 20                // no more is taken while this much waits for the server
	chunk      = 64 << 10               // what is read at once
	maxLine    = 128 << 10              // a longer line becomes several events
)

// A Log is the log of one build. Its methods may be called from several
// goroutines.
type Log struct {
	pipe *os.File // what user code writes; nil if there is none
	send func(seq uint64, frame []byte) error

	mu      sync.Mutex // guards all below, and the order of what is read from pipe
	changed *sync.Cond
	mask    *redact.Writer
	buf     []byte
	line    []byte // masked text without its line end yet
	cur     *frame.Builder
	ms      int64 // when the text at hand was read; never goes back
	read    int64 // bytes read from pipe so far
	loud    bool  // user code has written since the last service line
	due     bool  // cur's first line is old enough
	timer   *time.Timer
	sending bool // a frame is on its way
	ending  bool // what is left goes out at once
	done    bool // Run has ended
}

// New returns the log of what is read from pipe, with secrets masked. Frames go
// to send, numbered from 0, one at a time; send may block, and its first error
// is the last call: everything after it is thrown away.
func New(pipe *os.File, secrets []string, send func(seq uint64, frame []byte) error) *Log {
	l := &Log{pipe: pipe, send: send, buf: make([]byte, chunk), cur: frame.NewBuilder()}
	l.changed = sync.NewCond(&l.mu)
	l.mask = redact.New(sink{l}, secrets)
	l.timer = time.AfterFunc(time.Hour, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.due = true
		l.changed.Broadcast()
	})
	l.timer.Stop()
	return l
}

// Run sends frames until Close has been called and all that came before it is
// sent, or send fails.
func (l *Log) Run() {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		l.done = true
		l.timer.Stop()
		l.changed.Broadcast()
	}()
	spare := frame.NewBuilder()
	for seq := uint64(0); ; seq++ {
		for !l.ready() {
			l.changed.Wait()
		}
		if l.cur.Events() == 0 {
			return // ending, and all is sent
		}
		full, last := l.cur, l.ending // what comes after Close is not waited for: it may come without end
		l.cur, l.due, l.sending = spare, false, true
		l.changed.Broadcast()
		l.mu.Unlock()
		err := l.send(seq, full.Frame())
		l.mu.Lock()
		l.sending = false
		l.changed.Broadcast()
		if err != nil || last {
			return
		}
		spare = full
	}
}

// ready reports whether Run has something to do. A timer may be of a frame that
// has gone already, so an empty frame is not due.
func (l *Log) ready() bool {
	return l.ending || l.cur.Bytes() >= frameBytes || l.due && l.cur.Events() > 0
}

// Flush sends all that was written before it and returns when that is there.
func (l *Log) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complete()
	for !l.done && (l.cur.Events() > 0 || l.sending) {
		l.due = true
		l.changed.Broadcast()
		l.changed.Wait()
	}
}

// Close completes the log and returns when Run has ended. What is written after
// it is thrown away.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complete()
	l.ending = true
	l.changed.Broadcast()
	for !l.done {
		l.changed.Wait()
	}
}

// Copy reads the pipe until its end or until it is closed.
func (l *Log) Copy() {
	conn, err := l.pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Read(func(fd uintptr) bool {
		for {
			if more, err := l.pump(int(fd)); err == unix.EAGAIN {
				return false // wait until there is more
			} else if !more {
				return true
			}
		}
	})
}

// Drain takes in what is in the pipe now. It waits for no writer, since
// background processes may keep the pipe open, and does not run after one that
// writes without end.
func (l *Log) Drain() {
	conn, err := l.pipe.SyscallConn()
	if err != nil {
		return
	}
	// Control, since Copy holds the right to Read.
	_ = conn.Control(func(fd uintptr) {
		l.mu.Lock()
		waiting, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
		until := l.read + int64(waiting)
		l.mu.Unlock()
		for err == nil {
			l.mu.Lock()
			enough := l.read >= until
			l.mu.Unlock()
			if enough {
				return
			}
			var more bool
			if more, err = l.pump(int(fd)); !more {
				return
			}
		}
	})
}

// pump reads one chunk of the pipe; more is false at its end. Reading and
// taking in happen under one lock: whoever reads, the order stays.
func (l *Log) pump(fd int) (more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.done && l.cur.Bytes() >= maxWaiting {
		l.changed.Wait()
	}
	var n int
	for {
		if n, err = unix.Read(fd, l.buf); err != unix.EINTR {
			break
		}
	}
	if n <= 0 {
		return false, err
	}
	l.read += int64(n)
	l.take(l.buf[:n])
	return true, nil
}

// Write takes in text that is user output but comes another way than the pipe.
// It never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		for !l.done && l.cur.Bytes() >= maxWaiting {
			l.changed.Wait()
		}
		n := min(len(rest), chunk)
		l.take(rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

func (l *Log) take(p []byte) {
	l.loud = true
	l.tick()
	_, _ = l.mask.Write(p) // sink never fails
}

func (l *Log) tick() { l.ms = max(l.ms, time.Now().UnixMilli()) }

// Service writes a line of the agent's own, or several, in CodeBuild's form.
// Output before it is completed by a line end and followed by an empty line.
func (l *Log) Service(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.done && l.cur.Bytes() >= maxWaiting {
		l.changed.Wait()
	}
	l.complete()
	l.tick()
	if l.loud {
		l.add([]byte("\n"))
		l.loud = false
	}
	now := time.Now().UTC().Format(event.LineTime)
	_, _ = l.mask.Write([]byte(event.LineStart + " " + now + " " + text + "\n"))
	l.complete()
}

// complete brings out what is held back, and ends an unfinished line.
func (l *Log) complete() {
	_ = l.mask.Flush()
	if len(l.line) > 0 {
		l.add(append(l.line, '\n'))
		l.line = l.line[:0]
	}
}

// sink is where masked text goes.
type sink struct{ l *Log }

// Write cuts text into lines. The Log is locked.
func (s sink) Write(p []byte) (int, error) {
	l := s.l
	for rest := p; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		whole := i >= 0
		if !whole {
			i = len(rest) - 1
		}
		part := rest[:i+1]
		rest = rest[i+1:]
		if whole && len(l.line) == 0 && len(part) <= maxLine {
			l.add(part)
			continue
		}
		l.line = append(l.line, part...)
		l.cut(whole)
	}
	return len(p), nil
}

// cut adds events from the unfinished line: all of it if its end has come, and
// otherwise what is too long to keep.
func (l *Log) cut(whole bool) {
	text := l.line
	for len(text) > maxLine {
		n := runeStart(text, maxLine)
		l.add(text[:n])
		text = text[n:]
	}
	if whole {
		l.add(text)
		text = nil
	}
	l.line = append(l.line[:0], text...)
}

// add adds one event to the current frame. What cannot be sent any more is
// thrown away.
func (l *Log) add(line []byte) {
	if l.done {
		return
	}
	if l.cur.Events() == 0 {
		l.timer.Reset(frameAge)
	}
	l.cur.Add(l.ms, clean(line)) // never too much: see maxWaiting
	if l.cur.Bytes() >= frameBytes {
		l.changed.Broadcast()
	}
}

// Hide has more secrets masked. When it returns, they are in nothing that is
// read from then on, nor in what was read and held back.
func (l *Log) Hide(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mask.Hide(secrets...)
}

// Mask returns text with secrets masked as they are in the log.
func (l *Log) Mask(text string) string {
	if text == "" {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mask.Mask(text)
}

// Mask returns text with secrets masked as they are in a log.
func Mask(text string, secrets []string) string {
	if text == "" {
		return "" // most phases say nothing, and looking for secrets takes preparation
	}
	var out strings.Builder
	w := redact.New(&out, secrets)
	_, _ = w.Write([]byte(text)) // a Builder never fails
	_ = w.Flush()
	return out.String()
}
