package agent

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"slipway/internal/agent/fetch"
	"slipway/internal/agent/output"
	"slipway/internal/agent/sandbox"
	"slipway/internal/agent/shell"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
	"slipway/internal/buildspec"
	"slipway/internal/fault"
)

// readyTime is how long a place may take until commands can run in it.
const readyTime = 20 * time.Second

// An engine is one build under way.
type engine struct {
	self   []string
	launch agentapi.Launch
	work   *agentapi.Work
	client *agentapi.Client
	report *reporter
	log    *output.Log

	fetcher    *fetch.Process // waits for its job; nil if it is to be started with it
	w          *workspace
	place      *shell.Place // nil if it could not be started
	startPlace func() error // once, from any goroutine
	placeError error        // why
	usable     bool         // the place is ready
	dead       error        // set when the place has died under a command

	spec       *buildspec.Spec
	cache      cache
	specFile   string            // its path below the source's root; empty if it is not there
	shell      string            // the path of the commands' shell, as user code names it
	home       string            // CODEBUILD_SRC_DIR, likewise
	commits    map[string]string // by source identifier
	versions   map[string]string // of sources in S3, likewise
	values     map[string]string // of variables that are references, by name
	fetched    time.Time         // when DOWNLOAD_SOURCE had ended
	initial    string            // the script of the variables a build starts with
	succeeding bool              // CODEBUILD_BUILD_SUCCEEDING
	lastExit   int
	cwd        string // the directory that the last command left; empty means home
	jobs       []int  // processes that commands left in the background
	user       string // whom commands run as; empty means who owns the place
	owner      string // whose the files of the sources are, likewise

	helps  atomic.Bool // git-credential-helper is there for user code
	hidden struct {    // what the build had masked
		sync.Mutex
		number, bytes int
	}
	killed int // processes of the container that the kernel ended, as last heard
}

// supervise runs the build of a launch to its end and returns once the server
// knows how it ended. An error means that it does not.
func supervise(ctx context.Context, self []string, launch agentapi.Launch) error {
	e := &engine{self: self, launch: launch, client: agentapi.NewClient(launch), commits: map[string]string{}, versions: map[string]string{}, succeeding: true}
	defer e.client.Close()
	if launch.Fetches {
		if p, err := fetch.Start(self); err == nil { // else the fetch says so
			e.fetcher = p
			defer p.End()
		}
	}
	var err error
	if e.w, err = newWorkspace(launch); err != nil {
		return err
	}
	defer e.w.root.Close()
	if err := e.w.makeTools(self); err != nil {
		return err
	}
	if e.place, e.startPlace, e.placeError = newPlace(self[0], launch, e.w); e.placeError == nil {
		defer e.place.End()
	}
	// The place needs nothing of the work, so it gets ready meanwhile; where there
	// is something to fetch, it is wanted after that.
	if !launch.Fetches {
		e.beginPlace()
	}
	if err := insist(ctx, func(ctx context.Context) (err error) {
		e.work, err = e.client.Begin(ctx)
		return err
	}); err != nil {
		return err
	}

	// What is said to the server outlasts the build: only losing the server
	// ends that too.
	calls, hangUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer hangUp(nil)
	building, end := context.WithCancelCause(ctx)
	defer end(nil)
	lose := func(err error) {
		end(err)
		hangUp(err)
	}
	if !e.work.Deadline.IsZero() {
		var stop context.CancelFunc
		building, stop = context.WithDeadlineCause(building, e.work.Deadline, endTimedOut)
		defer stop()
	}
	e.report = newReporter(e.client)
	reported := make(chan error, 1)
	go func() {
		err := e.report.run(calls, func(status api.StatusType) { end(endingOf(status)) })
		if err != nil {
			lose(err)
		}
		reported <- err
	}()
	e.openLog(calls, lose)
	shut, err := e.openDoor(building)
	if err != nil {
		e.log.Service("Tools that ask the agent will not work: %v", err)
	}
	defer shut()
	if e.place != nil {
		defer e.place.Watch(building)() // whatever runs ends at once with the build
	}

	status := e.run(building)
	e.log.Close()
	e.report.finish(status) // only now: a build that has ended has all of its log
	return <-reported
}

