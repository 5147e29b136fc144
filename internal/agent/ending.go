package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
)

// An ending is why a build ends before its phases do. It is the cause of the
// build's context.
type ending struct{ outcome }

func (e *ending) Error() string { return "the build ends " + string(e.status) }

// The endings.
var (
	endStopped  = &ending{outcome{status: api.StatusTypeStopped}}
	endTimedOut = &ending{outcome{
		status: api.StatusTypeTimedOut, code: "BUILD_TIMED_OUT", message: "Build has timed out. ", // the blank is CodeBuild's
	}}
)

// endingOf returns the ending for the status a server asks for.
func endingOf(status api.StatusType) *ending {
	switch status {
	case api.StatusTypeStopped:
		return endStopped
	case api.StatusTypeTimedOut:
		return endTimedOut
	}
	return &ending{outcome{status: status}}
}

// endingIn returns why the build of ctx has been ended, or nil while it has not.
func endingIn(ctx context.Context) *ending {
	cause := context.Cause(ctx)
	if cause == nil {
		return nil
	}
	if why, ok := errors.AsType[*ending](cause); ok {
		return why
	}
	return &ending{outcome{status: api.StatusTypeFault}} // nobody will read it: the server has given the build up
}

// errLost means that the server could not be reached for so long that it must
// have given the build up.
var errLost = errors.New("the server is gone")

const (
	patience = time.Minute      // how long a build goes on without its server
	callTime = 20 * time.Second // how long one request may take
	maxPause = time.Second      // between attempts
)

// insist calls f, a request to the server, until it succeeds. It gives up when
// ctx ends, when the server refuses for good, or with errLost when f has failed
// for as long as patience. One call takes at most callTime.
func insist(ctx context.Context, f func(context.Context) error) error {
	return persist(ctx, func(ctx context.Context) error {
		call, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return f(call)
	})
}

// persist is insist for requests that take as long as they take.
func persist(ctx context.Context, f func(context.Context) error) error {
	return persistFor(ctx, patience, f)
}

// persistFor is persist that gives up earlier or later.
func persistFor(ctx context.Context, patience time.Duration, f func(context.Context) error) error {
	begin := time.Now()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, maxPause) {
		err := f(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, agentapi.ErrGone), fault.KindOf(err) == fault.Invalid, fault.KindOf(err) == fault.NotFound:
			return err
		case time.Since(begin) > patience:
			return fmt.Errorf("%w: %w", errLost, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
