package codebuild

import (
	"context"
	"slices"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

// ImportSourceCredentials stores the access token of a source provider, sealed.
// There is one for each server type: another import replaces it and keeps its
// ARN, unless shouldOverwrite is false. CodeBuild has no word for the host of a
// self-hosted server's token: it stays bound to those of the one it replaces,
// or else is bound to that of the projects there are, if it is a single one.
func (s *Service) ImportSourceCredentials(ctx context.Context, in *api.ImportSourceCredentialsInput) (*api.ImportSourceCredentialsOutput, error) {
	c, err := credential.New(accesskey.CallerOf(ctx).Scope, in, s.now())
	if err != nil {
		return nil, err
	}
	if credential.SelfHosted(c.ServerType) {
		if c.Hosts, err = s.onlyHost(ctx, c.Scope, c.ServerType); err != nil {
			return nil, err
		}
	}
	if err := s.checkBefore(ctx, c); err != nil {
		return nil, err
	}
	sealed, err := credential.Seal(c, s.seal)
	if err != nil {
		return nil, err
	}
	overwrite := in.ShouldOverwrite == nil || *in.ShouldOverwrite // CodeBuild overwrites unless told not to
	err = s.credentials.Put(ctx, sealed, overwrite)
	if fault.KindOf(err) == fault.Exists {
		return nil, fault.New(fault.Exists, "Access token with server type %s already exists. Delete its source credential and try again.", c.ServerType)
	}
	if err != nil {
		return nil, err
	}
	s.imported(c.ARN)
	return &api.ImportSourceCredentialsOutput{ARN: &c.ARN}, nil
}

// onlyHost returns the host to which a new default credential is bound: the one
// at which all projects of its server type are. It is nil if there is none, and
// if the credential there is now is bound already.
func (s *Service) onlyHost(ctx context.Context, scope arn.Scope, server api.ServerType) ([]string, error) {
	old, err := s.credentials.Get(ctx, scope, server)
	if err != nil && fault.KindOf(err) != fault.NotFound || len(old.Hosts) > 0 {
		return nil, err
	}
	only := ""
	for after, more := "", true; more; more = after != "" {
		names, next, err := s.projects.List(ctx, scope, api.ProjectSortByTypeName, false, after, projectsPerPage)
		if err != nil {
			return nil, err
		}
		page, err := s.projects.GetMany(ctx, scope, names)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			for _, host := range hostsOf(p.Public, api.SourceType(server)) {
				if only != "" && host != only {
					return nil, nil
				}
				only = host
			}
		}
		after = next
	}
	if only == "" {
		return nil, nil
	}
	return []string{only}, nil
}

// hostsOf returns the hosts of a project's sources of one type.
func hostsOf(p api.Project, kind api.SourceType) (hosts []string) {
	sources := p.SecondarySources
	if p.Source != nil {
		sources = append(slices.Clone(sources), *p.Source)
	}
	for _, from := range sources {
		if from.Type != kind || from.Location == nil {
			continue
		}
		if host, _, ok := credential.Locate(*from.Location); ok {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// ListSourceCredentials answers what default credentials there are, never their
// tokens or user names. CodeBuild knows no others.
func (s *Service) ListSourceCredentials(ctx context.Context, _ *api.ListSourceCredentialsInput) (*api.ListSourceCredentialsOutput, error) {
	all, err := s.credentials.List(ctx, accesskey.CallerOf(ctx).Scope)
	if err != nil {
		return nil, err
	}
	infos := make([]api.SourceCredentialsInfo, len(all))
	for i, c := range all {
		infos[i] = api.SourceCredentialsInfo{ARN: &c.ARN, AuthType: c.AuthType, ServerType: c.ServerType}
		if c.Resource != "" {
			infos[i].Resource = &c.Resource
		}
	}
	return &api.ListSourceCredentialsOutput{SourceCredentialsInfos: infos}, nil
}

// DeleteSourceCredentials removes a default credential for good.
func (s *Service) DeleteSourceCredentials(ctx context.Context, in *api.DeleteSourceCredentialsInput) (*api.DeleteSourceCredentialsOutput, error) {
	named, ok := arn.Parse(in.ARN)
	if !ok { // not repeated: it may be a token, given here by mistake
		return nil, fault.New(fault.Invalid, "Invalid source credentials arn provided")
	}
	err := fault.New(fault.NotFound, "none of the defaults")
	if named.Service == "codebuild" {
		err = s.credentials.Delete(ctx, accesskey.CallerOf(ctx).Scope, in.ARN)
	}
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "Source credentials cannot be found: %s", in.ARN)
	}
	if err != nil {
		return nil, err
	}
	return &api.DeleteSourceCredentialsOutput{ARN: &in.ARN}, nil
}
