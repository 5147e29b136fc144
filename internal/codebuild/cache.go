package codebuild

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// InvalidateProjectCache removes what a project caches of files, with keys and
// without: the next build restores nothing. What is shared by a cacheNamespace
// is gone for the other projects, too. A build that is under way may still save
// its own.
func (s *Service) InvalidateProjectCache(ctx context.Context, in *api.InvalidateProjectCacheInput) (*api.InvalidateProjectCacheOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("project", in.ProjectName)
	if !ok {
		return nil, projectNotFound(scope, in.ProjectName)
	}
	if err := project.CheckName(name); err != nil {
		return nil, err
	}
	p, err := s.projects.Get(ctx, scope, name)
	if fault.KindOf(err) == fault.NotFound {
		return nil, projectNotFound(scope, name)
	}
	if err != nil {
		return nil, err
	}
	if err := s.forget(ctx, p); err != nil {
		return nil, err
	}
	return &api.InvalidateProjectCacheOutput{}, nil
}
