package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/agent/inside"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/fault"
)

// A cache is what a build keeps for later ones, as its buildspec and its project
// say it.
type cache struct {
	paths     []string // patterns, expanded
	object    agentapi.Object
	why       string // why nothing is restored or saved; empty if something is
	unchanged bool   // what was restored has the very key under which it would be saved
}

// restoreCache brings the cache of earlier builds, and says in CodeBuild's words
// and in ours what came of it. It never fails the build.
func (e *engine) restoreCache(ctx context.Context) {
	e.readCache()
	c := &e.cache
	if e.spec.Cache == nil || len(e.spec.Cache.Paths) == 0 {
		e.log.Service("Cache is not defined in the buildspec")
		e.log.Service("Skip cache due to: no paths specified to be cached")
	} else {
		for _, p := range c.paths {
			e.log.Service("Expanded cache path %s", p)
		}
		if c.why != "" {
			e.log.Service("Skip cache due to: %s", c.why)
		}
	}
	if c.why != "" {
		e.cached(event.Cache{Action: event.CacheRestore, Outcome: event.CacheSkipped, Reason: c.why})
		return
	}
	if e.spec.Cache.Action == "save" {
		e.cached(event.Cache{Action: event.CacheRestore, Outcome: event.CacheSkipped, Reason: "the cache's action is save"})
		return
	}
	begin := time.Now()
	told := event.Cache{Action: event.CacheRestore, Key: c.object.Key}
	if e.work.CacheType == api.CacheTypeS3 {
		e.log.Service("Downloading S3 cache...")
	}
	info, answer, err := e.unpackCache(ctx)
	told.Seconds = time.Since(begin).Seconds()
	switch {
	case fault.KindOf(err) == fault.NotFound:
		told.Outcome, told.Reason = event.CacheMiss, "there is none yet"
		if c.object.Key != "" {
			told.Reason = "there is none with this key and these paths"
		}
		if len(c.object.Fallbacks) > 0 {
			told.Reason += ", nor one whose key begins as a fallback key"
		}
	case err != nil:
		told.Outcome, told.Reason = event.CacheFailed, e.cacheFailure(err)
	default:
		told.Outcome = event.CacheHit
		told.Found, told.Packed, told.Files, told.Bytes, told.Skipped = info.Key, info.Size, answer.Files, answer.Bytes, answer.Skipped
		c.unchanged = told.Key != "" && told.Found == told.Key
	}
	e.leftOut(answer)
	e.cached(told)
}

// saveCache keeps the cache for later builds once all commands of the build have
// run, of which failed says whether one failed. What a failed build leaves may
// be half done, and a copy with a key would stay so for good: it is not saved.
func (e *engine) saveCache(ctx context.Context, failed bool) {
	c := &e.cache
	if c.why != "" {
		return // which was said when it was to be restored
	}
	told := event.Cache{Action: event.CacheSave, Outcome: event.CacheSkipped, Key: c.object.Key}
	switch {
	case e.spec.Cache.Action == "restore":
		told.Reason = "the cache's action is restore"
	case failed:
		told.Reason = "the build has failed"
	case c.unchanged:
		told.Reason = "there is one with this key already, which is never changed"
	}
	if told.Reason != "" {
		e.cached(told)
		return
	}
	begin := time.Now()
	if e.work.CacheType == api.CacheTypeS3 {
		e.log.Service("Uploading S3 cache...")
	}
	info, answer, err := e.packCache(ctx)
	told.Seconds = time.Since(begin).Seconds()
	switch {
	case errors.Is(err, errNoFiles):
		told.Reason = "no file matches its paths"
	case err != nil:
		told.Outcome, told.Reason = event.CacheFailed, e.cacheFailure(err)
	case info.Exists:
		told.Reason = "there is one with this key already, which is never changed"
	default:
		told.Outcome, told.Packed, told.Files, told.Bytes, told.Skipped = event.CacheSaved, info.Size, answer.Files, answer.Bytes, answer.Skipped
	}
	if !info.Exists {
		e.matched(answer)
	}
	e.leftOut(answer)
	e.cached(told)
}

