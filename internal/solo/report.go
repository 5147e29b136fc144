package solo

import (
	"context"
	"path"
	"strings"

	"slipway/internal/agentapi"
	"slipway/internal/build"
	"slipway/internal/report"
)

// unkept are the reports of a build without a server: the log has said what is
// in them, and nobody asks later.
type unkept struct{}

// Put answers as if the report were kept, in a group of the project.
func (unkept) Put(_ context.Context, b build.Build, in agentapi.ReportUpload) (*agentapi.ReportStored, error) {
	g := report.Group{Scope: b.Scope}
	name := report.GroupNameOf(*b.Public.ProjectName, in.Group)
	if strings.HasPrefix(in.Group, "arn:") {
		name = path.Base(in.Group)
	}
	g.Public.Name = &name
	r := report.New(g, *b.Public.ID, in.Number, b.Public.StartTime.Time)
	return &agentapi.ReportStored{ARN: *r.Public.ARN}, nil
}
