package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// A shelf is a store under test.
type shelf struct {
	*Store
	dir   string // of buckets that are folders
	clock *clock
}

// onBoth runs a test with folders and with an S3-compatible server.
func onBoth(t *testing.T, test func(*testing.T, shelf)) {
	t.Run("folders", func(t *testing.T) {
		dir := t.TempDir()
		s := New(Options{Dir: dir})
		t.Cleanup(func() { _ = s.Close() })
		test(t, shelf{s, dir, &clock{}})
	})
	t.Run("S3", func(t *testing.T) {
		c := &clock{}
		c.at.Store(time.Now().Unix())
		s := New(Options{Dir: t.TempDir(), URL: s3(t, c, nil)})
		t.Cleanup(func() { _ = s.Close() })
		test(t, shelf{s, "", c})
	})
}

// s3 starts an S3 server with the bucket store and returns the URL of buckets
// there. Requests go through before, unless that is nil.
func s3(t *testing.T, c *clock, before func(http.Handler) http.Handler) string {
	t.Helper()
	backend := s3mem.New(s3mem.WithTimeSource(c))
	if err := backend.CreateBucket("store"); err != nil {
		t.Fatal(err)
	}
	handler := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog()), gofakes3.WithTimeSource(c), gofakes3.WithTimeSkewLimit(0)).Server()
	if before != nil {
		handler = before(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	return "s3://{bucket}?region=us-east-1&use_path_style=true&endpoint=" + server.URL
}

// app is a build of the project app.
func app(change func(*build.Build)) build.Build {
	b := build.Build{Scope: arn.Scope{Account: "123456789012", Region: "eu-north-1"}}
	b.Public = api.Build{
		ID: new("app:0b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11"), ARN: new("arn:aws:codebuild:eu-north-1:123456789012:build/app:0b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11"), ProjectName: new("app"),
		Source: &api.ProjectSource{Type: api.SourceTypeS3, Location: new("store/app/")},
		Cache:  &api.ProjectCache{Type: api.CacheTypeS3, Location: new("store/caches")},
	}
	b.State.Artifacts = &api.ProjectArtifacts{Type: api.ArtifactsTypeS3, Location: new("store")}
	if change != nil {
		change(&b)
	}
	return b
}

func (s shelf) put(t *testing.T, b build.Build, o agentapi.Object, text string) agentapi.ObjectInfo {
	t.Helper()
	info, err := s.Put(t.Context(), b, o, strings.NewReader(text))
	if err != nil {
		t.Fatalf("Put(%+v): %v", o, err)
	}
	return info
}

// get returns an object's text, or "none".
func (s shelf) get(t *testing.T, b build.Build, o agentapi.Object) (string, agentapi.ObjectInfo) {
	t.Helper()
	r, info, err := s.Get(t.Context(), b, o)
	if fault.KindOf(err) == fault.NotFound {
		return "none", info
	}
	if err != nil {
		t.Fatalf("Get(%+v): %v", o, err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil || int64(len(text)) != info.Size {
		t.Fatalf("Get(%+v): %d bytes of %d, %v", o, len(text), info.Size, err)
	}
	return string(text), info
}

func TestArtifactsAndSources(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		b := app(nil)
		artifact := agentapi.Object{Kind: agentapi.ArtifactObject}
		for _, path := range []string{"index.html", "css/a b.css", "deep/er/file"} {
			artifact.Path = path
			if info := s.put(t, b, artifact, "of "+path); info.Location != "arn:aws:s3:::store/app/"+path || info.Size != int64(len("of "+path)) {
				t.Errorf("%+v", info)
			}
		}
		// artifacts of one build are the source of another
		source := agentapi.Object{Kind: agentapi.SourceObject}
		paths, err := s.List(t.Context(), b, source)
		slices.Sort(paths)
		if want := []string{"css/a b.css", "deep/er/file", "index.html"}; err != nil || !slices.Equal(paths, want) {
			t.Errorf("List = %v, %v, want %v", paths, err, want)
		}
		source.Path = "css/a b.css"
		if text, _ := s.get(t, b, source); text != "of css/a b.css" {
			t.Errorf("the source is %q", text)
		}
		zip := app(func(b *build.Build) {
			b.State.Artifacts.Packaging, b.State.Artifacts.Name = api.ArtifactPackagingZip, new("app.zip")
		})
		artifact = agentapi.Object{Kind: agentapi.ArtifactObject, MD5: "e4d909c290d0fb1ca068ffaddf22cbd0", SHA256: strings.Repeat("0a", 32)}
		if _, err := s.Put(t.Context(), zip, artifact, strings.NewReader("of another sum")); err == nil {
			t.Error("a ZIP with another sum is taken")
		}
		if artifact.MD5 = "900150983cd24fb0d6963f7d28e17f72"; s.put(t, zip, artifact, "abc").Location != "arn:aws:s3:::store/app.zip" {
			t.Error("a ZIP is elsewhere")
		}
	})
}

func TestObjectsThatAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		b := app(nil)
		kinds := []agentapi.ObjectKind{agentapi.ArtifactObject, agentapi.SourceObject}
		for _, path := range []string{"../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/", "..", `a\..\b`} {
			for _, kind := range kinds {
				o := agentapi.Object{Kind: kind, Path: path}
				_, putErr := s.Put(t.Context(), b, o, strings.NewReader("x"))
				_, _, getErr := s.Get(t.Context(), b, o)
				if fault.KindOf(putErr) != fault.Invalid || fault.KindOf(getErr) != fault.Invalid {
					t.Errorf("%s %q: %v, %v", kind, path, putErr, getErr)
				}
			}
		}
		for name, o := range map[string]agentapi.Object{
			"a source": {Kind: agentapi.SourceObject, Path: "x"}, "nothing": {}, "another kind": {Kind: "secret"},
			"an artifact's name that leads out": {Kind: agentapi.ArtifactObject, Name: "../../x"},
			"a cache's version that leads out":  {Kind: agentapi.CacheObject, Key: "k", Version: "../.."},
			"a cache's key that is too long":    {Kind: agentapi.CacheObject, Key: strings.Repeat("/", 100)},
		} {
			named := app(func(b *build.Build) { b.State.Artifacts.OverrideArtifactName = new(true) })
			if _, err := s.Put(t.Context(), named, o, strings.NewReader("x")); fault.KindOf(err) != fault.Invalid {
				t.Errorf("writing %s: %v", name, err)
			}
		}
		for _, bucket := range []string{"../x", "..", ".", "a", "x/../..", "sto re", "-"} {
			bad := app(func(b *build.Build) { b.Public.Cache.Location = &bucket })
			if _, err := s.Put(t.Context(), bad, agentapi.Object{Kind: agentapi.CacheObject}, strings.NewReader("x")); bucket != "x/../.." && fault.KindOf(err) != fault.Invalid {
				t.Errorf("a bucket %q: %v", bucket, err)
			}
		}
		if s.dir != "" {
			entries, err := os.ReadDir(filepath.Dir(s.dir))
			if err != nil || len(entries) != 1 {
				t.Errorf("beside the folder there is %v, %v", entries, err)
			}
		}
		if text, _ := s.get(t, b, agentapi.Object{Kind: agentapi.SourceObject, Path: "none"}); text != "none" {
			t.Errorf("there is %q", text)
		}
		missing := app(func(b *build.Build) { b.Public.Source.Location = new("missing-bucket/x/") })
		if _, _, err := s.Get(t.Context(), missing, agentapi.Object{Kind: agentapi.SourceObject, Path: "x"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a bucket that is not there: %v", err)
		}
	})
}