// readCache finds out what is to be cached, and whether.
func (e *engine) readCache() {
	c, spec := &e.cache, e.spec.Cache
	if spec == nil || len(spec.Paths) == 0 {
		c.why = "no paths specified to be cached"
		return
	}
	local := e.work.CacheType == api.CacheTypeLocal
	texts, err := e.expand(slices.Concat([]string{spec.Key}, spec.Paths, spec.Fallbacks))
	if err != nil {
		c.why = e.cacheFailure(err)
		return
	}
	n := 1 + len(spec.Paths)
	c.paths = texts[1:n]
	c.object = agentapi.Object{Kind: agentapi.CacheObject}
	switch {
	case e.work.CacheType != api.CacheTypeS3 && !local:
		c.why = "the project has no cache: its cache's type is not S3 or LOCAL"
	case local && !slices.Contains(e.work.CacheModes, api.CacheModeLocalCustomCache):
		c.why = "the project's local cache has no mode LOCAL_CUSTOM_CACHE"
	case spec.Key == "":
	case local:
		e.log.Service("The cache's key is not looked at: a local cache has one copy for each project")
	case texts[0] == "":
		c.why = "its key is empty once the shell has expanded it"
	default:
		c.object.Key = texts[0]
		c.object.Fallbacks = slices.DeleteFunc(texts[n:], func(key string) bool { return key == "" })
		c.object.Version = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(spec.Paths, "\n"))))
	}
}

// cacheRequest is what the place is told of the cache.
func (e *engine) cacheRequest() inside.CacheRequest {
	in := inside.CacheRequest{
		Paths: e.cache.paths, Source: e.home, Directories: e.work.CacheType == api.CacheTypeLocal, Stream: e.w.place(streamFile),
		Roots: []inside.Root{{Name: "src", Dir: e.home}, {Name: "home", Dir: e.homeDirectory()}},
	}
	for _, s := range e.work.SecondarySources {
		in.Roots = append(in.Roots, inside.Root{Name: "src-" + s.Identifier, Dir: e.w.place(sourceDir(e.work.ProjectName, s))})
	}
	return in
}

// cacheFailure says why a cache could not be restored or saved.
func (e *engine) cacheFailure(err error) string {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.message
	}
	if fault.KindOf(err) == fault.Invalid {
		return fault.Message(err)
	}
	return err.Error()
}

// matched says which paths of a saved cache are not what they should be.
func (e *engine) matched(a *inside.CacheAnswer) {
	if a == nil {
		return
	}
	for i, p := range e.cache.paths {
		bare := slices.Contains(a.Bare, i)
		switch {
		case i < len(a.Matched) && a.Matched[i] == 0:
			e.log.Service("Warning: no file matches the cache path %s", p)
		case bare && e.work.CacheType == api.CacheTypeS3:
			e.log.Service("Warning: the cache path %s is a directory. All below it is saved here; CodeBuild itself saves nothing of it, unless you write %s/**/*", p, strings.TrimRight(p, "/"))
		}
	}
}

// leftOut says what was left out of a cache.
func (e *engine) leftOut(a *inside.CacheAnswer) {
	if a == nil {
		return
	}
	for _, note := range a.Notes {
		e.log.Service("%s", note)
	}
	if more := a.Skipped - len(a.Notes); more > 0 {
		e.log.Service("… and %d more", more)
	}
}

// cached writes into the log what became of the cache, and reports it.
func (e *engine) cached(c event.Cache) {
	if e.work.CacheType != api.CacheTypeS3 && e.work.CacheType != api.CacheTypeLocal {
		return
	}
	c.Kind = e.work.CacheType
	text := map[event.CacheOutcome]string{
		event.CacheHit: "Cache restored", event.CacheMiss: "Cache not restored", event.CacheSaved: "Cache saved",
		event.CacheSkipped: "Cache not " + strings.ToLower(string(c.Action)) + "d", event.CacheFailed: "Cache not " + strings.ToLower(string(c.Action)) + "d",
	}[c.Outcome]
	text += fmt.Sprintf(": %s", strings.ToLower(string(c.Outcome)))
	if c.Key != "" {
		text += fmt.Sprintf(", key %s", c.Key)
	}
	if c.Found != "" && c.Found != c.Key {
		text += fmt.Sprintf(", found %s", c.Found)
	}
	if c.Outcome == event.CacheHit || c.Outcome == event.CacheSaved {
		text += fmt.Sprintf(", %d files, %s in an archive of %s", c.Files, megabytes(c.Bytes), megabytes(c.Packed))
	}
	if c.Seconds > 0 {
		text += fmt.Sprintf(", %.2f s", c.Seconds)
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	e.log.Service("%s", text)
	c.Key, c.Found, c.Reason = e.log.Mask(c.Key), e.log.Mask(c.Found), event.Cut(e.log.Mask(c.Reason), event.MaxText)
	e.report.add(event.Event{Cache: &c})
}

func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
