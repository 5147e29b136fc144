package registrar

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"sync"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

const (
	pollAgent   = "Slipway-Poll"   // what builds say started them
	pollNews    = 100              // changes told at one look; the others are told at the next
	pollPause   = 15 * time.Minute // the longest between two looks of which the first failed, unless the provider asks for more
	rememberFor = time.Hour        // how old the time of the last look may get if nothing changes
)

// A sort of look at refs.
type sort int

const (
	announcing  sort = iota // what changed is told at once
	confirming              // it is told if it was changed at the last look too
	remembering             // it is remembered only
)

// A pollMemory is what two looks have to say to each other. The zero value is ready.
type pollMemory struct {
	mu     sync.Mutex // guards what follows
	asked  map[string]map[string]string
	failed map[string]int // looks in a row
}

// swap returns what the last look at a hook's refs asked for, and keeps what
// this one does.
func (m *pollMemory) swap(hook string, asked map[string]string) map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked = map[string]map[string]string{}
	}
	before := m.asked[hook]
	if m.asked[hook] = asked; len(asked) == 0 {
		delete(m.asked, hook)
	}
	return before
}

// fail counts a look at a hook's refs that failed; a good one ends the row.
func (m *pollMemory) fail(hook string, failed bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		m.failed = map[string]int{}
	}
	if m.failed[hook]++; !failed {
		delete(m.failed, hook)
	}
	return m.failed[hook]
}

// polled reports whether a hook's refs can be compared: it is about one repository.
func polled(h webhook.Hook) bool { return h.Record.Scope == "" }

// poll compares a hook's refs. How that fails is stored, and logged once.
func (r *Registrar) poll(ctx context.Context, h webhook.SealedHook) time.Duration {
	how := confirming
	if h.Record.Polled {
		how = announcing
	}
	err := r.look(ctx, h.Key, how)
	if ctx.Err() != nil || fault.KindOf(err) == fault.NotFound {
		return 0
	}
	failures := r.polling.fail(h.Key, err != nil)
	if err == nil {
		if h.Record.PollMessage != "" {
			r.log.Info("refs are compared again", "place", h.Place, "serverType", h.ServerType)
		}
		return 0
	}
	if message := reason(err); message != h.Record.PollMessage {
		r.log.Warn("refs cannot be compared", "place", h.Place, "serverType", h.ServerType, "reason", message)
		if passing(err) && fault.KindOf(err) == fault.Internal && !isRefusal(err) {
			r.log.Error("refs not compared", "place", h.Place, "error", err)
		}
		if _, err := r.change(ctx, h.Key, func(record *webhook.HookRecord) { record.PollMessage = message }); gone(err) != nil {
			r.log.Error("state of a poll not stored", "place", h.Place, "error", err)
		}
	}
	wait := min(r.options.PollEvery<<min(failures-1, 10), max(pollPause, r.options.PollEvery))
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		wait = max(wait, refusal.After)
	}
	return wait
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*source.Refusal](err)
	return ok
}

// look reads the refs of a hook's repository, tells what changed, and remembers
// them. The first look only remembers. What was told and could not be
// remembered is told again under the same id.
func (r *Registrar) look(ctx context.Context, key string, how sort) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h, err := r.parts.Hooks.Find(ctx, key)
	if err != nil {
		return err
	}
	all, err := r.parts.Hooks.Listeners(ctx, key)
	if err != nil || len(all) == 0 {
		return err
	}
	v, err := r.visit(ctx, h.Hook, all)
	if err != nil {
		return err
	}
	now, err := v.sight(ctx, h.Record.Events)
	if err != nil {
		return err
	}
	known, err := r.parts.Polls.Refs(ctx, key)
	if err != nil {
		return err
	}
	first := h.Record.LastPoll.IsZero()
	changes := compare(known, now, first)
	switch how {
	case confirming:
		var asked map[string]string
		changes, asked = confirmed(changes, r.polling.swap(key, nil))
		r.polling.swap(key, asked)
	case remembering:
		for i := range changes {
			changes[i].event = nil
		}
	}
	changes = atMost(pollNews, changes)
	for _, c := range changes {
		if err := r.announce(ctx, v, h.Hook, c); err != nil {
			return err
		}
	}
	set, gone := outcome(known, changes, now.pulls)
	at := r.options.Now()
	if len(changes) == 0 && h.Record.PollMessage == "" && !first && at.Sub(h.Record.LastPoll) < rememberFor {
		return nil
	}
	return r.parts.Polls.Remember(ctx, key, set, gone, func(record *webhook.HookRecord) { record.LastPoll, record.PollMessage = at, "" })
}

