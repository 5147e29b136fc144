package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"slipway/internal/api"
	"slipway/internal/api/logs"
	smapi "slipway/internal/api/secretsmanager"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/awsjson"
	"slipway/internal/buildspec"
	"slipway/internal/runner/docker/dockertest"
	"slipway/internal/secret"
)

// repository writes the files of a case into a folder, with this buildspec.
func (c *parityCase) repository(dir, text string) error {
	if c.dir != "" {
		if err := os.CopyFS(dir, os.DirFS(c.dir)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "buildspec.yml"), []byte(text), 0o644)
}

// A runPlace has slipway run build a folder.
type runPlace struct{}

func newRunPlace(*testing.T) place { return runPlace{} }

func (runPlace) build(t *testing.T, cases []*parityCase) map[string]ending {
	temp := t.TempDir()
	return eachOf(cases, 2, func(c *parityCase) ending {
		dir := filepath.Join(temp, c.id())
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "tmp"), 0o755), os.Mkdir(filepath.Join(dir, "source"), 0o755), c.repository(filepath.Join(dir, "source"), c.Text)); err != nil {
			return ending{why: err}
		}
		secrets, err := c.secretArgs(filepath.Join(dir, "secrets"))
		if err != nil {
			return ending{why: err}
		}
		args := append([]string{"run", "--report"}, secrets...)
		for _, v := range slices.Concat(c.needs("variable"), c.needs("start-variable")) {
			if variableOf(v).Type == api.EnvironmentVariableTypePlaintext {
				args = append(args, "--env", v)
			}
		}
		if c.need("cache") {
			args = append(args, "--cache", filepath.Join(dir, "cache"))
		}
		if c.need("artifacts") {
			args = append(args, "--artifacts", filepath.Join(dir, "kept"))
		}
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "slipway"), append(args, filepath.Join(dir, "source"))...)
		var log, summary bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &summary
		cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
		err = cmd.Run()
		e := told(log.String(), summary.String())
		kept, keptErr := c.laid(filepath.Join(dir, "kept"))
		if e.Artifacts = kept; keptErr != nil {
			return ending{why: keptErr}
		}
		if e.Status == "" {
			e.why = fmt.Errorf("%w\n%s", err, summary.String())
		}
		return e
	})
}

// secretArgs gives slipway run the value of each variable that a server takes
// from a parameter or a secret. The values are in files below dir.
func (c *parityCase) secretArgs(dir string) ([]string, error) {
	if !c.need("parameter") && !c.need("secret") {
		return nil, nil // and there is no value to give for what is missing
	}
	spec, err := buildspec.Parse([]byte(c.Text))
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, v := range slices.Concat(c.needs("variable"), c.needs("start-variable")) {
		switch v := variableOf(v); v.Type {
		case api.EnvironmentVariableTypeParameterStore:
			values[v.Name] = c.valueOf("parameter", v.Value)
		case api.EnvironmentVariableTypeSecretsManager:
			values[v.Name] = c.secretOf(v.Value)
		}
	}
	for _, v := range spec.Parameters {
		values[v.Name] = c.valueOf("parameter", v.Value)
	}
	for _, v := range spec.Secrets {
		values[v.Name] = c.secretOf(v.Value)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	var args []string
	for name, value := range values {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(unescaped(value)+"\n"), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--secret", name+"=file:"+path)
	}
	return args, nil
}

// valueOf returns the value that a need of a kind gives to a name.
func (c *parityCase) valueOf(kind, name string) string {
	for _, need := range c.needs(kind) {
		if value, ok := strings.CutPrefix(need, name+"="); ok {
			return value
		}
	}
	return ""
}

// secretOf returns what a reference to a secret stands for: name:key:stage:version,
// each but the first of which may be left out.
func (c *parityCase) secretOf(reference string) string {
	_, named, ok := strings.Cut(reference, ":secret:") // of an ARN
	if !ok {
		named = reference
	}
	parts := append(strings.Split(named, ":"), "", "", "")
	name, key, stage, version := strings.TrimSuffix(parts[0], "-AbCdEf"), parts[1], parts[2], parts[3]
	value := c.valueOf("secret", name)
	if version != "" {
		value = c.valueOf("secret-version", name+" "+version)
	} else if stage != "" && stage != "AWSCURRENT" {
		value = c.valueOf("secret-stage", name+" "+stage)
	}
	var fields map[string]any
	if key == "" || json.Unmarshal([]byte(value), &fields) != nil {
		return value
	}
	return fmt.Sprint(fields[key])
}

// laid lists what slipway run has laid into a folder, as kept does.
func (c *parityCase) laid(root string) ([]string, error) {
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		identifier := ""
		if of, rest, ok := strings.Cut(name, "/"); ok && slices.Contains(c.needs("secondary-artifact"), of) {
			identifier, name = of, rest
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := info.Mode().String() + " "
		if c.need("folder") { // buckets have no modes
			mode = ""
		}
		all = append(all, identifier+":"+name+"\n"+mode+shown(text))
		return nil
	})
	slices.Sort(all)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// eachOf calls do for all cases, n at a time.
func eachOf(cases []*parityCase, n int, do func(*parityCase) ending) map[string]ending {
	out := map[string]ending{}
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan *parityCase)
	for range n {
		all.Go(func() {
			for c := range next {
				e := do(c)
				mu.Lock()
				out[c.Name] = e
				mu.Unlock()
			}
		})
	}
	for _, c := range cases {
		next <- c
	}
	close(next)
	all.Wait()
	return out
}

