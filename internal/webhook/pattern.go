package webhook

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"slipway/internal/api"
	"slipway/internal/fault"
)

// Bounds of filters. CodeBuild's own are not known; these are far above what
// anybody writes by hand.
const (
	maxGroups  = 100
	maxFilters = 100 // in a group
	maxPattern = 2000
)

// compile returns the regular expression of a filter. What is wrong with it is
// Invalid, with what to write instead where CodeBuild's own engine would have
// taken it.
func compile(f api.WebhookFilter) (*regexp.Regexp, error) {
	re, err := regexp.Compile(f.Pattern)
	if err == nil {
		return re, nil
	}
	why := "it is no regular expression"
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		why = string(e.Code) + " at " + quoted(e.Expr)
	}
	return nil, fault.New(fault.Invalid, "The pattern %s of the %s filter cannot be used: %s.%s", quoted(f.Pattern), f.Type, why, advice(f.Pattern))
}

// advice says what to write instead of what RE2 lacks and Java's engine has.
func advice(pattern string) string {
	for _, a := range []struct{ part, words string }{
		{"(?<!", "Look-behind is not available: write what must not match as a filter of its own, with excludeMatchedPattern set to true."},
		{"(?!", "Negative look-ahead is not available: write what must not match as a filter of its own in the same group, with excludeMatchedPattern set to true."},
		{"(?<=", "Look-behind is not available: write the text before it into the pattern, since a pattern may match anywhere in the value."},
		{"(?=", "Look-ahead is not available: write each condition as a filter of its own in the same group, since all filters of a group must match."},
		{"(?>", "Atomic groups are not available: write (?:…) instead."},
		{"*+", "Possessive repetition is not available: write * instead of *+."},
		{"++", "Possessive repetition is not available: write + instead of ++."},
		{"?+", "Possessive repetition is not available: write ? instead of ?+."},
		{`\p{Alpha}`, `Write [[:alpha:]] instead of \p{Alpha}.`},
		{`\p{Digit}`, `Write [[:digit:]] instead of \p{Digit}.`},
		{`\p{Alnum}`, `Write [[:alnum:]] instead of \p{Alnum}.`},
		{`\Z`, `Write \z or $ instead of \Z.`},
		{`\h`, `Write [ \t] instead of \h.`},
	} {
		if strings.Contains(pattern, a.part) {
			return " " + a.words
		}
	}
	for digit := '1'; digit <= '9'; digit++ {
		if strings.Contains(pattern, `\`+string(digit)) {
			return " References to earlier groups are not available: write the alternatives out."
		}
	}
	if strings.HasPrefix(pattern, "*") {
		return " A pattern is a regular expression, not a wildcard: write .* instead of *."
	}
	return " Patterns are written in the syntax of RE2, which https://github.com/google/re2/wiki/Syntax describes."
}

// maxShown is how many characters of a value or pattern are shown.
const maxShown = 200

// quoted returns text as messages show it.
func quoted(text string) string { return "'" + cut(text) + "'" }

// cut shortens text to what is shown of it.
func cut(text string) string {
	if len(text) <= maxShown { // bytes: no shorter in characters
		return text
	}
	shown := []rune(text[:min(len(text), 4*maxShown)])
	if len(shown) <= maxShown {
		return text
	}
	return string(shown[:maxShown]) + "…"
}