func TestCaches(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		b := app(nil)
		plain := agentapi.Object{Kind: agentapi.CacheObject}
		if text, _ := s.get(t, b, plain); text != "none" {
			t.Errorf("there is %q", text)
		}
		for _, text := range []string{"one", "two"} {
			if info := s.put(t, b, plain, text); info.Exists || info.Size != 3 {
				t.Errorf("%+v", info)
			}
			if got, _ := s.get(t, b, plain); got != text {
				t.Errorf("the cache is %q, want %q", got, text)
			}
		}
		version := strings.Repeat("0f", 32)
		key := func(key string, fallbacks ...string) agentapi.Object {
			return agentapi.Object{Kind: agentapi.CacheObject, Key: key, Fallbacks: fallbacks, Version: version}
		}
		odd := "go/../ä b%2F*?#" // every key is a key
		for _, k := range []string{"go-1", odd, "go-main-1"} {
			if info := s.put(t, b, key(k), "of "+k); info.Exists || info.Key != k {
				t.Errorf("%+v", info)
			}
			s.later(t)
		}
		if info := s.put(t, b, key("go-1"), "another"); !info.Exists {
			t.Errorf("a copy is replaced: %+v", info)
		}
		for _, c := range []struct {
			o           agentapi.Object
			text, found string
		}{
			{key("go-1"), "of go-1", "go-1"}, {key(odd), "of " + odd, odd}, {key("go-2"), "none", ""}, {key("go"), "none", ""},
			{key("go-2", "java-", "go-"), "of go-main-1", "go-main-1"}, {key("go-2", "go/.."), "of " + odd, odd}, {key("go-1", "go-main-"), "of go-1", "go-1"},
			{agentapi.Object{Kind: agentapi.CacheObject, Key: "go-1", Version: strings.Repeat("1f", 32)}, "none", ""},
			{agentapi.Object{Kind: agentapi.CacheObject, Fallbacks: []string{"go-"}}, "two", ""},
		} {
			if text, info := s.get(t, b, c.o); text != c.text || info.Key != c.found {
				t.Errorf("%q or %q: %q of %q, want %q of %q", c.o.Key, c.o.Fallbacks, text, info.Key, c.text, c.found)
			}
		}
		other := app(func(b *build.Build) { b.Public.ProjectName = new("other") })
		shared := func(name string) build.Build {
			return app(func(b *build.Build) { b.Public.ProjectName, b.Public.Cache.CacheNamespace = &name, new("team") })
		}
		s.put(t, shared("app"), plain, "the team's")
		if text, _ := s.get(t, other, plain); text != "none" {
			t.Errorf("another project reads %q", text)
		}
		if text, _ := s.get(t, shared("other"), plain); text != "the team's" {
			t.Errorf("the same namespace holds %q", text)
		}
	})
}

