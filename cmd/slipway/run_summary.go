package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"slipway/internal/api"
	"slipway/internal/build"
)

// summarize tells how a build went: its phases, why it failed, and what it
// exported, masked as in the log. Spec is what the buildspec is called.
func summarize(w io.Writer, b build.Build, spec string, container bool) {
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
		fmt.Fprintf(w, "%s: exit status %d of the command in line %d of %s:\n  %s\n%s", phase, c.Exit, c.Line, cmp.Or(c.File, spec), strings.ReplaceAll(strings.TrimRight(c.Text, "\n"), "\n", "\n  "), hint(c.Exit, container))
	} else if phase != "" {
		fmt.Fprintf(w, "%s: %s\n", phase, message)
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

// hint says what an exit status often means, and what to do then.
func hint(exit int, container bool) string {
	switch {
	case exit == 126:
		return "126 is a file that cannot be executed: give it its mode with chmod +x, or run it with its interpreter.\n"
	case exit == 127 && container:
		return "127 is a command that is not found: the image does not have it, or not on its PATH. Install it in the install phase, or choose another --image.\n"
	case exit == 127:
		return "127 is a command that is not found. Commands see this machine's system folders only: install the tool there, or name its folder with --sandbox-read-only and put it on PATH with --env.\n"
	case exit == 137:
		return "137 is a process that was killed, most often because memory ran out.\n"
	}
	return ""
}
