package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// style returns what makes text bold on w: nothing unless w is a terminal that
// wants colour.
func style(w io.Writer) func(string) string {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("NO_COLOR") != "" {
		return func(s string) string { return s }
	}
	return func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
}
