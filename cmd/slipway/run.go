package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/blob"
	"slipway/internal/build"
	"slipway/internal/runner/local"
	"slipway/internal/solo"
)

// runOptions is the command line of run.
type runOptions struct {
	dir       string
	buildspec string
	sandbox   string
	readOnly  []string
	env       []string // NAME=VALUE, or NAME for the variable's value here
	envFile   []string
	phases    []string
	timeout   time.Duration
	report    bool
	cache     string
}

func runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [DIR]",
		Short: "Build a directory now, without a server",
		Long: `Build a directory, by default this one: its buildspec is run by the same agent, in the
same sandbox and with the same log as on a server. The directory is copied, with what
is not committed yet, and never changed.

The log goes to standard output, a summary to standard error. Ctrl-C stops the build.

Exit codes: 0 the build succeeded, 1 it did not, 2 the command line is wrong.`,
		Example: `  slipway run
  slipway run --env STAGE=test --phase build
  slipway run --buildspec ci/release.yml ../shop`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = "."
			if len(args) == 1 {
				o.dir = args[0]
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.buildspec, "buildspec", "b", "", "the buildspec, a path in DIR (default buildspec.yml)")
	f.StringArrayVar(&o.env, "env", nil, "NAME=VALUE, or NAME for its value here: a variable that beats the buildspec's (repeatable)")
	f.StringArrayVarP(&o.envFile, "env-file", "e", nil, "file of NAME=VALUE lines, # begins a comment, quotes are kept (repeatable)")
	f.StringSliceVar(&o.phases, "phase", nil, "run only the commands of this phase: install, pre_build, build or post_build (repeatable)")
	f.DurationVar(&o.timeout, "timeout", time.Hour, "when the build times out, in whole minutes from 5m to 36h")
	f.BoolVar(&o.report, "report", false, "list in the summary what the build's test and coverage reports say, failed cases first")
	f.StringVar(&o.sandbox, "sandbox", "auto", "auto: bubblewrap if it works here; bubblewrap: do not start without it; none: commands can read and change whatever you can")
	f.StringSliceVar(&o.readOnly, "sandbox-read-only", nil, "path that commands may read besides the system's, such as ~/.nvm (repeatable)")
	f.StringVar(&o.cache, "cache", "", "folder that keeps what the buildspec has cached for the next run (default: nothing is kept)")
	return cmd
}

// run builds and tells how it went.
func (o *runOptions) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usagef("%s is no directory: name the one to build", o.dir)
	}
	variables, err := o.variables()
	if err != nil {
		return err
	}
	phases, err := phaseTypes(o.phases)
	if err != nil {
		return err
	}
	if o.timeout < 5*time.Minute || o.timeout > 36*time.Hour {
		return usagef("--timeout must be from 5m to 36h, as on CodeBuild")
	}
	if err := o.makeCache(); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "slipway-run-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	say := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	box, err := o.shutIn(ctx, temp, stderr)
	if err != nil {
		return err
	}
	agent, err := agentCommand()
	if err != nil {
		return err
	}
	socket := filepath.Join(temp, "agent.sock")
	place, err := local.New(local.Options{Dir: filepath.Join(temp, "builds"), Server: "unix://" + socket, Agent: agent, Sandbox: box, Path: os.Getenv("PATH"), Log: say})
	if err != nil {
		return err
	}
	told := &reportTeller{}
	options := solo.Options{
		Directory: dir, Exclude: []string{temp, o.cache}, Buildspec: o.buildspec, Image: "local", Variables: variables, Phases: phases,
		Timeout: o.timeout, User: userName(), Log: stdout, Say: say,
	}
	if o.report {
		options.Report = told.hear
	}
	parts := solo.Parts{Runner: place, Socket: socket}
	if o.cache != "" {
		caches := blob.New(blob.Options{Dir: o.cache})
		defer func() { err = errors.Join(err, caches.Close()) }()
		parts.Caches = caches
	}
	b, err := solo.Run(ctx, options, parts)
	if err != nil {
		return err
	}
	summarize(stderr, b)
	if o.report {
		told.tell(stderr)
	}
	if b.Public.BuildStatus != api.StatusTypeSucceeded {
		return exitCode(1)
	}
	return nil
}

// makeCache makes the folder of caches, if there is to be one: commands must not
// see what they could change behind the agent's back.
func (o *runOptions) makeCache() (err error) {
	if o.cache == "" {
		return nil
	}
	if o.cache, err = filepath.Abs(o.cache); err != nil {
		return err
	}
	if err := os.MkdirAll(o.cache, 0o700); err != nil {
		return usagef("--cache: %w", err)
	}
	return nil
}

