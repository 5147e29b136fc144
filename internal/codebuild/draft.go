package codebuild

import (
	"context"
	"fmt"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// CreateFaults tells all that CreateProject refuses in a request that fulfils
// the model's constraints, as it words it, and makes nothing. There are none
// exactly if CreateProject would make the project.
func (s *Service) CreateFaults(ctx context.Context, in *api.CreateProjectInput) ([]project.Fault, error) {
	scope := accesskey.CallerOf(ctx).Scope
	p, _ := project.New(scope, in, s.now()) // its error is the first of its faults
	all := p.Faults()
	alone, err := s.unconnected(ctx, scope, in.Source, in.SecondarySources)
	if err != nil {
		return nil, err
	}
	all = append(all, alone...)
	switch _, err := s.projects.Get(ctx, scope, in.Name); fault.KindOf(err) {
	case fault.NotFound:
		return all, nil
	default:
		if err != nil {
			return nil, err
		}
	}
	return append(all, project.Fault{Member: "name", Message: fault.Message(projectExists(scope, in.Name))}), nil
}

// UpdateFaults is CreateFaults for UpdateProject: the project as it would be is
// checked, and whether its webhook suits its source.
func (s *Service) UpdateFaults(ctx context.Context, in *api.UpdateProjectInput) ([]project.Fault, error) {
	scope := accesskey.CallerOf(ctx).Scope
	unnamed := func(err error) ([]project.Fault, error) {
		return []project.Fault{{Member: "name", Message: fault.Message(err)}}, nil
	}
	name, ok := scope.Local("project", in.Name)
	if !ok {
		return unnamed(projectNotFound(scope, in.Name))
	}
	if err := project.CheckName(name); err != nil {
		return unnamed(err)
	}
	all, err := s.unconnected(ctx, scope, in.Source, in.SecondarySources)
	if err != nil {
		return nil, err
	}
	old, err := s.projects.Get(ctx, scope, name)
	if fault.KindOf(err) == fault.NotFound {
		return unnamed(projectNotFound(scope, name))
	}
	if err != nil {
		return nil, err
	}
	p, err := project.Update(old, in, s.now())
	all = append(all, p.Faults()...)
	if err != nil { // a webhook is held against a source that is right
		return all, nil
	}
	switch err := s.webhooks.Fits(old, p); {
	case err == nil:
		return all, nil
	case fault.KindOf(err) != fault.Invalid:
		return nil, err
	default:
		return append(all, project.Fault{Member: "source", Message: fault.Message(err)}), nil
	}
}

func projectExists(scope arn.Scope, name string) error {
	return fault.New(fault.Exists, "Project already exists: %s", scope.Project(name))
}

// checkConnected refuses what is unconnected.
func (s *Service) checkConnected(ctx context.Context, scope arn.Scope, primary *api.ProjectSource, secondary []api.ProjectSource) error {
	all, err := s.unconnected(ctx, scope, primary, secondary)
	if err != nil || len(all) == 0 {
		return err
	}
	return fault.New(fault.Invalid, "%s", all[0].Message)
}

// unconnected tells of GitHub sources that are to use one of the account's own
// credentials while none serves them. Without auth a repository may be public,
// so none is needed then. CodeBuild has no such check for the other providers.
func (s *Service) unconnected(ctx context.Context, scope arn.Scope, primary *api.ProjectSource, secondary []api.ProjectSource) ([]project.Fault, error) {
	type need struct {
		credential.Want
		member string
	}
	var needed []need
	add := func(from *api.ProjectSource, member string) {
		if from != nil && usesAccount(from) && from.Location != nil {
			w, _ := credential.NewWant(api.ServerTypeGithub, *from.Location) // of no location, it is for the default
			needed = append(needed, need{w, member + ".auth"})
		}
	}
	add(primary, "source")
	for i := range secondary {
		add(&secondary[i], fmt.Sprintf("secondarySources[%d]", i))
	}
	if len(needed) == 0 {
		return nil, nil
	}
	sealed, err := s.credentials.All(ctx, scope)
	if err != nil {
		return nil, err
	}
	about := make([]credential.About, len(sealed))
	for i, c := range sealed {
		about[i] = c.About
	}
	var all []project.Fault
	for _, n := range needed {
		if _, ok := credential.Winner(credential.Ladder(n.Want, about)); !ok {
			all = append(all, project.Fault{Member: n.member, Message: "No Access token found, please visit AWS CodeBuild console to connect to GitHub. " +
				credential.Missing(scope, string(api.ServerTypeGithub))})
		}
	}
	return all, nil
}

func usesAccount(s *api.ProjectSource) bool {
	return s.Type == api.SourceTypeGithub && s.Auth != nil && s.Auth.Type == api.SourceAuthTypeOauth
}
