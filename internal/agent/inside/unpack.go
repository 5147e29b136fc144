package inside

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"slipway/internal/agent/door"
)

// UnpackCache writes the files of a cache that the agent sends. Whoever may run
// builds of a project may have written it: nothing is written but what the
// paths of the request name, and through no link. What is in the way gives way,
// unless it is a directory.
const UnpackCache = "unpack-cache"

// Bounds of what strangers may have packed.
const (
	maxEntries = 2_000_000
	maxWindow  = 8 << 20  // bytes that decompressing looks back
	maxFolders = 64 << 20 // bytes of the names of directories
	maxRest    = 1 << 20  // bytes behind the end of the tar
)

// writers is how many files are written at once.
const writers = 3

func unpackCache(request []byte) (any, error) {
	var in CacheRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	from, err := door.Dial(in.Stream)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	syscall.Umask(0) // permissions become what they were
	return unpack(in, NewReceiver(from))
}

// A made is a directory that was restored: its time is set when nothing is made
// in it any more, and its permissions when nothing has to be.
type made struct {
	in   *base
	rel  string
	mode fs.FileMode
	time time.Time
}

// A small is a small file on its way to the disk.
type small struct {
	in   *folder
	name string
	h    *tar.Header
	data *[]byte // a buffer of the pool
}

// An unpacking is one archive being restored.
type unpacking struct {
	layout layout
	areas  []area
	bases  []*base // those that are below no other
	answer *CacheAnswer

	at    *base // where chain is
	parts []string
	chain []*folder // start and what parts lead to
	made  []made
	names int // bytes in made

	work    chan small
	pending sync.WaitGroup // files in work
	buffers sync.Pool

	mu     sync.Mutex // guards what follows, and answer while writers work
	failed error
}

// unpack restores what from holds.
func unpack(in CacheRequest, from io.Reader) (*CacheAnswer, error) {
	u := &unpacking{layout: in.layout(), areas: in.areas(), answer: &CacheAnswer{}, work: make(chan small, 2*writers)}
	u.buffers.New = func() any { b := make([]byte, smallFile); return &b }
	if err := u.openBases(); err != nil {
		return nil, err
	}
	defer func() {
		u.leave(0)
		for _, b := range u.bases {
			b.start.release()
		}
	}()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for f := range u.work {
				u.settle(f.h, u.writeSmall(f))
				u.buffers.Put(f.data)
				f.in.release()
				u.pending.Done()
			}
		})
	}
	err := u.read(from)
	close(u.work)
	all.Wait()
	if u.failed != nil { // which may be why reading ended
		err = u.failed
	}
	if err == nil {
		err = u.finish()
	}
	if err != nil {
		return nil, err
	}
	return u.answer, nil
}

// openBases opens the directories of all areas, but those in another's: a link
// that is restored in one cannot lead into another then.
func (u *unpacking) openBases() error {
	var dirs []string
	for _, a := range u.areas {
		dirs = append(dirs, a.dir)
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if slices.ContainsFunc(u.bases, func(b *base) bool { return within(dir, b.dir) }) {
			continue
		}
		b, err := openBase(dir)
		if err != nil {
			u.answer.skip(fmt.Sprintf("Skipping cache path %v", err))
			continue
		}
		u.bases = append(u.bases, b)
	}
	return nil
}

// within reports whether p is dir or below it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// read restores all that can be restored while reading.
func (u *unpacking) read(from io.Reader) error {
	z, err := zstd.NewReader(from,
		zstd.WithDecoderConcurrency(min(runtime.GOMAXPROCS(0), 2)), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer z.Close()
	t := tar.NewReader(z)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			// What is cut off is told from what is whole by its very end.
			_, err := io.CopyN(io.Discard, z, maxRest)
			if err == nil {
				err = errors.New("there is more behind its end")
			}
			if errors.Is(err, io.EOF) {
				_, err = from.Read(make([]byte, 1))
			}
			if errors.Is(err, io.EOF) && n > 0 { // nobody saves a cache of nothing
				return nil
			}
			return damaged(err)
		}
		if err != nil {
			return damaged(err)
		}
		if n == maxEntries {
			return fmt.Errorf("the cache has more than %d entries", maxEntries)
		}
		if err := u.stopped(); err != nil {
			return err
		}
		if err := u.entry(h, t); err != nil {
			return err
		}
	}
}