// A visit is a repository that is looked at.
type visit struct {
	provider   source.Provider
	refs       source.RefReader
	repository source.Repository
	login      source.Login
}

// visit finds out how a hook's repository is read. Without a credential it is
// read as by everyone.
func (r *Registrar) visit(ctx context.Context, h webhook.Hook, all []project.Project) (visit, error) {
	v := visit{provider: r.parts.Providers[h.ServerType]}
	var ok bool
	if v.refs, ok = v.provider.(source.RefReader); !ok {
		return v, fault.New(fault.Invalid, "The refs of sources of type %s cannot be compared. Start the server with --public-url and create the webhook anew.", h.ServerType)
	}
	found, err := r.parts.Keys.Find(ctx, keyring.Need{
		Scope: h.Scope, Server: h.ServerType, Location: h.Record.Location, Auth: auth(all), Insecure: insecure(all),
		Purpose: slipway.CredentialPurposePoll, Project: *all[0].Public.Name,
	})
	v.repository, v.login = found.Repository, found.Login
	return v, err
}

// sight reads a repository's refs and, if events tells of them, its open pull requests.
func (v visit) sight(ctx context.Context, events []event.Type) (s sight, err error) {
	if s.refs, err = v.refs.Refs(ctx, v.repository, v.login); err != nil {
		return s, err
	}
	wanted := false
	for _, t := range events {
		wanted = wanted || t.IsPullRequest()
	}
	detailer, ok := v.provider.(source.Detailer)
	if !wanted || !ok {
		return s, nil
	}
	open, err := detailer.OpenPullRequests(ctx, v.repository, v.login)
	s.pulls = make(map[int64]event.Event, len(open))
	for _, e := range open {
		if e.PullRequest != nil && e.Commit != "" {
			s.pulls[e.PullRequest.Number] = e
		}
	}
	return s, err
}

// announce hands a change on as if the provider had delivered it.
func (r *Registrar) announce(ctx context.Context, v visit, h webhook.Hook, c change) error {
	if c.event == nil {
		return nil
	}
	e := *c.event
	name := "push"
	if e.Type.IsPullRequest() {
		name = "pull request"
	}
	if e.Type == event.PullRequestClosed {
		var err error
		if e, err = v.closed(ctx, e.PullRequest.Number); err != nil {
			return err
		}
		if e.Commit == "" {
			return nil // it is gone without a trace
		}
	}
	repository := v.repository
	said := event.Delivery{
		ID: changeID(h, c), Name: name, Sender: pollAgent, Events: []event.Event{e},
		Repository: event.Repository{FullName: repository.FullName(), Name: path.Base(repository.Name), CloneURL: repository.CloneURL()},
	}
	body, err := json.Marshal(said)
	if err != nil {
		return err
	}
	return r.parts.Deliver(ctx, webhook.Delivery{
		Scope: h.Scope, ServerType: h.ServerType, Hook: h.Key, ID: said.ID, Received: r.options.Now(), Pending: true, Body: body,
		Record: webhook.DeliveryRecord{
			Event: name, Repository: repository.FullName(), Sender: pollAgent,
			Signature: slipway.SignatureVerdictPolled, State: slipway.DeliveryStatePending,
		},
	})
}

// closed returns what became of a pull request that is not open any more; the
// zero Event if nobody knows.
func (v visit) closed(ctx context.Context, number int64) (event.Event, error) {
	e, err := v.provider.(source.Detailer).PullRequest(ctx, v.repository, number, v.login)
	if refusal, ok := errors.AsType[*source.Refusal](err); ok && (refusal.Cause == slipway.FailureCauseNotVisible || refusal.Cause == slipway.FailureCauseGone) {
		return event.Event{}, nil
	}
	if err != nil {
		return event.Event{}, err
	}
	if e.Type != event.PullRequestMerged {
		if e.Type = event.PullRequestClosed; e.Merge != "" {
			e.Type = event.PullRequestMerged
		}
	}
	return e, nil
}

// changeID names a change. The same one has the same name until it is
// remembered, which gives the hook another time of its last look.
func changeID(h webhook.Hook, c change) string {
	text := strings.Join([]string{h.Key, c.ref, c.was, c.is, h.Record.LastPoll.UTC().Format(time.RFC3339Nano)}, "\x00")
	sum := sha256.Sum256([]byte(text))
	return "poll-" + hex.EncodeToString(sum[:16])
}
