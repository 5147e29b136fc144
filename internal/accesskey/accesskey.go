// Package accesskey holds the key pairs that sign requests, and who a signed
// request comes from.
package accesskey

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"time"

	"slipway/internal/arn"
	"slipway/internal/secret"
)

// A Key is one key pair in the clear.
type Key struct {
	ID           string // twenty capitals and digits, as AWS's are
	Secret       secret.Text
	SessionToken secret.Text // empty for a long-lived key
	Account      string
	User         string // the IAM user name that builds show as their initiator
	Created      time.Time
	Expires      time.Time // zero means never
}

// Expired reports whether k is no longer good at now.
func (k Key) Expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// A Caller is who sent a request and where it is to take effect.
type Caller struct {
	Scope arn.Scope // the account of the key, the region of the signature
	KeyID string
	User  string
}

// ARN returns the caller's name as an IAM user.
func (c Caller) ARN() string { return "arn:aws:iam::" + c.Scope.Account + ":user/" + c.User }

// UserID returns the caller's unique id in the form IAM gives to users. It
// depends on the account and the user's name alone.
func (c Caller) UserID() string {
	sum := sha256.Sum256([]byte(c.Scope.Account + "/" + c.User))
	return "AIDA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

type callerKey struct{}

// WithCaller returns a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the Caller in ctx. Every context of an operation has one,
// but for those that are called unsigned: theirs is the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
