package buildspec

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

func (r *reader) matrix(n *yaml.Node) (*Matrix, error) {
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	r.lint.block(k, "build-matrix", "static", "dynamic")
	m := new(Matrix)
	static, err := r.mapping(k.get("static"))
	if err != nil {
		return nil, err
	}
	r.lint.block(static, "static", "ignore-failure", "env")
	if m.IgnoreFailure, err = r.boolean(static.get("ignore-failure")); err != nil {
		return nil, err
	}
	all, err := r.mapping(static.get("env"))
	if err != nil {
		return nil, err
	}
	r.lint.block(all, "env of static", "privileged-mode", "type", "image", "compute-type", "fleet", "variables")
	if m.Environment, err = r.taskEnvironment(all); err != nil {
		return nil, err
	}
	dynamic, err := r.mapping(k.get("dynamic"))
	if err != nil {
		return nil, err
	}
	r.lint.block(dynamic, "dynamic", "buildspec", "env")
	if m.Buildspecs, err = r.strings(dynamic.get("buildspec"), "Buildspec"); err != nil {
		return nil, err
	}
	each, err := r.mapping(dynamic.get("env"))
	if err != nil {
		return nil, err
	}
	r.lint.block(each, "env of dynamic", "compute-type", "image", "variables")
	if m.ComputeTypes, err = r.strings(each.get("compute-type"), "Compute-type"); err != nil {
		return nil, err
	}
	if m.Images, err = r.strings(each.get("image"), "Image"); err != nil {
		return nil, err
	}
	if m.Variables, err = r.axes(each.get("variables")); err != nil {
		return nil, err
	}
	if len(m.Buildspecs)+len(m.ComputeTypes)+len(m.Images)+len(m.Variables) == 0 {
		return m, r.invalid(n, "build-matrix has no list below dynamic to combine")
	}
	// A list wins over the value of all builds.
	if len(m.ComputeTypes) > 0 {
		m.Environment.ComputeType = ""
	}
	if len(m.Images) > 0 {
		m.Environment.Image = ""
	}
	m.Environment.Variables = slices.DeleteFunc(m.Environment.Variables, func(v Variable) bool {
		return slices.ContainsFunc(m.Variables, func(a Axis) bool { return a.Name == v.Name })
	})
	return m, nil
}

// axes reads variables that have a list of values each.
func (r *reader) axes(n *yaml.Node) ([]Axis, error) {
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	var out []Axis
	for _, name := range k.names {
		values, err := r.strings(k.get(name), "Values")
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			out = append(out, Axis{name, values})
		}
	}
	return out, nil
}

func (r *reader) fanout(n *yaml.Node) (*Fanout, error) {
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	r.lint.block(k, "build-fanout", "parallelism", "ignore-failure")
	f := new(Fanout)
	if f.IgnoreFailure, err = r.boolean(k.get("ignore-failure")); err != nil {
		return nil, err
	}
	at := k.get("parallelism")
	if at == nil {
		return f, r.invalid(n, "build-fanout needs parallelism, the number of builds")
	}
	text, err := r.scalar(at)
	if err != nil {
		return nil, err
	}
	f.Parallelism, err = strconv.Atoi(text)
	if err != nil || f.Parallelism < 1 {
		return f, r.invalid(at, "the parallelism of build-fanout must be a whole number from 1, not "+clip(text))
	}
	return f, nil
}
