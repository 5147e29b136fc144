package logstream

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/logstream/frame"
)

func TestManyFrames(t *testing.T) {
	const frames = 5 * maxMarks
	dir, now := t.TempDir(), int64(1_000_000)
	s := openAt(t, dir, &now)
	must(t, s.Create(one, epoch))
	b := frame.NewBuilder()
	for i := range frames {
		b.Add(int64(10*i), fmt.Appendln(nil, i, "first"))
		b.Add(int64(10*i+1), fmt.Appendln(nil, i, "second"))
		must(t, s.Append(one, uint64(i), b.Frame()))
	}
	for _, reopened := range []bool{false, true} {
		if reopened {
			s.cache.clear()
		}
		st, err := s.cache.acquire(one)
		must(t, err)
		v := st.snapshot()
		s.cache.release(st)
		if len(v.marks) > maxMarks || v.frames != frames || v.events != 2*frames {
			t.Fatalf("%d marks, %d frames, %d events", len(v.marks), v.frames, v.events)
		}
		for i := 0; i < frames; i += 7 {
			b, err := s.Block(one, int64(2*i+1))
			must(t, err)
			for n, e := range b.From(int64(2*i + 1)) {
				if want := fmt.Sprintln(i, "second"); n != int64(2*i+1) || string(e.Message) != want {
					t.Fatalf("event %d is %q, want %q", n, e.Message, want)
				}
			}
			for ms, want := range map[int64]int64{10 * int64(i): int64(2 * i), 10*int64(i) + 1: int64(2*i + 1), 10*int64(i) + 2: int64(2*i + 2)} {
				if n, err := s.Find(one, ms); n != want || err != nil {
					t.Fatalf("Find(%d) = %d, %v, want %d", ms, n, err, want)
				}
			}
		}
	}
}

func TestMoreStreamsThanAreKeptOpen(t *testing.T) {
	now := int64(5_000)
	s := openAt(t, t.TempDir(), &now)
	id := func(i int) StreamID { return StreamID{scope, "g", fmt.Sprintf("%04d", i)} }
	const streams = maxOpen + 50
	for round := range 3 {
		for i := range streams {
			must(t, s.Create(id(i), epoch))
			must(t, s.Append(id(i), uint64(round), frameOf(int64(round), fmt.Sprintf("%d/%d", i, round))))
		}
	}
	for i := range streams {
		if got := readAll(t, s, id(i)); len(got) != 3 || got[2] != fmt.Sprintf("2 %d/2", i) {
			t.Fatalf("%d: %q", i, got)
		}
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if n := len(s.cache.streams); n > maxOpen || n != s.cache.recent.Len() {
		t.Errorf("%d streams are open", n)
	}
}

func TestConcurrency(t *testing.T) {
	now := int64(1_000_000)
	s := openAt(t, t.TempDir(), &now)
	var all sync.WaitGroup
	for w := range 4 {
		id := StreamID{scope, "g", fmt.Sprint(w)}
		must(t, s.Create(id, epoch))
		var done sync.Map // frames appended
		done.Store(0, 0)
		var last = make(chan struct{})
		all.Go(func() {
			defer close(last)
			for i := range 200 {
				if err := s.Append(id, uint64(i), frameOf(int64(i), fmt.Sprint(i, "a\n"), fmt.Sprint(i, "b\n"))); err != nil {
					t.Error(err)
					return
				}
				done.Store(0, i+1)
			}
		})
		all.Go(func() {
			for range 50 {
				if err := s.Sync(id); err != nil {
					t.Error(err)
				}
			}
		})
		for range 2 {
			all.Go(func() {
				for n := int64(0); n < 400; {
					appended, _ := done.Load(0)
					b, err := s.Block(id, n)
					if err != nil {
						t.Error(err)
						return
					}
					if int64(2*appended.(int)) > n && b.End == b.Start {
						t.Errorf("%d frames are appended, event %d is not there", appended, n)
						return
					}
					for i, e := range b.From(n) {
						if want := fmt.Sprint(i/2, string("ab"[i%2]), "\n"); string(e.Message) != want {
							t.Errorf("event %d is %q, want %q", i, e.Message, want)
						}
					}
					n = b.End
					select {
					case <-last:
						if appended, _ := done.Load(0); appended.(int) < 200 {
							return // the writer gave up
						}
					default:
					}
				}
			})
		}
	}
	all.Wait()
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "logstream")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		now := int64(1_000_000)
		s, err := open(dir, func() time.Time { return time.UnixMilli(now) })
		if err != nil {
			t.Fatal(err)
		}
		defer func() { s.Close() }()
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		check(s.Create(one, epoch))
		var model []frame.Event
		frames, last := uint64(0), int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				b := frame.NewBuilder()
				at := rapid.Int64Range(0, 2_000_000).Draw(t, "at")
				for range rapid.IntRange(1, 20).Draw(t, "lines") {
					at += rapid.Int64Range(0, 50).Draw(t, "later")
					b.Add(at, []byte(rapid.StringN(1, 200, -1).Draw(t, "line")))
				}
				f := b.Frame()
				events, err := frame.Decode(f)
				check(err)
				h, _ := frame.ParseHeader(f)
				shift := max(min(h.First, now-(h.Last-h.First)), last) - h.First
				for e := range events {
					e.Time += shift
					model = append(model, e)
				}
				last = model[len(model)-1].Time
				if rapid.Bool().Draw(t, "repeated") && frames > 0 {
					check(s.Append(one, frames-1, f))
				}
				check(s.Append(one, frames, f))
				frames++
			},
			"time passes": func(t *rapid.T) { now += rapid.Int64Range(-1000, 100_000).Draw(t, "ms") },
			"sync":        func(*rapid.T) { check(s.Sync(one)) },
			"restart": func(*rapid.T) {
				s.Close()
				s, err = open(dir, func() time.Time { return time.UnixMilli(now) })
				check(err)
			},
			"find": func(t *rapid.T) {
				ms := rapid.Int64Range(0, 2_100_000).Draw(t, "ms")
				if len(model) > 0 && rapid.Bool().Draw(t, "close") {
					ms = model[rapid.IntRange(0, len(model)-1).Draw(t, "event")].Time + rapid.Int64Range(-1, 1).Draw(t, "off")
				}
				want := slices.IndexFunc(model, func(e frame.Event) bool { return e.Time >= ms })
				if want < 0 {
					want = len(model)
				}
				if got, err := s.Find(one, ms); got != int64(want) || err != nil {
					t.Fatalf("Find(%d) = %d, %v, want %d", ms, got, err, want)
				}
			},
			"": func(t *rapid.T) {
				n := rapid.Int64Range(-1, int64(len(model))+1).Draw(t, "n")
				b, err := s.Block(one, n)
				check(err)
				if n < 0 || n >= int64(len(model)) {
					if b.Start != int64(len(model)) || b.End != b.Start {
						t.Fatalf("Block(%d) of %d events = %+v", n, len(model), b)
					}
					return
				}
				if n < b.Start || n >= b.End {
					t.Fatalf("Block(%d) = %d to %d", n, b.Start, b.End)
				}
				var got []frame.Event
				for _, e := range b.From(n) {
					got = append(got, e)
				}
				if want := model[n:b.End]; !cmp.Equal(got, want) {
					t.Fatal(cmp.Diff(want, got))
				}
			},
		})
	})
}
