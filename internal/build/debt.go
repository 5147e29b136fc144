package build

import (
	"encoding/json"
	"fmt"
	"time"

	"slipway/internal/arn"
	"slipway/internal/outbox"
)

// A Debt is the payload of a commit status in the outbox: with its scope, so
// that it is paid also when the build was deleted meanwhile.
type Debt struct {
	CommitStatus
	Account string `json:"account"`
	Region  string `json:"region"`
	Project string `json:"project,omitzero"` // its name
}

// Owe returns the item that owes s of a project. subject is the build's id, or
// what else keeps the order of statuses that replace each other.
func (s CommitStatus) Owe(subject, project string, scope arn.Scope, now time.Time) (outbox.Item, error) {
	payload, err := json.Marshal(Debt{CommitStatus: s, Account: scope.Account, Region: scope.Region, Project: project})
	if err != nil {
		return outbox.Item{}, fmt.Errorf("encode commit status: %w", err)
	}
	return outbox.Item{Kind: outbox.CommitStatus, Subject: subject, Payload: payload, State: outbox.Owed, NotBefore: now, Created: now}, nil
}
