package receiver

import (
	"bytes"
	"sync"

	"slipway/internal/webhook"
)

// maxOpened bounds the hooks whose secrets are kept open.
const maxOpened = 4096

// opened keeps the secrets of hooks in the clear, since opening them costs more
// than all else in a delivery. A hook is found by what is sealed, so that a
// secret that was changed is never taken for the present one. The zero value is
// ready.
type opened struct {
	mu   sync.Mutex // guards kept
	kept map[string]entry
}

type entry struct {
	sealed webhook.SealedHook
	open   webhook.OpenHook
}

// open returns a hook in the clear.
func (c *opened) open(o opener, s webhook.SealedHook) (webhook.OpenHook, error) {
	c.mu.Lock()
	e, ok := c.kept[s.Key]
	c.mu.Unlock()
	if ok && e.sealed.Modified.Equal(s.Modified) && bytes.Equal(e.sealed.Box, s.Box) && bytes.Equal(e.sealed.OldBox, s.OldBox) {
		h := e.open
		h.Hook = s.Hook
		return h, nil
	}
	h, err := s.Open(o)
	if err != nil {
		return h, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxOpened {
		c.kept = map[string]entry{}
	}
	c.kept[s.Key] = entry{s, h}
	return h, nil
}
