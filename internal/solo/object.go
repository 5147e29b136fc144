package solo

import (
	"context"
	"io"

	"slipway/internal/agentapi"
	"slipway/internal/build"
	"slipway/internal/fault"
)

// objects is what a build keeps outside of itself; either part may be nil.
type objects struct {
	artifacts *Artifacts
	caches    Caches
}

// Get opens a cache: artifacts only go.
func (o objects) Get(ctx context.Context, b build.Build, of agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error) {
	if of.Kind == agentapi.CacheObject && o.caches != nil {
		return o.caches.Get(ctx, b, of)
	}
	return nil, agentapi.ObjectInfo{}, unknown(of)
}

// List lists caches.
func (o objects) List(ctx context.Context, b build.Build, of agentapi.Object) ([]string, error) {
	if of.Kind == agentapi.CacheObject && o.caches != nil {
		return o.caches.List(ctx, b, of)
	}
	return nil, unknown(of)
}

// Put keeps a cache, or lays a file of an artifact.
func (o objects) Put(ctx context.Context, b build.Build, of agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	switch {
	case of.Kind == agentapi.CacheObject && o.caches != nil:
		return o.caches.Put(ctx, b, of, body)
	case of.Kind == agentapi.ArtifactObject && o.artifacts != nil:
		return o.artifacts.put(ctx, b, of, body)
	}
	return agentapi.ObjectInfo{}, unknown(of)
}

func unknown(o agentapi.Object) error {
	return fault.New(fault.Invalid, "A build without a server has no such %s.", o.Kind)
}
