package extension

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/fault"
	"slipway/internal/outbox"
)

func TestDescribeBuild(t *testing.T) {
	d := newDesk(t, "app")
	id := d.build("app", "0b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11", noon, api.StatusTypeInProgress, 0, false)
	look := func(id string) *slipway.DescribeBuildOutput {
		t.Helper()
		out, err := d.DescribeBuild(d.ctx, &slipway.DescribeBuildInput{BuildID: id})
		d.must(err)
		return out
	}
	if diff := gocmp.Diff(&slipway.DescribeBuildOutput{Caches: []slipway.CacheUse{}}, look(id)); diff != "" {
		t.Errorf("a build of which nothing is known (-want +got):\n%s", diff)
	}
	_, err := d.db.Builds().Update(d.ctx, id, func(b *build.Build) ([]outbox.Item, error) {
		b.State.Failed = &event.Command{Text: "make all", File: "ci/buildspec.yml", Line: 7, Exit: 2}
		b.State.Caches = []event.Cache{
			{Action: event.CacheRestore, Outcome: event.CacheHit, Kind: "S3", Key: "go-2", Found: "go-1", Files: 3, Bytes: 400, Packed: 100, Skipped: 1, Seconds: 0.5},
			{Action: event.CacheSave, Outcome: event.CacheSkipped, Kind: "S3", Key: "go-2", Reason: "the build has failed"},
		}
		return nil, nil
	})
	d.must(err)
	want := &slipway.DescribeBuildOutput{
		FailedCommand: &slipway.FailedCommand{Text: "make all", File: "ci/buildspec.yml", Line: 7, ExitStatus: 2},
		Caches: []slipway.CacheUse{
			{Action: "RESTORE", Outcome: "HIT", Type: "S3", Key: "go-2", FoundKey: "go-1", Files: 3, Bytes: 400, ArchiveBytes: 100, SkippedFiles: 1, Seconds: 0.5},
			{Action: "SAVE", Outcome: "SKIPPED", Type: "S3", Key: "go-2", Reason: "the build has failed"},
		},
	}
	for _, name := range []string{id, scope.Build(id)} {
		if diff := gocmp.Diff(want, look(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, kind := range map[string]fault.Kind{"app": fault.Invalid, "app:1b1f6c9e-7d1a-4f58-9f0e-3c7f2f0f9a11": fault.NotFound} {
		if _, err := d.DescribeBuild(d.ctx, &slipway.DescribeBuildInput{BuildID: name}); fault.KindOf(err) != kind {
			t.Errorf("%s: %v, want a %v", name, err, kind)
		}
	}
}
