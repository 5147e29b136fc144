package source

import (
	"net/http"
	"time"

	"slipway/internal/api/slipway"
)

// A Refusal is a provider's no, or its silence, understood.
type Refusal struct {
	Cause      slipway.FailureCause
	HTTPStatus int           // 0 if there was no answer
	Message    string        // the provider's words and what they mean; no secret
	Missing    []string      // scopes or permissions, by the provider's names, if Cause is MISSING_SCOPE
	NextStep   string        // what to do about it, in a sentence; may be empty
	Link       string        // where to do it; may be empty
	Again      bool          // whether trying later may help
	After      time.Duration // how long to wait at least before that
	Header     http.Header   // of the answer, what helps to diagnose: request id, limits, scopes; never a secret
}

// Error returns the message and the next step.
func (r *Refusal) Error() string {
	if r.NextStep == "" {
		return r.Message
	}
	return r.Message + " " + r.NextStep
}
