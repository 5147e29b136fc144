package logstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/logstream/frame"
)

var (
	scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}
	one   = StreamID{scope, "/aws/codebuild/web", "11111111-1111-4111-8111-111111111111"}
	epoch = time.UnixMilli(1_000_000)
)

// openAt opens dir with a clock that stands at ms.
func openAt(t testing.TB, dir string, ms *int64) *Store {
	t.Helper()
	s, err := open(dir, func() time.Time { return time.UnixMilli(*ms) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// frameOf makes a frame of lines that come a millisecond after each other.
func frameOf(ms int64, lines ...string) []byte {
	b := frame.NewBuilder()
	for i, l := range lines {
		b.Add(ms+int64(i), []byte(l))
	}
	return bytes.Clone(b.Frame())
}

// readAll returns a whole stream as "time message", and checks the numbers.
func readAll(t testing.TB, s *Store, id StreamID) []string {
	t.Helper()
	info, err := s.Stat(id)
	must(t, err)
	var all []string
	for n := int64(0); n < info.Events; {
		b, err := s.Block(id, n)
		must(t, err)
		for i, e := range b.From(n) {
			if i != int64(len(all)) {
				t.Fatalf("event %d has number %d", len(all), i)
			}
			all = append(all, fmt.Sprintf("%d %s", e.Time, e.Message))
		}
		n = b.End
	}
	return all
}

func TestStore(t *testing.T) {
	dir, now := t.TempDir(), int64(5_000)
	s := openAt(t, dir, &now)

	for name, err := range map[string]error{
		"Append": s.Append(one, 0, frameOf(1, "x")),
		"Sync":   s.Sync(one),
		"Next":   second(s.Next(one)),
		"Stat":   second(s.Stat(one)),
		"Block":  second(s.Block(one, 0)),
		"Find":   second(s.Find(one, 0)),
		"Group":  second(s.Group(scope, one.Group)),
	} {
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s of what is not there = %v, want NotFound", name, err)
		}
	}
	must(t, s.Delete(one))

	must(t, s.Create(one, epoch))
	must(t, s.Create(one, epoch.Add(time.Hour))) // changes nothing
	if got, _ := s.Stat(one); got != (Info{Created: 1_000_000, Bytes: got.Bytes}) {
		t.Errorf("Stat of an empty stream = %+v", got)
	}
	must(t, s.Append(one, 0, frameOf(100, "a\n", "b\n")))
	must(t, s.Append(one, 0, frameOf(100, "a\n", "b\n"))) // sent again
	must(t, s.Append(one, 1, frameOf(200, "c\n")))
	want := []string{"100 a\n", "101 b\n", "200 c\n"}
	if got := readAll(t, s, one); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if err := s.Append(one, 5, frameOf(300, "f\n")); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "frame 2 is expected, not 5") {
		t.Errorf("Append with a gap = %v", err)
	}
	if next, err := s.Next(one); next != 2 || err != nil {
		t.Errorf("Next = %d, %v", next, err)
	}
	must(t, s.Sync(one))
	info, _ := s.Stat(one)
	if want := (Info{Created: 1_000_000, Events: 3, First: 100, Last: 200, Stored: 5_000, Bytes: info.Bytes}); info != want {
		t.Errorf("Stat = %+v, want %+v", info, want)
	}

	t.Run("after a restart all is there, and goes on", func(t *testing.T) {
		s := openAt(t, dir, &now)
		if next, err := s.Next(one); next != 2 || err != nil {
			t.Errorf("Next = %d, %v", next, err)
		}
		must(t, s.Append(one, 2, frameOf(300, "d\n")))
		if got := readAll(t, s, one); !cmp.Equal(got, append(want, "300 d\n")) {
			t.Errorf("got %q", got)
		}
		must(t, s.Delete(one))
		if _, err := s.Stat(one); fault.KindOf(err) != fault.NotFound {
			t.Errorf("Stat after Delete = %v", err)
		}
		if groups, err := s.Groups(scope); len(groups) != 1 || groups[0] != (Group{one.Group, 1_000_000}) || err != nil {
			t.Errorf("Groups = %v, %v", groups, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	now := int64(5_000)
	s := openAt(t, t.TempDir(), &now)
	must(t, s.Create(one, epoch))
	good := frameOf(1, "line\n")
	for name, f := range map[string][]byte{
		"nothing":           nil,
		"half":              good[:len(good)-1],
		"more than a frame": append(bytes.Clone(good), 0),
		"a changed payload": append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1),
		"text":              []byte(strings.Repeat("hello ", 20)),
	} {
		if err := s.Append(one, 0, f); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Append of %s = %v, want Invalid", name, err)
		}
	}
	if got := readAll(t, s, one); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestFilesAreForThisUserOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	now := int64(5_000)
	s := openAt(t, dir, &now)
	must(t, s.Create(one, epoch))
	must(t, s.Append(one, 0, frameOf(1, "x")))
	must(t, s.Sync(one))
	seen := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		seen++
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	}))
	if seen != 6 { // four directories, the group's file, the stream's
		t.Errorf("saw %d files and directories", seen)
	}
}