// newPlace returns the place where user code will run, and what starts it.
// Program is the path of this one.
func newPlace(program string, l agentapi.Launch, w *workspace) (p *shell.Place, start func() error, err error) {
	switch {
	case l.Sandbox.Container != 0:
		p, err = startFar(l.Sandbox.Container, w)
		return p, func() error { return nil }, err
	case l.Sandbox.Bubblewrap == "":
		// In every process of the build: by it, a runner can find those that
		// outlived an agent.
		p, err = shell.New("", nil, w.host, []string{"CODEBUILD_BUILD_ID=" + l.BuildID})
	default:
		var args []string
		if args, err = sandboxArgs(program, l, w); err == nil {
			p, err = shell.New(l.Sandbox.Bubblewrap, args, "", nil)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return p, sync.OnceValue(p.Start), nil
}

// sandboxArgs are the options of bubblewrap.
func sandboxArgs(program string, l agentapi.Launch, w *workspace) ([]string, error) {
	hosts, err := w.hosts()
	if err != nil {
		return nil, err
	}
	if err := w.showAgent(); err != nil {
		return nil, err
	}
	return sandbox.Args(sandbox.Options{
		Workspace: w.host, Agent: program, Home: w.home, Tmp: w.tmp, VarTmp: w.varTmp(), Hosts: hosts,
		Hide: l.Sandbox.Hide, ReadOnly: l.Sandbox.ReadOnly, Root: os.Geteuid() == 0,
	}), nil
}

// beginPlace starts the place, unless that was done before.
func (e *engine) beginPlace() {
	if e.place != nil {
		_ = e.startPlace() // ready says so
	}
}

// ready waits until commands can run in the place.
func (e *engine) ready() error {
	if e.placeError == nil && !e.usable {
		if e.placeError = e.startPlace(); e.placeError == nil {
			e.placeError = e.place.Ready(readyTime)
		}
		e.usable = e.placeError == nil
	}
	return e.placeError
}

// openLog starts the log and the copying of what user code writes.
func (e *engine) openLog(calls context.Context, lose func(error)) {
	var pipe *os.File
	if e.place != nil {
		pipe = e.place.Output
	}
	secrets := make([]string, len(e.work.Mask))
	for i, m := range e.work.Mask {
		secrets[i] = m.Reveal()
	}
	e.log = output.New(pipe, secrets, func(seq uint64, frame []byte) error {
		err := insist(calls, func(ctx context.Context) error { return e.client.Log(ctx, e.work.Frames+seq, frame) })
		if err != nil && fault.KindOf(err) != fault.Invalid { // a log that is refused does not end the build
			lose(err)
		}
		return err
	})
	go e.log.Run()
	if pipe != nil {
		go e.log.Copy()
	}
}

// An outcome is how a phase ended; the texts are empty when all is well.
type outcome struct {
	status        api.StatusType
	code, message string
	command       *event.Command // the one that failed, if one did
	retries       int            // of the build, that the phase's failure asks for
}

var succeeded = outcome{status: api.StatusTypeSucceeded}

func (o outcome) ok() bool { return o.status == api.StatusTypeSucceeded }

// failed returns the outcome of a phase that ends the build as FAILED.
func failed(code, format string, args ...any) outcome {
	return outcome{status: api.StatusTypeFailed, code: code, message: fmt.Sprintf(format, args...)}
}

// faulty returns the outcome of a phase that failed through no fault of the
// build's: it ends as FAULT.
func faulty(format string, args ...any) outcome {
	return outcome{status: api.StatusTypeFault, code: "INTERNAL_SERVICE_ERROR", message: fmt.Sprintf(format, args...)}
}

// clientError is the code for what the user can mend, other than a buildspec.
const clientError = "CLIENT_ERROR"

// phase runs one phase and reports it. However do ends, a build that was ended
// meanwhile says so.
func (e *engine) phase(ctx context.Context, typ api.BuildPhaseType, do func(context.Context) outcome) outcome {
	e.report.add(event.Event{Enter: typ})
	out := do(ctx)
	if end := endingIn(ctx); end != nil {
		out = end.outcome
	}
	out.message = e.log.Mask(out.message)
	if typ != api.BuildPhaseTypeFinalizing { // of which CodeBuild's log says nothing
		e.log.Service("Phase complete: %s State: %s", typ, out.status)
		e.log.Service(event.PhaseContext+"%s"+event.MessageOf+"%s", out.code, out.message)
	}
	out.message = event.Cut(out.message, event.MaxText)
	if out.command != nil {
		out.command.Text = event.Cut(e.log.Mask(out.command.Text), event.MaxText)
	}
	e.report.add(event.Event{Leave: &event.PhaseEnd{
		Status: out.status, Contexts: []api.PhaseContext{{StatusCode: &out.code, Message: &out.message}}, Command: out.command, Retries: out.retries,
	}})
	return out
}