// shutIn says how commands are shut in here, and tells if they are not.
func (o *runOptions) shutIn(ctx context.Context, temp string, stderr io.Writer) (agentapi.Sandbox, error) {
	box := agentapi.Sandbox{Hide: []string{temp}, ReadOnly: o.readOnly}
	if o.cache != "" {
		box.Hide = append(box.Hide, o.cache)
	}
	switch o.sandbox {
	case "none":
		return box, nil
	case "auto", "bubblewrap":
	default:
		return box, usagef("--sandbox must be auto, bubblewrap or none")
	}
	bwrap, err := local.Probe(ctx)
	if err != nil && o.sandbox == "bubblewrap" {
		return box, err
	}
	if err != nil {
		fmt.Fprintf(stderr, "No sandbox is possible here, so that commands can read and change whatever you can: %v\n", err)
	}
	box.Bubblewrap = bwrap
	return box, nil
}

// variables are those of the command line: flags beat files, later ones
// earlier ones.
func (o *runOptions) variables() ([]api.EnvironmentVariable, error) {
	values := map[string]string{}
	var names []string
	set := func(name, value string) {
		if _, ok := values[name]; !ok {
			names = append(names, name)
		}
		values[name] = value
	}
	for _, path := range o.envFile {
		if err := readEnvFile(path, set); err != nil {
			return nil, err
		}
	}
	for _, text := range o.env {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			if value, ok = os.LookupEnv(name); !ok {
				return nil, usagef("--env %s: it is not set here; write --env %s=VALUE", name, name)
			}
		}
		if name == "" {
			return nil, usagef("--env needs NAME=VALUE")
		}
		set(name, value)
	}
	var out []api.EnvironmentVariable
	for _, name := range names {
		out = append(out, api.EnvironmentVariable{Name: name, Value: values[name], Type: api.EnvironmentVariableTypePlaintext})
	}
	return out, nil
}

// readEnvFile reads NAME=VALUE lines as the local agent of AWS does: empty
// lines and those that begin with # say nothing, quotes are kept.
func readEnvFile(path string, set func(name, value string)) error {
	f, err := os.Open(path)
	if err != nil {
		return usagef("--env-file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimRight(lines.Text(), "\r")
		if trimmed := strings.TrimSpace(text); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(text, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return usagef("%s:%d: NAME=VALUE is expected", path, n) // the line itself may hold a secret
		}
		set(name, value)
	}
	if err := lines.Err(); err != nil {
		return usagef("%s: %w", path, err)
	}
	return nil
}

// phaseTypes reads names of phases as buildspecs have them.
func phaseTypes(names []string) ([]api.BuildPhaseType, error) {
	var out []api.BuildPhaseType
	for _, name := range names {
		switch typ := api.BuildPhaseType(strings.ToUpper(name)); typ {
		case api.BuildPhaseTypeInstall, api.BuildPhaseTypePreBuild, api.BuildPhaseTypeBuild, api.BuildPhaseTypePostBuild:
			out = append(out, typ)
		default:
			return nil, usagef("--phase %s: phases are install, pre_build, build and post_build", name)
		}
	}
	return out, nil
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "local"
}

// summarize tells how a build went: its phases, and why it failed.
func summarize(w io.Writer, b build.Build) {
	bold := style(w)
	fmt.Fprintln(w)
	for _, p := range b.Public.Phases {
		if p.PhaseType == api.BuildPhaseTypeCompleted || p.EndTime.IsZero() {
			continue
		}
		took := p.EndTime.Sub(p.StartTime.Time).Round(time.Millisecond)
		fmt.Fprintf(w, "  %-17s %-10s %10s\n", p.PhaseType, p.PhaseStatus, took)
	}
	fmt.Fprintln(w, bold(string(b.Public.BuildStatus)))
	phase, message := b.Failure()
	if c := b.State.Failed; c != nil && phase != "" {
		fmt.Fprintf(w, "%s: exit status %d of the command in line %d of %s:\n  %s\n%s", phase, c.Exit, c.Line, c.File, strings.ReplaceAll(strings.TrimRight(c.Text, "\n"), "\n", "\n  "), hint(c.Exit))
	} else if phase != "" {
		fmt.Fprintf(w, "%s: %s\n", phase, message)
	}
}

// hint says what an exit status often means, and what to do then.
func hint(exit int) string {
	switch exit {
	case 126:
		return "126 is a file that cannot be executed: give it its mode with chmod +x, or run it with its interpreter.\n"
	case 127:
		return "127 is a command that is not found. Commands see this machine's system folders only: install the tool there, or name its folder with --sandbox-read-only and put it on PATH with --env.\n"
	case 137:
		return "137 is a process that was killed, most often because memory ran out.\n"
	}
	return ""
}
