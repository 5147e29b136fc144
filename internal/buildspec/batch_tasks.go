package buildspec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tasks reads the tasks of a list or graph.
func (r *reader) tasks(n *yaml.Node, kind string) ([]Task, error) {
	n, err := r.resolve(n)
	if err != nil {
		return nil, err
	}
	if n.Kind != yaml.SequenceNode {
		return nil, r.wrongKind(n, "[]map[string]interface {}")
	}
	if len(n.Content) == 0 {
		return nil, r.invalid(n, kind+" has no task")
	}
	at := make(map[string]*yaml.Node, len(n.Content)) // by identifier
	var out []Task
	var waits []*yaml.Node // depend-on, of the tasks in out
	for _, item := range n.Content {
		item, err := r.resolve(item)
		if err != nil {
			return nil, err
		}
		k, err := r.mapping(item)
		if err != nil {
			return nil, err
		}
		t, err := r.task(k, kind)
		if err != nil {
			return nil, err
		}
		switch {
		case t.Identifier == "":
			err = r.invalid(item, "every task needs an identifier")
		case !identifier(t.Identifier):
			err = r.invalid(k.get("identifier"), "Build Identifiers "+short(t.Identifier)+" must contain only alphanumeric characters and underscores and be less than 128 characters in length")
		case at[t.Identifier] != nil:
			err = r.invalid(k.get("identifier"), "the identifier "+short(t.Identifier)+" is that of two tasks")
		}
		if err != nil {
			return nil, err
		}
		at[t.Identifier] = item
		waits = append(waits, k.get("depend-on"))
		out = append(out, t)
	}
	if kind == "build-graph" {
		return out, r.graph(out, at, waits)
	}
	return out, nil
}

func (r *reader) task(k keys, kind string) (Task, error) {
	known := []string{"identifier", "buildspec", "debug-session", "ignore-failure", "env"}
	var t Task
	var err error
	if kind == "build-graph" {
		known = append(known, "depend-on")
		if t.DependOn, err = r.strings(k.get("depend-on"), "Depend-on"); err != nil {
			return t, err
		}
	}
	r.lint.block(k, kind, known...)
	if t.Identifier, err = r.scalar(k.get("identifier")); err != nil {
		return t, err
	}
	if t.Buildspec, err = r.scalar(k.get("buildspec")); err != nil {
		return t, err
	}
	if t.DebugSession, err = r.boolean(k.get("debug-session")); err != nil {
		return t, err
	}
	if t.IgnoreFailure, err = r.boolean(k.get("ignore-failure")); err != nil {
		return t, err
	}
	env, err := r.mapping(k.get("env"))
	if err != nil {
		return t, err
	}
	r.lint.block(env, "env of a task", "compute-type", "fleet", "image", "type", "privileged-mode", "variables")
	if t.Environment, err = r.taskEnvironment(env); err != nil {
		return t, err
	}
	if t.Environment.ComputeType != "" && t.Environment.Fleet != "" {
		err = r.invalid(env.get("fleet"), fmt.Sprintf("the task %s has a compute-type and a fleet, and may have one of them", short(t.Identifier)))
	}
	return t, err
}

func (r *reader) taskEnvironment(k keys) (TaskEnvironment, error) {
	var e TaskEnvironment
	var err error
	for _, field := range []struct {
		key string
		to  *string
	}{{"compute-type", &e.ComputeType}, {"fleet", &e.Fleet}, {"image", &e.Image}, {"type", &e.Type}} {
		if *field.to, err = r.scalar(k.get(field.key)); err != nil {
			return e, err
		}
	}
	if n := k.get("privileged-mode"); n != nil {
		on, err := r.boolean(n)
		if err != nil {
			return e, err
		}
		e.Privileged = &on
	}
	e.Variables, err = r.variables(k.get("variables"))
	return e, err
}

// identifier reports whether a text can be the identifier of a task, source or
// artifact.
func identifier(s string) bool {
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return s != "" && len(s) < 128 && strings.Trim(s, chars) == ""
}

func identifiers(tasks []Task) []string {
	all := make([]string, len(tasks))
	for i, t := range tasks {
		all[i] = t.Identifier
	}
	return all
}

// graph tells of tasks that wait for what will never be. waits are the lists of
// what they wait for, at the places of all tasks.
func (r *reader) graph(tasks []Task, at map[string]*yaml.Node, waits []*yaml.Node) error {
	index := make(map[string]int, len(tasks))
	for i, t := range tasks {
		index[t.Identifier] = i
	}
	unknown, meant := false, map[string]string{}
	for i, t := range tasks {
		for _, name := range t.DependOn {
			if at[name] != nil {
				continue
			}
			unknown = true
			what := fmt.Sprintf("the task %s waits for %s, which is no task", short(t.Identifier), short(name))
			if r.lint != nil {
				if _, looked := meant[name]; !looked && !r.lint.full(Odd) { // looking takes as long as there are tasks
					meant[name] = didYouMean(name, identifiers(tasks))
				}
				what += meant[name]
			}
			if err := r.invalid(waits[i], what); err != nil {
				return err
			}
		}
	}
	if unknown {
		return nil
	}
	cycle := cycleOf(tasks, index)
	if cycle == nil {
		return nil
	}
	var names []string
	for i, t := range cycle {
		if i == 5 && len(cycle) > 6 {
			names = append(names, "…")
			break
		}
		names = append(names, short(tasks[t].Identifier))
	}
	names = append(names, short(tasks[cycle[0]].Identifier))
	return r.invalid(at[tasks[cycle[0]].Identifier], "tasks wait for one another in a circle: "+strings.Join(names, " for "))
}

// cycleOf returns tasks each of which waits for the next and the last for the
// first; nil if there are none.
func cycleOf(tasks []Task, index map[string]int) []int {
	const fresh, open, done = 0, 1, 2
	state := make([]int, len(tasks))
	next := make([]int, len(tasks)) // how many of its DependOn were followed
	for start := range tasks {
		if state[start] != fresh {
			continue
		}
		state[start] = open
		for path := []int{start}; len(path) > 0; {
			at := path[len(path)-1]
			if next[at] == len(tasks[at].DependOn) {
				state[at] = done
				path = path[:len(path)-1]
				continue
			}
			to := index[tasks[at].DependOn[next[at]]]
			next[at]++
			switch state[to] {
			case open:
				return slices.Clone(path[slices.Index(path, to):])
			case fresh:
				state[to] = open
				path = append(path, to)
			}
		}
	}
	return nil
}