// A clock is the S3 server's: HTTP has whole seconds only.
type clock struct{ at atomic.Int64 }

func (c *clock) Now() time.Time                  { return time.Unix(c.at.Load(), 0) }
func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// later makes the objects that are there a minute older.
func (s shelf) later(t *testing.T) {
	t.Helper()
	s.clock.at.Add(60)
	if s.dir == "" {
		return
	}
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chtimes(path, time.Time{}, info.ModTime().Add(-time.Minute))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestACacheOfTheMachine(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		local := app(func(b *build.Build) {
			b.Public.Cache = &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalCustomCache}}
		})
		o := agentapi.Object{Kind: agentapi.CacheObject}
		if info := s.put(t, local, o, "here"); info.Location != "" {
			t.Errorf("it is in %s", info.Location)
		}
		if text, _ := s.get(t, local, o); text != "here" {
			t.Errorf("the cache is %q", text)
		}
	})
}

// Whoever reads gets an old copy or a new one, and of those who write under one
// key the first wins.
func TestCachesOfBuildsAtTheSameTime(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		b := app(nil)
		plain, keyed := agentapi.Object{Kind: agentapi.CacheObject}, agentapi.Object{Kind: agentapi.CacheObject, Key: "k", Version: strings.Repeat("0f", 32)}
		text := func(n int) string { return strings.Repeat(fmt.Sprintf("%04d ", n), 50_000) }
		whole := func(got string) bool { return len(got) == 250_000 && strings.Count(got, got[:5]) == 50_000 }
		s.put(t, b, plain, text(0))
		var mu sync.Mutex
		stored := 0
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for range 3 {
					r, _, err := s.Get(t.Context(), b, plain)
					if err != nil {
						t.Error(err)
						return
					}
					got, err := io.ReadAll(r)
					r.Close()
					if err != nil || !whole(string(got)) {
						t.Errorf("%d bytes are read, %v", len(got), err)
					}
				}
			})
			all.Go(func() {
				if _, err := s.Put(t.Context(), b, plain, strings.NewReader(text(n))); err != nil {
					t.Error(err)
				}
				info, err := s.Put(t.Context(), b, keyed, strings.NewReader(text(n)))
				if err != nil {
					t.Error(err)
				}
				if !info.Exists {
					mu.Lock()
					defer mu.Unlock()
					stored++
				}
			})
		}
		all.Wait()
		if got, _ := s.get(t, b, keyed); !whole(got) || stored != 1 {
			t.Errorf("%d of them stored, %d bytes are there", stored, len(got))
		}
	})
}

