package inside

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"slipway/internal/agent/door"
	"slipway/internal/agent/glob"
)

// PackCache sends the files of a cache to the agent: a tar, compressed by
// zstd. If there are none it does not connect to the stream.
const PackCache = "pack-cache"

// What is read ahead of the archive. Several files at once, since opening many
// small ones is what takes time.
const (
	readers    = 4
	maxAhead   = 64        // files
	smallFile  = 256 << 10 // bytes of one that is read as a whole
	copyBuffer = 256 << 10
)

func packCache(request []byte) (any, error) {
	var in CacheRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	return pack(in, func() (io.WriteCloser, error) { return door.Dial(in.Stream) })
}

// A packed is one file on its way into an archive.
type packed struct {
	path   string
	info   fs.FileInfo
	header *tar.Header
	data   []byte        // of a small file
	err    error         // of reading it
	done   chan struct{} // closed when data and err are there
}

// A packing is one archive being made.
type packing struct {
	in      CacheRequest
	answer  *CacheAnswer // but for what the walk finds out
	matched []int
	bare    []int
	plain   []string // paths that should be directories' and are not
	layout  layout
	seen    map[string]bool
	linked  map[[2]uint64]string // names of files with several, by device and number
	files   chan *packed         // in order of the archive
	toRead  chan *packed
	buffers sync.Pool
}

// pack sends the files of a request to what open returns. It is opened for the
// first of them.
func pack(in CacheRequest, open func() (io.WriteCloser, error)) (*CacheAnswer, error) {
	p := &packing{
		in: in, answer: &CacheAnswer{}, matched: make([]int, len(in.Paths)), layout: in.layout(),
		seen: map[string]bool{}, linked: map[[2]uint64]string{},
		files: make(chan *packed, maxAhead), toRead: make(chan *packed, maxAhead),
	}
	p.buffers.New = func() any { b := make([]byte, smallFile+1); return &b }
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	var walked error
	all.Go(func() {
		defer close(p.toRead)
		defer close(p.files)
		walked = p.walk(ctx)
	})
	for range readers {
		all.Go(func() {
			for f := range p.toRead {
				p.read(f)
				close(f.done)
			}
		})
	}
	written := p.write(open)
	if written != nil {
		cancel()
		for range p.files { // so that the walk ends
		}
	}
	all.Wait()
	if err := cmp.Or(written, walked); err != nil {
		return nil, err
	}
	p.answer.Matched, p.answer.Bare = p.matched, p.bare
	for _, path := range p.plain {
		p.answer.skip(fmt.Sprintf("Skipping cache path %s: a local cache keeps directories only", path))
	}
	return p.answer, nil
}

