package format

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/report"
)

// A big reader is a file of so many repetitions.
type big struct {
	begin, end string
	repeat     string
	left       int
	rest       string
	state      int
}

func (b *big) Read(p []byte) (int, error) {
	for b.rest == "" {
		switch {
		case b.state == 0:
			b.rest, b.state = b.begin, 1
		case b.left > 0:
			b.rest = b.repeat
			b.left--
		case b.state == 1:
			b.rest, b.state = b.end, 2
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// bigJUnit returns a JUnit file of so many MB.
func bigJUnit(megabytes int) *big {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "  <testcase classname=\"com.example.shop.CartTest%d\" name=\"adds an item number %d &amp; more\" time=\"0.0%d\"", i%3, i, i)
		switch i {
		case 7:
			b.WriteString("><failure message=\"expected: &lt;0&gt;\" type=\"AssertionError\"><![CDATA[" + strings.Repeat("\tat com.example.shop.CartTest.adds(CartTest.java:31)\n", 20) + "]]></failure></testcase>\n")
		case 12:
			b.WriteString("><system-out>" + strings.Repeat("a line of what the test wrote\n", 30) + "</system-out></testcase>\n")
		default:
			b.WriteString("/>\n")
		}
	}
	return &big{
		begin: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"all\">\n", end: "</testsuite></testsuites>\n",
		repeat: b.String(), left: megabytes << 20 / b.Len(),
	}
}

func BenchmarkJUnit100MB(b *testing.B) {
	b.SetBytes(100 << 20)
	for b.Loop() {
		var x Results
		if err := x.Read(bigJUnit(100), report.JUnitXML, "f"); err != nil {
			b.Fatal(err)
		}
	}
}

// The process that reads results lives beside what user code still runs: it must
// not need memory for all of them.
func TestBigFilesAreReadInLittleMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	debug.FreeOSMemory()
	before := resident(t, "VmRSS")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak is counted from now
		t.Skip("no peak can be measured: ", err)
	}
	in := bigJUnit(40)
	cases := in.left * 20
	var x Results
	if err := x.Read(in, report.JUnitXML, "f"); err != nil {
		t.Fatal(err)
	}
	grown := resident(t, "VmHWM") - before
	t.Logf("peak of memory: %d MB more", grown>>20)
	if x.Tests.Total() != cases || grown > 20<<20 {
		t.Errorf("%d cases, want %d, with %d MB more memory, want at most 20", x.Tests.Total(), cases, grown>>20)
	}
}

// resident returns a figure of /proc/self/status in bytes.
func resident(t *testing.T, name string) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Skip("there is no " + name)
	return 0
}
