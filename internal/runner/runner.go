// Package runner is the family of places where agents live: a process, a
// container or a pod. A runner gives a place; everything that is a build
// happens in the agent.
package runner

import (
	"context"
	"time"

	"slipway/internal/secret"
)

// A Launch is what a runner needs to start the agent of one build.
type Launch struct {
	BuildID string      // project:uuid
	Token   secret.Text // the agent's, for this attempt
}

// A Place is where one agent lives. It can be stored and compared.
type Place struct {
	BuildID string
	ID      string // the runner's own name for it, unique among its places
}

// A Runner gives each agent a place to live. Its methods may be called from
// several goroutines.
type Runner interface {
	// Start launches the agent for one build and returns once the place exists;
	// that the agent works is for the agent to report. ctx bounds the launch only.
	Start(ctx context.Context, l Launch) (Place, error)

	// Stop ends the agent, at the latest after grace, and removes all that Start
	// made. Stopping a place that is gone is not an error.
	Stop(ctx context.Context, p Place, grace time.Duration) error

	// List returns every place whose agent still lives, also those made before
	// the server last restarted.
	List(ctx context.Context) ([]Place, error)
}
