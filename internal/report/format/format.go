// Package format reads the files in which tools leave the results of tests and
// the coverage of code.
//
// Files are what strangers wrote, and may be large: they are read as a stream,
// in memory that is bounded whatever they hold, entities of their own are not
// expanded and nothing else is ever opened. What is counted are the cases and
// the lines; the sums that files have too are not looked at, since tools get
// them wrong.
package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"slipway/internal/report"
)

// Limits of a file.
const (
	maxFile  = 1 << 30  // bytes
	maxText  = 64 << 10 // bytes of one text: what is longer is cut, and all that is kept of it is shorter
	maxTag   = 1 << 20  // bytes of one tag
	maxDepth = 200      // elements, or values, in each other
	headSize = 64 << 10 // bytes in which the format of a file shows
)

// ErrEmpty is a file without content.
var ErrEmpty = errors.New("the file is empty")

// A Mismatch is a file that is not in the format it should be in.
type Mismatch struct {
	Want  report.Format
	Found report.Format // empty if it is none of the ten
	Root  string        // the file's outermost element; empty if it is no XML
}

func (m *Mismatch) Error() string {
	root := readers[m.Want].root
	switch {
	case root == "" && m.Root != "":
		return fmt.Sprintf("expected JSON but have <%s>", m.Root)
	case root == "":
		return "the file is no JSON of " + string(m.Want)
	case m.Root == "":
		return "expected element type <" + root + "> but the file is no XML"
	}
	return fmt.Sprintf("expected element type <%s> but have <%s>", root, m.Root)
}

// Results are what was read. The zero Results is ready.
type Results struct {
	Tests    report.Tests
	Coverage report.Coverage
}

// A reader reads files of one format.
type reader struct {
	root string // the outermost element of its XML; empty for JSON
	read func(x *Results, r *bufio.Reader, path string) error
}

var readers map[report.Format]reader

func init() { // the readers and Mismatch lead to each other
	readers = map[report.Format]reader{
		report.JUnitXML:        {"testsuite", xmlReader(func(x *Results, path string) visitor { return &junit{tests: &x.Tests, file: path} })},
		report.NUnitXML:        {"test-results", xmlReader(func(x *Results, path string) visitor { return &nunit{tests: &x.Tests, file: path} })},
		report.NUnit3XML:       {"test-run", xmlReader(func(x *Results, path string) visitor { return &nunit3{tests: &x.Tests, file: path} })},
		report.TestNGXML:       {"testng-results", xmlReader(func(x *Results, path string) visitor { return &testng{tests: &x.Tests, file: path} })},
		report.VisualStudioTRX: {"TestRun", xmlReader(func(x *Results, path string) visitor { return &trx{tests: &x.Tests, file: path} })},
		report.CloverXML:       {"coverage", xmlReader(func(x *Results, _ string) visitor { return &clover{coverage: &x.Coverage} })},
		report.CoberturaXML:    {"coverage", xmlReader(func(x *Results, _ string) visitor { return &cobertura{coverage: &x.Coverage} })},
		report.JaCoCoXML:       {"report", xmlReader(func(x *Results, _ string) visitor { return &jacoco{coverage: &x.Coverage} })},
		report.CucumberJSON:    {"", readCucumber},
		report.SimpleCov:       {"", func(x *Results, r *bufio.Reader, _ string) error { return readSimpleCov(&x.Coverage, r) }},
	}
}

// Read adds what a file in format f tells, which is known by path. Its errors
// are for the user whose tool wrote the file: ErrEmpty, a *Mismatch, or what is
// wrong with the file; what was read until then stays.
func (x *Results) Read(r io.Reader, f report.Format, path string) error {
	text, err := open(r)
	if err != nil {
		return err
	}
	found, root, err := detect(text)
	if err != nil {
		return err
	}
	if found != f {
		return &Mismatch{Want: f, Found: found, Root: root}
	}
	return readers[f].read(x, text, path)
}

// Detect returns the format that a file is in, or "". It reads little of r.
func Detect(r io.Reader) report.Format {
	text, err := open(r)
	if err != nil {
		return ""
	}
	found, _, err := detect(text)
	if err != nil {
		return ""
	}
	return found
}

// open returns a reader of a file's text as UTF-8.
func open(r io.Reader) (*bufio.Reader, error) {
	raw := bufio.NewReaderSize(&limited{r: r, left: maxFile}, 4096)
	decoder, err := decoderOf(raw)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(decoder.Reader(raw), headSize), nil
}

// A limited reader fails instead of reading more than it may.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("the file has more than %d MB", maxFile>>20)
	}
	n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}
