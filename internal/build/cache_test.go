package build_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/fault"
)

func TestWhatBecameOfTheCacheIsKept(t *testing.T) {
	did := func(action event.CacheAction, outcome event.CacheOutcome) event.Event {
		return event.Event{Cache: &event.Cache{Action: action, Outcome: outcome, Kind: "LOCAL", Key: strings.Repeat("k", 3000), Files: -1, Bytes: 5, Seconds: 1.5}}
	}
	b := begun(t)
	apply(t, &b, enter(6, "DOWNLOAD_SOURCE"))
	if err := b.Apply(did("RESTORE", "HIT"), at(7)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a cache of a build without: %v", err)
	}
	b.Public.Cache = &api.ProjectCache{Type: api.CacheTypeS3, Location: new("bucket")}
	refused := func(e event.Event) {
		t.Helper()
		before := string(encoded(t, b))
		if err := b.Apply(e, at(20)); fault.KindOf(err) != fault.Invalid || string(encoded(t, b)) != before {
			t.Errorf("%+v in %s: %v", *e.Cache, *b.Public.CurrentPhase, err)
		}
	}
	for _, e := range []event.Event{did("SAVE", "SAVED"), did("RESTORE", "SAVED"), did("RESTORE", "LOST"), did("", "HIT"), did("KEEP", "SAVED")} {
		refused(e)
	}
	apply(t, &b, did("RESTORE", "MISS"), leave(8, "SUCCEEDED"))
	apply(t, &b, passing(9, "INSTALL", "PRE_BUILD", "BUILD")...)
	apply(t, &b, enter(14, "POST_BUILD"))
	refused(did("RESTORE", "HIT"))
	refused(did("SAVE", "MISS"))
	apply(t, &b, did("SAVE", "FAILED"))
	want := []event.Cache{
		{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Key: strings.Repeat("k", 2048), Bytes: 5, Seconds: 1.5},
		{Action: "SAVE", Outcome: "FAILED", Kind: "S3", Key: strings.Repeat("k", 2048), Bytes: 5, Seconds: 1.5},
	}
	if diff := cmp.Diff(want, b.State.Caches); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	for range event.MaxCaches - 2 {
		apply(t, &b, did("SAVE", "SKIPPED"))
	}
	refused(did("SAVE", "SKIPPED"))
}

func TestCacheLocation(t *testing.T) {
	scope := arn.Scope{Account: "123456789012", Region: "eu-north-1"}
	s3 := func(location, namespace string) *api.ProjectCache {
		return &api.ProjectCache{Type: api.CacheTypeS3, Location: &location, CacheNamespace: &namespace}
	}
	for _, c := range []struct {
		name    string
		cache   *api.ProjectCache
		version string
		want    build.Location
	}{
		{"a bucket", s3("store", ""), "", build.Location{Bucket: "store", Key: "app/"}},
		{"a bucket's ARN and a prefix", s3("arn:aws:s3:::store/a/b", ""), "0f", build.Location{Bucket: "store", Key: "a/b/app/0f/"}},
		{"a namespace", s3("store/a", "team x/y"), "", build.Location{Bucket: "store", Key: "a/@team%20x%2Fy/"}},
		{"a namespace that is called as a project", s3("store", "app"), "", build.Location{Bucket: "store", Key: "@app/"}},
		{"a namespace that would lead out", s3("store/a", "../../b"), "", build.Location{Bucket: "store", Key: "a/@..%2F..%2Fb/"}},
		{"on the machine", &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalCustomCache}}, "", build.Location{Key: "123456789012/eu-north-1/app/"}},
	} {
		got, err := build.CacheLocation(scope, "app", c.cache, c.version)
		got.Folder = false
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		cache   *api.ProjectCache
		version string
	}{
		"none": {}, "no cache": {cache: &api.ProjectCache{Type: api.CacheTypeNoCache}}, "no directories": {cache: &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalSourceCache}}},
		"a version that leads out": {s3("store", ""), "../0"}, "a long version": {s3("store", ""), strings.Repeat("0", 65)},
	} {
		if l, err := build.CacheLocation(scope, "app", c.cache, c.version); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}