// However little of the last write reached the disk, what came before is there,
// the rest is not, and the stream goes on.
func TestTornTails(t *testing.T) {
	dir, now := t.TempDir(), int64(5_000)
	s := openAt(t, dir, &now)
	must(t, s.Create(one, epoch))
	must(t, s.Append(one, 0, frameOf(100, "a\n", "b\n")))
	whole, err := os.ReadFile(filepath.Join(dir, one.path()))
	must(t, err)
	must(t, s.Append(one, 1, frameOf(200, "c\n", "d\n")))
	longer, err := os.ReadFile(filepath.Join(dir, one.path()))
	must(t, err)
	must(t, s.Close())

	check := func(name string, content []byte) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, one.path()), content, 0o600))
		s := openAt(t, dir, &now)
		defer s.Close()
		if got, want := readAll(t, s, one), []string{"100 a\n", "101 b\n"}; !cmp.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		if next, err := s.Next(one); next != 1 || err != nil {
			t.Errorf("%s: Next = %d, %v", name, next, err)
		}
		must(t, s.Append(one, 1, frameOf(300, "e\n")))
		if got, want := readAll(t, s, one), []string{"100 a\n", "101 b\n", "300 e\n"}; !cmp.Equal(got, want) {
			t.Errorf("%s: %q after Append", name, got)
		}
	}
	for size := len(whole); size < len(longer); size++ {
		check(fmt.Sprintf("cut at %d of %d", size, len(longer)), longer[:size])
		zeros := append(bytes.Clone(longer[:size]), make([]byte, len(longer)-size)...)
		check(fmt.Sprintf("zeros from %d of %d", size, len(longer)), zeros)
	}
}

// A frame damaged before the last costs its own events only.
func TestDamageInTheMiddle(t *testing.T) {
	dir, now := t.TempDir(), int64(5_000)
	s := openAt(t, dir, &now)
	must(t, s.Create(one, epoch))
	var ends []int64
	for i := range 3 {
		must(t, s.Append(one, uint64(i), frameOf(int64(100*i), "x\n", "y\n")))
		info, _ := s.Stat(one)
		ends = append(ends, info.Bytes)
	}
	s.Close()
	file := filepath.Join(dir, one.path())
	b, err := os.ReadFile(file)
	must(t, err)
	b[ends[1]-1] ^= 1 // in the second frame's payload
	must(t, os.WriteFile(file, b, 0o600))

	s = openAt(t, dir, &now)
	var got []string
	for n := int64(0); n < 6; {
		b, err := s.Block(one, n)
		must(t, err)
		for i, e := range b.From(n) {
			got = append(got, fmt.Sprintf("%d %s", i, e.Message))
		}
		n = b.End
	}
	if want := []string{"0 x\n", "1 y\n", "2 " + lost, "4 x\n", "5 y\n"}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if n, err := s.Find(one, 101); n != 4 || err != nil {
		t.Errorf("Find = %d, %v", n, err)
	}
	if next, err := s.Next(one); next != 3 || err != nil {
		t.Errorf("Next = %d, %v", next, err)
	}
}

// A stream whose creation did not reach the disk is no stream, and can be made again.
func TestTornCreation(t *testing.T) {
	dir, now := t.TempDir(), int64(5_000)
	s := openAt(t, dir, &now)
	must(t, s.Create(one, epoch))
	s.Close()
	file := filepath.Join(dir, one.path())
	must(t, os.Truncate(file, 0))
	s = openAt(t, dir, &now)
	if _, err := s.Stat(one); fault.KindOf(err) != fault.NotFound {
		t.Errorf("Stat = %v", err)
	}
	must(t, s.Create(one, epoch))
	must(t, s.Append(one, 0, frameOf(1, "x")))
	if got := readAll(t, s, one); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestTimes(t *testing.T) {
	for name, c := range map[string]struct {
		first, last, before, now int64
		want                     int64 // of the frame's first event
	}{
		"as it should be":                       {100, 110, 90, 200, 100},
		"at the time of the event before":       {100, 110, 100, 200, 100},
		"an agent's clock went back":            {80, 90, 100, 200, 100},
		"an agent's clock is ahead":             {1000, 1010, 90, 200, 190},
		"ahead, and hardly room before now":     {1000, 1010, 195, 200, 195},
		"the server's clock went back":          {100, 110, 500, 200, 500},
		"a span longer than the server's clock": {0, 1000, 0, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := settle(frame.Header{First: c.first, Last: c.last}, c.before, c.now)
			if h.First != c.want || h.Last-h.First != c.last-c.first || h.Stored != c.now {
				t.Errorf("settle = %d to %d, stored %d; want first %d", h.First, h.Last, h.Stored, c.want)
			}
		})
	}
	t.Run("the listed time of a closed stream is that of its last event", func(t *testing.T) {
		now := int64(5_000_000)
		s := openAt(t, t.TempDir(), &now)
		must(t, s.Create(one, epoch))
		for range 2 {
			must(t, s.Sync(one))
			if got, err := s.Streams(scope, one.Group, ""); len(got) != 1 || got[0].Last != 1_000_000 || err != nil {
				t.Errorf("of an empty stream: %v, %v", got, err)
			}
		}
		must(t, s.Append(one, 0, frameOf(3_000_000, "x", "y")))
		for _, step := range []string{"open", "closed"} {
			if got, err := s.Streams(scope, one.Group, ""); len(got) != 1 || got[0].Last != 3_000_001 || err != nil {
				t.Errorf("%s: %v, %v", step, got, err)
			}
			must(t, s.Sync(one))
		}
	})
}

