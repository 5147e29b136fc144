package codebuild

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// CreateWebhook has a project built when its repository changes.
func (s *Service) CreateWebhook(ctx context.Context, in *api.CreateWebhookInput) (*api.CreateWebhookOutput, error) {
	p, err := s.projectNamed(ctx, in.ProjectName)
	if err != nil {
		return nil, err
	}
	w, err := s.webhooks.Create(ctx, p, in)
	if err != nil {
		return nil, err
	}
	return &api.CreateWebhookOutput{Webhook: &w}, nil
}

// UpdateWebhook changes which events of its repository build a project.
func (s *Service) UpdateWebhook(ctx context.Context, in *api.UpdateWebhookInput) (*api.UpdateWebhookOutput, error) {
	p, err := s.projectNamed(ctx, in.ProjectName)
	if err != nil {
		return nil, err
	}
	w, err := s.webhooks.Update(ctx, p, in)
	if err != nil {
		return nil, err
	}
	return &api.UpdateWebhookOutput{Webhook: &w}, nil
}

// DeleteWebhook ends that a project is built when its repository changes.
func (s *Service) DeleteWebhook(ctx context.Context, in *api.DeleteWebhookInput) (*api.DeleteWebhookOutput, error) {
	p, err := s.projectNamed(ctx, in.ProjectName)
	if err != nil {
		return nil, err
	}
	if err := s.webhooks.Delete(ctx, p); err != nil {
		return nil, err
	}
	return &api.DeleteWebhookOutput{}, nil
}

// projectNamed returns the project that a name or ARN leads to, or NotFound.
func (s *Service) projectNamed(ctx context.Context, nameOrARN string) (project.Project, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("project", nameOrARN)
	if !ok {
		return project.Project{}, projectNotFound(scope, nameOrARN)
	}
	p, err := s.projects.Get(ctx, scope, name)
	if fault.KindOf(err) == fault.NotFound {
		return project.Project{}, projectNotFound(scope, name)
	}
	return p, err
}
