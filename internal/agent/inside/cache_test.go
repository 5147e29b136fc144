package inside

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// A box is a machine with a source and a home directory.
type box struct{ dir, source, home string }

func newBox(t testing.TB) box {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := box{dir: dir, source: filepath.Join(dir, "codebuild/output/src123/src"), home: filepath.Join(dir, "root")}
	for _, d := range []string{b.source, b.home} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b box) request(paths ...string) CacheRequest {
	return CacheRequest{Paths: paths, Source: b.source, Roots: []Root{{"src", b.source}, {"home", b.home}}}
}

// put makes files: those with a name that ends in a slash are directories, a
// text that begins with -> is where a link leads.
func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			if target, ok := strings.CutPrefix(text, "-> "); ok {
				err = os.Symlink(target, path)
			} else if strings.HasSuffix(name, "/") {
				err = os.MkdirAll(path, 0o755)
			} else {
				err = os.WriteFile(path, []byte(text), 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tree is what put would make of a directory.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch d.Type() {
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			out[name] = "-> " + target
			return err
		case fs.ModeDir:
			if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
				out[name+"/"] = ""
			}
			return nil
		}
		text, err := os.ReadFile(path)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A kept is an archive in memory.
type kept struct {
	bytes.Buffer
	opened bool
}

func (*kept) Close() error { return nil }

func packs(t testing.TB, in CacheRequest) (*kept, *CacheAnswer) {
	t.Helper()
	k := &kept{}
	a, err := pack(in, func() (io.WriteCloser, error) { k.opened = true; return k, nil })
	if err != nil {
		t.Fatal(err)
	}
	return k, a
}

func TestACacheComesBackAsItWas(t *testing.T) {
	from := newBox(t)
	long := strings.Repeat("a long file ", 200_000)
	put(t, from.source, map[string]string{
		"node_modules/a/index.js": "a", "node_modules/.bin/a": "-> ../a/index.js", "node_modules/empty/": "", "node_modules/big": long,
		"packages/x/node_modules/y/z": "z", "packages/x/src/z": "not kept", "out/one.lock": "1", "out/two.txt": "not kept",
		"[odd] name/{file}": "odd", "dangling": "-> /nowhere",
	})
	put(t, from.home, map[string]string{".m2/repository/a.jar": "jar", ".m2/settings.xml": "s", ".other": "not kept"})
	put(t, from.dir, map[string]string{"opt/tool/bin": "tool"})
	old := time.Date(2021, 3, 4, 5, 6, 7, 123456789, time.UTC)
	for _, name := range []string{"node_modules/a/index.js", "node_modules/a", "node_modules/empty"} {
		if err := os.Chtimes(filepath.Join(from.source, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(
		os.Chmod(filepath.Join(from.source, "node_modules/a/index.js"), 0o751),
		os.Chmod(filepath.Join(from.source, "node_modules/empty"), 0o555),
		os.Link(filepath.Join(from.source, "node_modules/big"), filepath.Join(from.source, "node_modules/big2")),
	); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", from.home)
	paths := []string{"node_modules/**/*", "packages/*/node_modules", "out/*.lock", "./[[]odd] name/**/*", "dangling", "~/.m2/**/*", from.dir + "/opt/tool/**/*", "missing/**/*", "node_modules/a/**/*"}
	archive, a := packs(t, from.request(paths...))
	if want := []int{4, 1, 1, 1, 1, 2, 1, 0, 0}; !slices.Equal(a.Matched, want) || !slices.Equal(a.Bare, []int{1}) || a.Skipped != 0 || a.Files != 11 {
		t.Errorf("packing: %+v, want %v files", a, want)
	}
	if archive.Len() > len(long)/10 {
		t.Errorf("the archive has %d bytes", archive.Len())
	}

	to := newBox(t) // whose directories are elsewhere
	t.Setenv("HOME", to.home)
	put(t, to.source, map[string]string{"node_modules/a/index.js": "of the source", "node_modules/.bin/a": "-> /etc/passwd", "README": "stays"})
	paths[6] = from.dir + "/opt/tool/**/*" // absolute paths stay where they are
	if err := os.RemoveAll(from.dir + "/opt"); err != nil {
		t.Fatal(err)
	}
	back, err := unpack(to.request(paths...), NewReceiver(archive))
	if err != nil {
		t.Fatal(err)
	}
	if back.Files != a.Files || back.Bytes != a.Bytes || back.Skipped != 0 {
		t.Errorf("restoring: %+v, packing: %+v", back, a)
	}
	want := map[string]string{
		"README": "stays", "node_modules/a/index.js": "a", "node_modules/.bin/a": "-> ../a/index.js", "node_modules/empty/": "", "node_modules/big": long, "node_modules/big2": long,
		"packages/x/node_modules/y/z": "z", "out/one.lock": "1", "[odd] name/{file}": "odd", "dangling": "-> /nowhere",
	}
	if diff := cmp.Diff(want, tree(t, to.source)); diff != "" {
		t.Errorf("the source (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{".m2/repository/a.jar": "jar", ".m2/settings.xml": "s"}, tree(t, to.home)); diff != "" {
		t.Errorf("the home directory (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"tool/bin": "tool"}, tree(t, from.dir+"/opt")); diff != "" {
		t.Errorf("the absolute path (-want +got):\n%s", diff)
	}
	stat := func(name string) fs.FileInfo {
		info, err := os.Lstat(filepath.Join(to.source, name))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	for name, mode := range map[string]fs.FileMode{"node_modules/a/index.js": 0o751, "node_modules/empty": 0o555 | fs.ModeDir} {
		if info := stat(name); info.Mode() != mode || !info.ModTime().Equal(old) {
			t.Errorf("%s is %v of %v", name, info.Mode(), info.ModTime())
		}
	}
	if !os.SameFile(stat("node_modules/big"), stat("node_modules/big2")) {
		t.Error("the links to one file became two files")
	}
}

func TestACacheOfNothing(t *testing.T) {
	b := newBox(t)
	put(t, b.source, map[string]string{"file": "x", "empty/": ""})
	k, a := packs(t, b.request("nothing/**/*", "neither"))
	if k.opened || a.Files != 0 {
		t.Errorf("%+v is sent", a)
	}
	in := b.request("file", "empty")
	in.Directories = true
	k, a = packs(t, in)
	if k.opened || a.Files != 0 || len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "a local cache keeps directories only") {
		t.Errorf("%+v is sent", a)
	}
}

func TestASendThatFails(t *testing.T) {
	b := newBox(t)
	files := map[string]string{}
	for i := range 500 {
		files[fmt.Sprint("d/", i)] = strings.Repeat(fmt.Sprint(i), 10_000)
	}
	put(t, b.source, files)
	_, err := pack(b.request("d"), func() (io.WriteCloser, error) { return brokenPipe{}, nil })
	if !errors.Is(err, unix.EPIPE) {
		t.Errorf("pack: %v", err)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, unix.EPIPE }
func (brokenPipe) Close() error              { return nil }

// An evil entry is one that a stranger packed; files hold "evil".
type evil = tar.Header

// packedBy makes a cache as a stranger would.
func packedBy(t testing.TB, headers ...evil) io.Reader {
	t.Helper()
	var b bytes.Buffer
	s := NewSender(&b)
	z, err := zstd.NewWriter(s)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, h := range headers {
		text := ""
		if h.Typeflag == tar.TypeReg {
			text = "evil"
		}
		h.Size = int64(len(text))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return NewReceiver(&b)
}

func file(name string) evil { return evil{Typeflag: tar.TypeReg, Name: name, Mode: 0o4755} }

func link(name, target string) evil {
	return evil{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
}

func hard(name, target string) evil {
	return evil{Typeflag: tar.TypeLink, Name: name, Linkname: target}
}

func TestHostileCaches(t *testing.T) {
	for _, c := range []struct {
		name    string
		paths   []string
		there   map[string]string // below the box, beforehand
		entries []evil
		want    map[string]string // what there is more of below the box
		skipped int
		note    string
	}{
		{name: "paths out of the root", paths: []string{"m/**/*"}, entries: []evil{
			file("src/m/../../x"), file("../x"), file("/etc/x"), file("src/../x"), file("src//m/x"), file("src/m/./x"), file("src"), file(""), file("other/m/x"),
		}, skipped: 9, note: `is not within allowed cache paths`},
		{name: "paths that are not declared", paths: []string{"m/**/*", "~/.c/*"}, entries: []evil{
			file("src/mm/x"), file("src/x"), file("home/.bashrc"), file("home/.c/d/e"), file("abs/etc/cron.d/x"), file("src/m/good"), file("home/.c/good"),
		}, want: map[string]string{"codebuild/output/src123/src/m/good": "evil", "root/.c/good": "evil"}, skipped: 5},
		{name: "a link and a file through it", paths: []string{"m/**/*"}, entries: []evil{
			link("src/m/l", "../../../../../outside"), file("src/m/l/x"), link("src/m/abs", "/"), file("src/m/abs/tmp/x"), link("src/m/in", "."), file("src/m/in/x"),
		}, want: map[string]string{"codebuild/output/src123/src/m/l": "-> ../../../../../outside", "codebuild/output/src123/src/m/abs": "-> /", "codebuild/output/src123/src/m/in": "-> ."}, skipped: 3},
		{name: "a link to what is not declared, in the same root", paths: []string{"**/m/**/*"}, there: map[string]string{"codebuild/output/src123/src/.git/hooks/": ""}, entries: []evil{
			link("src/m/l", "../.git/hooks"), file("src/m/l/pre-commit"),
		}, want: map[string]string{"codebuild/output/src123/src/m/l": "-> ../.git/hooks"}, skipped: 1},
		{name: "a link in the place of another declared directory", paths: []string{"m/**/*", "m/deep/er/**/*"}, entries: []evil{
			link("src/m/deep", "../../../../../outside"), file("src/m/deep/er/x"),
		}, want: map[string]string{"codebuild/output/src123/src/m/deep": "-> ../../../../../outside"}, skipped: 1},
		{name: "a file over a link that is there", paths: []string{"m/**/*"}, there: map[string]string{"codebuild/output/src123/src/m/f": "-> ../../../../../outside/kept"}, entries: []evil{
			file("src/m/f"),
		}, want: map[string]string{"codebuild/output/src123/src/m/f": "evil"}},
		{name: "a directory that is a link", paths: []string{"m/**/*"}, there: map[string]string{"codebuild/output/src123/src/m/d": "-> ../../../../../outside"}, entries: []evil{
			{Typeflag: tar.TypeDir, Name: "src/m/d/", Mode: 0o700}, file("src/m/d/x"),
		}, skipped: 2},
		{name: "a declared directory that is a link of the source's is where it leads", paths: []string{"m/**/*"}, there: map[string]string{"codebuild/output/src123/src/m": "-> real", "codebuild/output/src123/src/real/": ""}, entries: []evil{
			file("src/m/x"),
		}, want: map[string]string{"codebuild/output/src123/src/real/x": "evil"}},
		{name: "a declared directory that is a link to nothing", paths: []string{"m/**/*"}, there: map[string]string{"codebuild/output/src123/src/m": "-> /nowhere/at/all"}, entries: []evil{
			file("src/m/x"),
		}, skipped: 2},
		{name: "files over a directory", paths: []string{"m/**/*"}, there: map[string]string{"codebuild/output/src123/src/m/d/kept": "kept"}, entries: []evil{
			file("src/m/d"), link("src/m/d", "x"), file("src/m/f"),
		}, want: map[string]string{"codebuild/output/src123/src/m/f": "evil"}, skipped: 2},
		{name: "hard links to what is not declared", paths: []string{"m/**/*"}, entries: []evil{
			hard("src/m/a", "abs/etc/passwd"), hard("src/m/b", "src/../../../../outside/kept"), link("src/m/l", "../../../../../outside/kept"), hard("src/m/c", "src/m/l"), hard("src/m/d", "src/m/none"),
			file("src/m/f"), hard("src/m/f", "src/m/f"), hard("src/m/g", "src/m/f"),
		}, want: map[string]string{"codebuild/output/src123/src/m/l": "-> ../../../../../outside/kept", "codebuild/output/src123/src/m/f": "evil", "codebuild/output/src123/src/m/g": "evil"}, skipped: 4},
		{name: "devices and pipes", paths: []string{"m/**/*"}, entries: []evil{
			{Typeflag: tar.TypeFifo, Name: "src/m/p"}, {Typeflag: tar.TypeChar, Name: "src/m/c", Devmajor: 1, Devminor: 3}, {Typeflag: tar.TypeBlock, Name: "src/m/b"},
		}, skipped: 3, note: "is neither a file nor a directory nor a link"},
		{name: "names that no file can have", paths: []string{"m/**/*"}, entries: []evil{
			file("src/m/" + strings.Repeat("n", 256)), file("src/m/" + strings.Repeat("d/", 300) + "x"), link("src/m/e", strings.Repeat("t", 5000)),
		}, want: map[string]string{"codebuild/output/src123/src/m/" + strings.Repeat("d/", 300) + "x": "evil"}, skipped: 2},
		{name: "times that no file can have", paths: []string{"m/**/*"}, entries: []evil{
			{Typeflag: tar.TypeReg, Name: "src/m/f", ModTime: time.Unix(1<<60, 0)},
		}, want: map[string]string{"codebuild/output/src123/src/m/f": "evil"}},
		{name: "CodeBuild's own false positive", paths: []string{"~/.cache/**/*"}, entries: []evil{
			{Typeflag: tar.TypeDir, Name: "home/.cache/pip/", Mode: 0o755}, file("home/.cache/pip/x"),
		}, want: map[string]string{"root/.cache/pip/x": "evil"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t)
			t.Setenv("HOME", b.home)
			put(t, b.dir, map[string]string{"outside/kept": "kept"})
			put(t, b.dir, c.there)
			before := tree(t, b.dir)
			a, err := unpack(b.request(c.paths...), packedBy(t, c.entries...))
			if err != nil {
				t.Fatal(err)
			}
			after := tree(t, b.dir)
			for name := range before { // directories that are no longer empty
				if _, ok := after[name]; !ok && strings.HasSuffix(name, "/") {
					delete(before, name)
				}
			}
			for name, text := range c.want {
				before[name] = text
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("after it (-want +got):\n%s", diff)
			}
			if a.Skipped != c.skipped || c.note != "" && !strings.Contains(a.Notes[0], c.note) {
				t.Errorf("%d entries are skipped, want %d: %q", a.Skipped, c.skipped, a.Notes)
			}
			for name := range c.want {
				if info, err := os.Lstat(filepath.Join(b.dir, name)); err == nil && info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
					t.Errorf("%s is %v", name, info.Mode())
				}
			}
		})
	}
}

func TestDamagedCaches(t *testing.T) {
	b := newBox(t)
	put(t, b.source, map[string]string{"m/a": strings.Repeat("text ", 1000), "m/b": strings.Repeat("more ", 200_000)})
	k, _ := packs(t, b.request("m"))
	whole := k.Bytes()
	for n := range len(whole) {
		if n%37 != 0 && n < len(whole)-8 {
			continue
		}
		if _, err := unpack(newBox(t).request("m"), NewReceiver(bytes.NewReader(whole[:n]))); err == nil {
			t.Fatalf("of %d bytes %d are enough", len(whole), n)
		}
	}
	// cut off where the parts of the stream do not tell
	raw, err := io.ReadAll(NewReceiver(bytes.NewReader(whole)))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 10, len(raw) / 2, len(raw) - 1} {
		if _, err := unpack(newBox(t).request("m"), bytes.NewReader(raw[:n])); err == nil || !strings.Contains(err.Error(), "the cache is damaged") {
			t.Errorf("cut off after %d bytes: %v", n, err)
		}
	}
	if _, err := unpack(newBox(t).request("m"), io.MultiReader(bytes.NewReader(raw), bytes.NewReader(raw), bytes.NewReader(raw))); err != nil && !strings.Contains(err.Error(), "damaged") {
		t.Errorf("with more behind it: %v", err)
	}
}

// However a stream is cut into reads, what comes out is what was sent, or an
// error.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte("hello"), 3, false)
	f.Fuzz(func(t *testing.T, text []byte, size int, whole bool) {
		size = max(1, min(size, 1000))
		var b bytes.Buffer
		s := NewSender(&b)
		for part := range slices.Chunk(text, size) {
			if _, err := s.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if whole {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := io.ReadAll(NewReceiver(&b))
		if !bytes.Equal(got, text) || (err == nil) != whole {
			t.Errorf("sent %d bytes, got %d, %v", len(text), len(got), err)
		}
		_, _ = io.ReadAll(NewReceiver(bytes.NewReader(text))) // and strangers' bytes do no harm
	})
}

// Whatever a cache holds, only what is declared changes.
func FuzzUnpack(f *testing.F) {
	for _, name := range []string{"src/m/x", "src/m/../../x", "abs/etc/x", "home/.c/x", "src/m/l/x"} {
		f.Add(name, "src/m/l", "../../outside", byte(tar.TypeReg))
	}
	f.Fuzz(func(t *testing.T, name, name2, target string, kind byte) {
		b := newBox(t)
		t.Setenv("HOME", b.home)
		put(t, b.dir, map[string]string{"outside/kept": "kept", "codebuild/output/src123/src/kept": "kept", "root/kept": "kept"})
		if len(name) > 1000 || len(name2) > 1000 || len(target) > 1000 {
			return
		}
		var raw bytes.Buffer
		w := tar.NewWriter(&raw)
		for _, h := range []*evil{
			{Typeflag: tar.TypeSymlink, Name: name2, Linkname: target}, {Typeflag: kind, Name: name, Linkname: name2, Size: 4}, {Typeflag: tar.TypeReg, Name: name2 + "/" + name, Size: 4},
			{Typeflag: tar.TypeReg, Name: name2, Size: 4},
		} {
			if h.Typeflag != tar.TypeReg {
				h.Size = 0
			}
			if w.WriteHeader(h) == nil && h.Size > 0 {
				_, _ = w.Write([]byte("evil"))
			}
		}
		_ = w.Close()
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = unpack(b.request("m/**/*", "~/.c/*"), bytes.NewReader(z.EncodeAll(raw.Bytes(), nil)))
		for path, text := range tree(t, b.dir) {
			switch {
			case strings.HasSuffix(path, "/"), strings.HasSuffix(path, "kept") && text == "kept":
			case !strings.HasPrefix(path, "codebuild/output/src123/src/m/") && !strings.HasPrefix(path, "root/.c/"):
				t.Errorf("%q holds %q after %q", path, text, []string{name, name2, target})
			}
		}
	})
}
