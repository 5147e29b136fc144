package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/api"
	smapi "slipway/internal/api/secretsmanager"
	ssmapi "slipway/internal/api/ssm"
	"slipway/internal/secret"
)

// parameter keeps a parameter, and secret a secret.
func (s *serverProcess) parameter(name, value string) {
	s.t.Helper()
	in := &ssmapi.PutParameterRequest{Name: name, Value: secret.New(value), Type: ssmapi.ParameterTypeSecureString}
	if err := s.client.Call(s.t.Context(), ssmapi.Definition, "PutParameter", in, nil); err != nil {
		s.t.Fatal(err)
	}
}

func (s *serverProcess) secret(name, value string) (arn string) {
	s.t.Helper()
	var out smapi.CreateSecretResponse
	if err := s.client.Call(s.t.Context(), smapi.Definition, "CreateSecret", &smapi.CreateSecretRequest{Name: name, SecretString: secret.New(value)}, &out); err != nil {
		s.t.Fatal(err)
	}
	return *out.ARN
}

// TestABuildTakesSecrets plants three secrets, has a build use and print them in
// every form that tools have, and searches for them wherever a careless program
// would leave them.
func TestABuildTakesSecrets(t *testing.T) {
	const (
		token    = "token-1f0c9a7b5e3d"
		password = `pa55 w"rd/+=end`
		key      = "-----BEGIN KEY-----\nMIIBVwIBADANBgkqhkiG9w0BAQE\n-----END KEY-----\n"
	)
	s := serve(t, "--log-level", "debug")
	object, err := json.Marshal(map[string]any{"user": "ada", "password": password, "port": 5432})
	if err != nil {
		t.Fatal(err)
	}
	seen := &sightings{forms: map[string]string{}, where: map[string]bool{}, own: true}
	for name, value := range map[string]string{"token": token, "password": password, "key": strings.Split(key, "\n")[1]} {
		for form, text := range formsOf(value) {
			seen.forms["the "+name+" in "+form] = text
		}
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { seen.watch(done) })

	s.parameter("/app/token", token)
	arn := s.secret("app/db", string(object))
	s.expects(0, key, words("secret put app/key"), "Made the secret app/key.")
	spec := `version: 0.2
env:
  variables: {TOKEN: beaten by the project}
  secrets-manager:
    PASSWORD: app/db:password
    PORT: ` + arn + `:port:AWSCURRENT
    LOGIN: ` + arn + `:user
  exported-variables: [TOKEN, LOGIN]
phases:
  build:
    commands:
      - test "$PORT" = 5432 && test "$LOGIN" = ada && test "${#TOKEN}" = 18 && test "${#KEY}" = 66
      - echo "raw $TOKEN $PASSWORD"
      - printf %s "$PASSWORD" | base64 | sed 's/^/base64 /'
      - printf %s "$PASSWORD" | sed 's/"/\\"/g; s/^/json /'; echo
      - printf %s "$PASSWORD" | sed 's/ /%20/g; s/"/%22/g; s/+/%2B/g; s/=/%3D/g; s,/,%2F,g; s/^/url /'; echo
      - printf %s "$KEY" | sed -n '2s/^/line /p'
      - env
`
	call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
		Name: "app", Source: &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: &spec}, Artifacts: &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{
			Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small,
			EnvironmentVariables: []api.EnvironmentVariable{{Name: "TOKEN", Value: "/app/token", Type: api.EnvironmentVariableTypeParameterStore}},
		},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
	id := *call[api.StartBuildOutput](s, "StartBuild", &api.StartBuildInput{
		ProjectName: "app", EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "KEY", Value: "app/key", Type: api.EnvironmentVariableTypeSecretsManager}},
	}).Build.ID
	b := s.finished(id)
	log := s.log(b)
	if b.BuildStatus != api.StatusTypeSucceeded {
		t.Fatalf("the build ended %s: %+v\n%s", b.BuildStatus, b.Phases, log)
	}
	close(done)
	watch.Wait()
	for _, line := range []string{
		"Decrypting parameter store environment variables", "\nraw *** ***\n", "\nbase64 ***\n", "\njson ***\n", "\nurl ***\n", "\nline ***\n", "\nTOKEN=***\n", "\nPASSWORD=***\n",
	} {
		if !strings.Contains(log, line) {
			t.Errorf("the log lacks %q:\n%s", line, log)
		}
	}
	if exported := b.ExportedEnvironmentVariables; len(exported) != 1 || value(exported[0].Name) != "LOGIN" {
		t.Errorf("exported are %s: the project's secret must not be", asJSON(t, exported))
	}
	s.expects(0, "", words("secret list"), "/app/token parameter, SecureString", id, "app/key secret")

	var answers bytes.Buffer
	for _, answer := range []any{
		call[api.BatchGetBuildsOutput](s, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{id}}),
		call[api.BatchGetProjectsOutput](s, "BatchGetProjects", &api.BatchGetProjectsInput{Names: []string{"app"}}),
	} {
		answers.WriteString(asJSON(t, answer))
	}
	s.stop()
	seen.search(t, "the API's answers", answers.Bytes())
	seen.search(t, "the log", []byte(log))
	seen.search(t, "what the server and its agents printed", []byte(s.printed()))
	files := 0
	err = filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		seen.search(t, "the file "+path, text)
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("searched %d files of the data folder: %v", files, err)
	}
	for where := range seen.where {
		t.Errorf("a secret was seen in %s", where)
	}
	if seen.processes == 0 {
		t.Error("no process was watched while the secrets were in use")
	}
}

