package extension

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"regexp/syntax"
	"time"
	"unicode"
	"unicode/utf8"

	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/logstream"
	"slipway/internal/logstream/frame"
)

// The bounds of one SearchBuildLog.
const (
	maxPattern      = 1000 // characters of what is searched
	maxProgram      = 1000 // instructions of an expression
	matchesPerPage  = 1000 // if nobody says
	maxSearchLines  = 200_000
	maxSearchBytes  = 64 << 20
	maxSearchTime   = 2 * time.Second
	betweenGlances  = 64 << 10 // bytes of lines between two looks at the clock
	costOfInnerLine = 64       // bytes that a line counts as, however short it is
)

// SearchBuildLog answers the numbers of the lines, from startLine on, that hold
// text as a reader sees them: escape sequences and line ends are not part of a
// line. A negative startLine counts from the end. Letters match in either case
// unless matchCase; with regularExpression the text is one of RE2's syntax, in
// which ^ and $ are the ends of a line. An expression that is wrong or too large
// is Invalid, and it is said why.
//
// A call looks at no more than 200,000 lines or 64 MiB, for two seconds at
// most, and answers maxMatches lines (1,000 unless said). If anything is left
// to be searched, nextLine says where to go on; else there is none. lines is
// how many lines the log had.
func (s *Builds) SearchBuildLog(ctx context.Context, in *slipway.SearchBuildLogInput) (*slipway.SearchBuildLogOutput, error) {
	match, err := newMatcher(in.Text, in.MatchCase, in.RegularExpression)
	if err != nil {
		return nil, err
	}
	l, err := s.log(ctx, in.BuildID)
	if err != nil {
		return nil, err
	}
	most := matchesPerPage
	if in.MaxMatches != nil {
		most = *in.MaxMatches
	}
	out := &slipway.SearchBuildLogOutput{Matches: []int64{}, Lines: l.lines}
	start := l.start(in.StartLine)
	next, bytes, glance := start, 0, 0
	deadline := s.now().Add(maxSearchTime)
	var plain []byte
	full := func() bool { return next-start >= maxSearchLines || bytes >= maxSearchBytes }
	err = s.each(ctx, l, start, full, func(line int64, e frame.Event) bool {
		next = line + 1
		bytes += len(e.Message)
		if cap(plain) < len(e.Message) {
			plain = make([]byte, 0, 2*len(e.Message))
		}
		if match(logstream.Plain(plain, e.Message)) {
			out.Matches = append(out.Matches, line)
		}
		if glance += len(e.Message) + costOfInnerLine; glance > betweenGlances {
			glance = 0
			if ctx.Err() != nil || s.now().After(deadline) {
				return false
			}
		}
		return len(out.Matches) < most && !full()
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	if next < l.lines {
		out.NextLine = next
	}
	return out, nil
}

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
	return compiled.Match, nil
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
	for i := 0; i < len(line); {
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
