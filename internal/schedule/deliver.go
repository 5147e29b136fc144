package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/outbox"
	"slipway/internal/source"
)

const (
	deliveries  = 8                // at once; never two of one subject
	deliverPoll = 30 * time.Second // how often the outbox is looked at without being told to
)

// A courier remembers which subjects are being served.
type courier struct {
	mu     sync.Mutex // guards what follows
	serves map[string]bool
}

// take reports whether subject was free and there was a hand free for it.
func (c *courier) take(subject string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.serves[subject] || len(c.serves) >= deliveries {
		return false
	}
	c.serves[subject] = true
	return true
}

func (c *courier) give(subject string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.serves, subject)
}

// deliverLoop delivers what is owed: one item of a subject after the other,
// several subjects at once.
func (s *Scheduler) deliverLoop(ctx context.Context) {
	c := &courier{serves: map[string]bool{}}
	for {
		wait := s.deliverDue(ctx, c)
		timer := time.NewTimer(wait)
		select {
		case <-s.owed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// deliverDue begins to deliver what is due and returns how long nothing else
// will be. The end of each delivery wakes the loop.
func (s *Scheduler) deliverDue(ctx context.Context, c *courier) time.Duration {
	// What is being delivered is still due in the store, hence twice as many.
	due, err := s.parts.Outbox.Due(ctx, time.Now(), 2*deliveries)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("outbox not read", "error", err)
		}
		return deliverPoll
	}
	for _, item := range due {
		if c.take(item.Subject) {
			s.later(func(ctx context.Context) {
				s.deliver(ctx, item)
				c.give(item.Subject)
				signal(s.owed)
			})
		}
	}
	if len(due) > 0 {
		return deliverPoll // one of these will end before
	}
	at, ok, err := s.parts.Outbox.NextDue(ctx)
	if err != nil || !ok {
		return deliverPoll
	}
	return min(max(time.Until(at), time.Millisecond), deliverPoll)
}

// deliver makes one attempt at an item and stores how it went. An attempt that
// ended because ctx did is as if it had never been.
func (s *Scheduler) deliver(ctx context.Context, item outbox.Item) {
	err := s.attempt(ctx, item)
	if err != nil && ctx.Err() != nil {
		return
	}
	now := time.Now()
	refusal, refused := errors.AsType[*source.Refusal](err)
	switch {
	case err == nil:
		item = item.Deliver(now, "")
	case refused && refusal.Again:
		item = item.Retry(now, refusal.Message, refusal.After)
	case refused:
		item = item.Refuse(now, refusal.Message)
	case fault.KindOf(err) == fault.Invalid:
		item = item.Refuse(now, fault.Message(err))
	default:
		s.log.Error(named(item)+" not attempted", subject(item), item.Subject, "error", err)
		item = item.Retry(now, "Slipway itself failed to try; its log says why.", 0)
	}
	switch item.State {
	case outbox.Refused:
		s.log.Warn(named(item)+" refused", subject(item), item.Subject, "attempts", item.Attempts, "reason", item.Message)
	case outbox.Owed:
		s.log.Info(named(item)+" delayed", subject(item), item.Subject, "attempts", item.Attempts, "until", item.NotBefore, "reason", item.Message)
	}
	for {
		// Once it was delivered this is worth storing even while we are stopping.
		err := s.parts.Outbox.Settle(context.WithoutCancel(ctx), item)
		if err == nil || fault.KindOf(err) == fault.NotFound {
			return
		}
		s.log.Error("delivery not stored", subject(item), item.Subject, "error", err)
		if !pause(ctx, retryPause) {
			return
		}
	}
}

// named is what log lines call an item, such as "commit status".
func named(item outbox.Item) string { return strings.ReplaceAll(string(item.Kind), "-", " ") }

// subject is the key of an item's subject in log lines.
func subject(item outbox.Item) string {
	if item.Kind == outbox.CommitStatus {
		return "buildId"
	}
	return "subject"
}

// attempt makes one attempt at what item owes.
func (s *Scheduler) attempt(ctx context.Context, item outbox.Item) error {
	if item.Kind == outbox.CommitStatus {
		return s.reportStatus(ctx, item)
	}
	d, ok := s.parts.Deliverers[item.Kind]
	if !ok {
		return fault.New(fault.Invalid, "Nobody knows how to deliver %q.", item.Kind)
	}
	return d.Deliver(ctx, item)
}

// reportStatus tells a provider the status that item owes. What cannot succeed
// later either is a *source.Refusal, or a fault of kind Invalid.
func (s *Scheduler) reportStatus(ctx context.Context, item outbox.Item) error {
	var d build.Debt
	if err := json.Unmarshal(item.Payload, &d); err != nil {
		return fault.New(fault.Invalid, "The item is not a commit status.")
	}
	provider, ok := s.parts.Providers[d.ServerType]
	if !ok {
		return fault.New(fault.Invalid, "Commit statuses cannot be set at %s yet.", d.ServerType)
	}
	found, err := s.parts.Keys.Find(ctx, keyring.Need{
		Scope: arn.Scope{Account: d.Account, Region: d.Region}, Server: d.ServerType, Location: d.Location,
		Purpose: slipway.CredentialPurposeCommitStatus, BuildID: item.Subject,
	})
	if err != nil {
		return err
	}
	if found.Login.IsZero() {
		return fault.New(fault.Invalid, "No source credential is imported for %s in %s, and without one no commit status can be set. "+
			"Import a token with 'aws codebuild import-source-credentials --server-type %s --auth-type PERSONAL_ACCESS_TOKEN'.", d.ServerType, d.Region, d.ServerType)
	}
	return provider.ReportStatus(ctx, found.Repository, d.Commit, source.Status{
		State: source.State(d.State), Context: d.Context, Description: d.Description, TargetURL: d.TargetURL,
	}, found.Login)
}
