// Package unzip unpacks zip archives that strangers made.
//
// Everything is written through an os.Root, and what is a link in the archive
// is made after all else: nothing is written through it. What one archive can
// take up is bounded before the first byte is written.
package unzip

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Problem is what is wrong with an archive, in words for whoever made it.
type Problem struct{ Message string }

func (p *Problem) Error() string { return p.Message }

func problem(format string, args ...any) error { return &Problem{fmt.Sprintf(format, args...)} }

// Limits bound what an archive may hold. The zero value is ready for production.
type Limits struct {
	Entries int   // files, links and directories; 0 means a million
	Bytes   int64 // of all files; 0 means what is free where they go, less a quarter of a gigabyte
}

const (
	maxEntries   = 1_000_000
	maxDirectory = 128 << 20 // bytes of an archive's list of its entries: it is held in memory
	spare        = 256 << 20 // bytes of a disk that are left free
	maxTarget    = 4095      // bytes of a link's target: Linux has no longer ones
)

// Into unpacks an archive of size bytes below root. Files keep their
// permissions and times as far as the archive has any, links are made as they
// are, whatever they point to. Of entries with the same name the last one
// counts. An archive that is refused is a *Problem; root may then hold a part
// of it.
func Into(ctx context.Context, root *os.Root, archive io.ReaderAt, size int64, limits Limits) error {
	limits.Entries = cmp.Or(limits.Entries, maxEntries)
	if limits.Bytes == 0 {
		free, err := free(root)
		if err != nil {
			return err
		}
		limits.Bytes = free
	}
	entries, err := list(archive, size, limits)
	if err != nil {
		return err
	}
	u := &unpacking{root: root, made: map[string]bool{".": true}, buffer: make([]byte, 64<<10)}
	for _, kind := range []fs.FileMode{fs.ModeDir, 0, fs.ModeSymlink} {
		for _, e := range entries {
			if e.kind != kind {
				continue
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := u.write(ctx, e); err != nil {
				return explain(e, err)
			}
		}
	}
	return nil
}

// free returns how many bytes may be written below root.
func free(root *os.Root) (int64, error) {
	dir, err := root.Open(".")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	var at unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &at); err != nil {
		return 0, fmt.Errorf("free space: %w", err)
	}
	return max(1, int64(at.Bavail)*int64(at.Bsize)-spare), nil
}

// An entry is one thing to make.
type entry struct {
	name string      // below the root, with slashes
	kind fs.FileMode // ModeDir, ModeSymlink or 0
	file *zip.File
}

// list reads what is in an archive, and holds it against limits.
func list(archive io.ReaderAt, size int64, limits Limits) ([]entry, error) {
	m := &metered{archive: archive, left: maxDirectory}
	r, err := zip.NewReader(m, size)
	m.left = math.MaxInt64
	switch {
	case errors.Is(err, errTooLong):
		return nil, problem("its list of files has more than %d bytes", maxDirectory)
	case errors.Is(err, zip.ErrInsecurePath): // only if GODEBUG asks for it; names are checked below
	case errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, problem("it is not a zip archive, or was cut off")
	case err != nil:
		return nil, err
	case len(r.File) > limits.Entries:
		return nil, problem("it holds %d entries, at most %d are unpacked", len(r.File), limits.Entries)
	}
	var packed, unpacked uint64
	for _, f := range r.File {
		// Entries that share their bytes are how a small archive becomes a huge tree.
		if packed += f.CompressedSize64; f.CompressedSize64 > uint64(size) || packed > uint64(size) {
			return nil, problem("its entries are larger than itself: they overlap, or their sizes are made up")
		}
		if unpacked += f.UncompressedSize64; f.UncompressedSize64 > uint64(limits.Bytes) || unpacked > uint64(limits.Bytes) {
			return nil, problem("its files have more than the %d bytes that may be unpacked here", limits.Bytes)
		}
	}
	entries := make([]entry, 0, len(r.File))
	last := make(map[string]int, len(r.File))
	for _, f := range r.File {
		e, err := read(f)
		if err != nil {
			return nil, err
		}
		if e.name == "." {
			continue
		}
		if i, twice := last[e.name]; twice {
			if (entries[i].kind == fs.ModeDir) != (e.kind == fs.ModeDir) {
				return nil, problem("%q is both a file and a directory", e.name)
			}
			entries[i] = e
			continue
		}
		last[e.name] = len(entries)
		entries = append(entries, e)
	}
	for _, e := range entries {
		for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
			if i, ok := last[dir]; ok && entries[i].kind != fs.ModeDir {
				return nil, problem("%q lies below %q, which is no directory", e.name, dir)
			}
		}
	}
	return entries, nil
}

