// Package ssm implements the operations of the Parameter Store, a part of AWS
// Systems Manager, from which variables of builds take their values.
package ssm

import (
	"context"
	"encoding/base64"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// parameterStore is what the operations need of storage. A name and the same one
// with a slash before it are one parameter's.
type parameterStore interface {
	// Change puts what change makes of a parameter in its place: see store.Parameters.
	Change(ctx context.Context, scope arn.Scope, name string, change func(old *vault.SealedParameter) (*vault.SealedParameter, error)) error
	// Get returns a version, the current one for 0; NotFound if there is no such
	// parameter or version.
	Get(ctx context.Context, scope arn.Scope, name string, version int64) (vault.SealedParameter, error)
	// List returns at most limit current versions below a path, which is empty or
	// ends in a slash, by path, from the one after the path after on.
	List(ctx context.Context, scope arn.Scope, below, after string, limit int) ([]vault.SealedParameter, error)
	// History returns at most limit versions after one, oldest first, or NotFound.
	History(ctx context.Context, scope arn.Scope, name string, after int64, limit int) ([]vault.SealedParameter, error)
}

// useStore keeps account of values that are given out.
type useStore interface {
	Record(ctx context.Context, uses ...vault.Use) error
}

// sealer seals and opens values.
type sealer interface {
	vault.Sealer
	vault.Opener
}

// Service is the operations. Its methods may be called from several goroutines;
// each takes the account and region from its context's Caller.
type Service struct {
	parameters parameterStore
	uses       useStore
	sealer     sealer
	now        func() time.Time
}

// New returns the Service. A nil now means time.Now.
func New(p parameterStore, u useStore, s sealer, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{p, u, s, now}
}

// value returns what a caller gets of a parameter: its value or, of a
// SecureString that was not asked for in the clear, the sealed one.
func (s *Service) value(p vault.SealedParameter, decrypt *bool) (*string, error) {
	if p.Type == secureString && (decrypt == nil || !*decrypt) {
		return new(base64.StdEncoding.EncodeToString(p.Box)), nil
	}
	clear, err := p.Open(s.sealer)
	if err != nil {
		return nil, err
	}
	return new(clear.Value.Reveal()), nil
}

// used records that the caller got the values of parameters.
func (s *Service) used(ctx context.Context, all ...vault.SealedParameter) error {
	uses := make([]vault.Use, len(all))
	for i, p := range all {
		uses[i] = vault.Use{ARN: p.ARN(), At: s.now(), User: accesskey.CallerOf(ctx).ARN()}
	}
	return s.uses.Record(ctx, uses...)
}

// pageToken and pageAfter make tokens of where a list goes on.
func pageToken(after string) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(after)))
}

func pageAfter(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return "", fault.Because(vault.BadPage, fault.Invalid, "The specified token isn't valid.")
	}
	return string(after), nil
}

// pageSize returns how many things a page has.
func pageSize(asked *int, most int) int {
	if asked == nil {
		return most
	}
	return min(max(*asked, 1), most)
}
