package format

import (
	"cmp"
	"path"
	"strconv"
	"strings"
	"time"

	"slipway/internal/report"
)

// maxDefinitions bounds the tests of a file whose classes are remembered.
const maxDefinitions = 100_000

// A trx reads the results of Visual Studio's test tools:
//
//	TestRun > Results > UnitTestResult testId testName outcome duration > Output > ErrorInfo > Message, StackTrace
//	        > TestDefinitions > UnitTest id storage > TestMethod className
//
// The class of a test is in its definition, which some tools write before the
// results and others after them. The rows of a test with data are in it, as
// InnerResults: they are the cases then, and it is none.
type trx struct {
	tests  *report.Tests
	file   string
	own    report.Tests // of this file; File of a case is the id of its test until finish
	counts bool         // the innermost result has no others in it

	results []report.Case // results that are open, outermost first
	unit    string        // id of the definition that is open
	known   map[string]definition
	shared  map[string]string // one copy of each text
}

type definition struct{ class, storage string }

func (v *trx) open(path []string, e element) error {
	switch e.name {
	case "UnitTestResult", "TestResultAggregation", "GenericTestResult", "ManualTestResult", "WebTestResult", "TestResult":
		v.results = append(v.results, report.Case{
			File: e.attr("testId"), Name: e.attr("testName"), Status: trxStatus(e.attr("outcome")), Duration: clock(e.attr("duration")),
		})
		v.counts = true
	case "UnitTest":
		v.unit = ""
		if v.known == nil {
			v.known, v.shared = map[string]definition{}, map[string]string{}
		}
		if id := e.attr("id"); len(v.known) < maxDefinitions && len(id) < 100 {
			v.unit = id
			v.known[id] = definition{storage: v.share(base(e.attr("storage")))}
		}
	case "TestMethod":
		if d, ok := v.known[v.unit]; ok && v.unit != "" {
			name, _, _ := strings.Cut(e.attr("className"), ",") // and what assembly it is in
			d.class = v.share(name)
			v.known[v.unit] = d
		}
	}
	return nil
}

// share returns s as a text that others have too.
func (v *trx) share(s string) string {
	s = report.Cut(s, report.MaxName)
	known, ok := v.shared[s]
	if !ok {
		known = strings.Clone(s)
		v.shared[known] = known
	}
	return known
}

func (v *trx) close(path []string, name, text string) error {
	if len(v.results) == 0 {
		return nil
	}
	c := &v.results[len(v.results)-1]
	switch name {
	case "Message":
		if last(path) == "ErrorInfo" {
			c.Message = message(text, c.Message)
		}
	case "StackTrace":
		c.Message = message(c.Message, text)
	case "UnitTestResult", "TestResultAggregation", "GenericTestResult", "ManualTestResult", "WebTestResult", "TestResult":
		if v.counts {
			v.own.Add(*c)
		}
		v.results, v.counts = v.results[:len(v.results)-1], false
	}
	return nil
}

// finish gives the cases their classes.
func (v *trx) finish() {
	v.own.Each(func(c *report.Case) {
		d := v.known[c.File]
		c.File, c.Suite = v.file, d.storage
		c.Prefix = cmp.Or(d.class, class(c.Name))
	})
	v.tests.Merge(&v.own)
}

func trxStatus(outcome string) report.Status {
	switch outcome {
	case "Passed", "PassedButRunAborted", "Completed", "Warning":
		return report.Succeeded
	case "Failed":
		return report.Failed
	case "Error", "Timeout", "Aborted", "NotRunnable", "Disconnected", "Inconclusive":
		return report.Errored
	case "NotExecuted":
		return report.Skipped
	}
	return report.Unknown
}

// clock reads a duration like [days.]hours:minutes:seconds.
func clock(s string) time.Duration {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0
	}
	days, hours := "0", parts[0]
	if d, h, ok := strings.Cut(hours, "."); ok {
		days, hours = d, h
	}
	var whole time.Duration
	for _, part := range []struct {
		text string
		unit time.Duration
	}{{days, 24 * time.Hour}, {hours, time.Hour}, {parts[1], time.Minute}} {
		n, err := strconv.ParseUint(part.text, 10, 16)
		if err != nil {
			return 0
		}
		whole += time.Duration(n) * part.unit
	}
	if rest := seconds(parts[2]); rest < time.Minute {
		return whole + rest
	}
	return 0
}

// base returns the last name of a path of Windows or of others.
func base(s string) string {
	if s == "" {
		return ""
	}
	return path.Base(strings.ReplaceAll(s, `\`, "/"))
}
