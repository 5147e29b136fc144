package agent

import (
	"context"
	"fmt"
	"strings"

	"slipway/internal/agent/door"
	"slipway/internal/agent/redact"
	"slipway/internal/agent/tool"
)

// Where the workspace has the tools of package tool, and the socket at which
// they find the agent. In a sandbox user code can change neither.
const (
	toolsDir = "readonly/bin"
	doorFile = "readonly/door"
)

// What a build may have masked, at most: each value is looked for in many forms.
const (
	maxMasked      = 1000
	maxMaskedBytes = 256 << 10
)

// program returns the words that start this program in the place.
func (w *workspace) program(self []string) []string {
	words := append([]string(nil), self...)
	if w.seen != w.host {
		words[0] = w.place(agentFile)
	}
	return words
}

// makeTools makes a program of each tool that starts this one, and the folder
// that users' PATH has: a user who replaces PATH is without them, as on
// CodeBuild.
func (w *workspace) makeTools(self []string) error {
	start := "#!/bin/sh\nexec"
	for _, word := range w.program(self) {
		start += " " + quote(word)
	}
	for _, name := range tool.Names() {
		f, err := w.create(toolsDir + "/" + name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(f, "%s tool %s %s \"$@\"\n", start, name, quote(w.place(doorFile)))
		if err == nil {
			err = f.Chmod(0o755)
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// openDoor opens the door at which tools ask, until the function it returns is
// called. Without it they say that they cannot reach the agent.
func (e *engine) openDoor(ctx context.Context) (shut func(), err error) {
	d, err := door.Open(ctx, e.w.path(doorFile), e.answer)
	if err != nil {
		return func() {}, err
	}
	return func() { _ = d.Close() }, nil
}

// answer answers a tool.
func (e *engine) answer(ctx context.Context, r door.Request) door.Answer {
	if r.Login != nil {
		return e.login(ctx, *r.Login)
	}
	if problem := e.hide(r.Mask); problem != "" {
		return door.Answer{Problem: problem}
	}
	return door.Answer{}
}

// hide has values masked in all that is not in the log yet, or says why it
// does not.
func (e *engine) hide(values []string) (problem string) {
	e.hidden.Lock()
	defer e.hidden.Unlock()
	number, size := e.hidden.number+len(values), e.hidden.bytes
	for _, v := range values {
		size += len(v)
		if len(strings.TrimSpace(v)) < redact.MinSecret {
			return fmt.Sprintf("a value of fewer than %d characters is not masked: the log would tell it by its gaps", redact.MinSecret)
		}
	}
	if number > maxMasked || size > maxMaskedBytes {
		return fmt.Sprintf("a build may have %d values masked, of %d bytes in all", maxMasked, maxMaskedBytes)
	}
	e.hidden.number, e.hidden.bytes = number, size
	e.log.Hide(values...)
	return ""
}
