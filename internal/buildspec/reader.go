package buildspec

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Aliases let a small text mean a very large one; no more than this of it is
// looked at.
const (
	maxNodes = 100_000      // nodes visited in one text
	maxText  = 16 * MaxSize // bytes of the scalars among them
)

// A reader walks YAML nodes. Its methods take nil for a key that is not there.
// With a linter they tell that of what is wrong and go on as if it were absent;
// without one they return it.
type reader struct {
	source      []byte
	nodes, text int     // what may still be visited
	lint        *linter // nil to end at the first error
	strict      bool    // what is wrong with the batch block is an error, too
}

func newReader(source []byte, lint *linter) *reader {
	return &reader{source: source, nodes: maxNodes, text: maxText, lint: lint}
}

// wrong tells of what is wrong at n.
func (r *reader) wrong(n *yaml.Node, what string) error { return r.wronger(n, what, "") }

// wronger is wrong with more behind the line, as CodeBuild has it.
func (r *reader) wronger(n *yaml.Node, what, more string) error {
	if r.lint != nil {
		r.lint.add(r.lint.level, n, r.lint.before+what)
		return nil
	}
	return r.failure(n, fmt.Sprintf("%s at line %d%s", what, n.Line, more))
}

// failure is an error at n.
func (r *reader) failure(n *yaml.Node, message string) *Error {
	f := newPlaces(r.source).of(n)
	return &Error{Message: dropNUL(message), Line: f.Line, Column: f.Column}
}

// resolve counts n and follows it if it is an alias.
func (r *reader) resolve(n *yaml.Node) (*yaml.Node, error) {
	for range 100 { // an alias of an alias cannot be written, but costs nothing to survive
		if r.nodes--; r.nodes < 0 {
			return nil, &Error{Message: fmt.Sprintf("the buildspec has more than %d values", maxNodes)}
		}
		if n.Kind != yaml.AliasNode {
			if r.text -= len(n.Value); r.text < 0 {
				return nil, &Error{Message: fmt.Sprintf("the buildspec's values have more than %d bytes", maxText)}
			}
			return n, nil
		}
		n = n.Alias
	}
	return nil, &Error{Message: "aliases refer to each other"}
}

// keys are the entries of a mapping in the order they are written.
type keys struct {
	names  []string
	values map[string]*yaml.Node
	at     map[string]*yaml.Node // where each is written
}

// get returns the value of a key, or nil if it is absent or null.
func (k keys) get(name string) *yaml.Node {
	n := k.values[name]
	if n == nil || null(n) {
		return nil
	}
	return n
}

// has reports whether a key is there and not null.
func (k keys) has(name string) bool { return k.get(name) != nil }

// named reports whether a key is there, if only with a null value.
func (k keys) named(name string) bool { return k.values[name] != nil }

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// mapping reads the entries of a mapping, merges (<<) included. Of a key that
// is repeated the last one counts.
func (r *reader) mapping(n *yaml.Node) (keys, error) { return r.merged(n, 0) }

func (r *reader) merged(n *yaml.Node, depth int) (keys, error) {
	k := keys{values: make(map[string]*yaml.Node), at: make(map[string]*yaml.Node)}
	if n == nil {
		return k, nil
	}
	n, err := r.resolve(n)
	if err != nil {
		return k, err
	}
	if n.Kind != yaml.MappingNode {
		return k, r.wrongKind(n, "map[string]interface {}")
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, err := r.resolve(n.Content[i])
		if err != nil {
			return k, err
		}
		value, err := r.resolve(n.Content[i+1])
		if err != nil {
			return k, err
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			if err := r.wrongKind(key, "string"); err != nil {
				return k, err
			}
		case key.Tag == "!!merge":
			merges = append(merges, value)
		default:
			r.lint.again(k, key)
			k.set(key.Value, key, value)
		}
	}
	for _, m := range merges {
		if err := r.merge(&k, m, depth); err != nil {
			return k, err
		}
	}
	return k, nil
}

