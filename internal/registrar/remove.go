package registrar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
)

// Delete ends the webhook of a project; NotFound if it has none. If no other
// project hears the hook at the provider, it is removed there, now or later. A
// provider that refuses that does not fail Delete: the log says what to remove
// by hand.
func (r *Registrar) Delete(ctx context.Context, p project.Project) error {
	ctx, cancel := bounded(ctx, patience)
	defer cancel()
	key, _, err := r.parts.Hooks.Detach(ctx, p.Scope, *p.Public.Name, func(p project.Project) (project.Project, error) {
		p.Public.Webhook = nil
		return p, nil
	})
	if err != nil {
		return err
	}
	r.leave(ctx, p, key)
	return nil
}

// Forget is Delete for a project that is about to be deleted, whether it has a
// webhook or not, and whether or not there is such a project.
func (r *Registrar) Forget(ctx context.Context, p project.Project) error {
	if err := r.Delete(ctx, p); fault.KindOf(err) != fault.NotFound {
		return err
	}
	return nil
}

// leave releases the hook that a project heard. What goes wrong is in the log:
// the next look at all hooks mends it.
func (r *Registrar) leave(ctx context.Context, p project.Project, key string) {
	h, err := r.parts.Hooks.Find(ctx, key)
	if fault.KindOf(err) == fault.NotFound {
		return
	}
	var s spot
	if err == nil {
		only := []project.Project{p}
		s, err = r.spotOfHook(h.Hook, auth(only))
		s.insecure = insecure(only)
	}
	var give func()
	if err == nil {
		give, err = r.locks.take(ctx, s.name())
	}
	if err != nil {
		r.log.Error("hook not released", "projectName", *p.Public.Name, "error", err)
		return
	}
	defer give()
	r.release(ctx, s, key)
}

// spotOfHook returns where a hook is set.
func (r *Registrar) spotOfHook(h webhook.Hook, auth *api.SourceAuth) (spot, error) {
	s, err := r.spot(h.Scope, h.ServerType, h.Record, auth)
	if err != nil {
		return s, err
	}
	s.place = h.Place // under which it is locked, wherever an endpoint leads today
	return s, nil
}

// release removes a hook that nobody hears any more, or has the provider
// deliver no more than those who do need. The caller holds the spot's lock.
func (r *Registrar) release(ctx context.Context, s spot, key string) {
	err := func() error {
		sealed, err := r.parts.Hooks.Find(ctx, key)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		all, err := r.parts.Hooks.Listeners(ctx, key)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			return r.narrow(ctx, s, sealed, all)
		}
		return r.remove(ctx, s, sealed.Hook)
	}()
	if err != nil {
		r.log.Error("hook not released", "place", s.place, "error", err)
	}
}

// narrow updates a hook that fewer projects hear. If that fails, more is
// delivered than is needed until the next look.
func (r *Registrar) narrow(ctx context.Context, s spot, sealed webhook.SealedHook, all []project.Project) error {
	var record webhook.HookRecord
	r.subscribe(s.server, &record, hears(all, ""))
	if sameEvents(record.Events, sealed.Record.Events) && record.Comments == sealed.Record.Comments {
		return nil
	}
	if sealed.Record.Polled {
		_, err := r.change(ctx, sealed.Key, func(to *webhook.HookRecord) { to.Events, to.Comments = record.Events, record.Comments })
		return err
	}
	s.auth, s.insecure = auth(all), insecure(all)
	_, err := r.mend(ctx, s, sealed, all)
	if err != nil && passing(err) {
		r.log.Info("hook still delivers more than is needed", "place", s.place, "reason", reason(err))
		return nil
	}
	return err
}

// remove removes a hook that nobody hears, here and at its provider. What fails
// there for the moment is owed.
func (r *Registrar) remove(ctx context.Context, s spot, h webhook.Hook) error {
	var owed []outbox.Item
	if h.Record.PayloadURL == "" && !h.Record.Polled { // it may have been made all the same, before a crash or a lost answer
		h.Record.PayloadURL = r.payloadURL(h)
	}
	if !manual(h) && h.Record.PayloadURL != "" {
		short, cancel := context.WithTimeout(ctx, shortTime)
		err := r.takeDown(short, s, h.Record.PayloadURL)
		cancel()
		switch {
		case err == nil:
		case passing(err):
			owed = r.debt(s, h, err)
		default:
			r.byHand(s, removalOf(s, h), err)
		}
	}
	removed, err := r.parts.Hooks.Delete(ctx, h.Key, owed...)
	if err == nil && removed {
		r.log.Info("webhook removed", "place", s.place, "serverType", s.server)
	}
	return err
}

