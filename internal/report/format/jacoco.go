package format

import (
	"strings"

	"slipway/internal/report"
)

// A jacoco reads JaCoCo's XML:
//
//	report > group* > package name > sourcefile name > line nr mi ci mb cb
//
// mi and ci are the instructions missed and covered, mb and cb the branches. A
// line of which any instruction was run is covered, as in JaCoCo's own figures.
type jacoco struct {
	coverage *report.Coverage
	groups   []string // modules, when a report is of several
	pkg      string
	file     *report.File
}

func (v *jacoco) open(path []string, e element) (err error) {
	switch {
	case e.name == "group":
		v.groups = append(v.groups, e.attr("name"))
		return nil
	case e.name == "package":
		v.pkg = e.attr("name")
		return nil
	case e.name == "sourcefile":
		v.file, err = v.coverage.File(strings.Join(append(append([]string{}, v.groups...), nonempty(v.pkg, e.attr("name"))...), "/"))
		return err
	case e.name != "line" || v.file == nil:
		return nil
	}
	number, err := integer(e, "nr")
	if err != nil {
		return err
	}
	run, err := integer(e, "ci")
	if err != nil {
		return err
	}
	if err := v.file.Line(number, run > 0); err != nil {
		return err
	}
	missed, err := integer(e, "mb")
	if err != nil {
		return err
	}
	covered, err := integer(e, "cb")
	if err != nil {
		return err
	}
	return v.file.Branches(uint64(number), covered, covered+missed)
}

func (v *jacoco) close(path []string, name, _ string) error {
	switch name {
	case "group":
		if len(v.groups) > 0 {
			v.groups = v.groups[:len(v.groups)-1]
		}
	case "package":
		v.pkg = ""
	case "sourcefile":
		v.file = nil
	}
	return nil
}

func nonempty(all ...string) (out []string) {
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