// merge adds the entries of m, a mapping or a list of mappings, that k lacks.
func (r *reader) merge(k *keys, m *yaml.Node, depth int) error {
	if depth > 20 { // anchors may contain themselves
		return r.failure(m, fmt.Sprintf("merges are nested too deeply at line %d", m.Line))
	}
	from := []*yaml.Node{m}
	if m.Kind == yaml.SequenceNode {
		from = m.Content
	}
	for _, n := range from {
		more, err := r.merged(n, depth+1)
		if err != nil {
			return err
		}
		for _, name := range more.names {
			if k.values[name] == nil {
				k.set(name, more.at[name], more.values[name])
			}
		}
	}
	return nil
}

func (k *keys) set(name string, at, value *yaml.Node) {
	if k.values[name] == nil {
		k.names = append(k.names, name)
	}
	k.values[name], k.at[name] = value, at
}

// scalar reads a single value by its text.
func (r *reader) scalar(n *yaml.Node) (string, error) {
	if n == nil {
		return "", nil
	}
	n, err := r.resolve(n)
	if err != nil {
		return "", err
	}
	if n.Kind != yaml.ScalarNode {
		return "", r.wrongKind(n, "string")
	}
	return text(n), nil
}

// text is a scalar as it is written. A NUL cannot be part of a command or a
// variable, so it is dropped.
func text(n *yaml.Node) string { return dropNUL(n.Value) }

func dropNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

func (r *reader) boolean(n *yaml.Node) (bool, error) {
	value, err := r.scalar(n)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(value) {
	case "yes", "true", "on", "y":
		return true, nil
	case "", "no", "false", "off", "n":
		return false, nil
	}
	return false, r.wrongKind(n, "bool")
}

// variables reads a mapping of names to texts, in the order they are written.
func (r *reader) variables(n *yaml.Node) ([]Variable, error) {
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	var out []Variable
	for _, name := range k.names {
		value, err := r.scalar(k.values[name])
		if err != nil {
			return nil, err
		}
		out = append(out, Variable{name, value})
	}
	return out, nil
}

// strings reads a list of scalars, or one scalar as a list of it: CodeBuild
// takes 'files: app.zip' as well. An entry that is no scalar is most often a
// command with an unquoted ": ", hence the advice in CodeBuild's message.
func (r *reader) strings(n *yaml.Node, what string) ([]string, error) {
	if n == nil {
		return nil, nil
	}
	n, err := r.resolve(n)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case yaml.SequenceNode:
	case yaml.ScalarNode:
		return []string{text(n)}, nil
	default:
		return nil, r.wrongKind(n, "[]string")
	}
	out := make([]string, 0, len(n.Content))
	for i, item := range n.Content {
		value, err := r.resolve(item)
		if err != nil {
			return nil, err
		}
		if value.Kind != yaml.ScalarNode {
			what := fmt.Sprintf("Expected %s[%d] to be of string type: found subkeys instead", what, i)
			if r.lint != nil {
				what += ". Put all of it in quotes: unquoted, ': ' makes it a key with a value."
			}
			err := r.wronger(value, what,
				fmt.Sprintf(", value of the key tag on line %d might be empty", value.Line-1))
			if err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, text(value))
	}
	return out, nil
}

// lines returns where each entry of a list that strings has read begins: at an
// alias, where that is written.
func lines(n *yaml.Node) []int {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode { // one text, for a list of it
		return []int{n.Line}
	}
	out := make([]int, len(n.Content))
	for i, item := range n.Content {
		out[i] = item.Line
	}
	return out
}

// wrongKind is the error for a value of the wrong shape, in the words of the
// YAML library.
func (r *reader) wrongKind(n *yaml.Node, want string) error {
	value := ""
	if n.Kind == yaml.ScalarNode {
		value = " `" + clip(n.Value) + "`"
	}
	what := fmt.Sprintf("cannot unmarshal %s%s into %s", n.ShortTag(), value, want)
	if r.lint != nil {
		what += shapes[want]
	}
	return r.wrong(n, what)
}

// clip shortens a text as the YAML library does in its messages.
func clip(s string) string {
	if len(s) <= 10 {
		return s
	}
	cut := 7
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
