package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/outbox"
)

// parallel runs b.N calls of work from so many goroutines.
func parallel(b *testing.B, goroutines int, work func(n int)) {
	b.Helper()
	var todo sync.WaitGroup
	next := make(chan int, 4*goroutines)
	b.ResetTimer()
	for range goroutines {
		todo.Go(func() {
			for n := range next {
				work(n)
			}
		})
	}
	for n := range b.N {
		next <- n
	}
	close(next)
	todo.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// The floor of everything below.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	must(b, err)
	page := make([]byte, 4096)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		_, err := f.Write(page)
		must(b, err)
		must(b, f.Sync())
		took = append(took, time.Since(start))
	}
	reportMedian(b, took)
}

func reportMedian(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
}

// Goals on two cores: 8 writers 8,000 rows/s, 64 writers 25,000 rows/s.
func BenchmarkInsert(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			db := open(b, b.TempDir())
			must(b, db.write.do(b.Context(), func(ctx context.Context, q *statements) error {
				_, err := q.exec(ctx, `CREATE TABLE plain (id INTEGER PRIMARY KEY, text TEXT)`)
				return err
			}))
			parallel(b, writers, func(int) {
				err := db.write.do(b.Context(), func(ctx context.Context, q *statements) error {
					_, err := q.exec(ctx, `INSERT INTO plain (text) VALUES ($1)`, "some hundred bytes of text, which is about what a small row holds, padded a little to come to a hundred")
					return err
				})
				if err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// Goal: a single write at most twice an fsync (median).
func BenchmarkSingleWrite(b *testing.B) {
	db := open(b, b.TempDir())
	var took []time.Duration
	n := 0
	for b.Loop() {
		n++
		p := newProject(fmt.Sprintf("app-%d", n), noon)
		start := time.Now()
		must(b, db.Projects().Create(b.Context(), p))
		took = append(took, time.Since(start))
	}
	reportMedian(b, took)
}

func BenchmarkCreateProject(b *testing.B) {
	for _, writers := range []int{8, 64} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			db := open(b, b.TempDir())
			parallel(b, writers, func(n int) {
				if err := db.Projects().Create(b.Context(), newProject(fmt.Sprintf("app-%d", n), noon)); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, writers := range []int{8, 64} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			db := open(b, b.TempDir())
			must(b, db.Projects().Create(b.Context(), newProject("app", noon)))
			parallel(b, writers, func(n int) {
				if _, err := db.Builds().Accept(b.Context(), newBuild("app", fmt.Sprint(n), noon), nil); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// Goal: 0.6 ms, flat while 10,000 queued builds drain.
func BenchmarkClaimOldestOf10000(b *testing.B) {
	db := open(b, b.TempDir())
	fill(b, db, 10_000)
	var took []time.Duration
	left := 10_000
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			left = fill(b, db, 10_000)
			b.StartTimer()
		}
		left--
		begin := time.Now()
		_, ok, err := db.Builds().Claim(b.Context(), func(b *build.Build) error { start(b); return nil })
		must(b, err)
		if !ok {
			b.Fatal("nothing queued")
		}
		took = append(took, time.Since(begin))
	}
	reportMedian(b, took)
}

var filled int

// fill accepts n builds, quickly.
func fill(b testing.TB, db *DB, n int) int {
	_ = db.Projects().Create(b.Context(), newProject("app", noon))
	var group sync.WaitGroup
	base := filled
	filled += n
	for i := range 100 {
		group.Go(func() {
			for j := i; j < n; j += 100 {
				if _, err := db.Builds().Accept(b.Context(), newBuild("app", fmt.Sprint(base+j), noon), nil); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	return n
}

func BenchmarkUpdateBuild(b *testing.B) {
	for _, writers := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			db := open(b, b.TempDir())
			base := filled
			fill(b, db, 100)
			parallel(b, writers, func(n int) {
				id := fmt.Sprintf("app:%d", base+n%100)
				if _, err := db.Builds().Update(b.Context(), id, func(b *build.Build) ([]outbox.Item, error) {
					b.State.Applied++
					return nil, nil
				}); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	db := open(b, b.TempDir())
	base := filled
	fill(b, db, 1000)
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("app:%d", base+i*10))
	}
	for name, read := range map[string]func() error{
		"a project":            func() error { _, err := db.Projects().Get(b.Context(), scope, "app"); return err },
		"a build":              func() error { _, err := db.Builds().Get(b.Context(), scope, ids[0]); return err },
		"100 builds":           func() error { _, err := db.Builds().GetMany(b.Context(), scope, ids); return err },
		"a page of 100 builds": func() error { _, _, err := db.Builds().List(b.Context(), scope, "", true, 0, 100); return err },
	} {
		for _, readers := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s, %d readers", name, readers), func(b *testing.B) {
				parallel(b, readers, func(int) {
					if err := read(); err != nil {
						b.Error(err)
					}
				})
			})
		}
	}
}

// Goal: 40 ms, migrations included.
func BenchmarkOpenFresh(b *testing.B) {
	for b.Loop() {
		db, err := Open(b.Context(), b.TempDir())
		must(b, err)
		b.StopTimer()
		must(b, db.Close())
		b.StartTimer()
	}
}

// Goal: a page takes at most 1 ms and 1.5 times what it takes with 1,000 builds.
func BenchmarkPageAmongManyBuilds(b *testing.B) {
	for _, size := range []int{1_000, 1_000_000} {
		db := open(b, b.TempDir())
		must(b, db.write.do(b.Context(), func(ctx context.Context, q *statements) error {
			_, err := q.exec(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				INSERT INTO build (id, account, region, project, number, queued, complete, status, started, ended, phase,
					initiator, source_version, resolved_version, failed_phase, message, state, record)
				SELECT 'app:' || i, $2, CASE WHEN i % 1000 = 0 THEN 'eu-west-1' ELSE $3 END, 'app', i, 0, 1, 'SUCCEEDED', i, i, '', '', '', '', '', '', '{}', '{}' FROM n`,
				size, scope.Account, scope.Region)
			return err
		}))
		for name, list := range map[string]func() error{
			"of all": func() error {
				_, _, err := db.Builds().List(b.Context(), scope, "", true, int64(size/2), 100)
				return err
			},
			"of a project": func() error {
				_, _, err := db.Builds().List(b.Context(), scope, "app", true, int64(size/2), 100)
				return err
			},
			"of a small scope": func() error {
				_, _, err := db.Builds().List(b.Context(), arn.Scope{Account: scope.Account, Region: "eu-west-1"}, "", true, 0, 100)
				return err
			},
			"of projects": func() error {
				_, _, err := db.Projects().List(b.Context(), scope, api.ProjectSortByTypeCreatedTime, true, "", 100)
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s among %d", name, size), func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					must(b, list())
					took = append(took, time.Since(start))
				}
				reportMedian(b, took)
			})
		}
		must(b, db.Close())
	}
}
