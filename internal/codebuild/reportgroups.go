package codebuild

import (
	"context"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// reportsPerPage is how many elements the lists of reports answer at once,
// unless the caller wants fewer.
const reportsPerPage = 100

// purges bounds how much of what was deleted is removed before an operation
// answers. The rest goes by itself.
const purges = 20

// CreateReportGroup makes a report group.
func (s *Service) CreateReportGroup(ctx context.Context, in *api.CreateReportGroupInput) (*api.CreateReportGroupOutput, error) {
	g, err := report.NewGroup(accesskey.CallerOf(ctx).Scope, in, s.now())
	if err != nil {
		return nil, err
	}
	if err := s.reportGroups.Create(ctx, g); err != nil {
		return nil, err
	}
	return &api.CreateReportGroupOutput{ReportGroup: &g.Public}, nil
}

// UpdateReportGroup changes what the input has: an export config and tags are
// replaced whole. Name and type of a group never change.
func (s *Service) UpdateReportGroup(ctx context.Context, in *api.UpdateReportGroupInput) (*api.UpdateReportGroupOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, err := groupOf(scope, in.ARN)
	if err != nil {
		return nil, err
	}
	now := s.now()
	g, err := s.reportGroups.Update(ctx, scope, name, func(g report.Group) (report.Group, error) { return g.Update(in, now) })
	if err != nil {
		return nil, err
	}
	return &api.UpdateReportGroupOutput{ReportGroup: &g.Public}, nil
}

// DeleteReportGroup removes a report group, if there is one. One with reports
// goes only if they may go too; it may then show as DELETING for a while.
func (s *Service) DeleteReportGroup(ctx context.Context, in *api.DeleteReportGroupInput) (*api.DeleteReportGroupOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, ok := scope.Local("report-group", in.ARN)
	if !ok || !strings.HasPrefix(in.ARN, "arn:") { // success would say that it is gone
		return nil, errGroupARN()
	}
	if err := s.reportGroups.Delete(ctx, scope, name, in.DeleteReports != nil && *in.DeleteReports, s.now()); err != nil {
		return nil, err
	}
	return &api.DeleteReportGroupOutput{}, s.purgeReports(ctx)
}

// BatchGetReportGroups answers report groups in the order in which they were
// asked for, each once. ARNs that lead to none are answered as they were given.
func (s *Service) BatchGetReportGroups(ctx context.Context, in *api.BatchGetReportGroupsInput) (*api.BatchGetReportGroupsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	names := make([]string, len(in.ReportGroupARNs)) // "" for an ARN from elsewhere
	var known []string
	for i, given := range in.ReportGroupARNs {
		if _, ok := arn.Parse(given); !ok {
			return nil, errGroupARN()
		}
		if name, ok := scope.Local("report-group", given); ok {
			names[i] = name
			known = append(known, name)
		}
	}
	stored, err := s.reportGroups.GetMany(ctx, scope, known)
	if err != nil {
		return nil, err
	}
	found := make(map[string]api.ReportGroup, len(stored))
	for _, g := range stored {
		found[g.Name()] = g.Public
	}
	out := &api.BatchGetReportGroupsOutput{}
	out.ReportGroups, out.ReportGroupsNotFound = inOrder(in.ReportGroupARNs, names, found)
	return out, nil
}

// ListReportGroups answers the ARNs of all report groups: by name, ascending,
// unless told otherwise.
func (s *Service) ListReportGroups(ctx context.Context, in *api.ListReportGroupsInput) (*api.ListReportGroupsOutput, error) {
	by := in.SortBy
	if by == "" {
		by = api.ReportGroupSortByTypeName
	}
	scope, descending := accesskey.CallerOf(ctx).Scope, in.SortOrder == api.SortOrderTypeDescending
	kind := "report-groups-ascending:" + string(by)
	if descending {
		kind = "report-groups-descending:" + string(by)
	}
	after, err := pageAfter(kind, in.NextToken)
	if err != nil {
		return nil, err
	}
	names, next, err := s.reportGroups.List(ctx, scope, by, descending, after, pageSize(in.MaxResults))
	if err != nil {
		return nil, err
	}
	out := &api.ListReportGroupsOutput{ReportGroups: make([]string, len(names)), NextToken: pageToken(kind, next)}
	for i, name := range names {
		out.ReportGroups[i] = scope.ReportGroup(name)
	}
	return out, nil
}

// ListSharedReportGroups answers the report groups that other accounts share
// with the caller's: none, since an installation has the one account.
func (s *Service) ListSharedReportGroups(_ context.Context, in *api.ListSharedReportGroupsInput) (*api.ListSharedReportGroupsOutput, error) {
	if _, err := pageAfter("shared-report-groups", in.NextToken); err != nil {
		return nil, err
	}
	return &api.ListSharedReportGroupsOutput{ReportGroups: []string{}}, nil
}

// GetReportGroupTrend answers how a figure of a group's newest reports went,
// newest first.
func (s *Service) GetReportGroupTrend(ctx context.Context, in *api.GetReportGroupTrendInput) (*api.GetReportGroupTrendOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	g, err := s.reportGroup(ctx, scope, in.ReportGroupARN)
	if err != nil {
		return nil, err
	}
	newest, err := s.reports.Newest(ctx, scope, g.Name(), s.now(), pageSize(in.NumOfReports))
	if err != nil {
		return nil, err
	}
	t, err := report.NewTrend(g, in.TrendField, newest)
	if err != nil {
		return nil, err
	}
	return &api.GetReportGroupTrendOutput{Stats: &t.Stats, RawData: t.Data}, nil
}

// reportGroup returns the group that an ARN names.
func (s *Service) reportGroup(ctx context.Context, scope arn.Scope, groupARN string) (report.Group, error) {
	name, err := groupOf(scope, groupARN)
	if err != nil {
		return report.Group{}, err
	}
	return s.reportGroups.Get(ctx, scope, name)
}

// groupOf returns the name in a group's ARN. One from elsewhere is NotFound.
func groupOf(scope arn.Scope, groupARN string) (string, error) {
	if _, ok := arn.Parse(groupARN); !ok {
		return "", errGroupARN()
	}
	name, ok := scope.Local("report-group", groupARN)
	if !ok {
		return "", fault.New(fault.NotFound, "Report group cannot be found: %s", groupARN)
	}
	return name, nil
}

func errGroupARN() error { return fault.New(fault.Invalid, "Invalid report group ARN provided") }

// purgeReports removes what was deleted, if it is not too much.
func (s *Service) purgeReports(ctx context.Context) error {
	for range purges {
		now := s.now()
		if more, err := s.reports.Purge(ctx, now, now.Add(-report.MostGenerating)); err != nil || !more {
			return err
		}
	}
	return nil
}

// pageSize returns how long a page may be.
func pageSize(asked *int) int {
	if asked == nil || *asked < 1 || *asked > reportsPerPage {
		return reportsPerPage
	}
	return *asked
}

// inOrder returns what was found by the keys of what was asked for, each once
// and in that order, and what was not, as it was given.
func inOrder[T any](given, keys []string, found map[string]T) (there []T, missing []string) {
	there, missing = []T{}, []string{}
	seen := map[string]bool{}
	for i, key := range keys {
		v, ok := found[key]
		switch {
		case ok && !seen[key]:
			seen[key] = true
			there = append(there, v)
		case !ok && !seen[given[i]]:
			seen[given[i]] = true
			missing = append(missing, given[i])
		}
	}
	return there, missing
}
