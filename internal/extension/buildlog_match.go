package extension

import (
	"bytes"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"slipway/internal/fault"
)

const (
	maxPattern = 1000 // characters of what is searched
	maxProgram = 1000 // instructions of an expression
)

// newMatcher returns what tells whether a line without escape sequences is one
// that is looked for. It is for one goroutine.
func newMatcher(text string, matchCase, expression bool) (func(line []byte) bool, error) {
	if utf8.RuneCountInString(text) > maxPattern {
		return nil, fault.New(fault.Invalid, "Invalid text: it must have at most %d characters", maxPattern)
	}
	switch {
	case expression:
		return newExpression(text, matchCase)
	case matchCase:
		wanted := []byte(text)
		return func(line []byte) bool { return bytes.Contains(line, wanted) }, nil
	}
	wanted := fold(nil, []byte(text))
	var folded []byte
	return func(line []byte) bool {
		folded = fold(folded[:0], line)
		return bytes.Contains(folded, wanted)
	}, nil
}

func newExpression(text string, matchCase bool) (func(line []byte) bool, error) {
	flags := syntax.Perl
	if !matchCase {
		flags |= syntax.FoldCase
	}
	parsed, err := syntax.Parse(text, flags)
	if err != nil {
		if wrong, ok := errors.AsType[*syntax.Error](err); ok {
			return nil, fault.New(fault.Invalid, "Invalid regular expression: %s: %q", wrong.Code, wrong.Expr)
		}
		return nil, fault.New(fault.Invalid, "Invalid regular expression")
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return nil, fault.New(fault.Invalid, "Invalid regular expression: it is too large: repeat less, or search for a shorter part of it")
	}
	if !matchCase {
		text = "(?i)" + text
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Invalid regular expression")
	}
	needed := required(parsed)
	if needed == nil {
		return compiled.Match, nil
	}
	// Most lines are told by a text that they lack, many times faster.
	var folded []byte
	return func(line []byte) bool {
		folded = fold(folded[:0], line)
		return slices.ContainsFunc(needed, func(text []byte) bool { return bytes.Contains(folded, text) }) && compiled.Match(line)
	}, nil
}

// maxNeeded is how many texts are looked for in a line before its expression is.
const maxNeeded = 8

// required returns texts, folded, of which every line that re matches holds at
// least one; nil if none are known.
func required(re *syntax.Regexp) [][]byte {
	switch re.Op {
	case syntax.OpLiteral:
		if slices.Contains(re.Rune, utf8.RuneError) { // which is also any byte that is no text
			return nil
		}
		return [][]byte{fold(nil, []byte(string(re.Rune)))}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		var best [][]byte
		for _, sub := range re.Sub {
			if texts := required(sub); shortest(texts) > shortest(best) {
				best = texts
			}
		}
		return best
	case syntax.OpAlternate:
		var all [][]byte
		for _, sub := range re.Sub {
			texts := required(sub)
			if texts == nil || len(all)+len(texts) > maxNeeded {
				return nil
			}
			all = append(all, texts...)
		}
		return all
	}
	return nil
}

// shortest returns the length of the shortest of texts, 0 if there are none.
func shortest(texts [][]byte) int {
	if len(texts) == 0 {
		return 0
	}
	return len(slices.MinFunc(texts, func(a, b []byte) int { return len(a) - len(b) }))
}

// lower is what ASCII folds to.
var lower = func() (table [utf8.RuneSelf]byte) {
	for i := range table {
		table[i] = byte(unicode.ToLower(rune(i)))
	}
	return table
}()

// fold appends line so that letters that differ in their case only are the
// same. Bytes that are no text stay as they are.
func fold(buf, line []byte) []byte {
	buf = slices.Grow(buf, len(line))
	ascii := 0 // as many bytes as begin the line: most often all
	for rest := buf[len(buf) : len(buf)+len(line)]; ascii < len(line) && line[ascii] < utf8.RuneSelf; ascii++ {
		rest[ascii] = lower[line[ascii]]
	}
	buf = buf[:len(buf)+ascii]
	for i := ascii; i < len(line); {
		if c := line[i]; c < utf8.RuneSelf {
			buf = append(buf, lower[c])
			i++
			continue
		}
		r, n := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && n == 1 {
			buf = append(buf, line[i])
		} else {
			buf = utf8.AppendRune(buf, unicode.ToLower(unicode.ToUpper(r)))
		}
		i += n
	}
	return buf
}
