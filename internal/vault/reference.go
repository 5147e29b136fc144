package vault

import (
	"strings"

	"slipway/internal/fault"
)

// A SecretReference is what a variable of type SECRETS_MANAGER has for a value:
// which secret, which version of it, and which field of its text.
type SecretReference struct {
	ID      string // name or ARN
	JSONKey string // empty means the whole text
	Stage   string // empty means AWSCURRENT, unless there is a Version
	Version string
}

// arnParts is how many parts the ARN of a secret has between colons.
const arnParts = 7

// ParseSecretReference reads id[:json-key[:stage[:version]]], in which parts may
// be empty. An ARN has colons itself: its seven parts are the id. What is not of
// that form is Invalid.
func ParseSecretReference(text string) (SecretReference, error) {
	parts := strings.Split(text, ":")
	id := 1
	if parts[0] == "arn" {
		id = arnParts
	}
	if len(parts) < id || strings.TrimSpace(parts[id-1]) == "" {
		return SecretReference{}, fault.New(fault.Invalid, "The reference %q names no secret: expected secret-id:json-key:version-stage:version-id, of which all but secret-id can be left out", text)
	}
	if len(parts) > id+3 {
		return SecretReference{}, fault.New(fault.Invalid, "The reference %q has too many parts: expected secret-id:json-key:version-stage:version-id", text)
	}
	r := SecretReference{ID: strings.Join(parts[:id], ":")}
	for i, part := range parts[id:] {
		*[]*string{&r.JSONKey, &r.Stage, &r.Version}[i] = part
	}
	if r.Stage != "" && r.Version != "" {
		return SecretReference{}, fault.New(fault.Invalid, "The reference %q has both a version stage and a version id: leave one of them empty", text)
	}
	return r, nil
}

// String returns the reference as it is written, without parts that say nothing.
func (r SecretReference) String() string {
	return strings.TrimRight(strings.Join([]string{r.ID, r.JSONKey, r.Stage, r.Version}, ":"), ":")
}
