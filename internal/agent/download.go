package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"slipway/internal/agent/fetch"
	"slipway/internal/agent/sandbox"
	"slipway/internal/agent/shell"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/buildspec"
)

// yamlError is the code for a buildspec that is missing or wrong.
const yamlError = "YAML_FILE_ERROR"

// download is the phase DOWNLOAD_SOURCE: the sources, the buildspec, the
// environment, and a place where commands can run.
func (e *engine) download(ctx context.Context) outcome {
	e.log.Service("Phase is DOWNLOAD_SOURCE")
	e.home = e.w.place(sourceDir(e.work.ProjectName, e.work.Source))
	e.log.Service("CODEBUILD_SRC_DIR=%s", e.home)
	for _, s := range e.work.SecondarySources {
		e.log.Service("CODEBUILD_SRC_DIR_%s=%s", s.Identifier, e.w.place(sourceDir(e.work.ProjectName, s)))
	}
	for _, step := range []func(context.Context) outcome{e.fetch, e.readSpec, e.refuse, e.prepare} {
		if out := step(ctx); !out.ok() || ctx.Err() != nil {
			return out
		}
	}
	return succeeded
}

// fetch clones the sources in a process of its own, which has ended when it
// returns: from then on nothing on this side holds the source token.
func (e *engine) fetch(ctx context.Context) outcome {
	job := fetch.Job{Launch: e.launch}
	for _, s := range append([]agentapi.Source{e.work.Source}, e.work.SecondarySources...) {
		dir := e.w.path(sourceDir(e.work.ProjectName, s))
		switch s.Type {
		case api.SourceTypeNoSource:
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return failed(clientError, "The source directory could not be made: %v", err)
			}
			continue
		case api.SourceTypeS3, api.SourceTypeCodecommit, api.SourceTypeCodepipeline:
			return failed(clientError, "Sources of type %s cannot be fetched by this server yet", s.Type)
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return failed(clientError, "The source directory could not be made: %v", err)
		}
		job.Sources = append(job.Sources, fetch.Source{Source: s, Dir: dir})
	}
	if len(job.Sources) == 0 {
		return succeeded
	}
	result, err := fetch.Run(ctx, e.self, job, e.log)
	if err != nil {
		return failed(clientError, "The source could not be fetched: %v", err)
	}
	for _, c := range result.Commits {
		e.commits[c.Identifier] = c.Commit
		e.report.add(build.Event{Resolved: &c})
	}
	if f := result.Failure; f != nil {
		return failed(*f.StatusCode, "%s", *f.Message)
	}
	return succeeded
}

// readSpec finds and reads the buildspec.
func (e *engine) readSpec(context.Context) outcome {
	text, out := e.specText()
	if !out.ok() {
		return out
	}
	spec, err := buildspec.Parse(text)
	if err != nil {
		return failed(yamlError, "%v", err)
	}
	e.spec = spec
	return succeeded
}

func (e *engine) specText() ([]byte, outcome) {
	value := strings.TrimSpace(e.work.Buildspec)
	switch buildspec.PlaceOf(e.work.Buildspec) {
	case buildspec.Inline:
		if err := e.w.write(inlineFile, e.work.Buildspec); err != nil {
			return nil, failed(yamlError, "the buildspec could not be written: %v", err)
		}
		e.log.Service("YAML location is %s", e.w.place(inlineFile))
		return []byte(e.work.Buildspec), succeeded
	case buildspec.Object:
		return nil, failed(clientError, "A buildspec in S3 cannot be read by this server yet: name a file of the source, or give the text inline")
	case buildspec.Default:
		value = buildspec.DefaultPath
	}
	if e.work.Source.Type == api.SourceTypeNoSource {
		return nil, failed(yamlError, "a project without a source needs its buildspec inline: there is no file to read it from")
	}
	name := path.Join(sourceDir(e.work.ProjectName, e.work.Source), value)
	e.log.Service("YAML location is %s", e.w.place(name))
	text, err := read(e.w.root, name, buildspec.MaxSize+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failed(yamlError, "stat %s: no such file or directory", e.w.place(name))
	case err != nil: // a link out of the workspace, a directory, a pipe
		return nil, failed(yamlError, "%s cannot be read: it must be a regular file of the source", e.w.place(name))
	}
	return text, succeeded
}

