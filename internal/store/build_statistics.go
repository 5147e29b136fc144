package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
)

// Waiting counts the unfinished builds of a scope, or of a project in it, and
// tells when the one that has been queued longest was started; zero if none is.
// It looks at the index entries of all unfinished builds.
func (s *Builds) Waiting(ctx context.Context, scope arn.Scope, project string) (queued, running int, oldest time.Time, err error) {
	query := `SELECT count(*), coalesce(sum(CASE WHEN queued THEN 1 ELSE 0 END), 0), coalesce(min(CASE WHEN queued THEN started END), 0)
		FROM build` + fmt.Sprintf(using, "build_unfinished") + ` WHERE account = $1 AND region = $2 AND NOT complete`
	args := []any{scope.Account, scope.Region}
	if project != "" {
		query += ` AND project = $3`
		args = append(args, project)
	}
	type row struct {
		all, queued int
		first       int64
	}
	r, err := one(ctx, s.db.read, func(r scan) (v row, err error) { return v, r(&v.all, &v.queued, &v.first) }, query, args...)
	return r.queued, r.all - r.queued, moment(r.first), doing(err, "count builds")
}

// Ended returns, in no order, what statistics need of every finished build of a
// scope, or of a project in it, that started from from on and before until. It
// reads an index only: its time and memory are those of the builds it returns,
// and with a project those of all projects.
func (s *Builds) Ended(ctx context.Context, scope arn.Scope, project string, from, until time.Time) ([]build.Ended, error) {
	// As one text, for the reason that keys has; three letters tell statuses
	// apart, and no project has a space in its name.
	query := `SELECT string_agg(substr(status, 1, 3) || (ended - started) || '/' || project, ' ') FROM build` + fmt.Sprintf(using, "build_ended") + `
		WHERE account = $1 AND region = $2 AND started >= $3 AND started < $4 AND complete`
	args := []any{scope.Account, scope.Region, stamp(from), stamp(until)}
	if project != "" {
		query += ` AND project = $5`
		args = append(args, project)
	}
	builds, err := one(ctx, s.db.read, scanInto[sql.NullString], query, args...)
	if err != nil {
		return nil, doing(err, "read finished builds")
	}
	if !builds.Valid {
		return nil, nil
	}
	all := make([]build.Ended, 0, 1+strings.Count(builds.String, " "))
	for item := range strings.SplitSeq(builds.String, " ") {
		e, err := parseEnded(item)
		if err != nil {
			return nil, doing(err, "read finished builds")
		}
		all = append(all, e)
	}
	return all, nil
}

func parseEnded(item string) (build.Ended, error) {
	took, project, ok := strings.Cut(item, "/")
	if !ok || len(took) < 4 {
		return build.Ended{}, errBroken
	}
	micros, err := strconv.ParseInt(took[3:], 10, 64)
	if err != nil {
		return build.Ended{}, errBroken
	}
	e := build.Ended{Project: project, Took: time.Duration(max(0, micros)) * time.Microsecond}
	for _, status := range statusesOfEnd {
		if string(status[:3]) == took[:3] {
			e.Status = status
		}
	}
	return e, nil
}

// Latest returns the build of each project of a scope, or of one, that started
// last, by project. Projects that were deleted are among them while they have
// builds. It looks at a few rows for each project.
func (s *Builds) Latest(ctx context.Context, scope arn.Scope, project string) ([]slipway.BuildSummary, error) {
	q := search{scope: scope}
	var all []placed
	var err error
	if project != "" {
		all, _, err = s.searchOne(ctx, newSearch(scope, build.Search{Project: project}, ""), 1, 0)
	} else {
		all, err = many(ctx, s.db.read, q.scan, latest, scope.Account, scope.Region)
	}
	var out []slipway.BuildSummary
	for _, f := range all {
		out = append(out, f.BuildSummary)
	}
	return out, doing(err, "read latest builds")
}

// latest goes from each project in the index to the next one.
const latest = `WITH RECURSIVE names (name) AS (
		SELECT min(project) FROM build WHERE account = $1 AND region = $2
		UNION ALL
		SELECT (SELECT min(project) FROM build WHERE account = $1 AND region = $2 AND project > name) FROM names WHERE name IS NOT NULL
	)
	SELECT ` + summaryColumns + ` FROM names CROSS JOIN build WHERE name IS NOT NULL AND seq = (SELECT b.seq FROM build AS b
		WHERE b.account = $1 AND b.region = $2 AND b.project = name ORDER BY b.started DESC, b.seq DESC LIMIT 1)
	ORDER BY name`
