package agent

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"slipway/internal/agent/inside"
	"slipway/internal/agent/runas"
	"slipway/internal/agentapi"
	"slipway/internal/buildspec"
)

// asFile is the script that starts the script of a command as another user. A
// user who is not root cannot change it.
const asFile = "readonly/as.sh"

// become settles who runs the commands of a phase. Without run-as that is who
// owns the place: root, as on CodeBuild, or the user that a server runs as which
// is not root. That user counts as root, too.
func (e *engine) become(p buildspec.Phase) outcome {
	e.user = ""
	name := p.RunAs
	if name == "" {
		name = e.spec.RunAs
	}
	if name == "" || name == "root" || len(p.Commands)+len(p.Finally) == 0 {
		return succeeded
	}
	var answer inside.UserAnswer
	err := e.inside(inside.User, name, &answer)
	problem, ok := errors.AsType[*problem](err)
	switch {
	case ok:
		return failed(clientError, "Commands cannot run as %s: %s", name, problem.message)
	case err != nil:
		return e.foundDead()
	case answer.UID == answer.Own:
		return succeeded
	case answer.Own != 0:
		return failed(clientError, "Commands cannot run as %s: only a server that runs as root can give its builds other users", name)
	}
	e.user = name
	return succeeded
}

// start returns the script to run, and with which shell, for a command whose
// script is written: another user's begins with root's part. When the user is
// another one than before, the sources and HOME become that user's, so that
// files are there to be written and git finds them its user's own. Scripts and
// variables stay where only root can replace them.
func (e *engine) start() (shell, script string, err error) {
	if e.user == e.owner && e.user == "" {
		return e.shell, scriptFile, nil
	}
	r := runas.Request{
		User: e.user, Run: []string{e.shell, e.w.place(scriptFile)},
		Files: []string{e.w.place(stateFile), e.w.place(cwdFile)},
	}
	if e.user != e.owner {
		r.Trees = []string{e.homeDirectory()}
		for _, s := range append([]agentapi.Source{e.work.Source}, e.work.SecondarySources...) {
			dir, _, _ := strings.Cut(strings.TrimPrefix(sourceDir(e.work.ProjectName, s), "output/"), "/")
			if dir = e.w.place("output/" + dir); !slices.Contains(r.Trees, dir) {
				r.Trees = append(r.Trees, dir)
			}
		}
	}
	if e.w.seen == e.w.host {
		r.Show = append(e.w.shown(), e.self[0])
	}
	text, err := json.Marshal(r)
	if err != nil {
		return "", "", err
	}
	line := "exec"
	for _, word := range append(e.w.program(e.self), "as", string(text)) {
		line += " " + quote(word)
	}
	if err := e.w.write(asFile, line+"\n"); err != nil {
		return "", "", err
	}
	e.owner = e.user
	return "/bin/sh", asFile, nil
}

// shown are the folders that user code works in, as the host names them.
func (w *workspace) shown() []string { return []string{w.host, w.home, w.tmp, w.varTmp()} }
