package logstream

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/arn"
	"slipway/internal/fault"
)

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
