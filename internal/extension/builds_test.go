package extension

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/outbox"
	"slipway/internal/project"
	"slipway/internal/store"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A desk is the operations over a real database and real logs.
type desk struct {
	*Builds
	t   testing.TB
	ctx context.Context
	db  *store.DB
	log *logstream.Store
	now time.Time
}

func newDesk(t testing.TB, projects ...string) *desk {
	t.Helper()
	d := &desk{t: t, ctx: accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope}), now: noon}
	var err error
	d.db, err = store.Open(t.Context(), t.TempDir())
	d.must(err)
	d.log, err = logstream.Open(t.TempDir())
	d.must(err)
	t.Cleanup(func() {
		d.must(d.db.Close())
		d.must(d.log.Close())
	})
	for _, name := range projects {
		d.must(d.db.Projects().Create(t.Context(), project.Project{Scope: scope, Public: api.Project{Name: &name, ARN: new(scope.Project(name))}}))
	}
	d.Builds = NewBuilds(d.db.Builds(), d.log, func() time.Time { return d.now })
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// build stores a build that was started at at and, if status says so, has ended after took.
func (d *desk) build(project, uuid string, at time.Time, status api.StatusType, took time.Duration, hasLog bool) string {
	d.t.Helper()
	id := project + ":" + uuid
	phases := []api.BuildPhase{{PhaseType: api.BuildPhaseTypeSubmitted, PhaseStatus: api.StatusTypeSucceeded, StartTime: api.At(at)}, {PhaseType: api.BuildPhaseTypeQueued, StartTime: api.At(at)}}
	_, err := d.db.Builds().Accept(d.t.Context(), build.Build{Scope: scope, State: build.State{HasLog: hasLog}, Public: api.Build{
		ID: &id, ARN: new(scope.Build(id)), ProjectName: &project, StartTime: api.At(at), BuildStatus: api.StatusTypeInProgress,
		BuildComplete: new(false), CurrentPhase: new("QUEUED"), Initiator: new("ada"), Phases: phases,
	}}, nil)
	d.must(err)
	d.end(id, status, at.Add(took))
	return id
}

func (d *desk) end(id string, status api.StatusType, at time.Time) {
	d.t.Helper()
	if status == api.StatusTypeInProgress {
		return
	}
	_, err := d.db.Builds().Update(d.t.Context(), id, func(b *build.Build) ([]outbox.Item, error) {
		b.Public.BuildStatus, b.Public.BuildComplete, b.Public.EndTime, b.Public.CurrentPhase = status, new(true), api.At(at), new("COMPLETED")
		return nil, nil
	})
	d.must(err)
}

func TestSearchBuilds(t *testing.T) {
	d := newDesk(t, "web", "api")
	for i := range 45 {
		status := []api.StatusType{api.StatusTypeSucceeded, api.StatusTypeFailed, api.StatusTypeInProgress}[i%3]
		d.build([]string{"web", "api"}[i%2], fmt.Sprintf("u%02d", i), noon.Add(time.Duration(i)*time.Minute), status, time.Second, false)
	}
	for _, c := range []struct {
		name        string
		in          slipway.SearchBuildsInput
		first       string
		all, inPage int
	}{
		{"all, newest first", slipway.SearchBuildsInput{}, "web:u44", 45, 20},
		{"oldest first", slipway.SearchBuildsInput{Ascending: true, MaxResults: new(7)}, "web:u00", 45, 7},
		{"of a project by its ARN", slipway.SearchBuildsInput{ProjectName: scope.Project("api")}, "api:u43", 22, 20},
		{"of a project that is not", slipway.SearchBuildsInput{ProjectName: "none"}, "", 0, 0},
		{"of statuses", slipway.SearchBuildsInput{Statuses: []slipway.BuildStatus{"FAILED", "IN_PROGRESS"}, MaxResults: new(4)}, "web:u44", 30, 4},
		{"of a range", slipway.SearchBuildsInput{StartedAfter: api.At(noon.Add(3 * time.Minute)), StartedBefore: api.At(noon.Add(5 * time.Minute))}, "web:u04", 2, 2},
		{"by a text", slipway.SearchBuildsInput{Text: " U1 "}, "api:u19", 10, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, pages, all := "", 0, 0
			for {
				out, err := d.SearchBuilds(d.ctx, &c.in)
				d.must(err)
				if out.Builds == nil {
					t.Fatal("no list")
				}
				if pages++; pages == 1 && len(out.Builds) > 0 {
					first = out.Builds[0].ID
				}
				if pages == 1 && len(out.Builds) != c.inPage {
					t.Errorf("%d builds in a page, want %d", len(out.Builds), c.inPage)
				}
				all += len(out.Builds)
				if c.in.NextToken = out.NextToken; out.NextToken == "" {
					break
				}
			}
			if first != c.first || all != c.all {
				t.Errorf("first %q, all %d, want %q, %d", first, all, c.first, c.all)
			}
		})
	}
}

