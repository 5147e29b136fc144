package receiver

import (
	"context"
	"sync"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/webhook"
)

const (
	pendingPage = 500
	batch       = 64               // deliveries of one hook that are evaluated before others have their turn
	maxLines    = 256              // hooks whose deliveries are evaluated at once, nearly all of them waiting for providers
	pollEvery   = 30 * time.Second // how often is looked for deliveries without being told to
	retryPause  = time.Second
	ownFailures = 5 // of ours, before a delivery is given up
)

// A line is the deliveries of one hook that wait, oldest first: they are
// evaluated one after the other, so that builds start in the order of pushes.
type line struct {
	waiting []int64
	busy    bool // it is being evaluated
}

// dispatch has pending deliveries evaluated until ctx ends and that has ended.
func (r *Receiver) dispatch(ctx context.Context) {
	var workers sync.WaitGroup
	defer workers.Wait()
	lines := map[string]*line{}
	var ready []string // hooks with something waiting that is not evaluated, in turn
	done := make(chan string)
	var after int64
	running := 0
	for {
		page, err := r.parts.Deliveries.Pending(ctx, after, pendingPage)
		if err != nil && ctx.Err() == nil {
			r.log.Error("pending deliveries not read", "error", err)
		}
		for _, d := range page {
			l := lines[d.Hook]
			if l == nil {
				l = &line{}
				lines[d.Hook] = l
			}
			if l.waiting = append(l.waiting, d.Sequence); len(l.waiting) == 1 && !l.busy {
				ready = append(ready, d.Hook)
			}
			after = d.Sequence
		}
		for len(ready) > 0 && running < maxLines {
			hook := ready[0]
			ready = ready[1:]
			l := lines[hook]
			n := min(len(l.waiting), batch)
			work := l.waiting[:n:n]
			l.waiting, l.busy = l.waiting[n:], true
			running++
			workers.Go(func() {
				for _, sequence := range work {
					r.settle(ctx, sequence)
				}
				select {
				case done <- hook:
				case <-ctx.Done():
				}
			})
		}
		if len(page) == pendingPage {
			continue
		}
		timer := time.NewTimer(pollEvery)
		select {
		case hook := <-done:
			running--
			if l := lines[hook]; len(l.waiting) > 0 {
				l.busy = false
				ready = append(ready, hook)
			} else {
				delete(lines, hook)
			}
		case <-r.wake:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// settle evaluates a delivery and stores what came of it, however long that
// takes; it returns without if ctx ends. What fails by our own fault again and
// again is given up, with a note, so that it does not hold up those behind it.
func (r *Receiver) settle(ctx context.Context, sequence int64) {
	for failures := 1; ctx.Err() == nil; failures++ {
		err := r.evaluate(ctx, sequence)
		if err == nil || ctx.Err() != nil {
			return
		}
		r.log.Error("delivery not evaluated", "deliveryId", webhook.DeliveryName(sequence), "failures", failures, "error", err)
		if failures >= ownFailures && r.giveUp(ctx, sequence) == nil || failures >= 2*ownFailures {
			return // in the latter case it stays pending, for the next start
		}
		if r.options.Pause(ctx, retryPause) != nil {
			return
		}
	}
}

func (r *Receiver) giveUp(ctx context.Context, sequence int64) error {
	d, err := r.parts.Deliveries.Get(ctx, sequence)
	if err != nil {
		return err
	}
	d.Record.State = slipway.DeliveryStateDone
	d.Record.Note = "Slipway itself failed to evaluate this delivery; its log says why. Once that is mended: slipway webhook redeliver " + webhook.DeliveryName(sequence)
	_, err = r.parts.Deliveries.Settle(ctx, sequence, webhook.Settlement{Record: d.Record})
	return err
}
