package format

import (
	"cmp"
	"strings"

	"slipway/internal/report"
)

// An nunit reads the results of NUnit 2:
//
//	test-results > test-suite name+ > results > test-case name result time > failure | reason > message, stack-trace
type nunit struct {
	tests  *report.Tests
	file   string
	suites []string

	in             bool // a test case
	c              report.Case
	message, trace string
}

func (v *nunit) open(path []string, e element) error {
	switch {
	case e.name == "test-suite":
		v.suites = append(v.suites, e.attr("name"))
	case e.name == "test-case":
		v.in, v.message, v.trace = true, "", ""
		name := e.attr("name")
		v.c = report.Case{
			File: v.file, Suite: last(v.suites), Prefix: cmp.Or(class(name), last(v.suites)), Name: name,
			Status: nunitStatus(e), Duration: seconds(e.attr("time")),
		}
	}
	return nil
}

func (v *nunit) close(_ []string, name, text string) error {
	switch {
	case name == "test-suite" && len(v.suites) > 0:
		v.suites = v.suites[:len(v.suites)-1]
	case name == "message" && v.in:
		v.message = text
	case name == "stack-trace" && v.in:
		v.trace = text
	case name == "test-case" && v.in:
		v.in = false
		v.c.Message = message(v.message, v.trace)
		v.tests.Add(v.c)
	}
	return nil
}

// nunitStatus is a case's status. That inconclusive and invalid ones are errors
// is how CodeBuild counts them.
func nunitStatus(e element) report.Status {
	switch e.attr("result") {
	case "Success":
		return report.Succeeded
	case "Failure":
		return report.Failed
	case "Error", "NotRunnable", "Invalid", "Cancelled", "Inconclusive":
		return report.Errored
	case "Ignored", "Skipped":
		return report.Skipped
	case "": // before 2.5
		switch {
		case strings.EqualFold(e.attr("executed"), "false"):
			return report.Skipped
		case strings.EqualFold(e.attr("success"), "true"):
			return report.Succeeded
		case strings.EqualFold(e.attr("success"), "false"):
			return report.Failed
		}
	}
	return report.Unknown
}

// class returns the class in the full name of a test, whose arguments may have
// dots too: Shop.CartTest of Shop.CartTest.Adds("a.b").
func class(name string) string {
	if i := strings.IndexAny(name, "(<\""); i >= 0 {
		name = name[:i]
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i]
	}
	return ""
}

// An nunit3 reads the results of NUnit 3 and 4:
//
//	test-run > test-suite name+ > test-case name fullname classname result label duration > failure | reason > message, stack-trace
type nunit3 struct {
	tests  *report.Tests
	file   string
	suites []string

	in             bool // a test case
	c              report.Case
	message, trace string
}

func (v *nunit3) open(path []string, e element) error {
	switch {
	case e.name == "test-suite":
		v.suites = append(v.suites, e.attr("name"))
	case e.name == "test-case":
		v.in, v.message, v.trace = true, "", ""
		v.c = report.Case{
			File: v.file, Suite: last(v.suites), Name: cmp.Or(e.attr("name"), e.attr("fullname")),
			Prefix: cmp.Or(e.attr("classname"), class(e.attr("fullname")), last(v.suites)),
			Status: nunit3Status(e.attr("result"), e.attr("label")), Duration: seconds(e.attr("duration")),
		}
	}
	return nil
}

func (v *nunit3) close(path []string, name, text string) error {
	switch {
	case name == "test-suite" && len(v.suites) > 0:
		v.suites = v.suites[:len(v.suites)-1]
	case v.in && last(path) != "failure" && last(path) != "reason" && name != "test-case":
		// an assertion or an attachment has a message too
	case name == "message" && v.in:
		v.message = text
	case name == "stack-trace" && v.in:
		v.trace = text
	case name == "test-case" && v.in:
		v.in = false
		v.c.Message = message(v.message, v.trace)
		v.tests.Add(v.c)
	}
	return nil
}

func nunit3Status(result, label string) report.Status {
	switch result {
	case "Passed", "Warning": // which does not fail a run
		return report.Succeeded
	case "Failed":
		switch label {
		case "Error", "Invalid", "Cancelled":
			return report.Errored
		}
		return report.Failed
	case "Skipped":
		return report.Skipped
	case "Inconclusive":
		return report.Errored // as with NUnit 2
	}
	return report.Unknown
}
