package accesskey

import (
	"context"
	"strconv"
	"testing"
	"time"

	"slipway/internal/fault"
)

// shelf is a small working store of keys that counts look-ups.
type shelf struct {
	keys  map[string]Key
	loads int
	hook  func() // called while a look-up is under way
}

func (s *shelf) load(_ context.Context, id string) (Key, error) {
	s.loads++
	k, ok := s.keys[id]
	if s.hook != nil {
		s.hook()
	}
	if !ok {
		return Key{}, fault.New(fault.NotFound, "no such key")
	}
	return k, nil
}

func TestCache(t *testing.T) {
	now := time.Unix(1000, 0)
	setup := func() (*shelf, *Cache) {
		s := &shelf{keys: map[string]Key{"A": {ID: "A", User: "alice"}}}
		return s, NewCache(s.load, func() time.Time { return now })
	}
	find := func(t *testing.T, c *Cache, id string, want bool) {
		t.Helper()
		k, err := c.Key(t.Context(), id)
		if (err == nil) != want || (want && k.ID != id) {
			t.Fatalf("Key(%s) = %v, %v; want found: %v", id, k, err, want)
		}
	}
	t.Run("a key is loaded once", func(t *testing.T) {
		s, c := setup()
		find(t, c, "A", true)
		find(t, c, "A", true)
		if s.loads != 1 {
			t.Errorf("%d loads, want 1", s.loads)
		}
	})
	t.Run("a revoked key is gone at once", func(t *testing.T) {
		s, c := setup()
		find(t, c, "A", true)
		delete(s.keys, "A")
		c.Invalidate("A")
		find(t, c, "A", false)
	})
	t.Run("a key revoked by another process is gone after ten seconds", func(t *testing.T) {
		s, c := setup()
		find(t, c, "A", true)
		delete(s.keys, "A")
		now = now.Add(9 * time.Second)
		find(t, c, "A", true)
		now = now.Add(time.Second)
		find(t, c, "A", false)
	})
	t.Run("a key revoked while it is being loaded is not remembered", func(t *testing.T) {
		s, c := setup()
		s.hook = func() {
			delete(s.keys, "A")
			c.Invalidate("A")
		}
		find(t, c, "A", true) // this request was ahead of the revocation
		find(t, c, "A", false)
	})
	t.Run("an unknown key that is made later is found", func(t *testing.T) {
		s, c := setup()
		find(t, c, "B", false)
		s.keys["B"] = Key{ID: "B"}
		find(t, c, "B", true)
	})
	t.Run("memory is bounded", func(t *testing.T) {
		s, c := setup()
		for i := range 3 * cacheSize {
			id := strconv.Itoa(i)
			s.keys[id] = Key{ID: id}
			find(t, c, id, true)
		}
		if len(c.keys) > cacheSize {
			t.Errorf("%d keys in memory, want at most %d", len(c.keys), cacheSize)
		}
	})
}
