package checkup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/source"
)

// Check checks a credential, named by name or ARN, now. With a repository's URL
// it is judged by what it may do there, and the outcome is only told; without,
// by what it may do in the projects that use it, and the outcome is kept.
// NotFound if there is no such credential; a URL that is none of its provider's
// is Invalid.
func (c *Checker) Check(ctx context.Context, scope arn.Scope, nameOrARN, repositoryURL string) (slipway.CredentialHealth, error) {
	a, err := c.parts.Keys.Pick(ctx, scope, nameOrARN)
	if err != nil {
		return slipway.CredentialHealth{}, err
	}
	if repositoryURL != "" {
		return c.examine(ctx, a, repositoryURL)
	}
	return c.checkAndStore(ctx, a)
}

// Health returns what the last check of a credential found; it is UNCHECKED if
// there was none.
func (c *Checker) Health(ctx context.Context, a credential.About) (slipway.CredentialHealth, error) {
	h, err := c.parts.Health.Get(ctx, a)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, TokenKind: slipway.TokenKindUnknown, Expires: api.At(a.Expires),
			Message: "It has not been checked yet.", NextStep: "Check it now with 'slipway credential verify " + handle(a) + "'."}, nil
	case err != nil:
		return slipway.CredentialHealth{}, err
	}
	return h.Found, nil
}

// examine asks a stored credential's provider what it can do.
func (c *Checker) examine(ctx context.Context, a credential.About, repositoryURL string) (slipway.CredentialHealth, error) {
	l, holder, err := c.parts.Keys.Login(ctx, a)
	if k := fault.KindOf(err); err != nil && k != fault.Internal && k != fault.Unavailable {
		return c.finished(a, slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, Message: fault.Message(err)}), nil
	}
	if err != nil {
		return slipway.CredentialHealth{}, err
	}
	if m, wrong := mistakeOf(a, l); wrong {
		return c.finished(a, m.health(l.Kind)), nil
	}
	places, unknown, err := c.places(ctx, a, holder, l, repositoryURL)
	if err != nil {
		return slipway.CredentialHealth{}, err
	}
	if unknown != nil {
		unknown.TokenKind = l.Kind
		return c.finished(a, *unknown), nil
	}
	return c.ask(ctx, a, places)
}

// ask checks a login at each of some places and returns the worst of it.
func (c *Checker) ask(ctx context.Context, a credential.About, places []place) (slipway.CredentialHealth, error) {
	p := c.parts.Providers[a.ServerType]
	if p == nil {
		return c.finished(a, slipway.CredentialHealth{State: slipway.CredentialStateUnchecked, TokenKind: places[0].login.Kind,
			Message: "Credentials of type " + string(a.ServerType) + " cannot be checked by this server."}), nil
	}
	var all []slipway.CredentialHealth
	for _, at := range places {
		h, err := p.Check(ctx, at.site, at.repository, at.login)
		if refusal, ok := errors.AsType[*source.Refusal](err); ok {
			h, err = unanswered(refusal), nil
		}
		if err != nil {
			return slipway.CredentialHealth{}, err
		}
		h.Host = at.host()
		if at.repository != nil {
			h.Repository = at.repository.FullName()
		}
		if h.TokenKind == "" {
			h.TokenKind = at.login.Kind
		}
		all = append(all, h)
		if refused(h.State) { // the same answer everywhere
			break
		}
	}
	return c.finished(a, worst(all)), nil
}

// unanswered is the health of a credential whose check the provider refused or
// did not answer at all.
func unanswered(r *source.Refusal) slipway.CredentialHealth {
	return slipway.CredentialHealth{State: slipway.CredentialStateUnreachable, Cause: r.Cause, Message: r.Message, NextStep: r.NextStep, Link: r.Link}
}

