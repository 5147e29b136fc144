// Package secretsmanager implements the operations of AWS Secrets Manager by
// which secrets are kept, from which variables of builds take their values.
package secretsmanager

import (
	"context"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// secretStore is what the operations need of storage. A secret is found by its
// name or ARN, also if it is marked for deletion.
type secretStore interface {
	// Change puts what change makes of a secret in its place: see store.Secrets.
	Change(ctx context.Context, scope arn.Scope, id string, change func(old *vault.Secret) (*vault.Secret, error)) error
	// Get returns a secret with its versions, or NotFound.
	Get(ctx context.Context, scope arn.Scope, id string) (*vault.Secret, error)
	// List returns the secrets of a scope by name, with the stages of their versions.
	List(ctx context.Context, scope arn.Scope) ([]vault.Secret, error)
}

// useStore keeps account of values that are given out.
type useStore interface {
	Record(ctx context.Context, uses ...vault.Use) error
	// Last returns the last use of each of the things with these ARNs, by ARN.
	Last(ctx context.Context, arns []string) (map[string]vault.Use, error)
}

// sealer seals and opens values.
type sealer interface {
	vault.Sealer
	vault.Opener
}

// Service is the operations. Its methods may be called from several goroutines;
// each takes the account and region from its context's Caller.
type Service struct {
	secrets secretStore
	uses    useStore
	sealer  sealer
	now     func() time.Time
}

// New returns the Service. A nil now means time.Now.
func New(s secretStore, u useStore, keys sealer, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{s, u, keys, now}
}

// get returns a secret that can be used.
func (s *Service) get(ctx context.Context, id string) (*vault.Secret, error) {
	found, err := s.secrets.Get(ctx, accesskey.CallerOf(ctx).Scope, id)
	if err != nil {
		return nil, err
	}
	return found, found.Usable(s.now())
}

// any returns a secret that may be marked for deletion.
func (s *Service) any(ctx context.Context, id string) (*vault.Secret, error) {
	found, err := s.secrets.Get(ctx, accesskey.CallerOf(ctx).Scope, id)
	if err == nil && found.Gone(s.now()) {
		err = vault.ErrNoSecret()
	}
	return found, err
}

// change changes a secret that can be used, and returns what became of it.
func (s *Service) change(ctx context.Context, id string, change func(*vault.Secret) error) (*vault.Secret, error) {
	var changed *vault.Secret
	err := s.secrets.Change(ctx, accesskey.CallerOf(ctx).Scope, id, func(old *vault.Secret) (*vault.Secret, error) {
		if err := old.Usable(s.now()); err != nil {
			return nil, err
		}
		changed = old
		return old, change(old)
	})
	return changed, err
}

var errPage = fault.Because(vault.BadPage, fault.Invalid, "Invalid token for request")

// known returns a member that is left out if it is empty.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// text returns *s, or "" if s is nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