// refuse ends a build that asks for what would change its result and is not
// built yet. What changes nothing but speed or side products is a line in the log.
func (e *engine) refuse(context.Context) outcome {
	for user := range e.spec.Users() {
		return failed(clientError, "run-as: %s is not supported by this server yet: remove run-as from the buildspec", user)
	}
	if len(e.spec.Parameters)+len(e.spec.Secrets) > 0 {
		return failed(clientError, "parameter-store and secrets-manager variables are not supported by this server yet: remove them from the buildspec's env")
	}
	for _, v := range e.work.Variables {
		if v.Type != "" && v.Type != api.EnvironmentVariableTypePlaintext {
			return failed(clientError, "The environment variable %s is of type %s, which this server does not support yet: use PLAINTEXT", v.Name, v.Type)
		}
	}
	switch e.spec.Shell {
	case "", "sh", "/bin/sh":
		e.shell = shell.Path
	case "bash", "/bin/bash":
		for _, p := range []string{"/bin/bash", "/usr/bin/bash"} {
			if _, err := os.Stat(p); err == nil && e.shell == "" {
				e.shell = p
			}
		}
		if e.shell == "" {
			return failed(clientError, "The buildspec asks for bash, which is not installed on this machine")
		}
	default:
		return failed(clientError, "env.shell %s is not supported: use bash or /bin/sh", e.spec.Shell)
	}
	for _, b := range []struct {
		there bool
		what  string
	}{{e.spec.Cache, "cache"}, {e.spec.Reports, "reports"}, {e.spec.Proxy, "proxy"}, {e.spec.Batch, "batch"}} {
		if b.there {
			e.log.Service("The buildspec's %s block is not acted upon by this server", b.what)
		}
	}
	return succeeded
}

// prepare writes the environment and waits for the place.
func (e *engine) prepare(context.Context) outcome {
	if len(e.spec.Phase(api.BuildPhaseTypeInstall).Commands) == 0 {
		e.log.Service("No commands found for phase name: install")
	}
	e.log.Service("Processing environment variables")
	env := newEnvironment(e.baseVariables(), e.work, e.spec, e.ownVariables())
	for _, name := range env.odd {
		e.log.Service("The variable %q is left out: no shell accepts its name", name)
	}
	if err := e.w.write(stateFile, env.script()); err != nil {
		return failed(clientError, "The build's variables could not be written: %v", err)
	}
	if len(e.spec.Phase(api.BuildPhaseTypeInstall).Runtimes) > 0 {
		e.log.Service("Skipping install of runtimes. Runtime version selection is not supported by this build image")
	}
	e.log.Service("Moving to directory %s", e.home)
	e.log.Service("Phases found in YAML: %d", len(e.spec.Phases))
	for _, p := range e.spec.Phases {
		e.log.Service(" %s: %d commands", p.Type, len(p.Commands))
	}
	if e.placeError == nil {
		e.placeError = e.place.Ready(readyTime)
	}
	if e.placeError != nil {
		return outcome{api.StatusTypeFault, "SANDBOX_ERROR", "The place where commands run could not be started: " + e.placeError.Error()}
	}
	return succeeded
}

// baseVariables are what the image would set.
func (e *engine) baseVariables() []buildspec.Variable {
	home := e.w.home
	if e.launch.Sandbox.Bubblewrap != "" {
		home = sandbox.Home
	}
	return []buildspec.Variable{{Name: "PATH", Value: defaultPath}, {Name: "HOME", Value: home}}
}

// ownVariables are those of CodeBuild's that only the agent knows.
func (e *engine) ownVariables() []buildspec.Variable {
	own := []buildspec.Variable{
		{Name: "CODEBUILD_SRC_DIR", Value: e.home},
		{Name: "CODEBUILD_BUILD_SUCCEEDING", Value: "1"},
		{Name: "CODEBUILD_LAST_EXIT", Value: "0"},
	}
	if c := e.commits[""]; c != "" {
		own = append(own, buildspec.Variable{Name: "CODEBUILD_RESOLVED_SOURCE_VERSION", Value: c})
	}
	for _, s := range e.work.SecondarySources {
		own = append(own, buildspec.Variable{Name: "CODEBUILD_SRC_DIR_" + s.Identifier, Value: e.w.place(sourceDir(e.work.ProjectName, s))})
	}
	return own
}
