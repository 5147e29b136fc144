package codebuild

import (
	"context"
	"strconv"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/project"
)

// buildsPerPage is how many ids ListBuilds and ListBuildsForProject answer at once.
const buildsPerPage = 100

// StartBuild queues a build of a project, with overrides for this build alone.
func (s *Service) StartBuild(ctx context.Context, in *api.StartBuildInput) (*api.StartBuildOutput, error) {
	caller := accesskey.CallerOf(ctx)
	name, ok := caller.Scope.Local("project", in.ProjectName)
	if !ok {
		return nil, projectNotFound(caller.Scope, in.ProjectName)
	}
	p, err := s.projects.Get(ctx, caller.Scope, name)
	if fault.KindOf(err) == fault.NotFound {
		return nil, projectNotFound(caller.Scope, name)
	}
	if err != nil {
		return nil, err
	}
	now := s.now()
	once, err := build.Once("StartBuild", in, in.IdempotencyToken, now)
	if err != nil {
		return nil, err
	}
	b, err := build.New(p, in, caller, build.NewID(name), now)
	if err != nil {
		return nil, err
	}
	if b, err = s.queue(ctx, b, name, once); err != nil {
		return nil, err
	}
	return &api.StartBuildOutput{Build: &b.Public}, nil
}

// StartWebhookBuild queues a build of p that a webhook asks for. It is refused
// as StartBuild is; asked again with the same memory, it returns the first build.
func (s *Service) StartWebhookBuild(ctx context.Context, p project.Project, start build.WebhookStart) (build.Build, error) {
	name := *p.Public.Name
	b, err := build.NewForWebhook(p, start, build.NewID(name), s.now())
	if err != nil {
		return build.Build{}, err
	}
	return s.queue(ctx, b, name, &start.Once)
}

