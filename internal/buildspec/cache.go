package buildspec

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Cache says what a build keeps for later ones.
type Cache struct {
	Paths     []string // patterns, absolute or below the source's root
	Key       string   // as written: it goes through the shell
	Fallbacks []string // likewise, in order, at most five; none without a Key
	Action    string   // "restore", "save", or empty for both
}

const maxFallbacks = 5

// cache reads the block, nil if there is none.
func (r *reader) cache(n *yaml.Node) (*Cache, error) {
	if n == nil {
		return nil, nil
	}
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	c := new(Cache)
	if c.Paths, err = r.strings(k.get("paths"), "Paths"); err != nil {
		return nil, err
	}
	if c.Key, err = r.scalar(k.get("key")); err != nil {
		return nil, err
	}
	fallbacks, err := r.strings(k.get("fallback-keys"), "Fallback-keys")
	if err != nil {
		return nil, err
	}
	if len(fallbacks) > maxFallbacks {
		if err := r.wrong(k.get("fallback-keys"), fmt.Sprintf("cache has %d fallback-keys, at most %d are allowed", len(fallbacks), maxFallbacks)); err != nil {
			return nil, err
		}
	}
	if c.Key != "" {
		c.Fallbacks = fallbacks
	}
	action, err := r.scalar(k.get("action"))
	if err != nil {
		return nil, err
	}
	switch c.Action = strings.ToLower(action); c.Action {
	case "", "restore", "save":
	default:
		if err := r.wrong(k.get("action"), "the action of cache must be restore or save, not "+clip(action)); err != nil {
			return nil, err
		}
	}
	r.lint.cache(n, k, c)
	return c, nil
}
