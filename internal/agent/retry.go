package agent

import (
	"regexp"

	"slipway/internal/buildspec"
)

// retries returns how often the build may be retried at most because a phase
// ended like this: 0 unless its on-failure says so. A pattern is looked for in
// the message that the phase's context shows, so that it cannot tell a secret.
func (e *engine) retries(on buildspec.OnFailure, out outcome) int {
	if on.Action != buildspec.Retry || out.ok() {
		return 0
	}
	if on.Pattern != "" {
		pattern, err := regexp.Compile(on.Pattern) // Go's take linear time, whoever wrote them
		if err != nil {
			e.log.Service("on-failure: %q is no regular expression, so the build is not retried: %v", on.Pattern, err)
			return 0
		}
		if !pattern.MatchString(e.log.Mask(out.message)) {
			e.log.Service("on-failure: the build is not retried: %q is not in the error's message", on.Pattern)
			return 0
		}
	}
	if on.Retries > 0 {
		e.log.Service("on-failure: the build is to be retried, at most %d times in all", on.Retries)
	}
	return on.Retries
}
