package codebuild

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"slipway/internal/fault"
)

// tokenSum is how many bytes of a hash stand before a token's position.
const tokenSum = 12

// pageToken returns the token with which a list goes on behind after, or nil
// when after is "" and the list has ended. kind names the operation and the
// parameters that the token is good for. A token is opaque, not secret: who
// builds one himself only chooses where in his own list to go on.
func pageToken(kind, after string) *string {
	if after == "" {
		return nil
	}
	return new(base64.StdEncoding.EncodeToString(append(sumOf(kind, after), after...)))
}

// pageAfter returns what pageToken was given; "" for no or an empty token, the
// start of the list. A token of another kind, or none of ours, is Invalid.
func pageAfter(kind string, token *string) (string, error) {
	if token == nil || *token == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(*token)
	if err != nil || len(raw) <= tokenSum || strings.ContainsAny(*token, "\r\n") {
		return "", errToken()
	}
	after := string(raw[tokenSum:])
	if string(raw[:tokenSum]) != string(sumOf(kind, after)) {
		return "", errToken()
	}
	return after, nil
}

func sumOf(kind, after string) []byte {
	sum := sha256.Sum256([]byte(kind + "\x00" + after))
	return sum[:tokenSum:tokenSum]
}

func errToken() error {
	return fault.New(fault.Invalid, "Invalid next token provided")
}
