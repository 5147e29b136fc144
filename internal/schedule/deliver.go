package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/outbox"
	"slipway/internal/source"
)

const (
	deliveries  = 8                // at once; never two of one subject
	deliverPoll = 30 * time.Second // how often the outbox is looked at without being told to
)

// A courier remembers which subjects are being served, and which items were
// served since the outbox was last read: what it read then may still name them.
type courier struct {
	mu     sync.Mutex // guards what follows
	serves map[string]bool
	served map[int64]bool
}

// look is called before the outbox is read.
func (c *courier) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.served)
}

// take reports whether item is still to be delivered, its subject is free and
// there is a hand free for it.
func (c *courier) take(item outbox.Item) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.served[item.ID] || c.serves[item.Subject] || len(c.serves) >= deliveries {
		return false
	}
	c.serves[item.Subject] = true
	return true
}

// give is called when the attempt at an item has been stored.
func (c *courier) give(item outbox.Item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.serves, item.Subject)
	c.served[item.ID] = true
}

// deliverLoop delivers what is owed: one item of a subject after the other,
// several subjects at once.
func (s *Scheduler) deliverLoop(ctx context.Context) {
	c := &courier{serves: map[string]bool{}, served: map[int64]bool{}}
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
	c.look()
	// What is being delivered is still due in the store, hence twice as many.
	due, err := s.parts.Outbox.Due(ctx, time.Now(), 2*deliveries)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("outbox not read", "error", err)
		}
		return deliverPoll
	}
	for _, item := range due {
		if c.take(item) {
			s.later(func(ctx context.Context) {
				s.deliver(ctx, item)
				c.give(item)
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
	outcome, err := s.attempt(ctx, item)
	if err != nil && ctx.Err() != nil {
		return
	}
	now := time.Now()
	refusal, refused := errors.AsType[*source.Refusal](err)
	if refused {
		outcome.HTTPStatus, outcome.Cause, outcome.NextStep, outcome.Link = refusal.HTTPStatus, refusal.Cause, refusal.NextStep, refusal.Link
	}
	item.Outcome = outcome
	switch kind := fault.KindOf(err); {
	case err == nil:
		item = item.Deliver(now, "")
	case refused && refusal.Again:
		item = item.Retry(now, refusal.Message, refusal.After)
	case refused:
		item = item.Refuse(now, refusal.Message)
	case kind == fault.Invalid:
		item = item.Refuse(now, fault.Message(err))
	case kind == fault.Unavailable:
		item = item.Retry(now, fault.Message(err), 0)
	default:
		s.log.Error(named(item)+" not attempted", subject(item), item.Subject, "error", err)
		item = item.Retry(now, "Slipway itself failed to try; its log says why.", 0)
	}
	s.logAttempt(item)
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

// logAttempt says of an attempt what is not as it should be.
func (s *Scheduler) logAttempt(item outbox.Item) {
	switch o := item.Outcome; item.State {
	case outbox.Refused:
		s.log.Warn(named(item)+" refused", subject(item), item.Subject, "attempts", item.Attempts, "arn", o.Credential,
			"httpStatus", o.HTTPStatus, "cause", o.Cause, "reason", item.Message, "nextStep", o.NextStep)
	case outbox.Owed:
		s.log.Info(named(item)+" delayed", subject(item), item.Subject, "attempts", item.Attempts, "arn", o.Credential,
			"httpStatus", o.HTTPStatus, "until", item.NotBefore, "reason", item.Message)
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

// attempt makes one attempt at what item owes. What cannot succeed later either
// is a *source.Refusal, or a fault of kind Invalid.
func (s *Scheduler) attempt(ctx context.Context, item outbox.Item) (outbox.Outcome, error) {
	if item.Kind == outbox.CommitStatus {
		return s.reportStatus(ctx, item)
	}
	d, ok := s.parts.Deliverers[item.Kind]
	if !ok {
		return outbox.Outcome{}, fault.New(fault.Invalid, "Nobody knows how to deliver %q.", item.Kind)
	}
	return outbox.Outcome{}, d.Deliver(ctx, item)
}

// reportStatus tells a provider the status that item owes. The outcome says
// which credential was sent last.
func (s *Scheduler) reportStatus(ctx context.Context, item outbox.Item) (sent outbox.Outcome, err error) {
	var d build.Debt
	if err := json.Unmarshal(item.Payload, &d); err != nil {
		return sent, fault.New(fault.Invalid, "The item is not a commit status.")
	}
	provider, ok := s.parts.Providers[d.ServerType]
	if !ok {
		return sent, fault.New(fault.Invalid, "Commit statuses cannot be set at %s yet.", d.ServerType)
	}
	buildID := "" // a pull request that waits for approval has a status and no build
	if strings.HasPrefix(item.Subject, d.Project+":") {
		buildID = item.Subject
	}
	scope := arn.Scope{Account: d.Account, Region: d.Region}
	found, err := s.parts.Keys.Find(ctx, keyring.Need{
		Scope: scope, Server: d.ServerType, Location: d.Location, Auth: d.Auth(), Insecure: d.Insecure,
		Purpose: slipway.CredentialPurposeCommitStatus, Project: d.Project, BuildID: buildID,
	})
	if err != nil {
		return sent, err
	}
	if found.Login.IsZero() {
		return sent, fault.New(fault.Invalid, "Without a credential no commit status can be set. %s", credential.Missing(scope, string(d.ServerType)))
	}
	report := func(by source.Login, arn string, version int64) error {
		sent.Credential, sent.Version = arn, version
		return provider.ReportStatus(ctx, found.Repository, d.Commit, source.Status{
			State: source.State(d.State), Context: d.Context, Description: d.Description, TargetURL: d.TargetURL, Ref: d.Ref,
		}, by)
	}
	opener, by, err := s.opener(ctx, item, d)
	if err != nil {
		return sent, err
	}
	if !by.IsZero() && (opener.Credential != found.ARN || opener.Version != found.Version) {
		err := report(by, opener.Credential, opener.Version)
		if refusal, ok := errors.AsType[*source.Refusal](err); err == nil || !ok || refusal.Again {
			return sent, err
		}
		s.log.Info("commit status refused with the credential that opened it; the present one is tried", "buildId", item.Subject, "arn", opener.Credential)
	}
	return sent, report(found.Login, found.ARN, found.Version)
}

// opener returns the credential that opened the status which item goes on with,
// and its login: Bitbucket lets nobody else but an administrator change it. The
// login is zero if there is no such status or the token is gone, and if that
// status was at another place than d is: what waits for approval keeps its
// subject when its project moves, and a token is not sent to another host.
func (s *Scheduler) opener(ctx context.Context, item outbox.Item, d build.Debt) (opened outbox.Outcome, by source.Login, err error) {
	all, err := s.parts.Outbox.BySubject(ctx, item.Subject)
	if err != nil {
		return opened, by, err
	}
	i := slices.IndexFunc(all, func(other outbox.Item) bool {
		return other.ID < item.ID && other.Kind == item.Kind && other.State == outbox.Delivered && other.Outcome.Version > 0
	})
	if i < 0 {
		return opened, by, nil
	}
	var was build.Debt
	if json.Unmarshal(all[i].Payload, &was) != nil || was.ServerType != d.ServerType || was.Location != d.Location {
		return opened, by, nil
	}
	opened = all[i].Outcome
	by, err = s.parts.Keys.Past(ctx, opened.Credential, opened.Version)
	if fault.KindOf(err) == fault.NotFound || err == nil && by.Server != d.ServerType {
		return opened, source.Login{}, nil
	}
	return opened, by, err
}
