package agent_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A cellar keeps caches as a server does.
type cellar struct {
	agentapi.Backend // for what no test asks of it

	mu     sync.Mutex // guards what follows
	caches map[string][]byte
	asked  []agentapi.Object
	refuse error // of Put
	short  int   // bytes less than all that Get sends before it breaks off
}

func (c *cellar) Get(_ context.Context, _ string, _ secret.Text, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, o)
	for _, key := range append([]string{o.Key}, o.Fallbacks...) {
		if text, ok := c.caches[o.Version+key]; ok {
			var r io.Reader = bytes.NewReader(text)
			if c.short > 0 {
				r = io.MultiReader(bytes.NewReader(text[:max(0, len(text)-c.short)]), broken{})
			}
			return io.NopCloser(r), agentapi.ObjectInfo{Size: int64(len(text)), Key: key}, nil
		}
	}
	return nil, agentapi.ObjectInfo{}, fault.New(fault.NotFound, "There is no such cache.")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is broken") }

func (c *cellar) Put(_ context.Context, _ string, _ secret.Text, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return agentapi.ObjectInfo{}, c.refuse
	}
	name := o.Version + o.Key
	if _, ok := c.caches[name]; ok && o.Key != "" {
		return agentapi.ObjectInfo{Key: o.Key, Exists: true}, nil
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return agentapi.ObjectInfo{}, err
	}
	if c.caches == nil {
		c.caches = map[string][]byte{}
	}
	c.caches[name] = text
	return agentapi.ObjectInfo{Key: o.Key, Size: int64(len(text))}, nil
}

// withCellar gives the server a cellar.
func withCellar(c *cellar) func(*agentProcess) { return func(a *agentProcess) { a.server.Backend = c } }

func (a *agentProcess) caches() []event.Cache {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.build.State.Caches
}

// ledger compares events but for what differs between two runs.
func ledger(t *testing.T, a *agentProcess, want ...event.Cache) {
	t.Helper()
	if diff := cmp.Diff(want, a.caches(), cmpopts.IgnoreFields(event.Cache{}, "Packed", "Seconds")); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s\n%s", diff, a.text())
	}
}

func says(t *testing.T, log string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(log, w) {
			t.Errorf("the log lacks %q:\n%s", w, log)
		}
	}
}

func withS3(spec string) agentapi.Work {
	work := inline(spec)
	work.CacheType = api.CacheTypeS3
	return work
}

const cachingSpec = `
version: 0.2
phases:
  build:
    commands:
      - if [ -e deps/lib/code ]; then echo found $(cat deps/lib/code) $(cat $HOME/.tool/conf); stat -c %Y deps/lib/code; else echo nothing there; fi
      - mkdir -p deps/lib deps/bin $HOME/.tool; echo v$((20+1)) > deps/lib/code; ln -sf ../lib/code deps/bin/code; echo conf > $HOME/.tool/conf; touch -d @1600000000 deps/lib/code
cache:
  paths: [deps/**/*, '$HOME/.tool/**/*', nothing/**/*]
`

func TestACacheOfTheProject(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		c := &cellar{}
		a, log := run(t, box, withS3(cachingSpec), withCellar(c))
		says(t, log, "\nnothing there\n", "Expanded cache path deps/**/*\n", "Downloading S3 cache...\n", "Cache not restored: miss, ", ": there is none yet\n",
			"Uploading S3 cache...\n", "Warning: no file matches the cache path nothing/**/*\n", "Cache saved: saved, 3 files, 0.0 kB in an archive of ")
		if up, done := strings.Index(log, "Uploading S3 cache..."), strings.Index(log, "Phase complete: POST_BUILD"); up < strings.Index(log, "Entering phase POST_BUILD") || up > done {
			t.Errorf("the cache is uploaded outside of POST_BUILD:\n%s", log)
		}
		ledger(t, a, event.Cache{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Reason: "there is none yet"},
			event.Cache{Action: "SAVE", Outcome: "SAVED", Kind: "S3", Files: 3, Bytes: 9})

		a, log = run(t, box, withS3(cachingSpec), withCellar(c))
		says(t, log, "Unarchiving cache...\n", "Cache restored: hit, 3 files, ", "\nfound v21 conf\n", "\n1600000000\n")
		if down := strings.Index(log, "Downloading S3 cache..."); down < strings.Index(log, "Moving to directory") || down > strings.Index(log, "Registering with agent") {
			t.Errorf("the cache is restored elsewhere:\n%s", log)
		}
		ledger(t, a, event.Cache{Action: "RESTORE", Outcome: "HIT", Kind: "S3", Files: 3, Bytes: 9},
			event.Cache{Action: "SAVE", Outcome: "SAVED", Kind: "S3", Files: 3, Bytes: 9})
		if c.asked[0].Version != "" || a.status() != api.StatusTypeSucceeded {
			t.Errorf("asked for %+v; %s", c.asked, a.status())
		}
	})
}

