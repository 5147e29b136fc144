package extension

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
)

// statisticsDays is how many days statistics are about if nobody says.
const statisticsDays = 14

// GetBuildStatistics answers how builds are doing, of all projects or of one.
//
// queued and running are of now; oldestQueued is when the build that has been
// queued longest was started. All else is of the builds that started in the
// last days (14 unless said), today included, in UTC, and have ended: every day
// of them, oldest first, and every project that has builds, by name, also one
// that was deleted or has none in these days. failed counts FAILED, FAULT and
// TIMED_OUT, other what was stopped. The seconds are of builds that succeeded,
// from start to end, with the time in the queue: their median (between the two
// middle ones of an even number) and what nine of ten do not pass. latest is
// the project's build that started last, whenever that was.
//
// Its time grows with the number of builds in these days, and with the number
// of projects.
func (s *Builds) GetBuildStatistics(ctx context.Context, in *slipway.GetBuildStatisticsInput) (*slipway.GetBuildStatisticsOutput, error) {
	scope := accesskey.CallerOf(ctx).Scope
	project, err := projectOf(scope, in.ProjectName)
	if err != nil {
		return nil, err
	}
	days := statisticsDays
	if in.Days != nil {
		days = *in.Days
	}
	out := &slipway.GetBuildStatisticsOutput{Days: []slipway.DayStatistics{}, Projects: []slipway.ProjectStatistics{}}
	var oldest time.Time
	if out.Queued, out.Running, oldest, err = s.builds.Waiting(ctx, scope, project); err != nil {
		return nil, err
	}
	if !oldest.IsZero() {
		out.OldestQueued = api.At(oldest)
	}
	projects := map[string]*tally{}
	today := s.now().UTC().Truncate(24 * time.Hour)
	for day := today.AddDate(0, 0, 1-days); !day.After(today); day = day.AddDate(0, 0, 1) {
		builds, err := s.builds.Ended(ctx, scope, project, day, day.AddDate(0, 0, 1))
		if err != nil {
			return nil, err
		}
		var whole tally
		for _, b := range builds {
			whole.add(b)
			of := projects[b.Project]
			if of == nil {
				of = &tally{}
				projects[b.Project] = of
			}
			of.add(b)
		}
		median, p90 := whole.seconds()
		out.Days = append(out.Days, slipway.DayStatistics{
			Day: day.Format(time.DateOnly), Succeeded: whole.succeeded(), Failed: whole.failed, Other: whole.other, MedianSeconds: median, P90Seconds: p90,
		})
	}
	latest, err := s.builds.Latest(ctx, scope, project)
	if err != nil {
		return nil, err
	}
	of := map[string]*slipway.BuildSummary{}
	for i := range latest {
		of[latest[i].ProjectName] = &latest[i]
		if projects[latest[i].ProjectName] == nil {
			projects[latest[i].ProjectName] = &tally{}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(projects)) {
		t := projects[name]
		median, p90 := t.seconds()
		out.Projects = append(out.Projects, slipway.ProjectStatistics{
			ProjectName: name, Succeeded: t.succeeded(), Failed: t.failed, Other: t.other, MedianSeconds: median, P90Seconds: p90, Latest: of[name],
		})
	}
	return out, nil
}

// A tally counts finished builds.
type tally struct {
	failed, other int
	took          []time.Duration // of those that succeeded
}

func (t *tally) add(b build.Ended) {
	switch b.Status {
	case api.StatusTypeSucceeded:
		t.took = append(t.took, b.Took)
	case api.StatusTypeFailed, api.StatusTypeFault, api.StatusTypeTimedOut:
		t.failed++
	default:
		t.other++
	}
}

func (t *tally) succeeded() int { return len(t.took) }

// seconds returns the median and the 90th percentile, in seconds to the
// millisecond; 0 if no build succeeded.
func (t *tally) seconds() (median, p90 float64) {
	n := len(t.took)
	if n == 0 {
		return 0, 0
	}
	slices.Sort(t.took)
	seconds := func(d time.Duration) float64 { return math.Round(float64(d)/float64(time.Millisecond)) / 1000 }
	return seconds((t.took[(n-1)/2] + t.took[n/2]) / 2), seconds(t.took[(9*n+9)/10-1])
}
