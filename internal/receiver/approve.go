package receiver

import (
	"context"

	"slipway/internal/api/slipway"
	"slipway/internal/project"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// approve starts the builds that a comment on a pull request approves. Why it
// approves nothing is said in the delivery's note.
func (s *session) approve(ctx context.Context, listeners []project.Project) error {
	c := s.said.Comment
	commit, asked := webhook.Approved(c.Text)
	if !asked {
		s.note("The comment approves nothing: that takes a line of its own that reads /codebuild_run(<full commit id>).")
		return nil
	}
	waits := false
	for _, p := range listeners {
		w, ok, err := s.parts.Deliveries.Withheld(ctx, p.Scope, *p.Public.Name, s.repository(), c.PullRequest)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		waits = true
		if err := s.approveFor(ctx, p, w, commit); err != nil {
			return err
		}
	}
	if !waits {
		s.note("No build of pull request %d waits for approval.", c.PullRequest)
	}
	return nil
}

// approveFor starts the build of one project that waits for the commit, and no
// other.
func (s *session) approveFor(ctx context.Context, p project.Project, w webhook.Withheld, commit string) error {
	c, name := s.said.Comment, *p.Public.Name
	switch {
	case commit == "":
		s.note("Project %s: what stands in /codebuild_run(…) is no full commit id; %s is the one that waits.", name, w.Commit)
		return nil
	case commit != w.Commit:
		s.note("Project %s: commit %s does not wait for approval, %s does. Look at it before you approve it.", name, commit, w.Commit)
		return nil
	}
	why, err := s.refuse(ctx, p, c.AuthorName)
	if err != nil {
		return err
	}
	if why != "" {
		s.note("Project %s: %s may not approve. %s", name, orSomebody(c.AuthorName), why)
		return nil
	}
	// The event that was withheld, as if it had just been said.
	said := s.said
	defer func() { s.said = said }()
	s.hear(event.Delivery{Repository: w.Record.Repository, Sender: w.Record.Sender, Events: []event.Event{w.Record.Event}})
	v := slipway.ProjectVerdict{
		ProjectName: name, Event: string(w.Record.Event.Type), ActorAccountID: w.Record.Event.ActorID, Actor: w.Record.Event.ActorName,
		HeadRef: w.Record.Event.HeadRef, BaseRef: w.Record.Event.BaseRef, CommitID: w.Commit, PullRequest: w.PullRequest,
		Outcome: slipway.VerdictOutcomeBuild, Reason: c.AuthorName + " approved it; delivery " + webhook.DeliveryName(w.Record.Delivery) + " had asked for it.",
	}
	plan, err := s.plan(ctx, p, w.Record.Event, "")
	if err != nil {
		v, err = s.fail(v, "", err)
	} else {
		v, err = s.start(ctx, p, 0, plan, v)
	}
	if err != nil {
		return err
	}
	if v.BuildID != "" { // else it may be approved again
		s.come.Released = append(s.come.Released, w)
	}
	s.come.Verdicts = append(s.come.Verdicts, webhook.Verdict{Scope: p.Scope, ProjectVerdict: v})
	return nil
}

func orSomebody(name string) string {
	if name == "" {
		return "Whoever wrote the comment"
	}
	return name
}
