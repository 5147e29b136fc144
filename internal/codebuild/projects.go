package codebuild

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// projectsPerPage is how many names ListProjects answers at once.
const projectsPerPage = 100

// CreateProject makes a build project.
func (s *Service) CreateProject(ctx context.Context, in *api.CreateProjectInput) (*api.CreateProjectOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	p, err := project.New(scope, in, s.now())
	if err != nil {
		return nil, err
	}
	if err := s.checkConnected(ctx, scope, in.Source, in.SecondarySources); err != nil {
		return nil, err
	}
	err = s.projects.Create(ctx, p)
	if fault.KindOf(err) == fault.Exists {
		return nil, projectExists(scope, in.Name)
	}
	if err != nil {
		return nil, err
	}
	s.tellSource(p)
	return &api.CreateProjectOutput{Project: &p.Public}, nil
}

// tellSource tells that a project says where a self-hosted provider is.
func (s *Service) tellSource(p project.Project) {
	switch t := api.ServerType(p.Public.Source.Type); t {
	case api.ServerTypeGithubEnterprise, api.ServerTypeGitlabSelfManaged:
		s.located(t)
	}
}

// UpdateProject changes what the input has and leaves the rest.
func (s *Service) UpdateProject(ctx context.Context, in *api.UpdateProjectInput) (*api.UpdateProjectOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("project", in.Name)
	if !ok {
		return nil, projectNotFound(scope, in.Name)
	}
	if err := project.CheckName(name); err != nil {
		return nil, err
	}
	if err := s.checkConnected(ctx, scope, in.Source, in.SecondarySources); err != nil {
		return nil, err
	}
	now := s.now()
	var old project.Project
	p, err := s.projects.Update(ctx, scope, name, func(p project.Project) (project.Project, error) {
		old = p
		p, err := project.Update(p, in, now)
		if err == nil {
			err = s.webhooks.Fits(old, p)
		}
		return p, err
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil, projectNotFound(scope, name)
	}
	if err != nil {
		return nil, err
	}
	s.tellSource(p)
	if p.Public.Webhook == nil || in.Source == nil {
		return &api.UpdateProjectOutput{Project: &p.Public}, nil
	}
	if err := s.webhooks.Moved(ctx, old, p); err != nil {
		return nil, err
	}
	if p, err = s.projects.Get(ctx, scope, name); err != nil {
		return nil, err
	}
	return &api.UpdateProjectOutput{Project: &p.Public}, nil
}

// DeleteProject removes a project, if there is one, and its webhook. Its builds stay.
func (s *Service) DeleteProject(ctx context.Context, in *api.DeleteProjectInput) (*api.DeleteProjectOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("project", in.Name)
	if !ok { // success would say that it is gone
		return nil, fault.New(fault.Invalid, "Invalid project: the arn is not that of a project in this account and Region")
	}
	if err := project.CheckName(name); err != nil {
		return nil, err
	}
	p, err := s.projects.Get(ctx, scope, name)
	if err == nil {
		err = s.webhooks.Forget(ctx, p)
	}
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	if err := s.projects.Delete(ctx, scope, name); err != nil {
		return nil, err
	}
	return &api.DeleteProjectOutput{}, nil
}

// BatchGetProjects answers projects in the order in which they were asked for,
// each once. Names and ARNs that lead to none are answered as they were given.
func (s *Service) BatchGetProjects(ctx context.Context, in *api.BatchGetProjectsInput) (*api.BatchGetProjectsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	names := make([]string, len(in.Names)) // "" for an ARN from elsewhere
	var known []string
	for i, given := range in.Names {
		if name, ok := scope.Local("project", given); ok {
			names[i] = name
			known = append(known, name)
		}
	}
	stored, err := s.projects.GetMany(ctx, scope, known)
	if err != nil {
		return nil, err
	}
	found := make(map[string]api.Project, len(stored))
	for _, p := range stored {
		found[*p.Public.Name] = p.Public
	}
	out := &api.BatchGetProjectsOutput{Projects: []api.Project{}, ProjectsNotFound: []string{}}
	seen := map[string]bool{}
	for i, name := range names {
		p, ok := found[name]
		switch {
		case ok && !seen[name]:
			seen[name] = true
			out.Projects = append(out.Projects, p)
		case !ok && !seen[in.Names[i]]:
			seen[in.Names[i]] = true
			out.ProjectsNotFound = append(out.ProjectsNotFound, in.Names[i])
		}
	}
	return out, nil
}

// ListProjects answers the names of all projects: by name, ascending, unless
// told otherwise.
func (s *Service) ListProjects(ctx context.Context, in *api.ListProjectsInput) (*api.ListProjectsOutput, error) {
	by := in.SortBy
	if by == "" {
		by = api.ProjectSortByTypeName
	}
	descending := in.SortOrder == api.SortOrderTypeDescending
	kind := "projects-ascending:" + string(by) // a token continues only the list it comes from
	if descending {
		kind = "projects-descending:" + string(by)
	}
	after, err := pageAfter(kind, in.NextToken)
	if err != nil {
		return nil, err
	}
	names, next, err := s.projects.List(ctx, accesskey.CallerOf(ctx).Scope, by, descending, after, projectsPerPage)
	if err != nil {
		return nil, err
	}
	if names == nil {
		names = []string{}
	}
	return &api.ListProjectsOutput{Projects: names, NextToken: pageToken(kind, next)}, nil
}
