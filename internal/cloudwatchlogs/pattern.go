package cloudwatchlogs

import (
	"bytes"
	"strings"

	"slipway/internal/fault"
)

// A pattern says which messages a filter lets through: those with all terms of
// all, one at least of any (if there are some) and none of none.
type pattern struct {
	all, any, none [][]byte
}

// parsePattern reads a filter pattern of plain terms: `word`, `"a phrase"`,
// `?word` and `-word`, compared with case. Patterns for JSON, for fields
// between spaces and regular expressions are refused as not supported.
func parsePattern(text string) (pattern, error) {
	var p pattern
	rest := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(rest, "{"):
		return p, fault.New(fault.Invalid, "Invalid filter pattern: JSON patterns ({...}) are not supported; use plain terms.")
	case strings.HasPrefix(rest, "["):
		return p, fault.New(fault.Invalid, "Invalid filter pattern: space-delimited patterns ([...]) are not supported; use plain terms, and quote a term that begins with a bracket.")
	}
	for rest != "" {
		list := &p.all
		switch rest[0] {
		case '?':
			list, rest = &p.any, rest[1:]
		case '-':
			list, rest = &p.none, rest[1:]
		}
		term, after, err := cutTerm(rest)
		if err != nil {
			return pattern{}, err
		}
		*list = append(*list, term)
		rest = strings.TrimSpace(after)
	}
	return p, nil
}

// cutTerm returns the term at the start of text, and what follows it.
func cutTerm(text string) (term []byte, after string, err error) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, " \t\r\n")
		if end < 0 {
			end = len(text)
		}
		switch {
		case end == 0:
			return nil, "", fault.New(fault.Invalid, "Invalid filter pattern: a term is empty.")
		case end > 2 && text[0] == '%' && text[end-1] == '%':
			return nil, "", fault.New(fault.Invalid, "Invalid filter pattern: regular expressions (%%...%%) are not supported; use plain terms.")
		}
		return []byte(text[:end]), text[end:], nil
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			term = append(term, text[i])
		case text[i] == '"':
			if len(term) == 0 {
				return nil, "", fault.New(fault.Invalid, "Invalid filter pattern: a term is empty.")
			}
			return term, text[i+1:], nil
		default:
			term = append(term, text[i])
		}
	}
	return nil, "", fault.New(fault.Invalid, "Invalid filter pattern: a quoted term is not closed.")
}

func (p *pattern) match(message []byte) bool {
	for _, t := range p.none {
		if bytes.Contains(message, t) {
			return false
		}
	}
	for _, t := range p.all {
		if !bytes.Contains(message, t) {
			return false
		}
	}
	for _, t := range p.any {
		if bytes.Contains(message, t) {
			return true
		}
	}
	return len(p.any) == 0
}