// Names of all kinds name different streams, none of them outside its place.
func TestHostileNames(t *testing.T) {
	names := []string{".", "..", "../../x", "/", "//", "a/b", "a%2Fb", "%", "%25", "x\x00y", "x.log", "group", "group.new", ".hidden", "x\\y", "CON",
		"~", "x~y", "ü", "\xff\xfe", " ", "\n", strings.Repeat("x", 300), strings.Repeat("x", 301), strings.Repeat("/", 512), strings.Repeat("é", 400)}
	dir, now := t.TempDir(), int64(5_000)
	s := openAt(t, filepath.Join(dir, "logs"), &now)
	var ids []StreamID
	for _, n := range names {
		ids = append(ids, StreamID{scope, "g", n}, StreamID{scope, n, "s"}, StreamID{arn.Scope{Account: n, Region: n}, n, n})
	}
	ids = append(ids, StreamID{arn.Scope{}, "g", "no scope at all"})
	for i, id := range ids {
		must(t, s.Create(id, epoch))
		must(t, s.Append(id, 0, frameOf(1, fmt.Sprint(i))))
	}
	for i, id := range ids {
		if got, want := readAll(t, s, id), []string{"1 " + fmt.Sprint(i)}; !cmp.Equal(got, want) {
			t.Errorf("%q holds %q, want %q", id, got, want)
		}
	}
	for _, cached := range []bool{true, false} {
		if !cached {
			s.cache.clear()
		}
		streams, err := s.Streams(scope, "g", "")
		must(t, err)
		var got []string
		for _, l := range streams {
			got = append(got, l.Name)
		}
		if want := slices.Sorted(slices.Values(names)); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
	}
	groups, err := s.Groups(scope)
	must(t, err)
	var got []string
	for _, g := range groups {
		got = append(got, g.Name)
	}
	if want := slices.Sorted(slices.Values(append([]string{"g"}, names...))); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if outside, _ := os.ReadDir(dir); len(outside) != 1 {
		t.Errorf("outside the store there is %v", outside)
	}
	for _, id := range []StreamID{{scope, "", "x"}, {scope, "x", ""}, {scope, "x", strings.Repeat("x", maxName+1)}} {
		if err := s.Create(id, epoch); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Create(%.20q) = %v", id, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("a/b", "a%2Fb")
	f.Add("..", ".")
	f.Add(strings.Repeat("long", 100), strings.Repeat("long", 101))
	f.Fuzz(func(t *testing.T, a, b string) {
		e := escape(a)
		if len(e)+len(suffix)+len(".new") > 255 || strings.ContainsAny(e, "/\\\x00") || strings.HasPrefix(e, ".") || e == "" {
			t.Errorf("escape(%q) = %q", a, e)
		}
		if a != b && e == escape(b) {
			t.Errorf("%q and %q are both %q", a, b, e)
		}
		if name, ok := unescape(e); ok && name != a {
			t.Errorf("unescape(escape(%q)) = %q", a, name)
		}
		if name, ok := unescape(a); ok && escape(name) != a {
			t.Errorf("unescape(%q) = %q, which is not how it is escaped", a, name)
		}
	})
}

// What a stream's file holds may be anything: opening and reading it ends.
func FuzzFile(f *testing.F) {
	good := append(preamble(epoch, one.Name), frameOf(10, "a\n", "b\n")...)
	f.Add(good)
	f.Add(append(good, frameOf(20, "c\n")...))
	f.Add(good[:len(good)-3])
	f.Fuzz(func(t *testing.T, content []byte) {
		dir, now := t.TempDir(), int64(5_000)
		s := openAt(t, dir, &now)
		must(t, s.Create(one, epoch))
		s.cache.clear()
		must(t, os.WriteFile(filepath.Join(dir, one.path()), content, 0o600))
		info, err := s.Stat(one)
		if err != nil {
			if fault.KindOf(err) != fault.NotFound {
				t.Errorf("Stat = %v", err)
			}
			return
		}
		last := int64(0)
		for n := int64(0); n < info.Events; {
			b, err := s.Block(one, n)
			if err != nil || b.Start != n {
				t.Fatalf("Block(%d) = %+v, %v", n, b, err)
			}
			for _, e := range b.From(n) {
				if e.Time < last {
					t.Error("time runs backwards")
				}
				last = e.Time
			}
			n = b.End
		}
		next, err := s.Next(one)
		must(t, err)
		must(t, s.Append(one, next, frameOf(10, "new")))
		s.cache.clear()
		if after, err := s.Next(one); after != next+1 || err != nil {
			t.Errorf("Next = %d, %v, want %d", after, err, next+1)
		}
	})
}

// A frame that contradicts its header, as a hostile agent may send one, takes
// nothing else with it.
func TestFramesThatCannotBeRead(t *testing.T) {
	now := int64(5_000)
	s := openAt(t, t.TempDir(), &now)
	must(t, s.Create(one, epoch))
	must(t, s.Append(one, 0, frameOf(10, "a\n")))
	bad := frameOf(20, "b\n", "c\n")
	binary.LittleEndian.PutUint32(bad[4:], 1) // one event, it says
	binary.LittleEndian.PutUint32(bad[48:], crc32.Checksum(bad[:48], castagnoli))
	must(t, s.Append(one, 1, bad))
	must(t, s.Append(one, 2, frameOf(30, "d\n")))
	want := []string{"10 a\n", "20 " + lost, "30 d\n"}
	if got := readAll(t, s, one); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// The index of a stream is bounded, whatever the number of frames.
func TestManyFrames(t *testing.T) {
	const frames = 5 * maxMarks
	dir, now := t.TempDir(), int64(1_000_000)
	s := openAt(t, dir, &now)
	must(t, s.Create(one, epoch))
	for i := range frames {
		must(t, s.Append(one, uint64(i), frameOf(int64(10*i), fmt.Sprint(i, " first\n"), fmt.Sprint(i, " second\n"))))
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
				if want := fmt.Sprint(i, " second\n"); n != int64(2*i+1) || string(e.Message) != want {
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

// One writer and several readers per stream, with syncs in between: a reader
// sees every frame that Append returned for, and only whole ones.
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

// The store does what a slice of events would.
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

func TestErrorsOfTheDiskAreNotShown(t *testing.T) {
	now := int64(5_000)
	s := openAt(t, t.TempDir(), &now)
	must(t, s.Create(one, epoch))
	s.Close()
	err := s.Append(one, 0, frameOf(1, "x"))
	if fault.KindOf(err) != fault.Internal || fault.Message(err) != "" || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Append = %v", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	builder := frame.NewBuilder()
	for i := 0; builder.Bytes() < 256<<10; i++ {
		builder.Add(1, fmt.Appendf(nil, "[INFO] %06d compiling src/main/java/com/example/service/Module%d.java (%d warnings)\n", i, i*7919%977, i%5))
	}
	raw := builder.Bytes()
	f := builder.Frame()
	now := int64(1_000_000)
	s := openAt(b, b.TempDir(), &now)
	must(b, s.Create(one, epoch))
	b.SetBytes(int64(raw))
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		must(b, s.Append(one, i, f))
	}
}

func BenchmarkRead(b *testing.B) {
	now := int64(1_000_000)
	s := openAt(b, b.TempDir(), &now)
	must(b, s.Create(one, epoch))
	raw := 0
	for i := range 800 { // 200 MB
		builder := frame.NewBuilder()
		for j := 0; builder.Bytes() < 256<<10; j++ {
			builder.Add(int64(i), fmt.Appendf(nil, "[INFO] %06d compiling src/main/java/com/example/service/Module%d.java (%d warnings)\n", j, j*7919%977, i%5))
		}
		raw = builder.Bytes()
		must(b, s.Append(one, uint64(i), builder.Frame()))
	}
	info, _ := s.Stat(one)
	b.Run("a block", func(b *testing.B) {
		b.SetBytes(int64(raw))
		b.ReportAllocs()
		for i := int64(0); b.Loop(); i++ {
			must(b, second(s.Block(one, i*7919*1000%info.Events)))
		}
	})
	b.Run("opening", func(b *testing.B) {
		for b.Loop() {
			s.cache.clear()
			must(b, second(s.Stat(one)))
		}
	})
}
