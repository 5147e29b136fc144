package codebuild

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/store"
)

// A control ends builds as a scheduler without agents does.
type control struct {
	builds *store.Builds
	now    func() time.Time
	woken  int
}

func (c *control) Wake() { c.woken++ }

func (c *control) StopBuild(ctx context.Context, id string) (build.Build, error) {
	return c.change(ctx, id, func(b *build.Build) { b.RequestStop(c.now()) })
}

func (c *control) change(ctx context.Context, id string, change func(*build.Build)) (build.Build, error) {
	return c.builds.Update(ctx, id, func(b *build.Build) ([]outbox.Item, error) {
		change(b)
		return nil, nil
	})
}

// withBuilds is a bench with one project, "demo", whose builds can be stopped.
func withBuilds(t *testing.T) (*bench, *control) {
	t.Helper()
	b := newBench(t)
	c := &control{builds: b.db.Builds(), now: func() time.Time { return b.now }}
	b.control = c
	b.create(t, demo("demo"))
	return b, c
}

func (b *bench) start(t *testing.T, change ...func(*api.StartBuildInput)) *api.Build {
	t.Helper()
	in := &api.StartBuildInput{ProjectName: "demo"}
	for _, c := range change {
		c(in)
	}
	out, err := b.StartBuild(callerIn(t, west), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Build
}

// run has a build taken by an agent.
func (c *control) run(t *testing.T, id string) {
	t.Helper()
	if _, err := c.change(t.Context(), id, func(b *build.Build) {
		b.Claim([]byte("hash"), c.now(), c.now().Add(time.Minute))
		b.Begin(c.now(), c.now().Add(time.Minute))
	}); err != nil {
		t.Fatal(err)
	}
}

func with(token, version string) func(*api.StartBuildInput) {
	return func(in *api.StartBuildInput) { in.IdempotencyToken, in.SourceVersion = &token, &version }
}

const absent = "demo:9b175d16-66fd-4e71-93a0-50a08c4e19aa"

func TestAStartedBuildIsReadAsItWasAnswered(t *testing.T) {
	b, c := withBuilds(t)
	got := b.start(t)
	if *got.BuildNumber != 1 || *got.CurrentPhase != "QUEUED" || *got.Initiator != "alice" || got.BuildStatus != "IN_PROGRESS" {
		t.Errorf("StartBuild = number %d, phase %s, initiator %s, status %s", *got.BuildNumber, *got.CurrentPhase, *got.Initiator, got.BuildStatus)
	}
	if c.woken != 1 {
		t.Errorf("woken %d times, want 1", c.woken)
	}
	read, err := b.BatchGetBuilds(callerIn(t, west), &api.BatchGetBuildsInput{IDs: []string{*got.ARN}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]api.Build{*got}, read.Builds); diff != "" {
		t.Errorf("-started +read\n%s", diff)
	}
	byARN, err := b.StartBuild(callerIn(t, west), &api.StartBuildInput{ProjectName: west.Project("demo")})
	if err != nil || *byARN.Build.BuildNumber != 2 || *byARN.Build.ProjectName != "demo" {
		t.Errorf("by the project's ARN: %+v, %v", byARN, err)
	}
}

func TestStartBuildRefuses(t *testing.T) {
	const unknown = "Project cannot be found: arn:aws:codebuild:us-west-2:123456789012:project/"
	const elsewhere = "arn:aws:codebuild:eu-west-1:123456789012:project/demo"
	tests := []struct {
		name string
		in   api.StartBuildInput
		kind fault.Kind
		want string
	}{
		{"an unknown project", api.StartBuildInput{ProjectName: "other"}, fault.NotFound, unknown + "other"},
		{"a project elsewhere", api.StartBuildInput{ProjectName: elsewhere}, fault.NotFound, "Project cannot be found: " + elsewhere},
		{"an override that is wrong", api.StartBuildInput{ProjectName: "demo", SourceTypeOverride: "SVN"}, fault.Invalid, "Invalid type provided: Project source type"},
		{"a token that is too long", api.StartBuildInput{ProjectName: "demo", IdempotencyToken: new(strings.Repeat("x", 65))}, fault.Invalid, "Idempotency token length cannot be greater than 64 characters"},
	}
	b, c := withBuilds(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.StartBuild(callerIn(t, west), &tt.in)
			refused(t, err, tt.kind, tt.want)
		})
	}
	if c.woken != 0 {
		t.Errorf("woken %d times for nothing", c.woken)
	}
}