// damaged says that an archive cannot be read.
func damaged(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the cache is damaged: %w", err)
}

func (u *unpacking) stopped() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failed
}

// place returns where an entry goes: its base and the path below that.
func (u *unpacking) place(name string) (b *base, rel, abs string) {
	abs, ok := u.layout.path(name)
	if !ok {
		return nil, "", name
	}
	if slices.ContainsFunc(u.areas, func(a area) bool { return a.names(abs) }) {
		for _, b := range u.bases {
			if abs != b.dir && within(abs, b.dir) {
				return b, strings.TrimPrefix(abs[len(b.dir):], "/"), abs
			}
		}
	}
	return nil, "", abs
}

// entry restores one entry. An error ends the restoring.
func (u *unpacking) entry(h *tar.Header, t io.Reader) error {
	b, rel, abs := u.place(h.Name)
	if b == nil {
		u.note(fmt.Sprintf("Skipping cache entry: path %q is not within allowed cache paths", clip(abs)))
		return nil
	}
	if h.Size > b.left {
		return fmt.Errorf("the cache has more bytes than the %d that can be written here", b.left)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.settle(h, u.directory(b, rel, h))
	case tar.TypeReg:
		b.left -= h.Size
		in, err := u.enter(b, path.Dir(rel))
		if err != nil {
			return u.settle(h, err)
		}
		if h.Size <= smallFile {
			buf := u.buffers.Get().(*[]byte)
			if _, err := io.ReadFull(t, (*buf)[:h.Size]); err != nil {
				return damaged(err)
			}
			u.pending.Add(1)
			u.work <- small{in.hold(), path.Base(rel), h, buf} // writers take all until it is closed
			return nil
		}
		return u.settle(h, u.large(in, path.Base(rel), h, t))
	case tar.TypeSymlink:
		in, err := u.enter(b, path.Dir(rel))
		if err == nil {
			err = u.symlink(in, path.Base(rel), h)
		}
		return u.settle(h, err)
	case tar.TypeLink:
		return u.settle(h, u.link(b, rel, h))
	}
	u.note(fmt.Sprintf("Skipping cache entry: %q is neither a file nor a directory nor a link", clip(abs)))
	return nil
}

// settle counts an entry, and decides whether what is wrong with it is wrong
// with all.
func (u *unpacking) settle(h *tar.Header, err error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case err == nil:
		if h.Typeflag != tar.TypeDir {
			u.answer.Files++
		}
		if h.Typeflag == tar.TypeReg {
			u.answer.Bytes += h.Size
		}
		return nil
	case errors.Is(err, errInTheWay), errors.Is(err, unix.ENAMETOOLONG), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS), errors.Is(err, unix.ENOENT):
		u.answer.skip(fmt.Sprintf("Skipping cache entry: %q cannot be written: %v", clip(h.Name), err))
		return nil
	}
	if u.failed == nil {
		u.failed = err
	}
	return err
}

func (u *unpacking) note(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer.skip(text)
}

