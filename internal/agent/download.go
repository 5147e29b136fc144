package agent

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"slipway/internal/agent/fetch"
	"slipway/internal/agent/sandbox"
	"slipway/internal/agent/shell"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/buildspec"
	"slipway/internal/fault"
)

// yamlError is the code for a buildspec that is missing or wrong.
const yamlError = "YAML_FILE_ERROR"

// download is the phase DOWNLOAD_SOURCE: the sources, the buildspec, the
// environment, and a place where commands can run.
func (e *engine) download(ctx context.Context) outcome {
	e.log.Service("Waiting for agent ping")
	for _, note := range e.launch.Notes {
		e.log.Service("%s", note)
	}
	e.log.Service(event.WaitingForSource)
	for _, step := range []func(context.Context) outcome{e.fetch, e.readSpec, e.refuse, e.prepare} {
		if out := step(ctx); !out.ok() || ctx.Err() != nil {
			return out
		}
	}
	return succeeded
}

// fetch brings the sources in a process of its own, which has ended when it
// returns: from then on nothing on this side holds the source token.
func (e *engine) fetch(ctx context.Context) outcome {
	if e.fetcher != nil {
		defer e.fetcher.End()
	}
	e.home = e.w.place(sourceDir(e.work.ProjectName, e.work.Source))
	job := fetch.Job{Launch: e.launch, Mirrors: e.mirrors(), Certificate: e.work.Certificate}
	for _, s := range append([]agentapi.Source{e.work.Source}, e.work.SecondarySources...) {
		dir := e.w.path(sourceDir(e.work.ProjectName, s))
		if s.Directory != "" {
			err := copyTree(ctx, s.Directory, dir, s.Exclude)
			if err == nil {
				err = copyRepository(ctx, s.Directory, dir)
			}
			if err != nil {
				return failed(clientError, "The source could not be copied: %v", err)
			}
			continue
		}
		if s.Type == api.SourceTypeNoSource {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return faulty("The source directory could not be made: %v", err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return faulty("The source directory could not be made: %v", err)
		}
		job.Sources = append(job.Sources, fetch.Source{Source: s, Dir: dir})
	}
	var result fetch.Result
	if len(job.Sources) > 0 {
		var err error
		if e.fetcher != nil {
			result, err = e.fetcher.Fetch(ctx, job, e.log, func() { go e.beginPlace() })
		} else {
			result, err = fetch.Run(ctx, e.self, job, e.log)
		}
		if err != nil {
			return faulty("The source could not be fetched: %v", err)
		}
	}
	for _, c := range result.Commits {
		e.commits[c.Identifier] = c.Commit
		e.report.add(event.Event{Resolved: &c})
	}
	for _, v := range result.Versions {
		e.versions[v.Identifier] = v.Version
	}
	if f := result.Failure; f != nil {
		return failed(*f.StatusCode, "%s", *f.Message)
	}
	if err := e.giveSources(); err != nil {
		return faulty("The sources could not be given to the container's user: %v", err)
	}
	e.log.Service("Phase is DOWNLOAD_SOURCE")
	e.log.Service("CODEBUILD_SRC_DIR=%s", e.home)
	for _, s := range e.work.SecondarySources {
		e.log.Service("CODEBUILD_SRC_DIR_%s=%s", s.Identifier, e.w.place(sourceDir(e.work.ProjectName, s)))
	}
	return succeeded
}

// mirrors names the project whose mirrors of repositories the fetch uses; ""
// means none.
func (e *engine) mirrors() string {
	if e.work.CacheType != api.CacheTypeLocal || !slices.Contains(e.work.CacheModes, api.CacheModeLocalSourceCache) {
		return ""
	}
	if e.launch.Mirrors.Dir == "" {
		e.log.Service("LOCAL_SOURCE_CACHE is not available here: sources are fetched whole")
		return ""
	}
	return e.work.BuildARN[:max(0, strings.LastIndexByte(e.work.BuildARN, ':'))] // without the build's own part
}

// readSpec finds and reads the buildspec.
func (e *engine) readSpec(ctx context.Context) outcome {
	text, out := e.specText(ctx)
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

func (e *engine) specText(ctx context.Context) ([]byte, outcome) {
	value := strings.TrimSpace(e.work.Buildspec)
	switch buildspec.PlaceOf(value) {
	case buildspec.Inline:
		return e.givenSpec(e.work.Buildspec)
	case buildspec.Object:
		text, out := e.storedSpec(ctx, value)
		if !out.ok() {
			return nil, out
		}
		return e.givenSpec(text)
	case buildspec.Default:
		value = buildspec.DefaultPath
	}
	if e.work.Source.Type == api.SourceTypeNoSource && e.work.Source.Directory == "" {
		return nil, failed(yamlError, "a project without a source needs its buildspec inline: there is no file to read it from")
	}
	dir := sourceDir(e.work.ProjectName, e.work.Source)
	e.specFile = path.Clean(value)
	place := e.w.place(path.Join(dir, value))
	e.log.Service("YAML location is %s", place)
	// A root of the source's own: a repository may hold links to anywhere.
	source, err := e.w.root.OpenRoot(dir)
	if err != nil {
		return nil, faulty("The source directory could not be opened: %v", err)
	}
	defer source.Close()
	text, err := read(source, path.Clean(value), buildspec.MaxSize+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failed(yamlError, "stat %s: no such file or directory", place)
	case err != nil: // a link out of the source, a directory, a pipe
		return nil, failed(yamlError, "%s cannot be read: the buildspec must be a regular file of the source", place)
	}
	return text, succeeded
}

// givenSpec shows a buildspec that is no file of the source to user code.
func (e *engine) givenSpec(text string) ([]byte, outcome) {
	if err := e.w.write(inlineFile, text); err != nil {
		return nil, faulty("The buildspec could not be written: %v", err)
	}
	e.log.Service("YAML location is %s", e.w.place(inlineFile))
	return []byte(text), succeeded
}

// storedSpec reads the buildspec that is at an ARN in S3.
func (e *engine) storedSpec(ctx context.Context, at string) (string, outcome) {
	var text []byte
	var no error
	err := insist(ctx, func(ctx context.Context) error {
		body, _, err := e.client.Get(ctx, agentapi.Object{Kind: agentapi.BuildspecObject})
		if fault.KindOf(err) == fault.NotFound {
			no = err
			return nil
		}
		if err != nil {
			return err
		}
		defer body.Close()
		text, err = io.ReadAll(io.LimitReader(body, buildspec.MaxSize+1))
		return err
	})
	switch {
	case no != nil:
		return "", failed(clientError, "error while downloading buildspec %s, error: %s Check the project's buildspec, and that the object was uploaded.", at, fault.Message(no))
	case fault.KindOf(err) == fault.Invalid:
		return "", failed(clientError, "error while downloading buildspec %s: %s", at, fault.Message(err))
	case err != nil:
		return "", faulty("The buildspec could not be read: %v", err)
	}
	return string(text), succeeded
}

// refuse ends a build that asks for what would change its result and is not
// built yet.
func (e *engine) refuse(context.Context) outcome {
	switch e.spec.Shell {
	case "", "sh", "/bin/sh":
		e.shell = shell.Path
	case "bash", "/bin/bash":
		i := slices.IndexFunc(bashes, e.hasProgram)
		if i < 0 {
			return failed(clientError, "The buildspec wants bash, which %s does not have", e.whose())
		}
		e.shell = bashes[i]
	default:
		return failed(clientError, "The buildspec's env.shell is %q; bash and /bin/sh are supported", e.spec.Shell)
	}
	return succeeded
}

// bashes are where bash may be, on the host, in the sandbox and in images.
var bashes = []string{"/bin/bash", "/usr/bin/bash"}

// prepare writes the environment and waits for the place. Its lines are
// CodeBuild's; what is not acted upon but does not change what commands do has
// a line as well.
func (e *engine) prepare(ctx context.Context) outcome {
	for _, p := range e.spec.Phases {
		if len(p.Commands) == 0 {
			e.log.Service("No commands found for phase name: %s", p.Key())
		}
	}
	e.log.Service("Processing environment variables")
	if out := e.secrets(ctx); !out.ok() {
		return out
	}
	env := newEnvironment(e.baseVariables(), e.work, e.spec, e.values, e.ownVariables())
	for _, name := range env.odd {
		e.log.Service("The variable %q is left out: a shell cannot have one of that name", name)
	}
	if problem := tooLarge(env.sizes()); problem != "" {
		return failed(clientError, "%s", problem)
	}
	e.initial = env.script()
	if err := e.w.write(stateFile, e.initial); err != nil {
		return faulty("The build's variables could not be written: %v", err)
	}
	if err := e.ready(); err != nil {
		return faulty("The place where commands run could not be started: %v", err)
	}
	if out := e.gitHelper(ctx); !out.ok() {
		return out
	}
	if out := e.runtimes(ctx, env); !out.ok() {
		return out
	}
	if (e.spec.Proxy != buildspec.Proxy{}) {
		e.log.Service("Skipping proxy: it is not acted upon by this server yet")
	}
	e.log.Service("Moving to directory %s", e.home)
	e.restoreCache(ctx)
	e.log.Service("Registering with agent")
	e.log.Service("Phases found in YAML: %d", len(e.spec.Phases))
	for _, p := range e.spec.Phases {
		e.log.Service(" %s: %d commands", p.Type, len(p.Commands))
	}
	return succeeded
}

// baseVariables are what an image would set.
func (e *engine) baseVariables() []buildspec.Variable {
	if far := e.container(); far != nil { // whose environment the driver has
		return []buildspec.Variable{{Name: "PATH", Value: cmp.Or(far.Path(), defaultPath) + ":" + e.w.place(toolsDir)}, {Name: "HOME", Value: sandbox.Home}}
	}
	if e.launch.Sandbox.Bubblewrap != "" {
		return []buildspec.Variable{
			{Name: "PATH", Value: defaultPath + ":" + e.w.place(toolsDir)}, {Name: "HOME", Value: sandbox.Home}, {Name: "HOSTNAME", Value: sandbox.Hostname}, // as containers have it
		}
	}
	return []buildspec.Variable{
		{Name: "PATH", Value: defaultPath + ":" + e.w.place(toolsDir)}, {Name: "HOME", Value: e.w.home}, {Name: "TMPDIR", Value: e.w.tmp},
	}
}

// ownVariables are those of CodeBuild's that only the agent knows.
func (e *engine) ownVariables() []buildspec.Variable {
	dir := sourceDir(e.work.ProjectName, e.work.Source)
	own := []buildspec.Variable{
		{Name: "CODEBUILD_SRC_DIR", Value: e.home},
		{Name: "CODEBUILD_GOPATH", Value: e.w.place(strings.Join(strings.SplitN(dir, "/", 3)[:2], "/"))},
		{Name: "CODEBUILD_SCRIPT_DIR", Value: e.w.place(path.Dir(scriptFile))},
		{Name: "CODEBUILD_BUILD_SUCCEEDING", Value: "1"},
		{Name: "CODEBUILD_LAST_EXIT", Value: "0"},
		{Name: "OLDPWD", Value: e.w.place(path.Dir(inlineFile))},
	}
	if c := e.commits[""]; c != "" {
		own = append(own, buildspec.Variable{Name: "CODEBUILD_RESOLVED_SOURCE_VERSION", Value: c})
	}
	for _, s := range append([]agentapi.Source{e.work.Source}, e.work.SecondarySources...) {
		if v := e.versions[s.Identifier]; v != "" && s.Version == "" { // else it is the one that was asked for
			name := "CODEBUILD_SOURCE_VERSION"
			if s.Identifier != "" {
				name += "_" + s.Identifier
			}
			own = append(own, buildspec.Variable{Name: name, Value: v})
		}
	}
	for _, s := range e.work.SecondarySources {
		own = append(own, buildspec.Variable{Name: "CODEBUILD_SRC_DIR_" + s.Identifier, Value: e.w.place(sourceDir(e.work.ProjectName, s))})
	}
	return own
}