func TestConcurrentBuildLimit(t *testing.T) {
	b, _ := withBuilds(t)
	if _, err := b.UpdateProject(callerIn(t, west), &api.UpdateProjectInput{Name: "demo", ConcurrentBuildLimit: new(1)}); err != nil {
		t.Fatal(err)
	}
	first := b.start(t)
	_, err := b.StartBuild(callerIn(t, west), &api.StartBuildInput{ProjectName: "demo"})
	if fault.KindOf(err) != fault.Limit {
		t.Errorf("above the limit: %v, want a Limit", err)
	}
	if _, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: *first.ID}); err != nil {
		t.Fatal(err)
	}
	b.start(t)
}

func TestIdempotencyTokens(t *testing.T) {
	b, _ := withBuilds(t)
	first := b.start(t, with("t", "main"))
	b.now = b.now.Add(4 * time.Minute)
	again := b.start(t, with("t", "main"))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same token made another build (-first +second):\n%s", diff)
	}
	_, err := b.StartBuild(callerIn(t, west), &api.StartBuildInput{ProjectName: "demo", SourceVersion: new("dev"), IdempotencyToken: new("t")})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("the same token with other parameters: %v, want an Invalid", err)
	}
	if other := b.start(t, with("u", "main")); *other.ID == *first.ID {
		t.Error("another token answered the same build")
	}
	b.now = b.now.Add(2 * time.Minute)
	if later := b.start(t, with("t", "main")); *later.ID == *first.ID {
		t.Error("a token of six minutes ago is remembered")
	}

	retry := &api.RetryBuildInput{ID: first.ID, IdempotencyToken: new("r")}
	one, err := b.RetryBuild(callerIn(t, west), retry)
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.RetryBuild(callerIn(t, west), retry)
	if err != nil || *one.Build.ID != *two.Build.ID {
		t.Errorf("the same retry made another build: %v", err)
	}
}

func TestRetryBuild(t *testing.T) {
	b, c := withBuilds(t)
	old := b.start(t, func(in *api.StartBuildInput) { in.SourceVersion, in.ImageOverride = new("main"), new("alpine:3") })
	if _, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: *old.ID}); err != nil {
		t.Fatal(err)
	}
	out, err := b.RetryBuild(callerIn(t, west), &api.RetryBuildInput{ID: old.ARN})
	if err != nil {
		t.Fatal(err)
	}
	got := out.Build
	if *got.ID == *old.ID || *got.BuildNumber != 2 || *got.CurrentPhase != "QUEUED" || *got.SourceVersion != "main" || got.Environment.Image != "alpine:3" {
		t.Errorf("RetryBuild = %s number %d in %s of %s on %s", *got.ID, *got.BuildNumber, *got.CurrentPhase, *got.SourceVersion, got.Environment.Image)
	}
	if c.woken != 2 {
		t.Errorf("woken %d times, want 2", c.woken)
	}

	_, err = b.RetryBuild(callerIn(t, west), &api.RetryBuildInput{})
	refused(t, err, fault.Invalid, "Invalid build ID provided")
	_, err = b.RetryBuild(callerIn(t, west), &api.RetryBuildInput{ID: new(absent)})
	refused(t, err, fault.NotFound, "Build "+absent+" does not exist")
	if _, err := b.DeleteProject(callerIn(t, west), &api.DeleteProjectInput{Name: "demo"}); err != nil {
		t.Fatal(err)
	}
	_, err = b.RetryBuild(callerIn(t, west), &api.RetryBuildInput{ID: old.ID})
	refused(t, err, fault.NotFound, "Project cannot be found: arn:aws:codebuild:us-west-2:123456789012:project/demo")
}

