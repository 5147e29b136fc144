package bitbucket

import (
	"context"
	"errors"
	"net/http"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// hook is a webhook as Bitbucket has it. Its secret cannot be read back.
type hook struct {
	UUID      string   `json:"uuid"`
	URL       string   `json:"url"`
	Active    bool     `json:"active"`
	Events    []string `json:"events"`
	SecretSet bool     `json:"secret_set"`
	Links     struct {
		Self struct {
			Href string `json:"href"`
		} `json:"self"`
	} `json:"links"`
}

func (h hook) source() source.Hook {
	out := source.Hook{ID: h.UUID, URL: h.Links.Self.Href, Active: h.Active, Signed: h.SecretSet}
	if !h.Active {
		out.State = "inactive"
	}
	return out
}

// hookBody is what a hook is to be. The secret is always sent: one that is left
// out stays what it was.
type hookBody struct {
	Description string   `json:"description"`
	URL         string   `json:"url"`
	Active      bool     `json:"active"`
	Secret      string   `json:"secret"`
	Events      []string `json:"events"`
	SkipCheck   *bool    `json:"skip_cert_verification,omitzero"` // nil leaves Bitbucket's own choice, or what was before
}

// eventKeys is what Bitbucket calls events. It has no others: pull requests are
// not reopened there, and there are no releases.
var eventKeys = []struct {
	event event.Type
	key   string
}{
	{event.Push, "repo:push"},
	{event.PullRequestCreated, "pullrequest:created"},
	{event.PullRequestUpdated, "pullrequest:updated"},
	{event.PullRequestMerged, "pullrequest:fulfilled"},
	{event.PullRequestClosed, "pullrequest:rejected"},
}

// bodyOf returns what to send; again is whether the hook is there already.
func bodyOf(s source.HookSettings, again bool) (hookBody, error) {
	body := hookBody{Description: "Slipway", URL: s.PayloadURL, Active: true, Secret: s.Secret.Reveal()}
	if s.Insecure || again {
		body.SkipCheck = new(s.Insecure)
	}
	for _, k := range eventKeys {
		for _, e := range s.Events {
			if e == k.event {
				body.Events = append(body.Events, k.key)
				break
			}
		}
	}
	if s.Comments {
		body.Events = append(body.Events, "pullrequest:comment_created")
	}
	if len(body.Events) == 0 {
		return hookBody{}, rejected("Bitbucket tells of pushes and of pull requests being created, updated, merged and closed, and of nothing that this webhook is to hear.")
	}
	return body, nil
}

// hooksURL returns where a target's hooks are. A scope is a workspace, for
// which CodeBuild has no word.
func hooksURL(t source.Target) string {
	if t.Scope != "" {
		return target(t.APIBase, "workspaces", t.ScopeName, "hooks")
	}
	return repositoryURL(t.Repository, "hooks")
}

// Hooks lists the hooks of a target that lead to payloadURL.
func (p *Provider) Hooks(ctx context.Context, t source.Target, payloadURL string, by source.Login) ([]source.Hook, error) {
	list := []source.Hook{}
	err := each(ctx, p, t.Site, by, hooksURL(t)+"?pagelen=100", func(h hook) bool {
		if h.URL == payloadURL {
			list = append(list, h.source())
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// CreateHook makes a hook.
func (p *Provider) CreateHook(ctx context.Context, t source.Target, s source.HookSettings, by source.Login) (source.Hook, error) {
	return p.setHook(ctx, http.MethodPost, hooksURL(t), t, s, by)
}

// UpdateHook makes the hook with this id what s says.
func (p *Provider) UpdateHook(ctx context.Context, t source.Target, id string, s source.HookSettings, by source.Login) (source.Hook, error) {
	return p.setHook(ctx, http.MethodPut, target(hooksURL(t), id), t, s, by)
}

func (p *Provider) setHook(ctx context.Context, method, where string, t source.Target, s source.HookSettings, by source.Login) (source.Hook, error) {
	body, err := bodyOf(s, method == http.MethodPut)
	if err != nil {
		return source.Hook{}, err
	}
	a, err := p.do(ctx, rest.Call{Method: method, URL: where, At: t.Site, By: by, Body: body, Repeatable: method == http.MethodPut})
	if err != nil {
		if r, ok := errors.AsType[*source.Refusal](err); ok {
			r.Message, r.NextStep = rest.Hidden(r.Message, s.Secret), rest.Hidden(r.NextStep, s.Secret)
		}
		return source.Hook{}, err
	}
	var h hook
	if err := a.JSON(&h); err != nil {
		return source.Hook{}, err
	}
	return h.source(), nil
}

// DeleteHook removes a hook; that it is gone already is no error.
func (p *Provider) DeleteHook(ctx context.Context, t source.Target, id string, by source.Login) error {
	_, err := p.do(ctx, rest.Call{Method: http.MethodDelete, URL: target(hooksURL(t), id), At: t.Site, By: by, Repeatable: true})
	if r, ok := errors.AsType[*source.Refusal](err); ok && r.Cause == slipway.FailureCauseNotVisible {
		return nil
	}
	return err
}
