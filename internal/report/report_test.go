package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"slipway/internal/api"
)

func TestFormatsAreFoundInAnyCase(t *testing.T) {
	for name, want := range map[string]Format{"": JUnitXML, "junitxml": JUnitXML, "Nunit3Xml": NUnit3XML, "SIMPLECOV": SimpleCov, "coberturaxml": CoberturaXML} {
		if got, ok := ParseFormat(name); !ok || got != want {
			t.Errorf("ParseFormat(%q) = %s, %t, want %s", name, got, ok, want)
		}
	}
	for _, name := range []string{"JUNIT", "xml", " JUNITXML"} {
		if got, ok := ParseFormat(name); ok {
			t.Errorf("ParseFormat(%q) = %s, want none", name, got)
		}
	}
	types := map[api.ReportType]int{}
	for _, f := range Formats {
		types[f.Type()]++
	}
	if types[api.ReportTypeTest] != 6 || types[api.ReportTypeCodeCoverage] != 4 {
		t.Errorf("types = %v, want 6 of tests and 4 of coverage", types)
	}
}

func TestAReportKeepsTheCasesThatFailed(t *testing.T) {
	var tests Tests
	for i := range 1200 {
		status := Succeeded
		if i%4 == 3 { // 300 of them, most after the first 500 cases
			status = Failed
		}
		tests.Add(Case{Name: fmt.Sprint(i), Status: status, Duration: time.Millisecond})
	}
	cases := tests.Cases()
	if len(cases) != MaxCases {
		t.Fatalf("%d cases are listed, want %d", len(cases), MaxCases)
	}
	for i, c := range cases {
		want, name := Failed, fmt.Sprint(4*i+3)
		if i >= 300 {
			rest := i - 300
			want, name = Succeeded, fmt.Sprint(rest+rest/3)
		}
		if *c.Status != string(want) || *c.Name != name {
			t.Fatalf("case %d is %s %s, want %s %s", i, *c.Name, *c.Status, name, want)
		}
	}
	s := tests.Summary()
	if s.Total != 1200 || s.StatusCounts["FAILED"] != 300 || s.StatusCounts["SUCCEEDED"] != 900 || s.DurationInNanoSeconds != 1200*1_000_000 {
		t.Errorf("summary = %+v", s)
	}
}

func TestMergedResultsAreOneRun(t *testing.T) {
	var all, a, b Tests
	for i := range 400 {
		a.Add(Case{Name: "a" + fmt.Sprint(i), Status: Errored, Duration: 1})
		b.Add(Case{Name: "b" + fmt.Sprint(i), Status: Failed, Duration: 2})
		b.Add(Case{Name: "s" + fmt.Sprint(i), Status: Skipped})
	}
	all.Merge(&a)
	all.Merge(&b)
	s := all.Summary()
	if s.Total != 1200 || s.StatusCounts["ERROR"] != 400 || s.StatusCounts["FAILED"] != 400 || s.StatusCounts["SKIPPED"] != 400 || s.DurationInNanoSeconds != 1200 {
		t.Errorf("summary = %+v", s)
	}
	cases := all.Cases()
	if len(cases) != MaxCases || *cases[0].Name != "a0" || *cases[499].Name != "b99" {
		t.Errorf("%d cases from %s to %s", len(cases), *cases[0].Name, *cases[len(cases)-1].Name)
	}
}

func TestTextsOfCasesAreCutByCharacters(t *testing.T) {
	var tests Tests
	tests.Add(Case{Name: strings.Repeat("ö", 2000), Message: "  " + strings.Repeat("→", 6000), Status: "odd", Duration: -1})
	tests.Add(Case{Name: "a\x00b\xff", Message: "\n"})
	cases := tests.Cases()
	if n := utf8.RuneCountInString(*cases[0].Name); n != MaxName {
		t.Errorf("the name has %d characters, want %d", n, MaxName)
	}
	if n := utf8.RuneCountInString(*cases[0].Message); n != MaxMessage {
		t.Errorf("the message has %d characters, want %d", n, MaxMessage)
	}
	if *cases[0].Status != "UNKNOWN" || *cases[0].DurationInNanoSeconds != 0 {
		t.Errorf("case = %s, %d ns, want UNKNOWN, 0", *cases[0].Status, *cases[0].DurationInNanoSeconds)
	}
	if *cases[1].Name != "a\uFFFDb\uFFFD" || cases[1].Message != nil {
		t.Errorf("case = %q, %v", *cases[1].Name, cases[1].Message)
	}
}

func TestTheSumOfDurationsStaysANumber(t *testing.T) {
	var tests Tests
	tests.Add(Case{Duration: 1<<63 - 1})
	tests.Add(Case{Duration: 1<<63 - 1})
	if got := tests.Summary().DurationInNanoSeconds; got != 1<<63-1 {
		t.Errorf("duration = %d", got)
	}
}

