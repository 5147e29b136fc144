package logstream

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	if want := (Info{Created: 1_000_000, Events: 3, First: 100, Last: 200, Stored: 5_000, Bytes: info.Bytes, Raw: 6}); info != want {
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

// A frame damaged before the last costs its own events only.

// A stream whose creation did not reach the disk is no stream, and can be made again.

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

// What a stream's file holds may be anything: opening and reading it ends.

// A frame that contradicts its header, as a hostile agent may send one, takes

// nothing else with it.

// The index of a stream is bounded, whatever the number of frames.

// One writer and several readers per stream, with syncs in between: a reader

// sees every frame that Append returned for, and only whole ones.

// The store does what a slice of events would.

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
