package registrar

import (
	"context"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
)

// Create makes the webhook of a project and returns it; its secret is in the
// answer if somebody must enter it at the provider, and never again. Exists if
// the project has one; NotFound if there is no credential; what the provider
// refuses is a fault of kind Provider.
func (r *Registrar) Create(ctx context.Context, p project.Project, in *api.CreateWebhookInput) (api.Webhook, error) {
	if p.Public.Webhook != nil {
		return api.Webhook{}, exists(p)
	}
	s, err := r.spotOf(p, in.ScopeConfiguration)
	if err != nil {
		return api.Webhook{}, err
	}
	w := api.Webhook{
		BranchFilter: in.BranchFilter, FilterGroups: in.FilterGroups, BuildType: in.BuildType, ScopeConfiguration: in.ScopeConfiguration,
		PullRequestBuildPolicy: in.PullRequestBuildPolicy,
	}
	if in.ManualCreation != nil && *in.ManualCreation {
		w.ManualCreation = new(true)
	}
	if w.PullRequestBuildPolicy == nil {
		w.PullRequestBuildPolicy = &api.PullRequestBuildPolicy{RequiresCommentApproval: api.PullRequestBuildCommentApprovalAllPullRequests}
	}
	if err := r.complete(s.server, &w); err != nil {
		return api.Webhook{}, err
	}
	if err := r.reachable(s, w.ManualCreation != nil); err != nil {
		return api.Webhook{}, err
	}
	return r.create(ctx, p, s, w)
}

// create makes the hook, or has the project hear the one that is there.
func (r *Registrar) create(ctx context.Context, p project.Project, s spot, w api.Webhook) (api.Webhook, error) {
	ctx, cancel := bounded(ctx, patience)
	defer cancel()
	give, err := r.locks.take(ctx, s.name())
	if err != nil {
		return api.Webhook{}, busy()
	}
	defer give()
	h, err := r.reserve(ctx, s, p, w)
	if err != nil {
		return api.Webhook{}, err
	}
	if manual(h.Hook) {
		if h.Hook, err = r.change(ctx, h.Key, func(record *webhook.HookRecord) {
			record.State, record.PayloadURL = slipway.ProviderHookStateManual, r.payloadURL(h.Hook)
			r.subscribe(s.server, record, []api.Webhook{w})
		}); err != nil {
			return api.Webhook{}, err
		}
	} else if h.Hook, err = r.register(ctx, s, h, p, w, "create"); err != nil {
		if _, err := r.parts.Hooks.Delete(ctx, h.Key, r.debt(s, h.Hook, err)...); err != nil {
			r.log.Error("hook not removed", "place", h.Place, "error", err)
		}
		return api.Webhook{}, err
	}
	w = described(w, h.Hook)
	if w.ManualCreation == nil && (s.server == api.ServerTypeGithub || s.server == api.ServerTypeGitlab || s.server == api.ServerTypeGitlabSelfManaged) {
		w.LastModifiedSecret = api.At(h.Record.SecretModified)
	}
	_, err = r.parts.Hooks.Attach(ctx, p.Scope, *p.Public.Name, h.Key, func(now project.Project) (project.Project, error) {
		if now.Public.Webhook != nil {
			return now, exists(now)
		}
		if !isSource(now, p) {
			return now, movedMeanwhile(now)
		}
		now.Public.Webhook = &w
		return now, nil
	})
	if err != nil {
		r.release(ctx, s, h.Key)
		return api.Webhook{}, err
	}
	return shown(w, s.server, h), nil
}

// reserve stores a new hook for a spot, or returns the one that is there. A
// webhook made by hand is a project's own.
func (r *Registrar) reserve(ctx context.Context, s spot, p project.Project, w api.Webhook) (webhook.OpenHook, error) {
	now := r.options.Now()
	h := webhook.OpenHook{Secret: newSecret(s.server), Hook: webhook.Hook{
		Key: newKey(), Scope: s.scope, ServerType: s.server, Place: s.place, Created: now, Modified: now,
		Record: webhook.HookRecord{Scope: s.target.Scope, ScopeName: s.target.ScopeName, Domain: s.domain, SecretModified: now},
	}}
	if s.target.Scope == "" {
		h.Record.Location = s.location
	}
	if w.ManualCreation != nil {
		h.Project = *p.Public.Name
	}
	sealed, err := h.Seal(r.parts.Seal)
	if err != nil {
		return h, err
	}
	if sealed, err = r.parts.Hooks.Reserve(ctx, sealed); err != nil {
		return h, err
	}
	return sealed.Open(r.parts.Seal)
}

// register has the provider deliver to a hook what all its listeners need, p
// with the webhook w among them, and returns the hook as it then is. The
// caller holds the spot's lock.
func (r *Registrar) register(ctx context.Context, s spot, h webhook.OpenHook, p project.Project, w api.Webhook, doing string) (webhook.Hook, error) {
	all, err := r.parts.Hooks.Listeners(ctx, h.Key)
	if err != nil {
		return h.Hook, err
	}
	hearing := append(hears(all, *p.Public.Name), w)
	if r.options.PublicURL == "" && (h.Record.Polled || h.Record.PayloadURL == "") {
		return r.change(ctx, h.Key, func(record *webhook.HookRecord) {
			record.Polled, record.State = true, slipway.ProviderHookStatePolled
			r.subscribe(s.server, record, hearing)
		})
	}
	d, err := r.desk(ctx, s, *p.Public.Name)
	if err != nil {
		return h.Hook, err
	}
	var record webhook.HookRecord
	r.subscribe(s.server, &record, hearing)
	hook, _, err := d.set(ctx, r.wish(h, record))
	if err != nil {
		return h.Hook, r.refused(ctx, d, doing, err)
	}
	return r.change(ctx, h.Key, func(to *webhook.HookRecord) { r.made(to, d, hook, record, r.payloadURL(h.Hook)) })
}

