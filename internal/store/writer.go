package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"slipway/internal/fault"
)

const (
	// A group is closed after so many transactions or so much time, so that
	// the first in it does not wait for ever for the last.
	groupSize = 512
	groupTime = 5 * time.Millisecond
)

// A writer runs transactions one after the other on one connection and gathers
// those that wait into one commit: they share its fsync. Each is a savepoint, so
// that one that fails takes nothing else with it.
type writer struct {
	conn  *sql.Conn
	stmts *statements
	wake  chan struct{} // holds one: something waits, or the writer is closed
	ended chan struct{} // closed when run has returned
	most  time.Duration // groupTime; a test has more

	mu      sync.Mutex // guards what follows
	waiting []*transaction
	closed  bool
}

// A transaction is one caller's changes.
type transaction struct {
	change func(context.Context, *statements) error
	taken  atomic.Bool   // by the writer, or by its caller who gave up
	done   chan struct{} // closed when err is set
	err    error
}

// newWriter starts a writer on conn, which from now on is its own. Its
// statements are bounded by nobody's context: what one caller gives up, others
// in the same group still want.
func newWriter(ctx context.Context, conn *sql.Conn) *writer {
	w := &writer{
		conn: conn, stmts: newStatements(conn.PrepareContext),
		wake: make(chan struct{}, 1), ended: make(chan struct{}), most: groupTime,
	}
	go w.run(context.WithoutCancel(ctx))
	return w
}

// do runs change in a transaction of its own and returns once it is durable. If
// change fails or panics, nothing of it is kept. If ctx ends before the
// transaction's turn, it is not run; after that its outcome is what is returned,
// whatever ctx says.
func (w *writer) do(ctx context.Context, change func(context.Context, *statements) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &transaction{change: change, done: make(chan struct{})}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return fault.New(fault.Unavailable, "The server is stopping. Try again in a moment.")
	}
	w.waiting = append(w.waiting, t)
	w.mu.Unlock()
	w.signal()
	select {
	case <-t.done:
	case <-ctx.Done():
		if t.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-t.done
	}
	return t.err
}

// close lets what waits run, then frees the connection. Closing again does nothing.
func (w *writer) close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.ended
	if again {
		return nil
	}
	return errors.Join(w.stmts.close(), w.conn.Close())
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	for {
		w.group(ctx)
		w.mu.Lock()
		idle, closed := len(w.waiting) == 0, w.closed
		w.mu.Unlock()
		switch {
		case !idle:
		case closed:
			return
		default:
			<-w.wake
		}
	}
}

// next takes the transaction that has waited longest, or returns nil.
func (w *writer) next() *transaction {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > 0 {
		t := w.waiting[0]
		w.waiting[0] = nil
		w.waiting = w.waiting[1:]
		if t.taken.CompareAndSwap(false, true) {
			return t
		}
	}
	w.waiting = nil // let go of the array behind it
	return nil
}

// nextReady is next, but lets callers that are about to write come first: they
// then share the fsync, which costs more than all of them. If none is, that
// takes no time.
func (w *writer) nextReady() *transaction {
	if t := w.next(); t != nil {
		return t
	}
	runtime.Gosched()
	return w.next()
}

// group runs what waits, and what comes meanwhile, and commits it at once.
func (w *writer) group(ctx context.Context) {
	t := w.next()
	if t == nil {
		return
	}
	var group []*transaction
	_, broken := w.stmts.exec(ctx, begin)
	for start := time.Now(); t != nil; t = w.nextReady() {
		group = append(group, t)
		if broken == nil {
			t.err, broken = w.savepoint(ctx, t)
		}
		if len(group) == groupSize || time.Since(start) > w.most {
			break
		}
	}
	if broken == nil {
		_, broken = w.stmts.exec(ctx, `COMMIT`)
	}
	if broken != nil {
		// SQLite may have rolled back by itself, so this may well fail.
		_, _ = w.stmts.exec(ctx, `ROLLBACK`)
	}
	for _, t := range group {
		if broken != nil {
			t.err = fmt.Errorf("commit: %w", broken)
		}
		close(t.done)
	}
}

// savepoint runs t and undoes it if it fails with err. broken means that the
// whole group is lost: after some failures, a full disk for one, SQLite has
// undone everything and there is no savepoint to return to.
func (w *writer) savepoint(ctx context.Context, t *transaction) (err, broken error) {
	if _, broken := w.stmts.exec(ctx, `SAVEPOINT one`); broken != nil {
		return nil, broken
	}
	err = protect(ctx, w.stmts, t.change)
	if err != nil {
		if _, broken := w.stmts.exec(ctx, `ROLLBACK TO one`); broken != nil {
			return nil, errors.Join(err, broken)
		}
	}
	_, broken = w.stmts.exec(ctx, `RELEASE one`)
	return err, broken
}

// protect makes a panic of change an error: other callers' transactions, and
// the writer, must not end with it.
func protect(ctx context.Context, s *statements, change func(context.Context, *statements) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	return change(ctx, s)
}
