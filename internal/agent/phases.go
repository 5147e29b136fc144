package agent

import (
	"bytes"
	"context"
	"strings"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/buildspec"
)

// next says which phase follows one with commands, after success and after
// failure: a failed BUILD still runs POST_BUILD, a failed INSTALL or PRE_BUILD
// runs nothing more. Read it beside "Build phase transitions" in the guide.
var next = map[api.BuildPhaseType]struct{ ok, failed api.BuildPhaseType }{
	api.BuildPhaseTypeInstall:   {api.BuildPhaseTypePreBuild, api.BuildPhaseTypeFinalizing},
	api.BuildPhaseTypePreBuild:  {api.BuildPhaseTypeBuild, api.BuildPhaseTypeFinalizing},
	api.BuildPhaseTypeBuild:     {api.BuildPhaseTypePostBuild, api.BuildPhaseTypePostBuild},
	api.BuildPhaseTypePostBuild: {api.BuildPhaseTypeUploadArtifacts, api.BuildPhaseTypeUploadArtifacts},
}

// run passes all phases and returns how the build ended.
func (e *engine) run(ctx context.Context) api.StatusType {
	out := e.phase(ctx, api.BuildPhaseTypeDownloadSource, e.download)
	final := out.status
	typ := api.BuildPhaseTypeFinalizing
	if out.ok() {
		typ = api.BuildPhaseTypeInstall
	}
	for typ != api.BuildPhaseTypeFinalizing && ctx.Err() == nil {
		if typ == api.BuildPhaseTypeUploadArtifacts {
			out, typ = e.phase(ctx, typ, e.upload), api.BuildPhaseTypeFinalizing
		} else {
			out, typ = e.commandPhase(ctx, typ)
		}
		if !out.ok() && (final == api.StatusTypeSucceeded || ctx.Err() != nil) {
			final = out.status
		}
	}
	if ctx.Err() == nil {
		e.phase(ctx, api.BuildPhaseTypeFinalizing, func(context.Context) outcome { return succeeded })
	}
	return final
}

// commandPhase runs a phase that has commands and returns the one that follows.
func (e *engine) commandPhase(ctx context.Context, typ api.BuildPhaseType) (outcome, api.BuildPhaseType) {
	p := e.spec.Phase(typ)
	out := e.phase(ctx, typ, func(ctx context.Context) outcome {
		e.log.Service("Entering phase %s", typ)
		out := e.commands(ctx, p)
		if typ == api.BuildPhaseTypePostBuild && ctx.Err() == nil {
			e.export()
		}
		return out
	})
	following := next[typ]
	if out.ok() {
		return out, following.ok
	}
	switch p.OnFailure.Action {
	case buildspec.Abort:
		return out, api.BuildPhaseTypeFinalizing
	case buildspec.Continue:
		return out, following.ok
	case buildspec.Retry:
		e.log.Service("on-failure: RETRY is not carried out by this server: the build goes on as without it")
	}
	return out, following.failed
}

// commands runs a phase's commands until one fails, and then, come what may,
// those of its finally block.
func (e *engine) commands(ctx context.Context, p buildspec.Phase) outcome {
	out := e.sequence(ctx, p.Commands)
	if last := e.sequence(ctx, p.Finally); out.ok() {
		out = last
	}
	return out
}

// sequence runs commands until one fails.
func (e *engine) sequence(ctx context.Context, commands []string) outcome {
	for _, c := range commands {
		if ctx.Err() != nil {
			return outcome{status: api.StatusTypeStopped} // phase says why
		}
		if out := e.command(c); !out.ok() {
			e.succeeding = false
			return out
		}
	}
	return succeeded
}

// command runs one command. All it wrote is in the log when it returns.
func (e *engine) command(text string) outcome {
	e.log.Service("Running command %s", text)
	var body string
	if e.spec.Version == "0.1" {
		body = isolatedScript(e.w, e.home, text, e.succeeding, e.lastExit)
	} else {
		body = script(e.w, e.home, e.cwd(), text, e.succeeding)
	}
	if err := e.w.write(scriptFile, body); err != nil {
		return failed(clientError, "The script of a command could not be written: %v", err)
	}
	status, err := e.place.Run(e.shell, e.w.place(scriptFile))
	e.log.Drain()
	if err != nil {
		return failed("COMMAND_EXECUTION_ERROR", "Error while executing command: %s. Reason: %v", text, err)
	}
	e.lastExit = status
	if status != 0 {
		e.log.Service("Command did not exit successfully %s exit status %d", text, status)
		return failed("COMMAND_EXECUTION_ERROR", "Error while executing command: %s. Reason: exit status %d", text, status)
	}
	return succeeded
}

// cwd returns the directory that the last command left, or the source's.
func (e *engine) cwd() string {
	text, err := read(e.w.root, cwdFile, 64<<10)
	if dir := strings.TrimSuffix(string(text), "\n"); err == nil && strings.HasPrefix(dir, "/") && !strings.Contains(dir, "\x00") {
		return dir
	}
	return e.home
}

// export reports the values of the exported variables. Names that no shell
// takes and those of AWS are left out, as on CodeBuild.
func (e *engine) export() {
	var names []string
	for _, n := range e.spec.Exported {
		if shellName.MatchString(n) && !strings.HasPrefix(n, "AWS_") {
			names = append(names, n)
		}
	}
	if len(names) == 0 || e.w.write(scriptFile, exportScript(e.w, names)) != nil {
		return
	}
	if _, err := e.place.Run(e.shell, e.w.place(scriptFile)); err != nil || !e.w.regular(exportedFile) {
		return
	}
	text, err := read(e.w.root, exportedFile, 1<<20)
	if err != nil {
		return
	}
	var out []api.ExportedEnvironmentVariable
	fields := bytes.Split(text, []byte{0})
	for i := 0; i+1 < len(fields); i += 2 {
		out = append(out, api.ExportedEnvironmentVariable{Name: new(string(fields[i])), Value: new(string(fields[i+1]))})
	}
	if len(out) > 0 {
		e.report.add(build.Event{Exported: out})
	}
}

// upload ends a build that has artifacts to upload: storing them is not built yet.
func (e *engine) upload(context.Context) outcome {
	switch e.work.ArtifactsType {
	case api.ArtifactsTypeS3, api.ArtifactsTypeCodepipeline:
		return failed(clientError, "Artifacts of type %s cannot be uploaded by this server yet: set the project's artifacts to NO_ARTIFACTS", e.work.ArtifactsType)
	}
	return succeeded
}
