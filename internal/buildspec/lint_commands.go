package buildspec

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/lazy"
)

// bashOnly are what the sh of Debian and Ubuntu does not know.
var bashOnly = []struct {
	is   func() *regexp.Regexp
	what string
}{
	{lazy.Regexp(`(?m)^\s*set\s[^#\n;&|]*\bpipefail\b`), "pipefail is an option of bash"},
	{lazy.Regexp(`(?m)(^|[;&|(]|\b(if|while|until|elif|then|do|else)\b)\s*\[\[\s`), "[[ is a word of bash"},
	{lazy.Regexp(`(?m)^\s*source\s`), "source is a word of bash, whose name in every shell is a dot"},
}

// commands tells of commands that do something else than they seem to.
func (l *linter) commands(n *yaml.Node, s *Spec) {
	if l == nil {
		return
	}
	for item := range scalars(n) {
		if l.full(Odd) {
			return
		}
		command := item.Value
		if s.Shell == "" || s.Shell == "sh" || s.Shell == "/bin/sh" {
			for _, b := range bashOnly {
				if b.is().MatchString(command) {
					l.add(Odd, item, b.what+": commands run in sh, which is not bash in every image. Write 'shell: bash' below env.")
					break
				}
			}
		}
		if masks(command) {
			l.add(Odd, item, "Only the last line decides whether this fails: begin it with 'set -e', or give each line an entry of its own.")
		}
		if s.Version == "0.1" && forgotten().MatchString(command) {
			l.add(Odd, item, "In version 0.1 every command has a shell of its own, so that this is forgotten when it ends: use version 0.2, or join the commands with &&.")
		}
	}
}

// forgotten is a command that only changes its own shell.
var forgotten = lazy.Regexp(`^\s*(cd|export|unset|alias|source|\.)\s[^;&|\n]*$`)

// harmless are first words of lines whose failure nobody waits for.
var harmless = []string{
	":", "[", "[[", "test", "alias", "echo", "exit", "export", "local", "printf", "readonly", "return", "set", "shift", "sleep", "trap", "true", "umask", "unset", "wait",
}

var (
	assignment = lazy.Regexp(`^[A-Za-z_][A-Za-z0-9_]*=`)
	exitOnFail = lazy.Regexp(`^set\s+(-[a-z]*e|.*\s-[a-z]*e|.*\berrexit\b)`)
	hereDoc    = lazy.Regexp(`(?:^|[^<])<<-?\s*['"\\]?([A-Za-z_][A-Za-z0-9_]*)`)
	// Where a compound begins and ends. What is in one is not looked at.
	opens  = lazy.Regexp(`(^|[;&|(]\s*|\b(?:then|else|do)\s+)(if|for|while|until|case)\b|(^|\s)\{$|\($`)
	closes = lazy.Regexp(`(^|;\s*)(fi|done|esac)\b|^\}|^\)`)
)

// masks reports whether a command has a line that may fail without anybody's
// notice: one before the last, outside of any compound, that is not part of a
// list with || and has no 'set -e' before it. It is a guess: only a shell knows
// what its script means.
func masks(command string) bool {
	all := statements(command)
	for i, s := range all[:max(0, len(all)-1)] {
		if exitOnFail().MatchString(s.text) {
			return false
		}
		word, _, _ := strings.Cut(s.text, " ")
		looks := strings.Contains(s.text, "||") || strings.Contains(all[i+1].text, "$?")
		if s.compound || looks || slices.Contains(harmless, word) || assignment().MatchString(s.text) {
			continue
		}
		return true
	}
	return false
}

// A statement is a line of a command, together with those it goes on in.
type statement struct {
	text     string // of a compound the first line
	compound bool
}

// statements are those of a command that are in no compound. Comments and
// here-documents are left out.
func statements(command string) []statement {
	var out []statement
	var parts []string // of the statement that is being read
	var quote byte
	depth, end := 0, ""
	for line := range strings.Lines(command) {
		line = strings.TrimSpace(line)
		if end != "" { // in a here-document
			if line == end {
				end = ""
			}
			continue
		}
		if line == "" || line[0] == '#' && quote == 0 {
			continue
		}
		if m := hereDoc().FindStringSubmatch(line); m != nil && quote == 0 {
			end = m[1]
		}
		quote = quoteAfter(quote, line)
		rest, goesOn := strings.CutSuffix(line, "\\")
		parts = append(parts, rest)
		if goesOn || quote != 0 || strings.HasSuffix(line, "&&") || strings.HasSuffix(line, "|") {
			continue
		}
		whole := strings.Join(parts, " ")
		parts = nil
		opened := len(opens().FindAllStringIndex(whole, -1))
		if depth == 0 {
			out = append(out, statement{whole, opened > 0})
		}
		depth = max(0, depth+opened-len(closes().FindAllStringIndex(whole, -1)))
	}
	if len(parts) > 0 && depth == 0 {
		out = append(out, statement{strings.Join(parts, " "), false})
	}
	return out
}

// quoteAfter returns the quote that is open behind a line, 0 if none is, when
// quote was open before it.
func quoteAfter(quote byte, line string) byte {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote
}
