package agentapi

import "slipway/internal/api"

// A SecretsRequest asks for the values of variables that are references, once
// DOWNLOAD_SOURCE has begun and until it has ended.
type SecretsRequest struct {
	References []Reference `json:"references"`
}

// A Reference is what a variable of type PARAMETER_STORE or SECRETS_MANAGER
// has for a value.
type Reference struct {
	Type  api.EnvironmentVariableType `json:"type"`
	Value string                      `json:"value"`
	Name  string                      `json:"name,omitzero"` // of the variable, for messages
}

// Secrets answers a SecretsRequest: a value for each reference, in its order,
// or why one cannot be had.
type Secrets struct {
	Values  []Bearer          `json:"values,omitzero"`
	Failure *api.PhaseContext `json:"failure,omitzero"` // fails DOWNLOAD_SOURCE
}

// A ReportUpload is one test or coverage report, read and counted by the agent.
type ReportUpload struct {
	Number     int    `json:"number"`              // counts the reports of the build from 0: by it, one that is sent again is recognised
	Group      string `json:"group"`               // as the buildspec names it, variables expanded: a name, or a report group's ARN
	Discovered bool   `json:"discovered,omitzero"` // found without a reports block

	Type   api.ReportType       `json:"type"`
	Status api.ReportStatusType `json:"status"`

	TestSummary     *api.TestReportSummary         `json:"testSummary,omitzero"`
	Cases           []api.TestCase                 `json:"cases,omitzero"` // without the ARN of the report
	CoverageSummary *api.CodeCoverageReportSummary `json:"coverageSummary,omitzero"`
	Coverages       []api.CodeCoverage             `json:"coverages,omitzero"` // without ids
}

// A ReportStored answers a ReportUpload.
type ReportStored struct {
	ARN    string                  `json:"arn"`             // the report's
	Export *api.ReportExportConfig `json:"export,omitzero"` // where the group wants the raw files: Put with ReportObject takes them there
}
