package build

import (
	"fmt"
	"slices"
	"testing"

	"slipway/internal/api"
	"slipway/internal/fault"
)

func TestReportsOfABuildAreRecordedOnce(t *testing.T) {
	const first, second = "arn:aws:codebuild:us-west-2:123456789012:report/app-unit:0b1f", "arn:aws:codebuild:us-west-2:123456789012:report/app-e2e:7c2e"
	var b Build
	zip := &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeS3, S3Destination: &api.S3ReportExportConfig{
		Bucket: new("reports"), Path: new("/of/ci/"), Packaging: api.ReportPackagingTypeZip,
	}}
	tree := &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeS3, S3Destination: &api.S3ReportExportConfig{Bucket: new("reports")}}
	none := &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeNoExport}
	for range 2 {
		for arn, export := range map[string]*api.ReportExportConfig{first: zip, second: tree} {
			if err := b.AddReport(arn, export); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(b.Public.ReportARNs) != 2 || !slices.Contains(b.Public.ReportARNs, first) || len(b.State.Exports) != 2 {
		t.Errorf("reports = %v, exports = %v", b.Public.ReportARNs, b.State.Exports)
	}
	if l, err := b.ReportLocation(first); err != nil || l != (Location{Bucket: "reports", Key: "of/ci/app-unit/0b1f.zip"}) {
		t.Errorf("the archive goes to %+v, %v", l, err)
	}
	if l, err := b.ReportLocation(second); err != nil || l != (Location{Bucket: "reports", Key: "app-e2e/7c2e", Folder: true}) {
		t.Errorf("the files go to %+v, %v", l, err)
	}
	for i := range maxReports - 2 {
		if err := b.AddReport(fmt.Sprint(first, i), none); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.AddReport(first+"more", nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("one more report: %v", err)
	}
	if err := b.AddReport(first, nil); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	if _, err := b.ReportLocation(first + "0"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("one that is not exported: %v", err)
	}
	b.Public.BuildComplete = new(true)
	if err := b.AddReport(first, nil); fault.KindOf(err) != fault.Gone {
		t.Errorf("a report of a build that has ended: %v", err)
	}
}
