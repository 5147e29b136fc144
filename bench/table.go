package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// A row is one measure beside its floor.
type row struct {
	measure, value, floor, ratio, goal string
}

type table []row

func (t *table) add(measure, value, floor, ratio, goal string) {
	*t = append(*t, row{measure, value, floor, ratio, goal})
}

func (t table) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "MEASURE\tVALUE\tFLOOR\tRATIO\tGOAL")
	for _, r := range t {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.measure, r.value, r.floor, r.ratio, r.goal)
	}
	return tw.Flush()
}

// A sample is a set of durations.
type sample []time.Duration

// at returns the p-th percentile, 0 < p <= 100.
func (s sample) at(p float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(p/100*float64(len(sorted))))]
}

func (s sample) String() string {
	return fmt.Sprintf("p50 %s p99 %s", ms(s.at(50)), ms(s.at(99)))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }

func times(a, b float64) string { return fmt.Sprintf("%.2f ×", a/b) }
