package registrar

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/webhook"
)

// Run looks after the hooks at providers and, if it is to, compares refs, until
// ctx ends. It returns when all it began has ended. It may be called once.
func (r *Registrar) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		r.rounds(ctx, round{every: r.options.WatchEvery, visit: r.watch})
		return nil
	})
	if r.options.Poll {
		g.Go(func() error {
			r.rounds(ctx, round{every: r.options.PollEvery, spread: true, picks: polled, visit: r.poll})
			return nil
		})
	}
	return g.Wait()
}

// workers is how many hooks are visited at once.
const workers = 4

// A round visits hooks again and again.
type round struct {
	every  time.Duration
	spread bool // over the time between two visits, so that not all are made at once
	picks  func(webhook.Hook) bool
	visit  func(context.Context, webhook.SealedHook) (again time.Duration) // 0 means after every
}

// rounds makes rounds until ctx ends, and waits for the visits that are being made.
func (r *Registrar) rounds(ctx context.Context, o round) {
	var visits sync.WaitGroup
	defer visits.Wait()
	var mu sync.Mutex // guards next and busy
	next := map[string]time.Time{}
	busy := map[string]bool{}
	ended := make(chan struct{}, 1)
	for {
		all, err := r.parts.Hooks.All(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Error("hooks not read", "error", err)
		}
		now := time.Now()
		wait := o.every
		mu.Lock()
		known := map[string]time.Time{}
		for _, h := range all {
			if o.picks != nil && !o.picks(h.Hook) {
				continue
			}
			at, ok := next[h.Key]
			if !ok && o.spread {
				at = now.Add(share(h.Key, o.every))
			}
			known[h.Key] = at
			switch {
			case busy[h.Key]:
			case at.After(now):
				wait = min(wait, at.Sub(now))
			case len(busy) < workers:
				busy[h.Key] = true
				visits.Go(func() {
					again := o.visit(ctx, h)
					if again <= 0 {
						again = o.every
					}
					mu.Lock()
					defer mu.Unlock()
					delete(busy, h.Key)
					next[h.Key] = time.Now().Add(again)
					select {
					case ended <- struct{}{}:
					default:
					}
				})
			}
		}
		if err == nil {
			next = known
		}
		mu.Unlock()
		// Hooks that are new are found within a minute, and no clock is watched
		// closer than it takes to read them all.
		timer := time.NewTimer(min(max(wait, o.every/64), time.Minute))
		select {
		case <-timer.C:
		case <-ended:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// share returns a part of d that is the same for one key and evenly spread over many.
func share(key string, d time.Duration) time.Duration {
	f := fnv.New32a()
	_, _ = f.Write([]byte(key))
	return time.Duration(float64(d) * float64(f.Sum32()) / (1 << 32))
}
