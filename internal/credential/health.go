package credential

import (
	"time"

	"slipway/internal/api/slipway"
)

// NeverWarned is the Warned of a credential whose expiry nobody was warned of.
const NeverWarned = -1

// Health is what a check of a credential found.
type Health struct {
	ARN     string
	Version int64     // of the credential that was checked
	Checked time.Time // when the check began
	Warned  int       // days before its expiry at which a warning was last given; NeverWarned for none
	Found   slipway.CredentialHealth
}

// An Examined is a credential and what its last check found.
type Examined struct {
	About
	Health *Health // nil if this version of it was never checked
}

// Ends returns when a credential expires: as its provider says, or else as its
// owner said when it was imported. Zero means that nobody said.
func (e Examined) Ends() time.Time {
	if e.Health != nil && !e.Health.Found.Expires.IsZero() {
		return e.Health.Found.Expires.Time
	}
	return e.Expires
}
