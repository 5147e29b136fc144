package project

import (
	"fmt"
	"strconv"
)

// A Fault is one rule that a project breaks.
type Fault struct {
	Member  string // as a path, such as source.location or environment.environmentVariables[2].name, counted from 0
	Message string // as CreateProject answers it; holds no secret
}

// maxFaults bounds what is told of one project.
const maxFaults = 100

// faults gathers broken rules in the order in which they are checked.
type faults struct{ all []Fault }

// add tells of a broken rule of the member called name of what is at a path;
// either may be empty.
func (f *faults) add(at path, name, format string, args ...any) {
	if len(f.all) < maxFaults {
		f.all = append(f.all, Fault{string(at.field(name)), fmt.Sprintf(format, args...)})
	}
}

// first returns the first fault as an error of kind Invalid; nil if there is none.
func (f *faults) first() error {
	if len(f.all) == 0 {
		return nil
	}
	return invalid("%s", f.all[0].Message)
}

// A path is where in a project something is.
type path string

func (p path) field(name string) path {
	if p == "" || name == "" {
		return p + path(name)
	}
	return p + "." + path(name)
}

// element returns the path of element i of the list at p.
func (p path) element(i int) path { return p + path("["+strconv.Itoa(i)+"]") }
