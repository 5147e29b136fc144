// Package report holds the rules of report groups and of the reports that
// builds put into them: what a report keeps of a run of tests or of a
// measurement of coverage, what it is called and how long it is kept. It is
// pure. Package format, below it, reads the files of test tools.
package report

import (
	"strings"
	"time"
	"unicode/utf8"

	"slipway/internal/api"
)

// Lifetime is how long a report is kept.
const Lifetime = 30 * 24 * time.Hour

// MostGenerating is how long a report may wait for its content.
const MostGenerating = time.Hour

// Limits of one report. What goes beyond MaxCases or MaxFiles is counted and not listed.
const (
	MaxCases   = 500    // test cases, those that failed first
	MaxFiles   = 20_000 // files whose coverage is listed
	MaxMessage = 5_000  // characters of a case's message
	MaxName    = 1_000  // characters of a name, a prefix, a suite or a path
)

// A Format is what a tool writes its results in, spelled as in a buildspec.
type Format string

// The formats, by type.
const (
	CucumberJSON    Format = "CUCUMBERJSON"
	JUnitXML        Format = "JUNITXML"
	NUnitXML        Format = "NUNITXML"
	NUnit3XML       Format = "NUNIT3XML"
	TestNGXML       Format = "TESTNGXML"
	VisualStudioTRX Format = "VISUALSTUDIOTRX"

	CloverXML    Format = "CLOVERXML"
	CoberturaXML Format = "COBERTURAXML"
	JaCoCoXML    Format = "JACOCOXML"
	SimpleCov    Format = "SIMPLECOV"
)

// Formats are all of them, those of tests first.
var Formats = []Format{CucumberJSON, JUnitXML, NUnitXML, NUnit3XML, TestNGXML, VisualStudioTRX, CloverXML, CoberturaXML, JaCoCoXML, SimpleCov}

// ParseFormat returns the format of a name in any case; "" is JUnitXML.
func ParseFormat(name string) (f Format, ok bool) {
	if name == "" {
		return JUnitXML, true
	}
	f = Format(strings.ToUpper(name))
	for _, known := range Formats {
		if f == known {
			return f, true
		}
	}
	return "", false
}

// Type returns the type of report groups that take files of the format.
func (f Format) Type() api.ReportType {
	switch f {
	case CloverXML, CoberturaXML, JaCoCoXML, SimpleCov:
		return api.ReportTypeCodeCoverage
	}
	return api.ReportTypeTest
}

// Cut returns the first n characters of s. What is no UTF-8 becomes U+FFFD, and
// so does NUL, which no client takes.
func Cut(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return strings.Clone(s[:i]) // the rest may be much longer
		}
		n--
	}
	return s
}
