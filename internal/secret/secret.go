// Package secret holds the value that cannot be printed.
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// A Text is a secret in the clear. However it is printed, logged or encoded it
// reads "[redacted]"; Reveal is for the one call that sends or seals it. The
// zero Text is empty.
type Text struct{ s *string } // a pointer, so that %v of an enclosing struct shows an address

// New returns s as a Text.
func New(s string) Text { return Text{&s} }

// Reveal returns the secret itself.
func (t Text) Reveal() string {
	if t.s == nil {
		return ""
	}
	return *t.s
}

// IsZero reports whether the secret is empty.
func (t Text) IsZero() bool { return t.Reveal() == "" }

// Format prints "[redacted]" for every verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue makes slog print "[redacted]".
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes encoders write "[redacted]".
func (Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalJSON reads a JSON string; null is the empty secret. Its errors
// never repeat the input.
func (t *Text) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("a secret must be a string")
	}
	t.s = s
	return nil
}
