package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/build"
)

const day = 24 * time.Hour

// history stores size finished builds of 50 projects, as many each day for 14
// days up to noon; every tenth failed.
func history(b testing.TB, db *DB, size int) {
	must(b, db.write.do(b.Context(), func(ctx context.Context, q *statements) error {
		_, err := q.exec(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO build (id, account, region, project, number, queued, complete, status, started, ended, phase,
				initiator, source_version, resolved_version, failed_phase, message, state, record)
			SELECT 'app-' || (i * 7919 % 50) || ':' || i, $2, $3, 'app-' || (i * 7919 % 50), i, 0, 1, CASE WHEN i % 10 = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END,
				$4 + i * $5 / $1, $4 + i * $5 / $1 + (30 + i * 31 % 600) * 1000000 + i % 1000 * 1000, 'COMPLETED',
				'user-' || (i % 100), 'refs/heads/main', printf('%040x', i), '', '', '{}', printf('%.1500c', 'x') FROM n`,
			size, scope.Account, scope.Region, stamp(noon.Add(-14*day)), (14 * day).Microseconds())
		return err
	}))
}

// Goal: 1 ms (median) with 100,000 builds and with 1,000,000; a search for a
// text that finds nothing takes as long as 10,000 builds do.
func BenchmarkSearchBuilds(b *testing.B) {
	for _, size := range []int{100_000, 1_000_000} {
		db := open(b, b.TempDir())
		history(b, db, size)
		fill(b, db, 100)
		failed := []api.StatusType{api.StatusTypeFailed}
		from, to := noon.Add(-9*day), noon.Add(-8*day)
		for _, c := range []struct {
			name string
			what build.Search
		}{
			{"all", build.Search{}},
			{"a project", build.Search{Project: "app-7"}},
			{"a status", build.Search{Statuses: failed}},
			{"in progress", build.Search{Statuses: []api.StatusType{api.StatusTypeInProgress}}},
			{"three statuses", build.Search{Statuses: []api.StatusType{api.StatusTypeFailed, api.StatusTypeFault, api.StatusTypeTimedOut}}},
			{"a project and a status", build.Search{Project: "app-10", Statuses: failed}},
			{"a range", build.Search{After: from, Before: to}},
			{"a project, a status, a range", build.Search{Project: "app-10", Statuses: failed, After: from, Before: to}},
			{"far behind", build.Search{From: build.Place{Started: stamp(from), Sequence: int64(size / 3)}}},
			{"a text found", build.Search{Text: "user-7"}},
			{"a text not found", build.Search{Text: "nobody"}},
		} {
			b.Run(fmt.Sprintf("%s, among %d", c.name, size), func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					_, _, err := db.Builds().Search(b.Context(), scope, c.what, 20)
					must(b, err)
					took = append(took, time.Since(start))
				}
				reportMedian(b, took)
			})
		}
		must(b, db.Close())
	}
}

// Goal: 150 ms for the three together.
func BenchmarkStatistics(b *testing.B) {
	db := open(b, b.TempDir())
	history(b, db, 100_000)
	fill(b, db, 100)
	b.Run("waiting", func(b *testing.B) {
		for b.Loop() {
			_, _, _, err := db.Builds().Waiting(b.Context(), scope, "")
			must(b, err)
		}
	})
	b.Run("ended, 100,000 in 14 days", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for d := range 14 {
				all, err := db.Builds().Ended(b.Context(), scope, "", noon.Add(time.Duration(d-14)*day), noon.Add(time.Duration(d-13)*day))
				must(b, err)
				n += len(all)
			}
			if n < 99_000 {
				b.Fatal(n)
			}
		}
	})
	b.Run("latest of 51 projects", func(b *testing.B) {
		for b.Loop() {
			_, err := db.Builds().Latest(b.Context(), scope, "")
			must(b, err)
		}
	})
}
