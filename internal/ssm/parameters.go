package ssm

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/ssm"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

const secureString = ssm.ParameterTypeSecureString

// PutParameter makes a parameter or, if it is to overwrite, a new version of it.
func (s *Service) PutParameter(ctx context.Context, in *ssm.PutParameterRequest) (*ssm.PutParameterResult, error) {
	caller := accesskey.CallerOf(ctx)
	var next vault.SealedParameter
	err := s.parameters.Change(ctx, caller.Scope, in.Name, func(old *vault.SealedParameter) (*vault.SealedParameter, error) {
		var was *vault.ParameterAbout
		if old != nil {
			was = &old.ParameterAbout
		}
		p, err := vault.NewParameter(caller.Scope, in, was, caller.ARN(), s.now())
		if err != nil {
			return nil, err
		}
		next, err = p.Sealed(s.sealer)
		return &next, err
	})
	if err != nil {
		return nil, err
	}
	return &ssm.PutParameterResult{Version: &next.Version, Tier: next.Tier}, nil
}

// GetParameter answers one parameter, of which a version may be asked for.
func (s *Service) GetParameter(ctx context.Context, in *ssm.GetParameterRequest) (*ssm.GetParameterResult, error) {
	p, selector, err := s.find(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	out, err := s.answer(p, selector, in.WithDecryption)
	if err != nil {
		return nil, err
	}
	return &ssm.GetParameterResult{Parameter: &out}, s.used(ctx, p)
}

// find returns the version of a parameter that a name, ARN or selector names.
func (s *Service) find(ctx context.Context, text string) (vault.SealedParameter, string, error) {
	scope := accesskey.CallerOf(ctx).Scope
	name, selector, version, ok := vault.ParseParameterName(scope, text)
	if !ok {
		return vault.SealedParameter{}, "", fault.New(fault.NotFound, "Parameter %s not found.", text)
	}
	p, err := s.parameters.Get(ctx, scope, name, version)
	if err == nil && selector != "" && version == 0 {
		err = fault.Because(vault.NoVersion, fault.NotFound, "Systems Manager could not find version %s of %s. Versions have no labels here: name one by its number.", selector[1:], name)
	}
	return p, selector, err
}

// answer is a parameter as it is answered.
func (s *Service) answer(p vault.SealedParameter, selector string, decrypt *bool) (ssm.Parameter, error) {
	value, err := s.value(p, decrypt)
	out := ssm.Parameter{
		ARN: new(p.ARN()), Name: &p.Name, Type: p.Type, Value: value, Version: &p.Version, DataType: &p.DataType, LastModifiedDate: api.At(p.Modified),
	}
	if selector != "" {
		out.Selector = &selector
	}
	return out, err
}

// GetParameters answers those of up to ten parameters that there are.
func (s *Service) GetParameters(ctx context.Context, in *ssm.GetParametersRequest) (*ssm.GetParametersResult, error) {
	out := &ssm.GetParametersResult{Parameters: []ssm.Parameter{}, InvalidParameters: []string{}}
	var found []vault.SealedParameter
	for i, name := range in.Names {
		if slices.Contains(in.Names[:i], name) {
			continue
		}
		p, selector, err := s.find(ctx, name)
		if fault.KindOf(err) == fault.NotFound {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		answer, err := s.answer(p, selector, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, answer)
		found = append(found, p)
	}
	return out, s.used(ctx, found...)
}

// byPathPage is how many parameters a page of GetParametersByPath has at most.
const byPathPage = 10

// GetParametersByPath answers the parameters below a path, those of its own level
// or all.
func (s *Service) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathRequest) (*ssm.GetParametersByPathResult, error) {
	if !strings.HasPrefix(in.Path, "/") {
		return nil, fault.New(fault.Constraint, `The parameter path must begin with a slash and use only letters, numbers and the symbols . - _, such as /get/parameters2-/by1./path0_.`)
	}
	matches, err := filters(in.ParameterFilters, "Type", "KeyId", "Label")
	if err != nil {
		return nil, err
	}
	below := strings.TrimPrefix(strings.TrimSuffix(in.Path, "/")+"/", "/")
	recursive := in.Recursive != nil && *in.Recursive
	page, next, err := s.page(ctx, below, in.NextToken, pageSize(in.MaxResults, byPathPage), func(p vault.ParameterAbout) bool {
		return strings.HasPrefix(p.Name, "/") && (recursive || !strings.Contains(vault.ParameterPath(p.Name)[len(below):], "/")) && matches(p)
	})
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersByPathResult{Parameters: []ssm.Parameter{}, NextToken: next}
	for _, p := range page {
		answer, err := s.answer(p, "", in.WithDecryption)
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, answer)
	}
	return out, s.used(ctx, page...)
}

