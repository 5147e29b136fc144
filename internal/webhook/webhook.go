// Package webhook holds the rules of webhooks: which settings are valid, which
// events a project hears, and why a delivery starts a build or does not. It is
// pure: no clock, no storage, no network.
package webhook

import (
	"strconv"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/secret"
	"slipway/internal/webhook/event"
)

// A Hook is one payload URL at which a provider calls us. One serves every
// project of a repository, since providers limit how many they keep; a hook
// that a user makes by hand belongs to one project.
type Hook struct {
	Key        string // in the payload URL; nobody can guess it
	Scope      arn.Scope
	ServerType api.ServerType
	Place      string    // what it is set on: lower-case host/owner/name, or host/SCOPE/name
	Project    string    // whose it is; empty if it is shared
	OldUntil   time.Time // until when the secret before the present one is accepted
	Record     HookRecord
	Created    time.Time
	Modified   time.Time
}

// A HookRecord is what a hook is, as JSON. It holds no secret.
type HookRecord struct {
	Location       string               `json:"location,omitzero"`  // of the repository, as a project's source says it
	Scope          api.WebhookScopeType `json:"scope,omitzero"`     // empty for a repository's
	ScopeName      string               `json:"scopeName,omitzero"` // of the organization, enterprise or group
	Domain         string               `json:"domain,omitzero"`    // host of a self-hosted provider, if Scope is set
	ProviderID     string               `json:"providerId,omitzero"`
	ProviderURL    string               `json:"providerUrl,omitzero"`
	Events         []event.Type         `json:"events,omitzero"` // what it is set to deliver
	Comments       bool                 `json:"comments,omitzero"`
	Signed         bool                 `json:"signed,omitzero"` // the provider took our secret
	CredentialARN  string               `json:"credentialArn,omitzero"`
	SecretModified time.Time            `json:"secretModified,omitzero"`
	PayloadURL     string               `json:"payloadUrl,omitzero"`  // that the provider was told
	Unsure         bool                 `json:"unsure,omitzero"`      // the provider may hold something else: it is to be told again
	Polled         bool                 `json:"polled,omitzero"`      // there is no hook at the provider: refs are compared
	LastPoll       time.Time            `json:"lastPoll,omitzero"`    // when refs were last read
	PollMessage    string               `json:"pollMessage,omitzero"` // why the last poll failed; empty if it did not

	// What was seen when the provider was last asked for the hook.
	State        slipway.ProviderHookState `json:"state,omitzero"`
	Message      string                    `json:"message,omitzero"`      // what is wrong and what to do; empty if nothing is
	LastResponse string                    `json:"lastResponse,omitzero"` // to the provider's last delivery, if it tells
	Checked      time.Time                 `json:"checked,omitzero"`
}

// A SealedHook is a Hook as it is stored, its secrets sealed to its key.
type SealedHook struct {
	Hook
	Box    []byte
	OldBox []byte // the secret before; nil if there is none
}

// An OpenHook is a Hook with its secrets in the clear.
type OpenHook struct {
	Hook
	Secret    secret.Text
	OldSecret secret.Text // zero if there is none
}

// A Delivery is one call of a provider as it is kept.
type Delivery struct {
	Sequence   int64 // the store's order of arrival; names it, too
	Scope      arn.Scope
	ServerType api.ServerType
	Hook       string // key of the hook
	ID         string // the provider's; the same when it delivers again
	Received   time.Time
	Pending    bool // not yet evaluated
	Record     DeliveryRecord
	Header     map[string][]string // what identifies it; no login, secret or signature
	Body       []byte              // nil if it was not kept
}

// DeliveryName returns what people call a delivery: d-SEQUENCE.
func DeliveryName(sequence int64) string { return "d-" + strconv.FormatInt(sequence, 10) }

// ParseDelivery reads a delivery's name; ok is false if it is none.
func ParseDelivery(name string) (sequence int64, ok bool) {
	number, ok := strings.CutPrefix(name, "d-")
	if !ok || len(number) > 18 || !digits(number) {
		return 0, false
	}
	sequence, err := strconv.ParseInt(number, 10, 64)
	return sequence, err == nil && sequence > 0
}

// A DeliveryRecord is what came of a delivery, as JSON.
type DeliveryRecord struct {
	Event      string                   `json:"event,omitzero"` // as the provider calls it
	Repository string                   `json:"repository,omitzero"`
	Sender     string                   `json:"sender,omitzero"` // user agent
	Signature  slipway.SignatureVerdict `json:"signature"`
	State      slipway.DeliveryState    `json:"state"`
	Note       string                   `json:"note,omitzero"`    // why nothing was evaluated, or what went wrong
	Repeats    int                      `json:"repeats,omitzero"` // how often the provider delivered it again
	Redelivery int64                    `json:"redelivery,omitzero"`
	BuildIDs   []string                 `json:"buildIds,omitzero"`
}
