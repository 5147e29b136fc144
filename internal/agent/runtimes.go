package agent

import (
	"context"
	"errors"
	"strings"

	"slipway/internal/agent/inside"
	"slipway/internal/agent/runtimes"
	"slipway/internal/api"
)

// runtimes sets up what the buildspec's runtime-versions ask for, if the image
// can: its commands are run as the build's own are, and leave their variables.
func (e *engine) runtimes(ctx context.Context, env *environment) outcome {
	wanted := e.spec.Phase(api.BuildPhaseTypeInstall).Runtimes
	if len(wanted) == 0 {
		e.log.Service("No runtime version selected in buildspec.")
		return succeeded
	}
	// In a sandbox and in a container this is the path that CodeBuild's images
	// have the file at.
	paths := []string{e.w.place(strings.TrimPrefix(runtimes.Path, "/codebuild/"))}
	if paths[0] != runtimes.Path {
		paths = append(paths, runtimes.Path)
	}
	var file inside.RuntimesAnswer
	err := e.inside(inside.Runtimes, paths, &file)
	problem, wrong := errors.AsType[*problem](err)
	switch {
	case wrong:
		return failed(clientError, "The runtimes of the build's image cannot be read: %s", problem.message)
	case err != nil:
		return e.foundDead()
	case file.Path == "":
		e.log.Service("Skipping install of runtimes. Runtime version selection is not supported by this build image")
		return succeeded
	}
	image, err := runtimes.Parse(file.Text)
	if err != nil {
		return failed(clientError, "The runtimes of the build's image cannot be read: %s: %v", file.Path, err)
	}
	choices, lines, err := runtimes.Select(image, wanted, func(name string) (string, bool) {
		value, ok := env.values[name]
		return value, ok
	})
	for _, line := range lines {
		e.log.Service("%s", line)
	}
	if err != nil {
		return failed(yamlError, "%v", err)
	}
	for _, c := range choices {
		for _, text := range c.Commands {
			if out := e.command(ctx, text, 0); !out.ok() {
				return out
			}
		}
	}
	if e.cwd == "" || e.cwd == e.home {
		return succeeded
	}
	// The first of the build's own begins at the source, and PWD says so.
	if _, err := e.execute("cd -- " + quote(e.home)); err != nil {
		e.dead = err
		return e.foundDead()
	}
	return succeeded
}
