package solo

import (
	"context"
	"path"
	"strings"
	"sync"

	"slipway/internal/agentapi"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/report"
)

// reports takes in the reports of a build without a server, by the rules of a
// server. Nobody asks for them later, so that none is kept.
type reports struct {
	tell func(report.Report, report.Content) // nil means nobody listens

	mu    sync.Mutex // guards taken, and calls of tell
	taken map[int]string
}

// Put takes in a report, in a group of the project or in one that is given by
// ARN, which nobody can look up here. One that is sent again is told once.
func (r *reports) Put(_ context.Context, b build.Build, in agentapi.ReportUpload) (*agentapi.ReportStored, error) {
	if in.Group == "" {
		return nil, fault.New(fault.Invalid, "the name of the report group is empty: is the variable set that gives it?")
	}
	name := report.GroupNameOf(*b.Public.ProjectName, in.Group)
	if strings.HasPrefix(in.Group, "arn:") {
		name = path.Base(in.Group)
	}
	g, err := report.NewGroupOfBuild(b.Scope, name, in.Type, b.Public.StartTime.Time)
	if err != nil {
		return nil, err
	}
	made := report.New(g, *b.Public.ID, in.Number, b.Public.StartTime.Time)
	content, err := made.Finish(in.Status, in.TestSummary, in.CoverageSummary, report.Content{Cases: in.Cases, Coverages: in.Coverages})
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, ok := r.taken[in.Number]; ok {
		return &agentapi.ReportStored{ARN: was}, nil
	}
	if r.taken == nil {
		r.taken = map[int]string{}
	}
	r.taken[in.Number] = *made.Public.ARN
	if r.tell != nil {
		r.tell(made, content)
	}
	return &agentapi.ReportStored{ARN: *made.Public.ARN}, nil
}
