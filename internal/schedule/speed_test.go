package schedule_test

import (
	"fmt"
	"testing"

	"slipway/internal/api"
	"slipway/internal/schedule"
)

// BenchmarkBuild is the scheduler's own part of a build, from StartBuild's
// record to the end of the build: every state durable, no process.
func BenchmarkBuild(b *testing.B) {
	for _, width := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d at a time", width), func(b *testing.B) {
			s := newBench(b, schedule.Options{MaxBuilds: width})
			ended := make(chan struct{}, width)
			s.runner.mu.Lock()
			s.runner.behave = func(a *agent) {
				complete(a)
				ended <- struct{}{}
			}
			s.runner.mu.Unlock()
			for range width - 1 {
				s.queue(quiet)
			}
			for b.Loop() {
				s.queue(quiet)
				<-ended
			}
			for range width - 1 {
				<-ended
			}
		})
	}
}

// quiet asks for no commit status.
func quiet(in *api.StartBuildInput) { in.ReportBuildStatusOverride = new(false) }

// BenchmarkLaunch is the way from the record of a build to its runner's Start.
func BenchmarkLaunch(b *testing.B) {
	s := newBench(b, schedule.Options{MaxBuilds: 1 << 30})
	started := make(chan struct{})
	s.runner.mu.Lock()
	s.runner.behave = func(*agent) { started <- struct{}{} }
	s.runner.mu.Unlock()
	for b.Loop() {
		s.queue()
		<-started
	}
}
