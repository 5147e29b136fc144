package report

import (
	"math"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
)

// A Status is how a test case ended.
type Status string

// The statuses.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	Errored   Status = "ERROR"
	Skipped   Status = "SKIPPED"
	Unknown   Status = "UNKNOWN"
)

// statuses are all of them; every summary counts each.
var statuses = []Status{Errored, Failed, Skipped, Succeeded, Unknown}

// IsStatus reports whether s is a status, or "".
func IsStatus(s string) bool { return s == "" || slices.Contains(statuses, Status(s)) }

// A Case is one test case that was run.
type Case struct {
	File     string // path of the file that tells of it
	Suite    string // name of the innermost suite
	Prefix   string // what related cases share: their class, fixture or feature
	Name     string
	Status   Status
	Duration time.Duration
	Message  string
}

// Tests gathers the cases of one report. It counts all of them and holds at
// most MaxCases of those that failed and as many others. The zero Tests is
// ready.
type Tests struct {
	counts       map[Status]int
	duration     time.Duration
	failed, rest []Case
}

// Add counts a case. Its texts are cut to what is kept; one without a status
// is Unknown, and a negative duration is none.
func (t *Tests) Add(c Case) {
	switch c.Status {
	case Succeeded, Failed, Errored, Skipped:
	default:
		c.Status = Unknown
	}
	c.Duration = max(0, c.Duration)
	t.count(c.Status, 1)
	t.duration = plus(t.duration, c.Duration)
	list := &t.rest
	if c.Status == Failed || c.Status == Errored {
		list = &t.failed
	}
	if len(*list) == MaxCases {
		return
	}
	for _, s := range []*string{&c.File, &c.Suite, &c.Prefix, &c.Name} {
		*s = Cut(*s, MaxName)
	}
	c.Message = Cut(strings.TrimSpace(c.Message), MaxMessage)
	*list = append(*list, c)
}

// Merge adds what was gathered in another.
func (t *Tests) Merge(o *Tests) {
	for status, n := range o.counts {
		t.count(status, n)
	}
	t.duration = plus(t.duration, o.duration)
	t.failed = append(t.failed, o.failed[:min(len(o.failed), MaxCases-len(t.failed))]...)
	t.rest = append(t.rest, o.rest[:min(len(o.rest), MaxCases-len(t.rest))]...)
}

// Each calls do with every case that is held, which do may change.
func (t *Tests) Each(do func(*Case)) {
	for _, list := range [][]Case{t.failed, t.rest} {
		for i := range list {
			do(&list[i])
		}
	}
}

// Total returns the number of cases that were added.
func (t *Tests) Total() (n int) {
	for _, count := range t.counts {
		n += count
	}
	return n
}

// Summary counts the cases that were added.
func (t *Tests) Summary() *api.TestReportSummary {
	s := &api.TestReportSummary{Total: t.Total(), DurationInNanoSeconds: int64(t.duration), StatusCounts: map[string]int{}}
	for _, status := range statuses {
		s.StatusCounts[string(status)] = t.counts[status]
	}
	return s
}

// Cases returns what is listed of the cases: at most MaxCases, first those that
// failed, otherwise in the order in which they were added.
func (t *Tests) Cases() []api.TestCase {
	out := make([]api.TestCase, 0, min(MaxCases, len(t.failed)+len(t.rest)))
	for _, list := range [][]Case{t.failed, t.rest} {
		for _, c := range list[:min(len(list), MaxCases-len(out))] {
			status, duration := string(c.Status), int64(c.Duration)
			out = append(out, api.TestCase{
				TestRawDataPath: &c.File, TestSuiteName: optional(c.Suite), Prefix: &c.Prefix, Name: &c.Name,
				Status: &status, DurationInNanoSeconds: &duration, Message: optional(c.Message),
			})
		}
	}
	return out
}

// TestStatus returns the status of a report of a run with these counts: it has
// succeeded if no case failed and none ended unknown. Skipped ones don't matter.
func TestStatus(s api.TestReportSummary) api.ReportStatusType {
	for _, status := range []Status{Failed, Errored, Unknown} {
		if s.StatusCounts[string(status)] > 0 {
			return api.ReportStatusTypeFailed
		}
	}
	return api.ReportStatusTypeSucceeded
}

func (t *Tests) count(s Status, n int) {
	if t.counts == nil {
		t.counts = map[Status]int{}
	}
	t.counts[s] += n
}

// plus adds two durations that are not negative; the sum stays one.
func plus(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// optional returns nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
