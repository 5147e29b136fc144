package webhook

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"slipway/internal/api"
)

// Warnings tells of filters that are valid and do something else than they
// read: patterns of ACTOR_ACCOUNT_ID, HEAD_REF, BASE_REF and branchFilter that
// also match values which were not meant, each with such a value, and patterns
// that no ref can match, each with what to write instead. Account ids are given
// out in sequence, so that sooner or later somebody has one which contains a
// trusted one.
func Warnings(server api.ServerType, w *api.Webhook) []string {
	var all []string
	for i, group := range groupsOf(w) {
		if events := eventsOf(server, group); len(events) == 0 && len(w.FilterGroups) > 0 {
			all = append(all, fmt.Sprintf("Filter group %d can never match: no event passes all of its EVENT filters.", i+1))
		}
		for _, f := range group {
			if warning := warn(f); warning != "" && !slices.Contains(all, warning) {
				all = append(all, warning)
			}
		}
	}
	return all
}

func warn(f api.WebhookFilter) string {
	switch f.Type {
	case api.WebhookFilterTypeActorAccountId, api.WebhookFilterTypeHeadRef, api.WebhookFilterTypeBaseRef, branchFilterType:
	default:
		return ""
	}
	if len(f.Pattern) > maxPattern {
		return ""
	}
	tree, err := syntax.Parse(f.Pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	if never(f.Type, tree, false) {
		return neverWarning(f)
	}
	if excludes(f) { // one that excludes too much lets nobody in
		return ""
	}
	wrong, ok := wrongly(f, tree)
	if !ok {
		return ""
	}
	warning := fmt.Sprintf("The %s pattern %s also matches '%s'.", name(f.Type), quoted(f.Pattern), wrong)
	if instead, ok := anchored(f); ok {
		warning += fmt.Sprintf(" Write '%s' if only the whole value is meant.", instead)
	}
	return warning
}

func name(t api.WebhookFilterType) string {
	if t == branchFilterType {
		return "branchFilter"
	}
	return string(t)
}

func isRef(t api.WebhookFilterType) bool {
	return t == api.WebhookFilterTypeHeadRef || t == api.WebhookFilterTypeBaseRef
}

// wrongly returns a value that the pattern finds something in and that is not,
// as a whole, what the pattern describes.
func wrongly(f api.WebhookFilter, tree *syntax.Regexp) (string, bool) {
	found, err := regexp.Compile(f.Pattern)
	if err != nil {
		return "", false
	}
	whole, err := regexp.Compile(`^(?:` + f.Pattern + `)$`)
	if err != nil {
		return "", false
	}
	for _, sample := range samples(tree) {
		for _, candidate := range candidates(f.Type, sample) {
			if found.MatchString(candidate) && !whole.MatchString(candidate) {
				return cut(candidate), true
			}
		}
	}
	return "", false
}

// candidates returns values that contain sample and are somebody else's account
// or another ref.
func candidates(t api.WebhookFilterType, sample string) []string {
	if t == api.WebhookFilterTypeActorAccountId {
		return []string{"9" + sample + "6", sample + "6", "9" + sample}
	}
	// A pattern that ends within a name, such as refs/heads/release/, is meant
	// for all that begins so.
	open := strings.HasSuffix(sample, "/") || strings.HasSuffix(sample, "-")
	more := sample + "-and-more"
	if t == branchFilterType {
		if open {
			return []string{"not-" + sample}
		}
		return []string{"not-" + sample + "-at-all", more, "not-" + sample}
	}
	inside := "refs/heads/not-" + sample
	switch {
	case strings.HasPrefix(sample, "refs/") && open:
		return []string{inside}
	case strings.HasPrefix(sample, "refs/"):
		return []string{more, inside}
	case open:
		return []string{inside, "refs/heads/" + sample}
	}
	return []string{inside + "-at-all", "refs/heads/" + more, inside, "refs/heads/" + sample}
}

// anchored returns the pattern with every alternative bound to the whole value,
// and a short ref made a full one.
func anchored(f api.WebhookFilter) (string, bool) {
	alternatives, flat := split(f.Pattern)
	if !flat {
		return checked(`^(?:` + f.Pattern + `)$`)
	}
	for i, a := range alternatives {
		a = strings.TrimPrefix(a, "^")
		if strings.HasSuffix(a, "$") && !strings.HasSuffix(a, `\$`) {
			a = strings.TrimSuffix(a, "$")
		}
		if isRef(f.Type) && a != "" && !strings.HasPrefix(a, "refs") && !strings.ContainsAny(a[:1], `.(\[`) {
			a = "refs/heads/" + strings.TrimPrefix(a, "/")
		}
		alternatives[i] = a
	}
	if slices.Contains(alternatives, "") {
		return "", false
	}
	if len(alternatives) == 1 {
		return checked("^" + alternatives[0] + "$")
	}
	return checked("^(?:" + strings.Join(alternatives, "|") + ")$")
}

func checked(pattern string) (string, bool) {
	_, err := regexp.Compile(pattern)
	return pattern, err == nil && len(pattern) <= maxShown
}

// split returns the outermost alternatives of a pattern; flat is false if it
// has flags or quotations, which reach beyond the alternative they stand in.
func split(pattern string) (alternatives []string, flat bool) {
	if strings.Contains(pattern, `\Q`) || strings.HasPrefix(pattern, "(?") {
		return nil, false
	}
	depth, class, start := 0, false, 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if i+1 < len(pattern) && (pattern[i+1] == ']' || strings.HasPrefix(pattern[i+1:], "^]")) {
				i += 1 + strings.Index(pattern[i+1:], "]")
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			alternatives = append(alternatives, pattern[start:i])
			start = i + 1
		}
	}
	return append(alternatives, pattern[start:]), true
}

// never reports whether no value can match, since the pattern's beginning is
// bound to the beginning of the value and no full ref begins so, or for a
// branchFilter, no branch's name should. begun says that we are at the
// beginning of the value.
func never(t api.WebhookFilterType, re *syntax.Regexp, begun bool) bool {
	if !isRef(t) && t != branchFilterType {
		return false
	}
	switch re.Op {
	case syntax.OpCapture:
		return never(t, re.Sub[0], begun)
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !never(t, sub, begun) })
	case syntax.OpLiteral:
		if !begun || re.Flags&syntax.FoldCase != 0 {
			return false
		}
		text := string(re.Rune)
		if t == branchFilterType {
			return strings.HasPrefix(text, "refs/heads/")
		}
		return !strings.HasPrefix(text, "refs/") && !strings.HasPrefix("refs/", text)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpBeginText || sub.Op == syntax.OpBeginLine {
				begun = true
				continue
			}
			return never(t, sub, begun)
		}
	}
	return false
}

func neverWarning(f api.WebhookFilter) string {
	does := "can never match"
	if excludes(f) {
		does = "excludes nothing"
	}
	if f.Type == branchFilterType {
		return fmt.Sprintf("The branchFilter pattern %s %s: a branchFilter is held against the short name of the branch. Write '%s'.",
			quoted(f.Pattern), does, cut(strings.ReplaceAll(f.Pattern, "refs/heads/", "")))
	}
	warning := fmt.Sprintf("The %s pattern %s %s: it is held against full refs such as 'refs/heads/main'.", f.Type, quoted(f.Pattern), does)
	if instead, ok := anchored(f); ok {
		warning += fmt.Sprintf(" Write '%s'.", instead)
	}
	return warning
}
