package blob

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// A cache is an object below what build.CacheLocation returns: one without a
// key, and one for each key that was saved.
const (
	keyless   = "cache.tar.zst"
	keyBegin  = "key-"
	keyEnd    = ".tar.zst"
	maxKeyLen = 200 // bytes, escaped: a file's name has at most 255
)

// ours are the names of caches below the place of all of a project's.
var ours = regexp.MustCompile(`^(cache\.tar\.zst|[0-9a-f]{64}/key-[^/]*\.tar\.zst)$`)

// cacheName is the end of a cache's key in its bucket. Keys of buildspecs may
// hold anything.
func cacheName(key string) string {
	if key == "" {
		return keyless
	}
	return keyBegin + url.PathEscape(key) + keyEnd
}

func checkKey(key string) error {
	if n := len(url.PathEscape(key)); n > maxKeyLen {
		return fault.New(fault.Invalid, "The key of a cache has %d bytes, at most %d are possible.", n, maxKeyLen)
	}
	return nil
}

// newest returns which cache serves o, and under which key it was saved.
func (s *Store) newest(ctx context.Context, p place, o agentapi.Object) (name, key string, err error) {
	if err := checkKey(o.Key); err != nil {
		return "", "", err
	}
	exact := p.key + cacheName(o.Key)
	there, err := p.bucket.Exists(ctx, exact)
	if err != nil {
		return "", "", p.refusal(err, "look for caches at")
	}
	if there {
		return exact, o.Key, nil
	}
	if o.Key != "" {
		for _, begin := range o.Fallbacks {
			var best *gocloud.ListObject
			err := each(ctx, p.bucket, p.key+keyBegin+url.PathEscape(begin), func(f *gocloud.ListObject) error {
				if best == nil || f.ModTime.After(best.ModTime) {
					best = f
				}
				return nil
			})
			if err != nil {
				return "", "", p.refusal(err, "list caches at")
			}
			if best == nil {
				continue
			}
			escaped := strings.TrimSuffix(strings.TrimPrefix(best.Key, p.key+keyBegin), keyEnd)
			if key, err = url.PathUnescape(escaped); err == nil {
				return best.Key, key, nil
			}
		}
	}
	return "", "", fault.New(fault.NotFound, "There is no such cache.")
}

// ForgetCaches removes all caches of a project, with keys and without. Those
// that it shares with others are gone for them, too. A project without a cache
// of files has none. A build that is under way may still save its own.
func (s *Store) ForgetCaches(ctx context.Context, p project.Project) error {
	c := p.Public.Cache
	if c == nil || c.Type != api.CacheTypeS3 && !build.CachesDirectories(c) {
		return nil
	}
	l, err := build.CacheLocation(p.Scope, *p.Public.Name, c, "")
	if err != nil {
		return err
	}
	at := place{name: l.Bucket, key: l.Key}
	if l.Bucket == "" {
		at.bucket, err = s.folder("caches", false)
	} else {
		at.bucket, err = s.bucket(ctx, l.Bucket, false)
	}
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	var names []string
	err = each(ctx, at.bucket, at.key, func(f *gocloud.ListObject) error {
		if ours.MatchString(strings.TrimPrefix(f.Key, at.key)) { // artifacts may be there, too
			names = append(names, f.Key)
		}
		return nil
	})
	if gcerrors.Code(err) == gcerrors.NotFound { // a bucket that nobody has made yet
		return nil
	}
	if err != nil {
		return at.refusal(err, "list caches at")
	}
	for _, name := range names {
		if err := at.bucket.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return at.refusal(err, "remove caches at")
		}
	}
	return nil
}
