package webhook

import (
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/outbox"
	"slipway/internal/webhook/event"
)

// A Verdict is what one event of a delivery came to for one project.
type Verdict struct {
	Scope arn.Scope // of the project
	Event int       // place in the delivery, from 0
	slipway.ProjectVerdict
}

// A Withheld is a build that waits for an approver's comment. A pull request
// has one at most: that of its latest head.
type Withheld struct {
	Scope       arn.Scope
	Project     string
	Repository  string // lower-case full name
	PullRequest int64
	Commit      string // the whole id, the only one that may be approved
	Created     time.Time
	Record      WithheldRecord
}

// A WithheldRecord is what is needed to start the build, as JSON.
type WithheldRecord struct {
	Delivery   int64            `json:"delivery"` // by which it was asked for
	Sender     string           `json:"sender,omitzero"`
	Repository event.Repository `json:"repository,omitzero"`
	Event      event.Event      `json:"event"`
}

// A Settlement is all that came of a delivery.
type Settlement struct {
	Record   DeliveryRecord
	Verdicts []Verdict
	Withheld []Withheld    // wait from now on, in the place of an earlier one of the same pull request
	Released []Withheld    // wait no longer, if they still wait for the same commit
	Owed     []outbox.Item // commit statuses

	// What the provider told of refs and open pull requests (pull/N), so that
	// who compares them does not find it new; Gone are those that are no more.
	Refs map[string]string
	Gone []string
}

// A Trial is a payload, real or made up, that is held against filters without
// anything being built.
type Trial struct {
	Project  string
	Event    string                // as the provider calls it; "" to tell it from the payload
	Payload  []byte                // nil if Delivery is set
	Delivery int64                 // a stored delivery, whose payload it is
	Filters  [][]api.WebhookFilter // nil for the project's own
}

// A Preview is filters that are held against what was delivered before.
type Preview struct {
	Project  string                // whose source it is about; "" for a project that is not made yet
	Server   api.ServerType        // without a Project
	Location string                // of the repository, without a Project
	Filters  [][]api.WebhookFilter // nil for the project's own
	Limit    int                   // deliveries that are looked at
}

// A Previewed is a delivery, and what it would come to.
type Previewed struct {
	Delivery    Delivery // without payload
	Verdict     slipway.ProjectVerdict
	BuiltBefore bool // it did start a build of the project
}

// A TrialResult is what came of a Trial.
type TrialResult struct {
	Event    string // as the provider calls it
	Note     string // why there is no verdict
	Verdicts []slipway.ProjectVerdict
	Warnings []string // about the filters
}
