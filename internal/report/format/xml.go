package format

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"slipway/internal/report"
)

// An element is a tag that opens. Namespaces are left aside: each format has
// one, and tools disagree about it.
type element struct {
	name  string
	attrs []xml.Attr
}

// attr returns the value of an attribute, or "".
func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) has(name string) bool {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return true
		}
	}
	return false
}

// A visitor hears of the elements of a file in order. Its errors end that.
type visitor interface {
	// open hears of an element within those that path names, outermost first.
	// Neither is the visitor's after it returns.
	open(path []string, e element) error
	// close hears that an element ends; text is what stood between its end and
	// the last tag before that.
	close(path []string, name, text string) error
}

// A finisher is a visitor that has something left to do at a file's end.
type finisher interface{ finish() }

// xmlReader returns the function that reads a file with a new visitor.
func xmlReader(of func(x *Results, path string) visitor) func(*Results, *bufio.Reader, string) error {
	return func(x *Results, r *bufio.Reader, path string) error {
		v := of(x, path)
		t := newTamer(r)
		err := walk(t, v)
		if f, ok := v.(finisher); ok {
			f.finish() // what was read counts, also of a file that breaks off
		}
		return explained(err, t.line)
	}
}

// walk passes all elements of a file to v.
func walk(r io.Reader, v visitor) error {
	d := xml.NewDecoder(r)
	var path []string
	var text []byte
	ended := false
	for {
		token, err := d.Token()
		if err == io.EOF && ended {
			return nil
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if ended {
				return errors.New("the file goes on after its outermost element")
			}
			if len(path) == maxDepth {
				return fmt.Errorf("more than %d elements are in each other", maxDepth)
			}
			text = text[:0]
			if err := v.open(path, element{token.Name.Local, token.Attr}); err != nil {
				return err
			}
			path = append(path, token.Name.Local)
		case xml.CharData:
			text = append(text, token...)
		case xml.EndElement:
			path = path[:len(path)-1]
			if err := v.close(path, token.Name.Local, string(bytes.TrimSpace(text))); err != nil {
				return err
			}
			text = text[:0]
			ended = len(path) == 0
		}
	}
}

// explained says where an error is, in words for users.
func explained(err error, line int) error {
	if err == nil {
		return nil
	}
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		return fmt.Errorf("the file breaks off in line %d: the tool that wrote it was ended, or is still writing", line+1)
	case errors.As(err, &syntax):
		return fmt.Errorf("the file is no proper XML near line %d: %s", line+1, syntax.Msg)
	}
	return fmt.Errorf("near line %d: %w", line+1, err)
}

// detect returns the format of a file by its first bytes, and the name of the
// outermost element if it is XML. It takes nothing from r.
func detect(r *bufio.Reader) (f report.Format, root string, err error) {
	head, err := r.Peek(headSize)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return "", "", err
	}
	switch first := bytes.TrimSpace(head); {
	case len(first) == 0:
		return "", "", ErrEmpty
	case first[0] == '[' || first[0] == '{':
		return detectJSON(head), "", nil
	case first[0] != '<':
		return "", "", nil
	}
	var s sniffer
	t := newTamer(bufio.NewReaderSize(bytes.NewReader(head), 4096))
	if err := walk(t, &s); s.root == "" {
		if errors.Is(err, errDocument) {
			return "", "", explained(err, t.line)
		}
		return "", "", nil // no element begins: it is no XML
	}
	return s.format, s.root, nil
}

// A sniffer tells the format by the outermost element, and some by what it has.
type sniffer struct {
	root   string
	format report.Format
}

var errKnown = errors.New("the format is known")

var roots = map[string]report.Format{
	"testsuites": report.JUnitXML, "testsuite": report.JUnitXML,
	"test-results": report.NUnitXML, "test-run": report.NUnit3XML,
	"testng-results": report.TestNGXML, "TestRun": report.VisualStudioTRX,
}

func (s *sniffer) open(path []string, e element) error {
	if len(path) == 0 {
		s.root, s.format = e.name, roots[e.name]
		switch {
		case e.name == "coverage" && (e.has("line-rate") || e.has("branch-rate")):
			s.format = report.CoberturaXML
		case e.name == "coverage" && (e.has("generated") || e.has("clover")):
			s.format = report.CloverXML
		case e.name == "coverage" || e.name == "report":
			return nil // what is in it tells
		}
		return errKnown
	}
	switch {
	case s.root == "report" && (e.name == "sessioninfo" || e.name == "package" || e.name == "group" || e.name == "counter"):
		s.format = report.JaCoCoXML
	case s.root == "coverage" && (e.name == "packages" || e.name == "sources"):
		s.format = report.CoberturaXML
	case s.root == "coverage" && (e.name == "project" || e.name == "testproject"):
		s.format = report.CloverXML
	}
	return errKnown
}

func (s *sniffer) close([]string, string, string) error { return nil }

// last returns the last of path, or "".
func last(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}

// seconds reads a number of seconds. Tools write 0.123, in some languages
// 0,123, and others 1,234.5. What is none is 0.
func seconds(s string) time.Duration {
	s = strings.TrimSpace(s)
	switch {
	case strings.Contains(s, ".") || strings.Count(s, ",") > 1:
		s = strings.ReplaceAll(s, ",", "")
	default:
		s = strings.ReplaceAll(s, ",", ".")
	}
	return scaled(s, time.Second)
}

// scaled reads a number of units.
func scaled(s string, unit time.Duration) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	n *= float64(unit)
	if err != nil || !(n > 0) {
		return 0
	}
	if n >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(n))
}

// message joins what a tool says in several places, unless one has the other.
func message(parts ...string) string {
	out := ""
	for _, p := range parts {
		p = strings.TrimSpace(p)
		switch {
		case p == "" || strings.Contains(out, p):
		case out == "" || strings.Contains(p, out):
			out = p
		default:
			out += "\n" + p
		}
	}
	return out
}

// plus adds durations that are not negative; the sum stays one.
func plus(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
