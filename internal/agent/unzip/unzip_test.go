package unzip_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agent/unzip"
)

// A file is an entry of an archive under test.
type file struct {
	name, text string
	mode       fs.FileMode // 0 means that the archive was not made on Unix
	change     func(*zip.FileHeader)
}

func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC)}
		if f.mode != 0 {
			h.SetMode(f.mode)
		}
		if f.change != nil {
			f.change(h)
		}
		out, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpack unpacks an archive into a new directory.
func unpack(t testing.TB, data []byte, limits unzip.Limits) (dir string, err error) {
	t.Helper()
	defer syscall.Umask(syscall.Umask(0o022))
	dir = t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return dir, unzip.Into(t.Context(), root, bytes.NewReader(data), int64(len(data)), limits)
}

// tree describes what is in a directory.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		text := info.Mode().String()
		switch d.Type() {
		case 0:
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(b)
		case fs.ModeSymlink:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text = "-> " + to
		}
		all[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsUnpacked(t *testing.T) {
	onDOS := func(h *zip.FileHeader) { h.CreatorVersion = 20 }
	for _, c := range []struct {
		name  string
		files []file
		want  map[string]string
	}{
		{"nothing", nil, map[string]string{}},
		{"files and directories", []file{{name: "a.txt", text: "a"}, {name: "d/", mode: fs.ModeDir | 0o755}, {name: "d/e/f.txt", text: "f"}},
			map[string]string{"a.txt": "-rw-r--r-- a", "d": "drwxr-xr-x", "d/e": "drwxr-xr-x", "d/e/f.txt": "-rw-r--r-- f"}},
		{"permissions of Unix", []file{{name: "run", text: "x", mode: 0o755}, {name: "key", text: "x", mode: 0o400}, {name: "all", text: "x", mode: 0o777}, {name: "set", text: "x", mode: 0o755 | fs.ModeSetuid}, {name: "shut/", mode: fs.ModeDir | 0o500}, {name: "shut/in", text: "x", mode: 0o644}},
			map[string]string{"run": "-rwxr-xr-x x", "key": "-rw------- x", "all": "-rwxr-xr-x x", "set": "-rwxr-xr-x x", "shut": "drwx------", "shut/in": "-rw-r--r-- x"}},
		{"no permissions", []file{{name: "a", text: "x"}, {name: "b", text: "x", change: func(h *zip.FileHeader) { h.CreatorVersion = 3 << 8 }}},
			map[string]string{"a": "-rw-r--r-- x", "b": "-rw-r--r-- x"}},
		{"a file before its directory", []file{{name: "d/f", text: "x", mode: 0o644}, {name: "d/", mode: fs.ModeDir | 0o750}},
			map[string]string{"d": "drwxr-x---", "d/f": "-rw-r--r-- x"}},
		{"a name twice", []file{{name: "a", text: "first"}, {name: "./a", text: "last"}}, map[string]string{"a": "-rw-r--r-- last"}},
		{"odd but good names", []file{{name: "./a//b", text: "x"}, {name: "..c", text: "x"}, {name: "d..", text: "x"}, {name: "-rf", text: "x"}, {name: "a\nb", text: "x", mode: 0o644}, {name: "./", mode: fs.ModeDir | 0o755}},
			map[string]string{"a": "drwxr-xr-x", "a/b": "-rw-r--r-- x", "..c": "-rw-r--r-- x", "d..": "-rw-r--r-- x", "-rf": "-rw-r--r-- x", "a\nb": "-rw-r--r-- x"}},
		{"backslashes of Windows", []file{{name: `d\e\f.txt`, text: "x", change: onDOS}, {name: `g\`, change: onDOS}},
			map[string]string{"d": "drwxr-xr-x", "d/e": "drwxr-xr-x", "d/e/f.txt": "-rw-r--r-- x", "g": "drwxr-xr-x"}},
		{"a backslash of Unix", []file{{name: `a\b`, text: "x", mode: 0o644}}, map[string]string{`a\b`: "-rw-r--r-- x"}},
		{"names in UTF-8", []file{{name: "ä/世界", text: "x"}}, map[string]string{"ä": "drwxr-xr-x", "ä/世界": "-rw-r--r-- x"}},
		{"names in code page 437", []file{{name: "M\x81ller", text: "x", change: onDOS}}, map[string]string{"Müller": "-rw-r--r-- x"}},
		{"names in bytes of Unix", []file{{name: "M\xfcller", text: "x", mode: 0o644}}, map[string]string{"M\xfcller": "-rw-r--r-- x"}},
		{"links are kept as they are", []file{{name: "l", text: "d/f", mode: fs.ModeSymlink | 0o777}, {name: "d/f", text: "x", mode: 0o644}, {name: "out", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}, {name: "d/up", text: "../../..", mode: fs.ModeSymlink | 0o777}},
			map[string]string{"l": "-> d/f", "d": "drwxr-xr-x", "d/f": "-rw-r--r-- x", "out": "-> /etc/passwd", "d/up": "-> ../../.."}},
		{"a link in place of a file", []file{{name: "l", text: "x", mode: 0o644}, {name: "l", text: "elsewhere", mode: fs.ModeSymlink | 0o777}}, map[string]string{"l": "-> elsewhere"}},
		{"stored files", []file{{name: "a", text: "x", change: func(h *zip.FileHeader) { h.Method = zip.Store }}}, map[string]string{"a": "-rw-r--r-- x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, err := unpack(t, archive(t, c.files...), unzip.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, tree(t, dir)); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesKeepTheirTimes(t *testing.T) {
	dir, err := unpack(t, archive(t, file{name: "a", text: "x"}), unzip.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC); !info.ModTime().Equal(want) {
		t.Errorf("ModTime = %v, want %v", info.ModTime(), want)
	}
}

func TestWhatIsRefused(t *testing.T) {
	large := strings.Repeat("0", 1<<20)
	good := archive(t, file{name: "a", text: large, mode: 0o644}, file{name: "b", text: "x", mode: 0o644})
	damaged := bytes.Clone(good)
	damaged[200] ^= 0xff
	bomb := archive(t, file{name: "a", text: large}, file{name: "b", text: large})
	overlapping := archive(t, file{name: "a", text: "12345678", change: store}, file{name: "b", text: "12345678", change: store})
	for at := 0; ; {
		i := bytes.Index(overlapping[at:], []byte("PK\x01\x02"))
		if i < 0 {
			break
		}
		at += i + 4
		overlapping[at+16+1] = 0x10 // the compressed size, 20 bytes into the header
	}
	for _, c := range []struct {
		name   string
		data   []byte
		limits unzip.Limits
		want   string // in the problem
	}{
		{"no zip", []byte("hello, this is a text"), unzip.Limits{}, "not a zip archive"},
		{"nothing at all", nil, unzip.Limits{}, "not a zip archive"},
		{"half of a zip", good[:len(good)/2], unzip.Limits{}, "cut off"},
		{"a damaged file", damaged, unzip.Limits{}, `"a" is damaged`},
		{"a parent directory", archive(t, file{name: "../a", text: "x"}), unzip.Limits{}, `"../a" leads out`},
		{"a parent directory in the middle", archive(t, file{name: "d/../../a", text: "x"}), unzip.Limits{}, "leads out"},
		{"a parent directory of Windows", archive(t, file{name: `..\a`, text: "x", change: func(h *zip.FileHeader) { h.CreatorVersion = 20 }}), unzip.Limits{}, "leads out"},
		{"an absolute path", archive(t, file{name: "/etc/a", text: "x"}), unzip.Limits{}, "leads out"},
		{"a NUL in a name", archive(t, file{name: "a\x00b", text: "x"}), unzip.Limits{}, "no file can have"},
		{"a name that is too long", archive(t, file{name: strings.Repeat("x", 300), text: "x"}), unzip.Limits{}, "too long a name"},
		{"a file through a link", archive(t, file{name: "l", text: "/tmp", mode: fs.ModeSymlink | 0o777}, file{name: "l/a", text: "x", mode: 0o644}), unzip.Limits{}, `"l/a" lies below "l"`},
		{"a file through a link, before it", archive(t, file{name: "l/a", text: "x", mode: 0o644}, file{name: "l", text: "/tmp", mode: fs.ModeSymlink | 0o777}), unzip.Limits{}, `"l/a" lies below "l"`},
		{"a link through a link", archive(t, file{name: "l", text: "..", mode: fs.ModeSymlink | 0o777}, file{name: "l/m", text: "x", mode: fs.ModeSymlink | 0o777}), unzip.Limits{}, "lies below"},
		{"a file below a file", archive(t, file{name: "a", text: "x"}, file{name: "a/b", text: "x"}), unzip.Limits{}, "lies below"},
		{"a file and a directory", archive(t, file{name: "a", text: "x"}, file{name: "a/", mode: fs.ModeDir | 0o755}), unzip.Limits{}, "both"},
		{"a link to nothing", archive(t, file{name: "a", text: "", mode: fs.ModeSymlink | 0o777}), unzip.Limits{}, "points to nothing"},
		{"a link of endless length", archive(t, file{name: "a", text: large, mode: fs.ModeSymlink | 0o777}), unzip.Limits{}, "points to nothing"},
		{"a device", archive(t, file{name: "a", mode: fs.ModeDevice | 0o644}), unzip.Limits{}, "neither"},
		{"a pipe", archive(t, file{name: "a", mode: fs.ModeNamedPipe | 0o644}), unzip.Limits{}, "neither"},
		{"an encrypted file", archive(t, file{name: "a", text: "x", change: func(h *zip.FileHeader) { h.Flags |= 1 }}), unzip.Limits{}, `"a" is encrypted`},
		{"an unknown method", withMethod(good, 14), unzip.Limits{}, "method 14"},
		{"more entries than allowed", bomb, unzip.Limits{Entries: 1}, "2 entries, at most 1"},
		{"more bytes than allowed", bomb, unzip.Limits{Bytes: 1<<21 - 1}, "more than the 2097151 bytes"},
		{"entries that overlap", overlapping, unzip.Limits{}, "overlap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, err := unpack(t, c.data, c.limits)
			problem, ok := errors.AsType[*unzip.Problem](err)
			if !ok || !strings.Contains(problem.Message, c.want) {
				t.Errorf("err = %v, want a problem with %q", err, c.want)
			}
			if len(problem.Message) > 600 {
				t.Errorf("the message has %d bytes", len(problem.Message))
			}
			if _, err := os.Lstat(filepath.Join(filepath.Dir(dir), "a")); err == nil {
				t.Error("something was written beside the directory")
			}
		})
	}
}

func store(h *zip.FileHeader) { h.Method = zip.Store }

// withMethod changes the compression that an archive says it has.
func withMethod(data []byte, method byte) []byte {
	data = bytes.Clone(data)
	for i := range len(data) - 12 {
		switch string(data[i : i+4]) {
		case "PK\x01\x02":
			data[i+10] = method
		case "PK\x03\x04":
			data[i+8] = method
		}
	}
	return data
}

func TestItEndsWithItsContext(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	data := archive(t, file{name: "a", text: "x"})
	if err := unzip.Into(ctx, root, bytes.NewReader(data), int64(len(data)), unzip.Limits{}); !errors.Is(err, why) {
		t.Errorf("err = %v, want %v", err, why)
	}
}

// Whatever an archive holds, nothing is written beside its directory, and no
// more than is allowed.
func FuzzInto(f *testing.F) {
	f.Add(archive(f, file{name: "a", text: "x", mode: 0o755}, file{name: "d/b", text: "y"}))
	f.Add(archive(f, file{name: "../a", text: "x"}))
	f.Add(archive(f, file{name: "l", text: "..", mode: fs.ModeSymlink | 0o777}, file{name: "l/a", text: "x", mode: 0o644}))
	f.Add(archive(f, file{name: `d\e`, text: "x"}, file{name: "M\x81", text: "z"}))
	f.Add([]byte("PK\x05\x06"))
	const most = 1 << 16
	f.Fuzz(func(t *testing.T, data []byte) {
		base := t.TempDir()
		dir := filepath.Join(base, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		err = unzip.Into(t.Context(), root, bytes.NewReader(data), int64(len(data)), unzip.Limits{Entries: 100, Bytes: most})
		if _, ok := errors.AsType[*unzip.Problem](err); err != nil && !ok {
			if _, ok := errors.AsType[*fs.PathError](err); !ok {
				t.Errorf("err = %v", err)
			}
		}
		entries, err := os.ReadDir(base)
		if err != nil || len(entries) != 1 {
			t.Errorf("beside the directory: %v, %v", entries, err)
		}
		var size int64
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if info, err := d.Info(); err == nil && d.Type() == 0 {
				size += info.Size()
			}
			return nil
		})
		if size > most {
			t.Errorf("%d bytes were written, %d are allowed", size, most)
		}
	})
}

func BenchmarkInto(b *testing.B) {
	var files []file
	for i := range 1000 {
		files = append(files, file{name: fmt.Sprintf("d%d/f%d.txt", i%37, i), text: strings.Repeat(fmt.Sprintf("line %d of a file\n", i), 100), mode: 0o644})
	}
	data := archive(b, files...)
	for b.Loop() {
		if _, err := unpack(b, data, unzip.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
