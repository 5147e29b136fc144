package registrar

import (
	"context"
	"errors"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/webhook"
)

// Fits reports whether a project's webhook still suits its source, which was
// another one in old; Invalid if not. It asks nobody.
func (r *Registrar) Fits(old, now project.Project) error {
	w := now.Public.Webhook
	if w == nil || isSource(old, now) {
		return nil
	}
	byHand := w.ManualCreation != nil
	s, err := r.spotOf(now, w.ScopeConfiguration)
	if err == nil && byHand && now.Public.Source.Type != old.Public.Source.Type {
		err = fault.New(fault.Invalid, "It was made by hand at a source of type %s.", old.Public.Source.Type)
	}
	if err == nil {
		err = r.parts.Rules.Check(s.server, w)
	}
	if err == nil {
		err = r.reachable(s, byHand)
	}
	if err == nil || fault.KindOf(err) == fault.Internal {
		return err
	}
	return fault.New(fault.Invalid, "The project's webhook does not suit the new source: %s Change it with update-webhook, or delete it with delete-webhook, before you change the source.", ended(fault.Message(err)))
}

func ended(sentence string) string {
	if sentence == "" || sentence[len(sentence)-1] == '.' {
		return sentence
	}
	return sentence + "."
}

// Moved takes a project's webhook along to another repository after its source
// was changed; old is the project before that. It is no error that the provider
// refuses: the project's webhook says so, and it is tried again.
func (r *Registrar) Moved(ctx context.Context, old, now project.Project) error {
	w := now.Public.Webhook
	if w == nil {
		return nil
	}
	to, err := r.spotOf(now, w.ScopeConfiguration)
	if err != nil {
		return err
	}
	ctx, cancel := bounded(ctx, patience)
	defer cancel()
	before, err := r.parts.Hooks.OfProject(ctx, now.Scope, *now.Public.Name)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if before.ServerType == to.server && before.Place == to.place {
		return nil
	}
	if manual(before.Hook) {
		// Its address and secret stay; whoever made it by hand makes it at the new repository.
		_, err := r.change(ctx, before.Key, func(record *webhook.HookRecord) { record.Location = to.location })
		return err
	}
	if err := r.follow(ctx, to, now); err != nil {
		return err
	}
	r.leave(ctx, old, before.Key)
	return nil
}

// follow has a project hear the hook of another spot than before.
func (r *Registrar) follow(ctx context.Context, to spot, p project.Project) error {
	give, err := r.locks.take(ctx, to.name())
	if err != nil {
		return busy()
	}
	defer give()
	w := *p.Public.Webhook
	h, err := r.reserve(ctx, to, p, w)
	if err != nil {
		return err
	}
	made, refusal := r.register(ctx, to, h, p, w, "create")
	if refusal == nil {
		h.Hook = made
		w = described(w, h.Hook)
		w.LastModifiedSecret = api.Timestamp{}
		if !p.Public.Webhook.LastModifiedSecret.IsZero() {
			w.LastModifiedSecret = api.At(h.Record.SecretModified)
		}
	} else {
		r.log.Warn("webhook not taken along to the new source", "projectName", *p.Public.Name, "place", to.place, "reason", reason(refusal))
		w = failed(w, refusal)
		if h.Hook, err = r.change(ctx, h.Key, func(record *webhook.HookRecord) {
			record.Unsure = true
			if record.State == "" {
				record.State, record.Message = slipway.ProviderHookStateMissing, reason(refusal)
			}
		}); err != nil {
			return err
		}
	}
	_, err = r.parts.Hooks.Attach(ctx, p.Scope, *p.Public.Name, h.Key, stillHears(p, func(to *api.Webhook) { *to = w }))
	if err != nil {
		r.release(ctx, to, h.Key)
	}
	if errors.Is(err, errHearsNoMore) || fault.KindOf(err) == fault.NotFound {
		return nil // somebody changed it once more: that took care of itself
	}
	return err
}

// failed is w after the provider refused to make it.
func failed(w api.Webhook, err error) api.Webhook {
	w.Status, w.StatusMessage, w.URL, w.PayloadURL, w.Secret = api.WebhookStatusCreateFailed, new(reason(err)), nil, nil, nil
	return w
}
