package registrar

import (
	"context"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
)

// watch looks at one hook and mends what is wrong with it: one that is missing
// at its provider is made again, one that was disabled is enabled, one that
// leads to an old address is changed, one that nobody hears is removed. What
// happened while it was broken is looked for in the refs.
func (r *Registrar) watch(ctx context.Context, h webhook.SealedHook) time.Duration {
	broken, err := r.inspect(ctx, h, true)
	if err == nil && !manual(h.Hook) && h.Record.Scope == "" && !r.options.Poll {
		how := remembering
		if broken {
			how = announcing
		}
		// The refs as they are now are what the next look compares with. That
		// they cannot be read says nothing of the hook.
		if err := r.look(ctx, h.Key, how); err != nil && ctx.Err() == nil && fault.KindOf(err) != fault.NotFound {
			r.log.Info("refs not read", "place", h.Place, "reason", reason(err))
		}
	}
	if err != nil {
		return min(afterFailure, r.options.WatchEvery)
	}
	return 0
}

// inspect asks the provider for a hook, stores what it sees and, if it is to,
// mends it. broken tells that deliveries may have been lost. err is what it
// could not find out or mend; that is stored too.
func (r *Registrar) inspect(ctx context.Context, h webhook.SealedHook, mend bool) (broken bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := r.spotOfHook(h.Hook, nil)
	if err != nil {
		return false, err
	}
	give, err := r.locks.take(ctx, s.name())
	if err != nil {
		return false, err
	}
	defer give()
	if h, err = r.parts.Hooks.Find(ctx, h.Key); err != nil {
		return false, gone(err)
	}
	all, err := r.parts.Hooks.Listeners(ctx, h.Key)
	if err != nil {
		return false, err
	}
	if len(all) == 0 {
		if mend {
			r.release(ctx, s, h.Key)
		}
		return false, nil
	}
	s.auth, s.insecure = auth(all), insecure(all)
	if manual(h.Hook) || r.payloadURL(h.Hook) == "" || h.Record.Polled && (r.options.PublicURL == "" || !mend) {
		return false, nil
	}
	state, hook, err := r.stateOf(ctx, s, h, all)
	if err != nil {
		r.note(ctx, h, slipway.ProviderHookStateUnknown, err)
		return false, err
	}
	if state == "" || !mend {
		_, err := r.change(ctx, h.Key, func(record *webhook.HookRecord) { looked(record, state, hook, r.options.Now()) })
		return false, gone(err)
	}
	broken = (state == slipway.ProviderHookStateMissing || state == slipway.ProviderHookStateDisabled) && !h.Record.Polled
	if _, err := r.mend(ctx, s, h, all); err != nil {
		r.note(ctx, h, state, err)
		if state == slipway.ProviderHookStateMissing {
			if e := r.tell(ctx, h.Key, all, func(w *api.Webhook) { *w = failed(*w, err) }); e != nil {
				r.log.Error("state of a webhook not stored", "place", s.place, "error", e)
			}
		}
		return false, err
	}
	if broken {
		r.log.Warn("webhook was broken at its provider and has been mended", "place", s.place, "serverType", s.server, "state", state, "reason", hook.State)
	} else {
		r.log.Info("webhook updated at its provider", "place", s.place, "serverType", s.server)
	}
	return broken, nil
}

// stateOf returns what a hook is at its provider: MISSING, DISABLED, ACTIVE if
// it delivers and yet is not what it should be, or "" if all is well.
func (r *Registrar) stateOf(ctx context.Context, s spot, sealed webhook.SealedHook, all []project.Project) (slipway.ProviderHookState, source.Hook, error) {
	d, err := r.desk(ctx, s, "")
	if err != nil {
		return "", source.Hook{}, err
	}
	var record webhook.HookRecord
	r.subscribe(s.server, &record, hears(all, ""))
	url := r.payloadURL(sealed.Hook)
	ours, err := d.ours(ctx, wish{HookSettings: source.HookSettings{PayloadURL: url}, before: sealed.Record.PayloadURL, id: sealed.Record.ProviderID})
	was := sealed.Record
	switch {
	case err != nil:
		return "", source.Hook{}, err
	case len(ours) == 0:
		return slipway.ProviderHookStateMissing, source.Hook{}, nil
	case !ours[0].Active:
		return slipway.ProviderHookStateDisabled, ours[0], nil
	case len(ours) > 1, was.Unsure, was.PayloadURL != url, !sameEvents(was.Events, record.Events), was.Comments != record.Comments, anyFailed(all):
		return slipway.ProviderHookStateActive, ours[0], nil
	}
	return "", ours[0], nil
}

// anyFailed reports whether a project says that its webhook could not be made.
func anyFailed(all []project.Project) bool {
	return slices.ContainsFunc(all, func(p project.Project) bool {
		return p.Public.Webhook != nil && p.Public.Webhook.Status == api.WebhookStatusCreateFailed
	})
}

// looked sets what was seen at the provider, where nothing was changed.
func looked(record *webhook.HookRecord, state slipway.ProviderHookState, hook source.Hook, now time.Time) {
	if state == slipway.ProviderHookStateMissing {
		record.State, record.LastResponse, record.Checked = state, "", now
		record.Message = "The webhook is not at the provider any more. It is made again when it is looked after next, within hours, or at once by update-webhook."
		return
	}
	seen(record, hook, now)
	if state == slipway.ProviderHookStateDisabled {
		record.Message = strings.TrimSpace(hook.State + " It is enabled again when it is looked after next, within hours, or at once by update-webhook.")
	}
}

// note stores what kept us from looking at a hook, or from mending it, and logs
// it if it is news.
func (r *Registrar) note(ctx context.Context, h webhook.SealedHook, state slipway.ProviderHookState, why error) {
	if ctx.Err() != nil {
		return
	}
	message := reason(why)
	if h.Record.Message != message || h.Record.State != state {
		r.log.Warn("webhook cannot be looked after", "place", h.Place, "serverType", h.ServerType, "state", state, "reason", message)
	}
	if fault.KindOf(why) == fault.Internal && !passing(why) {
		r.log.Error("webhook not looked after", "place", h.Place, "error", why)
	}
	if _, err := r.change(ctx, h.Key, func(record *webhook.HookRecord) {
		record.State, record.Message, record.Checked = state, message, r.options.Now()
	}); gone(err) != nil {
		r.log.Error("state of a webhook not stored", "place", h.Place, "error", err)
	}
}

// gone is err, unless it says that a hook was removed meanwhile.
func gone(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// auth returns what the first source of projects names that names anything.
func auth(all []project.Project) *api.SourceAuth {
	for _, p := range all {
		if p.Public.Source != nil && p.Public.Source.Auth != nil {
			return p.Public.Source.Auth
		}
	}
	return nil
}

// insecure reports whether the sources of projects that hear one hook are to be
// read whatever certificate their server has: all of them, since it is one login
// that is sent for all.
func insecure(all []project.Project) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(p project.Project) bool {
		return p.Public.Source == nil || p.Public.Source.InsecureSSL == nil || !*p.Public.Source.InsecureSSL
	})
}
