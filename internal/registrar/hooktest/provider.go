package hooktest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// A Provider speaks to Servers.
type Provider struct{ client *rest.Client }

// New returns a Provider that repeats calls without waiting.
func New() *Provider {
	return &Provider{rest.New(rest.Dialect{
		Name:      "Example",
		Authorize: func(r *http.Request, by source.Login) { r.Header.Set("Authorization", "Bearer "+by.Token.Reveal()) },
		Limited: func(a *rest.Answer) (time.Duration, bool) {
			seconds, err := strconv.Atoi(a.Header.Get("X-Limited"))
			return time.Duration(seconds) * time.Second, err == nil
		},
		Explain: func(*rest.Answer, *source.Refusal, rest.Call) {},
		Words: func(a *rest.Answer) string {
			var said struct{ Message string }
			_ = json.Unmarshal(a.Body, &said)
			return said.Message
		},
	}, rest.Options{Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})}
}

func address(t source.Target, what string) string {
	name := t.FullName()
	if t.Scope != "" {
		name = string(t.Scope) + ":" + t.ScopeName
	}
	return t.APIBase + "/targets/" + url.PathEscape(name) + "/" + what
}

func (p *Provider) call(ctx context.Context, method string, t source.Target, what string, by source.Login, body, answer any) error {
	a, err := p.client.Do(ctx, rest.Call{Method: method, URL: address(t, what), At: t.Site, By: by, Body: body, Repeatable: method != http.MethodPost})
	if err != nil || answer == nil {
		return err
	}
	return a.JSON(answer)
}

// Check asks what the token may do.
func (p *Provider) Check(ctx context.Context, at source.Site, r *source.Repository, by source.Login) (slipway.CredentialHealth, error) {
	t := source.Target{Repository: source.Repository{Site: at, Owner: "any", Name: "thing"}}
	if r != nil {
		t.Repository = *r
	}
	health := slipway.CredentialHealth{State: slipway.CredentialStateValid, TokenKind: slipway.TokenKindUnknown}
	var may Access
	err := p.call(ctx, http.MethodGet, t, "user", by, nil, &may)
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		if health.State = slipway.CredentialStateInvalid; refusal.Again {
			health.State = slipway.CredentialStateUnreachable
		}
		health.Cause, health.Message, health.NextStep = refusal.Cause, refusal.Message, "Import another token."
		return health, nil
	}
	job := slipway.JobAbility{Job: slipway.CredentialJobWebhook, Ability: slipway.AbilityYes}
	switch {
	case may.Blind:
		job = slipway.JobAbility{Job: job.Job, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseNotVisible, Message: "The token does not see the repository.", NextStep: "Give it access.", Link: at.WebBase + "/tokens"}
	case !may.Hooks:
		job = slipway.JobAbility{Job: job.Job, Ability: slipway.AbilityNo, Cause: slipway.FailureCauseMissingScope, Message: "The token lacks the scope hooks.", NextStep: "Make one with it.", Link: at.WebBase + "/tokens"}
	}
	health.Jobs = []slipway.JobAbility{job}
	return health, err
}

// Hooks lists the hooks that lead to payloadURL.
func (p *Provider) Hooks(ctx context.Context, t source.Target, payloadURL string, by source.Login) (out []source.Hook, err error) {
	var all []Hook
	err = p.call(ctx, http.MethodGet, t, "hooks", by, nil, &all)
	for _, h := range all {
		if h.URL == payloadURL {
			out = append(out, shape(t, h))
		}
	}
	return out, err
}

func shape(t source.Target, h Hook) source.Hook {
	out := source.Hook{ID: h.ID, URL: address(t, "hooks/"+h.ID), Active: h.Active, Signed: h.Secret != "", LastResponse: "200 OK"}
	if !h.Active {
		out.State = "Disabled after many failures."
	}
	return out
}

func settings(s source.HookSettings) Hook {
	return Hook{URL: s.PayloadURL, Secret: s.Secret.Reveal(), Events: s.Events, Comments: s.Comments}
}

// CreateHook makes a hook.
func (p *Provider) CreateHook(ctx context.Context, t source.Target, s source.HookSettings, by source.Login) (source.Hook, error) {
	var made Hook
	err := p.call(ctx, http.MethodPost, t, "hooks", by, settings(s), &made)
	return shape(t, made), err
}

// UpdateHook replaces a hook.
func (p *Provider) UpdateHook(ctx context.Context, t source.Target, id string, s source.HookSettings, by source.Login) (source.Hook, error) {
	var made Hook
	err := p.call(ctx, http.MethodPatch, t, "hooks/"+id, by, settings(s), &made)
	return shape(t, made), err
}

// DeleteHook removes a hook.
func (p *Provider) DeleteHook(ctx context.Context, t source.Target, id string, by source.Login) error {
	err := p.call(ctx, http.MethodDelete, t, "hooks/"+id, by, nil, nil)
	if refusal, ok := errors.AsType[*source.Refusal](err); ok && refusal.HTTPStatus == http.StatusNotFound {
		return nil
	}
	return err
}

// Refs returns the refs of a repository.
func (p *Provider) Refs(ctx context.Context, r source.Repository, by source.Login) (map[string]string, error) {
	refs := map[string]string{}
	err := p.call(ctx, http.MethodGet, source.Target{Repository: r}, "refs", by, nil, &refs)
	return refs, err
}

// OpenPullRequests returns the open pull requests.
func (p *Provider) OpenPullRequests(ctx context.Context, r source.Repository, by source.Login) (out []event.Event, err error) {
	var all []Pull
	err = p.call(ctx, http.MethodGet, source.Target{Repository: r}, "pulls", by, nil, &all)
	for _, pull := range all {
		out = append(out, pull.event())
	}
	return out, err
}

// PullRequest returns one pull request.
func (p *Provider) PullRequest(ctx context.Context, r source.Repository, number int64, by source.Login) (event.Event, error) {
	var one []Pull
	err := p.call(ctx, http.MethodGet, source.Target{Repository: r}, "pulls/"+strconv.FormatInt(number, 10), by, nil, &one)
	if err != nil || len(one) != 1 {
		return event.Event{}, err
	}
	return one[0].event(), nil
}

func (p Pull) event() event.Event {
	return event.Event{
		Type: event.PullRequestUpdated, HeadRef: "refs/heads/topic", BaseRef: "refs/heads/main", Commit: p.Commit, Merge: p.Merge,
		PullRequest: &event.PullRequest{Number: p.Number},
	}
}

// What the registrar does not ask for.

var errNotHere = errors.New("hooktest does not do this")

// Resolve fails.
func (p *Provider) Resolve(context.Context, source.Repository, string, source.Login) (string, error) {
	return "", errNotHere
}

// ReportStatus fails.
func (p *Provider) ReportStatus(context.Context, source.Repository, string, source.Status, source.Login) error {
	return errNotHere
}

// Signed says that nothing is signed.
func (p *Provider) Signed(http.Header, []byte, []secret.Text, time.Time) (slipway.SignatureVerdict, int) {
	return slipway.SignatureVerdictMissing, 0
}

// Read fails.
func (p *Provider) Read(http.Header, []byte) (event.Delivery, error) {
	return event.Delivery{}, errNotHere
}

// Files fails.
func (p *Provider) Files(context.Context, source.Repository, event.Event, source.Login) ([]string, error) {
	return nil, errNotHere
}

// Message fails.
func (p *Provider) Message(context.Context, source.Repository, string, source.Login) (string, error) {
	return "", errNotHere
}
