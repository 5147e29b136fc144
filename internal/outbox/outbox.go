// Package outbox holds what we owe to others: calls that must reach a provider
// even if it, or we, are down for a while.
package outbox

import (
	"encoding/json"
	"time"
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
	Created     time.Time
	LastAttempt time.Time // zero before the first
}

// A Kind of Item.
type Kind string

// CommitStatus is a build.CommitStatus to report to its provider.
const CommitStatus Kind = "commit-status"

// A State of an Item.
type State string

// The states. Only an Owed item is tried again.
const (
	Owed      State = "OWED"
	Delivered State = "DELIVERED"
	Refused   State = "REFUSED"
)
