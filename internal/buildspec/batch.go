package buildspec

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Batch says which builds a batch build is made of. One of List, Graph,
// Matrix and Fanout is there.
type Batch struct {
	FastFail bool   // one task that fails stops the others
	List     []Task // which run at the same time
	Graph    []Task // which wait for one another; no task waits for itself, and all that are waited for exist
	Matrix   *Matrix
	Fanout   *Fanout
}

// A Task is one build of a list or graph. What it leaves empty is as in the
// batch's own project and buildspec.
type Task struct {
	Identifier    string // letters, digits and underscores, fewer than 128, each once
	Buildspec     string // a path in the source
	DebugSession  bool
	IgnoreFailure bool     // its failure does not make the batch fail
	DependOn      []string // identifiers of tasks that end before it begins, in a graph
	Environment   TaskEnvironment
}

// A TaskEnvironment is what a task has in place of the project's.
type TaskEnvironment struct {
	ComputeType, Image, Type, Fleet string
	Privileged                      *bool // nil: as the project
	Variables                       []Variable
}

// A Matrix is a build for every combination of its lists. An empty list means
// the project's own value.
type Matrix struct {
	IgnoreFailure bool
	Environment   TaskEnvironment // of all builds; what a list has is empty

	Buildspecs, ComputeTypes, Images []string
	Variables                        []Axis // in the order they are written
}

// An Axis is a variable and the values it has in a Matrix.
type Axis struct {
	Name   string
	Values []string
}

// A Fanout is a number of builds that are all the same.
type Fanout struct {
	Parallelism   int // at least 1
	IgnoreFailure bool
}

// batchKinds are the keys of which a batch has one.
var batchKinds = []string{"build-list", "build-graph", "build-matrix", "build-fanout"}

// ParseBatch reads the batch block of a buildspec that Parse takes. Every error
// is an *Error. A version in quotes, which Parse takes, is refused: CodeBuild
// reads it as a number here.
func ParseBatch(text []byte) (*Batch, error) {
	doc, err := document(text)
	if err != nil {
		return nil, err
	}
	s := new(Spec)
	r := newReader(text, nil)
	r.strict = true
	if err := r.spec(doc, s); err != nil {
		return nil, err
	}
	if s.Batch == nil {
		return nil, &Error{Message: "BatchSpec has invalid values..\nThe buildspec has no batch block.", invalid: true}
	}
	return s.Batch, nil
}

// batch reads the block, nil if there is none.
func (r *reader) batch(n, version *yaml.Node) (*Batch, error) {
	if n == nil {
		return nil, nil
	}
	if version != nil && version.ShortTag() == "!!str" {
		if err := r.wrongKind(version, "float64"); err != nil {
			return nil, err
		}
	}
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	r.lint.block(k, "batch", append([]string{"fast-fail"}, batchKinds...)...)
	b := new(Batch)
	if b.FastFail, err = r.boolean(k.get("fast-fail")); err != nil {
		return nil, err
	}
	var kinds []string
	for _, kind := range batchKinds {
		if k.has(kind) {
			kinds = append(kinds, kind)
		}
	}
	switch len(kinds) {
	case 0:
		return b, r.invalid(n, "batch needs one of "+strings.Join(batchKinds, ", "))
	case 1:
	default:
		return b, r.invalid(k.at[kinds[1]], fmt.Sprintf("batch may have one of %s, not %s", strings.Join(batchKinds, ", "), strings.Join(kinds, " and ")))
	}
	switch value := k.get(kinds[0]); kinds[0] {
	case "build-list":
		b.List, err = r.tasks(value, kinds[0])
	case "build-graph":
		b.Graph, err = r.tasks(value, kinds[0])
	case "build-matrix":
		b.Matrix, err = r.matrix(value)
	case "build-fanout":
		b.Fanout, err = r.fanout(value)
	}
	return b, err
}

// invalid tells of a value at n that no batch can have.
func (r *reader) invalid(n *yaml.Node, what string) error {
	if r.lint != nil {
		return r.wrong(n, what)
	}
	err := r.failure(n, "BatchSpec has invalid values..\n"+what+".") // CodeBuild's words
	err.invalid = true
	return err
}
