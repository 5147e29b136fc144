package credential

import (
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
)

// A Use is one time that a credential was given out, and for what.
type Use struct {
	ARN        string
	At         time.Time
	Purpose    slipway.CredentialPurpose
	Host       string // that it went to
	Repository string // owner/name
	Project    string
	BuildID    string
}

// Missing says what to do where a credential is needed and there is none.
func Missing(scope arn.Scope, server string) string {
	return "No source credential serves this repository: none for " + server + " is imported in account " + scope.Account + ", region " + scope.Region + ". " +
		"Import one with 'aws codebuild import-source-credentials --region " + scope.Region + " --server-type " + server +
		" --auth-type PERSONAL_ACCESS_TOKEN --token TOKEN'."
}
