package agent

import (
	"bytes"
	"fmt"
	"strings"
)

// expand has the build's shell expand variables and commands in texts of the
// buildspec, with the state that the last command left. What has none stays as
// it is, and so does a text of several lines.
func (e *engine) expand(texts []string) ([]string, error) {
	out := append([]string(nil), texts...)
	var at []int
	var b strings.Builder
	b.WriteString("cd -- " + quote(e.home) + " 2>/dev/null\n. " + quote(e.w.place(stateFile)) + " 2>/dev/null\n{\n")
	for i, text := range texts {
		if !strings.ContainsAny(text, "$`") || strings.ContainsAny(text, "\n\r") {
			continue
		}
		at = append(at, i)
		// In a here-document, other than in quotes, nothing but $, ` and \ counts.
		b.WriteString("IFS= read -r slipway_text <<SLIPWAY_END_OF_TEXT\n" + text + "\nSLIPWAY_END_OF_TEXT\nprintf '%s\\0' \"$slipway_text\"\n")
	}
	b.WriteString("} >| " + quote(e.w.place(exportedFile)) + "\n")
	if len(at) == 0 {
		return out, nil
	}
	if e.dead != nil {
		return nil, e.dead
	}
	_ = e.w.root.RemoveAll(exportedFile)
	if err := e.w.write(scriptFile, b.String()); err != nil {
		return nil, err
	}
	_, err := e.place.Run(e.shell, e.w.place(scriptFile))
	e.log.Drain()
	if err != nil {
		e.dead = err
		return nil, err
	}
	text, err := read(e.w.root, exportedFile, 1<<20)
	if err != nil {
		return nil, &problem{"the shell could not expand what the buildspec says"}
	}
	fields := bytes.Split(text, []byte{0})
	if len(fields) != len(at)+1 {
		return nil, &problem{fmt.Sprintf("the shell could not expand %q", texts[at[min(len(fields), len(at))-1]])}
	}
	for i, n := range at {
		out[n] = strings.ToValidUTF8(string(fields[i]), "\uFFFD")
	}
	return out, nil
}
