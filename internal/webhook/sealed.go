package webhook

import (
	"errors"

	"slipway/internal/secret"
)

// owner is what a hook's secrets are sealed to.
func (h Hook) owner() string { return "webhook/" + h.Key }

// Seal returns h with its secrets sealed to its key.
func (h OpenHook) Seal(s interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}) (SealedHook, error) {
	sealed := SealedHook{Hook: h.Hook}
	if h.Secret.IsZero() {
		return sealed, errors.New("seal a hook: it has no secret")
	}
	var err error
	if sealed.Box, err = s.Seal([]byte(h.Secret.Reveal()), h.owner()); err != nil {
		return SealedHook{}, err
	}
	if !h.OldSecret.IsZero() {
		sealed.OldBox, err = s.Seal([]byte(h.OldSecret.Reveal()), h.owner())
	}
	return sealed, err
}

// Open returns s in the clear. It fails if a secret was sealed for another hook
// or with a key that is not at hand.
func (s SealedHook) Open(o interface {
	Open(box []byte, owner string) ([]byte, error)
}) (OpenHook, error) {
	h := OpenHook{Hook: s.Hook}
	text, err := o.Open(s.Box, s.owner())
	if err != nil {
		return OpenHook{}, err
	}
	h.Secret = secret.New(string(text))
	if len(s.OldBox) == 0 {
		return h, nil
	}
	if text, err = o.Open(s.OldBox, s.owner()); err != nil {
		return OpenHook{}, err
	}
	h.OldSecret = secret.New(string(text))
	return h, nil
}
