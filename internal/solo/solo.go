// Package solo builds a directory without a server: the record of the one build
// is in memory, its log goes to a writer, and everything else is what a server
// has, the scheduler and the agent included. So builds run the same.
package solo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/accesskey"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/project"
	"slipway/internal/report"
	"slipway/internal/runner"
	"slipway/internal/schedule"
)

// What a build without a server is called, as by the local agent of AWS.
const (
	projectName = "local"
	buildID     = projectName + ":00000000-0000-0000-0000-000000000000"
	account     = "000000000000"
	region      = "us-east-1"
)

// Options says what to build. Directory and Image are needed.
type Options struct {
	Directory  string   // absolute; it is copied, never changed
	Exclude    []string // absolute paths in Directory that are not copied
	Sources    []Source // secondary ones
	Buildspec  string   // a path in Directory or the text; empty means buildspec.yml
	Image      string   // "local" or a container's
	Privileged bool     // the container is
	Variables  []api.EnvironmentVariable
	Secrets    []Secret                            // masked in the build's log: they beat Variables and the buildspec's
	Phases     []api.BuildPhaseType                // whose commands are run; nil means all
	Timeout    time.Duration                       // whole minutes are counted, 5 at least; 0 means an hour
	User       string                              // who starts the build
	Log        io.Writer                           // gets the build's log, as it comes
	Report     func(report.Report, report.Content) // hears each report, one after another; nil means nobody
	Say        *slog.Logger                        // hears what is wrong with the machine; nil means nobody
	Terminal   string                              // path of the Unix socket where the first command that fails opens a shell: see package agent/terminal; empty means that none does
}

// A Source is a secondary source: a folder that is copied, too.
type Source struct {
	Identifier string
	Directory  string // absolute
}

// Parts are what a build runs on.
type Parts struct {
	Runner    runner.Runner // whose agents report to Socket
	Socket    string        // path of the Unix socket to make
	Vault     Vault         // is asked for the parameters and secrets that the buildspec names; nil means that there is none
	Caches    Caches        // keeps what the buildspec has cached; nil keeps nothing
	Artifacts *Artifacts    // gets the build's artifacts; nil means that none are gathered
}

// Caches keeps the caches of builds, and nothing else is asked of it: see
// package blob.
type Caches interface {
	Get(ctx context.Context, b build.Build, o agentapi.Object) (io.ReadCloser, agentapi.ObjectInfo, error)
	List(ctx context.Context, b build.Build, o agentapi.Object) ([]string, error)
	Put(ctx context.Context, b build.Build, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error)
}

// cacheBucket is the bucket of Caches that is used.
const cacheBucket = "caches"

// Run builds and returns the record of the build once it has ended. If ctx ends
// before that the build is stopped as StopBuild does. An error means that there
// is no such record.
func Run(ctx context.Context, o Options, parts Parts) (build.Build, error) {
	var none build.Build
	if o.Say == nil {
		o.Say = slog.New(slog.DiscardHandler)
	}
	b, err := record(o, parts.Artifacts, time.Now())
	if err != nil {
		return none, err
	}
	on := schedule.Parts{
		Outbox: nothingOwed{}, Reports: &reports{tell: o.Report}, Vault: &safe{secrets: o.Secrets, next: parts.Vault}, Runner: parts.Runner, Log: o.Say,
		Objects: objects{parts.Artifacts, parts.Caches},
	}
	if parts.Caches != nil { // with keys, as in S3
		b.Public.Cache = &api.ProjectCache{Type: api.CacheTypeS3, Location: new(cacheBucket)}
	}
	memory := newMemory(b)
	log := &printer{out: o.Log}
	on.Builds, on.Logs = memory, log
	scheduler := schedule.New(on, schedule.Options{MaxBuilds: 1})
	// What ends a build takes longer than the wish to end it.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	listener, err := agentapi.ListenUnix(working, parts.Socket)
	if err != nil {
		return none, err
	}
	agents := &http.Server{Handler: agentapi.NewHandler(scheduler, o.Say), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(o.Say.Handler(), slog.LevelDebug)}
	g, gctx := errgroup.WithContext(working)
	g.Go(func() error {
		if err := agents.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error { return scheduler.Run(gctx) })
	g.Go(func() error {
		defer agents.Close()
		defer stop()
		scheduler.Wake()
		select {
		case <-memory.ended:
		case <-gctx.Done():
			return nil
		case <-ctx.Done():
			if _, err := scheduler.StopBuild(gctx, buildID); err != nil {
				return err
			}
			select {
			case <-memory.ended:
			case <-gctx.Done():
				return nil
			}
		}
		return scheduler.Drain(gctx) // its place is gone, too
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return none, err
	}
	if log.err != nil {
		return none, fmt.Errorf("write the log: %w", log.err)
	}
	return memory.get(), nil
}

// record returns the build that o asks for, queued.
func record(o Options, artifacts *Artifacts, now time.Time) (build.Build, error) {
	scope := arn.Scope{Account: account, Region: region}
	in := &api.CreateProjectInput{
		Name:        projectName,
		Source:      &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new("version: 0.2")},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		ServiceRole: "arn:aws:iam::" + account + ":role/local",
		Environment: &api.ProjectEnvironment{
			Type: api.EnvironmentTypeLinuxContainer, ComputeType: api.ComputeTypeBuildGeneral1Small, Image: o.Image, EnvironmentVariables: variables(o),
			PrivilegedMode: &o.Privileged,
		},
	}
	artifacts.ask(in)
	if o.Timeout > 0 {
		in.TimeoutInMinutes = new(int((o.Timeout + time.Minute - 1) / time.Minute))
	}
	p, err := project.New(scope, in, now)
	if err != nil {
		return build.Build{}, err
	}
	b, err := build.New(p, &api.StartBuildInput{ProjectName: projectName}, accesskey.Caller{Scope: scope, User: o.User}, buildID, now)
	if err != nil {
		return b, err
	}
	b.Public.BuildNumber = new(int64(1))
	b.Public.Source.Buildspec = nil // which a file of the directory is, other than with a source of this type
	if o.Buildspec != "" {
		b.Public.Source.Buildspec = &o.Buildspec
	}
	directory := filepath.Clean(o.Directory)
	b.State.Local = &build.Local{Directory: directory, Exclude: o.Exclude, Phases: o.Phases, Terminal: o.Terminal}
	for _, s := range o.Sources {
		b.State.Local.Secondary = append(b.State.Local.Secondary, build.LocalSource{Identifier: s.Identifier, Directory: filepath.Clean(s.Directory)})
	}
	return b, nil
}
