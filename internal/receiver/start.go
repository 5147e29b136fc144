package receiver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/project"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// plan returns what a project is to build for an event. Branches move, so that
// it is always one commit, named whole. What cannot be built is Invalid, or a
// provider's Refusal.
func (s *session) plan(ctx context.Context, p project.Project, e event.Event, label string) (build.WebhookStart, error) {
	in := &api.StartBuildInput{ProjectName: *p.Public.Name}
	start := build.WebhookStart{Input: in, Trigger: s.trigger(e, label), Initiator: s.initiator()}
	location, err := s.location(p)
	if err != nil {
		return start, err
	}
	if p.Public.Webhook.ScopeConfiguration != nil {
		in.SourceLocationOverride = &location
	}
	if start.Commit, err = s.commit(ctx, p, location, e); err != nil {
		return start, err
	}
	in.SourceVersion = &start.Commit
	if e.PullRequest == nil || !e.Type.IsPullRequest() {
		return start, nil
	}
	switch s.hook.ServerType {
	case api.ServerTypeGithub, api.ServerTypeGithubEnterprise:
		in.SourceVersion = new("pr/" + strconv.FormatInt(e.PullRequest.Number, 10)) // forks included, also when they are gone
	case api.ServerTypeBitbucket:
		if e.PullRequest.Fork { // held against the base's host when its commit was resolved
			in.SourceLocationOverride = &e.PullRequest.Head.CloneURL
		}
	}
	return start, nil
}

// commit returns the whole id of the commit to build.
func (s *session) commit(ctx context.Context, p project.Project, location string, e event.Event) (string, error) {
	if e.Type == event.Released || e.Type == event.Prereleased {
		if webhook.WholeID(strings.ToLower(e.Commit)) {
			return strings.ToLower(e.Commit), nil
		}
		if e.Tag == "" {
			return "", fault.New(fault.Invalid, "The payload does not say which tag was released.")
		}
		return s.resolve(ctx, p, location, "refs/tags/"+e.Tag)
	}
	at, commit, err := s.headOf(ctx, p, e)
	if err != nil {
		return "", err
	}
	if commit = strings.ToLower(commit); webhook.WholeID(commit) {
		return commit, nil
	}
	return s.resolve(ctx, p, at.Repository.CloneURL(), commit)
}

// resolve asks the provider what commit a version is.
func (s *session) resolve(ctx context.Context, p project.Project, location, version string) (commit string, err error) {
	provider, err := s.provider()
	if err != nil {
		return "", err
	}
	at, err := s.find(ctx, p, location)
	if err != nil {
		return "", err
	}
	err = s.patiently(ctx, func() (err error) {
		commit, err = provider.Resolve(ctx, at.Repository, version, at.Login)
		return err
	})
	if err != nil {
		return "", err
	}
	if commit = strings.ToLower(commit); !webhook.WholeID(commit) {
		return "", fault.New(fault.Invalid, "%s does not tell the whole id of commit '%.64s'.", s.hook.ServerType, version)
	}
	return commit, nil
}

// trigger returns an event as builds know it.
func (s *session) trigger(e event.Event, label string) build.Trigger {
	t := build.Trigger{
		Event: string(e.Type), HeadRef: e.HeadRef, BaseRef: e.BaseRef, ActorID: e.ActorID, MergeCommit: e.Merge,
		DeliveryID: webhook.DeliveryName(s.delivery.Sequence), Private: s.said.Repository.Private,
	}
	if e.Type == event.Push {
		t.PrevCommit = e.Before
	}
	if branch, ok := strings.CutPrefix(e.HeadRef, "refs/heads/"); ok {
		t.Trigger = "branch/" + branch
	} else if tag, ok := strings.CutPrefix(e.HeadRef, "refs/tags/"); ok {
		t.Trigger = "tag/" + tag
	}
	if e.Tag != "" {
		t.Trigger = "tag/" + e.Tag
	}
	if e.PullRequest != nil {
		t.PullRequest, t.Fork = e.PullRequest.Number, e.PullRequest.Fork
		t.Trigger = "pr/" + strconv.FormatInt(e.PullRequest.Number, 10)
	}
	if e.Job != nil {
		t.Label, t.WorkflowName = label, e.Job.Workflow
		t.JobID, t.RunID = strconv.FormatInt(e.Job.ID, 10), strconv.FormatInt(e.Job.RunID, 10)
	}
	return t
}

