package ssm

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api/ssm"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// AddTagsToResource hangs tags on a parameter.
func (s *Service) AddTagsToResource(ctx context.Context, in *ssm.AddTagsToResourceRequest) (*ssm.AddTagsToResourceResult, error) {
	more := make([]vault.Tag, len(in.Tags))
	for i, t := range in.Tags {
		more[i] = vault.Tag(t)
	}
	return &ssm.AddTagsToResourceResult{}, s.retag(ctx, in.ResourceType, in.ResourceID, func(tags []vault.Tag) ([]vault.Tag, error) {
		return vault.Tagged(tags, more)
	})
}

// RemoveTagsFromResource takes tags off a parameter.
func (s *Service) RemoveTagsFromResource(ctx context.Context, in *ssm.RemoveTagsFromResourceRequest) (*ssm.RemoveTagsFromResourceResult, error) {
	return &ssm.RemoveTagsFromResourceResult{}, s.retag(ctx, in.ResourceType, in.ResourceID, func(tags []vault.Tag) ([]vault.Tag, error) {
		return vault.Untagged(tags, in.TagKeys), nil
	})
}

// retag changes the tags of a parameter, without a new version of it.
func (s *Service) retag(ctx context.Context, typ ssm.ResourceTypeForTagging, id string, change func([]vault.Tag) ([]vault.Tag, error)) error {
	p, err := s.tagged(ctx, typ, id)
	if err != nil {
		return err
	}
	return s.parameters.Change(ctx, p.Scope, p.Name, func(old *vault.SealedParameter) (*vault.SealedParameter, error) {
		if old == nil {
			return nil, noResource(id)
		}
		next := *old
		var err error
		next.Tags, err = change(old.Tags)
		return &next, err
	})
}

// ListTagsForResource answers the tags of a parameter.
func (s *Service) ListTagsForResource(ctx context.Context, in *ssm.ListTagsForResourceRequest) (*ssm.ListTagsForResourceResult, error) {
	p, err := s.tagged(ctx, in.ResourceType, in.ResourceID)
	if err != nil {
		return nil, err
	}
	out := &ssm.ListTagsForResourceResult{TagList: []ssm.Tag{}}
	for _, t := range p.Tags {
		out.TagList = append(out.TagList, ssm.Tag(t))
	}
	return out, nil
}

// tagged returns the parameter that has tags.
func (s *Service) tagged(ctx context.Context, typ ssm.ResourceTypeForTagging, id string) (vault.SealedParameter, error) {
	if typ != ssm.ResourceTypeForTaggingParameter {
		return vault.SealedParameter{}, fault.Because(vault.BadResourceType, fault.Invalid, "The only resources with tags here are parameters: set ResourceType to Parameter")
	}
	scope := accesskey.CallerOf(ctx).Scope
	name, _, _, ok := vault.ParseParameterName(scope, id)
	if !ok {
		return vault.SealedParameter{}, noResource(id)
	}
	p, err := s.parameters.Get(ctx, scope, name, 0)
	if fault.KindOf(err) == fault.NotFound {
		err = noResource(id)
	}
	return p, err
}

func noResource(id string) error {
	return fault.Because(vault.BadResource, fault.Invalid, "There is no parameter %s", id)
}
