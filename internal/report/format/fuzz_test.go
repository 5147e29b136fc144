package format

import (
	"bytes"
	"os"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/report"
)

func FuzzJUnit(f *testing.F)        { fuzz(f, report.JUnitXML) }
func FuzzNUnit(f *testing.F)        { fuzz(f, report.NUnitXML) }
func FuzzNUnit3(f *testing.F)       { fuzz(f, report.NUnit3XML) }
func FuzzTestNG(f *testing.F)       { fuzz(f, report.TestNGXML) }
func FuzzVisualStudio(f *testing.F) { fuzz(f, report.VisualStudioTRX) }
func FuzzCucumber(f *testing.F)     { fuzz(f, report.CucumberJSON) }
func FuzzClover(f *testing.F)       { fuzz(f, report.CloverXML) }
func FuzzCobertura(f *testing.F)    { fuzz(f, report.CoberturaXML) }
func FuzzJaCoCo(f *testing.F)       { fuzz(f, report.JaCoCoXML) }
func FuzzSimpleCov(f *testing.F)    { fuzz(f, report.SimpleCov) }

// fuzz holds: whatever a file holds, and however it comes in, reading it ends;
// the counts are those of the cases, the sums those of the files; and no limit
// of a report is broken.
func fuzz(f *testing.F, format report.Format) {
	seed := func(name string) {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for name, file := range testFiles {
		if file.format == format {
			seed(name)
		}
	}
	for name, file := range coverageFiles {
		if file.format == format {
			seed(name)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var x, slow Results
		err := x.Read(bytes.NewReader(text), format, "f")
		hold(t, &x)
		if again := slow.Read(iotest.OneByteReader(bytes.NewReader(text)), format, "f"); (err == nil) != (again == nil) {
			t.Errorf("read at once: %v, byte by byte: %v", err, again)
		}
		if d := cmp.Diff(contentOf(&x), contentOf(&slow)); d != "" {
			t.Errorf("read byte by byte it has another content: %s", d)
		}
		if err == nil && Detect(bytes.NewReader(text)) != format {
			t.Error("it is read as a format that it is not in")
		}

		before := contentOf(&x)
		total := x.Tests.Total()
		_ = x.Read(bytes.NewReader(text), format, "f")
		hold(t, &x)
		if got := x.Tests.Total(); got != 2*total {
			t.Errorf("read twice it has %d cases, want twice %d", got, total)
		}
		if d := cmp.Diff(before.Files, contentOf(&x).Files); d != "" {
			t.Errorf("read twice its coverage is another: %s", d)
		}
	})
}

type content struct {
	Summary *api.TestReportSummary
	Cases   []api.TestCase
	Files   []api.CodeCoverage
}

func contentOf(x *Results) content {
	return content{x.Tests.Summary(), x.Tests.Cases(), x.Coverage.Files()}
}

// hold fails the test unless x is what a report may be.
func hold(t *testing.T, x *Results) {
	t.Helper()
	s, cases := x.Tests.Summary(), x.Tests.Cases()
	sum, listed := 0, map[string]int{}
	for status, n := range s.StatusCounts {
		if n < 0 {
			t.Errorf("%d cases are %s", n, status)
		}
		sum += n
	}
	if sum != s.Total || s.DurationInNanoSeconds < 0 || len(s.StatusCounts) != 5 {
		t.Errorf("%d cases of %d ns, the sum of %v is %d", s.Total, s.DurationInNanoSeconds, s.StatusCounts, sum)
	}
	if len(cases) != min(s.Total, report.MaxCases) {
		t.Errorf("%d of %d cases are listed", len(cases), s.Total)
	}
	for _, c := range cases {
		listed[*c.Status]++
		for limit, texts := range map[int][]*string{report.MaxName: {c.Name, c.Prefix, c.TestSuiteName, c.TestRawDataPath}, report.MaxMessage: {c.Message}} {
			for _, text := range texts {
				if text != nil && (utf8.RuneCountInString(*text) > limit || !utf8.ValidString(*text)) {
					t.Errorf("a text is too long or no text: %.100q", *text)
				}
			}
		}
	}
	if s.Total <= report.MaxCases {
		for status, n := range s.StatusCounts {
			if listed[status] != n {
				t.Errorf("%d of %d cases that are %s are listed", listed[status], n, status)
			}
		}
	}
	var lines, missed, branches, branchesMissed int
	for _, f := range x.Coverage.Files() {
		if *f.LinesCovered < 0 || *f.LinesMissed < 0 || *f.BranchesCovered < 0 || *f.BranchesMissed < 0 || *f.LinesCovered+*f.LinesMissed+*f.BranchesCovered+*f.BranchesMissed == 0 {
			t.Errorf("%q has %d and %d lines, %d and %d branches", *f.FilePath, *f.LinesCovered, *f.LinesMissed, *f.BranchesCovered, *f.BranchesMissed)
		}
		for _, p := range []*float64{f.LineCoveragePercentage, f.BranchCoveragePercentage} {
			if p != nil && (*p < 0 || *p > 100) {
				t.Errorf("%q is covered to %v %%", *f.FilePath, *p)
			}
		}
		if utf8.RuneCountInString(*f.FilePath) > report.MaxName || !utf8.ValidString(*f.FilePath) {
			t.Errorf("a path is too long or no text: %.100q", *f.FilePath)
		}
		lines, missed, branches, branchesMissed = lines+*f.LinesCovered, missed+*f.LinesMissed, branches+*f.BranchesCovered, branchesMissed+*f.BranchesMissed
	}
	if c := x.Coverage.Summary(); x.Coverage.Measured() <= report.MaxFiles && (*c.LinesCovered != lines || *c.LinesMissed != missed || *c.BranchesCovered != branches || *c.BranchesMissed != branchesMissed) {
		t.Errorf("the summary is not the sum of the files")
	}
}
