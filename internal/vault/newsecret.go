package vault

import (
	"crypto/rand"
	"encoding/base64"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A Value is what a version of a secret holds: text, or bytes.
type Value struct {
	text   secret.Text // the bytes themselves if Binary
	Binary bool
}

func newValue(plain string, binary bool) Value { return Value{secret.New(plain), binary} }

// Text returns the text; ok is false if the value is bytes.
func (v Value) Text() (text secret.Text, ok bool) {
	if v.Binary {
		return secret.Text{}, false
	}
	return v.text, true
}

// Bytes returns the bytes; nil if the value is text.
func (v Value) Bytes() []byte {
	if !v.Binary {
		return nil
	}
	return []byte(v.text.Reveal())
}

func (v Value) equal(w Value) bool { return v.Binary == w.Binary && v.text.Reveal() == w.text.Reveal() }

// maxSecret is how long a value may be, in bytes.
const maxSecret = 64 << 10

// NewValue returns the value that clients give as text or as base64 of bytes;
// ok is false if they give neither. Both, too much, or what is not base64 is
// Invalid; no message repeats anything of it.
func NewValue(text, base64Bytes secret.Text) (v Value, ok bool, err error) {
	switch {
	case !text.IsZero() && !base64Bytes.IsZero():
		return Value{}, false, fault.New(fault.Invalid, "You can't specify both a binary secret value and a string secret value in the same secret.")
	case !text.IsZero():
		v = Value{text: text}
		if !utf8.ValidString(text.Reveal()) {
			return Value{}, false, fault.New(fault.Invalid, "SecretString must be text: give bytes as SecretBinary")
		}
	case !base64Bytes.IsZero():
		plain, err := base64.StdEncoding.DecodeString(base64Bytes.Reveal())
		if err != nil {
			return Value{}, false, fault.New(fault.Invalid, "SecretBinary must be base64")
		}
		v = newValue(string(plain), true)
	default:
		return Value{}, false, nil
	}
	if n := len(v.text.Reveal()); n == 0 || n > maxSecret {
		return Value{}, false, fault.New(fault.Constraint, "A secret's value must have from 1 to %d bytes", maxSecret)
	}
	return v, true, nil
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

// ours begins the names that secrets have under which source credentials are
// known: a secret must not take the place of one.
const ours = "slipway/"

// NewSecret returns a secret without a value, or what is wrong with its name.
func NewSecret(scope arn.Scope, name string, now time.Time) (*Secret, error) {
	switch {
	case !secretName.MatchString(name):
		return nil, fault.New(fault.Constraint, "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	case strings.HasPrefix(name, ours):
		return nil, fault.New(fault.Invalid, "Names that begin with %s are those of source credentials: choose another name, or import a token with 'slipway credential import'.", ours)
	}
	now = now.UTC().Truncate(time.Microsecond)
	return &Secret{SecretAbout: SecretAbout{
		Scope: scope, Name: name, ARN: scope.Of("secretsmanager", "secret:"+name+"-"+suffix()), Created: now, Changed: now,
	}}, nil
}

// suffix is what Secrets Manager ends its ARNs with.
func suffix() string {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	for i, b := range random {
		random[i] = characters[int(b)%len(characters)] // all but even: nobody guesses at these
	}
	return string(random)
}
