package build

import (
	"strings"

	"slipway/internal/api"
	"slipway/internal/build/event"
)

// maxFailure is how many characters of a failure's message are kept in its one line.
const maxFailure = 500

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// Failure returns the phase in which a build failed and, in one line of at most
// 500 characters, the first message that the phase's contexts have. The phase is
// the first that ended as FAILED, FAULT or TIMED_OUT: a build goes on after it
// only to clean up. Both are "" for a build that has not ended, succeeded or was
// stopped.
func (b Build) Failure() (phase api.BuildPhaseType, message string) {
	if !b.Finished() || !failure(b.Public.BuildStatus) {
		return "", ""
	}
	for _, p := range b.Public.Phases {
		if !failure(p.PhaseStatus) {
			continue
		}
		for _, c := range p.Contexts {
			if text(c.Message) != "" {
				return p.PhaseType, strings.Trim(event.Cut(oneLine.Replace(*c.Message), maxFailure), " ")
			}
		}
		return p.PhaseType, ""
	}
	return "", ""
}

func failure(s api.StatusType) bool {
	return s == api.StatusTypeFailed || s == api.StatusTypeFault || s == api.StatusTypeTimedOut
}