// initiator returns who is shown to have started the build: the provider's user
// agent, which CodeBuild shows, too.
func (s *session) initiator() string {
	if s.said.Sender != "" {
		return sender(s.hook.ServerType, s.said.Sender)
	}
	return sender(s.hook.ServerType, s.delivery.Record.Sender)
}

// start starts a build. Started again for the same event of the same delivery
// and the same project, it is the first one.
func (s *session) start(ctx context.Context, p project.Project, i int, plan build.WebhookStart, v slipway.ProjectVerdict) (slipway.ProjectVerdict, error) {
	if s.dry {
		v.Reason += fmt.Sprintf(" A build of %s would start.", *plan.Input.SourceVersion)
		return v, nil
	}
	plan.Once = s.once(*p.Public.Name, i)
	b, err := s.parts.Builds.StartWebhookBuild(ctx, p, plan)
	if err != nil {
		return s.fail(v, v.Reason+" But the build could not be started: ", err)
	}
	v.BuildID = *b.Public.ID
	return v, nil
}

// once is the memory by which a build is started once, however often we are
// killed in between. Its token is longer than any that a user may give.
func (s *session) once(project string, i int) build.Idempotency {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s", s.hook.Key, s.delivery.Sequence, i, project))
	token := "webhook delivery " + hex.EncodeToString(sum[:])
	return build.Idempotency{Token: token, Fingerprint: sum[:], Expires: s.options.Now().Add(s.options.Keep)}
}

// withhold lets a build wait for approval, and owes the commit a status that
// says so.
func (s *session) withhold(p project.Project, i int, plan build.WebhookStart, v slipway.ProjectVerdict) (slipway.ProjectVerdict, error) {
	if s.dry {
		return v, nil
	}
	now := s.options.Now()
	// The status is that of the build which does not start.
	b, err := build.NewForWebhook(p, plan, build.NewID(*p.Public.Name), now)
	if err != nil {
		return s.fail(v, v.Reason+" But no build can be started: ", err)
	}
	e := s.said.Events[i]
	e.Commit = plan.Commit
	e.Files = nil // they decide nothing any more
	s.come.Withheld = append(s.come.Withheld, webhook.Withheld{
		Scope: p.Scope, Project: *p.Public.Name, Repository: s.repository(), PullRequest: e.PullRequest.Number, Commit: plan.Commit, Created: now,
		Record: webhook.WithheldRecord{Delivery: s.delivery.Sequence, Sender: s.initiator(), Repository: s.said.Repository, Event: e},
	})
	b.Public.ResolvedSourceVersion = &plan.Commit
	status, ok := b.CommitStatus("") // there is no build to look at
	if !ok {
		return v, nil
	}
	status.State, status.Description = "failure", webhook.ApprovalRequired
	subject := fmt.Sprintf("withheld/%s/%s/%d", p.Scope.Project(*p.Public.Name), s.repository(), e.PullRequest.Number)
	item, err := status.Owe(subject, *p.Public.Name, p.Scope, now)
	if err != nil {
		return v, err
	}
	s.come.Owed = append(s.come.Owed, item)
	return v, nil
}

// repository returns the name under which pull requests of the repository that
// the delivery is about wait: numbers are the same in every repository, and a
// project's webhook may hear many.
func (s *session) repository() string { return strings.ToLower(s.said.Repository.FullName) }

// release ends that a pull request waits for approval, if it does.
func (s *session) release(ctx context.Context, p project.Project, pullRequest int64) error {
	if s.dry {
		return nil
	}
	w, ok, err := s.parts.Deliveries.Withheld(ctx, p.Scope, *p.Public.Name, s.repository(), pullRequest)
	if ok {
		s.come.Released = append(s.come.Released, w)
	}
	return err
}
