// Package recorder takes in the reports of builds: it finds or makes their
// groups, has them kept, and lets go of those that are old.
package recorder

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// groups is what a Recorder needs of stored report groups.
type groups interface {
	// Get returns one group, or NotFound.
	Get(ctx context.Context, scope arn.Scope, name string) (report.Group, error)
	// Ensure returns the group that has the name of g, which is stored if there
	// is none; Limit if the account has too many then.
	Ensure(ctx context.Context, g report.Group) (report.Group, error)
}

// reports is what it needs of stored reports.
type reports interface {
	// Put stores a report that has ended, or returns the one of the same build
	// and number. NotFound if its group is gone.
	Put(ctx context.Context, r report.Report, c report.Content) (report.Report, error)
	// Purge removes some of what is to go at now, and ends reports that have
	// been GENERATING since before a time. more says that there is more.
	Purge(ctx context.Context, now, generating time.Time) (more bool, err error)
}

// Parts is what a Recorder works with. All are needed.
type Parts struct {
	Groups  groups
	Reports reports
	Log     *slog.Logger
}

// Options tunes a Recorder. The zero value is ready for production.
type Options struct {
	Now   func() time.Time // nil means time.Now
	Every time.Duration    // between two looks for what has expired; 0 means a minute
}

// A Recorder keeps the reports of builds. Its methods may be called from several
// goroutines.
type Recorder struct {
	parts   Parts
	options Options
}

// New returns a Recorder at rest: nothing is removed until Run.
func New(p Parts, o Options) *Recorder {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every <= 0 {
		o.Every = time.Minute
	}
	return &Recorder{parts: p, options: o}
}

// Put keeps a report of a build, once however often it is sent. What is wrong
// with it, or with the group it is for, is Invalid, in words for the user who
// wrote the buildspec.
func (r *Recorder) Put(ctx context.Context, b build.Build, in agentapi.ReportUpload) (*agentapi.ReportStored, error) {
	if in.Type != api.ReportTypeTest && in.Type != api.ReportTypeCodeCoverage {
		return nil, fault.New(fault.Invalid, "a report is of type TEST or CODE_COVERAGE")
	}
	if in.Number < 0 {
		return nil, fault.New(fault.Invalid, "reports of a build are counted from 0")
	}
	g, err := r.group(ctx, b, in)
	switch kind := fault.KindOf(err); {
	case kind == fault.NotFound || kind == fault.Limit:
		err = fault.New(fault.Invalid, "%s", fault.Message(err))
	case err == nil && g.Deleting():
		err = fault.New(fault.Invalid, "the report group %s is being deleted", g.Name())
	case err == nil && g.Public.Type != in.Type:
		err = fault.New(fault.Invalid, "the report group %s takes reports of type %s, and this one is of type %s: give it a group of its own", g.Name(), g.Public.Type, in.Type)
	}
	if err != nil {
		return nil, err
	}
	made := report.New(g, *b.Public.ID, in.Number, r.options.Now())
	content, err := made.Finish(in.Status, in.TestSummary, in.CoverageSummary, report.Content{Cases: in.Cases, Coverages: in.Coverages})
	if err != nil {
		return nil, err
	}
	stored, err := r.parts.Reports.Put(ctx, made, content)
	if fault.KindOf(err) == fault.NotFound { // it was deleted meanwhile
		err = fault.New(fault.Invalid, "%s", fault.Message(err))
	}
	if err != nil {
		return nil, err
	}
	return &agentapi.ReportStored{ARN: *stored.Public.ARN, Export: stored.Public.ExportConfig}, nil
}

// group returns the group that an upload is for. An ARN selects one that is
// there; a name is that of one of the project's own, which is made if needed.
func (r *Recorder) group(ctx context.Context, b build.Build, in agentapi.ReportUpload) (report.Group, error) {
	if strings.HasPrefix(in.Group, "arn:") {
		name, ok := b.Scope.Local("report-group", in.Group)
		if !ok {
			return report.Group{}, fault.New(fault.Invalid, "%.300s is no report group of this account and Region", in.Group)
		}
		return r.parts.Groups.Get(ctx, b.Scope, name)
	}
	if in.Group == "" {
		return report.Group{}, fault.New(fault.Invalid, "the name of the report group is empty: is the variable set that gives it?")
	}
	g, err := report.NewGroupOfBuild(b.Scope, report.GroupNameOf(*b.Public.ProjectName, in.Group), in.Type, r.options.Now())
	if err != nil {
		return g, err
	}
	return r.parts.Groups.Ensure(ctx, g)
}

// Run removes reports that have expired, or were deleted, until ctx ends.
func (r *Recorder) Run(ctx context.Context) error {
	for {
		r.sweep(ctx)
		t := time.NewTimer(r.options.Every)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

func (r *Recorder) sweep(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		now := r.options.Now()
		if more, err = r.parts.Reports.Purge(ctx, now, now.Add(-report.MostGenerating)); err != nil {
			if ctx.Err() == nil {
				r.parts.Log.Error("old reports not removed", "error", err)
			}
			return
		}
	}
}