func TestSearchBuildsRefuses(t *testing.T) {
	d := newDesk(t, "web")
	for i := range 3 {
		d.build("web", fmt.Sprint(i), noon, api.StatusTypeSucceeded, 0, false)
	}
	out, err := d.SearchBuilds(d.ctx, &slipway.SearchBuildsInput{MaxResults: new(1)})
	d.must(err)
	elsewhere := "arn:aws:codebuild:us-west-2:999999999999:project/web"
	for name, c := range map[string]struct {
		in   slipway.SearchBuildsInput
		kind fault.Kind
		want string
	}{
		"a token of the other order": {slipway.SearchBuildsInput{NextToken: out.NextToken, Ascending: true}, fault.Invalid, "Invalid next token provided"},
		"a token of nobody's":        {slipway.SearchBuildsInput{NextToken: "e30"}, fault.Invalid, "Invalid next token provided"},
		"no token at all":            {slipway.SearchBuildsInput{NextToken: "%"}, fault.Invalid, "Invalid next token provided"},
		"a text without end":         {slipway.SearchBuildsInput{Text: strings.Repeat("x", 257)}, fault.Invalid, "Invalid text: it must have at most 256 characters"},
		"a project elsewhere":        {slipway.SearchBuildsInput{ProjectName: elsewhere}, fault.NotFound, ""},
	} {
		_, err := d.SearchBuilds(d.ctx, &c.in)
		if fault.KindOf(err) != c.kind || c.want != "" && fault.Message(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestGetBuildStatistics(t *testing.T) {
	d := newDesk(t, "web", "api", "idle")
	d.now = noon.Add(30 * time.Minute)
	midnight := noon.Add(-12 * time.Hour)
	for i, took := range []int{10, 20, 30, 40} { // today
		d.build("web", fmt.Sprint(i), midnight.Add(time.Duration(i)*time.Hour), api.StatusTypeSucceeded, time.Duration(took)*time.Second, false)
	}
	d.build("web", "failed", midnight.Add(-time.Millisecond), api.StatusTypeFailed, time.Hour, false) // yesterday
	d.build("api", "fault", midnight.Add(-time.Hour), api.StatusTypeFault, time.Hour, false)
	d.build("api", "late", midnight.Add(-2*time.Hour), api.StatusTypeTimedOut, time.Hour, false)
	d.build("api", "stopped", midnight.Add(-3*time.Hour), api.StatusTypeStopped, time.Hour, false)
	d.build("api", "good", midnight.Add(-24*time.Hour), api.StatusTypeSucceeded, 1234567*time.Microsecond, false)
	d.build("idle", "old", midnight.Add(-24*time.Hour-time.Millisecond), api.StatusTypeSucceeded, time.Hour, false) // the day before
	d.build("web", "queued", noon, api.StatusTypeInProgress, 0, false)
	d.build("api", "queued", noon.Add(-time.Second), api.StatusTypeInProgress, 0, false)

	latest := func(id string) *slipway.BuildSummary {
		out, err := d.SearchBuilds(d.ctx, &slipway.SearchBuildsInput{Text: id})
		d.must(err)
		i := slices.IndexFunc(out.Builds, func(b slipway.BuildSummary) bool { return b.ID == id })
		return &out.Builds[i]
	}
	got, err := d.GetBuildStatistics(d.ctx, &slipway.GetBuildStatisticsInput{Days: new(2)})
	d.must(err)
	want := &slipway.GetBuildStatisticsOutput{
		Queued: 2, OldestQueued: api.At(noon.Add(-time.Second)),
		Days: []slipway.DayStatistics{
			{Day: "2026-11-22", Succeeded: 1, Failed: 3, Other: 1, MedianSeconds: 1.234, P90Seconds: 1.234},
			{Day: "2026-11-23", Succeeded: 4, MedianSeconds: 25, P90Seconds: 40},
		},
		Projects: []slipway.ProjectStatistics{
			{ProjectName: "api", Succeeded: 1, Failed: 2, Other: 1, MedianSeconds: 1.234, P90Seconds: 1.234, Latest: latest("api:queued")},
			{ProjectName: "idle", Latest: latest("idle:old")},
			{ProjectName: "web", Succeeded: 4, Failed: 1, MedianSeconds: 25, P90Seconds: 40, Latest: latest("web:queued")},
		},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one, err := d.GetBuildStatistics(d.ctx, &slipway.GetBuildStatisticsInput{Days: new(1), ProjectName: scope.Project("web")})
	d.must(err)
	want = &slipway.GetBuildStatisticsOutput{
		Queued: 1, OldestQueued: api.At(noon), Days: want.Days[1:],
		Projects: []slipway.ProjectStatistics{{ProjectName: "web", Succeeded: 4, MedianSeconds: 25, P90Seconds: 40, Latest: latest("web:queued")}},
	}
	if diff := gocmp.Diff(want, one); diff != "" {
		t.Errorf("of a project (-want +got):\n%s", diff)
	}
	whole, err := d.GetBuildStatistics(d.ctx, &slipway.GetBuildStatisticsInput{})
	d.must(err)
	if len(whole.Days) != 14 || whole.Days[0].Day != "2026-11-10" {
		t.Errorf("%d days from %s", len(whole.Days), whole.Days[0].Day)
	}
}

func TestPercentiles(t *testing.T) {
	for _, c := range []struct {
		took        []int
		median, p90 float64
	}{{nil, 0, 0}, {[]int{5}, 5, 5}, {[]int{3, 1}, 2, 3}, {[]int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 5.5, 9}, {[]int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 6, 10}} {
		var all tally
		for _, seconds := range c.took {
			all.add(build.Ended{Status: api.StatusTypeSucceeded, Took: time.Duration(seconds) * time.Second})
		}
		if median, p90 := all.seconds(); cmp.Compare(median, c.median) != 0 || p90 != c.p90 {
			t.Errorf("of %v: %v, %v, want %v, %v", c.took, median, p90, c.median, c.p90)
		}
	}
}
