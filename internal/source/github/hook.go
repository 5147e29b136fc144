package github

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// A hookBody makes or changes a hook. The config is sent whole: GitHub removes
// a secret that is left out.
type hookBody struct {
	Name   string     `json:"name,omitzero"` // only when it is made
	Active bool       `json:"active"`
	Events []string   `json:"events"`
	Config hookConfig `json:"config"`
}

type hookConfig struct {
	URL         string `json:"url"`
	ContentType string `json:"content_type"`
	Secret      string `json:"secret,omitzero"`
	InsecureSSL string `json:"insecure_ssl"`
}

func body(s source.HookSettings) hookBody {
	b := hookBody{Active: true, Events: names(s), Config: hookConfig{URL: s.PayloadURL, ContentType: "json", InsecureSSL: "0"}}
	if !s.Secret.IsZero() {
		b.Config.Secret = s.Secret.Reveal()
	}
	if s.Insecure {
		b.Config.InsecureSSL = "1"
	}
	return b
}

// names are GitHub's events for what is to be delivered, in one order.
func names(s source.HookSettings) []string {
	out := []string{}
	add := func(name string, wanted bool) {
		if wanted {
			out = append(out, name)
		}
	}
	wants := func(types ...event.Type) bool {
		return slices.ContainsFunc(s.Events, func(t event.Type) bool { return slices.Contains(types, t) })
	}
	add("push", wants(event.Push))
	add("pull_request", slices.ContainsFunc(s.Events, event.Type.IsPullRequest))
	add("release", wants(event.Released, event.Prereleased))
	add("workflow_job", wants(event.WorkflowJobQueued))
	add("issue_comment", s.Comments)
	return out
}

// A hook is one as GitHub answers it.
type hook struct {
	ID     int64    `json:"id"`
	URL    string   `json:"url"`
	Active bool     `json:"active"`
	Events []string `json:"events"`
	Config struct {
		URL    string `json:"url"`
		Secret string `json:"secret"` // stars, if there is one
	} `json:"config"`
	Last struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
		Status  string      `json:"status"`
	} `json:"last_response"`
}

func (h hook) shape() source.Hook {
	out := source.Hook{ID: strconv.FormatInt(h.ID, 10), URL: h.URL, Active: h.Active, Signed: h.Config.Secret != ""}
	if !h.Active {
		out.State = "not active"
	}
	if code := h.Last.Code.String(); code != "" && code != "0" {
		out.LastResponse = rest.Cut(code+" "+h.Last.Message, 200)
	}
	if h.Last.Status != "" && h.Last.Status != "unused" && h.Last.Status != "active" && h.Active {
		out.State = rest.Cut(h.Last.Status, 200)
	}
	return out
}

// hooksAt returns where the hooks of a target are in the API.
func hooksAt(t source.Target) (string, error) {
	switch t.Scope {
	case "":
		return repository(t.Repository, "/hooks"), nil
	case api.WebhookScopeTypeGithubOrganization:
		return t.APIBase + "/orgs/" + url.PathEscape(t.ScopeName) + "/hooks", nil
	case api.WebhookScopeTypeGithubGlobal:
		if t.Server == api.ServerTypeGithubEnterprise {
			return t.APIBase + "/admin/hooks", nil
		}
		link := t.WebBase + "/enterprises/" + url.PathEscape(t.ScopeName) + "/settings/hooks"
		return "", &source.Refusal{Cause: slipway.FailureCauseRejected, Message: "GitHub has no API for the webhooks of an enterprise.",
			NextStep: "Create the webhook with manualCreation, and enter its payload URL and secret at " + link + ".", Link: link}
	}
	return "", &source.Refusal{Cause: slipway.FailureCauseRejected, Message: "GitHub has no webhooks of scope " + string(t.Scope) + ".",
		NextStep: "Use the scope GITHUB_ORGANIZATION or GITHUB_GLOBAL."}
}

// Hooks lists the hooks of a target that lead to payloadURL.
func (p *Provider) Hooks(ctx context.Context, t source.Target, payloadURL string, by source.Login) ([]source.Hook, error) {
	at, err := hooksAt(t)
	if err != nil {
		return nil, err
	}
	var out []source.Hook
	err = p.client.Pages(ctx, rest.Call{URL: at + "?per_page=100", At: t.Site, By: by}, rest.NextLink, func(a *rest.Answer) (bool, error) {
		var page []hook
		if err := a.JSON(&page); err != nil {
			return false, err
		}
		for _, h := range page {
			if h.Config.URL == payloadURL {
				out = append(out, h.shape())
			}
		}
		return true, nil
	})
	return out, p.diagnoseHook(ctx, t, by, err)
}

