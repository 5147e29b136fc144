package checkup

import (
	"context"
	"log/slog"
	"time"

	"slipway/internal/credential"
)

const day = 24 * time.Hour

// thresholds are the days before an expiry at which people are warned, once
// each; 0 is the expiry itself.
var thresholds = []int{0, 1, 7, 14, 30}

// DaysLeft returns how many whole days there are from now to an expiry: 0 on
// the last one, negative when it is over.
func DaysLeft(ends, now time.Time) int {
	left := ends.Sub(now)
	if left <= 0 {
		return -1 + int(left/day)
	}
	return int(left / day)
}

// due returns the threshold that is to be warned of now; warn is false if it
// was, or there is none. warned is what was warned of last.
func due(ends, now time.Time, warned int) (threshold int, warn bool) {
	for _, t := range thresholds {
		if ends.Sub(now) <= time.Duration(t)*day {
			return t, warned == credential.NeverWarned || t < warned
		}
	}
	return credential.NeverWarned, false
}

// warn says in the log that a credential expires soon. A credential that was
// given more time at its provider is warned of again when that runs out.
func (c *Checker) warn(ctx context.Context, e credential.Examined) {
	ends := e.Ends()
	if e.Health == nil { // nothing to keep the warning with; it is checked in a moment
		return
	}
	now := c.options.Now()
	threshold, warn := due(ends, now, e.Health.Warned)
	if ends.IsZero() || ends.Sub(now) > 30*day {
		if e.Health.Warned == credential.NeverWarned {
			return
		}
		threshold, warn = credential.NeverWarned, false
	} else if !warn {
		return
	}
	if err := c.parts.Health.Warned(ctx, e.ARN, e.Version, threshold); err != nil {
		c.parts.Log.Error("a warning of an expiry cannot be kept", "arn", e.ARN, "error", err)
		return
	}
	if !warn {
		return
	}
	level, message := slog.LevelWarn, "source credential expires soon"
	if threshold == 0 {
		level, message = slog.LevelError, "source credential has expired"
	}
	c.parts.Log.Log(ctx, level, message, "arn", e.ARN, "name", e.Name, "serverType", e.ServerType, "owner", e.Health.Found.Owner,
		"expires", ends.UTC().Format(time.RFC3339), "daysLeft", max(0, DaysLeft(ends, now)),
		"nextStep", "Make a new token and import it with "+importCommand(e.About)+".")
}
