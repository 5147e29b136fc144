package format

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/report"
)

// A line is a case in few words: suite|prefix|name|status|nanoseconds|message.
func line(c api.TestCase) string {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return fmt.Sprintf("%s|%s|%s|%s|%d|%s", text(c.TestSuiteName), *c.Prefix, *c.Name, *c.Status, *c.DurationInNanoSeconds, text(c.Message))
}

// The figures in this table were counted by hand, from the files.
var testFiles = map[string]struct {
	format report.Format
	counts map[string]int
	total  int
	nanos  int64
	cases  []string
}{
	"junit-surefire.xml": {
		report.JUnitXML, map[string]int{"SUCCEEDED": 4, "FAILED": 2, "ERROR": 1, "SKIPPED": 1, "UNKNOWN": 0}, 8, 1_201_250_000_000,
		[]string{
			"shop.CartTest|shop.CartTest|refusesMinusOne|FAILED|3000000|org.opentest4j.AssertionFailedError: expected: <0> but was: <-1>\n\tat shop.CartTest.refusesMinusOne(CartTest.java:31)",
			"shop.CartTest|shop.CartTest|asksTheBank|ERROR|200000000|java.net.ConnectException: connection refused\n\tat shop.Bank.ask(Bank.java:12)",
			"shop.CartTest|shop.CartTest|[2] currency=¥, amount=−1|FAILED|31000000|",
			"shop.CartTest|shop.CartTest|addsAnItem|SUCCEEDED|12000000|",
			"shop.CartTest|shop.CartTest|takesAHugeCart|SUCCEEDED|1200500000000|",
			"shop.CartTest|shop.CartTest|needsWindows|SKIPPED|0|only on Windows",
			"shop.CartTest|shop.CartTest|flaky|SUCCEEDED|500000000|",
			"shop.CartTest|shop.CartTest|[1] currency=€, amount=3,50|SUCCEEDED|4000000|",
		},
	},
	"junit-nested.xml": {
		report.JUnitXML, map[string]int{"SUCCEEDED": 4, "FAILED": 0, "ERROR": 1, "SKIPPED": 1, "UNKNOWN": 0}, 6, 752_000_000,
		[]string{
			"inner|inner|fails twice|ERROR|1000000|first\none\nthen\ntwo",
			"outer|outer|in outer|SUCCEEDED|250000000|",
			"inner|inner|renders › the übersicht|SUCCEEDED|500000000|",
			"outer|outer.Late|back in outer|SUCCEEDED|0|",
			"gtest|Slow|DISABLED_Slow|SKIPPED|0|",
			"gtest|Quick|Quick|SUCCEEDED|1000000|",
		},
	},
	"junit-control.xml": {
		report.JUnitXML, map[string]int{"SUCCEEDED": 0, "FAILED": 1, "ERROR": 0, "SKIPPED": 0, "UNKNOWN": 0}, 1, 1_000_000_000,
		[]string{"control|control|a &nbsp; b\uFFFD[31m|FAILED|1000000000|escape \uFFFD[31mred\uFFFD[0m \uFFFD &undefined; & more\nbytes \uFFFD\uFFFD and ]]> \uFFFD"},
	},
	"junit-latin1.xml": {
		report.JUnitXML, map[string]int{"SUCCEEDED": 1, "FAILED": 0, "ERROR": 0, "SKIPPED": 0, "UNKNOWN": 0}, 1, 100_000_000,
		[]string{"grüße|Straße|über ©|SUCCEEDED|100000000|"},
	},
	"nunit.xml": {
		report.NUnitXML, map[string]int{"SUCCEEDED": 3, "FAILED": 1, "ERROR": 3, "SKIPPED": 2, "UNKNOWN": 0}, 9, 49_000_000,
		[]string{
			"CartTests|Shop.CartTests|Shop.CartTests.Refuses|FAILED|20000000|Expected: 0\n  But was:  -1\nat Shop.CartTests.Refuses () in /build/CartTests.cs:line 31",
			"CartTests|Shop.CartTests|Shop.CartTests.Breaks|ERROR|10000000|System.ApplicationException : on purpose",
			"CartTests|Shop.CartTests|Shop.CartTests.NotRunnable|ERROR|0|No arguments were provided",
			"CartTests|Shop.CartTests|Shop.CartTests.Unclear|ERROR|1000000|",
			"CartTests|Shop.CartTests|Shop.CartTests.Adds|SUCCEEDED|16000000|",
			"CartTests|Shop.CartTests|Shop.CartTests.Later|SKIPPED|0|not yet",
			"CartTests|Shop.CartTests|Shop.CartTests.OtherCulture|SKIPPED|0|Only under culture en-US",
			"Sums|Shop.CartTests|Shop.CartTests.Sums(1.5d,\"a.b\")|SUCCEEDED|1000000|",
			"Sums|Shop.CartTests|Shop.CartTests.Sums(2.5d,\"ü\")|SUCCEEDED|1000000|",
		},
	},
	"nunit3.xml": {
		report.NUnit3XML, map[string]int{"SUCCEEDED": 4, "FAILED": 1, "ERROR": 3, "SKIPPED": 1, "UNKNOWN": 0}, 9, 600_000_000,
		[]string{
			"CartTests|Shop.CartTests|Refuses|FAILED|20000000|Expected: 0\n  But was:  -1\nat Shop.CartTests.Refuses() in /build/CartTests.cs:line 31",
			"CartTests|Shop.CartTests|Breaks|ERROR|500000000|System.Exception : on purpose",
			"CartTests|Shop.CartTests|NotRunnable|ERROR|0|No arguments were provided",
			"CartTests|Shop.CartTests|Unclear|ERROR|1000000|nothing to look at",
			"CartTests|Shop.CartTests|Adds|SUCCEEDED|16000000|",
			"CartTests|Shop.CartTests|Later|SKIPPED|0|not yet",
			"CartTests|Shop.CartTests|Warns|SUCCEEDED|2000000|slow",
			"Sums|Shop.CartTests|Sums(1.5d,\"ü\")|SUCCEEDED|1000000|",
			"Global|Shop.Global|Alone|SUCCEEDED|60000000|",
		},
	},
	"testng.xml": {
		report.TestNGXML, map[string]int{"SUCCEEDED": 3, "FAILED": 2, "ERROR": 1, "SKIPPED": 1, "UNKNOWN": 1}, 8, 96_000_000,
		[]string{
			"Nightly|shop.CartTest|refuses|FAILED|30000000|java.lang.AssertionError: expected [0] but found [-1]\n\tat shop.CartTest.refuses(CartTest.java:31)",
			"Nightly|shop.CartTest|sums(2, null)|FAILED|2000000|java.lang.NullPointerException",
			"Nightly|shop.BankTest|connect|ERROR|40000000|connection refused",
			"Nightly|shop.CartTest|adds|SUCCEEDED|12000000|",
			"Nightly|shop.CartTest|sums(1, ü)|SUCCEEDED|1000000|",
			"Nightly|shop.BankTest|pays|SKIPPED|0|",
			"Nightly|shop.BankTest|mostly|SUCCEEDED|8000000|",
			"Nightly|shop.BankTest|odd|UNKNOWN|3000000|",
		},
	},
	"visualstudio.trx":       {report.VisualStudioTRX, trxCounts, 8, trxNanos, trxCases},
	"visualstudio-utf16.trx": {report.VisualStudioTRX, trxCounts, 8, trxNanos, trxCases},
	"cucumber.json": {
		report.CucumberJSON, map[string]int{"SUCCEEDED": 2, "FAILED": 1, "ERROR": 2, "SKIPPED": 2, "UNKNOWN": 2}, 9, 13_000_015,
		[]string{
			"Cart|Cart|Refusing|FAILED|1000000|Given an empty cart\njava.lang.AssertionError: the cart is not empty",
			"Bank ünd Börse|Bank ünd Börse|Two ways|ERROR|0|Several definitions fit the step: When I go\na.rb, b.rb",
			"Bank ünd Börse|Bank ünd Börse|Hook breaks|ERROR|5|no browser",
			"Cart|Cart|Adding an item|SUCCEEDED|12000000|",
			"Bank ünd Börse|Bank ünd Börse|Paying (line 7)|SUCCEEDED|10|",
			"Bank ünd Börse|Bank ünd Börse|Paying (line 8)|UNKNOWN|0|There is no definition of the step: When I pay 2",
			"Bank ünd Börse|Bank ünd Börse|Unwritten|UNKNOWN|0|The definition of the step is not written yet: When I wait\nTODO",
			"Bank ünd Börse|Bank ünd Börse|Not today|SKIPPED|0|",
			"Bank ünd Börse|Bank ünd Börse|Without steps|SKIPPED|0|",
		},
	},
}

