package registrar

import (
	"context"
	"errors"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/source"
	"slipway/internal/webhook/event"
)

// A desk is where hooks of a spot are made: its provider, with a login.
type desk struct {
	spot
	provider source.Provider
	hooker   source.Hooker
	found    keyring.Found
}

// desk returns the desk of a spot, for a project or for "" of all that hear its
// hook. NotFound if there is no credential for it; one that cannot be used, and
// a provider that makes no hooks, are Invalid.
func (r *Registrar) desk(ctx context.Context, s spot, projectName string) (desk, error) {
	d := desk{spot: s, provider: r.parts.Providers[s.server]}
	var ok bool
	if d.hooker, ok = d.provider.(source.Hooker); !ok {
		return d, fault.New(fault.Invalid, "Slipway cannot make webhooks at sources of type %s by itself. Create the webhook with --manual-creation and enter its address and secret there.", s.server)
	}
	var err error
	d.found, err = r.parts.Keys.Find(ctx, keyring.Need{
		Scope: s.scope, Server: s.server, Location: s.location, Auth: s.auth, Insecure: s.insecure, Purpose: slipway.CredentialPurposeWebhook, Project: projectName,
	})
	if err != nil {
		return d, err
	}
	if d.found.Login.IsZero() {
		return d, fault.New(fault.NotFound, "Could not find access token for server type %s. Import one that may manage webhooks with "+
			"'aws codebuild import-source-credentials --server-type %s --auth-type PERSONAL_ACCESS_TOKEN --token TOKEN --region %s', and try again.",
			strings.ToLower(string(s.server)), s.server, s.scope.Region)
	}
	if d.target.Site = d.found.Repository.Site; d.target.Scope == "" {
		d.target.Repository = d.found.Repository
	}
	return d, nil
}

// A wish is what a hook is to be.
type wish struct {
	source.HookSettings
	before string // the payload URL that the provider was told before; may be the same, or empty
	id     string // the provider's of the hook made before, if any
}

// set makes the hook at the provider what is wished. One that leads to us is
// used again; more than one are one too many. made tells that there was none.
// Hooks that lead elsewhere are never touched.
func (d desk) set(ctx context.Context, w wish) (hook source.Hook, made bool, err error) {
	ours, err := d.ours(ctx, w)
	if err != nil {
		return source.Hook{}, false, err
	}
	if len(ours) == 0 {
		hook, err = d.hooker.CreateHook(ctx, d.target, w.HookSettings, d.found.Login)
		if !taken(err) {
			return hook, true, err
		}
		// Somebody was faster: another try of ours whose answer was lost.
		refusal := err
		if ours, err = d.ours(ctx, w); err != nil || len(ours) == 0 {
			return source.Hook{}, false, refusal
		}
	}
	if hook, err = d.hooker.UpdateHook(ctx, d.target, ours[0].ID, w.HookSettings, d.found.Login); err != nil {
		return source.Hook{}, false, err
	}
	for _, surplus := range ours[1:] {
		if err := d.hooker.DeleteHook(ctx, d.target, surplus.ID, d.found.Login); err != nil {
			return hook, false, err
		}
	}
	return hook, false, nil
}

// ours returns the provider's hooks that lead to us, the one known by its id first.
func (d desk) ours(ctx context.Context, w wish) ([]source.Hook, error) {
	ours, err := d.hooker.Hooks(ctx, d.target, w.PayloadURL, d.found.Login)
	if err != nil {
		return nil, err
	}
	if w.before != "" && w.before != w.PayloadURL {
		older, err := d.hooker.Hooks(ctx, d.target, w.before, d.found.Login)
		if err != nil {
			return nil, err
		}
		ours = append(ours, older...)
	}
	slices.SortStableFunc(ours, func(a, b source.Hook) int {
		switch {
		case a.ID == w.id && b.ID != w.id:
			return -1
		case b.ID == w.id && a.ID != w.id:
			return 1
		}
		return 0
	})
	return ours, nil
}

// taken reports whether a provider's no may mean that there is such a hook.
func taken(err error) bool {
	refusal, ok := errors.AsType[*source.Refusal](err)
	return ok && (refusal.HTTPStatus == 409 || refusal.HTTPStatus == 422 || refusal.Cause == slipway.FailureCauseConflict)
}

// sameEvents reports whether two lists hold the same events.
func sameEvents(a, b []event.Type) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