// RetryBuild queues a new build with the settings of an earlier one.
func (s *Service) RetryBuild(ctx context.Context, in *api.RetryBuildInput) (*api.RetryBuildOutput, error) {
	caller := accesskey.CallerOf(ctx)
	if in.ID == nil {
		return nil, errBuildID()
	}
	old, err := s.build(ctx, caller.Scope, *in.ID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	once, err := build.Once("RetryBuild", in, in.IdempotencyToken, now)
	if err != nil {
		return nil, err
	}
	name := *old.Public.ProjectName
	b, err := s.queue(ctx, build.Retry(old, caller, build.NewID(name), now), name, once)
	if err != nil {
		return nil, err
	}
	return &api.RetryBuildOutput{Build: &b.Public}, nil
}

// queue stores a new build and has it started as soon as there is a place.
func (s *Service) queue(ctx context.Context, b build.Build, project string, once *build.Idempotency) (build.Build, error) {
	scope := b.Scope
	b, err := s.builds.Accept(ctx, b, once)
	if fault.KindOf(err) == fault.NotFound { // deleted meanwhile
		return b, projectNotFound(scope, project)
	}
	if err != nil {
		return b, err
	}
	s.control.Wake()
	return b, nil
}

// BatchGetBuilds answers builds in the order in which they were asked for.
func (s *Service) BatchGetBuilds(ctx context.Context, in *api.BatchGetBuildsInput) (*api.BatchGetBuildsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	ids, err := buildIDs(scope, in.IDs)
	if err != nil {
		return nil, err
	}
	known := make([]string, 0, len(ids))
	for _, id := range ids {
		if id != "" {
			known = append(known, id)
		}
	}
	stored, err := s.builds.GetMany(ctx, scope, known)
	if err != nil {
		return nil, err
	}
	found := make(map[string]build.Build, len(stored))
	for _, b := range stored {
		found[*b.Public.ID] = b
	}
	out := &api.BatchGetBuildsOutput{Builds: []api.Build{}, BuildsNotFound: []string{}}
	seen := map[string]bool{} // an id given twice is answered once
	for i, id := range ids {
		b, ok := found[id]
		switch {
		case !ok:
			out.BuildsNotFound = append(out.BuildsNotFound, in.IDs[i])
		case !seen[id]:
			seen[id] = true
			out.Builds = append(out.Builds, b.Public)
		}
	}
	return out, nil
}

// ListBuilds answers the ids of all builds, newest first unless told otherwise.
func (s *Service) ListBuilds(ctx context.Context, in *api.ListBuildsInput) (*api.ListBuildsOutput, error) {
	ids, next, err := s.listBuilds(ctx, accesskey.CallerOf(ctx).Scope, "", in.SortOrder, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListBuildsOutput{IDs: ids, NextToken: next}, nil
}

// ListBuildsForProject answers the ids of one project's builds, newest first
// unless told otherwise.
func (s *Service) ListBuildsForProject(ctx context.Context, in *api.ListBuildsForProjectInput) (*api.ListBuildsForProjectOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("project", in.ProjectName)
	if !ok {
		return nil, noSuchProject(in.ProjectName)
	}
	// Builds outlive their project, but are then no longer listed by it.
	if _, err := s.projects.Get(ctx, scope, name); fault.KindOf(err) == fault.NotFound {
		return nil, noSuchProject(scope.Project(name))
	} else if err != nil {
		return nil, err
	}
	ids, next, err := s.listBuilds(ctx, scope, name, in.SortOrder, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListBuildsForProjectOutput{IDs: ids, NextToken: next}, nil
}

// listBuilds answers a page of one project's builds or, with "", of all.
func (s *Service) listBuilds(ctx context.Context, scope arn.Scope, project string, order api.SortOrderType, token *string) ([]string, *string, error) {
	descending := order != api.SortOrderTypeAscending
	kind := "builds-descending:" + project // a token continues only the list it comes from
	if !descending {
		kind = "builds-ascending:" + project
	}
	last, err := pageAfter(kind, token)
	if err != nil {
		return nil, nil, err
	}
	var after int64
	if last != "" {
		if after, err = strconv.ParseInt(last, 10, 64); err != nil || after <= 0 {
			return nil, nil, fault.New(fault.Invalid, "Invalid next token provided")
		}
	}
	ids, next, err := s.builds.List(ctx, scope, project, descending, after, buildsPerPage)
	if err != nil {
		return nil, nil, err
	}
	if ids == nil {
		ids = []string{}
	}
	if next == 0 {
		return ids, nil, nil
	}
	return ids, pageToken(kind, strconv.FormatInt(next, 10)), nil
}

// StopBuild asks a build to end. A finished one is answered as it is.
func (s *Service) StopBuild(ctx context.Context, in *api.StopBuildInput) (*api.StopBuildOutput, error) {
	b, err := s.build(ctx, accesskey.CallerOf(ctx).Scope, in.ID) // in scope, or it is not the caller's to stop
	if err != nil {
		return nil, err
	}
	b, err = s.control.StopBuild(ctx, *b.Public.ID)
	if fault.KindOf(err) == fault.NotFound { // deleted meanwhile
		return nil, noSuchBuild(in.ID)
	}
	if err != nil {
		return nil, err
	}
	return &api.StopBuildOutput{Build: &b.Public}, nil
}

// BatchDeleteBuilds removes finished builds, and says of each other one why it
// is still there. Ids are answered as ARNs.
func (s *Service) BatchDeleteBuilds(ctx context.Context, in *api.BatchDeleteBuildsInput) (*api.BatchDeleteBuildsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	ids, err := buildIDs(scope, in.IDs)
	if err != nil {
		return nil, err
	}
	out := &api.BatchDeleteBuildsOutput{BuildsDeleted: []string{}, BuildsNotDeleted: []api.BuildNotDeleted{}}
	keep := func(arn, why string) {
		out.BuildsNotDeleted = append(out.BuildsNotDeleted, api.BuildNotDeleted{ID: &arn, StatusCode: &why})
	}
	seen := map[string]bool{}
	for i, id := range ids {
		if id == "" {
			keep(in.IDs[i], "BUILD_NOT_FOUND")
			continue
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		switch err := s.builds.Delete(ctx, scope, id); {
		case err == nil:
			out.BuildsDeleted = append(out.BuildsDeleted, scope.Build(id))
		case fault.KindOf(err) == fault.NotFound:
			keep(scope.Build(id), "BUILD_NOT_FOUND")
		case fault.KindOf(err) == fault.Invalid:
			keep(scope.Build(id), "BUILD_IN_PROGRESS")
		default:
			return nil, err
		}
	}
	return out, nil
}

// build returns the build that an id or ARN names.
func (s *Service) build(ctx context.Context, scope arn.Scope, idOrARN string) (build.Build, error) {
	id, err := buildID(scope, idOrARN)
	if err != nil {
		return build.Build{}, err
	}
	if id == "" {
		return build.Build{}, noSuchBuild(idOrARN)
	}
	b, err := s.builds.Get(ctx, scope, id)
	if fault.KindOf(err) == fault.NotFound {
		return build.Build{}, noSuchBuild(idOrARN)
	}
	return b, err
}

// buildIDs returns the ids that ids or ARNs name, "" for what lies elsewhere.
func buildIDs(scope arn.Scope, idsOrARNs []string) ([]string, error) {
	ids := make([]string, len(idsOrARNs))
	for i, given := range idsOrARNs {
		id, err := buildID(scope, given)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// buildID returns the id that an id or ARN names, or "" if the ARN is that of
// something in another account or region, or no build. What has not even the
// form of an id is Invalid.
func buildID(scope arn.Scope, idOrARN string) (string, error) {
	id, ok := scope.Local("build", idOrARN)
	if _, isARN := arn.Parse(idOrARN); !ok && isARN {
		return "", nil
	}
	if project, own, _ := strings.Cut(id, ":"); !ok || project == "" || own == "" {
		return "", errBuildID()
	}
	return id, nil
}

func errBuildID() error { return fault.New(fault.Invalid, "Invalid build ID provided") }

func noSuchBuild(idOrARN string) error {
	return fault.New(fault.NotFound, "Build %s does not exist", idOrARN)
}

func noSuchProject(projectARN string) error {
	return fault.New(fault.NotFound, "The provided project %s does not exist", projectARN)
}

// projectNotFound is StartBuild's answer to a name or ARN that it does not know.
func projectNotFound(scope arn.Scope, nameOrARN string) error {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		nameOrARN = scope.Project(nameOrARN)
	}
	return fault.New(fault.NotFound, "Project cannot be found: %s", nameOrARN)
}
