// Package embedded gives out the values of parameters and secrets that are kept
// here, sealed, in our own store.
package embedded

import (
	"context"
	"log/slog"
	"time"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

// parameters is what is needed of stored parameters.
type parameters interface {
	// Get returns a version, the current one for 0, or NotFound.
	Get(ctx context.Context, scope arn.Scope, name string, version int64) (vault.SealedParameter, error)
}

// secrets is what is needed of stored secrets.
type secrets interface {
	// Get returns the secret that a name or ARN names, or NotFound.
	Get(ctx context.Context, scope arn.Scope, id string) (*vault.Secret, error)
	// Prune removes deleted secrets whose time has come.
	Prune(ctx context.Context, now time.Time) error
}

// uses keeps account of values that are given out.
type uses interface {
	Record(ctx context.Context, uses ...vault.Use) error
}

// A Vault is a vault.Source. Its methods may be called from several goroutines.
type Vault struct {
	parameters parameters
	secrets    secrets
	uses       uses
	opener     vault.Opener
	log        *slog.Logger
	now        func() time.Time
}

var _ vault.Source = (*Vault)(nil)

// New returns a Vault. It starts nothing: see Run. A nil now means time.Now.
func New(p parameters, s secrets, u uses, o vault.Opener, log *slog.Logger, now func() time.Time) *Vault {
	if now == nil {
		now = time.Now
	}
	return &Vault{p, s, u, o, log, now}
}

// Parameters returns the values of those of names that there are. That they are
// given out is recorded before they are.
func (v *Vault) Parameters(ctx context.Context, scope arn.Scope, names []string, by vault.Use) (map[string]secret.Text, error) {
	found := map[string]secret.Text{}
	var used []vault.Use
	for _, text := range names {
		name, selector, version, ok := vault.ParseParameterName(scope, text)
		if !ok || selector != "" && version == 0 {
			continue
		}
		p, err := v.parameters.Get(ctx, scope, name, version)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		clear, err := p.Open(v.opener)
		if err != nil {
			return nil, err
		}
		found[text] = clear.Value
		by.ARN, by.At = p.ARN(), v.now()
		used = append(used, by)
	}
	return found, v.record(ctx, used...)
}

// Secret returns the text of a version of a secret. That it is given out is
// recorded before it is.
func (v *Vault) Secret(ctx context.Context, scope arn.Scope, r vault.SecretReference, by vault.Use) (secret.Text, error) {
	found, err := v.secrets.Get(ctx, scope, r.ID)
	if err == nil {
		err = found.Usable(v.now())
	}
	if err != nil {
		return secret.Text{}, refusal(err)
	}
	version, err := found.Version(r.Version, r.Stage)
	if err != nil {
		return secret.Text{}, refusal(err)
	}
	value, err := found.Open(version, v.opener)
	if err != nil {
		return secret.Text{}, err
	}
	text, ok := value.Text()
	if !ok {
		return secret.Text{}, &vault.Refusal{Message: "The secret " + found.Name + " holds bytes and no text, which a variable cannot hold: store it as SecretString"}
	}
	by.ARN, by.At = found.ARN, v.now()
	return text, v.record(ctx, by)
}

// refusal is a fault in the words of Secrets Manager.
func refusal(err error) error {
	switch fault.KindOf(err) {
	case fault.NotFound:
		return vault.NoSecret(fault.Message(err))
	case fault.Invalid:
		return &vault.Refusal{Name: "InvalidRequestException", Message: fault.Message(err)}
	}
	return err
}

// Read returns the text of a secret by its whole ARN, for a source that names it
// as its credential; NotFound if there is no such secret, Invalid if it cannot be
// used. By another name it is not found: what a credential may be sent to is
// remembered by its ARN.
func (v *Vault) Read(ctx context.Context, scope arn.Scope, secretARN string) (secret.Text, error) {
	found, err := v.secrets.Get(ctx, scope, secretARN)
	if err == nil && found.ARN != secretARN {
		err = vault.ErrNoSecret()
	}
	if err == nil {
		err = found.Usable(v.now())
	}
	if err != nil {
		return secret.Text{}, err
	}
	version, err := found.Version("", "")
	if err != nil {
		return secret.Text{}, fault.New(fault.Invalid, "The secret %s has no value.", secretARN)
	}
	value, err := found.Open(version, v.opener)
	if err != nil {
		return secret.Text{}, err
	}
	text, ok := value.Text()
	if !ok {
		return secret.Text{}, fault.New(fault.Invalid, "The secret %s holds bytes and no text. Store the source credential as JSON text.", secretARN)
	}
	return text, nil
}

func (v *Vault) record(ctx context.Context, used ...vault.Use) error {
	for _, u := range used {
		v.log.Info("secret used", "arn", u.ARN, "projectName", u.Project, "buildId", u.BuildID)
	}
	return v.uses.Record(ctx, used...)
}

// pruneEvery is how often deleted secrets are removed.
const pruneEvery = time.Hour

// Run removes deleted secrets whose time has come, now and every hour, until ctx
// ends.
func (v *Vault) Run(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if err := v.secrets.Prune(ctx, v.now()); err != nil && ctx.Err() == nil {
			v.log.Error("deleted secrets not removed", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
