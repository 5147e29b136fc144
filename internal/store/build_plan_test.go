package store

import (
	"context"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/build"
)

// plan returns how SQLite is going to run a query.
func plan(t testing.TB, db *DB, query string, args ...any) string {
	t.Helper()
	steps, err := many(t.Context(), db.read, func(row scan) (detail string, err error) {
		var a, b, c int
		return detail, row(&a, &b, &c, &detail)
	}, `EXPLAIN QUERY PLAN `+query, args...)
	must(t, err)
	return strings.Join(steps, "\n")
}

func TestSearchesReadAnIndexInItsOrder(t *testing.T) {
	db := open(t, t.TempDir())
	history(t, db, 2000)
	for _, analyzed := range []bool{false, true} { // somebody may have
		if analyzed {
			must(t, db.write.do(t.Context(), func(ctx context.Context, q *statements) error {
				_, err := q.exec(ctx, `ANALYZE`)
				return err
			}))
			must(t, db.read.close())
			db.read = newStatements(db.pool.PrepareContext)
		}
		for name, c := range map[string]struct {
			project string
			status  api.StatusType
			index   string
			sorts   bool
		}{
			"all":                                {"", "", "build_started (account=? AND region=? AND started>? AND started<?)", false},
			"of a project":                       {"app-1", "", "build_project_started (account=? AND region=? AND project=? AND", false},
			"of a status":                        {"", api.StatusTypeFailed, "build_status (account=? AND region=? AND status=? AND", false},
			"of a project and a status":          {"app-1", api.StatusTypeFailed, "build_project_status (account=? AND region=? AND project=? AND status=? AND", false},
			"of a project and in progress":       {"app-1", api.StatusTypeInProgress, "build_unfinished (account=? AND region=? AND project=? AND", true},
			"in progress: all, and they are few": {"", api.StatusTypeInProgress, "build_unfinished (account=? AND region=?)", true},
		} {
			for _, ascending := range []bool{true, false} {
				for _, text := range []string{"", "x"} {
					q := newSearch(scope, build.Search{Project: c.project, Text: text, Ascending: ascending}, c.status)
					query, args := q.page(21)
					if text != "" {
						query, args = q.matching(21, 1000)
					}
					got := plan(t, db, query, args...)
					// The outer order of a text's query is that of at most 10,000 rows.
					if !strings.Contains(got, c.index) || text == "" && strings.Contains(got, "TEMP B-TREE") != c.sorts {
						t.Errorf("%s (analyzed %t, ascending %t, text %q) has the plan\n%s\nwant %s", name, analyzed, ascending, text, got, c.index)
					}
				}
			}
		}
	}
}