// A serverPlace is a server whose builds run on its machine or in containers.
type serverPlace struct {
	s     *serverProcess
	image string
	tidy  func()
}

func newServerPlace(t *testing.T, contained bool) place {
	t.Helper()
	args := []string{"--account", "111122223333", "--max-builds", "3"}
	if !contained {
		s := &serverProcess{t: t, data: filepath.Join(t.TempDir(), "data"), args: append(args, "--runner", "local"), bin: bin}
		s.run()
		return &serverPlace{s: s, image: "local", tidy: func() {}}
	}
	s := newDockerServer(t, append(args, "--runner", "docker")...)
	s.bin = bin
	s.run()
	return &serverPlace{s: s.serverProcess, image: dockertest.Machine(t, s.engine), tidy: s.tidy}
}

func (p *serverPlace) build(t *testing.T, cases []*parityCase) map[string]ending {
	defer p.tidy()
	return eachOf(cases, 4, func(c *parityCase) ending {
		e, err := p.one(t.Context(), c)
		if err != nil {
			return ending{why: err}
		}
		return e
	})
}

// one builds a case.
func (p *serverPlace) one(ctx context.Context, c *parityCase) (ending, error) {
	client := *p.s.client
	client.Region = c.need1("region", "us-east-1")
	if err := p.furnish(ctx, &client, c); err != nil {
		return ending{}, err
	}
	do := func(op string, in, out any) error { return client.Call(ctx, api.CodeBuild, op, in, out) }
	if err := do("CreateProject", p.project(c), nil); err != nil {
		return ending{}, err
	}
	for _, need := range c.needs("report-group") {
		name, typ, _ := strings.Cut(need, "=")
		if err := do("CreateReportGroup", &api.CreateReportGroupInput{Name: name, Type: api.ReportType(typ), ExportConfig: &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeNoExport}}, nil); err != nil {
			return ending{}, err
		}
	}
	start := &api.StartBuildInput{ProjectName: c.id()}
	for _, v := range c.needs("start-variable") {
		start.EnvironmentVariablesOverride = append(start.EnvironmentVariablesOverride, variableOf(v))
	}
	var started api.StartBuildOutput
	if err := do("StartBuild", start, &started); err != nil {
		return ending{}, err
	}
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for late := time.After(3 * time.Minute); ; {
		var got api.BatchGetBuildsOutput
		if err := do("BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{value(started.Build.ID)}}, &got); err != nil {
			return ending{}, err
		}
		if b := got.Builds[0]; value(b.BuildComplete) {
			log, err := logOf(ctx, &client, b)
			if err != nil {
				return ending{}, err
			}
			kept, err := p.kept(c)
			return ended(b, log, kept), err
		}
		select {
		case <-poll.C:
		case <-late:
			return ending{}, fmt.Errorf("the build is in %s after three minutes", value(got.Builds[0].CurrentPhase))
		}
	}
}

// logOf returns the log of a build.
func logOf(ctx context.Context, client *awsjson.Client, b api.Build) (string, error) {
	var text strings.Builder
	in := &logs.GetLogEventsRequest{LogGroupName: b.Logs.GroupName, LogStreamName: value(b.Logs.StreamName), StartFromHead: new(true)}
	for {
		var page logs.GetLogEventsResponse
		if err := client.Call(ctx, logs.Definition, "GetLogEvents", in, &page); err != nil {
			return "", err
		}
		for _, e := range page.Events {
			text.WriteString(value(e.Message))
		}
		if value(page.NextForwardToken) == value(in.NextToken) {
			return text.String(), nil
		}
		in.NextToken = page.NextForwardToken
	}
}

// variableOf reads a need of the kind variable.
func variableOf(need string) api.EnvironmentVariable {
	name, value, _ := strings.Cut(need, "=")
	v := api.EnvironmentVariable{Name: name, Value: value, Type: api.EnvironmentVariableTypePlaintext}
	if at, ok := strings.CutPrefix(value, "parameter:"); ok {
		v.Value, v.Type = at, api.EnvironmentVariableTypeParameterStore
	}
	if at, ok := strings.CutPrefix(value, "secret:"); ok {
		v.Value, v.Type = at, api.EnvironmentVariableTypeSecretsManager
	}
	return v
}

