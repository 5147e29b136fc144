package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
)

// maxLooked is how many builds one Search holds against a text.
const maxLooked = 10_000

// statusesOfEnd are all statuses of builds that have ended.
var statusesOfEnd = []api.StatusType{
	api.StatusTypeSucceeded, api.StatusTypeFailed, api.StatusTypeFault, api.StatusTypeTimedOut, api.StatusTypeStopped,
}

// Search returns a page of at most limit builds that what finds, in its order,
// and the place from where the next page goes on; the zero Place after the last
// one. It costs a few rows more than it returns, however many builds there are,
// with two exceptions: a scope's unfinished builds are all looked at when their
// status is asked for without a project, and with a Text at most 10,000 builds
// are looked at, so that a page may be short, or empty, and have a next place
// nevertheless.
func (s *Builds) Search(ctx context.Context, scope arn.Scope, what build.Search, limit int) (page []slipway.BuildSummary, next build.Place, err error) {
	statuses := slices.Compact(slices.Sorted(slices.Values(what.Statuses)))
	if len(statuses) > len(statusesOfEnd) {
		statuses = nil // all there are
	}
	lists := []api.StatusType{""}
	if len(statuses) > 0 {
		// Each is a list of its own in an index. A build that ends between two
		// queries is seen twice, not missed, if it is looked for as unfinished first.
		lists = statuses
		slices.SortStableFunc(lists, func(a, b api.StatusType) int {
			return cmp.Compare(b2i(a != api.StatusTypeInProgress), b2i(b != api.StatusTypeInProgress))
		})
	}
	compare := build.Place.Compare
	if !what.Ascending {
		compare = func(p, q build.Place) int { return q.Compare(p) }
	}
	var all []placed
	var end build.Place // up to where all lists are known; zero is everything
	for _, status := range lists {
		part, until, err := s.searchOne(ctx, newSearch(scope, what, status), limit+1, maxLooked/len(lists))
		if err != nil {
			return nil, build.Place{}, doing(err, "search builds")
		}
		all = append(all, part...)
		if until != (build.Place{}) && (end == build.Place{} || compare(until, end) < 0) {
			end = until
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return compare(a.place, b.place) })
	all = slices.CompactFunc(all, func(a, b placed) bool { return a.place == b.place })
	if end != (build.Place{}) {
		all = slices.DeleteFunc(all, func(f placed) bool { return compare(f.place, end) > 0 })
	}
	if len(all) > limit {
		all, end = all[:limit], all[limit-1].place
	}
	for _, f := range all {
		page = append(page, f.BuildSummary)
	}
	return page, end, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// searchOne returns the first limit rows of q, and the place up to where it
// knows that there are no others: zero if there are none at all.
func (s *Builds) searchOne(ctx context.Context, q search, limit, looked int) ([]placed, build.Place, error) {
	query, args := q.page(limit)
	if q.text != "" {
		query, args = q.matching(limit, looked)
	}
	all, err := many(ctx, s.db.read, q.scan, query, args...)
	switch {
	case err != nil:
		return nil, build.Place{}, err
	case len(all) == limit:
		return all, all[limit-1].place, nil
	case q.text == "":
		return all, build.Place{}, nil
	}
	query, args = q.place(looked)
	places, err := many(ctx, s.db.read, scanPlace, query, args...)
	if err != nil || len(places) == 0 {
		return all, build.Place{}, err
	}
	return all, places[0], nil
}

// placed is a build with its place.
type placed struct {
	slipway.BuildSummary
	place build.Place
}

// A search is a query over one list of builds, in its order.
type search struct {
	scope arn.Scope
	text  string
	order string // ASC or DESC
	index string
	where string
	args  []any
}

// newSearch returns the search for what in the list of one status, or of all.
func newSearch(scope arn.Scope, what build.Search, status api.StatusType) search {
	// What started at a moment or later is behind every build of that moment,
	// whose sequences are positive.
	from, to := build.Place{Started: math.MinInt64}, build.Place{Started: math.MaxInt64}
	if !what.After.IsZero() {
		from.Started = ceiling(what.After.UnixNano())
	}
	if !what.Before.IsZero() {
		to.Started = ceiling(what.Before.UnixNano())
	}
	q := search{scope: scope, text: what.Text, order: "DESC"}
	if what.Ascending {
		q.order = "ASC"
	}
	if what.From != (build.Place{}) {
		if what.Ascending && what.From.Compare(from) > 0 {
			from = what.From
		} else if !what.Ascending && what.From.Compare(to) < 0 {
			to = what.From
		}
	}
	q.where = `account = $1 AND region = $2 AND (started, seq) > ($3, $4) AND (started, seq) < ($5, $6)`
	q.args = []any{scope.Account, scope.Region, from.Started, from.Sequence, to.Started, to.Sequence}
	q.index = "build_"
	if what.Project != "" {
		q.where += ` AND project = ` + q.arg(what.Project)
		q.index += "project_"
	}
	switch status {
	case "":
		q.index += "started"
	case api.StatusTypeInProgress:
		q.where += ` AND NOT complete`
		q.index = "build_unfinished"
	default:
		q.where += ` AND complete AND status = ` + q.arg(string(status))
		q.index += "status"
	}
	return q
}

// ceiling is nanoseconds in microseconds, rounded up.
func ceiling(ns int64) int64 {
	us := ns / 1000
	if ns > us*1000 {
		us++
	}
	return us
}

// arg adds an argument and returns its name.
func (q *search) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

const summaryColumns = `seq, id, project, number, status, started, ended, phase, initiator, source_version, resolved_version, failed_phase, message`

// page is the first limit builds.
func (q search) page(limit int) (string, []any) {
	return `SELECT ` + summaryColumns + ` FROM build` + fmt.Sprintf(using, q.index) + ` WHERE ` + q.where + q.ordered() + ` LIMIT ` + q.arg(limit), q.args
}

// matching is the first limit builds that the text finds among the first looked.
func (q search) matching(limit, looked int) (string, []any) {
	t := lower(q.text)
	begins := escapeLike(t) + "%"
	inner := `SELECT ` + summaryColumns + ` FROM build` + fmt.Sprintf(using, q.index) + ` WHERE ` + q.where + q.ordered() + ` LIMIT ` + q.arg(looked)
	number, prefix, holds := q.arg(strings.TrimPrefix(t, "#")), q.arg(begins), q.arg("%"+begins)
	head, tag := q.arg("refs/heads/"+begins), q.arg("refs/tags/"+begins)
	like := func(what, pattern string) string { return ` OR lower(` + what + `) LIKE ` + pattern + ` ESCAPE '\'` }
	return `SELECT ` + summaryColumns + ` FROM (` + inner + `) AS looked WHERE CAST(number AS TEXT) = ` + number +
		like(`id`, prefix) + like(`substr(id, length(project) + 2)`, prefix) +
		like(`source_version`, prefix) + like(`source_version`, head) + like(`source_version`, tag) +
		like(`resolved_version`, prefix) + like(`initiator`, holds) + q.ordered() + ` LIMIT ` + q.arg(limit), q.args
}

// place is where the build number looked is, if there is one.
func (q search) place(looked int) (string, []any) {
	return `SELECT started, seq FROM build` + fmt.Sprintf(using, q.index) + ` WHERE ` + q.where + q.ordered() + ` LIMIT 1 OFFSET ` + q.arg(looked-1), q.args
}

func (q search) ordered() string { return ` ORDER BY started ` + q.order + `, seq ` + q.order }

func (q search) scan(row scan) (f placed, err error) {
	var started, ended int64
	var status string
	if err := row(&f.place.Sequence, &f.ID, &f.ProjectName, &f.BuildNumber, &status, &started, &ended, &f.CurrentPhase,
		&f.Initiator, &f.SourceVersion, &f.ResolvedSourceVersion, &f.FailedPhase, &f.Message); err != nil {
		return placed{}, err
	}
	f.BuildStatus, f.ARN, f.place.Started = slipway.BuildStatus(status), q.scope.Build(f.ID), started
	f.StartTime, f.EndTime = api.Timestamp{Time: moment(started)}, api.Timestamp{Time: moment(ended)}
	return f, nil
}

func scanPlace(row scan) (p build.Place, err error) { return p, row(&p.Started, &p.Sequence) }

// lower is what the function of this name does in SQL: to ASCII letters only.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// escapeLike returns the pattern for LIKE that matches s alone.
func escapeLike(s string) string { return likeEscaper.Replace(s) }