// finished adds to a health what the credential's owner said, and when it is.
func (c *Checker) finished(a credential.About, h slipway.CredentialHealth) slipway.CredentialHealth {
	now := c.options.Now()
	limit(&h)
	h.Checked = api.At(now)
	if h.State == "" {
		h.State = slipway.CredentialStateUnchecked
	}
	if h.TokenKind == "" {
		h.TokenKind = slipway.TokenKindUnknown
	}
	if h.Expires.IsZero() && !a.Expires.IsZero() {
		h.Expires = api.At(a.Expires)
		if h.State == slipway.CredentialStateInvalid && h.Cause == slipway.FailureCauseBadToken && !now.Before(a.Expires) {
			h.State, h.Cause = slipway.CredentialStateExpired, slipway.FailureCauseExpiredToken
			h.Message = strings.TrimSpace("It expired on " + a.Expires.UTC().Format(time.DateOnly) + ", as was said when it was imported. " + h.Message)
		}
	}
	if refused(h.State) && len(h.Jobs) == 0 {
		for _, job := range jobs {
			h.Jobs = append(h.Jobs, slipway.JobAbility{Job: job, Ability: slipway.AbilityNo, Cause: h.Cause})
		}
	}
	if refused(h.State) && h.NextStep == "" {
		h.NextStep = "Make a new token and import it with " + importCommand(a) + "."
	}
	if refused(h.State) && h.Link == "" {
		h.Link = newTokenPage(a)
	}
	return h
}

// Bounds of what is kept of a provider's words, which are a stranger's.
const (
	maxWords = 1000 // characters of one text
	maxItems = 100  // of one list
)

// limit cuts what is kept of a check to a size that can be stored and shown.
func limit(h *slipway.CredentialHealth) {
	for _, s := range []*string{&h.Owner, &h.OwnerID, &h.Message, &h.NextStep, &h.Link} {
		*s = cut(*s)
	}
	for _, list := range []*[]string{&h.Scopes, &h.Warnings} {
		*list = (*list)[:min(len(*list), maxItems)]
		for i := range *list {
			(*list)[i] = cut((*list)[i])
		}
	}
	h.Jobs = h.Jobs[:min(len(h.Jobs), maxItems)]
	for i := range h.Jobs {
		j := &h.Jobs[i]
		j.Message, j.NextStep, j.Link, j.Missing = cut(j.Message), cut(j.NextStep), cut(j.Link), j.Missing[:min(len(j.Missing), maxItems)]
	}
}

func cut(s string) string {
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "…"
}

// states by how bad they are.
var states = []slipway.CredentialState{
	slipway.CredentialStateValid, slipway.CredentialStateUnchecked, slipway.CredentialStateLimited, slipway.CredentialStateUnreachable,
	slipway.CredentialStateInvalid, slipway.CredentialStateExpired,
}

var abilities = []slipway.Ability{slipway.AbilityYes, slipway.AbilityUnknown, slipway.AbilityNo}

// worst puts together what was found at several repositories: the worst state,
// and the worst of each job, naming the repository where that is so.
func worst(all []slipway.CredentialHealth) slipway.CredentialHealth {
	sum := all[0]
	if len(all) == 1 {
		return sum
	}
	names := make([]string, 0, len(all))
	for _, h := range all {
		names = append(names, h.Repository)
		if rank(states, h.State) > rank(states, sum.State) {
			kept := sum
			sum = h
			if sum.Owner == "" { // what a silent provider does not tell again
				sum.Owner, sum.OwnerID, sum.OwnerIsBot, sum.Scopes, sum.ScopesKnown, sum.Expires = kept.Owner, kept.OwnerID, kept.OwnerIsBot, kept.Scopes, kept.ScopesKnown, kept.Expires
			}
		}
	}
	sum.Jobs = nil
	for _, job := range jobs {
		if j, ok := worstJob(all, job); ok {
			sum.Jobs = append(sum.Jobs, j)
		}
	}
	sum.Warnings = nil
	for _, h := range all {
		for _, w := range h.Warnings {
			if !slices.Contains(sum.Warnings, w) {
				sum.Warnings = append(sum.Warnings, w)
			}
		}
	}
	sum.Repository = strings.Join(names, ", ")
	return sum
}

func worstJob(all []slipway.CredentialHealth, job slipway.CredentialJob) (found slipway.JobAbility, ok bool) {
	for _, h := range all {
		for _, j := range h.Jobs {
			if j.Job != job || ok && rank(abilities, j.Ability) <= rank(abilities, found.Ability) {
				continue
			}
			found, ok = j, true
			if j.Ability != slipway.AbilityYes && h.Repository != "" && !strings.Contains(j.Message, h.Repository) {
				found.Message = strings.TrimSpace("At " + h.Repository + ": " + j.Message)
			}
		}
	}
	return found, ok
}

// rank returns how bad one of a list is; what is not in it is not bad.
func rank[T comparable](list []T, v T) int { return max(0, slices.Index(list, v)) }

// handle returns the word by which people name a credential on the command line.
func handle(a credential.About) string {
	if a.Name != "" {
		return a.Name
	}
	return strings.ToLower(string(a.ServerType))
}
