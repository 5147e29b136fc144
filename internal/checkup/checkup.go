// Package checkup checks source credentials: it asks their providers what they
// are and can do, after an import, daily and on demand, keeps what it found and
// warns before they expire. It also tells which projects each one serves.
package checkup

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/source"
)

// keys is what checks need of the keyring.
type keys interface {
	// List returns the credentials of a scope.
	List(ctx context.Context, scope arn.Scope) ([]credential.About, error)
	// Pick returns the credential with this name or ARN, or NotFound.
	Pick(ctx context.Context, scope arn.Scope, nameOrARN string) (credential.About, error)
	// Find returns the login to a repository, and where it may be sent; a token
	// that is bound to no host yet is bound by that.
	Find(ctx context.Context, n keyring.Need) (keyring.Found, error)
	// Login opens a credential and returns whose hosts and certificates count
	// for its token. One that is there and cannot be used is Invalid.
	Login(ctx context.Context, a credential.About) (l source.Login, holder credential.About, err error)
	// Ladder returns all credentials that could serve a need, in the order in
	// which they are asked, and the one that does, if any.
	Ladder(ctx context.Context, n keyring.Need) ([]slipway.CredentialRung, credential.About, bool, error)
}

// projects is what checks need of projects.
type projects interface {
	Get(ctx context.Context, scope arn.Scope, name string) (project.Project, error)
	GetMany(ctx context.Context, scope arn.Scope, names []string) ([]project.Project, error)
	List(ctx context.Context, scope arn.Scope, by api.ProjectSortByType, descending bool, after string, limit int) (names []string, next string, err error)
}

// healths is where what checks found is stored.
type healths interface {
	// Put stores what a check found; a check of a token that was replaced or
	// deleted since it began is dropped.
	Put(ctx context.Context, h credential.Health) error
	// Warned stores that a warning was given so many days before an expiry.
	Warned(ctx context.Context, arn string, version int64, days int) error
	// Get returns what the last check found, or NotFound.
	Get(ctx context.Context, of credential.About) (credential.Health, error)
	// All returns every credential of every scope.
	All(ctx context.Context) ([]credential.Examined, error)
}

// Parts is what a Checker works with. All are needed.
type Parts struct {
	Keys      keys
	Projects  projects
	Health    healths
	Providers map[api.ServerType]source.Provider // a type without one is never checked
	Log       *slog.Logger
}

// Options tunes a Checker. The zero value is ready for production.
type Options struct {
	Off       bool                                 // nothing is checked but on demand, and nobody is warned
	Endpoints source.Endpoints                     // where providers are; nil means at their usual place
	Every     time.Duration                        // between two checks of a credential; 0 means a day
	Now       func() time.Time                     // nil means time.Now
	After     func(time.Duration) <-chan time.Time // nil means time.After
}

// A Checker's methods may be called from several goroutines.
type Checker struct {
	parts   Parts
	options Options
	wake    chan struct{} // holds one: there may be something to check
	flights singleflight.Group

	mu      sync.Mutex                   // guards what follows
	busy    map[string]bool              // by ARN: is being checked by Run
	located map[api.ServerType]time.Time // when a project last said where a self-hosted server is
	later   map[string]time.Time         // by ARN: not before, since the last check failed for our own reasons
}

// New returns a Checker at rest: nothing is checked but on demand until Run.
func New(parts Parts, o Options) *Checker {
	if o.Every == 0 {
		o.Every = 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	return &Checker{parts: parts, options: o, wake: make(chan struct{}, 1), busy: map[string]bool{}, later: map[string]time.Time{}, located: map[api.ServerType]time.Time{}}
}

// Wake tells that a credential was imported: it is checked as soon as Run gets
// to it. Wake never waits.
func (c *Checker) Wake(arn string) {
	c.mu.Lock()
	delete(c.later, arn)
	c.mu.Unlock()
	c.poke()
}

// Located tells that a project says where a server of this type is: what could
// not be checked before for want of a host is checked as soon as Run gets to
// it. Located never waits.
func (c *Checker) Located(t api.ServerType) {
	c.mu.Lock()
	c.located[t] = c.options.Now()
	c.mu.Unlock()
	c.poke()
}

func (c *Checker) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