var (
	trxCounts = map[string]int{"SUCCEEDED": 2, "FAILED": 2, "ERROR": 2, "SKIPPED": 1, "UNKNOWN": 1}
	trxCases  = []string{
		"shop.tests.dll|Shop.CartTests|Refuses|FAILED|20000000|Assert.AreEqual failed. Expected:<0>. Actual:<-1>.\nat Shop.CartTests.Refuses() in /build/CartTests.cs:line 31",
		"shop.tests.dll|Shop.BankTests|Hangs|ERROR|93784500000000|",
		"shop.tests.dll|Shop.CartTests|Sums (2,€)|FAILED|10000000|no",
		"|Shop.Loose|Shop.Loose.Unclear(a.b)|ERROR|1000000|",
		"shop.tests.dll|Shop.CartTests|Adds|SUCCEEDED|16000000|",
		"shop.tests.dll|Shop.CartTests|Later|SKIPPED|0|",
		"shop.tests.dll|Shop.CartTests|Sums (1,ü)|SUCCEEDED|10000000|",
		"||Odd|UNKNOWN|0|",
	}
)

const trxNanos = 93_784_500_000_000 + 57_000_000

func TestTestResultsAreRead(t *testing.T) {
	for name, want := range testFiles {
		t.Run(name, func(t *testing.T) {
			var x Results
			if err := readFile(&x, want.format, name); err != nil {
				t.Fatal(err)
			}
			s := x.Tests.Summary()
			if s.Total != want.total || s.DurationInNanoSeconds != want.nanos || !maps.Equal(s.StatusCounts, want.counts) {
				t.Errorf("summary = %d cases, %d ns, %v, want %d, %d, %v", s.Total, s.DurationInNanoSeconds, s.StatusCounts, want.total, want.nanos, want.counts)
			}
			var got []string
			for _, c := range x.Tests.Cases() {
				got = append(got, line(c))
				if *c.TestRawDataPath != "sub/"+name {
					t.Errorf("%s has the path %s", *c.Name, *c.TestRawDataPath)
				}
			}
			if d := cmp.Diff(want.cases, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Lines covered and missed, branches covered and missed; by hand again.
var coverageFiles = map[string]struct {
	format report.Format
	files  map[string][4]int
}{
	"cobertura.xml": {report.CoberturaXML, map[string][4]int{
		"shop/cart.py":   {5, 1, 1, 5}, // lines 1 3 4 6 12, and 7; 1 of 2 and 0 of 4
		"Bank/Wäsche.cs": {0, 2, 0, 0},
	}},
	"clover-openclover.xml": {report.CloverXML, map[string][4]int{
		"/codebuild/src/main/java/shop/Cart.java": {2, 3, 3, 3}, // lines 6 7, and 8 9 13; of line 7 1 of 2 and 2 of 2, of line 9 none
	}},
	"clover-istanbul.xml": {report.CloverXML, map[string][4]int{
		"/codebuild/src/cart.ts": {2, 1, 3, 1},
		"/codebuild/src/bank.ts": {2, 0, 0, 0},
	}},
	"clover-phpunit.xml": {report.CloverXML, map[string][4]int{"/codebuild/src/Cart.php": {2, 1, 0, 0}}},
	"jacoco.xml": {report.JaCoCoXML, map[string][4]int{
		"core/shop/cart/Cart.java": {3, 1, 5, 3},
		"web/shop/cart/Cart.java":  {0, 1, 0, 0},
		"web/Main.kt":              {1, 0, 0, 0},
	}},
	"simplecov-resultset.json": {report.SimpleCov, map[string][4]int{
		"/codebuild/src/lib/cart.rb": {3, 1, 2, 2},
		"/codebuild/src/lib/müll.rb": {1, 1, 0, 0},
	}},
	"simplecov-old.json":      {report.SimpleCov, map[string][4]int{"/codebuild/src/lib/cart.rb": {3, 1, 0, 0}}},
	"simplecov-coverage.json": {report.SimpleCov, map[string][4]int{"/codebuild/src/lib/cart.rb": {3, 1, 1, 1}}},
}

func TestCoverageIsRead(t *testing.T) {
	for name, want := range coverageFiles {
		t.Run(name, func(t *testing.T) {
			var x Results
			for range 2 { // the same once more changes nothing
				if err := readFile(&x, want.format, name); err != nil {
					t.Fatal(err)
				}
				got := map[string][4]int{}
				for _, f := range x.Coverage.Files() {
					got[*f.FilePath] = [4]int{*f.LinesCovered, *f.LinesMissed, *f.BranchesCovered, *f.BranchesMissed}
				}
				if d := cmp.Diff(want.files, got); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestTheFormatOfAFileShows(t *testing.T) {
	formats := map[string]report.Format{}
	for name, f := range testFiles {
		formats[name] = f.format
	}
	for name, f := range coverageFiles {
		formats[name] = f.format
	}
	all, err := filepath.Glob("testdata/*.*")
	if err != nil || len(all) != len(formats) {
		t.Fatalf("%d files in testdata and %d in the tables: %v", len(all), len(formats), err)
	}
	for name, want := range formats {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := Detect(bytes.NewReader(text)); got != want {
			t.Errorf("%s is in format %q, want %s", name, got, want)
		}
		for _, f := range report.Formats {
			var x Results
			err := x.Read(bytes.NewReader(text), f, name)
			m, ok := errors.AsType[*Mismatch](err)
			if f != want && (!ok || m.Found != want || m.Want != f || x.Tests.Total()+x.Coverage.Measured() > 0) {
				t.Errorf("%s read as %s: %v", name, f, err)
			}
		}
	}
}

func TestOtherFilesAreNoResults(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "the file is empty",
		" \n\t":                    "the file is empty",
		"\uFEFF":                   "the file is empty",
		"Tests run: 3":             "expected element type <testsuite> but the file is no XML",
		"<":                        "expected element type <testsuite> but the file is no XML",
		"<assemblies/>":            "expected element type <testsuite> but have <assemblies>",
		"<coverage/>":              "expected element type <testsuite> but have <coverage>",
		"<report><a/></report>":    "expected element type <testsuite> but have <report>",
		`{"name": "package"}`:      "expected element type <testsuite> but the file is no XML",
		`[{"name": "x", "a": 1}]`:  "expected element type <testsuite> but the file is no XML",
		"<testsuite><testcase":     "the file breaks off in line 1: the tool that wrote it was ended, or is still writing",
		"<testsuite>\n\n":          "the file breaks off in line 3: the tool that wrote it was ended, or is still writing",
		"<testsuite></a>":          "the file is no proper XML near line 1: element <testsuite> closed by </a>",
		"<testsuite/><testsuite/>": "near line 1: the file goes on after its outermost element",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><testsuite>&b;</testsuite>":     "near line 1: the document type declares something: that is refused, since no test tool needs it",
		"<?xml version='1.0' encoding='ebcdic-cp-xx'?><testsuite/>":    "the file is in the encoding ebcdic-cp-xx, which is not known here: have it written in UTF-8",
		strings.Repeat("<testsuite>", 300):                             "near line 1: more than 200 elements are in each other",
		"<testsuite><a " + strings.Repeat("b='c' ", 300_000) + "/>":    "near line 1: a tag has more than 1048576 bytes",
		"<testsuite><testcase name='a'/><testcase name='b'></testsui>": "the file is no proper XML near line 1: element <testcase> closed by </testsui>",
	} {
		var x Results
		err := x.Read(strings.NewReader(text), report.JUnitXML, "f")
		if err == nil || err.Error() != want {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"<testsuites/>":         "expected JSON but have <testsuites>",
		"[]":                    "the file is no JSON of CUCUMBERJSON",
		"no":                    "the file is no JSON of CUCUMBERJSON",
		`[{"elements": [`:       "the file breaks off in line 1: the tool that wrote it was ended, or is still writing",
		"[{\"elements\": [\n{]": "the file is no proper JSON near line 2: invalid character ']'",
		`[{"elements": ` + strings.Repeat("[", 300):   "near line 1: more than 200 values are in each other",
		`[{"elements": 1` + strings.Repeat("1", 2000): "near line 1: something that is no text has more than 1000 characters",
	} {
		var x Results
		err := x.Read(strings.NewReader(text), report.CucumberJSON, "f")
		if err == nil || err.Error() != want {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

func TestWhatIsReadBeforeAFileBreaksOffStays(t *testing.T) {
	for name, want := range testFiles {
		if want.total < 3 {
			continue
		}
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var x Results
		if err := x.Read(bytes.NewReader(text[:len(text)*3/4]), want.format, name); err == nil || !strings.Contains(err.Error(), "breaks off") {
			t.Errorf("%s, cut: %v", name, err)
		}
		if n := x.Tests.Total(); n == 0 || n > want.total {
			t.Errorf("%s, cut, has %d cases, want some of %d", name, n, want.total)
		}
	}
}

func TestLongTextsDoNotHurt(t *testing.T) {
	long := strings.Repeat("ä&amp;<!-- no --><![CDATA[]]]]><![CDATA[<b>]]>", 50_000)
	var x Results
	text := "<testsuite><testcase name='" + strings.Repeat("ö&#246;<", 100_000) + "'><failure>" + long + "</failure><system-out>" + long + "</system-out></testcase></testsuite>"
	if err := x.Read(strings.NewReader(text), report.JUnitXML, "f"); err != nil {
		t.Fatal(err)
	}
	c := x.Tests.Cases()[0]
	if got, want := *c.Name, strings.Repeat("öö<", 334)[:1000+667]; got != want {
		t.Errorf("name = %.60q… of %d bytes, want %d", got, len(got), len(want))
	}
	if got, want := *c.Message, strings.Repeat("ä&]]<b>", 715)[:5000+715]; got != want {
		t.Errorf("message = %.60q… of %d bytes, want %d", got, len(got), len(want))
	}

	x = Results{}
	text = `[{"name": "f", "elements": [{"type": "scenario", "name": "` + strings.Repeat(`ö\u00f6\"\\`, 100_000) + `", "x": "` + strings.Repeat("A", 1<<20) + `"}]}]`
	if err := x.Read(strings.NewReader(text), report.CucumberJSON, "f"); err != nil {
		t.Fatal(err)
	}
	if got, want := *x.Tests.Cases()[0].Name, strings.Repeat(`öö"\`, 250); got != want {
		t.Errorf("name = %.60q… of %d bytes, want %d", got, len(got), len(want))
	}
}

func readFile(x *Results, f report.Format, name string) error {
	file, err := os.Open("testdata/" + name)
	if err != nil {
		return err
	}
	defer file.Close()
	return x.Read(file, f, "sub/"+name)
}