// Bits of a file's flags: encrypted, and the list of files itself hidden.
const encrypted = 0x1 | 0x40 | 0x2000

func read(f *zip.File) (entry, error) {
	name := nameOf(f)
	shown := name
	if len(shown) > 300 {
		shown = shown[:300] + "…"
	}
	mode := f.Mode()
	if strings.HasSuffix(name, "/") {
		mode |= fs.ModeDir
	}
	e := entry{name: path.Clean(name), kind: mode.Type(), file: f}
	switch {
	case f.Flags&encrypted != 0:
		return e, problem("%q is encrypted: archives with a password cannot be unpacked, zip the files without one", shown)
	case name == "" || strings.Contains(name, "\x00"):
		return e, problem("an entry has the name %q, which no file can have", shown)
	case path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), ".."):
		return e, problem("%q leads out of the archive's own directory", shown)
	case e.kind != 0 && e.kind != fs.ModeDir && e.kind != fs.ModeSymlink:
		return e, problem("%q is neither a file nor a directory nor a link", shown)
	}
	return e, nil
}

// An unpacking writes the entries of one archive.
type unpacking struct {
	root   *os.Root
	made   map[string]bool // directories that are there
	buffer []byte
}

func (u *unpacking) write(ctx context.Context, e entry) error {
	if e.kind == fs.ModeDir {
		return u.directory(e.name, permOf(e.file, 0o755)|0o700)
	}
	if err := u.directory(path.Dir(e.name), 0o755); err != nil {
		return err
	}
	in, err := e.file.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if e.kind == fs.ModeSymlink {
		target, err := io.ReadAll(io.LimitReader(in, maxTarget+1))
		if err != nil {
			return err
		}
		if len(target) == 0 || len(target) > maxTarget || slices.Contains(target, 0) {
			return problem("the link %q points to nothing that a path can be", e.name)
		}
		return u.root.Symlink(string(target), e.name)
	}
	out, err := u.root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, permOf(e.file, 0o644)|0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, &stoppable{ctx, in}, u.buffer)
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if at := e.file.Modified; at.Year() >= 1980 && at.Year() < 2108 { // what a zip can say
		return u.root.Chtimes(e.name, at, at)
	}
	return nil
}

func (u *unpacking) directory(name string, perm fs.FileMode) error {
	if u.made[name] {
		return nil
	}
	if err := u.directory(path.Dir(name), 0o755); err != nil {
		return err
	}
	if err := u.root.Mkdir(name, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	u.made[name] = true
	return nil
}

// explain turns what went wrong with an entry into a Problem if it is the
// archive's fault.
func explain(e entry, err error) error {
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return problem("%q is compressed with method %d, which cannot be unpacked: zip it with the usual method, deflate", e.name, e.file.Method)
	case errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), isCorrupt(err):
		return problem("%q is damaged: %v", e.name, err)
	case errors.Is(err, unix.ENAMETOOLONG):
		return problem("%q is too long a name for a file here", e.name[:min(len(e.name), 300)])
	}
	return err
}

// isCorrupt reports whether err is of compressed bytes that make no sense.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt
}

// errTooLong ends the reading of a list of files.
var errTooLong = errors.New("too long")

// A metered is an archive of which only so much may be read.
type metered struct {
	archive io.ReaderAt
	left    int64
}

func (m *metered) ReadAt(p []byte, at int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, errTooLong
	}
	return m.archive.ReadAt(p, at)
}

// A stoppable reader ends with its context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