func TestACacheWithKeys(t *testing.T) {
	spec := func(key, more string) string {
		return "version: 0.2\nphases:\n  build:\n    commands:\n      - if [ -e d/f ]; then echo has $(cat d/f); fi; mkdir -p d; echo of " + key + " > d/f\n" +
			"cache:\n  key: '" + key + "'\n  paths: [d/**/*]\n" + more
	}
	c := &cellar{}
	hit := func(key, found string, more ...event.Cache) []event.Cache {
		return append([]event.Cache{{Action: "RESTORE", Outcome: "HIT", Kind: "S3", Key: key, Found: found, Files: 1, Bytes: int64(len(found) + 4)}}, more...)
	}
	const never = "there is one with this key already, which is never changed"
	a, _ := run(t, agentapi.Sandbox{}, withS3(spec("a-$(echo one)", "")), withCellar(c))
	ledger(t, a, event.Cache{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Key: "a-one", Reason: "there is none with this key and these paths"},
		event.Cache{Action: "SAVE", Outcome: "SAVED", Kind: "S3", Key: "a-one", Files: 1, Bytes: 9})
	if v := c.asked[0].Version; len(v) != 64 {
		t.Errorf("version = %q", v)
	}
	a, log := run(t, agentapi.Sandbox{}, withS3(spec("a-one", "")), withCellar(c))
	ledger(t, a, hit("a-one", "a-one", event.Cache{Action: "SAVE", Outcome: "SKIPPED", Kind: "S3", Key: "a-one", Reason: never})...)
	says(t, log, "\nhas of a-one\n", "Cache not saved: skipped, key a-one: "+never)
	if strings.Contains(log, "Uploading") {
		t.Errorf("it is uploaded all the same:\n%s", log)
	}
	a, _ = run(t, agentapi.Sandbox{}, withS3(spec("a-two", "  fallback-keys: ['$UNSET', a-one]\n")), withCellar(c))
	ledger(t, a, hit("a-two", "a-one", event.Cache{Action: "SAVE", Outcome: "SAVED", Kind: "S3", Key: "a-two", Files: 1, Bytes: 9})...)
	a, _ = run(t, agentapi.Sandbox{}, withS3(spec("a-two", "  action: save\n")), withCellar(c)) // which exists
	ledger(t, a, event.Cache{Action: "RESTORE", Outcome: "SKIPPED", Kind: "S3", Reason: "the cache's action is save"},
		event.Cache{Action: "SAVE", Outcome: "SKIPPED", Kind: "S3", Key: "a-two", Reason: never})
	a, _ = run(t, agentapi.Sandbox{}, withS3(spec("a-three", "  action: restore\n")), withCellar(c))
	ledger(t, a, event.Cache{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Key: "a-three", Reason: "there is none with this key and these paths"},
		event.Cache{Action: "SAVE", Outcome: "SKIPPED", Kind: "S3", Key: "a-three", Reason: "the cache's action is restore"})
	a, log = run(t, agentapi.Sandbox{}, withS3(spec("$UNSET", "")), withCellar(c))
	ledger(t, a, event.Cache{Action: "RESTORE", Outcome: "SKIPPED", Kind: "S3", Reason: "its key is empty once the shell has expanded it"})
	says(t, log, "Skip cache due to: its key is empty")
}