func TestAPutThatBreaksOff(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		b := app(nil)
		for _, o := range []agentapi.Object{{Kind: agentapi.CacheObject}, {Kind: agentapi.CacheObject, Key: "k", Version: "0f"}} {
			lost := errors.New("the agent is gone")
			_, err := s.Put(t.Context(), b, o, io.MultiReader(bytes.NewReader(make([]byte, 6<<20)), failing{lost}))
			if !errors.Is(err, lost) {
				t.Errorf("Put = %v", err)
			}
			if text, _ := s.get(t, b, o); text != "none" {
				t.Errorf("%d bytes are there", len(text))
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := s.Put(ctx, b, o, strings.NewReader("x")); err == nil {
				t.Error("a Put that is cancelled succeeds")
			}
			if text, _ := s.get(t, b, o); text != "none" {
				t.Errorf("after that, %q is there", text)
			}
		}
		if s.dir != "" {
			_ = filepath.WalkDir(s.dir, func(path string, d os.DirEntry, _ error) error {
				if !d.IsDir() {
					t.Errorf("%s is left", path)
				}
				return nil
			})
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestForgetCaches(t *testing.T) {
	onBoth(t, func(t *testing.T, s shelf) {
		of := func(name string) build.Build {
			return app(func(b *build.Build) { b.Public.ProjectName, b.Public.Cache.Location = &name, new("store") })
		}
		plain, keyed := agentapi.Object{Kind: agentapi.CacheObject}, agentapi.Object{Kind: agentapi.CacheObject, Key: "k", Version: strings.Repeat("0f", 32)}
		artifact := agentapi.Object{Kind: agentapi.ArtifactObject, Path: "index.html"}
		forget := func(b build.Build) {
			t.Helper()
			p := project.Project{Scope: b.Scope, Public: api.Project{Name: b.Public.ProjectName, Cache: b.Public.Cache}}
			if err := s.ForgetCaches(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		forget(of("app")) // which has none
		for _, name := range []string{"app", "app2"} {
			s.put(t, of(name), plain, "plain")
			s.put(t, of(name), keyed, "keyed")
			s.put(t, of(name), artifact, "page") // in the same bucket
		}
		forget(of("app"))
		for name, want := range map[string][3]string{"app": {"none", "none", "page"}, "app2": {"plain", "keyed", "page"}} {
			for i, o := range []agentapi.Object{plain, keyed, {Kind: agentapi.SourceObject, Path: "index.html"}} {
				b := of(name)
				b.Public.Source.Location = new("store/" + name + "/")
				if text, _ := s.get(t, b, o); text != want[i] {
					t.Errorf("%s: %s %q is %q, want %q", name, o.Kind, o.Key, text, want[i])
				}
			}
		}
		local := app(func(b *build.Build) {
			b.Public.Cache = &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalCustomCache}}
		})
		forget(local)
		s.put(t, local, plain, "here")
		forget(local)
		if text, _ := s.get(t, local, plain); text != "none" {
			t.Errorf("on the machine there is %q", text)
		}
		forget(app(func(b *build.Build) { b.Public.Cache = &api.ProjectCache{Type: api.CacheTypeNoCache} }))
	})
}

func TestAStoreThatRefuses(t *testing.T) {
	s := New(Options{Dir: t.TempDir(), URL: s3(t, &clock{}, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		})
	})})
	defer s.Close()
	for _, o := range []agentapi.Object{{Kind: agentapi.CacheObject}, {Kind: agentapi.CacheObject, Key: "k"}, {Kind: agentapi.ArtifactObject, Path: "x"}} {
		_, err := s.Put(t.Context(), app(nil), o, strings.NewReader("x"))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "AccessDenied: this server may not ") {
			t.Errorf("Put(%+v) = %v", o, err)
		}
	}
	if _, _, err := s.Get(t.Context(), app(nil), agentapi.Object{Kind: agentapi.CacheObject}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("Get = %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for _, ok := range []string{"", "s3://{bucket}?region=eu-central-1", "file:///srv/{bucket}"} {
		if err := CheckURL(ok); err != nil {
			t.Errorf("CheckURL(%q) = %v", ok, err)
		}
	}
	for _, bad := range []string{"s3://bucket", "http://{bucket}", "{bucket}", "s3://{bucket}\x00"} {
		if CheckURL(bad) == nil {
			t.Errorf("CheckURL(%q) is fine", bad)
		}
	}
}
