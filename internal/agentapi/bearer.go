package agentapi

import (
	"encoding/json"

	"slipway/internal/secret"
)

// Bearer is a token that does encode, unlike secret.Text, because it has to
// cross a pipe or a connection to its agent; it still does not print.
type Bearer struct{ secret.Text }

// MarshalJSON writes the token itself.
func (b Bearer) MarshalJSON() ([]byte, error) { return json.Marshal(b.Reveal()) }
