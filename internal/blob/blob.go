// Package blob keeps what builds take and leave: artifacts, caches, logs, and
// sources and buildspecs in S3. A bucket is a folder of this machine, or one of an
// S3-compatible store.
package blob

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3:// in Options.URL
	"gocloud.dev/gcerrors"

	"slipway/internal/agentapi"
	"slipway/internal/build"
	"slipway/internal/fault"
)

// Options says where buckets are. Dir is needed.
type Options struct {
	Dir string // holds a folder for each bucket, and local caches; made when it is needed
	URL string // of buckets that are elsewhere, with {bucket} for the name, such as s3://{bucket}?region=eu-central-1; empty means in Dir
}

// CheckURL says what is wrong with an Options.URL.
func CheckURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(strings.ReplaceAll(text, placeholder, "bucket"))
	switch {
	case err != nil || u.Scheme != "s3" && u.Scheme != "file":
		return errors.New("it must be a URL that begins with s3:// or file://")
	case !strings.Contains(text, placeholder):
		return errors.New("it must hold {bucket}, which stands for a bucket's name")
	}
	return nil
}

const placeholder = "{bucket}"

// A Store keeps objects. Its methods may be called from several goroutines.
type Store struct {
	options Options

	mu      sync.Mutex // guards buckets
	buckets map[string]*gocloud.Bucket
}

// New returns a Store. It opens nothing yet.
func New(o Options) *Store { return &Store{options: o, buckets: map[string]*gocloud.Bucket{}} }

// Close gives back what is open.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, b := range s.buckets {
		err = errors.Join(err, b.Close())
	}
	clear(s.buckets)
	return err
}

// bucketName is what S3 takes, and so can be a folder's name.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$`)

// bucket opens a bucket. One that is a folder is made if make says so; else
// there being none is NotFound.
func (s *Store) bucket(ctx context.Context, name string, make bool) (*gocloud.Bucket, error) {
	if !bucketName.MatchString(name) {
		return nil, fault.New(fault.Invalid, "%q is no bucket's name", name)
	}
	if s.options.URL == "" {
		return s.folder(filepath.Join("buckets", name), make)
	}
	return s.open(ctx, strings.ReplaceAll(s.options.URL, placeholder, name))
}

// folder opens a folder of Dir as a bucket.
func (s *Store) folder(name string, make bool) (*gocloud.Bucket, error) {
	dir := filepath.Join(s.options.Dir, name)
	if _, err := os.Stat(dir); err != nil && !make {
		return nil, fault.New(fault.NotFound, "NoSuchBucket: The specified bucket does not exist")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[dir]; b != nil {
		return b, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Written beside their place, so that a file that is there is whole. Metadata
	// would be in a second file, which is not whole while it is replaced.
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, DirFileMode: 0o700, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, err
	}
	s.buckets[dir] = b
	return b, nil
}

func (s *Store) open(ctx context.Context, at string) (*gocloud.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[at]; b != nil {
		return b, nil
	}
	b, err := gocloud.OpenBucket(context.WithoutCancel(ctx), at)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	s.buckets[at] = b
	return b, nil
}

// place is where an object is.
type place struct {
	bucket *gocloud.Bucket
	name   string // the bucket's, for ARNs; empty for what is in none
	key    string
	folder bool // key is the beginning of the keys of several objects
}

// arn is the object's, empty for one in no bucket.
func (p place) arn(partition string) string {
	if p.name == "" {
		return ""
	}
	return "arn:" + partition + ":s3:::" + path.Join(p.name, p.key)
}

// refusal is an error of a store when we wanted to do something with the object.
// That the store does not let us is for the user to mend, so it is Invalid.
func (p place) refusal(err error, do string) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.PermissionDenied:
		return fault.New(fault.Invalid, "AccessDenied: this server may not %s %s in the bucket %s.", do, p.key, p.name)
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fault.New(fault.NotFound, "NoSuchBucket: The specified bucket does not exist")
	}
	return fmt.Errorf("%s %s: %w", do, p.key, err)
}

// find returns the place of an object that the build's record names.
func (s *Store) find(ctx context.Context, b build.Build, o agentapi.Object, write bool) (place, error) {
	if o.Path != "" && (!filepath.IsLocal(o.Path) || path.Clean(o.Path) != o.Path || strings.Contains(o.Path, "\\")) {
		return place{}, fault.New(fault.Invalid, "%.200q is no path below an object", o.Path)
	}
	var l build.Location
	var err error
	switch o.Kind {
	case agentapi.ArtifactObject:
		l, err = b.ArtifactLocation(o.Identifier, o.Name, o.S3Prefix)
	case agentapi.SourceObject:
		l, err = b.SourceLocation(o.Identifier)
	case agentapi.CertificateObject:
		l, err = b.CertificateLocation()
	case agentapi.BuildspecObject:
		l, err = b.BuildspecLocation()
	case agentapi.CacheObject:
		l, err = b.CacheLocation(o.Version)
	case agentapi.ReportObject:
		l, err = b.ReportLocation(o.Identifier)
	default:
		err = fault.New(fault.Invalid, "Objects of kind %.50q are not kept.", o.Kind)
	}
	if err != nil {
		return place{}, err
	}
	if write && o.Kind != agentapi.ArtifactObject && o.Kind != agentapi.CacheObject && o.Kind != agentapi.ReportObject {
		return place{}, fault.New(fault.Invalid, "A build cannot write its %s.", o.Kind)
	}
	p := place{name: l.Bucket, key: l.Key, folder: l.Folder}
	if l.Bucket == "" {
		p.bucket, err = s.folder("caches", write)
	} else {
		p.bucket, err = s.bucket(ctx, l.Bucket, write)
	}
	if o.Path != "" {
		p.key, p.folder = path.Join(p.key, o.Path), false
	}
	return p, err
}

