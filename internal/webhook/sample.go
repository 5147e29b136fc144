package webhook

import (
	"regexp/syntax"
	"strings"
)

// Bounds of the values that a pattern is tried with: patterns are a stranger's,
// and may be made to be slow.
const (
	maxSamples = 64
	maxSample  = 200 // characters of one
)

// samples returns values that the pattern of a regular expression may well have
// been written for: one for each of its alternatives, with as little as
// possible for what may repeat.
func samples(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			return nil
		}
		return []string{string(example(re.Rune))}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x"}
	case syntax.OpCapture, syntax.OpPlus:
		return samples(re.Sub[0])
	case syntax.OpRepeat:
		of := samples(re.Sub[0])
		if re.Min == 0 || len(of) == 0 {
			return []string{""}
		}
		if len(of[0])*re.Min > maxSample {
			return nil
		}
		return []string{strings.Repeat(of[0], re.Min)}
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			all = joined(all, samples(sub))
		}
		return all
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, samples(sub)...)
		}
		return all[:min(len(all), maxSamples)]
	case syntax.OpNoMatch:
		return nil
	}
	return []string{""} // anchors, and what may be absent
}

// example returns a letter or digit of a class if it has one, or else its first.
func example(class []rune) rune {
	for _, want := range "x1a" {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= want && want <= class[i+1] {
				return want
			}
		}
	}
	return class[0]
}

// joined returns every value of before with every value of after behind it,
// within bounds.
func joined(before, after []string) []string {
	var all []string
	for _, b := range before {
		for _, a := range after {
			if len(all) == maxSamples || len(b)+len(a) > maxSample {
				return all
			}
			all = append(all, b+a)
		}
	}
	return all
}
