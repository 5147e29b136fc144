package gitlab

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/rest"
	"slipway/internal/webhook/event"
)

// hooks returns the address of a target's hooks in the API.
func hooks(t source.Target) string {
	if t.Scope != "" {
		return t.APIBase + "/groups/" + url.PathEscape(t.ScopeName) + "/hooks"
	}
	return project(t.Repository) + "/hooks"
}

// hook is a hook as GitLab shows it. What older versions do not show is nil.
type hook struct {
	ID           int64  `json:"id"`
	URL          string `json:"url"`
	AlertStatus  string `json:"alert_status"`
	Until        string `json:"disabled_until"`
	TokenPresent *bool  `json:"token_present"`
	Signing      *bool  `json:"signing_token_present"`
}

// settings is what we send of a hook. Every flag is sent: GitLab switches
// push_events on by itself.
type settings struct {
	URL           string `json:"url"`
	Name          string `json:"name"`
	Token         string `json:"token"`
	SigningToken  string `json:"signing_token,omitzero"`
	VerifyTLS     bool   `json:"enable_ssl_verification"`
	BranchFilter  string `json:"branch_filter_strategy"`
	Push          bool   `json:"push_events"`
	TagPush       bool   `json:"tag_push_events"`
	MergeRequests bool   `json:"merge_requests_events"`
	Notes         bool   `json:"note_events"`
	Releases      bool   `json:"releases_events"`
	Jobs          bool   `json:"job_events"`
}

func settingsOf(s source.HookSettings) settings {
	out := settings{
		URL: s.PayloadURL, Name: "Slipway", Token: s.Secret.Reveal(), VerifyTLS: !s.Insecure, BranchFilter: "all_branches", Notes: s.Comments,
	}
	if _, ok := signingKey(s.Secret); ok {
		out.SigningToken = out.Token // ignored without a word where the feature is off
	}
	for _, t := range s.Events {
		switch {
		case t == event.Push:
			out.Push, out.TagPush = true, true
		case t.IsPullRequest():
			out.MergeRequests = true
		case t == event.Released:
			out.Releases = true
		case t == event.WorkflowJobQueued:
			out.Jobs = true
		}
	}
	return out
}

// Hooks lists the hooks of a target that lead to payloadURL.
func (p *Provider) Hooks(ctx context.Context, t source.Target, payloadURL string, by source.Login) ([]source.Hook, error) {
	var found []source.Hook
	err := list(ctx, p, t.Site, hooks(t)+"?per_page=100", by, func(page []hook) bool {
		for _, h := range page {
			if h.URL == payloadURL {
				found = append(found, shown(t, h))
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].LastResponse = p.lastResponse(ctx, t, found[i].URL, by)
	}
	return found, nil
}

// CreateHook makes a hook that carries the secret in the clear, and signs with
// it where GitLab does so.
func (p *Provider) CreateHook(ctx context.Context, t source.Target, s source.HookSettings, by source.Login) (source.Hook, error) {
	return p.write(ctx, http.MethodPost, hooks(t), t, s, by)
}

// UpdateHook makes a hook what s says. GitLab drops a hook's token when its
// address changes, so the secret always goes with it; and it calls a hook
// again that it had held back.
func (p *Provider) UpdateHook(ctx context.Context, t source.Target, id string, s source.HookSettings, by source.Login) (source.Hook, error) {
	return p.write(ctx, http.MethodPut, hooks(t)+"/"+url.PathEscape(id), t, s, by)
}

func (p *Provider) write(ctx context.Context, method, address string, t source.Target, s source.HookSettings, by source.Login) (source.Hook, error) {
	answer, err := p.client.Do(ctx, rest.Call{Method: method, URL: address, At: t.Site, By: by, Body: settingsOf(s), Repeatable: method == http.MethodPut})
	if err != nil {
		return source.Hook{}, hidden(err, s)
	}
	var h hook
	if err := answer.JSON(&h); err != nil {
		return source.Hook{}, err
	}
	out := shown(t, h)
	if h.TokenPresent == nil { // older than the field: it has the token nevertheless
		out.Signed = !s.Secret.IsZero()
	}
	return out, nil
}

// hidden takes a hook's secret out of a refusal that repeats it.
func hidden(err error, s source.HookSettings) error {
	if r, ok := errors.AsType[*source.Refusal](err); ok {
		r.Message = rest.Hidden(r.Message, s.Secret)
	}
	return err
}

// DeleteHook removes a hook; that it is gone already is no error.
func (p *Provider) DeleteHook(ctx context.Context, t source.Target, id string, by source.Login) error {
	_, err := p.client.Do(ctx, rest.Call{Method: http.MethodDelete, URL: hooks(t) + "/" + url.PathEscape(id), At: t.Site, By: by, Repeatable: true})
	refused, ok := errors.AsType[*source.Refusal](err)
	if !ok || refused.HTTPStatus != http.StatusNotFound {
		return err
	}
	if _, err := p.client.Do(ctx, rest.Call{URL: hooks(t) + "?per_page=1", At: t.Site, By: by}); err != nil {
		return err // what is gone, or hidden, is not the hook but what it was on
	}
	return nil
}

// TestHook lets GitLab deliver the newest commit of a project as a push. If
// that goes well, GitLab calls a hook again that it had switched off.
func (p *Provider) TestHook(ctx context.Context, t source.Target, id string, by source.Login) error {
	_, err := p.client.Do(ctx, rest.Call{Method: http.MethodPost, URL: hooks(t) + "/" + url.PathEscape(id) + "/test/push_events", At: t.Site, By: by})
	return err
}

func shown(t source.Target, h hook) source.Hook {
	id := strconv.FormatInt(h.ID, 10)
	out := source.Hook{
		ID: id, URL: hooks(t) + "/" + id, Active: h.AlertStatus == "" || h.AlertStatus == "executable",
		Signed: h.TokenPresent != nil && *h.TokenPresent || h.Signing != nil && *h.Signing,
	}
	if out.Active {
		return out
	}
	out.State = rest.Clean(h.AlertStatus, secret.Text{})
	if until, err := time.Parse(time.RFC3339, h.Until); err == nil {
		out.State += " until " + until.UTC().Format(time.RFC3339)
	}
	return out
}

// lastResponse returns how the latest delivery of a hook was answered; "" if
// GitLab does not tell, since that is nobody's failure.
func (p *Provider) lastResponse(ctx context.Context, t source.Target, address string, by source.Login) string {
	var events []struct {
		Status any `json:"response_status"`
	}
	if err := p.get(ctx, t.Site, address+"/events?per_page=1", by, &events); err != nil || len(events) == 0 {
		return ""
	}
	said := flat(events[0].Status, 0)
	if n, ok := events[0].Status.(float64); ok {
		said = strconv.Itoa(int(n))
	}
	said = rest.Clean(said, by.Token)
	if n, err := strconv.Atoi(said); err == nil {
		said = strings.TrimSpace(said + " " + http.StatusText(n))
	}
	return said
}
