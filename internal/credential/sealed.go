package credential

import (
	"errors"

	"slipway/internal/secret"
)

// Seal returns c with its token sealed to its ARN.
func Seal(c Credential, s interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}) (Sealed, error) {
	sealed := Sealed{About: c.About}
	if c.Token.IsZero() {
		return sealed, nil
	}
	box, err := s.Seal([]byte(c.Token.Reveal()), c.ARN)
	if err != nil {
		return Sealed{}, err
	}
	if len(box) == 0 { // would be taken for no token
		return Sealed{}, errors.New("seal source credential: the sealer returned nothing")
	}
	sealed.Box = box
	return sealed, nil
}

// Open returns s in the clear. It fails if the token was sealed for another ARN
// or with a key that is not at hand.
func (s Sealed) Open(o interface {
	Open(box []byte, owner string) ([]byte, error)
}) (Credential, error) {
	c := Credential{About: s.About}
	if len(s.Box) == 0 {
		return c, nil
	}
	token, err := o.Open(s.Box, s.ARN)
	if err != nil {
		return Credential{}, err
	}
	c.Token = secret.New(string(token))
	return c, nil
}
