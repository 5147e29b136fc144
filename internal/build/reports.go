package build

import (
	"path"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// maxReports bounds the reports of one build: those of five groups, and one for
// each format of files that nobody named.
const maxReports = 15

// A ReportExport is where the raw files of a report go.
type ReportExport struct {
	ARN    string `json:"arn"` // the report's
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	Zip    bool   `json:"zip,omitzero"` // Key is that of one object, else of a folder
}

// AddReport records a report of the build, and where its group has raw files
// exported to; nil, or an export config that says so, is nowhere. That it is
// recorded already is no error.
func (b *Build) AddReport(reportARN string, export *api.ReportExportConfig) error {
	if b.Finished() {
		return fault.New(fault.Gone, "build %s has ended", text(b.Public.ID))
	}
	if slices.Contains(b.Public.ReportARNs, reportARN) {
		return nil
	}
	if len(b.Public.ReportARNs) >= maxReports {
		return fault.New(fault.Invalid, "a build has at most %d reports", maxReports)
	}
	b.Public.ReportARNs = append(slices.Clone(b.Public.ReportARNs), reportARN)
	if export == nil || export.ExportConfigType != api.ReportExportConfigTypeS3 || export.S3Destination == nil {
		return nil
	}
	d := export.S3Destination
	e := ReportExport{ARN: reportARN, Bucket: text(d.Bucket), Key: exportKey(text(d.Path), reportARN), Zip: d.Packaging == api.ReportPackagingTypeZip}
	if e.Zip {
		e.Key += ".zip"
	}
	b.State.Exports = append(slices.Clone(b.State.Exports), e)
	return nil
}

// exportKey is where raw files go: below the path of the group's export config,
// by group and report, so that no two reports share a place.
func exportKey(below, reportARN string) string {
	a, _ := arn.Parse(reportARN)
	group, id, _ := strings.Cut(strings.TrimPrefix(a.Resource, "report/"), ":")
	return path.Join(strings.Trim(below, "/"), group, id)
}

// ReportLocation returns where the raw files of one of the build's reports go.
func (b Build) ReportLocation(reportARN string) (Location, error) {
	for _, e := range b.State.Exports {
		if e.ARN == reportARN {
			return Location{Bucket: e.Bucket, Key: e.Key, Folder: !e.Zip}, nil
		}
	}
	return Location{}, fault.New(fault.Invalid, "The build has no report %.200q whose files are exported.", reportARN)
}
