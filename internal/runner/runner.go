// Package runner is the family of places where agents live: a process, a
// container or a pod. A runner gives a place; everything that is a build
// happens in the agent.
package runner

import (
	"context"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/secret"
)

// A Launch is what a runner needs to start the agent of one build. What the
// project asks of its environment is for runners that can give it.
type Launch struct {
	BuildID string      // project:uuid
	Token   secret.Text // the agent's, for this attempt

	Scope              arn.Scope // whose build it is
	ProjectName        string
	Image              string // as the project names it
	ComputeType        api.ComputeType
	Compute            *api.ComputeConfiguration // for ComputeType ATTRIBUTE_BASED_COMPUTE
	Privileged         bool
	RegistryCredential string // name or ARN of the secret with the registry's login; empty means none
	Fetches            bool   // it has sources that are fetched
	LayerCache         bool   // the layers that Docker makes in the build are to be there for the project's next one

	// Say adds a line to the build's log, in order, until Start returns: what
	// Start is waiting for. Nil means that nobody listens.
	Say func(line string)
	// Notes are lines with which the agent begins the log.
	Notes []string
}

// A Place is where one agent lives. It can be stored and compared.
type Place struct {
	BuildID string
	ID      string // the runner's own name for it, unique among its places
}

// A Failure is why a build cannot have the place it asks for, if that is the
// user's to mend: the build ends as FAILED in PROVISIONING, and starting it
// once more would be of no use.
type Failure struct {
	Code    string // of the phase's context, such as CLIENT_ERROR
	Message string // for the user: it holds no secret
	Err     error  // for our log; may be nil
}

// Error returns the message, and the cause if there is one.
func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Code + ": " + f.Message
	}
	return f.Code + ": " + f.Message + ": " + f.Err.Error()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// A Runner gives each agent a place to live. Its methods may be called from
// several goroutines.
type Runner interface {
	// Start launches the agent for one build and returns once the place exists;
	// that the agent works is for the agent to report. ctx bounds the launch only,
	// which may take as long as an image takes to come. A *Failure is final.
	Start(ctx context.Context, l Launch) (Place, error)

	// Stop ends the agent, at the latest after grace, and removes all that Start
	// made. Stopping a place that is gone is not an error.
	Stop(ctx context.Context, p Place, grace time.Duration) error

	// List returns every place whose agent still lives, also those made before
	// the server last restarted.
	List(ctx context.Context) ([]Place, error)
}