// wish is what a hook is to be with the events of a record.
func (r *Registrar) wish(h webhook.OpenHook, events webhook.HookRecord) wish {
	return wish{
		HookSettings: source.HookSettings{PayloadURL: r.payloadURL(h.Hook), Secret: h.Secret, Events: events.Events, Comments: events.Comments},
		before:       h.Record.PayloadURL, id: h.Record.ProviderID,
	}
}

// made notes that a hook is at its provider, with the events of a record.
func (r *Registrar) made(to *webhook.HookRecord, d desk, hook source.Hook, events webhook.HookRecord, payloadURL string) {
	seen(to, hook, r.options.Now())
	to.Events, to.Comments = events.Events, events.Comments
	to.PayloadURL, to.CredentialARN, to.Unsure, to.Polled, to.PollMessage = payloadURL, d.found.ARN, false, false, ""
}

// subscribe sets the events that all the webhooks that hear a hook need.
func (r *Registrar) subscribe(server api.ServerType, record *webhook.HookRecord, hearing []api.Webhook) {
	record.Events, record.Comments = r.parts.Rules.Subscriptions(server, hearing)
}

// change changes a hook's record.
func (r *Registrar) change(ctx context.Context, key string, change func(*webhook.HookRecord)) (webhook.Hook, error) {
	h, err := r.parts.Hooks.Change(ctx, key, func(h *webhook.SealedHook) error {
		change(&h.Record)
		h.Modified = r.options.Now()
		return nil
	})
	return h.Hook, err
}

// reachable tells how a webhook at a spot would hear anything, or that it would not.
func (r *Registrar) reachable(s spot, byHand bool) error {
	if byHand || r.options.PublicURL != "" {
		return nil
	}
	if !r.options.Poll {
		return fault.New(fault.Invalid, "This server has no public URL, so %s cannot reach it. Start it with 'slipway serve --public-url https://…', the address under which the provider reaches it; "+
			"or with 'slipway serve --poll', which compares the repository's refs every minute instead; or create the webhook by hand with --manual-creation.", names[s.server])
	}
	if s.target.Scope != "" {
		return fault.New(fault.Invalid, "This server has no public URL and compares refs instead (--poll), which works for single repositories only. "+
			"For a webhook with a scopeConfiguration start it with 'slipway serve --public-url https://…', the address under which the provider reaches it.")
	}
	return nil
}

// described is w as the project shows it.
func described(w api.Webhook, h webhook.Hook) api.Webhook {
	w.Status, w.StatusMessage, w.Secret, w.URL, w.PayloadURL = api.WebhookStatusActive, nil, nil, nil, nil
	if h.Record.PayloadURL != "" {
		w.PayloadURL = &h.Record.PayloadURL
	}
	// What CodeBuild answers for GitHub Enterprise Server has no url.
	if h.Record.ProviderURL != "" && h.ServerType != api.ServerTypeGithubEnterprise {
		w.URL = &h.Record.ProviderURL
	}
	return w
}

// shown is w as it is answered once, with the secret where clients expect it.
func shown(w api.Webhook, server api.ServerType, h webhook.OpenHook) api.Webhook {
	if manual(h.Hook) || server == api.ServerTypeGithubEnterprise && !h.Record.Polled {
		w.Secret = new(h.Secret.Reveal())
	}
	return w
}

// complete holds a webhook against the rules and sets what CodeBuild answers
// though nobody sent it.
func (r *Registrar) complete(server api.ServerType, w *api.Webhook) error {
	if err := r.parts.Rules.Check(server, w); err != nil {
		return err
	}
	r.parts.Rules.Fill(w)
	policy := w.PullRequestBuildPolicy
	if policy == nil || len(policy.ApproverRoles) > 0 || policy.RequiresCommentApproval == api.PullRequestBuildCommentApprovalDisabled {
		return nil
	}
	filled := *policy
	filled.ApproverRoles = r.parts.Rules.Approvers(server, w)
	w.PullRequestBuildPolicy = &filled
	return nil
}

func exists(p project.Project) error {
	return fault.New(fault.Exists, "Webhook for project %s already exists. Change it with update-webhook, or delete it first with delete-webhook.", *p.Public.Name)
}

func none(p project.Project) error {
	return fault.New(fault.NotFound, "Webhook for project %s does not exist", *p.Public.Name)
}

func movedMeanwhile(p project.Project) error {
	return fault.New(fault.Invalid, "The source of project %s was changed meanwhile. Try again.", *p.Public.Name)
}

func busy() error {
	return fault.New(fault.Provider, "Unable to create webhook at this time. Please try again later. Another change of the repository's webhook is not finished yet.")
}
