// Package registrar keeps webhooks at source providers: it makes them, shares
// one among all projects of a repository, looks after them, removes those that
// nobody hears any more, and compares refs where providers cannot reach us.
package registrar

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/keyring"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// hooks is where hooks are stored, and who hears them.
type hooks interface {
	// Reserve stores h, or returns the hook of the same scope, server type,
	// place and owner that is there already.
	Reserve(ctx context.Context, h webhook.SealedHook) (webhook.SealedHook, error)
	// Find returns the hook with a key, or NotFound.
	Find(ctx context.Context, key string) (webhook.SealedHook, error)
	// OfProject returns the hook that a project hears, or NotFound.
	OfProject(ctx context.Context, scope arn.Scope, name string) (webhook.SealedHook, error)
	// All returns every hook.
	All(ctx context.Context) ([]webhook.SealedHook, error)
	// Change replaces the secrets and the record of a hook, in one transaction;
	// NotFound if there is none. change may run more than once and must not block.
	Change(ctx context.Context, key string, change func(*webhook.SealedHook) error) (webhook.SealedHook, error)
	// Attach lets a project hear a hook instead of what it heard before, and
	// changes the project, in one transaction; NotFound if either is missing.
	Attach(ctx context.Context, scope arn.Scope, name, key string, change func(project.Project) (project.Project, error)) (project.Project, error)
	// Detach ends that a project hears its hook and changes the project, in one
	// transaction. NotFound if the project is missing or hears none.
	Detach(ctx context.Context, scope arn.Scope, name string, change func(project.Project) (project.Project, error)) (key string, left int, err error)
	// Delete removes a hook that no project hears and adds what is owed for it
	// to the outbox; removed is false if one does or the hook is gone.
	Delete(ctx context.Context, key string, owed ...outbox.Item) (removed bool, err error)
	// Listeners returns the projects that hear a hook, by name.
	Listeners(ctx context.Context, key string) ([]project.Project, error)
}

// polls is where refs are remembered.
type polls interface {
	// Refs returns the commits that refs of a hook's repository were at.
	Refs(ctx context.Context, hook string) (map[string]string, error)
	// Remember stores where refs are now, drops those that are gone and changes
	// the hook's record, in one transaction; NotFound if there is no such hook.
	Remember(ctx context.Context, hook string, now map[string]string, gone []string, change func(*webhook.HookRecord)) error
}

// A sealer closes and opens the secrets of hooks.
type sealer interface {
	Seal(plaintext []byte, owner string) ([]byte, error)
	Open(box []byte, owner string) ([]byte, error)
}

// keys is where the credential that serves a repository is found.
type keys interface {
	// Find returns the login to a repository; it is zero if nobody's credential
	// serves it. A credential that is there and cannot be used is Invalid.
	Find(ctx context.Context, n keyring.Need) (keyring.Found, error)
}

// Rules are the rules of webhooks.
type Rules struct {
	// Check holds the settings of a webhook against what CodeBuild and the
	// provider allow; what they do not is Invalid, and an empty branchFilter a
	// Constraint.
	Check func(server api.ServerType, w *api.Webhook) error
	// Fill sets what CodeBuild answers though nobody sent it. It copies what it
	// changes below w.
	Fill func(w *api.Webhook)
	// Subscriptions tells which events webhooks need, and whether comments on
	// pull requests too.
	Subscriptions func(server api.ServerType, all []api.Webhook) ([]event.Type, bool)
	// Warnings says what is risky about a webhook's settings, in sentences.
	Warnings func(server api.ServerType, w *api.Webhook) []string
	// Approvers returns the roles that approve pull requests of w: those of its
	// policy, or the provider's usual ones.
	Approvers func(server api.ServerType, w *api.Webhook) []api.PullRequestBuildApproverRole
}

// Parts is what a Registrar works with. All are needed.
type Parts struct {
	Hooks     hooks
	Polls     polls
	Seal      sealer
	Keys      keys
	Providers map[api.ServerType]source.Provider
	Rules     Rules
	Deliver   func(ctx context.Context, d webhook.Delivery) error // takes what polling finds; durable when it returns; one of the same hook and ID is no error
	Log       *slog.Logger
}

// Options tunes a Registrar. The zero value is one that providers cannot reach.
type Options struct {
	PublicURL  string           // where providers reach this server, without a trailing slash; empty means that they cannot
	LocalURL   string           // what stands in for it in webhooks that users make by hand
	Poll       bool             // compare refs: instead of webhooks without a PublicURL, beside them with one
	Endpoints  source.Endpoints // where providers are; nil means at their usual place
	PollEvery  time.Duration    // how often refs are compared; 0 means a minute
	WatchEvery time.Duration    // how often hooks are looked at; 0 means four hours
	Now        func() time.Time // nil means time.Now
}

// A Registrar's methods may be called from several goroutines.
type Registrar struct {
	parts   Parts
	options Options
	log     *slog.Logger
	locks   locks // by spot: who holds one changes the hook there and its listeners
	polling pollMemory
}

// New returns a Registrar at rest: it makes and removes webhooks when it is
// asked to, and looks after them once it runs.
func New(p Parts, o Options) *Registrar {
	o.PollEvery = cmp.Or(o.PollEvery, time.Minute)
	o.WatchEvery = cmp.Or(o.WatchEvery, 4*time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Registrar{parts: p, options: o, log: p.Log}
}

// Times of one operation.
const (
	patience     = 45 * time.Second // for a provider, while somebody waits for the answer; the AWS CLI waits a minute
	shortTime    = 10 * time.Second // for a provider, if what fails can be done later
	secretGrace  = 24 * time.Hour   // how long the secret before the present one is accepted
	afterFailure = 10 * time.Minute // until a hook is looked at again that could not be
)

// bounded returns a context that ends when it is time to answer and not before,
// even if who asked has gone: what was begun at a provider is better finished.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}

// payloadURL returns where the provider delivers to a hook, or "" if it cannot.
func (r *Registrar) payloadURL(h webhook.Hook) string {
	base := r.options.PublicURL
	if base == "" && h.Project != "" {
		base = r.options.LocalURL
	}
	if base == "" {
		return h.Record.PayloadURL
	}
	return base + "/webhooks?t=" + h.Key + "&v=1"
}

// hears returns the webhooks of projects, but for the one named.
func hears(all []project.Project, except string) []api.Webhook {
	var out []api.Webhook
	for _, p := range all {
		if p.Public.Webhook != nil && *p.Public.Name != except {
			out = append(out, *p.Public.Webhook)
		}
	}
	return out
}

// manual reports whether a hook is one that a user makes by hand.
func manual(h webhook.Hook) bool { return h.Project != "" }

// seen sets what is known of a hook that has just been set.
func seen(r *webhook.HookRecord, hook source.Hook, now time.Time) {
	r.ProviderID, r.ProviderURL, r.Signed = hook.ID, hook.URL, hook.Signed
	r.State, r.Message, r.LastResponse, r.Checked = slipway.ProviderHookStateActive, "", hook.LastResponse, now
	if !hook.Active {
		r.State, r.Message = slipway.ProviderHookStateDisabled, hook.State
	}
}
