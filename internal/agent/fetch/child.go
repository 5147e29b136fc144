package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build/event"
)

// maxOrder bounds what is read from standard input, in bytes.
const maxOrder = 16 << 20

// Main is the child that Run starts: it reads its order from stdin, writes
// lines for the build's log to stdout and its outcome to file descriptor 3. It
// returns the exit status.
func Main(stdin io.Reader, stdout io.Writer) int {
	harden()
	result, life := os.NewFile(resultFile, "result"), os.NewFile(lifeFile, "life")
	for _, f := range []*os.File{result, life} {
		if info, err := f.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			return 2 // started by hand
		}
		syscall.CloseOnExec(int(f.Fd())) // not for git
	}
	go dieWith(life)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	runtime.LockOSThread() // git dies with the thread that started it
	begun := sync.OnceFunc(func() { _, _ = result.WriteString(begunSign) })
	o := outcome{Error: "the fetch was not told what to do"}
	var in order
	if err := json.NewDecoder(io.LimitReader(stdin, maxOrder)).Decode(&in); err == nil && len(in.Self) > 0 && in.Private != "" {
		in.begun = begun
		o = in.carryOut(ctx, stdout)
	}
	begun()
	if err := json.NewEncoder(result).Encode(o); err != nil {
		return 1
	}
	return 0
}

// carryOut fetches all sources until one fails.
func (o order) carryOut(ctx context.Context, log io.Writer) outcome {
	client := agentapi.NewClient(o.Launch)
	defer client.Close()
	var out outcome
	for i, s := range o.Sources {
		err := o.trust(ctx, client, s)
		if err == nil {
			err = o.bring(ctx, client, s, strconv.Itoa(i), log, &out.Result)
		}
		failure, isFailure := errors.AsType[*failure](err)
		switch {
		case err == nil:
			continue
		case isFailure:
			out.Failure = &api.PhaseContext{StatusCode: new("CLIENT_ERROR"), Message: new(failure.message)}
		case errors.Is(err, agentapi.ErrGone):
			out.Gone = true
		default:
			out.Error = err.Error()
		}
		return out
	}
	return out
}

// trust gets the project's certificates before the first clone that may need
// them.
func (o *order) trust(ctx context.Context, client *agentapi.Client, s Source) (err error) {
	if o.Certificate != "" && o.trusted == "" && selfHosted(s.Type) {
		o.trusted, err = o.authorities(ctx, client)
	}
	return err
}

// bring brings one source and adds what it came to to out; name is unique among
// the job's.
func (o order) bring(ctx context.Context, client *agentapi.Client, s Source, name string, log io.Writer, out *Result) error {
	if s.Type == api.SourceTypeS3 {
		version, err := (&shelf{
			client: client, source: s, object: agentapi.Object{Kind: agentapi.SourceObject, Identifier: s.Identifier}, dir: o.Launch.Dir,
		}).run(ctx)
		if err == nil && version != "" {
			out.Versions = append(out.Versions, Version{Identifier: s.Identifier, Version: version})
		}
		return err
	}
	commit, err := o.fetch(ctx, client, s, name, log)
	if err == nil && commit != "" {
		out.Commits = append(out.Commits, event.Resolved{Identifier: s.Identifier, Commit: commit})
	}
	return err
}

// fetch fetches one source; name is unique among the job's. The commit is ""
// for a source that is none.
func (o order) fetch(ctx context.Context, client *agentapi.Client, s Source, name string, log io.Writer) (string, error) {
	switch s.Type {
	case api.SourceTypeNoSource:
		return "", nil
	case api.SourceTypeCodecommit, api.SourceTypeGithub, api.SourceTypeGithubEnterprise, api.SourceTypeBitbucket, api.SourceTypeGitlab, api.SourceTypeGitlabSelfManaged:
	case api.SourceTypeCodepipeline:
		return "", refuse(s, "no source", "A source of type CODEPIPELINE is brought by a pipeline of AWS, and none started this build. "+
			"Start it with another source, such as: aws codebuild start-build --project-name <project> --source-type-override S3 --source-location-override <bucket>/<key> --artifacts-override type=NO_ARTIFACTS")
	default:
		return "", refuse(s, "source type "+clean(string(s.Type), maxShown)+" is not supported", "Sources of this type cannot be fetched.")
	}
	where, problem := repositoryURL(s.URL)
	if problem != "" {
		return "", refuse(s, "invalid source location", problem)
	}
	if gitLab(s.Type) {
		s.URL = withSuffix(where)
	}
	want, problem := parseVersion(s.Type, s.Version)
	if problem != "" {
		return "", refuse(s, "reference not found", problem)
	}
	path, err := exec.LookPath("git")
	if err != nil {
		return "", errors.New("git is not installed where the agent runs, or not in its PATH")
	}
	d := &desk{client: client, source: s, private: o.Private, name: name, wallet: &wallet{}}
	credential, err := d.open(ctx, where)
	if err == nil && selfHosted(s.Type) {
		err = d.trustProject(where, o.trusted)
	}
	if err != nil {
		return "", err
	}
	if s.Depth < 0 || s.Depth > maxDepth {
		s.Depth = 0
	}
	socket := filepath.Join(o.Private, "s"+name)
	p := newPicture(s, where, credential, d)
	c := checkout{
		git: git{path: path}, source: s, want: want, desk: d, where: where, rewrites: rewrites(where),
		environment: func(more ...setting) []string {
			return gitEnvironment(o, s, where, socket, slices.Concat(d.trust, more))
		},
		say: func(line string) { _, _ = io.WriteString(log, p.mask(line)+"\n") },
	}
	c.provider = c.newProvider(ctx)
	defer c.provider.close()
	o.begun()
	door, err := d.wallet.serve(socket)
	if err != nil {
		return "", err
	}
	defer door.Close()
	c.cache = o.cache(s, name)
	c.configure()
	if s.Insecure && where.Scheme == "https" && credential.CA == "" {
		c.say("The certificate of " + where.Host + " is not checked: the project's source sets insecureSsl, so that whoever is between may read and change what is fetched.")
	}
	commit, err := c.run(ctx)
	if err == nil || ctx.Err() != nil {
		return commit, err
	}
	// What git said goes to the log before our reading of it.
	_, _ = io.WriteString(log, p.mask(p.gitsWords(err)))
	return "", p.explain(ctx, err)
}

// maxDepth is the deepest history that gitCloneDepth can ask for: CodeBuild
// fetches all of it beyond.
const maxDepth = 25
