package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"slipway/internal/agent/sandbox"
	"slipway/internal/api"
	"slipway/internal/build"
)

// summarize tells how a build went: its phases, why it failed, and what it
// exported, masked as in the log.
func summarize(w io.Writer, b build.Build, source *runSource, container bool) {
	bold := style(w)
	fmt.Fprintln(w)
	for _, p := range b.Public.Phases {
		if p.PhaseType == api.BuildPhaseTypeCompleted || p.EndTime.IsZero() {
			continue
		}
		took := p.EndTime.Sub(p.StartTime.Time).Round(time.Millisecond)
		fmt.Fprintf(w, "  %-17s %-10s %10s\n", p.PhaseType, p.PhaseStatus, took)
	}
	fmt.Fprintln(w, bold(string(b.Public.BuildStatus)))
	phase, message := b.Failure()
	if c := b.State.Failed; c != nil && phase != "" {
		fmt.Fprintf(w, "%s: exit status %d of the command in line %d of %s:\n  %s\n%s", phase, c.Exit, c.Line, cmp.Or(c.File, source.shown), strings.ReplaceAll(strings.TrimRight(c.Text, "\n"), "\n", "\n  "), hint(c.Exit, c.Text, container))
	} else if phase != "" {
		fmt.Fprintf(w, "%s: %s\n", phase, message)
		if source.spec == nil {
			for _, f := range lintText(source.shown, source.text) {
				f.print(w, bold)
			}
		}
	}
	if exported := b.Public.ExportedEnvironmentVariables; len(exported) > 0 {
		fmt.Fprintln(w, "Exported variables:")
		for _, v := range exported {
			fmt.Fprintf(w, "  %s=%s\n", value(v.Name), oneLine(value(v.Value)))
		}
	}
}

// oneLine returns a value as it is, or quoted as in Go if it would not be a
// line that shows all of it, or could be taken for a quoted one.
func oneLine(text string) string {
	if strings.HasPrefix(text, `"`) || strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// hint says what the exit status of a command often means, and what to do then.
func hint(exit int, command string, container bool) string {
	switch {
	case exit == 126:
		return "126 is a file that cannot be executed: give it its mode with chmod +x, or run it with its interpreter.\n"
	case exit == 127 && container:
		return "127 is a command that is not found: the image does not have it, or not on its PATH. Install it in the install phase, or choose another --image.\n"
	case exit == 127:
		return "127 is a command that is not found. " + elsewhere(command) + "\n"
	case exit == 137:
		return "137 is a process that was killed, most often because memory ran out.\n"
	}
	return ""
}

// elsewhere says how a build gets the program that a command begins with: this
// shell may find it where a build does not look.
func elsewhere(command string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil || strings.Contains(name, "/") || !filepath.IsAbs(path) {
		return "Commands see this machine's system folders only: install the tool there, or name its folder with --sandbox-read-only and put it on PATH with --env."
	}
	dir := filepath.Dir(path)
	if sandbox.Shows(dir) {
		return fmt.Sprintf("This shell finds %s in %s: add --env PATH, and commands look there, too.", name, dir)
	}
	if filepath.Base(dir) == "bin" { // what a program needs is often beside its folder
		if home, err := os.UserHomeDir(); err != nil || filepath.Dir(dir) != home {
			dir = filepath.Dir(dir)
		}
	}
	return fmt.Sprintf("This shell finds %s in %s: add --env PATH --sandbox-read-only %s, and commands look there, too.", name, filepath.Dir(path), dir)
}