func clip(text string) string {
	const most = 300
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// enter returns the directory rel below b, which it makes if need be. It is
// open until enter is called again.
func (u *unpacking) enter(b *base, rel string) (*folder, error) {
	if u.at != b {
		u.leave(0)
		u.at, u.chain = b, append(u.chain, b.start.hold())
	}
	parts := b.parts(rel)
	same := 0
	for same < len(parts) && same < len(u.parts) && parts[same] == u.parts[same] {
		same++
	}
	u.leave(same + 1)
	for _, name := range parts[same:] {
		next, err := u.chain[len(u.chain)-1].enter(name)
		if err != nil {
			return nil, err
		}
		u.chain, u.parts = append(u.chain, next), append(u.parts, name)
	}
	return u.chain[len(u.chain)-1], nil
}

// leave closes all but the first n directories of the chain.
func (u *unpacking) leave(n int) {
	for len(u.chain) > n {
		u.chain[len(u.chain)-1].release()
		u.chain = u.chain[:len(u.chain)-1]
	}
	u.parts = u.parts[:max(0, min(len(u.parts), n-1))]
	if n == 0 {
		u.at = nil
	}
}

func perm(h *tar.Header) fs.FileMode { return fs.FileMode(h.Mode & 0o777) }

func (u *unpacking) directory(b *base, rel string, h *tar.Header) error {
	in, err := u.enter(b, path.Dir(rel))
	if err != nil {
		return err
	}
	err = unix.Mkdirat(in.fd, path.Base(rel), uint32(perm(h)|0o700))
	if errors.Is(err, unix.EEXIST) {
		_, err = u.enter(b, rel) // it is a directory, or in the way
		return err
	}
	if err != nil {
		return err
	}
	if u.names += len(rel) + 100; u.names > maxFolders {
		return errors.New("the cache has too many directories")
	}
	u.made = append(u.made, made{b, rel, perm(h), h.ModTime})
	return nil
}

// finish sets what directories get last.
func (u *unpacking) finish() error {
	for _, d := range slices.Backward(u.made) {
		in, err := u.enter(d.in, d.rel)
		if err == nil && d.mode&0o700 != 0o700 {
			err = unix.Fchmod(in.fd, uint32(d.mode))
		}
		if err == nil {
			err = in.touch(".", d.time)
		}
		if err := u.settle(&tar.Header{Typeflag: tar.TypeDir, Name: d.rel}, err); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) writeSmall(f small) error {
	fd, err := f.in.create(f.name, perm(f.h))
	if err != nil {
		return err
	}
	for data := (*f.data)[:f.h.Size]; len(data) > 0 && err == nil; {
		var n int
		n, err = unix.Write(fd, data)
		if errors.Is(err, unix.EINTR) {
			n, err = 0, nil
		}
		data = data[max(0, n):]
	}
	return u.complete(f.in, f.name, f.h, errors.Join(err, unix.Close(fd)))
}

// complete sets the time of a file, or removes it if it is not whole.
func (u *unpacking) complete(in *folder, name string, h *tar.Header, err error) error {
	if err != nil {
		_ = unix.Unlinkat(in.fd, name, 0) // half a file is worse than none
		return err
	}
	return in.touch(name, h.ModTime)
}

func (u *unpacking) large(in *folder, name string, h *tar.Header, t io.Reader) error {
	fd, err := in.create(name, perm(h))
	if err != nil {
		return err
	}
	out := os.NewFile(uintptr(fd), name)
	buf := u.buffers.Get().(*[]byte)
	defer u.buffers.Put(buf)
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, damagedReader{t}, *buf)
	return u.complete(in, name, h, errors.Join(err, out.Close()))
}

// A damagedReader's errors are the archive's.
type damagedReader struct{ r io.Reader }

func (d damagedReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = damaged(err)
	}
	return n, err
}

func (u *unpacking) symlink(in *folder, name string, h *tar.Header) error {
	if h.Linkname == "" || strings.Contains(h.Linkname, "\x00") {
		return errInTheWay
	}
	if err := in.instead(name, func() error { return unix.Symlinkat(h.Linkname, in.fd, name) }); err != nil {
		return err
	}
	return in.touch(name, h.ModTime)
}

// link makes a further name of a file that was restored.
func (u *unpacking) link(b *base, rel string, h *tar.Header) error {
	from, old, abs := u.place(h.Linkname)
	if from == nil {
		return fmt.Errorf("it links to %q: %w", clip(abs), errInTheWay)
	}
	u.pending.Wait() // it may not be written yet
	there, err := u.enter(from, path.Dir(old))
	if err != nil {
		return err
	}
	there.hold()
	defer there.release()
	var st unix.Stat_t
	if err := unix.Fstatat(there.fd, path.Base(old), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errInTheWay
	}
	in, err := u.enter(b, path.Dir(rel))
	if err != nil {
		return err
	}
	if there.fd == in.fd && path.Base(old) == path.Base(rel) {
		return nil
	}
	return in.instead(path.Base(rel), func() error {
		return unix.Linkat(there.fd, path.Base(old), in.fd, path.Base(rel), 0)
	})
}
