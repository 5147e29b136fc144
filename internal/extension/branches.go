package extension

import (
	"context"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
)

// brancher lists branches.
type brancher interface {
	// Branches lists the branches of a repository, the default one first: see
	// checkup.Checker.
	Branches(ctx context.Context, scope arn.Scope, in *slipway.ListBranchesInput) (byDefault string, all []slipway.Branch, err error)
}

// Sources is the operations on source providers. Its methods may be called from
// several goroutines.
type Sources struct {
	branches brancher
}

// NewSources returns the operations on source providers.
func NewSources(branches brancher) *Sources { return &Sources{branches: branches} }

// ListBranches answers the branches of a repository with their commits, at most
// a thousand, the default one first and the others by name. They are read with
// the given credential or the one that would serve the repository's builds;
// what the provider refuses is answered in its words with what to do.
func (s *Sources) ListBranches(ctx context.Context, in *slipway.ListBranchesInput) (*slipway.ListBranchesOutput, error) {
	byDefault, all, err := s.branches.Branches(ctx, accesskey.CallerOf(ctx).Scope, in)
	if err != nil {
		return nil, err
	}
	if all == nil {
		all = []slipway.Branch{}
	}
	return &slipway.ListBranchesOutput{DefaultBranch: byDefault, Branches: all}, nil
}