func TestStopBuild(t *testing.T) {
	b, c := withBuilds(t)
	waiting, running := b.start(t), b.start(t)
	c.run(t, *running.ID)
	stop := func(id string) *api.Build {
		t.Helper()
		out, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		return out.Build
	}
	stopped := stop(*waiting.ID)
	if stopped.BuildStatus != "STOPPED" || *stopped.CurrentPhase != "COMPLETED" || !*stopped.BuildComplete {
		t.Errorf("a queued build is %s in %s", stopped.BuildStatus, *stopped.CurrentPhase)
	}
	b.now = b.now.Add(time.Minute)
	if diff := cmp.Diff(stopped, stop(*waiting.ARN)); diff != "" {
		t.Errorf("stopping a finished build changed it:\n%s", diff)
	}
	if got := stop(*running.ID); got.BuildStatus != "IN_PROGRESS" {
		t.Errorf("a running build is %s before its agent has ended it", got.BuildStatus)
	}
	for _, id := range []string{absent, "arn:aws:codebuild:us-west-2:999999999999:build/" + *running.ID} {
		_, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: id})
		refused(t, err, fault.NotFound, "Build "+id+" does not exist")
	}
	_, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: "demo"})
	refused(t, err, fault.Invalid, "Invalid build ID provided")
	east := west
	east.Region = "us-east-1"
	_, err = b.StopBuild(callerIn(t, east), &api.StopBuildInput{ID: *running.ID})
	refused(t, err, fault.NotFound, "Build "+*running.ID+" does not exist")
}

