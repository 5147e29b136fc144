package api

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Path names a member of an input, such as environment.environmentVariables.1.member.name.
// The zero Path is the input itself.
type Path struct {
	parent *Path
	field  string
	index  int // 1-based; 0 for a field
}

// Field returns the path of a member of the structure at p.
func (p *Path) Field(name string) Path { return Path{parent: p, field: name} }

// Element returns the path of element i, counted from 0, of the list at p.
func (p Path) Element(i int) Path { return Path{parent: &p, index: i + 1} }

func (p Path) String() string {
	if p.parent == nil {
		return ""
	}
	name := p.field
	if p.index > 0 {
		name = strconv.Itoa(p.index) + ".member"
	}
	if above := p.parent.String(); above != "" {
		return above + "." + name
	}
	return name
}

// Member returns the path as JSON has it, with lists counted from 0, such as
// environment.environmentVariables[0].name.
func (p *Path) Member() string {
	if p.parent == nil {
		return ""
	}
	above := p.parent.Member()
	switch {
	case p.index > 0:
		return above + "[" + strconv.Itoa(p.index-1) + "]"
	case above != "":
		return above + "." + p.field
	}
	return p.field
}

// A Failure is one value that breaks a constraint.
type Failure struct {
	Member string // as Path.Member writes it
	Rule   string // in the words of AWS; the value is not repeated
}

// maxShown bounds how many failures a Checker words: an input may be a long
// list of nothing but failures.
const maxShown = 100

// A Checker gathers what is wrong with an input. The zero Checker is ready.
type Checker struct {
	count  int
	failed []string // the first maxShown
	where  []Failure
}

// Failures returns what was found, at most the first hundred failures.
func (c *Checker) Failures() []Failure { return c.where }

// Message is the text of the ValidationException for everything found, in the
// form AWS services share, or "" if the input is fine. It counts every failure
// and words the first hundred.
func (c *Checker) Message() string {
	switch c.count {
	case 0:
		return ""
	case 1:
		return "1 validation error detected: " + c.failed[0]
	}
	return fmt.Sprintf("%d validation errors detected: %s", c.count, strings.Join(c.failed, "; "))
}

func (c *Checker) fail(value string, at Path, rule string) {
	if c.count++; c.count > maxShown {
		return
	}
	c.where = append(c.where, Failure{at.Member(), rule})
	c.failed = append(c.failed, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, at, rule))
}

// Null records that a required member is missing.
func (c *Checker) Null(at Path) { c.fail("null", at, "Member must not be null") }

// Length holds a string against its bounds in characters; -1 is no bound.
func (c *Checker) Length(at Path, value string, min, max float64) {
	c.bounds(at, "'"+value+"'", float64(utf8.RuneCountInString(value)), min, max, "length")
}

// Count holds the number of a list's elements against its bounds.
func (c *Checker) Count(at Path, n int, min, max float64) {
	c.bounds(at, fmt.Sprintf("'[%d elements]'", n), float64(n), min, max, "length")
}

// Range holds a number against its bounds.
func (c *Checker) Range(at Path, value, min, max float64) {
	c.bounds(at, "'"+strconv.FormatFloat(value, 'f', -1, 64)+"'", value, min, max, "value")
}

func (c *Checker) bounds(at Path, shown string, value, min, max float64, what string) {
	if min >= 0 && value < min {
		c.fail(shown, at, fmt.Sprintf("Member must have %s greater than or equal to %v", what, min))
	}
	if max >= 0 && value > max {
		c.fail(shown, at, fmt.Sprintf("Member must have %s less than or equal to %v", what, max))
	}
}

// Enum holds a value against its enumeration.
func (c *Checker) Enum(at Path, value string, allowed ...string) {
	for _, a := range allowed {
		if a == value {
			return
		}
	}
	c.fail("'"+value+"'", at, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

var patterns sync.Map // model pattern → *regexp.Regexp

// Pattern holds a whole string against a regular expression of the model.
func (c *Checker) Pattern(at Path, value, pattern string) {
	re, ok := patterns.Load(pattern)
	if !ok {
		re, _ = patterns.LoadOrStore(pattern, regexp.MustCompile("^(?:"+pattern+")$"))
	}
	if !re.(*regexp.Regexp).MatchString(value) {
		c.fail("'"+value+"'", at, "Member must satisfy regular expression pattern: "+pattern)
	}
}
