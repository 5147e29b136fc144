package logstream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
)

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
