package codebuild

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
)

// ImportSourceCredentials stores the access token of a source provider, sealed.
// There is one for each server type: another import replaces it and keeps its
// ARN, unless shouldOverwrite is false.
func (s *Service) ImportSourceCredentials(ctx context.Context, in *api.ImportSourceCredentialsInput) (*api.ImportSourceCredentialsOutput, error) {
	c, err := credential.New(accesskey.CallerOf(ctx).Scope, in, s.now())
	if err != nil {
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
	return &api.ImportSourceCredentialsOutput{ARN: &c.ARN}, nil
}

// ListSourceCredentials answers what credentials there are, never their tokens
// or user names.
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

// DeleteSourceCredentials removes a credential for good.
func (s *Service) DeleteSourceCredentials(ctx context.Context, in *api.DeleteSourceCredentialsInput) (*api.DeleteSourceCredentialsOutput, error) {
	if _, ok := arn.Parse(in.ARN); !ok { // not repeated: it may be a token, given here by mistake
		return nil, fault.New(fault.Invalid, "Invalid source credentials arn provided")
	}
	err := s.credentials.Delete(ctx, accesskey.CallerOf(ctx).Scope, in.ARN)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "Source credentials cannot be found: %s", in.ARN)
	}
	if err != nil {
		return nil, err
	}
	return &api.DeleteSourceCredentialsOutput{ARN: &in.ARN}, nil
}
