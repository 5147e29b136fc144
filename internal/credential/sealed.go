package credential

import (
	"errors"

	"slipway/internal/secret"
)

// Seal returns c with its token sealed to its ARN.
func Seal(c Credential, s interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
}) (Sealed, error) {
	sealed := Sealed{
		Scope: c.Scope, ARN: c.ARN, ServerType: c.ServerType, AuthType: c.AuthType, Username: c.Username,
		Resource: c.Resource, Created: c.Created, Modified: c.Modified,
	}
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
	c := Credential{
		Scope: s.Scope, ARN: s.ARN, ServerType: s.ServerType, AuthType: s.AuthType, Username: s.Username,
		Resource: s.Resource, Created: s.Created, Modified: s.Modified,
	}
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
