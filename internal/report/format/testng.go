package format

import (
	"fmt"
	"strings"
	"time"

	"slipway/internal/report"
)

// A testng reads testng-results.xml:
//
//	testng-results > suite name > test name > class name > test-method name status duration-ms is-config > params > param > value
//	                                                                                                     > exception class > message, full-stacktrace
//
// Configuration methods are no tests and are not counted, unless one failed: it
// is why tests were skipped.
type testng struct {
	tests        *report.Tests
	file         string
	suite, class string

	in                   bool // a method
	config               bool
	c                    report.Case
	params               []string
	kind, message, trace string // of the exception
}

func (v *testng) open(path []string, e element) error {
	switch {
	case v.in:
		switch e.name {
		case "exception":
			v.kind = e.attr("class")
		case "param":
			if len(v.params) < 20 { // more don't fit a name
				v.params = append(v.params, "")
			}
		case "value":
			if len(v.params) > 0 && e.attr("is-null") == "true" {
				v.params[len(v.params)-1] = "null"
			}
		}
	case e.name == "suite":
		v.suite = e.attr("name")
	case e.name == "class":
		v.class = e.attr("name")
	case e.name == "test-method":
		v.in, v.config, v.params = true, e.attr("is-config") == "true", nil
		v.kind, v.message, v.trace = "", "", ""
		v.c = report.Case{
			File: v.file, Suite: v.suite, Prefix: v.class, Name: e.attr("name"),
			Status: testngStatus(e.attr("status")), Duration: scaled(e.attr("duration-ms"), time.Millisecond),
		}
	}
	return nil
}

func testngStatus(s string) report.Status {
	switch strings.ToUpper(s) {
	case "PASS", "SUCCESS_PERCENTAGE_FAILURE": // enough of its invocations passed
		return report.Succeeded
	case "FAIL":
		return report.Failed
	case "SKIP":
		return report.Skipped
	}
	return report.Unknown
}

func (v *testng) close(path []string, name, text string) error {
	if !v.in {
		return nil
	}
	switch {
	case name == "value" && len(v.params) > 0 && text != "":
		v.params[len(v.params)-1] = text
	case name == "message" && last(path) == "exception":
		v.message = text
	case (name == "full-stacktrace" || name == "short-stacktrace" && v.trace == "") && last(path) == "exception":
		v.trace = text
	case name == "test-method":
		v.in = false
		if v.config && v.c.Status != report.Failed {
			return nil
		}
		if v.config {
			v.c.Status = report.Errored
		}
		if len(v.params) > 0 {
			v.c.Name = fmt.Sprintf("%s(%s)", v.c.Name, strings.Join(v.params, ", "))
		}
		v.c.Message = message(v.message, v.trace)
		if v.c.Message == "" {
			v.c.Message = v.kind
		}
		v.tests.Add(v.c)
	}
	return nil
}
