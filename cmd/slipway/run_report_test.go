package main

import (
	"strings"
	"testing"
)

func TestRunTellsOfReports(t *testing.T) {
	spec := strings.Replace(reportingSpec, "GIVEN", "arn:aws:codebuild:eu-central-1:123456789012:report-group/shared", 1)
	dir := checkout(t, map[string]string{"buildspec.yml": spec})
	r := runs(t, dir, "--env", "FAILS=1", "--env", "LINE=0", "--report")
	r.holds(t, 1, []string{"Report unit: 3 test case(s), 1 SUCCEEDED, 1 FAILED, 1 SKIPPED\n"}, []string{`
local-unit FAILED
  3 test case(s), 1 FAILED, 1 SKIPPED, 1 SUCCEEDED in 750ms
  FAILED    Cart pays  deep/TEST-cart.xml
            no money
`, `
  SUCCEEDED Cart adds  deep/TEST-cart.xml
  SKIPPED   Bank waits  deep/TEST-cart.xml

local-cover SUCCEEDED
  50% of 4 lines, 50% of 2 branches
    0.00%   shop/bank.py  0 of 1 lines
   66.66%   shop/cart.py  2 of 3 lines

shared FAILED
`})
	if r := runs(t, dir, "--env", "FAILS=0", "--env", "LINE=0"); r.code != 0 || strings.Contains(r.summary, "local-unit") {
		t.Errorf("without --report: exit code %d\n%s", r.code, r.summary)
	}
	none := checkout(t, map[string]string{"buildspec.yml": "version: 0.2\nphases: {build: {commands: ['true']}}\n"})
	runs(t, none, "--report").holds(t, 0, nil, []string{"The build made no report.\n"})
}
