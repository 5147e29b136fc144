package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/api"
	"slipway/internal/api/logs"
	"slipway/internal/awsjson"
	"slipway/internal/secret"
	"slipway/internal/source/sourcetest"
)

func demoCommand() *cobra.Command {
	var once bool
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole main job, step by step, on a data folder of its own",
		Long: `Show the whole main job: a source provider with a private repository, its token
imported, a project made, a build run with its log live, the commit status it
reported; then the same with a wrong token, to show what the error looks like.

Everything is real — the provider is a small server of our own that speaks GitHub
Enterprise Server's API and serves git — and happens in a temporary folder. Every
step prints the AWS CLI command that does the same. At the end the server stays
up for you to try, in the browser too, until Ctrl-C; --once exits instead.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.OutOrStdout(), listen, once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "exit at the end instead of leaving the server up")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address for the server; port 0 takes a free one")
	return cmd
}

// A show is one demonstration: where it prints, and the server it talks to.
type show struct {
	out    io.Writer
	bold   func(string) string
	client *awsjson.Client
	step   int
	err    error // the first failure; later steps do nothing
}

const (
	demoToken = "ghp_DemoDemoDemoDemoDemoDemoDemoDemo0123"
	demoSpec  = `version: 0.2
phases:
  build:
    commands:
      - echo "Built from $CODEBUILD_RESOLVED_SOURCE_VERSION"
      - cat recipe.txt
  post_build:
    commands:
      - test "$CODEBUILD_BUILD_SUCCEEDING" = 1 && echo "Done."
`
)

// demo runs the whole demonstration. It returns an error if any step did not
// come out as it should.
func demo(ctx context.Context, out io.Writer, listen string, once bool) (err error) {
	dir, err := os.MkdirTemp("", "slipway-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	provider, err := sourcetest.New(sourcetest.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer provider.Close()
	location, commit, err := privateRepository(provider)
	if err != nil {
		return err
	}

	o := serveOptions{
		data: dataFolder(filepath.Join(dir, "data")), listen: listen, account: "000000000000", region: "us-east-1",
		runner: localRunner, secrets: []string{"embedded"}, sandbox: "auto", checks: "auto", keep: 24 * time.Hour, out: out, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if err := o.check(); err != nil {
		return err
	}
	s, err := start(ctx, o)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.run(serving) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	client, err := connect(ctx, o.data)
	if err != nil {
		return err
	}

	d := &show{out: out, bold: style(out), client: client}
	d.say("A source provider with a private repository runs at %s: it is GitHub Enterprise Server as far as API and git go.", provider.URL())
	d.say("Slipway runs at %s; builds %s.", s.url, s.sandboxNote)
	d.mainJob(ctx, provider, location, commit)
	d.wrongToken(ctx, location)
	if d.err != nil {
		return d.err
	}
	fmt.Fprintf(out, "\n%s\n", d.bold("That was the main job."))
	if once {
		return nil
	}
	fmt.Fprintf(out, "The server stays up until Ctrl-C. In the browser (this link signs in once):\n\n    %s\n\nIn another shell:\n\n    eval \"$(slipway env --data %s)\"\n    aws codebuild list-builds\n\n", s.link.Reveal(), o.data)
	<-ctx.Done()
	return nil
}

// privateRepository starts the provider and fills it.
func privateRepository(p *sourcetest.Server) (location, commit string, err error) {
	if _, err := p.Start("127.0.0.1:0"); err != nil {
		return "", "", err
	}
	p.AddToken(sourcetest.Token{Value: demoToken, Login: "ada", Scopes: []string{"repo"}})
	if err := p.CreateRepository("team", "recipes", true); err != nil {
		return "", "", err
	}
	commit, err = p.Commit("team", "recipes", "main", map[string]string{"buildspec.yml": demoSpec, "recipe.txt": "The secret ingredient is basil.\n"}, "Write down the recipe")
	return p.CloneURL("team", "recipes"), commit, err
}

// mainJob imports the token, makes the project, builds it and shows the status.
func (d *show) mainJob(ctx context.Context, provider *sourcetest.Server, location, commit string) {
	d.head("Import the provider's access token")
	d.importToken(ctx, demoToken)
	d.call(ctx, "aws codebuild list-source-credentials", "ListSourceCredentials", &api.ListSourceCredentialsInput{}, new(api.ListSourceCredentialsOutput), true)

	d.head("Make a project on the private repository")
	var made api.CreateProjectOutput
	d.call(ctx, "aws codebuild create-project --name app --source type=GITHUB_ENTERPRISE,location="+location+",reportBuildStatus=true …", "CreateProject", &api.CreateProjectInput{
		Name:        "app",
		Source:      &api.ProjectSource{Type: api.SourceTypeGithubEnterprise, Location: &location, ReportBuildStatus: new(true)},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	}, &made, false)

	d.head("Build it, and watch the log")
	b := d.build(ctx)
	d.expect(b.BuildStatus == api.StatusTypeSucceeded, "the build ended %s", b.BuildStatus)

	d.head("The commit's status, as the provider has it")
	d.showStatuses(ctx, provider, commit)
}

// wrongToken shows what a build says when the token is refused.
func (d *show) wrongToken(ctx context.Context, location string) {
	d.head("The same with a wrong token")
	d.importToken(ctx, "ghp_ThisTokenIsWrongThisTokenIsWrong0000")
	b := d.build(ctx)
	d.expect(b.BuildStatus == api.StatusTypeFailed, "a build with a wrong token ended %s", b.BuildStatus)
	for _, p := range b.Phases {
		for _, c := range p.Contexts {
			if value(c.Message) != "" {
				d.say("%s %s: %s: %s", p.PhaseType, p.PhaseStatus, value(c.StatusCode), value(c.Message))
			}
		}
	}
	d.head("Disconnect from the provider")
	arn := "arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise"
	d.call(ctx, "aws codebuild delete-source-credentials --arn "+arn, "DeleteSourceCredentials", &api.DeleteSourceCredentialsInput{ARN: arn}, new(api.DeleteSourceCredentialsOutput), true)
}

func (d *show) importToken(ctx context.Context, token string) {
	// The token is on the wire in the clear, as the AWS CLI sends it; the typed
	// input cannot be used here, because it refuses to encode a secret.
	in := map[string]string{"serverType": "GITHUB_ENTERPRISE", "authType": "PERSONAL_ACCESS_TOKEN", "token": secret.New(token).Reveal()}
	d.call(ctx, "aws codebuild import-source-credentials --server-type GITHUB_ENTERPRISE --auth-type PERSONAL_ACCESS_TOKEN --token …", "ImportSourceCredentials", in, new(api.ImportSourceCredentialsOutput), true)
}

// build starts a build of app, prints its log while it runs, and returns it ended.
func (d *show) build(ctx context.Context) api.Build {
	var started api.StartBuildOutput
	d.call(ctx, "aws codebuild start-build --project-name app --source-version main", "StartBuild", &api.StartBuildInput{ProjectName: "app", SourceVersion: new("main")}, &started, false)
	if d.err != nil {
		return api.Build{}
	}
	d.command("aws logs tail /aws/codebuild/app --follow")
	in := &logs.GetLogEventsRequest{StartFromHead: new(true)}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		var got api.BatchGetBuildsOutput
		if d.err = d.client.Call(ctx, api.CodeBuild, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{value(started.Build.ID)}}, &got); d.err != nil {
			return api.Build{}
		}
		b := got.Builds[0]
		if b.Logs != nil && b.Logs.StreamName != nil {
			in.LogGroupName, in.LogStreamName = b.Logs.GroupName, *b.Logs.StreamName
			d.printLog(ctx, in)
		}
		if d.err != nil || value(b.BuildComplete) {
			return b
		}
		select {
		case <-ctx.Done():
			d.err = ctx.Err()
			return b
		case <-poll.C:
		}
	}
}

// printLog prints the events that are new since the last call with in.
func (d *show) printLog(ctx context.Context, in *logs.GetLogEventsRequest) {
	for d.err == nil {
		var page logs.GetLogEventsResponse
		if d.err = d.client.Call(ctx, logs.Definition, "GetLogEvents", in, &page); d.err != nil {
			return
		}
		for _, e := range page.Events {
			fmt.Fprintln(d.out, "    | "+strings.TrimRight(value(e.Message), "\r\n"))
		}
		if value(page.NextForwardToken) == value(in.NextToken) {
			return
		}
		in.NextToken = page.NextForwardToken
	}
}

// showStatuses prints the statuses on a commit once the build's end arrived.
func (d *show) showStatuses(ctx context.Context, provider *sourcetest.Server, commit string) {
	if d.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		statuses := provider.Statuses("team", "recipes", commit)
		if n := len(statuses); n > 0 && statuses[n-1].State != "pending" {
			for _, s := range statuses {
				d.say("%-8s %s: %s", s.State, s.Context, s.Description)
			}
			return
		}
		select {
		case <-ctx.Done():
			d.err = errors.New("the commit status did not arrive at the provider")
			return
		case <-poll.C:
		}
	}
}

func (d *show) head(title string) {
	if d.err == nil {
		d.step++
		fmt.Fprintf(d.out, "\n%s\n", d.bold(fmt.Sprintf("%d. %s", d.step, title)))
	}
}

func (d *show) say(format string, args ...any) {
	if d.err == nil {
		fmt.Fprintf(d.out, "  "+format+"\n", args...)
	}
}

func (d *show) command(line string) { fmt.Fprintf(d.out, "  $ %s\n", line) }

func (d *show) expect(ok bool, format string, args ...any) {
	if d.err == nil && !ok {
		d.err = fmt.Errorf(format, args...)
	}
}

// call runs one operation, printing the AWS CLI command that does the same and,
// if asked, the answer.
func (d *show) call(ctx context.Context, line, op string, in, out any, print bool) {
	if d.err != nil {
		return
	}
	d.command(line)
	if d.err = d.client.Call(ctx, api.CodeBuild, op, in, out); d.err != nil || !print {
		return
	}
	text, err := json.MarshalIndent(out, "  ", "  ")
	if err != nil {
		d.err = err
		return
	}
	fmt.Fprintf(d.out, "  %s\n", text)
}
