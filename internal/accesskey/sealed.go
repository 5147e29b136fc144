package accesskey

import (
	"encoding/json"
	"errors"
	"time"

	"slipway/internal/arn"
	"slipway/internal/secret"
)

// Sealed is a Key as it is stored: its secret and session token sealed to its
// user and id.
type Sealed struct {
	ID      string
	Account string
	User    string
	Box     []byte
	Created time.Time
	Expires time.Time // zero means never
}

// box is what a Box holds.
type box struct {
	Secret       string `json:"secret"`
	SessionToken string `json:"sessionToken,omitzero"`
}

// Seal returns k with its secrets sealed.
func Seal(k Key, s interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}) (Sealed, error) {
	text, err := json.Marshal(box{Secret: k.Secret.Reveal(), SessionToken: k.SessionToken.Reveal()})
	if err != nil {
		return Sealed{}, errors.New("encode access key")
	}
	sealed := Sealed{ID: k.ID, Account: k.Account, User: k.User, Created: k.Created, Expires: k.Expires}
	sealed.Box, err = s.Seal(text, sealed.owner())
	if err != nil {
		return Sealed{}, err
	}
	return sealed, nil
}

// Open returns s in the clear. It fails if it was sealed for another user or id
// or with a key that is not at hand.
func (s Sealed) Open(o interface {
	Open(box []byte, owner string) ([]byte, error)
}) (Key, error) {
	text, err := o.Open(s.Box, s.owner())
	if err != nil {
		return Key{}, err
	}
	var b box
	if json.Unmarshal(text, &b) != nil || b.Secret == "" {
		return Key{}, errors.New("open access key " + s.ID + ": what was sealed is no key")
	}
	k := Key{ID: s.ID, Secret: secret.New(b.Secret), Account: s.Account, User: s.User, Created: s.Created, Expires: s.Expires}
	if b.SessionToken != "" {
		k.SessionToken = secret.New(b.SessionToken)
	}
	return k, nil
}

// owner is what the box is bound to. A space occurs in none of its parts.
func (s Sealed) owner() string {
	return Caller{Scope: arn.Scope{Account: s.Account}, User: s.User}.ARN() + " " + s.ID
}
