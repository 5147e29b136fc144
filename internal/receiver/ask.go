package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/project"
	"slipway/internal/source"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// patiently calls a provider until it answers, or its failure is no passing
// one, or it has failed for as long as we wait. Other deliveries go on meanwhile.
func (s *session) patiently(ctx context.Context, call func() error) error {
	if !s.dry { // a trial takes nobody's place
		<-s.hands
		defer func() { s.hands <- struct{}{} }()
	}
	for wait := time.Second; ; wait *= 2 {
		err := call()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		refusal, ok := errors.AsType[*source.Refusal](err)
		if !ok || !refusal.Again {
			return err
		}
		pause := max(wait, refusal.After)
		if s.options.Now().Add(pause).After(s.until) {
			return err
		}
		if err := s.options.Pause(ctx, pause); err != nil {
			return err
		}
	}
}

// location returns where the project's builds of this delivery come from: its
// source, or the repository that the delivery is about if the webhook hears
// many.
func (s *session) location(p project.Project) (string, error) {
	scope := p.Public.Webhook.ScopeConfiguration
	if scope == nil {
		if p.Public.Source.Location == nil {
			return "", fault.New(fault.Invalid, "The project's source has no location.")
		}
		return *p.Public.Source.Location, nil
	}
	clone := s.said.Repository.CloneURL
	if clone == "" {
		return "", fault.New(fault.Invalid, "The delivery does not say which repository it is about.")
	}
	if scope.Domain != nil && *scope.Domain != "" && host(clone) != host(*scope.Domain) {
		return "", fault.New(fault.Invalid, "The delivery is about a repository on %s, but the webhook's domain is %s.", host(clone), host(*scope.Domain))
	}
	return clone, nil
}

// host returns the host of a URL, or of a text that is one.
func host(text string) string {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// find returns the login to a repository, for a project.
func (s *session) find(ctx context.Context, p project.Project, location string) (keyring.Found, error) {
	return s.parts.Keys.Find(ctx, keyring.Need{
		Scope: p.Scope, Server: s.hook.ServerType, Location: location, Auth: p.Public.Source.Auth,
		Insecure: p.Public.Source.InsecureSSL != nil && *p.Public.Source.InsecureSSL,
		Purpose:  slipway.CredentialPurposeEvent, Project: *p.Public.Name,
	})
}

// provider returns who answers questions; Invalid if nobody does.
func (s *session) provider() (source.Provider, error) {
	provider, ok := s.parts.Providers[s.hook.ServerType]
	if !ok {
		return nil, fault.New(fault.Invalid, "Slipway cannot ask %s yet.", s.hook.ServerType)
	}
	return provider, nil
}

// detail fills in what the filters of a project need and event i lacks.
func (s *session) detail(ctx context.Context, p project.Project, i int) error {
	e := &s.said.Events[i]
	files, message := webhook.Needs(p.Public.Webhook, s.said, *e)
	if !files && !message {
		return nil
	}
	provider, err := s.provider()
	if err != nil {
		return err
	}
	detailer, ok := provider.(source.Detailer)
	if !ok {
		return fault.New(fault.Invalid, "%s does not tell changed paths and commit messages: remove the FILE_PATH and COMMIT_MESSAGE filters.", s.hook.ServerType)
	}
	if message {
		r, commit, err := s.headOf(ctx, p, *e)
		if err != nil {
			return err
		}
		var text string
		err = s.patiently(ctx, func() (err error) {
			text, err = detailer.Message(ctx, r.Repository, commit, r.Login)
			return err
		})
		if err != nil {
			return err
		}
		e.Message = &text
		if files, _ = webhook.Needs(p.Public.Webhook, s.said, *e); !files {
			return nil
		}
	}
	location, err := s.location(p)
	if err != nil {
		return err
	}
	r, err := s.find(ctx, p, location)
	if err != nil {
		return err
	}
	var paths []string
	err = s.patiently(ctx, func() (err error) {
		paths, err = detailer.Files(ctx, r.Repository, *e, r.Login)
		return err
	})
	if err != nil {
		return err
	}
	if e.Files = paths; paths == nil {
		e.Files = []string{}
	}
	return nil
}

// headOf returns the repository that holds the commit of e, and its id as the
// payload has it. On Bitbucket the commits of a fork are in the fork only.
func (s *session) headOf(ctx context.Context, p project.Project, e event.Event) (keyring.Found, string, error) {
	location, err := s.location(p)
	if err != nil {
		return keyring.Found{}, "", err
	}
	base, err := s.find(ctx, p, location)
	if err != nil {
		return base, "", err
	}
	if e.Commit == "" {
		return base, "", fault.New(fault.Invalid, "The payload does not say which commit it is about.")
	}
	if s.hook.ServerType != api.ServerTypeBitbucket || e.PullRequest == nil || !e.PullRequest.Fork {
		return base, e.Commit, nil
	}
	clone := e.PullRequest.Head.CloneURL
	if clone == "" {
		return base, "", fault.New(fault.Invalid, "The fork that pull request %d comes from is gone: there is nothing to fetch.", e.PullRequest.Number)
	}
	fork, err := s.find(ctx, p, clone)
	if err != nil {
		return fork, "", err
	}
	if fork.Host != base.Host {
		return fork, "", fault.New(fault.Invalid, "Pull request %d comes from %s and not from %s: nothing is fetched from elsewhere.", e.PullRequest.Number, fork.Host, base.Host)
	}
	return fork, e.Commit, nil
}

// refuseAuthors says why a build must be approved; "" if everybody whose doing
// it is has the role of an approver. A role that cannot be read counts as none.
func (s *session) refuseAuthors(ctx context.Context, p project.Project, e event.Event) (why string, err error) {
	for _, a := range webhook.Authors(e) {
		if why, err := s.refuse(ctx, p, a.Name); why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

// refuse says why somebody is no approver; "" if they are one. An error is our
// own fault, or ctx's.
func (s *session) refuse(ctx context.Context, p project.Project, name string) (why string, err error) {
	approvers := webhook.Approvers(s.hook.ServerType, p.Public.Webhook)
	if name == "" {
		return "It waits for approval, since the payload does not say whose doing it is.", nil
	}
	role, err := s.role(ctx, p, name)
	if err != nil {
		words, ok := told(err)
		if !ok {
			return "", err
		}
		return fmt.Sprintf("It waits for approval, since the role of %s could not be read: %s", name, words), nil
	}
	for _, r := range approvers {
		if r == role {
			return "", nil
		}
	}
	has := "no role on the repository"
	if role != "" {
		has = "the role " + string(role)
	}
	return fmt.Sprintf("It waits for approval, since %s has %s, and approvers have %s.", name, has, names(approvers)), nil
}

func (s *session) role(ctx context.Context, p project.Project, name string) (role api.PullRequestBuildApproverRole, err error) {
	provider, err := s.provider()
	if err != nil {
		return "", err
	}
	reader, ok := provider.(source.RoleReader)
	if !ok {
		return "", fault.New(fault.Invalid, "%s does not tell roles.", s.hook.ServerType)
	}
	location, err := s.location(p)
	if err != nil {
		return "", err
	}
	r, err := s.find(ctx, p, location)
	if err != nil {
		return "", err
	}
	err = s.patiently(ctx, func() (err error) {
		role, err = reader.Role(ctx, r.Repository, name, r.Login)
		return err
	})
	return role, err
}

func names(roles []api.PullRequestBuildApproverRole) string {
	all := make([]string, len(roles))
	for i, r := range roles {
		all[i] = string(r)
	}
	return strings.Join(all, " or ")
}
