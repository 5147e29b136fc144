package extension

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/logstream/frame"
)

// Goals with 1,000,000 lines of 80 bytes: a page 5 ms, a search of all 3 s. The
// first DescribeBuildLog reads all of the log, later ones only what is new.
func BenchmarkBuildLog(b *testing.B) {
	d := newDesk(b, "web")
	d.Builds = NewBuilds(d.db.Builds(), d.log, nil)
	id := d.build("web", "one", noon, api.StatusTypeFailed, time.Hour, true)
	d.must(d.log.Create(stream(id), noon))
	const lines = 1_000_000
	builder, seq := frame.NewBuilder(), uint64(0)
	flush := func() {
		if f := builder.Frame(); f != nil {
			d.must(d.log.Append(stream(id), seq, f))
			seq++
		}
	}
	for i := range lines {
		line := fmt.Appendf(nil, "[INFO] %07d compiling src/main/java/com/example/service/Module%-5d.java 0x%04x\n", i, i*7919%99991, i*31%65536)
		if i%5000 == 0 {
			line = []byte(container + "Running command make part\n")
		}
		builder.Add(int64(1000+i), line)
		if builder.Bytes() > 256<<10 {
			flush()
		}
	}
	flush()
	b.Run("describe first", func(b *testing.B) {
		for b.Loop() {
			fresh := NewBuilds(d.db.Builds(), d.log, nil)
			_, err := fresh.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: id})
			d.must(err)
		}
	})
	b.Run("describe later", func(b *testing.B) {
		for b.Loop() {
			_, err := d.DescribeBuildLog(d.ctx, &slipway.DescribeBuildLogInput{BuildID: id})
			d.must(err)
		}
	})
	for _, size := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("page of %d anywhere", size), func(b *testing.B) {
			var took []time.Duration
			for i := int64(0); b.Loop(); i++ {
				begin := time.Now()
				_, err := d.GetBuildLogLines(d.ctx, &slipway.GetBuildLogLinesInput{BuildID: id, StartLine: i * 7919 * 13 % (lines - 10_000), MaxLines: &size})
				d.must(err)
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
	for _, c := range []slipway.SearchBuildLogInput{
		{Text: "NoSuchThing"}, {Text: "NoSuchThing", MatchCase: true}, {Text: `no.*such\d+thing`, RegularExpression: true}, {Text: `error|warning|fail(ed|ure)`, RegularExpression: true},
	} {
		b.Run(fmt.Sprintf("search %s matchCase %t", c.Text, c.MatchCase), func(b *testing.B) {
			for b.Loop() {
				calls := 0
				for c.BuildID, c.StartLine = id, 0; ; calls++ {
					out, err := d.SearchBuildLog(d.ctx, &c)
					d.must(err)
					if c.StartLine = out.NextLine; out.NextLine == 0 {
						break
					}
				}
				b.ReportMetric(float64(calls+1), "calls")
			}
		})
	}
}

// many is a store with 100,000 finished builds of 50 projects in 14 days.
type many struct {
	searchStore
	days [][]build.Ended
}

func (m many) Ended(_ context.Context, _ arn.Scope, _ string, from, _ time.Time) ([]build.Ended, error) {
	return m.days[int(noon.Sub(from)/(24*time.Hour))], nil
}

// What is counted beside the database's work, see store.BenchmarkStatistics.
func BenchmarkGetBuildStatistics(b *testing.B) {
	d := newDesk(b)
	m := many{searchStore: d.db.Builds(), days: make([][]build.Ended, 14)}
	for i := range 100_000 {
		m.days[i%14] = append(m.days[i%14], build.Ended{Project: fmt.Sprintf("app-%d", i*7919%50), Status: api.StatusTypeSucceeded, Took: time.Duration(i*31%600) * time.Second})
	}
	s := NewBuilds(m, d.log, func() time.Time { return noon })
	for b.Loop() {
		_, err := s.GetBuildStatistics(d.ctx, &slipway.GetBuildStatisticsInput{})
		d.must(err)
	}
}
