// Package keyring finds the credential that serves a repository, opens it, and
// keeps account of what it was used for.
package keyring

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// credentials is where source credentials are stored.
type credentials interface {
	// All returns every credential of a scope, the defaults and the named ones.
	All(ctx context.Context, scope arn.Scope) ([]credential.Sealed, error)
	// ByARN returns the credential with an ARN, which may be its second one; or NotFound.
	ByARN(ctx context.Context, scope arn.Scope, arn string) (credential.Sealed, error)
	// Put stores c; Exists if its ARN is taken and overwrite is false. Hosts and
	// certificates of the one it replaces stay if it has none.
	Put(ctx context.Context, c credential.Sealed, overwrite bool) error
	// Delete removes a credential and its past tokens; NotFound if there is none.
	Delete(ctx context.Context, scope arn.Scope, arn string) error
	// BindHosts binds a token to host if it is bound to nothing yet, and returns
	// what it is bound to then.
	BindHosts(ctx context.Context, arn, host string) (hosts []string, err error)
	// Past returns a version of a credential that was replaced, or NotFound.
	Past(ctx context.Context, arn string, version int64) (credential.Sealed, error)
	// Record stores uses, durably.
	Record(ctx context.Context, uses ...credential.Use) error
	// Uses returns a page of uses, newest first; next is "" after the last one.
	Uses(ctx context.Context, arn, after string, limit int) (uses []credential.Use, next string, err error)
	// LastUsed returns when a credential was last used; zero if it is not known.
	LastUsed(ctx context.Context, arn string) (time.Time, error)
	// Prune forgets past tokens and uses that are too old.
	Prune(ctx context.Context, now time.Time) error
}

// sealer seals what is stored and opens it.
type sealer interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
	Open(box []byte, owner string) ([]byte, error)
}

// Secrets reads secrets that are kept elsewhere, by ARN: AWS Secrets Manager.
type Secrets interface {
	// Read returns what a secret holds. Its errors hold nothing of that: Denied
	// if there is nobody to ask as, Invalid if the answer is no, with what to do,
	// Unavailable if there is none now.
	Read(ctx context.Context, arn string) (secret.Text, error)
}

// Vault reads the secrets that are kept here and are no source credentials: a
// source may name one of them as it may name one of AWS Secrets Manager.
type Vault interface {
	// Read returns what a secret of scope holds: NotFound if there is no such
	// secret, Invalid if it cannot be used, with what to do.
	Read(ctx context.Context, scope arn.Scope, arn string) (secret.Text, error)
}

// A Keyring's methods may be called from several goroutines.
type Keyring struct {
	credentials credentials
	sealer      sealer
	log         *slog.Logger
	options     Options
	secrets     *recall // nil if there is none
}

// Options tunes a Keyring. The zero value is ready for production.
type Options struct {
	Endpoints source.Endpoints // where providers are; nil means at their usual place
	Vault     Vault            // where secrets' ARNs lead that are those of no credential; nil means nowhere
	Secrets   Secrets          // where those lead that it does not know; nil means nowhere
	Now       func() time.Time // nil means time.Now
	Bound     func(arn string) // is told of a credential whose host has become known; must not block; nil means nobody
}

// New returns a Keyring on stored credentials. It starts nothing: see Run.
func New(c credentials, s sealer, log *slog.Logger, options Options) *Keyring {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Bound == nil {
		options.Bound = func(string) {}
	}
	k := &Keyring{credentials: c, sealer: s, log: log, options: options}
	if options.Secrets != nil {
		k.secrets = &recall{from: options.Secrets, now: options.Now}
	}
	return k
}

// A Need is what a login is wanted for.
type Need struct {
	Scope    arn.Scope
	Server   api.ServerType
	Location string          // of the repository, as a project's source says it
	Auth     *api.SourceAuth // what the source itself names; may be nil
	Primary  *api.SourceAuth // what a primary source of type NO_SOURCE names for all sources; may be nil
	Insecure bool            // the source's insecureSsl: honoured for GITHUB_ENTERPRISE only

	Purpose slipway.CredentialPurpose
	Project string // its name, if it is for one
	BuildID string // if it is for a build
}

// Found is a login and what it is good for.
type Found struct {
	Login      source.Login // zero if no credential serves the repository
	Repository source.Repository
	Host       string // host[:port] of the repository: the only one that the login may go to
	ARN        string // of the credential
	Version    int64  // of the credential; 0 if it is not ours to keep
}

