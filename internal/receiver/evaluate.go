package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// A session is the evaluation of one delivery.
type session struct {
	*Receiver
	hook     webhook.Hook
	delivery webhook.Delivery
	said     event.Delivery // details of its events are filled in as they are asked for
	dry      bool           // nothing is to be built or withheld
	until    time.Time      // when passing failures are no longer waited for
	come     webhook.Settlement
	notes    []string
}

// evaluate evaluates a pending delivery and stores what came of it. An error is
// our own fault, or ctx's; evaluating again then builds nothing twice.
func (r *Receiver) evaluate(ctx context.Context, sequence int64) error {
	r.hands <- struct{}{}
	defer func() { <-r.hands }()
	d, err := r.parts.Deliveries.Get(ctx, sequence)
	if fault.KindOf(err) == fault.NotFound || err == nil && !d.Pending {
		return nil
	}
	if err != nil {
		return err
	}
	s := &session{Receiver: r, delivery: d, until: r.options.Now().Add(r.options.Patience), come: webhook.Settlement{Record: d.Record}}
	if err := s.consider(ctx); err != nil {
		return err
	}
	record := &s.come.Record
	record.State = slipway.DeliveryStateDone
	for _, note := range s.notes {
		if record.Note != "" {
			record.Note += " "
		}
		record.Note += note
	}
	for _, v := range s.come.Verdicts {
		if v.BuildID != "" {
			record.BuildIDs = append(record.BuildIDs, v.BuildID)
		}
	}
	// Builds were started: that is worth storing even while we are stopping.
	settled, err := r.parts.Deliveries.Settle(context.WithoutCancel(ctx), sequence, s.come)
	if err != nil {
		return err
	}
	if settled && len(s.come.Owed) > 0 {
		r.parts.Statuses.WakeOutbox()
	}
	level := slog.LevelDebug // there may be thousands that build nothing
	if len(record.BuildIDs) > 0 {
		level = slog.LevelInfo
	}
	r.log.Log(ctx, level, "delivery evaluated", "deliveryId", webhook.DeliveryName(sequence), "event", record.Event, "repository", record.Repository, "buildIds", record.BuildIDs)
	return nil
}

// consider reads the delivery and decides for everybody who hears it.
func (s *session) consider(ctx context.Context) error {
	hook, err := s.parts.Hooks.Find(ctx, s.delivery.Hook)
	if fault.KindOf(err) == fault.NotFound {
		s.note("The webhook was deleted before this delivery was evaluated.")
		return nil
	}
	if err != nil {
		return err
	}
	s.hook = hook.Hook
	said, problem := s.read(s.delivery)
	if problem != "" {
		s.note("The delivery could not be read: %s", problem)
		return nil
	}
	s.hear(said)
	if said.Name != "" {
		s.come.Record.Event = said.Name
	}
	s.come.Record.Repository = said.Repository.FullName
	if said.Note != "" {
		s.note("%s", said.Note)
	}
	listeners, err := s.parts.Hooks.Listeners(ctx, s.hook.Key)
	if err != nil {
		return err
	}
	listeners = slices.DeleteFunc(listeners, func(p project.Project) bool { return p.Public.Webhook == nil || p.Public.Source == nil })
	if len(listeners) == 0 {
		s.note("No project hears this webhook.")
		return nil
	}
	if said.Comment != nil {
		return s.approve(ctx, listeners)
	}
	if s.delivery.Record.Signature != slipway.SignatureVerdictPolled {
		s.come.Refs, s.come.Gone = refsOf(said.Events)
	}
	for i, e := range said.Events {
		stale, err := s.repeats(ctx, e)
		if err != nil {
			return err
		}
		for _, p := range listeners {
			var v slipway.ProjectVerdict
			if stale {
				v = webhook.Evaluate(&api.Webhook{}, s.said, e)
				v.ProjectName, v.Outcome = *p.Public.Name, slipway.VerdictOutcomeIgnored
				v.Reason = "The pull request is at the commit that was heard of before: its title, its reviewers or the like were changed."
			} else if v, err = s.decide(ctx, p, i); err != nil {
				return err
			}
			s.come.Verdicts = append(s.come.Verdicts, webhook.Verdict{Scope: p.Scope, Event: i, ProjectVerdict: v})
		}
	}
	return nil
}

// repeats reports whether an event tells nothing new: it comes for other
// changes, too, and its commit was heard of before. Somebody who has a delivery
// evaluated again means to have it built.
func (s *session) repeats(ctx context.Context, e event.Event) (bool, error) {
	if !e.Repeats || e.PullRequest == nil || s.delivery.Record.Redelivery != 0 {
		return false, nil
	}
	known, err := s.parts.Refs.Refs(ctx, s.hook.Key)
	before := known[pullRef(e)]
	return before != "" && e.Commit != "" && (strings.HasPrefix(before, e.Commit) || strings.HasPrefix(e.Commit, before)), err
}

