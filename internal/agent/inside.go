package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"slipway/internal/agent/inside"
)

const (
	agentFile   = "readonly/agent" // this program, in the sandbox
	requestFile = "output/tmp/request.json"
	answerFile  = "output/tmp/answer.json"
)

// A problem is why what was asked for inside cannot be done, in words for the
// user who wrote the build.
type problem struct{ message string }

func (p *problem) Error() string { return p.message }

// inside has a duty carried out in the place where user code runs and reads its
// answer into out. Its errors are a *problem, or say that the place is dead.
// User code that runs on in the background can change requests and answers:
// what is in them decides about nothing but this build.
func (e *engine) inside(duty string, in, out any) error {
	if e.dead != nil {
		return e.dead
	}
	request, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if len(request) > inside.MaxRequest {
		return &problem{fmt.Sprintf("the buildspec asks for too much at once: %d bytes, at most %d", len(request), inside.MaxRequest)}
	}
	if err := e.w.write(requestFile, string(request)); err != nil {
		return err
	}
	_ = e.w.root.RemoveAll(answerFile)
	if err := e.w.write(scriptFile, e.insideScript(duty)); err != nil {
		return err
	}
	status, err := e.place.Run("/bin/sh", e.w.place(scriptFile))
	e.log.Drain()
	if err != nil {
		e.dead = err
		return err
	}
	text, err := read(e.w.root, answerFile, inside.MaxAnswer+1)
	var answer inside.Answer
	switch {
	case err != nil:
		return &problem{fmt.Sprintf("the agent's work in the place of the build ended with exit status %d and without an answer", status)}
	case len(text) > inside.MaxAnswer:
		return &problem{fmt.Sprintf("the answer has more than %d bytes", inside.MaxAnswer)}
	case json.Unmarshal(text, &answer) != nil:
		return &problem{"the answer of the agent's work in the place of the build was changed by the build's own processes"}
	case answer.Problem != "":
		return &problem{answer.Problem}
	}
	if err := json.Unmarshal(answer.Value, out); err != nil {
		return &problem{"the answer of the agent's work in the place of the build was changed by the build's own processes"}
	}
	return nil
}

func (e *engine) insideScript(duty string) string {
	words := []string{"exec"}
	for _, word := range e.w.program(e.self) {
		words = append(words, quote(word))
	}
	for _, word := range []string{"inside", duty, e.w.place(requestFile), e.w.place(answerFile)} {
		words = append(words, quote(word))
	}
	return "cd -- " + quote(e.home) + " 2>/dev/null || cd /\nexport HOME=" + quote(e.homeDirectory()) + "\n" + strings.Join(words, " ") + "\n"
}

// homeDirectory is HOME of user code, as it names it.
func (e *engine) homeDirectory() string {
	for _, v := range e.baseVariables() {
		if v.Name == "HOME" {
			return v.Value
		}
	}
	return "/"
}

// showAgent makes the file over which the sandbox shows this program.
func (w *workspace) showAgent() error {
	f, err := os.OpenFile(w.path(agentFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}
