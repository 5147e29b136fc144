package agent

import (
	"context"
	"sync"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
)

// gather is how long events wait for others to travel with: a phase of no
// commands takes less, and every report costs the server an fsync.
const gather = 20 * time.Millisecond

// A reporter tells the server what happens, in order and without making the
// build wait for it.
type reporter struct {
	client *agentapi.Client

	mu     sync.Mutex // guards events
	events []event.Event

	wake  chan struct{} // there are new events
	final chan struct{} // closed when the last event is among them
}

func newReporter(client *agentapi.Client) *reporter {
	return &reporter{client: client, wake: make(chan struct{}, 1), final: make(chan struct{})}
}

// add has an event sent soon.
func (r *reporter) add(e event.Event) {
	e.Time = time.Now()
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// finish has the last event sent.
func (r *reporter) finish(status api.StatusType) {
	r.add(event.Event{End: status})
	close(r.final)
}

// run sends events and signs of life until the last event is acknowledged. It
// calls end when the server wants the build ended.
func (r *reporter) run(ctx context.Context, end func(api.StatusType)) error {
	for sent := 0; ; {
		last := r.wait(ctx)
		r.mu.Lock()
		batch := r.events[sent:]
		r.mu.Unlock()
		var answer *agentapi.Answer
		err := insist(ctx, func(ctx context.Context) (err error) {
			answer, err = r.client.Report(ctx, agentapi.Report{First: sent, Events: batch})
			return err
		})
		if err != nil {
			return err
		}
		sent += len(batch)
		if last {
			return nil
		}
		if answer.End != "" {
			end(answer.End)
		}
	}
}

// wait returns when a report is due, and whether it is the last.
func (r *reporter) wait(ctx context.Context) (last bool) {
	heartbeat := time.NewTimer(agentapi.HeartbeatEvery)
	defer heartbeat.Stop()
	select {
	case <-r.final:
		return true
	case <-heartbeat.C:
		return false
	case <-ctx.Done():
		return false
	case <-r.wake:
	}
	select {
	case <-r.final:
		return true
	case <-time.After(gather):
		return false
	case <-ctx.Done():
		return false
	}
}
