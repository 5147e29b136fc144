package keyring

import (
	"context"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// List returns every credential of a scope: the defaults, then named ones by name.
func (k *Keyring) List(ctx context.Context, scope arn.Scope) ([]credential.About, error) {
	all, err := k.credentials.All(ctx, scope)
	return abouts(all), err
}

// Pick returns the credential with a name or an ARN, which may be its second
// one, or NotFound. A server type, in any case, names the account's default.
func (k *Keyring) Pick(ctx context.Context, scope arn.Scope, nameOrARN string) (credential.About, error) {
	all, err := k.credentials.All(ctx, scope)
	if err != nil {
		return credential.About{}, err
	}
	for _, c := range all {
		if c.Is(nameOrARN) || c.Name != "" && c.Name == nameOrARN || c.Name == "" && strings.EqualFold(string(c.ServerType), nameOrARN) {
			return c.About, nil
		}
	}
	// What was asked for is not repeated: it may be a token, given by mistake.
	return credential.About{}, fault.New(fault.NotFound, "There is no such source credential. 'slipway credential list' shows those that there are.")
}

// Login opens a credential, following what it refers to, and returns whose hosts
// and certificates count for the token: those of the credential that holds it,
// or else of the last one that leads to it. A self-hosted server's token must be
// sent to these hosts only; if there are none yet, to where Find gives it out.
// What cannot be opened is Invalid, and so is a credential that refers to one
// which is bound to other hosts than itself.
func (k *Keyring) Login(ctx context.Context, a credential.About) (l source.Login, holder credential.About, err error) {
	all, err := k.credentials.All(ctx, a.Scope)
	if err != nil {
		return source.Login{}, credential.About{}, err
	}
	key, err := k.open(ctx, a.Scope, a.ServerType, a.ARN, all)
	if err != nil {
		return source.Login{}, credential.About{}, err
	}
	holder = key.about
	if holder.ARN != a.ARN && len(a.Hosts) > 0 && len(holder.Hosts) > 0 {
		both := slices.DeleteFunc(slices.Clone(holder.Hosts), func(host string) bool { return !slices.Contains(a.Hosts, host) })
		if len(both) == 0 {
			return source.Login{}, credential.About{}, fault.New(fault.Invalid, "%s", credential.Elsewhere(holder, holder.Hosts, a.Hosts[0]))
		}
		holder.Hosts = both
	}
	return key.login, holder, nil
}

// Ladder tells which credentials are considered for a repository and why. ok is
// false if none can be used; else winner is the one, also if it is a secret
// that is kept elsewhere. Nothing is opened, bound or recorded by this.
func (k *Keyring) Ladder(ctx context.Context, n Need) (rungs []slipway.CredentialRung, winner credential.About, ok bool, err error) {
	_, want, err := k.place(n)
	if err != nil {
		return nil, credential.About{}, false, err
	}
	all, err := k.credentials.All(ctx, n.Scope)
	if err != nil {
		return nil, credential.About{}, false, err
	}
	for _, r := range credential.Ladder(want, abouts(all)) {
		wins := r.Wins && !r.Refused
		shown := slipway.CredentialRung{Basis: r.Basis, ARN: r.ARN, Name: r.About.Name, Applies: r.Applies, Wins: wins, Reason: r.Reason}
		if !r.About.Match.IsZero() {
			m := slipway.CredentialMatch(r.About.Match)
			shown.Match = &m
		}
		rungs = append(rungs, shown)
		if wins {
			winner, ok = r.About, true
		}
		if wins && winner.ARN == "" { // none of ours
			winner = credential.About{Scope: n.Scope, ARN: r.ARN, ServerType: n.Server, AuthType: api.AuthTypeSecretsManager, Resource: r.ARN}
			if a, _ := arn.Parse(r.ARN); a.Service != "secretsmanager" {
				winner.AuthType = api.AuthTypeCodeconnections
			}
		}
	}
	return rungs, winner, ok, nil
}

// Import stores a credential, sealed, and returns it as it is then. If its ARN
// is taken and overwrite is false, that is Exists. Hosts and certificates of
// the one it replaces stay if it has none itself.
func (k *Keyring) Import(ctx context.Context, c credential.Credential, overwrite bool) (credential.About, error) {
	sealed, err := credential.Seal(c, k.sealer)
	if err != nil {
		return credential.About{}, err
	}
	if err := k.credentials.Put(ctx, sealed, overwrite); err != nil {
		return credential.About{}, err
	}
	stored, err := k.credentials.ByARN(ctx, c.Scope, c.ARN)
	return stored.About, err
}

// Delete removes a credential for good, and the tokens that it was; NotFound if
// there is none.
func (k *Keyring) Delete(ctx context.Context, scope arn.Scope, arn string) error {
	return k.credentials.Delete(ctx, scope, arn)
}

// Uses returns a page of at most limit uses of a credential, newest first.
// after is "" or the next that the page before returned; next is "" after the
// last page. The ARN is the credential's first one, whose account and region
// must be scope's, or it has no uses.
func (k *Keyring) Uses(ctx context.Context, scope arn.Scope, name, after string, limit int) (uses []slipway.CredentialUse, next string, err error) {
	uses = []slipway.CredentialUse{}
	if a, ok := arn.Parse(name); !ok || a.Account != scope.Account || a.Region != scope.Region {
		return uses, "", nil
	}
	all, next, err := k.credentials.Uses(ctx, name, after, limit)
	for _, u := range all {
		uses = append(uses, slipway.CredentialUse{
			At: api.At(u.At), Purpose: u.Purpose, Host: u.Host, Repository: u.Repository, ProjectName: u.Project, BuildID: u.BuildID,
		})
	}
	return uses, next, err
}

// LastUsed returns when a credential was last given out for something other
// than to check it; zero if that is not known.
func (k *Keyring) LastUsed(ctx context.Context, arn string) (time.Time, error) {
	return k.credentials.LastUsed(ctx, arn)
}

// Past returns the login that a credential was at a version, its present one or
// one that was replaced less than three days ago; else it is NotFound.
func (k *Keyring) Past(ctx context.Context, name string, version int64) (source.Login, error) {
	a, _ := arn.Parse(name)
	c, err := k.credentials.ByARN(ctx, arn.Scope{Account: a.Account, Region: a.Region}, name)
	if fault.KindOf(err) == fault.NotFound || err == nil && (c.Version != version || c.Resource != "") {
		c, err = k.credentials.Past(ctx, name, version)
	}
	if err != nil {
		return source.Login{}, err
	}
	clear, err := c.Open(k.sealer)
	return source.NewLogin(c.ServerType, clear.Username, clear.Token), err
}

// pruneEvery is how often what is old is forgotten.
const pruneEvery = time.Hour

// Run forgets past tokens and uses that are too old, now and every hour, until
// ctx ends.
func (k *Keyring) Run(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if err := k.credentials.Prune(ctx, k.options.Now()); err != nil && ctx.Err() == nil {
			k.log.Error("old credential records not forgotten", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
