// Package lazy has values that are made when they are first needed. The agent is
// started several times for each build, and whoever starts it waits.
package lazy

import (
	"regexp"
	"sync"
)

// Regexp returns what compiles an expression once, when it is first called. It
// panics then if there is a mistake in the expression. It may be called from
// several goroutines.
func Regexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
