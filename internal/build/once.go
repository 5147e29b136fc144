package build

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"slipway/internal/fault"
)

const (
	tokenLength = 64 // characters of an idempotency token at most
	tokenLife   = 5 * time.Minute
)

// Once returns the memory of a call of an operation with an idempotency token,
// or nil if token is nil or empty. in is the input, of which all but its
// idempotencyToken counts as parameters. A token of more than 64 characters is
// Invalid.
func Once(operation string, in any, token *string, now time.Time) (*Idempotency, error) {
	if text(token) == "" {
		return nil, nil
	}
	if utf8.RuneCountInString(*token) > tokenLength {
		return nil, fault.New(fault.Invalid, "Idempotency token length cannot be greater than %d characters", tokenLength)
	}
	encoded, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("fingerprint of %s: %w", operation, err)
	}
	// Through a map of undecoded members: sorted by name, numbers as they were.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &members); err != nil {
		return nil, fmt.Errorf("fingerprint of %s: %w", operation, err)
	}
	delete(members, "idempotencyToken")
	canonical, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("fingerprint of %s: %w", operation, err)
	}
	sum := sha256.Sum256(append([]byte(operation+"\n"), canonical...))
	return &Idempotency{Token: *token, Fingerprint: sum[:], Expires: now.Add(tokenLife)}, nil
}
