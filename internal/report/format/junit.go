package format

import (
	"cmp"
	"strings"

	"slipway/internal/report"
)

// A junit reads the XML that Ant began and every test tool writes today, each
// in its way:
//
//	testsuites? > testsuite name* > testcase classname name time > failure | error | skipped
type junit struct {
	tests  *report.Tests
	file   string
	suites []string

	in            bool // a test case
	c             report.Case
	message, kind string // attributes of what is open in the case
}

func (v *junit) open(path []string, e element) error {
	switch {
	case v.in:
		switch e.name {
		case "failure":
			v.mark(report.Failed)
		case "error":
			v.mark(report.Errored)
		case "skipped":
			v.mark(report.Skipped)
		}
		v.message, v.kind = e.attr("message"), e.attr("type")
	case e.name == "testsuite":
		v.suites = append(v.suites, e.attr("name"))
	case e.name == "testcase":
		suite := last(v.suites)
		v.in = true
		v.c = report.Case{
			File: v.file, Suite: suite, Prefix: cmp.Or(e.attr("classname"), suite), Name: e.attr("name"),
			Status: statusOf(e), Duration: seconds(e.attr("time")),
		}
	}
	return nil
}

// severity orders statuses: a case has the worst of what is in it.
var severity = map[report.Status]int{report.Succeeded: 0, report.Skipped: 1, report.Failed: 2, report.Errored: 3}

func (v *junit) mark(s report.Status) {
	if severity[s] > severity[v.c.Status] {
		v.c.Status = s
	}
}

// statusOf is what a case says of itself, as those of Google Test do.
func statusOf(e element) report.Status {
	for _, name := range []string{"result", "status"} {
		switch strings.ToLower(e.attr(name)) {
		case "notrun", "skipped", "suppressed", "disabled", "ignored":
			return report.Skipped
		case "failed", "failure":
			return report.Failed
		case "error":
			return report.Errored
		}
	}
	return report.Succeeded
}

func (v *junit) close(path []string, name, text string) error {
	switch {
	case name == "testcase" && v.in && last(path) != "testcase":
		v.in = false
		v.tests.Add(v.c)
	case name == "testsuite" && !v.in && len(v.suites) > 0:
		v.suites = v.suites[:len(v.suites)-1]
	case v.in && (name == "failure" || name == "error" || name == "skipped"):
		v.c.Message = message(v.c.Message, cmp.Or(message(v.message, text), v.kind))
	}
	return nil
}
