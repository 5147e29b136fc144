// Package schedule decides when builds run and who holds them: it launches
// queued builds, answers their agents, ends those that are lost or late, and
// delivers what is owed to source providers.
package schedule

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/keyring"
	"slipway/internal/logstream"
	"slipway/internal/outbox"
	"slipway/internal/runner"
	"slipway/internal/source"
)

// builds is what scheduling needs of the stored builds. What a change returns
// as an error is returned, and nothing is stored then.
type builds interface {
	// Find returns one build by its id alone, or NotFound.
	Find(ctx context.Context, id string) (build.Build, error)
	// Claim changes the oldest queued build; ok is false if none is queued.
	Claim(ctx context.Context, change func(*build.Build) error) (b build.Build, ok bool, err error)
	// Update changes a build and adds items to the outbox, in one durable
	// transaction; NotFound if there is none. change may run more than once.
	Update(ctx context.Context, id string, change func(*build.Build) ([]outbox.Item, error)) (build.Build, error)
	// Unfinished returns every build that has not completed, oldest first.
	Unfinished(ctx context.Context) ([]build.Build, error)
}

// debts is what delivery needs of the outbox.
type debts interface {
	// Due returns at most limit owed items whose time has come and that are the
	// oldest owed of their subject.
	Due(ctx context.Context, now time.Time, limit int) ([]outbox.Item, error)
	// Settle stores how an attempt went.
	Settle(ctx context.Context, item outbox.Item) error
	// NextDue returns when the next item is due; ok is false if nothing is owed.
	NextDue(ctx context.Context) (at time.Time, ok bool, err error)
	// BySubject returns the items of a subject, settled or not, oldest first.
	BySubject(ctx context.Context, subject string) ([]outbox.Item, error)
}

// keys is where the credential that serves a repository is found.
type keys interface {
	// Find returns the login to a repository; it is zero if nobody's credential
	// serves it. A credential that exists and cannot be used is Invalid. That
	// it was given out is recorded.
	Find(ctx context.Context, n keyring.Need) (keyring.Found, error)
	// FindURL is Find for the URL in n.Location, which a repository's content
	// named and nobody vouches for: n.Server is empty, since it is found by the
	// URL's host. The login is zero unless a credential serves that very host,
	// which no credential becomes bound to by this; Found.Host is then all
	// there is. A credential that exists and cannot be used is Invalid.
	FindURL(ctx context.Context, n keyring.Need) (keyring.Found, error)
	// Past returns what a credential was at a version, or NotFound.
	Past(ctx context.Context, arn string, version int64) (source.Login, error)
}

// codeCommit is where logins to repositories of AWS CodeCommit come from.
type codeCommit interface {
	// Login returns the login to the repository at a location, its URL at AWS.
	// Without AWS credentials that is Invalid, with what to do.
	Login(ctx context.Context, location string) (source.SignedLogin, error)
}

// A Reporter is the part of a source.Provider that tells builds to providers.
type Reporter interface {
	ReportStatus(ctx context.Context, r source.Repository, commit string, s source.Status, by source.Login) error
}

// logs is where the logs of builds go.
type logs interface {
	// Create makes a stream; that it exists is no error.
	Create(id logstream.StreamID, now time.Time) error
	// Next returns the number of the frame that a stream expects next.
	Next(id logstream.StreamID) (uint64, error)
	// Append adds frame number seq. A repeated one is ignored.
	Append(id logstream.StreamID, seq uint64, frame []byte) error
	// Sync makes what was appended durable.
	Sync(id logstream.StreamID) error
}

// ender is a runner.Runner that tells at once when an agent has ended, which
// otherwise shows only when its lease runs out.
type ender interface {
	Ended() <-chan runner.Place
}

// A Deliverer delivers one kind of what is owed.
type Deliverer interface {
	// Deliver makes one attempt. A *source.Refusal that says so is tried again;
	// another one, or a fault of kind Invalid, never.
	Deliver(ctx context.Context, item outbox.Item) error
}

// Parts is what a Scheduler works with. All but Objects, Vault, Reports and
// CodeCommit are needed: without one of these, agents that ask for what it keeps
// are refused.
type Parts struct {
	Builds    builds
	Outbox    debts
	Keys      keys
	Logs      logs
	Runner    runner.Runner
	Providers map[api.ServerType]Reporter
	Log       *slog.Logger

	Objects objects
	Vault   vault
	Reports reports

	CodeCommit codeCommit

	Deliverers map[outbox.Kind]Deliverer // of what is no commit status; without one of outbox.AutoRetry no build is retried by itself, without one of outbox.LogCopy no log goes to S3
}

// Options tunes a Scheduler. The zero value is ready for production.
type Options struct {
	MaxBuilds  int              // builds that run at once; 0 means as many as there are processors
	Lease      time.Duration    // how long an agent may be silent; 0 means 30s
	StopGrace  time.Duration    // time a stopped build has to end by itself; 0 means 30s
	Overrun    time.Duration    // time a build past its deadline has to end by itself; 0 means 30s
	Endpoints  source.Endpoints // where providers are; nil means at their usual place
	ConsoleURL string           // of the console, where everybody finds it: commit statuses and builds are told; empty means that there is no such place
	LocalURL   string           // of the console, where people at this machine find it: what builds are told if there is no ConsoleURL; empty means that they are not
}

