package credential

import (
	"cmp"
	"fmt"
	"strings"
)

// IsZero reports whether m says nothing.
func (m Match) IsZero() bool { return m == Match{} }

// fits tells whether m is for the repository of w, and why. prefix is the part
// of its path that is not the owner's.
func (m Match) fits(w Want, prefix string) (bool, string) {
	path := w.Path
	if prefix != "" {
		path = strings.TrimPrefix(path, prefix+"/")
	}
	owner, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		owner, name = path[:i], path[i+1:]
	}
	host := w.Host
	if !strings.Contains(m.Host, ":") {
		host, _, _ = strings.Cut(host, ":")
	}
	var said []string
	for _, part := range []struct{ name, pattern, value string }{
		{"repository", m.Repository, name}, {"owner", m.Owner, owner}, {"host", m.Host, host},
	} {
		if part.pattern == "" {
			continue
		}
		if !glob(strings.ToLower(part.pattern), strings.ToLower(part.value)) {
			return false, fmt.Sprintf("Its %s pattern %s does not match %s.", part.name, part.pattern, part.value)
		}
		said = append(said, fmt.Sprintf("%s %s matches %s", part.name, part.value, part.pattern))
	}
	if len(said) == 0 {
		return true, fmt.Sprintf("It is for everything at %s.", w.Host)
	}
	return true, "Its match fits: " + strings.Join(said, ", ") + "."
}

// compare is positive if m is more specific than o.
func (m Match) compare(o Match) int {
	mine, others := []string{m.Repository, m.Owner, m.Host}, []string{o.Repository, o.Owner, o.Host}
	for i := range mine {
		if c := cmp.Compare(rank(mine[i]), rank(others[i])); c != 0 {
			return c
		}
	}
	for i := range mine {
		if c := cmp.Compare(literal(mine[i]), literal(others[i])); c != 0 {
			return c
		}
	}
	return 0
}

// rank is 2 for an exact text, 1 for a pattern and 0 for what matches all.
func rank(pattern string) int {
	switch {
	case literal(pattern) == 0:
		return 0
	case strings.Contains(pattern, "*"):
		return 1
	}
	return 2
}

// literal is how many bytes of a pattern stand for themselves.
func literal(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }

// glob reports whether text matches pattern as a whole, * being any text. It
// takes no longer than the product of their lengths.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[last])
}