// Get opens an object. A cache is that of Key, or else the newest whose key
// begins as one of Fallbacks, in their order.
func (s *Store) Get(ctx context.Context, b build.Build, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	var info agentapi.ObjectInfo
	p, err := s.find(ctx, b, o, false)
	if err != nil {
		return nil, info, err
	}
	if o.Kind == agentapi.CacheObject {
		if p.key, info.Key, err = s.newest(ctx, p, o); err != nil {
			return nil, info, err
		}
	}
	r, err := p.bucket.NewReader(ctx, p.key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, info, fault.New(fault.NotFound, "NoSuchKey: The specified key does not exist.")
	}
	if err != nil {
		return nil, info, p.refusal(err, "read")
	}
	info.Size, info.Location = r.Size(), p.arn(b.Partition())
	return r, info, nil
}

// List returns the paths of the objects below a folder.
func (s *Store) List(ctx context.Context, b build.Build, o agentapi.Object) ([]string, error) {
	p, err := s.find(ctx, b, o, false)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSuffix(p.key, "/") + "/"
	if p.key == "" {
		prefix = ""
	}
	var paths []string
	err = each(ctx, p.bucket, prefix, func(f *gocloud.ListObject) error {
		if len(paths) == maxList {
			return fault.New(fault.Invalid, "The folder has more than %d objects.", maxList)
		}
		paths = append(paths, strings.TrimPrefix(f.Key, prefix))
		return nil
	})
	return paths, err
}

// maxList bounds how many objects a folder may have.
const maxList = 100_000

func each(ctx context.Context, b *gocloud.Bucket, prefix string, do func(*gocloud.ListObject) error) error {
	for all := b.List(&gocloud.ListOptions{Prefix: prefix}); ; {
		f, err := all.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		if strings.HasSuffix(f.Key, "/") { // S3's folders that somebody made by hand
			continue
		}
		if err := do(f); err != nil {
			return err
		}
	}
}

// Put stores all of body. A cache with a key that is there already stays as it
// is; anything else is replaced, at once or not at all.
func (s *Store) Put(ctx context.Context, b build.Build, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	var info agentapi.ObjectInfo
	p, err := s.find(ctx, b, o, true)
	if err != nil {
		return info, err
	}
	options := &gocloud.WriterOptions{ContentType: "application/octet-stream", Metadata: map[string]string{"codebuild-buildarn": *b.Public.ARN}}
	if o.Kind == agentapi.CacheObject {
		if err := checkKey(o.Key); err != nil {
			return info, err
		}
		p.key += cacheName(o.Key)
		info.Key = o.Key
		if options.IfNotExist = o.Key != ""; options.IfNotExist {
			if info.Exists, err = p.bucket.Exists(ctx, p.key); err != nil || info.Exists {
				return info, p.refusal(err, "look for")
			}
		}
	}
	if o.MD5 != "" && o.SHA256 != "" {
		sum, err := hex.DecodeString(o.MD5)
		if sha, err2 := hex.DecodeString(o.SHA256); err != nil || err2 != nil || len(sum) != md5.Size || len(sha) != 32 {
			return info, fault.New(fault.Invalid, "The sums of an object are hexadecimal digits.")
		}
		options.ContentMD5 = sum
		options.Metadata["codebuild-content-md5"], options.Metadata["codebuild-content-sha256"] = o.MD5, o.SHA256
	}
	info.Size, err = p.write(ctx, body, options)
	if options.IfNotExist && gcerrors.Code(err) == gcerrors.FailedPrecondition { // another build was first
		return agentapi.ObjectInfo{Key: o.Key, Exists: true}, nil
	}
	if err != nil {
		return info, p.refusal(err, "write")
	}
	info.Location = p.arn(b.Partition())
	return info, nil
}

// write stores all of body, or nothing if it fails.
func (p place) write(ctx context.Context, body io.Reader, options *gocloud.WriterOptions) (int64, error) {
	writing, abort := context.WithCancel(ctx)
	defer abort() // before Close, it throws away what is written
	w, err := p.bucket.NewWriter(writing, p.key, options)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(w, body)
	if err != nil {
		abort()
		_ = w.Close()
		return n, err
	}
	return n, w.Close()
}
