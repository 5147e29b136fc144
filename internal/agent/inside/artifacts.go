package inside

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/klauspost/compress/flate"

	"slipway/internal/agent/glob"
)

// Artifacts gathers the files of one artifact.
const Artifacts = "artifacts"

// An ArtifactsRequest says which files, and what to make of them.
type ArtifactsRequest struct {
	Files   glob.Options `json:"files"`
	Flat    bool         `json:"flat,omitzero"` // only the last names of paths are kept
	Zip     bool         `json:"zip,omitzero"`  // a ZIP, else a tar
	Archive string       `json:"archive"`       // path of the file to make
}

// An ArtifactsAnswer says what was gathered.
type ArtifactsAnswer struct {
	Bases   []string `json:"bases"`
	Matched []int    `json:"matched"`          // files, for each pattern
	Taken   []string `json:"taken,omitzero"`   // paths left out since, without directories, another file has their name; the first 100
	Files   int      `json:"files"`            // in the archive
	Bytes   int64    `json:"bytes"`            // of all files
	MD5     string   `json:"md5,omitzero"`     // of a ZIP
	SHA256  string   `json:"sha256,omitzero"`  // likewise
	Missing []int    `json:"missing,omitzero"` // patterns that are plain paths of what is not there
}

const maxTaken = 100

// deflateLevel is where zip is when it is told to be quick.
const deflateLevel = 3

func artifacts(request []byte) (any, error) {
	var in ArtifactsRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(in.Archive, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	md, sha := md5.New(), sha256.New()
	sums := bufio.NewWriterSize(io.MultiWriter(f, md, sha), 1<<20)
	var to archive
	if in.Zip {
		z := zip.NewWriter(sums)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, deflateLevel) })
		to = zipped{z}
	} else {
		to = tarred{tar.NewWriter(sums)}
	}
	out, err := gather(in, to)
	if err != nil {
		return nil, err
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	if err := sums.Flush(); err != nil {
		return nil, err
	}
	if in.Zip {
		out.MD5, out.SHA256 = hex.EncodeToString(md.Sum(nil)), hex.EncodeToString(sha.Sum(nil))
	}
	return out, f.Close()
}

// gather puts all files into an archive.
func gather(in ArtifactsRequest, to archive) (*ArtifactsAnswer, error) {
	out := &ArtifactsAnswer{}
	names := map[string]bool{}
	buf := make([]byte, 256<<10)
	result, err := glob.Walk(context.Background(), in.Files, func(f glob.File) error {
		if in.Flat {
			f.Name = path.Base(f.Name)
		}
		if names[f.Name] { // also below two base directories
			if len(out.Taken) < maxTaken {
				out.Taken = append(out.Taken, f.Path)
			}
			return nil
		}
		names[f.Name] = true
		n, err := to.add(f, buf)
		if err != nil {
			return err
		}
		out.Files++
		out.Bytes += n
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Bases, out.Matched = result.Bases, result.Matched
	for i, n := range result.Matched {
		if n == 0 && !glob.IsPattern(in.Files.Patterns[i]) {
			out.Missing = append(out.Missing, i)
		}
	}
	return out, nil
}

// An archive takes files.
type archive interface {
	io.Closer
	add(f glob.File, buf []byte) (int64, error)
}

type zipped struct{ *zip.Writer }

func (z zipped) add(f glob.File, buf []byte) (int64, error) {
	h, err := zip.FileInfoHeader(f.Info)
	if err != nil {
		return 0, err
	}
	h.Name, h.Method = f.Name, zip.Deflate
	if f.Info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(f.Path)
		if err != nil {
			return 0, err
		}
		h.Method = zip.Store
		w, err := z.CreateHeader(h)
		if err != nil {
			return 0, err
		}
		n, err := io.WriteString(w, target)
		return int64(n), err
	}
	w, err := z.CreateHeader(h)
	if err != nil {
		return 0, err
	}
	return copyInto(w, f.Path, buf)
}

type tarred struct{ *tar.Writer }

func (t tarred) add(f glob.File, buf []byte) (int64, error) {
	h := &tar.Header{Name: f.Name, Mode: int64(f.Info.Mode().Perm()), Size: f.Info.Size(), ModTime: f.Info.ModTime(), Format: tar.FormatPAX}
	if err := t.WriteHeader(h); err != nil {
		return 0, err
	}
	n, err := copyInto(limited{t, f.Info.Size()}, f.Path, buf)
	if err == nil && n < f.Info.Size() { // it became shorter meanwhile
		_, err = io.CopyN(t, zeros{}, f.Info.Size()-n)
	}
	return n, err
}

func copyInto(w io.Writer, name string, buf []byte) (int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if l, ok := w.(limited); ok {
		return io.CopyBuffer(struct{ io.Writer }{l.w}, struct{ io.Reader }{io.LimitReader(f, l.n)}, buf)
	}
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, buf)
}

// limited is a writer of which only so much is to be used.
type limited struct {
	w io.Writer
	n int64
}

func (l limited) Write(p []byte) (int, error) { return l.w.Write(p) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