func TestBatchGetBuilds(t *testing.T) {
	b, _ := withBuilds(t)
	one, two := b.start(t), b.start(t)
	elsewhere := "arn:aws:codebuild:eu-west-1:123456789012:build/" + *one.ID
	out, err := b.BatchGetBuilds(callerIn(t, west), &api.BatchGetBuildsInput{IDs: []string{*two.ID, absent, *one.ARN, *two.ARN, elsewhere}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range out.Builds {
		got = append(got, *f.ID)
	}
	if diff := cmp.Diff([]string{*two.ID, *one.ID}, got); diff != "" {
		t.Errorf("builds (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{absent, elsewhere}, out.BuildsNotFound); diff != "" {
		t.Errorf("buildsNotFound (-want +got):\n%s", diff)
	}
	for _, id := range []string{"demo", "", ":", "demo:", ":uuid", "arn:aws:codebuild", west.Build("demo")} {
		_, err := b.BatchGetBuilds(callerIn(t, west), &api.BatchGetBuildsInput{IDs: []string{*one.ID, id}})
		if fault.KindOf(err) != fault.Invalid || fault.Message(err) != "Invalid build ID provided" {
			t.Errorf("id %q: %v, want an Invalid", id, err)
		}
	}
}

func TestListBuilds(t *testing.T) {
	b, _ := withBuilds(t)
	b.create(t, demo("other"))
	var ids []string // of demo, oldest first
	for range 120 {
		ids = append(ids, *b.start(t).ID)
	}
	other := *b.start(t, func(in *api.StartBuildInput) { in.ProjectName = "other" }).ID
	newest := func(ids []string) []string {
		ids = slices.Clone(ids)
		slices.Reverse(ids)
		return ids
	}
	pages := map[string]func(order api.SortOrderType, next *string) ([]string, *string, error){
		"all": func(order api.SortOrderType, next *string) ([]string, *string, error) {
			out, err := b.ListBuilds(callerIn(t, west), &api.ListBuildsInput{SortOrder: order, NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			return out.IDs, out.NextToken, nil
		},
		"demo": func(order api.SortOrderType, next *string) ([]string, *string, error) {
			out, err := b.ListBuildsForProject(callerIn(t, west), &api.ListBuildsForProjectInput{ProjectName: west.Project("demo"), SortOrder: order, NextToken: next})
			if err != nil {
				return nil, nil, err
			}
			return out.IDs, out.NextToken, nil
		},
	}
	all := append(slices.Clone(ids), other)
	tests := []struct {
		list  string
		order api.SortOrderType
		want  []string
	}{
		{"all", "", newest(all)}, {"all", "DESCENDING", newest(all)}, {"all", "ASCENDING", all},
		{"demo", "", newest(ids)}, {"demo", "DESCENDING", newest(ids)}, {"demo", "ASCENDING", ids},
	}
	tokens := map[string]*string{}
	for _, tt := range tests {
		name := fmt.Sprintf("%s %s", tt.list, tt.order)
		t.Run(name, func(t *testing.T) {
			first, next, err := pages[tt.list](tt.order, nil)
			if err != nil || len(first) != 100 || next == nil {
				t.Fatalf("first page: %d ids, next %v, %v", len(first), next, err)
			}
			tokens[name] = next
			second, end, err := pages[tt.list](tt.order, next)
			if err != nil || end != nil {
				t.Fatalf("second page: next %v, %v", end, err)
			}
			if diff := cmp.Diff(tt.want, append(first, second...)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
	for _, token := range []*string{tokens["all ASCENDING"], tokens["demo DESCENDING"], new("bm9uZQ=="), new("!")} {
		_, _, err := pages["all"]("DESCENDING", token)
		refused(t, err, fault.Invalid, "Invalid next token provided")
	}
}

func TestListingOfNothing(t *testing.T) {
	b, _ := withBuilds(t)
	out, err := b.ListBuilds(callerIn(t, west), &api.ListBuildsInput{})
	if err != nil || out.IDs == nil || len(out.IDs) != 0 || out.NextToken != nil {
		t.Errorf("ListBuilds = %+v, %v, want an empty list", out, err)
	}
	_, err = b.ListBuildsForProject(callerIn(t, west), &api.ListBuildsForProjectInput{ProjectName: "other"})
	refused(t, err, fault.NotFound, "The provided project arn:aws:codebuild:us-west-2:123456789012:project/other does not exist")
}

func TestBuildsOutliveTheirProject(t *testing.T) {
	b, _ := withBuilds(t)
	made := b.start(t)
	if _, err := b.DeleteProject(callerIn(t, west), &api.DeleteProjectInput{Name: "demo"}); err != nil {
		t.Fatal(err)
	}
	_, err := b.ListBuildsForProject(callerIn(t, west), &api.ListBuildsForProjectInput{ProjectName: "demo"})
	refused(t, err, fault.NotFound, "The provided project arn:aws:codebuild:us-west-2:123456789012:project/demo does not exist")
	out, err := b.BatchGetBuilds(callerIn(t, west), &api.BatchGetBuildsInput{IDs: []string{*made.ID}})
	if err != nil || len(out.Builds) != 1 {
		t.Errorf("BatchGetBuilds = %+v, %v, want the build", out, err)
	}
}

func TestBatchDeleteBuilds(t *testing.T) {
	b, _ := withBuilds(t)
	done, waiting := b.start(t), b.start(t)
	if _, err := b.StopBuild(callerIn(t, west), &api.StopBuildInput{ID: *done.ID}); err != nil {
		t.Fatal(err)
	}
	_, err := b.BatchDeleteBuilds(callerIn(t, west), &api.BatchDeleteBuildsInput{IDs: []string{*done.ID, "demo"}})
	refused(t, err, fault.Invalid, "Invalid build ID provided")

	out, err := b.BatchDeleteBuilds(callerIn(t, west), &api.BatchDeleteBuildsInput{IDs: []string{*done.ID, *waiting.ARN, absent, *done.ARN}})
	if err != nil {
		t.Fatal(err)
	}
	want := &api.BatchDeleteBuildsOutput{
		BuildsDeleted: []string{*done.ARN},
		BuildsNotDeleted: []api.BuildNotDeleted{
			{ID: waiting.ARN, StatusCode: new("BUILD_IN_PROGRESS")},
			{ID: new(west.Build(absent)), StatusCode: new("BUILD_NOT_FOUND")},
		},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("BatchDeleteBuilds (-want +got):\n%s", diff)
	}
	if next := b.start(t); *next.BuildNumber != 3 {
		t.Errorf("the next build has number %d, want 3: deleting renumbers nothing", *next.BuildNumber)
	}
}
