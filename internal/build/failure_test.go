package build

import (
	"strings"
	"testing"

	"slipway/internal/api"
)

func TestFailure(t *testing.T) {
	said := func(messages ...string) (all []api.PhaseContext) {
		for _, m := range messages {
			all = append(all, api.PhaseContext{StatusCode: new("CODE"), Message: &m})
		}
		return all
	}
	failed := []api.BuildPhase{
		{PhaseType: preBuild, PhaseStatus: api.StatusTypeSucceeded, Contexts: said("fine")},
		{PhaseType: building, PhaseStatus: api.StatusTypeFailed, Contexts: said("", "make:\r\n no rule\n")},
		{PhaseType: postBuild, PhaseStatus: api.StatusTypeFailed, Contexts: said("later")},
		{PhaseType: completed},
	}
	tests := []struct {
		name           string
		status         api.StatusType
		finished       bool
		phases         []api.BuildPhase
		phase, message string
	}{
		{"the first phase that failed, in one line", api.StatusTypeFailed, true, failed, "BUILD", "make:   no rule"},
		{"nothing before the end", api.StatusTypeInProgress, false, failed, "", ""},
		{"nothing of a build that succeeded nevertheless", api.StatusTypeSucceeded, true, failed, "", ""},
		{"nothing of a stopped one", api.StatusTypeStopped, true, failed, "", ""},
		{"a phase that says nothing", api.StatusTypeFault, true, []api.BuildPhase{{PhaseType: queued, PhaseStatus: api.StatusTypeFault}}, "QUEUED", ""},
		{"a long message", api.StatusTypeTimedOut, true, []api.BuildPhase{{PhaseType: building, PhaseStatus: api.StatusTypeTimedOut, Contexts: said(strings.Repeat("é", 600))}}, "BUILD", strings.Repeat("é", 500)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := Build{Public: api.Build{BuildStatus: tt.status, BuildComplete: &tt.finished, Phases: tt.phases}}
			if phase, message := b.Failure(); string(phase) != tt.phase || message != tt.message {
				t.Errorf("Failure() = %q, %q, want %q, %q", phase, message, tt.phase, tt.message)
			}
		})
	}
}