// builds runs one build of a buildspec and returns it.
func (s *serverProcess) builds(project, spec string) api.Build {
	s.t.Helper()
	s.project(project, spec)
	return s.finished(*call[api.StartBuildOutput](s, "StartBuild", &api.StartBuildInput{ProjectName: project}).Build.ID)
}

// downloadContext returns the status code and message of DOWNLOAD_SOURCE.
func downloadContext(b api.Build) string {
	for _, p := range b.Phases {
		if p.PhaseType == api.BuildPhaseTypeDownloadSource && len(p.Contexts) == 1 {
			return value(p.Contexts[0].StatusCode) + ": " + value(p.Contexts[0].Message)
		}
	}
	return ""
}

const (
	oneParameter = "version: 0.2\nenv: {parameter-store: {A: /CodeBuild/absent}}\nphases: {build: {commands: [\"true\"]}}\n"
	oneSecret    = "version: 0.2\nenv: {secrets-manager: {A: \"absent:key\"}}\nphases: {build: {commands: [\"true\"]}}\n"
)

func TestASecretThatIsNotThereFailsDownloadSource(t *testing.T) {
	s := serve(t)
	for project, c := range map[string]struct{ spec, want string }{
		"parameter": {oneParameter, "Decrypted Variables Error: parameter does not exist: /CodeBuild/absent"},
		"secret":    {oneSecret, "Secrets Manager Error: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
	} {
		b := s.builds(project, c.spec)
		if got := downloadContext(b); b.BuildStatus != api.StatusTypeFailed || got != c.want {
			t.Errorf("the build ended %s with %s, want %s", b.BuildStatus, got, c.want)
		}
	}
}

// TestSecretsOfAWS has one server stand for AWS and another take the values of
// its builds from there.
func TestSecretsOfAWS(t *testing.T) {
	remote := serve(t)
	remote.parameter("/far/token", "far-token-42")
	remote.secret("far/db", `{"password":"far-password-43"}`)
	remote.secret("both", "far-both-44")
	t.Setenv("AWS_ENDPOINT_URL", remote.url)
	t.Setenv("AWS_ACCESS_KEY_ID", remote.client.Key.ID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", remote.client.Key.Secret.Reveal())
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	const spec = `version: 0.2
env:
  parameter-store: {TOKEN: /far/token}
  secrets-manager: {PASSWORD: "far/db:password", BOTH: both}
phases: {build: {commands: ["test $TOKEN = far-token-42 && test $PASSWORD = far-password-43 && test $BOTH = WANT", "echo \"$TOKEN $PASSWORD\""]}}
`
	for _, c := range []struct{ flag, both, absent string }{
		{"embedded,aws", "near-both-45", "Secrets Manager Error: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		{"aws", "far-both-44", "Secrets Manager Error: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
	} {
		t.Run(c.flag, func(t *testing.T) {
			s := serve(t, "--secrets", c.flag)
			s.secret("both", "near-both-45")
			b := s.builds("app", strings.Replace(spec, "WANT", c.both, 1))
			if log := s.log(b); b.BuildStatus != api.StatusTypeSucceeded || !strings.Contains(log, "\n*** ***\n") {
				t.Errorf("the build ended %s: %s\n%s", b.BuildStatus, downloadContext(b), log)
			}
			if got := downloadContext(s.builds("absent", oneSecret)); got != c.absent {
				t.Errorf("a secret that is nowhere: %s, want %s", got, c.absent)
			}
		})
	}
	t.Run("without credentials", func(t *testing.T) {
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			t.Setenv(name, "")
		}
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		b := serve(t, "--secrets", "aws").builds("app", oneParameter)
		if got := downloadContext(b); !strings.HasPrefix(got, "Decrypted Variables Error: The server has no AWS credentials") {
			t.Errorf("the build ended %s with %s", b.BuildStatus, got)
		}
	})
}
