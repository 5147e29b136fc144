package build

import (
	"slices"
	"time"

	"slipway/internal/api"
)

// The phases, short.
const (
	submitted       = api.BuildPhaseTypeSubmitted
	queued          = api.BuildPhaseTypeQueued
	provisioning    = api.BuildPhaseTypeProvisioning
	downloadSource  = api.BuildPhaseTypeDownloadSource
	install         = api.BuildPhaseTypeInstall
	preBuild        = api.BuildPhaseTypePreBuild
	building        = api.BuildPhaseTypeBuild
	postBuild       = api.BuildPhaseTypePostBuild
	uploadArtifacts = api.BuildPhaseTypeUploadArtifacts
	finalizing      = api.BuildPhaseTypeFinalizing
	completed       = api.BuildPhaseTypeCompleted
)

// after is the whole machine. Read it beside "Build phase transitions" in the
// CodeBuild guide. A phase's on-failure in the buildspec takes another row:
// CONTINUE goes on as if the phase had gone well, ABORT goes to FINALIZING.
var after = map[api.BuildPhaseType]struct{ ok, failed api.BuildPhaseType }{
	submitted:       {queued, completed},
	queued:          {provisioning, completed},
	provisioning:    {downloadSource, completed},
	downloadSource:  {install, finalizing},
	install:         {preBuild, finalizing},
	preBuild:        {building, finalizing},
	building:        {postBuild, postBuild}, // post_build runs after a failed build too
	postBuild:       {uploadArtifacts, uploadArtifacts},
	uploadArtifacts: {finalizing, finalizing},
	finalizing:      {completed, completed},
}

// agents reports whether a phase is the agent's to enter and leave.
func agents(p api.BuildPhaseType) bool {
	switch p {
	case submitted, queued, provisioning:
		return false
	}
	_, known := after[p]
	return known
}

// follows reports whether a build may enter next when it has left a phase.
func follows(left api.BuildPhase, next api.BuildPhaseType) bool {
	row := after[left.PhaseType]
	switch left.PhaseStatus {
	case api.StatusTypeSucceeded:
		return next == row.ok
	case api.StatusTypeStopped:
		return false // COMPLETED follows directly
	}
	return next == row.failed || next == row.ok || (next == finalizing && left.PhaseType != finalizing)
}

// running returns the phase that has not ended, or ok false between phases and
// at the end.
func (b Build) running() (p api.BuildPhase, ok bool) {
	last := b.last()
	return last, last.PhaseType != completed && last.EndTime.IsZero()
}

// last returns the phase entered last; every build has one.
func (b Build) last() api.BuildPhase { return b.Public.Phases[len(b.Public.Phases)-1] }

// moment returns t, moved to where it keeps the phases in order: not before
// what was recorded last, and otherwise not after now.
func (b Build) moment(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) {
		t = now
	}
	last := b.last()
	for _, floor := range []time.Time{last.StartTime.Time, last.EndTime.Time} {
		if t.Before(floor) {
			t = floor
		}
	}
	return t
}

// enter begins a phase at t.
func (b *Build) enter(p api.BuildPhaseType, t time.Time) {
	b.Public.Phases = append(slices.Clone(b.Public.Phases), api.BuildPhase{PhaseType: p, StartTime: api.At(t)})
	b.Public.CurrentPhase = new(string(p))
}

// leave ends the phase entered last at t. A phase of the place or the agent
// has a context also when there is nothing to say, with empty texts; one that
// was stopped, like SUBMITTED and QUEUED, has none.
func (b *Build) leave(status api.StatusType, contexts []api.PhaseContext, t time.Time) {
	phases := slices.Clone(b.Public.Phases) // a copy of b made earlier keeps its own
	last := &phases[len(phases)-1]
	last.PhaseStatus = status
	last.EndTime = api.At(t)
	last.DurationInSeconds = new(int64(last.EndTime.Sub(last.StartTime.Time) / time.Second))
	last.Contexts = contexts
	if len(contexts) == 0 && status != api.StatusTypeStopped && last.PhaseType != submitted && last.PhaseType != queued {
		last.Contexts = []api.PhaseContext{{StatusCode: new(""), Message: new("")}}
	}
	b.Public.Phases = phases
}

// complete ends the build at t. No phase may be running.
func (b *Build) complete(status api.StatusType, t time.Time) {
	b.enter(completed, t)
	b.Public.EndTime = api.At(t)
	b.Public.BuildStatus = status
	b.Public.BuildComplete = new(true)
	b.State.Lease = time.Time{}
}
