package registrar

import (
	"context"
	"errors"
	"slices"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
)

// Update changes the webhook of a project: what the input has, and no more. A
// branchFilter and filterGroups replace each other; an empty branchFilter means
// that there is no filter, which is what Terraform sends. NotFound if the
// project has none; what the provider refuses is a fault of kind Provider. The
// secret is in the answer if it was rotated and somebody must enter it.
func (r *Registrar) Update(ctx context.Context, p project.Project, in *api.UpdateWebhookInput) (api.Webhook, error) {
	if p.Public.Webhook == nil {
		return api.Webhook{}, none(p)
	}
	s, err := r.spotOf(p, p.Public.Webhook.ScopeConfiguration)
	if err != nil {
		return api.Webhook{}, err
	}
	if _, err := r.revised(s.server, *p.Public.Webhook, in); err != nil {
		return api.Webhook{}, err
	}
	ctx, cancel := bounded(ctx, patience)
	defer cancel()
	sealed, err := r.parts.Hooks.OfProject(ctx, p.Scope, *p.Public.Name)
	if err != nil {
		return api.Webhook{}, err
	}
	s.place = sealed.Place
	give, err := r.locks.take(ctx, s.name())
	if err != nil {
		return api.Webhook{}, busy()
	}
	defer give()
	return r.update(ctx, s, p, sealed.Key, in)
}

// update is Update under the spot's lock.
func (r *Registrar) update(ctx context.Context, s spot, p project.Project, key string, in *api.UpdateWebhookInput) (api.Webhook, error) {
	sealed, err := r.parts.Hooks.Find(ctx, key)
	if fault.KindOf(err) == fault.NotFound {
		return api.Webhook{}, none(p)
	}
	if err != nil {
		return api.Webhook{}, err
	}
	all, err := r.parts.Hooks.Listeners(ctx, key)
	if err != nil {
		return api.Webhook{}, err
	}
	// What it is now, not what it was when the request came.
	at := slices.IndexFunc(all, func(l project.Project) bool { return *l.Public.Name == *p.Public.Name && l.Public.Webhook != nil })
	if at < 0 {
		return api.Webhook{}, none(p)
	}
	if !isSource(all[at], p) {
		return api.Webhook{}, movedMeanwhile(p)
	}
	w, err := r.revised(s.server, *all[at].Public.Webhook, in)
	if err != nil {
		return api.Webhook{}, err
	}
	h, err := sealed.Open(r.parts.Seal)
	if err != nil {
		return api.Webhook{}, err
	}
	rotate := in.RotateSecret != nil && *in.RotateSecret
	before := h
	if rotate {
		if h, err = r.rotate(ctx, h); err != nil {
			return api.Webhook{}, err
		}
	}
	if err := r.settle(ctx, s, &h, p, w, rotate); err != nil {
		if rotate {
			err = errors.Join(err, r.unrotate(ctx, h, before.Record.SecretModified))
		}
		return api.Webhook{}, err
	}
	w = described(w, h.Hook)
	if rotate {
		w.LastModifiedSecret = api.At(h.Record.SecretModified)
		if err := r.tell(ctx, key, all, func(w *api.Webhook) { w.LastModifiedSecret = api.At(h.Record.SecretModified) }); err != nil {
			return api.Webhook{}, err
		}
	}
	_, err = r.parts.Hooks.Attach(ctx, p.Scope, *p.Public.Name, key, stillHears(all[at], func(to *api.Webhook) { *to = w }))
	if errors.Is(err, errHearsNoMore) {
		return api.Webhook{}, none(p)
	}
	if err != nil || !rotate {
		return w, err
	}
	return shown(w, s.server, h), nil
}

// settle has the provider deliver what all who hear a hook need, and sign it
// with the hook's secret, if it does not already.
func (r *Registrar) settle(ctx context.Context, s spot, h *webhook.OpenHook, p project.Project, w api.Webhook, rotated bool) (err error) {
	all, err := r.parts.Hooks.Listeners(ctx, h.Key)
	if err != nil {
		return err
	}
	var record webhook.HookRecord
	r.subscribe(s.server, &record, append(hears(all, *p.Public.Name), w))
	same := sameEvents(record.Events, h.Record.Events) && record.Comments == h.Record.Comments
	sound := h.Record.State == slipway.ProviderHookStateActive && !h.Record.Unsure && h.Record.PayloadURL == r.payloadURL(h.Hook)
	switch {
	case manual(h.Hook) || h.Record.Polled && r.options.PublicURL == "":
		if !same || h.Record.Unsure {
			h.Hook, err = r.change(ctx, h.Key, func(to *webhook.HookRecord) {
				to.Events, to.Comments, to.Unsure = record.Events, record.Comments, false
			})
		}
		return err
	case same && sound && !rotated:
		return nil
	}
	h.Hook, err = r.register(ctx, s, *h, p, w, "update")
	return err
}

