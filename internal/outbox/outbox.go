// Package outbox holds what we owe to others: calls that must reach a provider
// even if it, or we, are down for a while.
package outbox

import (
	"encoding/json"
	"time"

	"slipway/internal/api/slipway"
)

// An Item is one thing owed. Items with the same Subject are settled one after
// the other, in the order in which they were made.
type Item struct {
	ID          int64 // given by the store
	Kind        Kind
	Subject     string          // what keeps its order, such as a build's id
	Payload     json.RawMessage // what Kind says; never a secret
	State       State
	Attempts    int
	NotBefore   time.Time // when to try next
	Message     string    // what was said at the last attempt
	Outcome     Outcome   // what else is known of it
	Created     time.Time
	LastAttempt time.Time // zero before the first
}

// An Outcome is how an attempt went, beyond its message: with which credential,
// and what a refusal means. It holds no secret.
type Outcome struct {
	Credential string               `json:"credential,omitzero"` // ARN of the credential that was sent
	Version    int64                `json:"version,omitzero"`    // of that credential; 0 if it has none
	HTTPStatus int                  `json:"httpStatus,omitzero"` // of the refusal; 0 if there was no answer, or none but yes
	Cause      slipway.FailureCause `json:"cause,omitzero"`
	NextStep   string               `json:"nextStep,omitzero"` // what to do about a refusal, in a sentence
	Link       string               `json:"link,omitzero"`     // where to do it
}

// A Kind of Item.
type Kind string

// The kinds.
const (
	CommitStatus Kind = "commit-status" // a build.CommitStatus to report to its provider
	HookRemoval  Kind = "hook-removal"  // a webhook of ours to remove at its provider
	AutoRetry    Kind = "auto-retry"    // a build.RetryDebt: a build that follows one that failed
	LogCopy      Kind = "log-copy"      // a build.LogDebt: the log of an ended build, for S3
)

// A State of an Item.
type State string

// The states. Only an Owed item is tried again.
const (
	Owed      State = "OWED"
	Delivered State = "DELIVERED"
	Refused   State = "REFUSED"
)
