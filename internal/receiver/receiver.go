// Package receiver hears what source providers deliver: it keeps every delivery
// before it answers, then holds it against the filters of each project that
// hears it, and starts builds.
package receiver

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
)

// hooks is what is needed of the hooks at providers.
type hooks interface {
	// Find returns the hook with a key, or NotFound.
	Find(ctx context.Context, key string) (webhook.SealedHook, error)
	// Listeners returns the projects that hear a hook, by name.
	Listeners(ctx context.Context, key string) ([]project.Project, error)
}

// deliveries is where deliveries are kept.
type deliveries interface {
	// Accept stores a delivery durably, or finds that it is there already.
	Accept(ctx context.Context, d webhook.Delivery) (stored webhook.Delivery, again bool, err error)
	// Pending returns at most limit unevaluated deliveries after a sequence, in
	// order of arrival, without payload.
	Pending(ctx context.Context, after int64, limit int) ([]webhook.Delivery, error)
	// Get returns a delivery with its payload, or NotFound.
	Get(ctx context.Context, sequence int64) (webhook.Delivery, error)
	// Find is Get within a scope.
	Find(ctx context.Context, scope arn.Scope, sequence int64) (webhook.Delivery, error)
	// List returns a page of what a project heard, newest first, without payload.
	List(ctx context.Context, scope arn.Scope, project string, before int64, limit int) (page []webhook.Delivery, next int64, err error)
	// About returns the latest deliveries that are about one of some
	// repositories, without payload.
	About(ctx context.Context, scope arn.Scope, server api.ServerType, repositories []string, limit int) ([]webhook.Delivery, error)
	// Settle stores all that came of a pending delivery, in one transaction;
	// settled is false if it is not pending any more.
	Settle(ctx context.Context, sequence int64, of webhook.Settlement) (settled bool, err error)
	// Withheld returns the build of a repository's pull request that waits for approval.
	Withheld(ctx context.Context, scope arn.Scope, project, repository string, pullRequest int64) (w webhook.Withheld, ok bool, err error)
	// Prune forgets what was received before one time, and what has waited since
	// before another.
	Prune(ctx context.Context, received, waiting time.Time) error
}

// refs are where refs were when they were last heard of or looked at, by hook.
type refs interface {
	// Refs returns the commits; of pull requests as pull/N.
	Refs(ctx context.Context, hook string) (map[string]string, error)
}

// projects is what a trial needs of the projects.
type projects interface {
	// Get returns one project, or NotFound.
	Get(ctx context.Context, scope arn.Scope, name string) (project.Project, error)
}

// opener opens what is sealed.
type opener interface {
	Open(box []byte, owner string) ([]byte, error)
}

// keys is where the credential that serves a repository is found.
type keys interface {
	// Find returns the login to a repository; it is zero if nobody's credential
	// serves it. A credential that exists and cannot be used is Invalid.
	Find(ctx context.Context, n keyring.Need) (keyring.Found, error)
}

// starter starts builds.
type starter interface {
	// StartWebhookBuild queues a build; asked again with the same memory it
	// returns the first one. Limit, Invalid and NotFound say why there is none.
	StartWebhookBuild(ctx context.Context, p project.Project, start build.WebhookStart) (build.Build, error)
}

// statuses is who tells commit statuses that are in the outbox to providers.
type statuses interface {
	// WakeOutbox tells that something new is owed.
	WakeOutbox()
}

// Parts is what a Receiver works with. All are needed.
type Parts struct {
	Hooks      hooks
	Deliveries deliveries
	Refs       refs
	Projects   projects
	Opener     opener
	Keys       keys
	Builds     starter
	Statuses   statuses
	Providers  map[api.ServerType]source.Provider
	Log        *slog.Logger
}

// Options tunes a Receiver. The zero value is ready for production.
type Options struct {
	Workers  int                                              // deliveries that are worked on at once, those that wait for a provider not among them; 0 means 8
	Large    int                                              // payloads of more than 1 MiB that are taken at once; 0 means 8
	Turn     time.Duration                                    // how long another one waits for that; 0 means 8 seconds, since GitHub waits 10 for the answer
	Patience time.Duration                                    // how long passing failures of a provider are waited for; 0 means 2 minutes
	Keep     time.Duration                                    // how long deliveries are kept; 0 means 14 days
	Now      func() time.Time                                 // nil means time.Now
	Pause    func(ctx context.Context, d time.Duration) error // waits before something is tried again; nil means to wait
}

const (
	keepWithheld = 90 * 24 * time.Hour // how long a pull request may wait for approval
	pruneEvery   = time.Hour
)

// A Receiver is the http.Handler at which providers call. Its methods may be
// called from several goroutines.
type Receiver struct {
	parts   Parts
	options Options
	log     *slog.Logger
	opened  opened
	wake    chan struct{} // holds one: a delivery was stored
	hands   chan struct{} // one for each delivery that is being worked on
	large   chan struct{} // one for each large payload that is being taken
}

// New returns a Receiver at rest: it stores and answers deliveries, and
// evaluates none until Run.
func New(p Parts, o Options) *Receiver {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Large <= 0 {
		o.Large = 8
	}
	if o.Turn <= 0 {
		o.Turn = 8 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 2 * time.Minute
	}
	if o.Keep <= 0 {
		o.Keep = 14 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	return &Receiver{parts: p, options: o, log: p.Log, wake: make(chan struct{}, 1), hands: make(chan struct{}, o.Workers), large: make(chan struct{}, o.Large)}
}

// Run evaluates deliveries until ctx ends, those first that were pending when
// it began, and forgets old ones. It returns when all its goroutines have; what
// they had not finished the next Run takes up, and nothing is built twice for
// that. Run may be called once.
func (r *Receiver) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		r.dispatch(ctx)
		return nil
	})
	g.Go(func() error {
		for r.prune(ctx) {
		}
		return nil
	})
	return g.Wait()
}

// prune forgets what is old and waits for the next time; it reports whether ctx
// still lasts.
func (r *Receiver) prune(ctx context.Context) bool {
	now := r.options.Now()
	if err := r.parts.Deliveries.Prune(ctx, now.Add(-r.options.Keep), now.Add(-keepWithheld)); err != nil && ctx.Err() == nil {
		r.log.Error("old deliveries not forgotten", "error", err)
	}
	return pause(ctx, pruneEvery) == nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
