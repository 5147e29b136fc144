package fetch

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"slipway/internal/agent/unzip"
	"slipway/internal/agentapi"
	"slipway/internal/fault"
)

// A shelf brings a source of type S3 into its directory: what a zip archive
// holds, or the objects below a prefix. Where they really are is the server's
// to know.
type shelf struct {
	client *agentapi.Client
	source Source
	object agentapi.Object
	dir    string // of the build, where archives are kept as long as they are unpacked
}

// objectTries is how often an object is opened whose bytes end early.
const objectTries = 3

// noSuchKey is what S3 says of an object that is not there.
const noSuchKey = "NoSuchKey: The specified key does not exist."

// sideBySide is how many objects of a folder are read at a time: each waits for
// the store more than it takes.
const sideBySide = 8

// run returns the version of the object, if its bucket keeps any.
func (s *shelf) run(ctx context.Context) (version string, err error) {
	if err := os.MkdirAll(s.source.Dir, 0o755); err != nil { //nolint:gosec // user code reads it, perhaps as another user
		return "", err
	}
	root, err := os.OpenRoot(s.source.Dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if isFolder(s.source.Location) {
		return "", s.folder(ctx, root)
	}
	return s.archive(ctx, root)
}

// archive downloads an archive and unpacks it.
func (s *shelf) archive(ctx context.Context, root *os.Root) (version string, err error) {
	f, err := os.CreateTemp(s.dir, "source-")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil { // so that it goes with this process, whatever happens
		return "", err
	}
	key := keyOf(s.source.Location)
	info, err := s.download(ctx, s.object, key, f)
	if err != nil {
		return "", err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	err = unzip.Into(ctx, root, f, size, unzip.Limits{})
	if p, ok := errors.AsType[*unzip.Problem](err); ok {
		return "", refuse(s.source, "error while unzipping key "+clean(key, maxShown)+", error: "+clean(p.Message, 2*maxShown),
			"A source of type S3 is a zip archive, or a folder of objects whose location ends in a slash.")
	}
	return info.Version, s.full(err)
}

// folder downloads every object below a prefix. They have no permissions, so
// none of them can be run.
func (s *shelf) folder(ctx context.Context, root *os.Root) error {
	prefix := strings.TrimPrefix(keyOf(s.source.Location), "/")
	var paths []string
	err := patiently(ctx, "the server did not say what is in the source's folder", func(ctx context.Context) (err error) {
		paths, err = s.client.List(ctx, s.object)
		return err
	})
	if err != nil {
		return s.refused(keyOf(s.source.Location), err)
	}
	if len(paths) == 0 {
		return s.refused(keyOf(s.source.Location), fault.New(fault.NotFound, noSuchKey))
	}
	// All directories first: objects are written side by side.
	for _, p := range paths {
		at := strings.TrimSuffix(p, "/")
		if at == "" {
			continue // the folder itself
		}
		if !filepath.IsLocal(at) || path.Clean(at) != at || strings.ContainsRune(at, 0) {
			return refuse(s.source, "error while downloading key "+clean(prefix+p, maxShown)+", error: the key is no path", "Objects of a folder become files: give this one another key.")
		}
		if !strings.HasSuffix(p, "/") {
			at = path.Dir(at)
		}
		if err := root.MkdirAll(at, 0o755); err != nil {
			return s.full(err)
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for _, p := range paths {
		if strings.HasSuffix(p, "/") || p == "" {
			continue
		}
		g.Go(func() error { return s.file(gctx, root, prefix, p) })
	}
	return g.Wait()
}

// file downloads one object of a folder.
func (s *shelf) file(ctx context.Context, root *os.Root, prefix, name string) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		if errors.Is(err, os.ErrExist) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
			return refuse(s.source, "error while downloading key "+clean(prefix+name, maxShown)+", error: the key can be no file",
				"It is too long for one, or there are keys below it, as below a directory.")
		}
		return s.full(err)
	}
	object := s.object
	object.Path = name
	_, err = s.download(ctx, object, prefix+name, f)
	return errors.Join(err, f.Close())
}

// download writes an object to f, which is empty.
func (s *shelf) download(ctx context.Context, object agentapi.Object, key string, f *os.File) (info agentapi.ObjectInfo, err error) {
	for try := 1; ; try++ {
		var body io.ReadCloser
		err = patiently(ctx, "the server did not give an object of the source", func(ctx context.Context) (err error) {
			body, info, err = s.client.Get(ctx, object)
			return err
		})
		if err != nil {
			return info, s.refused(key, err)
		}
		if want := s.source.Version; want != "" && info.Version != want {
			_ = body.Close()
			return info, refuse(s.source, "error while downloading key "+clean(key, maxShown)+", error: NoSuchVersion: The specified version does not exist.",
				"The bucket, or the store that stands for it, keeps no versions of objects. Start the build without a source version.")
		}
		_, err = io.Copy(f, body)
		_ = body.Close()
		if err == nil || isFull(err) || ctx.Err() != nil || try == objectTries {
			break
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return info, err
		}
		if err := f.Truncate(0); err != nil {
			return info, err
		}
	}
	if ctx.Err() != nil {
		return info, context.Cause(ctx)
	}
	return info, s.full(err)
}

// refused returns the failure of an object that the server does not give, in
// CodeBuild's form.
func (s *shelf) refused(key string, err error) error {
	text := "error while downloading key " + clean(key, maxShown)
	switch fault.KindOf(err) {
	case fault.NotFound:
		return refuse(s.source, text+", error: "+clean(fault.Message(err), 2*maxShown), "Check the source's location and version, and that the object was uploaded.")
	case fault.Invalid:
		return refuse(s.source, text, clean(fault.Message(err), 2*maxShown))
	}
	return err
}

// full returns err, or the failure that it is if the disk is full.
func (s *shelf) full(err error) error {
	if isFull(err) {
		return refuse(s.source, reasons[noSpace], "the disk of the machine that builds is full. Free some space and start the build again.")
	}
	return err
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// isFolder reports whether the location of a source of type S3 is a folder's.
func isFolder(location string) bool { return strings.HasSuffix(location, "/") }

// keyOf returns the key in a location, bucket/key or the ARN of that.
func keyOf(location string) string {
	if part := strings.SplitN(location, ":", 6); len(part) == 6 && part[0] == "arn" {
		location = part[5]
	}
	_, key, _ := strings.Cut(location, "/")
	return cmp.Or(key, "/") // the whole bucket
}