// page returns the parameters below a path that match, as many as a page has.
func (s *Service) page(ctx context.Context, below string, token *string, size int, matches func(vault.ParameterAbout) bool) (page []vault.SealedParameter, next *string, err error) {
	const batch = 200
	after, err := pageAfter(token)
	if err != nil {
		return nil, nil, err
	}
	for {
		all, err := s.parameters.List(ctx, accesskey.CallerOf(ctx).Scope, below, after, batch)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range all {
			if !matches(p.ParameterAbout) {
				continue
			}
			if len(page) == size {
				return page, pageToken(vault.ParameterPath(page[size-1].Name)), nil
			}
			page = append(page, p)
		}
		if len(all) < batch {
			return page, nil, nil
		}
		after = vault.ParameterPath(all[len(all)-1].Name)
	}
}

// GetParameterHistory answers all versions that are kept, oldest first.
func (s *Service) GetParameterHistory(ctx context.Context, in *ssm.GetParameterHistoryRequest) (*ssm.GetParameterHistoryResult, error) {
	const most = 50
	after, err := pageAfter(in.NextToken)
	if err != nil {
		return nil, err
	}
	from, err := strconv.ParseInt(cmp.Or(after, "0"), 10, 64)
	if err != nil {
		_, err := pageAfter(new("*"))
		return nil, err
	}
	p, _, err := s.find(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	size := pageSize(in.MaxResults, most)
	all, err := s.parameters.History(ctx, p.Scope, p.Name, from, size+1)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParameterHistoryResult{Parameters: []ssm.ParameterHistory{}}
	if len(all) > size {
		all = all[:size]
		out.NextToken = pageToken(strconv.FormatInt(all[size-1].Version, 10))
	}
	for _, v := range all {
		value, err := s.value(v, in.WithDecryption)
		if err != nil {
			return nil, err
		}
		m := metadata(v.ParameterAbout)
		out.Parameters = append(out.Parameters, ssm.ParameterHistory{
			Name: m.Name, Type: m.Type, KeyID: m.KeyID, LastModifiedDate: m.LastModifiedDate, LastModifiedUser: m.LastModifiedUser, Description: m.Description,
			Value: value, AllowedPattern: m.AllowedPattern, Version: m.Version, Tier: m.Tier, DataType: m.DataType,
		})
	}
	return out, s.used(ctx, p)
}

// DescribeParameters answers what is known of parameters, without their values.
func (s *Service) DescribeParameters(ctx context.Context, in *ssm.DescribeParametersRequest) (*ssm.DescribeParametersResult, error) {
	const most = 50
	out := &ssm.DescribeParametersResult{Parameters: []ssm.ParameterMetadata{}}
	if in.Shared != nil && *in.Shared { // no other account shares any here
		return out, nil
	}
	matches, err := describeFilters(in)
	if err != nil {
		return nil, err
	}
	page, next, err := s.page(ctx, "", in.NextToken, pageSize(in.MaxResults, most), matches)
	if err != nil {
		return nil, err
	}
	for _, p := range page {
		out.Parameters = append(out.Parameters, metadata(p.ParameterAbout))
	}
	out.NextToken = next
	return out, nil
}

// metadata is what is answered of a parameter without its value.
func metadata(p vault.ParameterAbout) ssm.ParameterMetadata {
	return ssm.ParameterMetadata{
		ARN: new(p.ARN()), Name: &p.Name, Type: p.Type, KeyID: known(p.KeyID), Description: known(p.Description), AllowedPattern: known(p.AllowedPattern),
		Version: &p.Version, Tier: p.Tier, DataType: &p.DataType, LastModifiedDate: api.At(p.Modified), LastModifiedUser: &p.ModifiedBy,
	}
}

// known returns a member that is left out if it is empty.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// DeleteParameter removes a parameter with all its versions.
func (s *Service) DeleteParameter(ctx context.Context, in *ssm.DeleteParameterRequest) (*ssm.DeleteParameterResult, error) {
	return &ssm.DeleteParameterResult{}, s.delete(ctx, in.Name)
}

// DeleteParameters removes those of up to ten parameters that there are.
func (s *Service) DeleteParameters(ctx context.Context, in *ssm.DeleteParametersRequest) (*ssm.DeleteParametersResult, error) {
	out := &ssm.DeleteParametersResult{DeletedParameters: []string{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		switch err := s.delete(ctx, name); {
		case err == nil:
			out.DeletedParameters = append(out.DeletedParameters, name)
		case fault.KindOf(err) == fault.NotFound:
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) delete(ctx context.Context, name string) error {
	return s.parameters.Change(ctx, accesskey.CallerOf(ctx).Scope, name, func(old *vault.SealedParameter) (*vault.SealedParameter, error) {
		if old == nil {
			return nil, fault.New(fault.NotFound, "Parameter %s not found.", name)
		}
		return nil, nil
	})
}
