package agent

import (
	"fmt"
	"os"

	"slipway/internal/agent/relay"
	"slipway/internal/agent/sandbox"
	"slipway/internal/agent/shell"
)

// startFar starts the place in the container at the other end of an open file.
func startFar(fd int, w *workspace) (*shell.Place, error) {
	far, err := relay.Open(os.NewFile(uintptr(fd), "container"))
	if err != nil {
		return nil, err
	}
	return shell.StartFar(far, sandbox.Workspace)
}

// container returns the connection to the container that user code runs in, or
// nil.
func (e *engine) container() *relay.Conn {
	if e.place == nil {
		return nil
	}
	return e.place.Container()
}

// giveSources gives the sources to root, which user code is in a container: git
// refuses to work in a repository of somebody else's.
func (e *engine) giveSources() error {
	far := e.container()
	if far == nil || os.Geteuid() == 0 {
		return nil
	}
	entries, err := os.ReadDir(e.w.path("output"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "tmp" { // the agent's own
			continue
		}
		if err := far.Own(e.w.place("output/" + entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// hasProgram reports whether the place has a program at a path.
func (e *engine) hasProgram(path string) bool {
	if e.container() == nil {
		_, err := os.Stat(path) // the sandbox shows what the host has
		return err == nil
	}
	if e.ready() != nil || e.w.write(scriptFile, "[ -x "+quote(path)+" ]\n") != nil {
		return false
	}
	status, err := e.place.Run(shell.Path, e.w.place(scriptFile))
	return err == nil && status == 0
}

// whose says what has a program or has not.
func (e *engine) whose() string {
	if e.container() != nil {
		return "the image"
	}
	return "this machine"
}

// foundDead is what CodeBuild says when the place of a build is gone.
func (e *engine) foundDead() outcome {
	const found = "Build container found dead before completing the build. "
	if e.container() != nil {
		return failed(clientError, found+"Build container died because it was out of memory, or the Docker image is not supported. ErrorCode: 500")
	}
	return failed(clientError, found+"A command ended the build's own processes, or the machine was out of memory.")
}

// outOfMemory is what is to be added to the failure of a command in which the
// kernel ended processes because the container had used up its memory; mostly
// nothing.
func (e *engine) outOfMemory() string {
	far := e.container()
	if far == nil {
		return ""
	}
	m, err := far.Memory()
	if err != nil || m.Killed <= e.killed {
		return ""
	}
	e.killed = m.Killed
	text := ". The build used up its memory"
	if m.Limit > 0 {
		text += fmt.Sprintf(" of %.1f GiB", float64(m.Limit)/(1<<30))
	}
	text += ", so that a process was ended: a larger computeType has more"
	e.log.Service("%s", text[2:])
	return text
}
