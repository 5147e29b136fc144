// Package desk is where agents ask for the values of variables that are
// references to parameters and secrets.
package desk

import (
	"context"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/vault"
)

// What one build may ask for: each reference may be a call to AWS, and all values
// travel in one answer.
const (
	maxReferences = 1000
	maxValues     = 2 << 20 // bytes
)

// A Desk asks its sources in turn. Its methods may be called from several
// goroutines.
type Desk struct{ sources []vault.Source }

// New returns a Desk that asks sources in this order.
func New(sources ...vault.Source) *Desk { return &Desk{sources} }

// Resolve returns a value for each reference of the build, or why one cannot be
// had.
func (d *Desk) Resolve(ctx context.Context, b build.Build, in []agentapi.Reference) (*agentapi.Secrets, error) {
	if len(in) > maxReferences {
		return nil, fault.New(fault.Invalid, "A build can have at most %d variables from parameters and secrets.", maxReferences)
	}
	refs := make([]vault.Reference, len(in))
	for i, r := range in {
		refs[i] = vault.Reference{Type: r.Type, Value: r.Value}
	}
	by := vault.Use{}
	if b.Public.ID != nil && b.Public.ProjectName != nil {
		by.BuildID, by.Project = *b.Public.ID, *b.Public.ProjectName
	}
	values, failure, err := vault.Resolve(ctx, b.Scope, d.sources, refs, by)
	if err != nil {
		return nil, err
	}
	if failure != nil {
		return &agentapi.Secrets{Failure: &api.PhaseContext{StatusCode: &failure.Code, Message: &failure.Message}}, nil
	}
	out := &agentapi.Secrets{}
	size := 0
	for _, v := range values {
		out.Values = append(out.Values, agentapi.Bearer{Text: v})
		size += len(v.Reveal())
	}
	if size > maxValues {
		return nil, fault.New(fault.Invalid, "The values that a build takes from parameters and secrets can have at most %d bytes in all.", maxValues)
	}
	return out, nil
}