func TestCachesThatAreNotKept(t *testing.T) {
	const commands = "version: 0.2\nphases:\n  build:\n    commands:\n      - mkdir -p d && echo x > d/f\n"
	const block = "cache:\n  paths: [d]\n"
	for _, c := range []struct {
		name   string
		work   agentapi.Work
		cellar *cellar
		want   []event.Cache
		log    string
		failed bool
	}{
		{name: "no block", work: withS3(commands), want: []event.Cache{{Action: "RESTORE", Outcome: "SKIPPED", Kind: "S3", Reason: "no paths specified to be cached"}}, log: "Cache is not defined in the buildspec\n"},
		{name: "no paths", work: withS3(commands + "cache: {key: x}\n"), want: []event.Cache{{Action: "RESTORE", Outcome: "SKIPPED", Kind: "S3", Reason: "no paths specified to be cached"}}, log: "Skip cache due to: no paths specified to be cached\n"},
		{name: "a project without one", work: inline(commands + block), log: "Skip cache due to: the project has no cache"},
		{name: "a failed build", work: withS3(commands + "      - false\n" + block), failed: true, want: []event.Cache{
			{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Reason: "there is none yet"}, {Action: "SAVE", Outcome: "SKIPPED", Kind: "S3", Reason: "the build has failed"}}},
		{name: "nothing there", work: withS3(commands + "cache:\n  paths: [e/**/*]\n"), log: "Warning: no file matches the cache path e/**/*\n", want: []event.Cache{
			{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Reason: "there is none yet"}, {Action: "SAVE", Outcome: "SKIPPED", Kind: "S3", Reason: "no file matches its paths"}}},
		{name: "a pattern that is none", work: withS3(commands + "cache:\n  paths: ['d/{']\n"), want: []event.Cache{
			{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Reason: "there is none yet"}, {Action: "SAVE", Outcome: "FAILED", Kind: "S3", Reason: `"{" is no pattern: a bracket or brace is not closed`}}},
		{name: "a server that refuses", work: withS3(commands + block), cellar: &cellar{refuse: fault.New(fault.Invalid, "The bucket is not yours.")}, want: []event.Cache{
			{Action: "RESTORE", Outcome: "MISS", Kind: "S3", Reason: "there is none yet"}, {Action: "SAVE", Outcome: "FAILED", Kind: "S3", Reason: "The bucket is not yours."}}},
		{name: "a cache that is none", work: withS3(commands + block), cellar: &cellar{caches: map[string][]byte{"": []byte("gibberish")}}, want: []event.Cache{
			{Action: "RESTORE", Outcome: "FAILED", Kind: "S3", Reason: "the cache is damaged: invalid input: magic number mismatch"}, {Action: "SAVE", Outcome: "SAVED", Kind: "S3", Files: 1, Bytes: 2}},
			log: "Warning: the cache path d is a directory. All below it is saved here; CodeBuild itself saves nothing of it, unless you write d/**/*\n"},
		{name: "a local cache without the mode", work: func() agentapi.Work {
			w := inline(commands + block)
			w.CacheType, w.CacheModes = api.CacheTypeLocal, []api.CacheMode{api.CacheModeLocalDockerLayerCache}
			return w
		}(), want: []event.Cache{{Action: "RESTORE", Outcome: "SKIPPED", Kind: "LOCAL", Reason: "the project's local cache has no mode LOCAL_CUSTOM_CACHE"}}},
		{name: "a local cache has no keys", work: func() agentapi.Work {
			w := inline(commands + block + "  key: k\n")
			w.CacheType, w.CacheModes = api.CacheTypeLocal, []api.CacheMode{api.CacheModeLocalCustomCache}
			return w
		}(), log: "The cache's key is not looked at", want: []event.Cache{
			{Action: "RESTORE", Outcome: "MISS", Kind: "LOCAL", Reason: "there is none yet"}, {Action: "SAVE", Outcome: "SAVED", Kind: "LOCAL", Files: 1, Bytes: 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.cellar == nil {
				c.cellar = &cellar{}
			}
			a, log := run(t, agentapi.Sandbox{}, c.work, withCellar(c.cellar))
			ledger(t, a, c.want...)
			says(t, log, c.log)
			if failed := a.status() != api.StatusTypeSucceeded; failed != c.failed {
				t.Errorf("the build ends %s:\n%s", a.status(), log)
			}
		})
	}
}

// A cache that breaks off is told from a whole one, and a secret in a key is
// not told at all.
func TestACacheThatBreaksOff(t *testing.T) {
	c := &cellar{}
	spec := strings.Replace(cachingSpec, "mkdir -p deps/lib", "mkdir -p deps/lib; head -c 300000 /dev/urandom > deps/noise; mkdir -p", 1)
	spec = strings.Replace(spec, "cache:\n", "cache:\n  key: 'k-hunter2secret'\n", 1)
	run(t, agentapi.Sandbox{}, withS3(spec), withCellar(c))
	c.short = 30
	a, log := run(t, agentapi.Sandbox{}, withS3(spec), withCellar(c), masking("hunter2secret"))
	got := a.caches()
	if len(got) != 2 || got[0].Outcome != event.CacheFailed || got[0].Reason == "" || got[1].Reason == "" || a.status() != api.StatusTypeSucceeded {
		t.Errorf("%+v, %s\n%s", got, a.status(), log)
	}
	if text := got[0].Key + got[1].Key + log; strings.Contains(text, "hunter2secret") || got[0].Key != "k-***" {
		t.Errorf("the key is told: %q\n%s", got[0].Key, log)
	}
}
