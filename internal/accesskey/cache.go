package accesskey

import (
	"context"
	"sync"
	"time"
)

// Keys in memory at most, and for how long: another process that revokes a key
// in the store is heeded after cacheTime at the latest.
const (
	cacheSize = 1024
	cacheTime = 10 * time.Second
)

// A Cache remembers keys for ten seconds, since every request looks one up and
// opening a sealed one costs more than all the rest of the verification. Keys
// that are not found are not remembered. Several goroutines may use it.
type Cache struct {
	load func(ctx context.Context, id string) (Key, error)
	now  func() time.Time

	mu      sync.RWMutex // guards all below
	keys    map[string]cached
	revoked uint64 // counts calls of Invalidate, so that a load under way stores nothing stale
}

type cached struct {
	key   Key
	until time.Time
}

// NewCache returns an empty Cache in front of load. A nil now means time.Now.
func NewCache(load func(ctx context.Context, id string) (Key, error), now func() time.Time) *Cache {
	if now == nil {
		now = time.Now
	}
	return &Cache{load: load, now: now, keys: map[string]cached{}}
}

// Key returns the key with this id, or load's error.
func (c *Cache) Key(ctx context.Context, id string) (Key, error) {
	c.mu.RLock()
	have, ok := c.keys[id]
	revoked := c.revoked
	c.mu.RUnlock()
	now := c.now()
	if ok && now.Before(have.until) {
		return have.key, nil
	}
	k, err := c.load(ctx, id)
	if err != nil {
		return Key{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revoked == revoked {
		if len(c.keys) >= cacheSize {
			clear(c.keys)
		}
		c.keys[k.ID] = cached{k, now.Add(cacheTime)}
	}
	return k, nil
}

// Invalidate forgets the key with this id: the next look-up loads it.
func (c *Cache) Invalidate(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.keys, id)
	c.revoked++
}
