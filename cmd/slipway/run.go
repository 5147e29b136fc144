package main

import (
	"cmp"
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

	"slipway/internal/api"
	"slipway/internal/blob"
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
	secret    []string // NAME=env:X or NAME=file:F
	phases    []string
	timeout   time.Duration
	report    bool
	cache     string

	image       string
	images      []string // NAME=IMAGE
	privileged  bool
	artifactDir string
	sources     []string // DIR, then IDENTIFIER:DIR
	awsConfig   bool
	awsProfile  string

	shellOnFailure bool

	// Of AWS's own script, and without use here.
	mount      bool
	agentImage string
	reportDir  string
}

func runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [DIR]",
		Short: "Build a directory now, without a server",
		Long: `Build a directory, by default this one: its buildspec is run by the same agent, in the
same sandbox and with the same log as on a server. The directory is copied, with what
is not committed yet, and never changed.

With --image it runs in a container of that image, if a Docker engine answers here.

The log goes to standard output, a summary to standard error. Ctrl-C stops the build.

The short flags are those of AWS's codebuild_build.sh: -i, -a, -s, -b, -e, -c, -p and -d
mean the same. -a is not needed, and gets a tree rather than artifacts.zip; -i is not
needed where this machine has the tools. -l and -r are accepted and not used, since the
agent is Slipway's own and reports are not kept as files. -m is refused: a build works on
a copy.

Exit codes: 0 the build succeeded, 1 it did not, 2 the command line is wrong.`,
		Example: `  slipway run
  slipway run --env STAGE=test --phase build
  slipway run --buildspec ci/release.yml ../shop
  slipway run --artifacts out --secret TOKEN=env:TOKEN
  slipway run --image public.ecr.aws/codebuild/amazonlinux-x86_64-standard:5.0`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.dir = args[0]
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.buildspec, "buildspec", "b", "", "the buildspec, a path in DIR (default buildspec.yml)")
	f.StringArrayVar(&o.env, "env", nil, "NAME=VALUE, or NAME for its value here: a variable that beats the buildspec's (repeatable)")
	f.StringArrayVarP(&o.envFile, "env-file", "e", nil, "file of NAME=VALUE lines, # begins a comment, quotes are kept (repeatable)")
	f.StringArrayVar(&o.secret, "secret", nil, "NAME=env:X, its value from a variable here, or NAME=file:F: a variable that the log masks, also in place of a parameter or a secret that the buildspec names (repeatable)")
	f.StringSliceVar(&o.phases, "phase", nil, "run only the commands of this phase: install, pre_build, build or post_build (repeatable)")
	f.DurationVar(&o.timeout, "timeout", time.Hour, "when the build times out, in whole minutes from 5m to 36h")
	f.BoolVar(&o.report, "report", false, "list in the summary what the build's test and coverage reports say, failed cases first")
	f.StringVar(&o.cache, "cache", "", "folder that keeps what the buildspec has cached for the next run (default: nothing is kept)")
	f.StringVarP(&o.artifactDir, "artifacts", "a", "", "lay the buildspec's artifacts into this folder, secondary ones in folders of their identifiers; it is not copied as part of DIR")
	f.StringArrayVarP(&o.sources, "source", "s", nil, "DIR in another way, and then IDENTIFIER:DIR for each secondary source (repeatable)")
	f.StringVarP(&o.image, "image", "i", "", "build in a container of this image, which is pulled if it is not here, instead of with the tools of this machine")
	f.StringArrayVar(&o.images, "docker-image", nil, "NAME=IMAGE: the image that stands for one of CodeBuild's own; NAME may end in * (repeatable)")
	f.BoolVarP(&o.privileged, "privileged", "d", false, "the container may run Docker itself, and is then no wall around the build")
	f.BoolVar(&o.shellOnFailure, "shell-on-failure", false, "open a shell at this terminal when a command fails, in its place and with its variables, before the build goes on to its end")
	f.BoolVarP(&o.awsConfig, "aws-config", "c", false, "give the build the AWS credentials and AWS_ variables of this shell, masked, and ask AWS for the parameters and secrets that the buildspec names")
	f.StringVarP(&o.awsProfile, "profile", "p", "", "AWS profile for --aws-config")
	f.BoolVarP(&o.mount, "mount", "m", false, "refused: a build works on a copy")
	f.StringVarP(&o.agentImage, "agent-image", "l", "", "accepted and not used: the agent is Slipway's own")
	f.StringVarP(&o.reportDir, "report-dir", "r", "", "accepted and not used: reports are not kept as files")
	f.StringVar(&o.sandbox, "sandbox", "auto", "auto: bubblewrap if it works here; bubblewrap: do not start without it; none: commands can read and change whatever you can")
	f.StringSliceVar(&o.readOnly, "sandbox-read-only", nil, "path that commands may read besides the system's, such as ~/.nvm (repeatable)")
	return cmd
}

// run builds and tells how it went.
func (o *runOptions) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	source, err := o.source()
	if err != nil {
		return err
	}
	images, err := o.checkPlace()
	if err != nil {
		return err
	}
	if o.mount {
		return usagef("--mount cannot be done: a build works on a copy, so that it never changes your files; leave it out, and take what the build makes with --artifacts DIR")
	}
	if o.agentImage != "" {
		fmt.Fprintln(stderr, "--agent-image is not used: the agent is Slipway's own.")
	}
	if o.reportDir != "" {
		fmt.Fprintln(stderr, "--report-dir is not used: reports are not kept as files, --report lists them.")
	}
	given, err := o.aws(ctx)
	if err != nil {
		return err
	}
	variables, err := o.variables(given.variables)
	if err != nil {
		return err
	}
	secrets, err := o.secrets(given.secrets, source.spec)
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
	artifacts, err := o.artifacts(source, stderr)
	if err != nil {
		return err
	}
	socket := filepath.Join(temp, "agent.sock")
	place, shut, err := o.place(ctx, temp, socket, images, say, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shut()) }()
	desk, err := o.shellDesk(ctx, temp, stdin, stdout, stderr)
	if err != nil {
		return err
	}
	defer desk.Close()
	told := &reportTeller{}
	options := solo.Options{
		Directory: source.dir, Exclude: append(source.exclude, temp, o.cache), Sources: source.secondary, Buildspec: source.buildspec,
		Image: cmp.Or(o.image, localImage), Privileged: o.privileged, Variables: variables, Secrets: secrets, Phases: phases,
		Timeout: o.timeout, User: userName(), Log: stdout, Say: say, Terminal: desk.Path,
	}
	if o.report {
		options.Report = told.hear
	}
	parts := solo.Parts{Runner: place, Socket: socket, Vault: given.vault, Artifacts: artifacts}
	if o.cache != "" {
		caches := blob.New(blob.Options{Dir: o.cache})
		defer func() { err = errors.Join(err, caches.Close()) }()
		parts.Caches = caches
	}
	b, err := solo.Run(ctx, options, parts)
	if err != nil {
		return err
	}
	desk.Close()
	summarize(stderr, b, source, o.image != "")
	if artifacts != nil {
		for _, l := range artifacts.Laid() {
			fmt.Fprintf(stderr, "Artifact%s: %s\n", space(l.Identifier), l)
		}
	}
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

// space returns text after a blank, if there is one.
func space(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
