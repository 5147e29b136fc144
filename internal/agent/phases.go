package agent

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/build/event"
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
	e.fetched = time.Now().Add(-coarse)
	final := out.status
	typ := api.BuildPhaseTypeFinalizing
	if out.ok() {
		typ = api.BuildPhaseTypeInstall
	}
	for typ != api.BuildPhaseTypeFinalizing && ctx.Err() == nil && e.dead == nil {
		if typ == api.BuildPhaseTypeUploadArtifacts {
			out, typ = e.phase(ctx, typ, e.upload), api.BuildPhaseTypeFinalizing
		} else {
			out, typ = e.commandPhase(ctx, typ)
		}
		if final == api.StatusTypeSucceeded {
			final = out.status
		}
	}
	if end := endingIn(ctx); end != nil { // also when it came between two phases
		e.endPlace()
		return end.status
	}
	// FINALIZING cannot be stopped: what it does is what stopping does.
	e.phase(context.WithoutCancel(ctx), api.BuildPhaseTypeFinalizing, func(context.Context) outcome {
		e.endPlace()
		return succeeded
	})
	return final
}

// endPlace ends all that still runs, and takes in what it wrote until then.
func (e *engine) endPlace() {
	if e.place == nil {
		return
	}
	e.place.End()
	e.log.Drain()
}

// commandPhase runs a phase that has commands and returns the one that follows.
func (e *engine) commandPhase(ctx context.Context, typ api.BuildPhaseType) (outcome, api.BuildPhaseType) {
	p := e.spec.Phase(typ)
	if e.work.Phases != nil && !slices.Contains(e.work.Phases, typ) {
		p.Commands, p.Finally = nil, nil
	}
	out := e.phase(ctx, typ, func(ctx context.Context) outcome {
		e.log.Service(event.EnteringPhase+"%s", typ)
		out := e.become(p)
		if out.ok() {
			out = e.commands(ctx, p)
		}
		if typ == api.BuildPhaseTypePostBuild && ctx.Err() == nil {
			e.export()
			e.saveCache(ctx, !e.succeeding || !out.ok())
		}
		if ctx.Err() == nil {
			out.retries = e.retries(p.OnFailure, out)
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
	}
	return out, following.failed
}

// commands runs a phase's commands until one fails, and then, come what may,
// all those of its finally block. The first failure is the phase's.
func (e *engine) commands(ctx context.Context, p buildspec.Phase) outcome {
	out := succeeded
	for i, c := range p.Commands {
		if out = e.command(ctx, c, lineOf(p.CommandLines, i)); !out.ok() {
			break
		}
	}
	for i, c := range p.Finally {
		if last := e.command(ctx, c, lineOf(p.FinallyLines, i)); out.ok() {
			out = last
		}
	}
	return out
}

// lineOf returns a line, or 0 if it is not known.
func lineOf(lines []int, i int) int {
	if i < len(lines) {
		return lines[i]
	}
	return 0
}

// command runs one command, which begins in that line of the buildspec. All it wrote is in the log when it returns. After
// the end of the build or of its place it runs nothing.
func (e *engine) command(ctx context.Context, text string, line int) outcome {
	switch {
	case ctx.Err() != nil:
		return outcome{status: api.StatusTypeStopped} // phase says why
	case e.dead != nil:
		return e.foundDead()
	}
	e.log.Service(event.RunningCommand+"%s", text)
	status, err := e.execute(text)
	switch {
	case ctx.Err() != nil:
		return outcome{status: api.StatusTypeStopped}
	case err != nil:
		e.dead = err
		return e.foundDead()
	}
	e.lastExit = status
	if status == 0 {
		return succeeded
	}
	first := e.succeeding
	e.succeeding = false
	e.log.Service(event.CommandFailed+"%s exit status %d", text, status)
	e.explainSize()
	out := failed("COMMAND_EXECUTION_ERROR", "Error while executing command: %s. Reason: exit status %d%s", text, status, e.outOfMemory())
	out.command = &event.Command{Text: text, File: e.specFile, Line: line, Exit: status}
	if first && e.work.Terminal != "" {
		e.openShell(ctx)
	}
	return out
}

// execute has the script of a command run. Whatever user code has done to the
// files meanwhile, the script is ours and the variables are a file.
func (e *engine) execute(text string) (status int, err error) {
	var body string
	if e.spec.Version == "0.1" {
		body = isolatedScript(e.w, e.home, text, e.succeeding, e.lastExit)
	} else {
		body = script(e.w, e.waitFunction(), e.home, cmp.Or(e.cwd, e.home), text, e.succeeding)
	}
	if !e.w.regular(stateFile) { // the shell would follow a link, and wait for a pipe
		if err := e.w.write(stateFile, e.initial); err != nil {
			return 0, err
		}
	}
	if !e.w.regular(cwdFile) {
		_ = e.w.root.RemoveAll(cwdFile) // most often it is not there
	}
	if err := e.w.write(scriptFile, body); err != nil {
		return 0, err
	}
	shell, start, err := e.start()
	if err != nil {
		return 0, err
	}
	if status, err = e.place.Run(shell, e.w.place(start)); err != nil {
		e.place.End() // so that what it wrote last is in the log too
	}
	e.log.Drain()
	e.left()
	return status, err
}

// export reports the values of the exported variables. Names that no shell
// takes and what must not be exported are left out, as on CodeBuild, and so are
// variables that are not set.
func (e *engine) export() {
	var names []string
	for _, n := range e.spec.Exported {
		if shellName().MatchString(n) && len(n) <= event.MaxName && e.exportable(n) && len(names) < event.MaxExported {
			names = append(names, n)
		}
	}
	if len(names) == 0 || e.dead != nil || !e.w.regular(stateFile) || e.w.write(scriptFile, exportScript(e.w, names)) != nil {
		return
	}
	if _, err := e.place.Run(e.shell, e.w.place(scriptFile)); err != nil {
		e.dead = err
		return
	}
	text, err := read(e.w.root, exportedFile, 1<<20)
	if err != nil {
		return
	}
	var out []api.ExportedEnvironmentVariable
	fields := bytes.Split(text, []byte{0})
	for i := 0; i+1 < len(fields); i += 2 {
		name, value := string(fields[i]), strings.ToValidUTF8(string(fields[i+1]), "\uFFFD")
		if slices.Contains(names, name) { // user code may have written the file
			value = event.Cut(e.log.Mask(value), event.MaxText)
			out = append(out, api.ExportedEnvironmentVariable{Name: &name, Value: &value})
		}
	}
	if len(out) > 0 {
		e.report.add(event.Event{Exported: out})
	}
}