// revised is w with what in has.
func (r *Registrar) revised(server api.ServerType, w api.Webhook, in *api.UpdateWebhookInput) (api.Webhook, error) {
	if in.BranchFilter != nil || in.FilterGroups != nil {
		w.BranchFilter, w.FilterGroups = in.BranchFilter, in.FilterGroups
		if w.BranchFilter != nil && *w.BranchFilter == "" {
			w.BranchFilter = nil
		}
		if len(w.FilterGroups) == 0 {
			w.FilterGroups = nil
		}
	}
	if in.BuildType != "" {
		w.BuildType = in.BuildType
	}
	if in.PullRequestBuildPolicy != nil {
		w.PullRequestBuildPolicy = in.PullRequestBuildPolicy
	}
	err := r.complete(server, &w)
	return w, err
}

// rotate gives a hook a new secret and accepts the old one for a while. It is
// stored before the provider is told, so that no delivery meets a secret we do
// not know.
func (r *Registrar) rotate(ctx context.Context, h webhook.OpenHook) (webhook.OpenHook, error) {
	now := r.options.Now()
	h.OldSecret, h.OldUntil, h.Secret = h.Secret, now.Add(secretGrace), newSecret(h.ServerType)
	h.Record.SecretModified, h.Record.Unsure = now, true
	return h, r.reseal(ctx, h)
}

// unrotate undoes rotate after the provider refused. Should it have taken the
// new secret after all, that is accepted until the provider has been told again.
func (r *Registrar) unrotate(ctx context.Context, h webhook.OpenHook, modified time.Time) error {
	h.Secret, h.OldSecret, h.Record.SecretModified = h.OldSecret, h.Secret, modified
	return r.reseal(ctx, h)
}

// reseal stores a hook's secrets.
func (r *Registrar) reseal(ctx context.Context, h webhook.OpenHook) error {
	sealed, err := h.Seal(r.parts.Seal)
	if err != nil {
		return err
	}
	_, err = r.parts.Hooks.Change(ctx, h.Key, func(to *webhook.SealedHook) error {
		to.Box, to.OldBox, to.OldUntil, to.Modified = sealed.Box, sealed.OldBox, h.OldUntil, r.options.Now()
		to.Record.SecretModified, to.Record.Unsure = h.Record.SecretModified, h.Record.Unsure
		return nil
	})
	return err
}

var errHearsNoMore = errors.New("the project does not hear this hook any more")

// stillHears changes the webhook of a project that was read before, unless it
// has lost it or moved meanwhile: errHearsNoMore then.
func stillHears(was project.Project, change func(*api.Webhook)) func(project.Project) (project.Project, error) {
	return func(now project.Project) (project.Project, error) {
		if now.Public.Webhook == nil || !isSource(now, was) {
			return now, errHearsNoMore
		}
		w := *now.Public.Webhook // projects that are read share memory
		change(&w)
		now.Public.Webhook = &w
		return now, nil
	}
}

// tell changes the webhooks of all that hear a hook.
func (r *Registrar) tell(ctx context.Context, key string, all []project.Project, change func(*api.Webhook)) error {
	for _, p := range all {
		_, err := r.parts.Hooks.Attach(ctx, p.Scope, *p.Public.Name, key, stillHears(p, change))
		if err != nil && !errors.Is(err, errHearsNoMore) && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

// mend sets a hook at its provider right for those who hear it.
func (r *Registrar) mend(ctx context.Context, s spot, sealed webhook.SealedHook, all []project.Project) (made bool, err error) {
	h, err := sealed.Open(r.parts.Seal)
	if err != nil {
		return false, err
	}
	d, err := r.desk(ctx, s, "")
	if err != nil {
		return false, err
	}
	var record webhook.HookRecord
	r.subscribe(s.server, &record, hears(all, ""))
	var hook source.Hook
	if hook, made, err = d.set(ctx, r.wish(h, record)); err != nil {
		return false, err
	}
	if h.Hook, err = r.change(ctx, h.Key, func(to *webhook.HookRecord) { r.made(to, d, hook, record, r.payloadURL(h.Hook)) }); err != nil {
		return made, err
	}
	return made, r.tell(ctx, h.Key, all, func(w *api.Webhook) { *w = described(*w, h.Hook) })
}
