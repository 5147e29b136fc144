package format

import (
	"strconv"
	"strings"

	"slipway/internal/report"
)

// A cobertura reads Cobertura's XML, which tools of all languages write:
//
//	coverage > packages > package > classes > class filename > (methods > method >)? lines > line number hits branch condition-coverage
//
// A file has a class for each of its classes, and lines in them may be there
// twice, also as those of a method: each counts once.
type cobertura struct {
	coverage *report.Coverage
	file     *report.File
}

func (v *cobertura) open(path []string, e element) (err error) {
	switch {
	case e.name == "class":
		v.file, err = v.coverage.File(strings.ReplaceAll(e.attr("filename"), `\`, "/"))
		return err
	case e.name != "line" || v.file == nil:
		return nil
	}
	number, err := integer(e, "number")
	if err != nil {
		return err
	}
	hits, err := integer(e, "hits")
	if err != nil {
		return err
	}
	if err := v.file.Line(number, hits > 0); err != nil {
		return err
	}
	if covered, total, ok := conditions(e.attr("condition-coverage")); ok {
		return v.file.Branches(uint64(number), covered, total)
	}
	return nil
}

func (v *cobertura) close(path []string, name, _ string) error {
	if name == "class" && last(path) == "classes" {
		v.file = nil
	}
	return nil
}

// conditions reads what condition-coverage says, such as "50% (1/2)".
func conditions(s string) (covered, total int64, ok bool) {
	_, s, ok = strings.Cut(s, "(")
	if !ok {
		return 0, 0, false
	}
	a, b, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(s), ")"), "/")
	if !ok {
		return 0, 0, false
	}
	covered, err := strconv.ParseInt(strings.TrimSpace(a), 10, 32)
	if err != nil {
		return 0, 0, false
	}
	total, err = strconv.ParseInt(strings.TrimSpace(b), 10, 32)
	return covered, total, err == nil
}
