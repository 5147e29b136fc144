package buildspec

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// shapes says what is expected where a value has the wrong shape, by the YAML
// library's word for it.
var shapes = map[string]string{
	"string":                    ": one text is expected here",
	"bool":                      ": yes or no is expected here",
	"[]string":                  ": a list is expected here, each entry in a line of its own behind '- '",
	"float64":                   ": a number without quotes is expected here",
	"[]map[string]interface {}": ": a list is expected here, each entry in lines of its own behind '- '",
	"map[string]interface {}":   ": keys with values are expected here, each in a line of its own",
}

// places knows where in a text the places are that the YAML library names. Its
// lines also end where editors see no end, such as at U+2028.
type places struct {
	text  []byte
	yaml  []int // offsets at which the library's lines begin
	lines []int // offsets at which editors' lines begin
}

func newPlaces(text []byte) places {
	p := places{text: text, yaml: []int{0}, lines: []int{0}}
	if len(text) > MaxSize { // nothing is looked for in it
		return p
	}
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		p.yaml[0] = 3 // a byte order mark is no character of the first line
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			size = 2
		}
		i += size
		switch r {
		case '\n', '\r':
			p.lines = append(p.lines, i)
			p.yaml = append(p.yaml, i)
		case '\u0085', '\u2028', '\u2029':
			p.yaml = append(p.yaml, i)
		}
	}
	return p
}

// offset returns where a place of the YAML library is, both from 1; the nearest
// if the text has no such place.
func (p places) offset(line, column int) int {
	if line < 1 {
		return 0
	}
	if line > len(p.yaml) {
		return len(p.text)
	}
	at := p.yaml[line-1]
	for ; column > 1 && at < len(p.text) && !lineEnd(p.text[at]); column-- {
		_, size := utf8.DecodeRune(p.text[at:])
		at += size
	}
	return at
}

func lineEnd(b byte) bool { return b == '\n' || b == '\r' }

// at returns the line and column of an offset, as editors count them.
func (p places) at(offset int) (line, column int) {
	line, exact := slices.BinarySearch(p.lines, offset)
	if exact {
		line++
	}
	return line, utf8.RuneCount(p.text[p.lines[line-1]:offset]) + 1
}

// between is a Finding from one offset to another.
func (p places) between(from, to int) Finding {
	var f Finding
	f.Line, f.Column = p.at(from)
	if to > from {
		f.EndLine, f.EndColumn = p.at(to)
	}
	return f
}

// of is a Finding at n: a scalar in one line whole, of all else the rest of the
// first line.
func (p places) of(n *yaml.Node) Finding {
	from := p.offset(n.Line, n.Column)
	rest := p.rest(from)
	end := len(rest)
	if n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode {
		if e := scalarEnd(n, rest); e > 0 {
			end = e
		}
	}
	return p.between(from, from+end)
}

// rest returns the text's line from an offset on, without white space behind.
func (p places) rest(from int) []byte {
	rest := p.text[from:]
	if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[:i]
	}
	return bytes.TrimRight(rest, " \t")
}

// scalarEnd returns the length of a scalar or alias at the beginning of a line;
// 0 if it is not known.
func scalarEnd(n *yaml.Node, line []byte) int {
	switch {
	case n.Kind == yaml.AliasNode && bytes.HasPrefix(line, []byte("*"+n.Value)):
		return 1 + len(n.Value)
	case n.Style == 0 && bytes.HasPrefix(line, []byte(n.Value)):
		return len(n.Value)
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 || len(line) == 0:
		return 0
	}
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '\\' && line[0] == '"':
			i++
		case line[i] != line[0]:
		case line[0] == '\'' && i+1 < len(line) && line[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return 0
}

// parserErrors are the texts of those errors of the YAML library whose lines it
// counts from 0.
var parserErrors = []string{
	"did not find expected <", "did not find expected node content", "did not find expected '-' indicator", "did not find expected key",
	"did not find expected ',' or", "found undefined tag handle", "found duplicate %", "found incompatible YAML document",
}

// hints say what most often is the reason for an error of the YAML library.
var hints = []struct{ text, hint string }{
	{"mapping values are not allowed", "a text with ': ' in it needs quotes around it, and a block below a key begins in a line of its own"},
	{"found character that cannot start any token", "indent with spaces, not with tabs, and put a text that begins with @, % or ` in quotes"},
	{"did not find expected alphabetic or numeric character", "a text that begins with * or & needs quotes around it, such as '**/*'"},
	{"did not find expected key", "this line, or the one before, is not indented like its neighbours, or lacks a ':'"},
	{"did not find expected '-' indicator", "a text that begins with a quote ends with it too: put all of it in quotes. Entries of a list begin with '- ' in the same column"},
	{"could not find expected ':'", "a key is followed by ': '"},
	{"found unexpected end of stream", "a quote is not closed"},
	{"did not find expected ',' or", "a bracket is not closed"},
	{"found unknown escape character", "in double quotes a backslash is written \\\\; single quotes take it as it is"},
}

// syntax is the Finding of an error of the YAML library, which names a line at
// most and not always the right one.
func (p places) syntax(err error) Finding {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		if n, m, ok := strings.Cut(rest, ": "); ok {
			if at, err := strconv.Atoi(n); err == nil {
				line, message = at, m
			}
		}
	}
	for _, text := range parserErrors {
		if strings.HasPrefix(message, text) {
			line++
			break
		}
	}
	var f Finding
	switch odd := p.odd(message); {
	case odd >= 0:
		f = p.between(odd, odd)
	case strings.HasPrefix(message, "exceeded max depth"):
		f = Finding{Line: 1, Column: 1}
	default:
		from := p.offset(max(line, 1), 1)
		rest := p.rest(from)
		blank := len(rest) - len(bytes.TrimLeft(rest, " \t"))
		f = p.between(from+blank, from+len(rest))
	}
	f.Message = message
	for _, h := range hints {
		if strings.HasPrefix(message, h.text) {
			f.Message += ": " + h.hint + "."
			break
		}
	}
	return f
}

// odd returns the offset of what the library complains of without a line: a
// character that is not allowed, an alias of nothing. -1 if it is not found.
func (p places) odd(message string) int {
	if _, name, ok := strings.Cut(message, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		return bytes.Index(p.text, []byte("*"+name))
	}
	if !strings.Contains(message, "UTF-8") && !strings.HasPrefix(message, "control characters") {
		return -1
	}
	for i := 0; i < len(p.text); {
		r, size := utf8.DecodeRune(p.text[i:])
		invalid := r == utf8.RuneError && size == 1
		control := r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f || r >= 0x80 && r < 0xa0 && r != 0x85
		if invalid || control {
			return i
		}
		i += size
	}
	return -1
}
