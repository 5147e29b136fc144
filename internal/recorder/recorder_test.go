package recorder

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/report"
	"slipway/internal/store"
)

var (
	here = arn.Scope{Account: "123456789012", Region: "us-west-2"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

func newBuild(uuid string) build.Build {
	id := "shop:" + uuid
	return build.Build{Scope: here, Public: api.Build{ID: &id, ARN: new(here.Build(id)), ProjectName: new("shop")}}
}

func open(t *testing.T) (*Recorder, *store.DB) {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(Parts{Groups: db.ReportGroups(), Reports: db.Reports(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, Options{Now: func() time.Time { return noon }}), db
}

func upload(group string, failed int) agentapi.ReportUpload {
	return agentapi.ReportUpload{
		Group: group, Type: api.ReportTypeTest, Status: api.ReportStatusTypeSucceeded,
		TestSummary: &api.TestReportSummary{Total: 2, StatusCounts: map[string]int{"SUCCEEDED": 2 - failed, "FAILED": failed}},
		Cases:       []api.TestCase{{Name: new("a"), Status: new("SUCCEEDED")}, {Name: new("b"), Status: new("FAILED")}},
	}
}

func TestAReportMakesItsGroupOrUsesIt(t *testing.T) {
	r, db := open(t)
	first, err := r.Put(t.Context(), newBuild("1"), upload("unit", 1))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first.ARN, "arn:aws:codebuild:us-west-2:123456789012:report/shop-unit:") || first.Export.ExportConfigType != api.ReportExportConfigTypeNoExport {
		t.Errorf("stored = %+v", first)
	}
	again, err := r.Put(t.Context(), newBuild("1"), upload("unit", 1))
	if err != nil || again.ARN != first.ARN {
		t.Errorf("sent again it is %+v, %v, want %s", again, err, first.ARN)
	}

	// Of a group with the bare name, only the ARN selects it.
	in := &api.CreateReportGroupInput{Name: "unit", Type: api.ReportTypeTest, ExportConfig: &api.ReportExportConfig{
		ExportConfigType: api.ReportExportConfigTypeS3, S3Destination: &api.S3ReportExportConfig{Bucket: new("reports")},
	}}
	g, err := report.NewGroup(here, in, noon)
	if err == nil {
		err = db.ReportGroups().Create(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]string{"unit": "report/shop-unit:", here.ReportGroup("unit"): "report/unit:"} {
		got, err := r.Put(t.Context(), newBuild("of "+want), upload(group, 0))
		if err != nil || !strings.Contains(got.ARN, want) {
			t.Errorf("group %s: %+v, %v, want %s", group, got, err, want)
		}
		if err == nil && (got.Export.S3Destination != nil) != (want == "report/unit:") {
			t.Errorf("group %s exports to %+v", group, got.Export)
		}
	}
}

func TestReportsThatAreRefusedSayWhy(t *testing.T) {
	r, db := open(t)
	if _, err := r.Put(t.Context(), newBuild("1"), upload("unit", 0)); err != nil {
		t.Fatal(err)
	}
	if err := db.ReportGroups().Delete(t.Context(), here, "shop-unit", true, noon); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*agentapi.ReportUpload){
		"a report is of type TEST or CODE_COVERAGE": func(in *agentapi.ReportUpload) { in.Type = "" },
		"counted from 0": func(in *agentapi.ReportUpload) { in.Number = -1 },
		"the report group shop-unit is being deleted":               func(in *agentapi.ReportUpload) {},
		"Report group name must have 2 to 128":                      func(in *agentapi.ReportUpload) { in.Group = "my tests" },
		"is the variable set that gives it?":                        func(in *agentapi.ReportUpload) { in.Group = "" },
		"Report group cannot be found: " + here.ReportGroup("none"): func(in *agentapi.ReportUpload) { in.Group = here.ReportGroup("none") },
		"is no report group of this account and Region":             func(in *agentapi.ReportUpload) { in.Group = "arn:aws:codebuild:us-west-2:999999999999:report-group/x" },
		"the counts of the test summary do not add up":              func(in *agentapi.ReportUpload) { in.Group, in.TestSummary.Total = "other", 7 },
		"the report group shop-cover takes reports of type CODE_COVERAGE, and this one is of type TEST": func(in *agentapi.ReportUpload) {
			cover := agentapi.ReportUpload{Group: "cover", Type: api.ReportTypeCodeCoverage, Status: api.ReportStatusTypeIncomplete, Number: 7}
			if _, err := r.Put(t.Context(), newBuild("1"), cover); err != nil {
				t.Fatal(err)
			}
			in.Group = "cover"
		},
	} {
		in := upload("unit", 0)
		in.Number = 1
		change(&in)
		if _, err := r.Put(t.Context(), newBuild("1"), in); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), want) {
			t.Errorf("got %v (kind %d), want %q", err, fault.KindOf(err), want)
		}
	}
}

// A wall is a store from which so much is to be removed.
type wall struct {
	reports
	steps chan struct{}
	left  int
	full  atomic.Bool // nothing can be removed
}

func (w *wall) Purge(_ context.Context, now, generating time.Time) (bool, error) {
	if w.steps <- struct{}{}; w.full.Load() {
		return false, errors.New("no disk")
	}
	if now.Sub(generating) != report.MostGenerating {
		return false, errors.New("reports may be generating for another time")
	}
	w.left--
	return w.left > 0, nil
}

func TestOldReportsAreRemovedEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wall{steps: make(chan struct{}, 100), left: 3}
		r := New(Parts{Reports: w, Log: slog.New(slog.DiscardHandler)}, Options{})
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for _, want := range []int{3, 1, 1} {
			synctest.Wait()
			if got := len(w.steps); got != want {
				t.Errorf("%d steps, want %d", got, want)
			}
			for len(w.steps) > 0 {
				<-w.steps
			}
			w.full.Store(true) // is no end: it is tried again
			time.Sleep(time.Minute)
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
