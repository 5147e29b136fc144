package blob

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"slipway/internal/build"
	"slipway/internal/fault"
)

// maxDirectory bounds what is read of an archive to list it, in bytes: user
// code made it.
const maxDirectory = 64 << 20

// ArtifactFiles returns the files of an artifact, in no order, and when it was
// uploaded and how large it is if it is an archive. One that is not there is
// NotFound.
func (s *Store) ArtifactFiles(ctx context.Context, l build.Location) (files []build.ArtifactFile, archive build.ArtifactFile, err error) {
	p, err := s.uploaded(ctx, l)
	if err != nil {
		return nil, archive, err
	}
	if !l.Folder {
		z, about, err := p.open(ctx)
		if err != nil {
			return nil, archive, err
		}
		for _, f := range z.File {
			if !strings.HasSuffix(f.Name, "/") {
				files = append(files, build.ArtifactFile{Path: f.Name, Bytes: int64(f.UncompressedSize64), Modified: f.Modified, CRC32: f.CRC32})
			}
		}
		return files, build.ArtifactFile{Path: path.Base(p.key), Bytes: about.Size, Modified: about.ModTime}, nil
	}
	prefix := ""
	if p.key != "" {
		prefix = strings.TrimSuffix(p.key, "/") + "/"
	}
	err = each(ctx, p.bucket, prefix, func(f *gocloud.ListObject) error {
		if len(files) == maxList {
			return fault.New(fault.Invalid, "The artifact has more than %d files: look at them with a client of the bucket %s.", maxList, p.name)
		}
		files = append(files, build.ArtifactFile{Path: strings.TrimPrefix(f.Key, prefix), Bytes: f.Size, Modified: f.ModTime})
		return nil
	})
	if err != nil && fault.KindOf(err) == fault.Internal {
		err = p.refusal(err, "list")
	}
	if err == nil && len(files) == 0 {
		err = errNoArtifact
	}
	return files, archive, err
}

var errNoArtifact = fault.New(fault.NotFound, "The artifact is not where the build's record says: it was not uploaded, or was removed since.")

// ArtifactPiece returns at most limit bytes of a file of an artifact, or with
// "" for its path of the archive itself, from offset on. What is DEFLATE in an
// archive is answered as such. A file that is not there is NotFound.
func (s *Store) ArtifactPiece(ctx context.Context, l build.Location, file string, offset, limit int64) (build.Piece, error) {
	p, err := s.uploaded(ctx, l)
	if err != nil {
		return build.Piece{}, err
	}
	piece, begin := build.Piece{}, int64(0)
	switch {
	case l.Folder && (!filepath.IsLocal(file) || path.Clean(file) != file || file == "." || strings.Contains(file, "\\")):
		return piece, fault.New(fault.Invalid, "The artifact is no archive: path must name one of its files.")
	case l.Folder || file == "":
		p.key = path.Join(p.key, file)
		about, err := p.about(ctx)
		if err != nil {
			return piece, err
		}
		piece.Total, piece.Modified = about.Size, about.ModTime
	default:
		z, about, err := p.open(ctx)
		if err != nil {
			return piece, err
		}
		f := entry(z, file)
		if f == nil {
			return piece, fault.New(fault.NotFound, "The artifact has no file %.200q.", file)
		}
		if f.Method != zip.Store && f.Method != zip.Deflate || f.Flags&1 != 0 {
			return piece, fault.New(fault.Invalid, "The file is packed in a way that cannot be read in pieces: download the archive.")
		}
		if begin, err = f.DataOffset(); err != nil {
			return piece, unreadable(err)
		}
		piece.Total, piece.Modified, piece.Deflated = int64(f.CompressedSize64), about.ModTime, f.Method == zip.Deflate
		if piece.Total < 0 || begin > about.Size || piece.Total > about.Size-begin {
			return piece, unreadable(zip.ErrFormat)
		}
	}
	if offset < 0 || offset > piece.Total {
		return piece, fault.New(fault.Invalid, "There are %d bytes: none begins at offset %d.", piece.Total, offset)
	}
	piece.Data = make([]byte, min(limit, piece.Total-offset))
	if len(piece.Data) == 0 {
		return piece, nil
	}
	r, err := p.bucket.NewRangeReader(ctx, p.key, begin+offset, int64(len(piece.Data)), nil)
	if err != nil {
		return piece, p.missing(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, piece.Data); err != nil {
		return piece, fmt.Errorf("read %s: %w", p.key, err)
	}
	return piece, nil
}

func entry(z *zip.Reader, name string) *zip.File {
	for _, f := range z.File {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func (s *Store) uploaded(ctx context.Context, l build.Location) (place, error) {
	p := place{name: l.Bucket, key: l.Key, folder: l.Folder}
	var err error
	p.bucket, err = s.bucket(ctx, l.Bucket, false)
	if fault.KindOf(err) == fault.NotFound {
		err = errNoArtifact
	}
	return p, err
}

func (p place) missing(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return errNoArtifact
	}
	return p.refusal(err, "read")
}

func (p place) about(ctx context.Context) (*gocloud.Attributes, error) {
	a, err := p.bucket.Attributes(ctx, p.key)
	if err != nil {
		return nil, p.missing(err)
	}
	return a, nil
}

// open reads the directory of an archive.
func (p place) open(ctx context.Context) (*zip.Reader, *gocloud.Attributes, error) {
	about, err := p.about(ctx)
	if err != nil {
		return nil, nil, err
	}
	z, err := zip.NewReader(&ranges{ctx: ctx, place: p, size: about.Size, left: maxDirectory}, about.Size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // nothing is unpacked
		return nil, nil, unreadable(err)
	}
	return z, about, nil
}

func unreadable(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "What is at the artifact's place is no ZIP that can be read.")
	}
	return fmt.Errorf("read an archive: %w", err)
}

// rangeBlock is how much of an object is read at once.
const rangeBlock = 256 << 10

// ranges reads an object here and there. It remembers the block it read last,
// since readers of archives go on where they were.
type ranges struct {
	ctx   context.Context
	place place
	size  int64
	left  int64 // bytes that may still be read

	block []byte
	at    int64
}

func (r *ranges) ReadAt(to []byte, off int64) (n int, err error) {
	for n < len(to) {
		at := off + int64(n)
		if at < 0 || at >= r.size {
			return n, io.EOF
		}
		if at < r.at || at >= r.at+int64(len(r.block)) {
			if err := r.read(at - at%rangeBlock); err != nil {
				return n, err
			}
		}
		n += copy(to[n:], r.block[at-r.at:])
	}
	return n, nil
}

func (r *ranges) read(at int64) error {
	length := min(rangeBlock, r.size-at)
	if r.left -= length; r.left < 0 {
		return fault.New(fault.Invalid, "The archive has too many files to be listed: download it.")
	}
	body, err := r.place.bucket.NewRangeReader(r.ctx, r.place.key, at, length, nil)
	if err != nil {
		return r.place.missing(err)
	}
	defer body.Close()
	block := make([]byte, length)
	if _, err := io.ReadFull(body, block); err != nil {
		return fmt.Errorf("read %s: %w", r.place.key, err)
	}
	r.block, r.at = block, at
	return nil
}
