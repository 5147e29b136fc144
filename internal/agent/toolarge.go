package agent

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// What Linux lets a program be started with, in bytes: of one variable, name and
// value, and of all together, which depends on the limit of the stack.
const (
	mostOfOne  = 128<<10 - 1
	leastOfAll = 128 << 10
	mostOfAll  = 6 << 20
)

// tooLarge says why no program can be started in an environment of variables
// with these sizes of "name=value"; "" if one can. Without a word about it,
// every command would fail with "Argument list too long".
func tooLarge(sizes map[string]int) string {
	largest, all := "", 0
	for name, size := range sizes {
		all += size + 1 + 8 // and a pointer to it
		if size > sizes[largest] || size == sizes[largest] && name < largest {
			largest = name
		}
	}
	if sizes[largest] > mostOfOne {
		return fmt.Sprintf("No program can be started any more: the environment variable %s has %d bytes, and Linux allows one %d. Keep its value in a file.", largest, sizes[largest], mostOfOne)
	}
	limit := mostOfAll
	var stack unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &stack) == nil && stack.Cur/4 < mostOfAll {
		limit = max(int(stack.Cur/4), leastOfAll) //nolint:gosec // below mostOfAll
	}
	if all > limit {
		return fmt.Sprintf("No program can be started any more: all environment variables together have %d bytes, and Linux allows %d here. The largest is %s, with %d bytes. Keep its value in a file.", all, limit, largest, sizes[largest])
	}
	return ""
}

// sizes returns how large the variables of e are.
func (e *environment) sizes() map[string]int {
	sizes := make(map[string]int, len(e.values))
	for name, value := range e.values {
		sizes[name] = len(name) + 1 + len(value)
	}
	return sizes
}

// sizesOf returns how large the variables are that a shell has saved with
// export -p.
func sizesOf(saved string) map[string]int {
	sizes := map[string]int{}
	for rest := saved; rest != ""; {
		head := rest
		if i := strings.IndexAny(rest, "=\n"); i >= 0 {
			head = rest[:i]
		}
		rest = rest[len(head):]
		n := 0
		if strings.HasPrefix(rest, "=") {
			n, rest = word(rest[1:])
		} else if rest != "" {
			rest = rest[1:] // a variable without a value
		}
		name := head[strings.LastIndexByte(head, ' ')+1:]
		if shellName().MatchString(name) {
			sizes[name] = len(name) + 1 + n
		}
	}
	return sizes
}

// word reads a word as a shell writes it, up to the end of its line. It returns
// how long the text is that it means, and what comes after the line.
func word(text string) (n int, rest string) {
	var quote byte // ' or ", or $ for $'
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote == 0 && c == '\n':
			return n, text[i+1:]
		case quote == 0 && c == '$' && strings.HasPrefix(text[i:], "$'"):
			quote = '$'
			i++
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote && c != '$' || quote == '$' && c == '\'':
			quote = 0
		case c == '\\' && quote != '\'':
			i++
			n++
		default:
			n++
		}
	}
	return n, ""
}

// explainSize says in the log that the environment has become too large, if it
// has: a command that failed may have failed for that.
func (e *engine) explainSize() {
	info, err := e.w.root.Lstat(stateFile)
	if err != nil || info.Size() < leastOfAll/2 {
		return
	}
	text, err := read(e.w.root, stateFile, 64<<20)
	if err != nil {
		return
	}
	if problem := tooLarge(sizesOf(string(text))); problem != "" {
		e.log.Service("%s", problem)
	}
}