// pullRef is under which name a pull request's commit is remembered.
func pullRef(e event.Event) string { return fmt.Sprintf("pull/%d", e.PullRequest.Number) }

// refsOf returns what events tell of refs and of pull requests, as pull/N.
func refsOf(events []event.Event) (now map[string]string, gone []string) {
	now = map[string]string{}
	for _, e := range events {
		ref, over := e.HeadRef, e.Deleted
		switch {
		case e.Type.IsPullRequest() && e.PullRequest != nil:
			ref = pullRef(e)
			over = e.Type == event.PullRequestMerged || e.Type == event.PullRequestClosed
		case e.Type != event.Push:
			continue
		}
		switch {
		case over:
			delete(now, ref)
			gone = append(gone, ref)
		case e.Commit != "":
			now[ref] = e.Commit
		}
	}
	return now, gone
}

// hear takes up what a delivery says. Its events are copied, since details are
// filled in.
func (s *session) hear(said event.Delivery) {
	said.Events = slices.Clone(said.Events)
	s.said = said
}

func (s *session) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// read returns what a delivery says, or the problem with it, for people. A
// payload is a stranger's: one that makes a reader panic ends nothing else.
func (r *Receiver) read(d webhook.Delivery) (said event.Delivery, problem string) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("panic in the reading of a delivery", "deliveryId", webhook.DeliveryName(d.Sequence), "panic", p, "stack", string(debug.Stack()))
			problem = "Slipway's reader failed; its log says why."
		}
	}()
	if d.Record.Signature == slipway.SignatureVerdictPolled {
		if err := json.Unmarshal(d.Body, &said); err != nil {
			return said, "what was found by comparing is not in our own form."
		}
		return said, ""
	}
	provider, ok := r.parts.Providers[d.ServerType]
	if !ok {
		return said, "deliveries of " + string(d.ServerType) + " cannot be read yet."
	}
	said, err := provider.Read(http.Header(d.Header), d.Body)
	if err != nil {
		return said, err.Error()
	}
	return said, ""
}

// decide holds one event against the filters of a project and carries out what
// comes of that. An error is our own fault, or ctx's.
func (s *session) decide(ctx context.Context, p project.Project, i int) (v slipway.ProjectVerdict, err error) {
	w := p.Public.Webhook
	defer func() { v.ProjectName = *p.Public.Name }()
	label, named := webhook.Label(*p.Public.Name, s.said.Events[i].Job)
	if s.said.Events[i].Type == event.WorkflowJobQueued && !named {
		return unlabelled(*p.Public.Name, s.said, s.said.Events[i]), nil
	}
	err = s.detail(ctx, p, i)
	v = webhook.Evaluate(w, s.said, s.said.Events[i])
	if err != nil {
		return s.fail(v, "What the filters need to know could not be asked: ", err)
	}
	if v.Outcome != slipway.VerdictOutcomeBuild {
		return v, nil
	}
	if w.BuildType == api.WebhookBuildTypeBuildBatch {
		v.Outcome = slipway.VerdictOutcomeFailed
		v.Reason += " But batch builds are not carried out yet: 'aws codebuild update-webhook --build-type BUILD' lets this webhook start ordinary builds."
		return v, nil
	}
	plan, err := s.plan(ctx, p, s.said.Events[i], label)
	if err != nil {
		return s.fail(v, "", err)
	}
	v.CommitID = plan.Commit
	if webhook.NeedsApproval(w, s.said.Events[i]) {
		why, err := s.refuseAuthors(ctx, p, s.said.Events[i])
		if err != nil {
			return v, err
		}
		if why != "" {
			v.Outcome, v.Reason = slipway.VerdictOutcomeWithheld, v.Reason+" "+why+" An approver starts it with the comment /codebuild_run("+plan.Commit+")."
			return s.withhold(p, i, plan, v)
		}
		if err := s.release(ctx, p, v.PullRequest); err != nil {
			return v, err
		}
	}
	return s.start(ctx, p, i, plan, v)
}

// unlabelled is the verdict on a workflow job that asks for another project.
func unlabelled(projectName string, said event.Delivery, e event.Event) slipway.ProjectVerdict {
	v := webhook.Evaluate(&api.Webhook{}, said, e)
	v.Outcome = slipway.VerdictOutcomeIgnored
	v.Reason = fmt.Sprintf("None of the job's labels asks for this project: one must be codebuild-%s-<run id>-<attempt>.", projectName)
	return v
}

// fail makes v the verdict that err is the reason for. An error that is our own
// fault, or ctx's, is returned.
func (s *session) fail(v slipway.ProjectVerdict, before string, err error) (slipway.ProjectVerdict, error) {
	why, ok := told(err)
	if !ok {
		return v, err
	}
	v.Outcome, v.Reason = slipway.VerdictOutcomeFailed, before+why
	return v, nil
}

// told returns what people are told of an error; ok is false if it is our own
// fault, or somebody gave up.
func told(err error) (why string, ok bool) {
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		return refusal.Error(), true
	}
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable:
		return "", false
	}
	return fault.Message(err), true
}