// Fixed times of a Scheduler.
const (
	poll       = 2 * time.Second  // how often the queue is looked at without being told to
	storeLease = 10 * time.Second // how much further a lease must reach to be stored again
	tidyGrace  = 10 * time.Second // time the agent of a finished build has to exit
	startGrace = 10 * time.Second // time that a launch in flight has when the server ends
	startPause = 200 * time.Millisecond
	retryPause = time.Second // before a failed write of the end of a build is tried again
)

const (
	startTries  = 3 // of the runner, in one attempt
	maxAttempts = 3 // launches of a build whose agents never reported
)

// A Scheduler is the one holder of an installation's builds. It is
// codebuild's controller and the agentapi.Backend. Its methods may be called
// from several goroutines.
type Scheduler struct {
	parts   Parts
	options Options
	log     *slog.Logger

	wake  chan struct{}              // holds one: a build was queued, or one ended
	owed  chan struct{}              // holds one: something is due in the outbox
	work  chan func(context.Context) // to Run's goroutines
	ended chan struct{}              // closed when Run takes no more work

	claiming sync.Mutex // held from the claim of a build until it is among holds, so that StopBuild finds it

	mu       sync.Mutex       // guards what follows
	holds    map[string]*hold // by build id: every build that is claimed and not finished
	freed    chan struct{}    // closed and made anew when a hold is let go
	ready    bool             // holds is complete: what was running before has been looked at
	draining bool             // nothing is launched any more
}

// New returns a Scheduler at rest: nothing happens until Run, and agents are
// asked to try again later.
func New(p Parts, o Options) *Scheduler {
	if o.MaxBuilds <= 0 {
		o.MaxBuilds = runtime.NumCPU()
	}
	for _, d := range []*time.Duration{&o.Lease, &o.StopGrace, &o.Overrun} {
		if *d <= 0 {
			*d = 30 * time.Second
		}
	}
	return &Scheduler{
		parts: p, options: o, log: p.Log,
		wake: make(chan struct{}, 1), owed: make(chan struct{}, 1),
		work: make(chan func(context.Context)), ended: make(chan struct{}),
		holds: map[string]*hold{}, freed: make(chan struct{}),
	}
}

// Run takes up the builds that were running when the last server ended, then
// launches queued builds, ends lost ones and delivers what is owed until parent
// ends. It returns when all its goroutines have; builds go on running, and the
// next Run takes them up. Run may be called once. It fails only if it cannot
// find out what is running.
func (s *Scheduler) Run(parent context.Context) error {
	g, ctx := errgroup.WithContext(parent)
	g.Go(func() error {
		defer close(s.ended)
		for {
			select {
			case work := <-s.work:
				g.Go(func() error {
					work(ctx)
					return nil
				})
			case <-ctx.Done():
				return nil
			}
		}
	})
	g.Go(func() error {
		if err := s.adopt(ctx); err != nil {
			return err
		}
		for _, loop := range []func(context.Context){s.launchLoop, s.reapLoop, s.deliverLoop, s.endLoop} {
			g.Go(func() error {
				loop(ctx)
				return nil
			})
		}
		return nil
	})
	if err := g.Wait(); err != nil && parent.Err() == nil {
		return err
	}
	return nil
}

// Drain launches nothing more and waits until no build runs. If ctx ends
// before that, its error is returned; nothing is launched all the same. It is
// to be called before Run's context ends, while agents are still answered.
func (s *Scheduler) Drain(ctx context.Context) error {
	for {
		s.mu.Lock()
		s.draining = true
		running, freed := len(s.holds), s.freed
		s.mu.Unlock()
		if running == 0 {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Wake tells that a build was queued.
func (s *Scheduler) Wake() { signal(s.wake) }

// WakeOutbox tells that something new is in the outbox.
func (s *Scheduler) WakeOutbox() { signal(s.owed) }

// later hands work to Run's goroutines. After Run's context has ended it is
// dropped: all work is such that the next start finds it undone.
func (s *Scheduler) later(work func(context.Context)) {
	select {
	case s.work <- work:
	case <-s.ended:
	}
}

// change applies steps to a stored build, all or none. Whenever the build then
// owes its provider another commit status than before, that is put into the
// outbox with the change, and so are the retry of a build that ends badly and
// the copy of a log that S3 is to have.
func (s *Scheduler) change(ctx context.Context, id string, steps ...func(*build.Build) error) (build.Build, error) {
	owes := false
	b, err := s.parts.Builds.Update(ctx, id, func(b *build.Build) (debts []outbox.Item, err error) {
		before, _ := b.CommitStatus(s.options.ConsoleURL)
		finished := b.Finished()
		for _, step := range steps {
			if err := step(b); err != nil {
				return nil, err
			}
			status, ok := b.CommitStatus(s.options.ConsoleURL)
			if ok && status != before {
				debt, err := status.Owe(id, *b.Public.ProjectName, b.Scope, time.Now())
				if err != nil {
					return nil, err
				}
				debts = append(debts, debt)
			}
			before = status
		}
		if s.parts.Deliverers[outbox.AutoRetry] != nil && !finished && b.Retriable() {
			debt, err := b.OweRetry(time.Now())
			if err != nil {
				return nil, err
			}
			debts = append(debts, debt)
		}
		if s.parts.Deliverers[outbox.LogCopy] != nil && !finished {
			debt, ok, err := b.OweLog(time.Now())
			if err != nil {
				return nil, err
			}
			if ok {
				debts = append(debts, debt)
			}
		}
		owes = len(debts) > 0
		return debts, nil
	})
	if err == nil && owes {
		signal(s.owed)
	}
	return b, err
}

// signal fills a channel that holds one, if it is empty.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause waits for d and reports whether ctx still lasts.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
