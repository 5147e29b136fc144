package checkup

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/api/slipway"
	"slipway/internal/credential"
)

// Bounds of the checks that nobody asked for.
const (
	atOnce    = 4               // checks side by side
	checkTime = 2 * time.Minute // for one
	longest   = time.Hour       // between two looks at what is due
	again     = 10 * time.Minute
)

// Run checks credentials that were never checked at once and all others daily,
// not all at the same hour, and warns before they expire, until ctx ends; then
// it waits for the checks in flight. What fails is logged and tried again.
func (c *Checker) Run(ctx context.Context) error {
	if c.options.Off {
		<-ctx.Done()
		return nil
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for {
		wait := c.round(ctx, &g)
		select {
		case <-ctx.Done():
			return g.Wait()
		case <-c.wake:
		case <-c.options.After(wait):
		}
	}
}

// round warns of what expires, starts the checks that are due and for which
// there is room, and returns how long to wait for the next.
func (c *Checker) round(ctx context.Context, g *errgroup.Group) time.Duration {
	all, err := c.parts.Health.All(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.parts.Log.Error("source credentials cannot be checked", "error", err)
		}
		return again
	}
	wait := longest
	for _, e := range all {
		c.warn(ctx, e)
		left, free := c.until(e)
		if !free {
			continue // it pokes when it is done
		}
		if left > 0 {
			wait = min(wait, left)
			continue
		}
		c.hold(e.ARN)
		if !g.TryGo(func() error { c.visit(ctx, e); return nil }) {
			c.release(e.ARN)
		}
	}
	return wait
}

// until returns how long it is until the next check of a credential; free is
// false while it is being checked.
func (c *Checker) until(e credential.Examined) (left time.Duration, free bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[e.ARN] {
		return 0, false
	}
	now := c.options.Now()
	next := c.later[e.ARN]
	h := e.Health
	if h != nil && h.Found.State == slipway.CredentialStateUnchecked && h.Checked.Before(c.located[e.ServerType]) {
		h = nil
	}
	if h != nil {
		if due := h.Checked.Add(c.pause(*h)); due.After(next) {
			next = due
		}
	}
	return next.Sub(now), true
}

// pause is how long after a check the next one is made: a day, less up to a
// quarter of it so that credentials imported together drift apart, and an hour
// if the provider could not be asked.
func (c *Checker) pause(h credential.Health) time.Duration {
	d := c.options.Every
	if h.Found.State == slipway.CredentialStateUnreachable {
		d /= 24
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(h.ARN + strconv.FormatInt(h.Checked.UnixMicro(), 10)))
	return d - time.Duration(sum.Sum32()%1000)*(d/4000)
}

func (c *Checker) hold(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy[arn] = true
}

func (c *Checker) release(arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, arn)
}

// visit checks one credential because it is due.
func (c *Checker) visit(ctx context.Context, e credential.Examined) {
	_, err := c.checkAndStore(ctx, e.About)
	c.mu.Lock()
	delete(c.busy, e.ARN)
	delete(c.later, e.ARN)
	if err != nil {
		c.later[e.ARN] = c.options.Now().Add(again)
	}
	c.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		c.parts.Log.Error("source credential could not be checked", "arn", e.ARN, "name", e.Name, "error", err)
	}
	c.poke()
}

// checkAndStore checks a credential, and keeps and logs what was found. Whoever
// asks while it is being checked gets the same answer: a person who imports a
// token asks at the moment at which it is checked by itself.
func (c *Checker) checkAndStore(ctx context.Context, a credential.About) (slipway.CredentialHealth, error) {
	for {
		found, err, shared := c.flights.Do(a.ARN+" "+strconv.FormatInt(a.Version, 10), func() (any, error) {
			ctx, cancel := context.WithTimeout(ctx, checkTime)
			defer cancel()
			return c.checkAlone(ctx, a)
		})
		if shared && errors.Is(err, context.Canceled) && ctx.Err() == nil {
			continue // who asked first has left
		}
		h, _ := found.(slipway.CredentialHealth) // zero with an error
		return h, err
	}
}

func (c *Checker) checkAlone(ctx context.Context, a credential.About) (slipway.CredentialHealth, error) {
	began := c.options.Now()
	if began.Before(a.Modified) { // the clock was set back
		began = a.Modified
	}
	found, err := c.examine(ctx, a, "")
	if err != nil {
		return found, err
	}
	before, err := c.parts.Health.Get(ctx, a)
	if err == nil && found.State == slipway.CredentialStateUnreachable {
		found = remembered(before, found)
	}
	h := credential.Health{ARN: a.ARN, Version: a.Version, Checked: began, Warned: credential.NeverWarned, Found: found}
	if err := c.parts.Health.Put(ctx, h); err != nil {
		return found, err
	}
	c.tell(ctx, a, before, found)
	return found, nil
}

// tell logs what a check found: that a good credential is refused now as an
// error, since builds fail from here on.
func (c *Checker) tell(ctx context.Context, a credential.About, before credential.Health, found slipway.CredentialHealth) {
	level, message, next := slog.LevelInfo, "source credential checked", found.NextStep
	switch {
	case worked(before.Found) && refused(found.State):
		level, message = slog.LevelError, "source credential worked before and is refused now"
		if !before.Found.OwnerIsBot {
			next = strings.TrimSpace(next + " A person's token ends with the person's account: one of a bot, a GitHub App or a project stays when people leave.")
		}
	case refused(found.State):
		level, message = slog.LevelWarn, "source credential is refused"
	}
	owner := found.Owner
	if owner == "" {
		owner = before.Found.Owner
	}
	c.parts.Log.Log(ctx, level, message, "arn", a.ARN, "name", a.Name, "serverType", a.ServerType, "owner", owner,
		"state", found.State, "message", found.Message, "nextStep", next)
}

// remembered is what is shown of a credential whose provider could not be
// asked: what it was, and that this is old.
func remembered(before credential.Health, now slipway.CredentialHealth) slipway.CredentialHealth {
	if before.Found.Owner == "" && len(before.Found.Jobs) == 0 {
		return now
	}
	was := before.Found
	was.State, was.Cause, was.Message, was.NextStep, was.Link = now.State, now.Cause, now.Message, now.NextStep, now.Link
	was.Checked = now.Checked
	if before.Found.State != slipway.CredentialStateUnreachable {
		was.Warnings = []string{"What is shown was found on " + before.Checked.UTC().Format(time.RFC1123) + "."}
	}
	return was
}

// worked reports whether a credential was good when its provider last answered.
func worked(h slipway.CredentialHealth) bool {
	switch h.State {
	case slipway.CredentialStateValid, slipway.CredentialStateLimited:
		return true
	case slipway.CredentialStateUnreachable: // with what was found before
		return slices.ContainsFunc(h.Jobs, func(j slipway.JobAbility) bool { return j.Ability == slipway.AbilityYes })
	}
	return false
}

func refused(s slipway.CredentialState) bool {
	return s == slipway.CredentialStateInvalid || s == slipway.CredentialStateExpired
}