func TestStatusOfARun(t *testing.T) {
	for _, c := range []struct {
		cases []Status
		want  api.ReportStatusType
	}{
		{nil, api.ReportStatusTypeSucceeded},
		{[]Status{Succeeded, Skipped}, api.ReportStatusTypeSucceeded},
		{[]Status{Succeeded, Failed}, api.ReportStatusTypeFailed},
		{[]Status{Succeeded, Errored}, api.ReportStatusTypeFailed},
		{[]Status{Succeeded, Unknown}, api.ReportStatusTypeFailed},
	} {
		var tests Tests
		for _, s := range c.cases {
			tests.Add(Case{Status: s})
		}
		if got := TestStatus(*tests.Summary()); got != c.want {
			t.Errorf("status of %v = %s, want %s", c.cases, got, c.want)
		}
	}
}

func TestCoverageUnitesWhatSeveralResultsSay(t *testing.T) {
	var c Coverage
	for range 2 {
		a, err := c.File("b/a.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []int64{0, 63, 64, 255, 256, 100_000} {
			if err := a.Line(line, line == 64 || line == 256); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Line(63, true); err != nil {
			t.Fatal(err)
		}
		if err := a.Branches(64, 1, 2); err != nil {
			t.Fatal(err)
		}
		if err := a.Branches(63, 0, 4); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := c.File("b/a.go")
	if err := a.Branches(63, 3, 3); err != nil {
		t.Fatal(err)
	}
	b, _ := c.File("a.go")
	for i := range int64(11) {
		if err := b.Line(i, i > 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.File("empty.go"); err != nil {
		t.Fatal(err)
	}

	files := c.Files()
	if len(files) != 2 || c.Measured() != 2 || *files[0].FilePath != "a.go" || *files[1].FilePath != "b/a.go" {
		t.Fatalf("files = %+v", files)
	}
	if f := files[0]; *f.LinesCovered != 10 || *f.LinesMissed != 1 || *f.LineCoveragePercentage != 90.9 || f.BranchCoveragePercentage != nil || *f.BranchesCovered != 0 {
		t.Errorf("a.go: %d of %d lines, %v %%", *f.LinesCovered, *f.LinesMissed, *f.LineCoveragePercentage)
	}
	if f := files[1]; *f.LinesCovered != 3 || *f.LinesMissed != 3 || *f.BranchesCovered != 4 || *f.BranchesMissed != 2 || *f.BranchCoveragePercentage != 66.66 {
		t.Errorf("b/a.go: %d and %d lines, %d and %d branches", *f.LinesCovered, *f.LinesMissed, *f.BranchesCovered, *f.BranchesMissed)
	}
	s := c.Summary()
	if *s.LinesCovered != 13 || *s.LinesMissed != 4 || *s.LineCoveragePercentage != 76.47 || *s.BranchesCovered != 4 || *s.BranchesMissed != 2 {
		t.Errorf("summary: %d and %d lines, %v %%", *s.LinesCovered, *s.LinesMissed, *s.LineCoveragePercentage)
	}
}

func TestCoverageIsBounded(t *testing.T) {
	var c Coverage
	f, _ := c.File("a")
	for _, line := range []int64{-1, maxLine + 1, 1 << 62} {
		if f.Line(line, true) == nil {
			t.Errorf("line %d was taken", line)
		}
	}
	for _, b := range [][2]int64{{-1, 2}, {3, 2}, {1, 1 << 40}} {
		if f.Branches(1, b[0], b[1]) == nil {
			t.Errorf("%d of %d branches were taken", b[0], b[1])
		}
	}
	for i := range maxMeasured - 1 {
		if _, err := c.File(fmt.Sprint("f", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.File("one more"); err == nil {
		t.Error("one more file was taken")
	}
	if _, err := c.File("f7"); err != nil {
		t.Errorf("a file that is known: %v", err)
	}
	var err error
	for i := 0; err == nil; i++ {
		if f, err = c.File(fmt.Sprint("f", i)); err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at <= maxLine && err == nil; at += chunkLines {
			err = f.Line(at, true)
		}
	}
	if c.chunks != maxChunks {
		t.Errorf("%d chunks are held, want %d", c.chunks, maxChunks)
	}

	var long Coverage
	for err = nil; err == nil; {
		_, err = long.File(fmt.Sprint(len(long.files)) + strings.Repeat("ö", MaxName))
		if len(long.files) > maxPaths/MaxName {
			t.Fatalf("%d files with long paths are held", len(long.files))
		}
	}
}
