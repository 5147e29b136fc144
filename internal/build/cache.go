package build

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build/event"
	"slipway/internal/fault"
)

// applyCache records what became of the build's cache: restored while sources
// are downloaded, saved after the commands of POST_BUILD.
func (b *Build) applyCache(c event.Cache) error {
	in, outcomes := downloadSource, []event.CacheOutcome{event.CacheHit, event.CacheMiss}
	switch c.Action {
	case event.CacheRestore:
	case event.CacheSave:
		in, outcomes = postBuild, []event.CacheOutcome{event.CacheSaved}
	default:
		return fault.New(fault.Invalid, "a cache is restored or saved")
	}
	switch {
	case b.current() != in:
		return fault.New(fault.Invalid, "in %s no cache can %s", b.current(), strings.ToLower(string(c.Action)))
	case !slices.Contains(append(outcomes, event.CacheSkipped, event.CacheFailed), c.Outcome):
		return fault.New(fault.Invalid, "no cache can end like that")
	case b.Public.Cache == nil || b.Public.Cache.Type == api.CacheTypeNoCache:
		return fault.New(fault.Invalid, "the build has no cache")
	case len(b.State.Caches) == event.MaxCaches:
		return fault.New(fault.Invalid, "a build has at most %d such events", event.MaxCaches)
	}
	b.State.Caches = append(slices.Clone(b.State.Caches), event.Cache{
		Action: c.Action, Outcome: c.Outcome, Kind: b.Public.Cache.Type,
		Key: event.Cut(c.Key, maxKey), Found: event.Cut(c.Found, maxKey),
		Files: max(0, c.Files), Bytes: max(0, c.Bytes), Packed: max(0, c.Packed), Skipped: max(0, c.Skipped),
		Seconds: max(0, c.Seconds), Reason: event.Cut(c.Reason, event.MaxText),
	})
	return nil
}

// CacheLocation returns the beginning of the keys of the build's caches: see
// CacheLocation, the function.
func (b Build) CacheLocation(version string) (Location, error) {
	return CacheLocation(b.Scope, text(b.Public.ProjectName), b.Public.Cache, version)
}

// CacheLocation returns the beginning of the keys of the caches of a project:
// version tells those of other paths apart, and "" is the beginning of all.
// Builds of one project share caches, and in S3 those of all projects with the
// same bucket, prefix and cacheNamespace. It is Invalid if the project has no
// cache of files.
func CacheLocation(scope arn.Scope, project string, c *api.ProjectCache, version string) (Location, error) {
	if c == nil || c.Type != api.CacheTypeS3 && !CachesDirectories(c) {
		return Location{}, fault.New(fault.Invalid, "The build has no cache.")
	}
	if strings.Trim(version, "0123456789abcdef") != "" || len(version) > 64 {
		return Location{}, fault.New(fault.Invalid, "The version of a cache is hexadecimal digits.")
	}
	owner, l := project, Location{}
	if c.Type == api.CacheTypeS3 {
		l = object(text(c.Location))
		if n := text(c.CacheNamespace); n != "" {
			owner = "@" + url.PathEscape(n) // which is no project's name
		}
	} else {
		l.Key = path.Join(scope.Account, scope.Region)
	}
	l.Key = strings.TrimPrefix(path.Join(l.Key, owner, version)+"/", "/")
	return l, nil
}

// CachesDirectories reports whether a cache is one on the machine itself, of
// directories that the buildspec names.
func CachesDirectories(c *api.ProjectCache) bool {
	return c != nil && c.Type == api.CacheTypeLocal && slices.Contains(c.Modes, api.CacheModeLocalCustomCache)
}