// CreateHook makes a hook that delivers JSON.
func (p *Provider) CreateHook(ctx context.Context, t source.Target, s source.HookSettings, by source.Login) (source.Hook, error) {
	at, err := hooksAt(t)
	if err != nil {
		return source.Hook{}, err
	}
	b := body(s)
	b.Name = "web"
	return p.sendHook(ctx, t, http.MethodPost, at, b, by)
}

// UpdateHook makes the hook with this id what s says.
func (p *Provider) UpdateHook(ctx context.Context, t source.Target, id string, s source.HookSettings, by source.Login) (source.Hook, error) {
	at, err := hooksAt(t)
	if err != nil {
		return source.Hook{}, err
	}
	return p.sendHook(ctx, t, http.MethodPatch, at+"/"+url.PathEscape(id), body(s), by)
}

func (p *Provider) sendHook(ctx context.Context, t source.Target, method, target string, b hookBody, by source.Login) (source.Hook, error) {
	a, err := p.client.Do(ctx, rest.Call{Method: method, URL: target, At: t.Site, By: by, Body: b, Repeatable: method == http.MethodPatch})
	if err != nil {
		return source.Hook{}, p.diagnoseHook(ctx, t, by, err)
	}
	var made hook
	if err := a.JSON(&made); err != nil {
		return source.Hook{}, err
	}
	if made.ID == 0 {
		return source.Hook{}, notGitHub(a)
	}
	out := made.shape()
	out.Signed = out.Signed || t.Scope == api.WebhookScopeTypeGithubGlobal && b.Config.Secret != "" // whose changes are answered without it
	return out, nil
}

// DeleteHook removes a hook; that it is gone already is no error.
func (p *Provider) DeleteHook(ctx context.Context, t source.Target, id string, by source.Login) error {
	at, err := hooksAt(t)
	if err != nil {
		return err
	}
	_, err = p.client.Do(ctx, rest.Call{Method: http.MethodDelete, URL: at + "/" + url.PathEscape(id), At: t.Site, By: by, Repeatable: true})
	refused, ok := errors.AsType[*source.Refusal](err)
	if !ok || refused.HTTPStatus != http.StatusNotFound {
		return err
	}
	// 404 is also what GitHub says to a token that may not delete it: if the
	// hook still stands, that is why.
	if _, looked := p.client.Do(ctx, rest.Call{URL: at + "/" + url.PathEscape(id), At: t.Site, By: by}); looked == nil {
		return p.diagnoseHook(ctx, t, by, err)
	}
	return nil
}

func (p *Provider) diagnoseHook(ctx context.Context, t source.Target, by source.Login, err error) error {
	if t.Scope != "" {
		refused, ok := errors.AsType[*source.Refusal](err)
		if ok && refused.Cause == slipway.FailureCauseNotVisible {
			refused.Cause = slipway.FailureCauseNotAdmin
			refused.NextStep = "Webhooks of " + t.ScopeName + " take a token of one of its owners, with the scope admin:org_hook. Check the spelling, too."
		}
		return err
	}
	return p.diagnose(ctx, t.Repository, by, err, true)
}

// diagnose finds out what is behind a 404 that no scope explains: a repository
// that the login does not see, or one on which its owner has too small a role.
func (p *Provider) diagnose(ctx context.Context, r source.Repository, by source.Login, err error, admin bool) error {
	refused, ok := errors.AsType[*source.Refusal](err)
	if !ok || refused.Cause != slipway.FailureCauseNotVisible || by.IsZero() {
		return err
	}
	var seen repo
	if _, unseen := p.get(ctx, r.Site, repository(r, ""), by, &seen); unseen != nil {
		if why, ok := errors.AsType[*source.Refusal](unseen); ok && !why.Again {
			return why
		}
		return err
	}
	if admin && !seen.Permissions.Admin || !admin && !seen.Permissions.Push {
		lacksRole(refused, r.Site, seen, admin)
	}
	return refused
}

// lacksRole says that a token is good and its owner has too small a role.
func lacksRole(r *source.Refusal, at source.Site, seen repo, admin bool) {
	need, doing := "write access to", "Commit statuses take"
	if admin {
		need, doing = "to administer", "Webhooks take"
		doing += " the right"
	}
	r.Cause, r.Link, r.Missing = slipway.FailureCauseNotAdmin, at.WebBase+"/"+seen.FullName+"/settings/access", nil
	r.Message = "The token sees " + seen.FullName + ", but its owner has the role " + seen.Permissions.role() + " there. " + doing + " " + need + " it."
	r.NextStep = "Let an administrator of " + seen.FullName + " raise the role at " + r.Link + ", or import a token of somebody who has it."
}
