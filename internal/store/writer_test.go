package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"slipway/internal/fault"
)

// openPlain returns a database with a table to write to.
func openPlain(t testing.TB) *DB {
	db := open(t, t.TempDir())
	must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `CREATE TABLE plain (n INTEGER PRIMARY KEY)`)
		return err
	}))
	return db
}

func insert(n int) func(context.Context, *statements) error {
	return func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `INSERT INTO plain (n) VALUES ($1)`, n)
		return err
	}
}

func stored(t testing.TB, db *DB) []int {
	t.Helper()
	all, err := many(t.Context(), db.read, scanInto[int], `SELECT n FROM plain ORDER BY n`)
	must(t, err)
	return all
}

// hold keeps the writer busy, so that what comes next waits and then shares one
// group, until release is called.
func hold(t testing.TB, db *DB) (release func() error) {
	begun, end := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- db.write.do(context.WithoutCancel(t.Context()), func(context.Context, *statements) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() error { close(end); return <-ended }
}

// enqueue hands change to the writer and returns once it waits there.
func enqueue(ctx context.Context, db *DB, change func(context.Context, *statements) error) (result <-chan error) {
	before := waiting(db)
	c := make(chan error, 1)
	go func() { c <- db.write.do(ctx, change) }()
	for waiting(db) == before {
		// It gets there as soon as its goroutine has run.
		db.write.signal()
	}
	return c
}

func waiting(db *DB) int {
	db.write.mu.Lock()
	defer db.write.mu.Unlock()
	return len(db.write.waiting)
}

var errNo = errors.New("no")

func TestOneFailureAmongManyTouchesNothingElse(t *testing.T) {
	db := openPlain(t)
	must(t, db.write.do(t.Context(), insert(5)))
	release := hold(t, db)
	changes := map[string]func(context.Context, *statements) error{
		"1 is stored": insert(1),
		"2 fails after writing": func(ctx context.Context, q *statements) error {
			return errors.Join(insert(2)(ctx, q), errNo)
		},
		"3 panics after writing": func(ctx context.Context, q *statements) error {
			must(t, insert(3)(ctx, q))
			panic("at the disco")
		},
		"4 is stored":           insert(4),
		"5 breaks a constraint": insert(5),
		"6 writes and then is bad": func(ctx context.Context, q *statements) error {
			must(t, insert(6)(ctx, q))
			return insert(5)(ctx, q)
		},
		"7 is stored": insert(7),
	}
	results := map[string]<-chan error{}
	for name, change := range changes {
		results[name] = enqueue(t.Context(), db, change)
	}
	must(t, release())
	for name, result := range results {
		err := <-result
		if good := strings.HasSuffix(name, "is stored"); good != (err == nil) {
			t.Errorf("%s: error = %v", name, err)
		}
		if strings.Contains(name, "fails") && !errors.Is(err, errNo) {
			t.Errorf("%s: error = %v, want the change's own", name, err)
		}
		if strings.Contains(name, "panics") && (fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "at the disco")) {
			t.Errorf("%s: error = %v, want an internal one that tells the panic", name, err)
		}
	}
	if got, want := stored(t, db), []int{1, 4, 5, 7}; !slices.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
}

// Whatever each of many concurrent transactions does, exactly those that were
// told of success are stored.
func TestGroupsKeepExactlyWhatTheyAcknowledge(t *testing.T) {
	db := openPlain(t)
	base := 0
	rapid.Check(t, func(r *rapid.T) {
		ways := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 40).Draw(r, "ways")
		base += 1000
		errs := make([]error, len(ways))
		var group sync.WaitGroup
		for i, way := range ways {
			group.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if way == 4 {
					go cancel()
				}
				errs[i] = db.write.do(ctx, func(ctx context.Context, q *statements) error {
					err := insert(base+i)(ctx, q)
					switch way {
					case 1:
						return errNo
					case 2:
						panic(errNo)
					case 3:
						return insert(base+i)(ctx, q) // a second time
					}
					return err
				})
			})
		}
		group.Wait()
		var want []int
		for i, err := range errs {
			if err == nil {
				want = append(want, base+i)
			}
			if ways[i] == 0 && err != nil || ways[i] > 0 && ways[i] < 4 && err == nil {
				r.Errorf("way %d: error = %v", ways[i], err)
			}
		}
		got, err := many(t.Context(), db.read, scanInto[int], `SELECT n FROM plain WHERE n >= $1 ORDER BY n`, base)
		if err != nil || !slices.Equal(got, want) {
			r.Errorf("stored %v, %v; acknowledged %v", got, err, want)
		}
	})
}

func TestAFailedCommitFailsTheWholeGroup(t *testing.T) {
	db := openPlain(t)
	db.write.most = time.Hour // all of them are one group, however long this takes
	release := hold(t, db)
	first := enqueue(t.Context(), db, insert(1))
	breaker := enqueue(t.Context(), db, func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `ROLLBACK`) // as SQLite does by itself when the disk is full
		return err
	})
	last := enqueue(t.Context(), db, insert(2))
	holder := make(chan error, 1)
	holder <- release()
	for _, result := range []<-chan error{holder, first, breaker, last} {
		if err := <-result; err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("error = %v, want an internal one", err)
		}
	}
	must(t, db.write.do(t.Context(), insert(3)))
	if got := stored(t, db); !slices.Equal(got, []int{3}) {
		t.Errorf("stored %v, want only what came after", got)
	}
}

func TestAWaiterMayGiveUp(t *testing.T) {
	db := openPlain(t)
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	result := enqueue(ctx, db, insert(1))
	kept := enqueue(t.Context(), db, insert(2))
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want that the context was cancelled", err)
	}
	must(t, release())
	must(t, <-kept)
	if err := db.write.do(ctx, insert(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("error of a write that began cancelled = %v", err)
	}
	if got := stored(t, db); !slices.Equal(got, []int{2}) {
		t.Errorf("stored %v, want 2 only", got)
	}
}

func TestAfterItsTurnTheOutcomeIsTheCommits(t *testing.T) {
	db := openPlain(t)
	ctx, cancel := context.WithCancel(t.Context())
	must(t, db.write.do(ctx, func(inner context.Context, q *statements) error {
		cancel()
		return insert(1)(inner, q)
	}))
	if got := stored(t, db); !slices.Equal(got, []int{1}) {
		t.Errorf("stored %v, want 1", got)
	}
}

func TestCloseDrains(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	release := hold(t, db)
	var results []<-chan error
	for i := range 20 {
		results = append(results, enqueue(t.Context(), db, func(ctx context.Context, q *statements) error {
			return addNothing(ctx, q, i)
		}))
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	for !isClosed(db) {
		db.write.signal()
	}
	refused := db.write.do(t.Context(), insert(1))
	wantFault(t, refused, fault.Unavailable, "The server is stopping. Try again in a moment.")
	must(t, release())
	for _, result := range results {
		must(t, <-result)
	}
	must(t, <-closed)
	last, err := one(t.Context(), open(t, dir).read, scanInto[int], `SELECT count(*) FROM build_number`)
	if err != nil || last != 20 {
		t.Errorf("after Close %d of 20 are stored, %v", last, err)
	}
}

func isClosed(db *DB) bool {
	db.write.mu.Lock()
	defer db.write.mu.Unlock()
	return db.write.closed
}

func addNothing(ctx context.Context, q *statements, n int) error {
	_, err := q.exec(ctx, `INSERT INTO build_number (account, region, project, last) VALUES ('', '', $1, 0)`, fmt.Sprint(n))
	return err
}