// Find returns the login to a repository; it is zero if there is no credential
// for it, and the repository is then open to everyone or to nobody. A location
// that is none of its server type's, and a credential that is there and cannot
// be used, are Invalid. The first use of a self-hosted server's token binds it
// to that server's host, unless it was bound before: it is sent to no other.
// That a login was given out is recorded before Find returns.
func (k *Keyring) Find(ctx context.Context, n Need) (Found, error) {
	all, err := k.credentials.All(ctx, n.Scope)
	if err != nil {
		return Found{}, err
	}
	return k.find(ctx, n, all)
}

// find is Find among some credentials only.
func (k *Keyring) find(ctx context.Context, n Need, all []credential.Sealed) (Found, error) {
	found, want, err := k.place(n)
	if err != nil {
		return found, err
	}
	key, ok, err := k.choose(ctx, n.Scope, want, all)
	if err != nil || !ok {
		return found, err
	}
	prefix, err := k.bind(ctx, key, want)
	if err != nil {
		return found, err
	}
	found.Login, found.ARN, found.Version = key.login, key.arn, key.version
	found.Repository = below(found.Repository, prefix)
	found.Repository.CA = key.about.CA
	if found.Repository.CA != "" {
		found.Repository.Insecure = false // whoever gave the token said whom to trust: a project's editor does not overrule that
	}
	return found, k.record(ctx, n, found, key)
}

// choose opens the credential that wins; ok is false if none does. A secret of
// another server type that a primary source of type NO_SOURCE names for all is
// passed over, as a credential of ours is in the ladder.
func (k *Keyring) choose(ctx context.Context, scope arn.Scope, want credential.Want, all []credential.Sealed) (chosen key, ok bool, err error) {
	winner, ok := credential.Winner(credential.Ladder(want, abouts(all)))
	if !ok {
		return key{}, false, nil
	}
	if winner.Refused {
		return key{}, false, fault.New(fault.Invalid, "%s", winner.Reason)
	}
	chosen, err = k.open(ctx, scope, want.Server, start(winner), all)
	if errors.Is(err, errOtherServer) && winner.Basis == slipway.CredentialBasisNoSourceAuth {
		want.Primary = nil
		return k.choose(ctx, scope, want, all)
	}
	return chosen, err == nil, err
}

// start is the ARN at which opening a rung begins: that of the credential of
// ours that knows about it, or what the source names.
func start(r credential.Rung) string {
	if r.About.ARN != "" {
		return r.About.ARN
	}
	return r.ARN
}

// place returns the repository of n, without a login.
func (k *Keyring) place(n Need) (Found, credential.Want, error) {
	r, err := k.options.Endpoints.Repository(n.Server, n.Location)
	if err != nil {
		return Found{}, credential.Want{}, err
	}
	at, err := url.Parse(r.WebBase)
	if err != nil {
		return Found{}, credential.Want{}, err
	}
	want, ok := credential.NewWant(n.Server, n.Location)
	if !ok {
		return Found{}, credential.Want{}, fault.New(fault.Invalid, "Invalid project source: location must be the HTTPS URL of a repository, such as https://host/owner/repository")
	}
	want.Path, want.Auth, want.Primary = r.FullName(), n.Auth, n.Primary
	r.Insecure = n.Insecure && n.Server == api.ServerTypeGithubEnterprise
	return Found{Repository: r, Host: at.Host}, want, nil
}

// below returns r at a provider that is under a path of its host.
func below(r source.Repository, prefix string) source.Repository {
	owner, ok := strings.CutPrefix(r.Owner, prefix+"/")
	if prefix == "" || !ok {
		return r
	}
	r.Owner = owner
	base := r.WebBase
	r.WebBase = base + "/" + prefix
	r.APIBase = r.WebBase + strings.TrimPrefix(r.APIBase, base)
	return r
}

// record keeps account of a login that is given out.
func (k *Keyring) record(ctx context.Context, n Need, found Found, key key) error {
	use := credential.Use{
		ARN: key.arn, At: k.options.Now(), Purpose: n.Purpose, Host: found.Host, Repository: found.Repository.FullName(),
		Project: n.Project, BuildID: n.BuildID,
	}
	uses := []credential.Use{use}
	for _, via := range key.via {
		use.ARN = via
		uses = append(uses, use)
	}
	k.log.Info("source credential used", "arn", key.arn, "host", found.Host, "for", n.Purpose, "projectName", n.Project, "buildId", n.BuildID)
	return k.credentials.Record(ctx, uses...)
}

func abouts(all []credential.Sealed) []credential.About {
	out := make([]credential.About, len(all))
	for i, c := range all {
		out[i] = c.About
	}
	return out
}
