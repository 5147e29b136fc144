// Package seal encrypts secrets at rest. A sealed value says which key sealed
// it, opens only for the owner it was sealed for, and cannot be changed unseen.
package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// A Keyset seals with its primary key and opens what any of its keys sealed.
// Its methods may be called from several goroutines. It prints as its key id.
type Keyset struct {
	handle *keyset.Handle
	aead   tink.AEAD
}

// New returns a Keyset with one new AES-256-GCM key, which is nowhere else.
func New() (*Keyset, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate()) // with Tink's prefix, which holds the key id
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return fromHandle(handle)
}

// Seal returns plaintext sealed for owner, such as an ARN, which Open must be
// given again. owner must not be empty.
func (k *Keyset) Seal(plaintext []byte, owner string) ([]byte, error) {
	if owner == "" {
		return nil, errors.New("seal: a sealed value needs an owner")
	}
	box, err := k.aead.Encrypt(plaintext, []byte(owner))
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", owner, err)
	}
	return box, nil
}

// Open returns what was sealed in box for owner. That it fails says nothing
// about the plaintext: the key or the owner is another, or box was changed.
func (k *Keyset) Open(box []byte, owner string) ([]byte, error) {
	plaintext, err := k.aead.Decrypt(box, []byte(owner))
	if err == nil && owner != "" {
		return plaintext, nil
	}
	if id, ok := boxKeyID(box); ok && !k.holds(id) {
		return nil, fmt.Errorf("open what is sealed for %s: it was sealed with key %d, which is not in the key file", owner, id)
	}
	return nil, fmt.Errorf("open what is sealed for %s: the owner is another or it was changed", owner)
}

// KeyID returns the id of the key that seals.
func (k *Keyset) KeyID() string {
	return strconv.FormatUint(uint64(k.handle.KeysetInfo().GetPrimaryKeyId()), 10)
}

// Format prints the key id for every verb: the key itself must not get into a log.
func (k *Keyset) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "key %s", k.KeyID()) }

func (k *Keyset) holds(id uint32) bool {
	for _, key := range k.handle.KeysetInfo().GetKeyInfo() {
		if key.GetKeyId() == id {
			return true
		}
	}
	return false
}

// boxKeyID returns the key id in Tink's prefix: a 1 and four bytes.
func boxKeyID(box []byte) (id uint32, ok bool) {
	if len(box) < 5 || box[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(box[1:5]), true
}

func fromHandle(handle *keyset.Handle) (*Keyset, error) {
	a, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("the keyset has no key to seal with (AEAD)")
	}
	return &Keyset{handle, a}, nil
}

// read decodes a keyset. Its error says nothing of the text, which holds keys.
func read(r io.Reader) (*Keyset, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(r))
	if err != nil {
		return nil, errors.New("it is not a Tink keyset in JSON")
	}
	return fromHandle(handle)
}

func (k *Keyset) encode() ([]byte, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, errors.New("encode keyset")
	}
	return text.Bytes(), nil
}
