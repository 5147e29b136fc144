package schedule

import (
	"context"
	"io"

	"slipway/internal/agentapi"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// objects is where what builds take and leave is kept. Every method decides
// from the build's record which bucket and key an object is at.
type objects interface {
	// Get opens an object, which the caller closes; NotFound if there is none.
	Get(ctx context.Context, b build.Build, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error)
	// List returns the paths of the objects below a folder.
	List(ctx context.Context, b build.Build, o agentapi.Object) ([]string, error)
	// Put stores all of body, or nothing if it fails.
	Put(ctx context.Context, b build.Build, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error)
}

// vault is where variables that are references get their values.
type vault interface {
	// Resolve returns a value for each reference of the build, or why one
	// cannot be had.
	Resolve(ctx context.Context, b build.Build, in []agentapi.Reference) (*agentapi.Secrets, error)
}

// reports is where the reports of builds are kept.
type reports interface {
	// Put keeps a report. It may be called again with the same one.
	Put(ctx context.Context, b build.Build, in agentapi.ReportUpload) (*agentapi.ReportStored, error)
}

// running returns the build of the agent with this token, which has begun.
func (s *Scheduler) running(ctx context.Context, id string, token secret.Text) (build.Build, error) {
	h, err := s.authorize(ctx, id, token)
	if err != nil {
		return build.Build{}, err
	}
	b, err := s.parts.Builds.Find(ctx, id)
	if err != nil {
		return b, err
	}
	if b.Finished() || !h.holds(&b) {
		return b, errGone
	}
	if !b.State.Begun {
		return b, fault.New(fault.Invalid, "A build that has not begun has no objects.")
	}
	return b, nil
}

// Get opens an object of the build.
func (s *Scheduler) Get(ctx context.Context, id string, token secret.Text, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	b, err := s.keeping(ctx, id, token)
	if err != nil {
		return nil, agentapi.ObjectInfo{}, err
	}
	return s.parts.Objects.Get(ctx, b, o)
}

// List returns the paths below an object of the build that is a folder.
func (s *Scheduler) List(ctx context.Context, id string, token secret.Text, o agentapi.Object) ([]string, error) {
	b, err := s.keeping(ctx, id, token)
	if err != nil {
		return nil, err
	}
	return s.parts.Objects.List(ctx, b, o)
}

// Put stores an object of the build.
func (s *Scheduler) Put(ctx context.Context, id string, token secret.Text, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	b, err := s.keeping(ctx, id, token)
	if err != nil {
		return agentapi.ObjectInfo{}, err
	}
	return s.parts.Objects.Put(ctx, b, o, body)
}

func (s *Scheduler) keeping(ctx context.Context, id string, token secret.Text) (build.Build, error) {
	b, err := s.running(ctx, id, token)
	if err == nil && s.parts.Objects == nil {
		err = fault.New(fault.Invalid, "This server keeps no objects.")
	}
	return b, err
}

// Secrets returns the values of references, until DOWNLOAD_SOURCE has ended.
func (s *Scheduler) Secrets(ctx context.Context, id string, token secret.Text, in agentapi.SecretsRequest) (*agentapi.Secrets, error) {
	b, err := s.running(ctx, id, token)
	if err != nil {
		return nil, err
	}
	if !fetching(b) {
		return nil, fault.New(fault.Invalid, "Secrets are given out only while sources are downloaded.")
	}
	if s.parts.Vault == nil {
		return nil, fault.New(fault.Invalid, "There is no vault here to take them from: give these variables values of their own, which beat what the buildspec says.")
	}
	return s.parts.Vault.Resolve(ctx, b, in.References)
}

// PutReport keeps a report of the build, and records it there.
func (s *Scheduler) PutReport(ctx context.Context, id string, token secret.Text, in agentapi.ReportUpload) (*agentapi.ReportStored, error) {
	b, err := s.running(ctx, id, token)
	if err != nil {
		return nil, err
	}
	h, err := s.authorize(ctx, id, token)
	if err != nil {
		return nil, err
	}
	if s.parts.Reports == nil {
		return nil, fault.New(fault.Invalid, "This server keeps no reports.")
	}
	stored, err := s.parts.Reports.Put(ctx, b, in)
	if err != nil {
		return nil, err
	}
	_, err = s.change(ctx, id, func(b *build.Build) error {
		if !h.holds(b) {
			return errGone
		}
		return b.AddReport(stored.ARN, stored.Export)
	})
	return stored, err
}