// walk finds the files.
func (p *packing) walk(ctx context.Context) error {
	for _, a := range p.in.areas() {
		if err := p.walkArea(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (p *packing) walkArea(ctx context.Context, a area) error {
	found := false
	add := func(f glob.File) error {
		found = true
		if p.seen[f.Path] {
			return nil
		}
		p.seen[f.Path] = true
		return p.add(ctx, a.path, f)
	}
	if a.plain {
		info, err := os.Lstat(a.dir + "/" + a.pattern)
		if err != nil || info.IsDir() {
			return nil
		}
		return add(glob.File{Path: strings.TrimSuffix(a.dir, "/") + "/" + a.pattern, Info: info})
	}
	_, err := glob.Walk(ctx, glob.Options{
		Root: a.dir, Base: a.dir, Patterns: []string{a.pattern}, Dirs: strings.Contains(a.pattern, "**"),
	}, add)
	switch {
	case a.tree && found:
		p.bare = append(p.bare, a.path)
	case a.tree && p.in.Directories:
		if info, err := os.Stat(a.dir); err == nil && !info.IsDir() {
			p.plain = append(p.plain, a.dir)
		}
	}
	return err
}

// add has a file put into the archive.
func (p *packing) add(ctx context.Context, path int, f glob.File) error {
	h := &tar.Header{Name: p.layout.name(f.Path), Mode: int64(f.Info.Mode().Perm()), ModTime: f.Info.ModTime(), Format: tar.FormatPAX}
	out := &packed{path: f.Path, info: f.Info, header: h, done: make(chan struct{})}
	switch f.Info.Mode().Type() {
	case 0:
		h.Typeflag, h.Size = tar.TypeReg, f.Info.Size()
		p.matched[path]++
		if st, ok := f.Info.Sys().(*syscall.Stat_t); ok && st.Nlink > 1 {
			id := [2]uint64{uint64(st.Dev), st.Ino} //nolint:unconvert // Dev has another type elsewhere
			if first, ok := p.linked[id]; ok {
				h.Typeflag, h.Size, h.Linkname = tar.TypeLink, 0, first
			} else {
				p.linked[id] = h.Name
			}
		}
	case fs.ModeSymlink:
		target, err := os.Readlink(f.Path)
		if err != nil {
			return nil // gone meanwhile
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, target
		p.matched[path]++
	case fs.ModeDir:
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	default:
		return nil
	}
	select {
	case p.files <- out:
	case <-ctx.Done():
		return ctx.Err()
	}
	if h.Typeflag == tar.TypeReg && h.Size <= smallFile {
		p.toRead <- out // readers never stop before it is closed
	} else {
		close(out.done)
	}
	return nil
}

// read reads a small file.
func (p *packing) read(f *packed) {
	in, err := os.Open(f.path)
	if err != nil {
		f.err = err
		return
	}
	defer in.Close()
	buf := *p.buffers.Get().(*[]byte)
	n := 0
	for n < len(buf) && err == nil {
		var m int
		m, err = in.Read(buf[n:])
		n += m
	}
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	f.data = buf[:min(n, smallFile)] // what it has grown by meanwhile is left out
}

// write writes the archive.
func (p *packing) write(open func() (io.WriteCloser, error)) error {
	first, ok := <-p.files
	if !ok {
		return nil
	}
	to, err := open()
	if err != nil {
		return err
	}
	defer to.Close()
	sender := NewSender(to)
	z, err := newFrameWriter(sender)
	if err != nil {
		return err
	}
	if err := cmp.Or(p.archive(z, first), z.Close()); err != nil {
		return err
	}
	return sender.Close()
}

// archive writes the tar of the files, of which first is the first.
func (p *packing) archive(w io.Writer, first *packed) error {
	t := tar.NewWriter(w)
	buf := make([]byte, copyBuffer)
	for f, ok := first, true; ok; f, ok = <-p.files {
		<-f.done
		if err := p.put(t, f, buf); err != nil {
			return err
		}
	}
	return t.Close()
}

// put writes one file into the archive.
func (p *packing) put(t *tar.Writer, f *packed, buf []byte) error {
	if f.data != nil {
		defer func() { b := f.data[:cap(f.data)]; p.buffers.Put(&b) }()
		f.header.Size = int64(len(f.data))
	}
	var in *os.File
	if f.err == nil && f.header.Typeflag == tar.TypeReg && f.data == nil {
		in, f.err = os.Open(f.path)
		if f.err == nil {
			defer in.Close()
		}
	}
	if errors.Is(f.err, fs.ErrNotExist) {
		return nil // gone meanwhile
	}
	if f.err != nil {
		p.answer.skip(fmt.Sprintf("Skipping cache file %q: it cannot be read", f.path))
		return nil
	}
	if err := t.WriteHeader(f.header); err != nil {
		return fmt.Errorf("%q: %w", f.path, err)
	}
	if f.header.Typeflag != tar.TypeDir {
		p.answer.Files++
	}
	if f.header.Typeflag != tar.TypeReg {
		return nil
	}
	p.answer.Bytes += f.header.Size
	if in == nil {
		_, err := t.Write(f.data)
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{t}, struct{ io.Reader }{io.LimitReader(in, f.header.Size)}, buf)
	if err == nil && n < f.header.Size { // it became shorter meanwhile
		_, err = io.CopyN(t, zeros{}, f.header.Size-n)
	}
	return err
}
