package build

import (
	"encoding/json"
	"fmt"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/outbox"
)

// retries returns which automatic retry of a first build b is, and how many
// there may be: as many as project or StartBuild ask for, or as the on-failure
// of a phase that failed, if that is more.
func (b Build) retries() (number, limit int) {
	if c := b.Public.AutoRetryConfig; c != nil && c.AutoRetryNumber != nil {
		number = *c.AutoRetryNumber
	}
	if b.State.RetryLimit != nil {
		limit = *b.State.RetryLimit
	}
	return number, max(limit, b.State.Retries)
}

// Retriable reports whether a build is to be followed by an automatic retry: it
// ran, it ended, it neither succeeded nor was stopped, and it is not the last of
// those that there may be.
func (b Build) Retriable() bool {
	switch b.Public.BuildStatus {
	case api.StatusTypeFailed, api.StatusTypeFault, api.StatusTypeTimedOut:
	default:
		return false
	}
	number, limit := b.retries()
	return b.Finished() && b.State.Begun && number < limit
}

// A RetryDebt is the payload of an automatic retry in the outbox.
type RetryDebt struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Build   string `json:"build"` // the id of the one that failed
	Next    string `json:"next"`  // the id of the one to start
}

// Scope returns where the builds are.
func (d RetryDebt) Scope() arn.Scope { return arn.Scope{Account: d.Account, Region: d.Region} }

// OweRetry names the build that is to follow b, which is Retriable, and returns
// the item that owes it. It belongs into the change by which b ends.
func (b *Build) OweRetry(now time.Time) (outbox.Item, error) {
	next := NewID(text(b.Public.ProjectName))
	number, limit := b.retries()
	config := api.AutoRetryConfig{}
	if c := b.Public.AutoRetryConfig; c != nil {
		config = *c // what b was before keeps its own
	}
	config.AutoRetryNumber, config.AutoRetryLimit = &number, &limit
	config.NextAutoRetry = new(b.Scope.Build(next))
	b.Public.AutoRetryConfig = &config
	id := text(b.Public.ID)
	payload, err := json.Marshal(RetryDebt{Account: b.Scope.Account, Region: b.Scope.Region, Build: id, Next: next})
	if err != nil {
		return outbox.Item{}, fmt.Errorf("encode retry: %w", err)
	}
	return outbox.Item{
		Kind: outbox.AutoRetry, Subject: "retry:" + id, // of its own: a provider that is down must not keep it waiting
		Payload: payload, State: outbox.Owed, NotBefore: now, Created: now,
	}, nil
}

// AutoRetry returns the queued build that follows old by itself. It differs
// from RetryBuild's in that it goes on with the count, is still the build of
// whoever started the first one, and tells its provider as that does.
func AutoRetry(old Build, id string, now time.Time) Build {
	b := Retry(old, accesskey.Caller{Scope: old.Scope, User: text(old.Public.Initiator)}, id, now)
	number, limit := old.retries()
	b.Public.AutoRetryConfig = &api.AutoRetryConfig{
		AutoRetryLimit: &limit, AutoRetryNumber: new(number + 1), PreviousAutoRetry: old.Public.ARN,
	}
	if t := old.State.Webhook; t != nil {
		b.State.Webhook.Retried = t.Retried
	}
	return b
}
