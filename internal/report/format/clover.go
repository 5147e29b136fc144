package format

import (
	"cmp"
	"fmt"
	"strconv"

	"slipway/internal/report"
)

// A clover reads the XML of Clover, and what PHPUnit and Istanbul write alike:
//
//	coverage > project > package? > file name path > line num type count truecount falsecount
//
// Lines of type method are not counted: they are where a method is declared.
type clover struct {
	coverage *report.Coverage
	file     *report.File
	branchy  map[int64]uint64 // how many places that branch each line of the file has so far
}

func (v *clover) open(path []string, e element) (err error) {
	switch {
	case e.name == "file":
		v.branchy = map[int64]uint64{}
		v.file, err = v.coverage.File(cmp.Or(e.attr("path"), e.attr("name")))
		return err
	case e.name != "line" || v.file == nil || e.attr("type") == "method":
		return nil
	}
	number, err := integer(e, "num")
	if err != nil {
		return err
	}
	if e.attr("type") != "cond" {
		count, err := integer(e, "count")
		if err != nil {
			return err
		}
		return v.file.Line(number, count > 0)
	}
	yes, err := integer(e, "truecount")
	if err != nil {
		return err
	}
	no, err := integer(e, "falsecount")
	if err != nil {
		return err
	}
	nth := v.branchy[number]
	v.branchy[number]++
	place := uint64(number)<<16 | nth&0xFFFF
	if !e.has("count") { // Clover: how often it was true, and how often false
		if err := v.file.Line(number, yes+no > 0); err != nil {
			return err
		}
		return v.file.Branches(place, min(yes, 1)+min(no, 1), 2)
	}
	// Istanbul: how many branches of the line were taken, and how many not.
	count, err := integer(e, "count")
	if err != nil {
		return err
	}
	if err := v.file.Line(number, count > 0); err != nil {
		return err
	}
	return v.file.Branches(place, yes, yes+no)
}

func (v *clover) close(path []string, name, _ string) error {
	if name == "file" {
		v.file = nil
	}
	return nil
}

// integer reads an attribute that counts; without it, it is 0. One that is too
// much for a number of 62 bits is that.
func integer(e element, name string) (int64, error) {
	s := e.attr(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange && n > 0 {
		err = nil
	}
	if err != nil {
		if len(s) > 40 {
			s = s[:40]
		}
		return 0, fmt.Errorf("the %s of <%s> is %q, which is no number", name, e.name, s)
	}
	return min(n, 1<<61), nil
}