// takeDown removes the provider's hooks that lead to a payload URL of ours.
func (r *Registrar) takeDown(ctx context.Context, s spot, payloadURL string) error {
	d, err := r.desk(ctx, s, "")
	if err != nil {
		return err
	}
	ours, err := d.hooker.Hooks(ctx, d.target, payloadURL, d.found.Login)
	if err != nil {
		return err
	}
	for _, hook := range ours {
		if err := d.hooker.DeleteHook(ctx, d.target, hook.ID, d.found.Login); err != nil {
			return err
		}
	}
	return nil
}

// A removal is the payload of a hook's removal that is owed.
type removal struct {
	Account    string               `json:"account"`
	Region     string               `json:"region"`
	ServerType api.ServerType       `json:"serverType"`
	Location   string               `json:"location,omitzero"`
	Scope      api.WebhookScopeType `json:"scope,omitzero"`
	ScopeName  string               `json:"scopeName,omitzero"`
	Domain     string               `json:"domain,omitzero"`
	Auth       *api.SourceAuth      `json:"auth,omitzero"` // a pointer to a credential, no login
	Insecure   bool                 `json:"insecure,omitzero"`
	URL        string               `json:"url,omitzero"` // of the hook at the provider
	PayloadURL string               `json:"payloadUrl"`
}

func removalOf(s spot, h webhook.Hook) removal {
	return removal{
		Account: s.scope.Account, Region: s.scope.Region, ServerType: s.server,
		Location: h.Record.Location, Scope: h.Record.Scope, ScopeName: h.Record.ScopeName, Domain: h.Record.Domain,
		Auth: s.auth, Insecure: s.insecure, URL: h.Record.ProviderURL, PayloadURL: h.Record.PayloadURL,
	}
}

// debt returns the item that owes the removal of a hook, if after an error it
// may be at the provider.
func (r *Registrar) debt(s spot, h webhook.Hook, err error) []outbox.Item {
	owes := removalOf(s, h)
	if owes.PayloadURL == "" { // it was being made for the first time: perhaps only the answer was lost
		if refusal, ok := errors.AsType[*source.Refusal](err); !ok || !refusal.Again {
			return nil
		}
		owes.PayloadURL = r.payloadURL(h)
	}
	if manual(h) || owes.PayloadURL == "" {
		return nil
	}
	payload, err := json.Marshal(owes)
	if err != nil {
		r.log.Error("removal of a hook not owed", "place", s.place, "error", err)
		return nil
	}
	now := r.options.Now()
	return []outbox.Item{{Kind: outbox.HookRemoval, Subject: "webhook of " + s.place + " " + h.Record.ProviderURL, Payload: payload,
		State: outbox.Owed, NotBefore: now.Add(time.Second), Created: now}}
}

// Deliver makes one attempt at the removal of a hook that is owed. What cannot
// succeed later either is a *source.Refusal or a fault of kind Invalid.
func (r *Registrar) Deliver(ctx context.Context, item outbox.Item) error {
	var owes removal
	if err := json.Unmarshal(item.Payload, &owes); err != nil || owes.PayloadURL == "" {
		return fault.New(fault.Invalid, "The item is not the removal of a webhook.")
	}
	record := webhook.HookRecord{Location: owes.Location, Scope: owes.Scope, ScopeName: owes.ScopeName, Domain: owes.Domain}
	s, err := r.spot(arn.Scope{Account: owes.Account, Region: owes.Region}, owes.ServerType, record, owes.Auth)
	if err != nil {
		return err
	}
	s.insecure = owes.Insecure
	err = r.takeDown(ctx, s, owes.PayloadURL)
	switch refusal, refused := errors.AsType[*source.Refusal](err); {
	case err == nil:
	case fault.KindOf(err) == fault.NotFound: // no credential: there may be one again
		return &source.Refusal{Again: true, Message: fault.Message(err)}
	case refused && !refusal.Again, fault.KindOf(err) == fault.Invalid:
		r.byHand(s, owes, err)
	}
	return err
}

// byHand says that only a person can remove a hook.
func (r *Registrar) byHand(s spot, owes removal, err error) {
	r.log.Warn("a webhook could not be removed at its provider: remove it there by hand", "place", s.place,
		"serverType", s.server, "url", owes.URL, "payloadUrl", shortened(owes.PayloadURL), "reason", reason(err))
}

// shortened returns a payload URL of which enough is left to know it again.
func shortened(payloadURL string) string {
	const shown = 60
	if len(payloadURL) <= shown {
		return payloadURL
	}
	return fmt.Sprintf("%s…", payloadURL[:shown])
}