// project is what a case is built by: its repository is a ZIP in a bucket.
func (p *serverPlace) project(c *parityCase) *api.CreateProjectInput {
	in := &api.CreateProjectInput{
		Name:        c.id(),
		Source:      &api.ProjectSource{Type: api.SourceTypeS3, Location: new("sources/" + c.id() + ".zip")},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: p.image, ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::111122223333:role/build",
	}
	for _, v := range c.needs("variable") {
		in.Environment.EnvironmentVariables = append(in.Environment.EnvironmentVariables, variableOf(v))
	}
	keep := func(identifier string) api.ProjectArtifacts {
		a := api.ProjectArtifacts{
			Type: api.ArtifactsTypeS3, Location: new("kept"), Path: new(c.id()), Name: new("primary"), Packaging: api.ArtifactPackagingZip,
		}
		if c.need("folder") {
			a.Packaging = api.ArtifactPackagingNone
		}
		if c.need("override-name") {
			a.OverrideArtifactName = new(true)
		}
		if identifier != "" {
			a.ArtifactIdentifier, a.Name = &identifier, new("secondary-"+identifier)
		}
		return a
	}
	if c.need("artifacts") {
		in.Artifacts = new(keep(""))
	}
	for _, identifier := range c.needs("secondary-artifact") {
		in.SecondaryArtifacts = append(in.SecondaryArtifacts, keep(identifier))
	}
	if c.need("cache") {
		in.Cache = &api.ProjectCache{Type: api.CacheTypeS3, Location: new("caches/" + c.id())}
	}
	return in
}

// furnish gives the server what a case needs of it.
func (p *serverPlace) furnish(ctx context.Context, client *awsjson.Client, c *parityCase) error {
	for _, need := range c.needs("parameter") {
		name, value, _ := strings.Cut(need, "=")
		in := &ssmapi.PutParameterRequest{Name: name, Value: secret.New(unescaped(value)), Type: ssmapi.ParameterTypeSecureString}
		if err := client.Call(ctx, ssmapi.Definition, "PutParameter", in, nil); err != nil {
			return err
		}
	}
	text := c.Text
	put := func(op string, in any) error { return client.Call(ctx, smapi.Definition, op, in, nil) }
	for _, need := range c.needs("secret") {
		name, value, _ := strings.Cut(need, "=")
		first := value
		for _, stage := range c.needs("secret-stage") { // the only one is the one before
			if text, ok := strings.CutPrefix(stage, name+" AWSPREVIOUS="); ok {
				first = text
			}
		}
		var made smapi.CreateSecretResponse
		if err := client.Call(ctx, smapi.Definition, "CreateSecret", &smapi.CreateSecretRequest{Name: name, SecretString: secret.New(unescaped(first))}, &made); err != nil {
			return err
		}
		text = strings.ReplaceAll(text, ":"+name+"-AbCdEf", ":"+(*made.ARN)[strings.LastIndex(*made.ARN, ":")+1:])
		for _, version := range c.needs("secret-version") {
			if text, ok := strings.CutPrefix(version, name+" "); ok {
				id, value, _ := strings.Cut(text, "=")
				if err := put("PutSecretValue", &smapi.PutSecretValueRequest{SecretID: name, ClientRequestToken: &id, SecretString: secret.New(value), VersionStages: []string{"ASIDE"}}); err != nil {
					return err
				}
			}
		}
		if first != value {
			if err := put("PutSecretValue", &smapi.PutSecretValueRequest{SecretID: name, SecretString: secret.New(value)}); err != nil {
				return err
			}
		}
	}
	dir, err := os.MkdirTemp("", "parity-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := c.repository(dir, text); err != nil {
		return err
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	if err := errors.Join(z.AddFS(os.DirFS(dir)), z.Close()); err != nil {
		return err
	}
	at := filepath.Join(p.s.data, "buckets", "sources", c.id()+".zip")
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	return os.WriteFile(at, packed.Bytes(), 0o600)
}

// unescaped reads \n in a value.
func unescaped(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }

// kept lists what the bucket has of a case.
func (p *serverPlace) kept(c *parityCase) ([]string, error) {
	root := filepath.Join(p.s.data, "buckets", "kept", c.id())
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".attrs") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		of, rest, _ := strings.Cut(name, "/")
		identifier := strings.TrimPrefix(strings.TrimPrefix(of, "primary"), "secondary-")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if c.need("folder") {
			all = append(all, identifier+":"+rest+"\n"+shown(text))
			return nil
		}
		if c.need("override-name") {
			identifier = "" // and what it is called is to be compared, too
			all = append(all, ":"+name+"\nis a ZIP")
		}
		z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return err
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				return err
			}
			text, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			all = append(all, fmt.Sprintf("%s:%s\n%s %s", identifier, f.Name, f.Mode(), shown(text)))
		}
		return nil
	})
	slices.Sort(all)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// shown is a file's text, or its sum if it is long.
func shown(text []byte) string {
	if len(text) > 2000 || !utf8.Valid(text) {
		return fmt.Sprintf("%d bytes, %x", len(text), sha256.Sum256(text))
	}
	return alike(string(text))
}
