package tool

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"slipway/internal/agent/door"
)

// maxQuestion bounds a question of git, in bytes.
const maxQuestion = 64 << 10

// Login is the credential helper of the git of user code: it carries git's
// question from stdin to the agent whose door is args[0], and the answer to
// stdout. The rest of args is git's verb; only "get" is answered. It returns the
// exit status, which is 0 also without an answer: git then goes on without.
func Login(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(stderr, "usage: git starts this itself")
		return exitUsage
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxQuestion))
	if err != nil || args[1] != "get" {
		return exitDone // nothing is stored, so nothing is erased
	}
	said := map[string]string{}
	for line := range bytes.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), "=")
		if _, twice := said[name]; twice && !strings.HasSuffix(name, "[]") {
			return exitDone // a URL with a line break in it
		}
		said[name] = value
	}
	a, err := door.Ask(args[0], door.Request{Login: &door.Login{Protocol: said["protocol"], Host: said["host"], Path: said["path"]}})
	if err != nil {
		a.Problem = err.Error()
	}
	if a.Problem != "" {
		fmt.Fprintln(stderr, "git-credential-helper:", a.Problem)
		return exitDone
	}
	if a.Password != "" && !strings.ContainsAny(a.Username+a.Password, "\n\r\x00") {
		fmt.Fprintf(stdout, "username=%s\npassword=%s\n", a.Username, a.Password)
	}
	return exitDone
}
