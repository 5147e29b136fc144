package build_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
)

func TestNewAnswersTheRecordedForm(t *testing.T) {
	b := started(t, nil, api.StartBuildInput{})
	want, err := os.ReadFile("testdata/start-build.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, want), decoded(t, encoded(t, b.Public))); diff != "" {
		t.Errorf("StartBuild answers another form (-want +got):\n%s", diff)
	}
	if got, want := b.State.QueuedUntil, at(480*60); !got.Equal(want) {
		t.Errorf("QueuedUntil = %v, want %v", got, want)
	}
}

func TestOverrides(t *testing.T) {
	pipeline := func(p *api.Project) {
		p.Source = &api.ProjectSource{Type: "CODEPIPELINE"}
		p.Artifacts = &api.ProjectArtifacts{Type: "CODEPIPELINE"}
	}
	withVersion := func(p *api.Project) { p.SourceVersion = new("develop") }
	withSecond := func(p *api.Project) {
		p.SecondarySources = []api.ProjectSource{{Type: "GITHUB", Location: new("https://github.com/example/lib.git"), SourceIdentifier: new("lib")}}
		p.SecondarySourceVersions = []api.ProjectSourceVersion{{SourceIdentifier: "lib", SourceVersion: "v1"}}
	}
	statuses := func(p *api.Project) {
		p.Source.ReportBuildStatus = new(true)
		p.Source.BuildStatusConfig = &api.BuildStatusConfig{Context: new("ci")}
		p.Source.Auth = &api.SourceAuth{Type: "CODECONNECTIONS", Resource: new("arn:aws:codeconnections:us-west-2:123456789012:connection/1")}
	}
	variables := func(p *api.Project) {
		p.Environment.EnvironmentVariables = []api.EnvironmentVariable{
			{Name: "A", Type: "PLAINTEXT", Value: "project"}, {Name: "B", Type: "PARAMETER_STORE", Value: "/b"},
		}
	}
	tests := []struct {
		name    string
		project func(*api.Project)
		in      api.StartBuildInput
		member  string // of the build's JSON, dotted
		want    string // its JSON; "" means absent
	}{
		{"nothing asked, no version", nil, api.StartBuildInput{}, "sourceVersion", ``},
		{"the project's version is used", withVersion, api.StartBuildInput{}, "sourceVersion", `"develop"`},
		{"the build's version wins", withVersion, api.StartBuildInput{SourceVersion: new("pr/25")}, "sourceVersion", `"pr/25"`},
		{"an empty version is none", withVersion, api.StartBuildInput{SourceVersion: new("")}, "sourceVersion", `"develop"`},
		{"location", nil, api.StartBuildInput{SourceLocationOverride: new("https://github.com/example/fork.git")}, "source.location", `"https://github.com/example/fork.git"`},
		{"type and location", nil, api.StartBuildInput{SourceTypeOverride: "GITHUB_ENTERPRISE", SourceLocationOverride: new("https://ghe.example.com/a/b.git")}, "source.type", `"GITHUB_ENTERPRISE"`},
		{"buildspec", nil, api.StartBuildInput{BuildspecOverride: new("ci/spec.yml")}, "source.buildspec", `"ci/spec.yml"`},
		{"clone depth", nil, api.StartBuildInput{GitCloneDepthOverride: new(0)}, "source.gitCloneDepth", `0`},
		{"submodules", nil, api.StartBuildInput{GitSubmodulesConfigOverride: &api.GitSubmodulesConfig{FetchSubmodules: true}}, "source.gitSubmodulesConfig.fetchSubmodules", `true`},
		{"insecure TLS", nil, api.StartBuildInput{InsecureSSLOverride: new(true)}, "source.insecureSsl", `true`},
		{"report status", nil, api.StartBuildInput{ReportBuildStatusOverride: new(true)}, "source.reportBuildStatus", `true`},
		{"status config", nil, api.StartBuildInput{BuildStatusConfigOverride: &api.BuildStatusConfig{Context: new("x")}}, "source.buildStatusConfig", `{"context":"x"}`},
		{"auth", nil, api.StartBuildInput{SourceAuthOverride: &api.SourceAuth{Type: "OAUTH"}}, "source.auth", `{"type":"OAUTH"}`},
		{"another type sheds the project's status settings", statuses, api.StartBuildInput{SourceTypeOverride: "S3", SourceLocationOverride: new("bucket/a.zip")}, "source.reportBuildStatus", ``},
		{"another provider never gets the project's login", statuses, api.StartBuildInput{SourceTypeOverride: "GITHUB_ENTERPRISE", SourceLocationOverride: new("https://ghe.example.com/a/b.git")}, "source.auth", ``},
		{"no source has no location", nil, api.StartBuildInput{SourceTypeOverride: "NO_SOURCE", BuildspecOverride: new("version: 0.2\n")}, "source.location", ``},
		{"secondary sources of the project", withSecond, api.StartBuildInput{}, "secondarySourceVersions", `[{"sourceIdentifier":"lib","sourceVersion":"v1"}]`},
		{"secondary versions replaced", withSecond, api.StartBuildInput{SecondarySourcesVersionOverride: []api.ProjectSourceVersion{{SourceIdentifier: "lib", SourceVersion: "v2"}}}, "secondarySourceVersions", `[{"sourceIdentifier":"lib","sourceVersion":"v2"}]`},
		{"secondary sources taken away take their versions along", withSecond, api.StartBuildInput{SecondarySourcesOverride: []api.ProjectSource{}}, "secondarySourceVersions", `[]`},
		{"variables merge by name", variables, api.StartBuildInput{EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "C", Value: "new"}, {Name: "A", Value: "build"}}}, "environment.environmentVariables",
			`[{"name":"A","type":"PLAINTEXT","value":"build"},{"name":"B","type":"PARAMETER_STORE","value":"/b"},{"name":"C","type":"PLAINTEXT","value":"new"}]`},
		{"image", nil, api.StartBuildInput{ImageOverride: new("alpine:3")}, "environment.image", `"alpine:3"`},
		{"environment type", nil, api.StartBuildInput{EnvironmentTypeOverride: "LINUX_EC2"}, "environment.type", `"LINUX_EC2"`},
		{"compute type", nil, api.StartBuildInput{ComputeTypeOverride: "BUILD_GENERAL1_LARGE"}, "environment.computeType", `"BUILD_GENERAL1_LARGE"`},
		{"privileged", nil, api.StartBuildInput{PrivilegedModeOverride: new(true)}, "environment.privilegedMode", `true`},
		{"certificate", nil, api.StartBuildInput{CertificateOverride: new("bucket/ca.pem")}, "environment.certificate", `"bucket/ca.pem"`},
		{"pull credentials", nil, api.StartBuildInput{ImageOverride: new("registry.example.com/a:1"), ImagePullCredentialsTypeOverride: "SERVICE_ROLE"}, "environment.imagePullCredentialsType", `"SERVICE_ROLE"`},
		{"fleet", nil, api.StartBuildInput{FleetOverride: &api.ProjectFleet{FleetARN: new("arn:aws:codebuild:us-west-2:123456789012:fleet/f:1")}}, "environment.fleet.fleetArn", `"arn:aws:codebuild:us-west-2:123456789012:fleet/f:1"`},
		{"an empty fleet is none", func(p *api.Project) { p.Environment.Fleet = &api.ProjectFleet{FleetARN: new("x")} }, api.StartBuildInput{FleetOverride: &api.ProjectFleet{FleetARN: new("")}}, "environment.fleet", ``},
		{"cache", nil, api.StartBuildInput{CacheOverride: &api.ProjectCache{Type: "LOCAL", Modes: []api.CacheMode{"LOCAL_CUSTOM_CACHE"}}}, "cache", `{"modes":["LOCAL_CUSTOM_CACHE"],"type":"LOCAL"}`},
		{"logs", nil, api.StartBuildInput{LogsConfigOverride: &api.LogsConfig{CloudWatchLogs: &api.CloudWatchLogsConfig{Status: "DISABLED"}}}, "logs.cloudWatchLogs.status", `"DISABLED"`},
		{"logs keep their S3 default", nil, api.StartBuildInput{LogsConfigOverride: &api.LogsConfig{CloudWatchLogs: &api.CloudWatchLogsConfig{Status: "DISABLED"}}}, "logs.s3Logs", `{"encryptionDisabled":false,"status":"DISABLED"}`},
		{"service role", nil, api.StartBuildInput{ServiceRoleOverride: new("arn:aws:iam::123456789012:role/other")}, "serviceRole", `"arn:aws:iam::123456789012:role/other"`},
		{"encryption key", nil, api.StartBuildInput{EncryptionKeyOverride: new("alias/mine")}, "encryptionKey", `"alias/mine"`},
		{"timeout", nil, api.StartBuildInput{TimeoutInMinutesOverride: new(2160)}, "timeoutInMinutes", `2160`},
		{"queue timeout", nil, api.StartBuildInput{QueuedTimeoutInMinutesOverride: new(5)}, "queuedTimeoutInMinutes", `5`},
		{"auto retry", nil, api.StartBuildInput{AutoRetryLimitOverride: new(2)}, "autoRetryConfig", `{"autoRetryLimit":2,"autoRetryNumber":0}`},
		{"debug session", nil, api.StartBuildInput{DebugSessionEnabled: new(true)}, "debugSession", `{"sessionEnabled":true}`},
		{"artifacts", nil, api.StartBuildInput{ArtifactsOverride: &api.ProjectArtifacts{Type: "S3", Location: new("bucket"), OverrideArtifactName: new(true)}}, "artifacts",
			`{"encryptionDisabled":false,"location":"arn:aws:s3:::bucket/my-demo","overrideArtifactName":true}`},
		{"secondary artifacts", nil, api.StartBuildInput{SecondaryArtifactsOverride: []api.ProjectArtifacts{{Type: "S3", ArtifactIdentifier: new("docs"), Location: new("bucket"), Name: new("d.zip")}}}, "secondaryArtifacts",
			`[{"artifactIdentifier":"docs","encryptionDisabled":false,"location":"arn:aws:s3:::bucket/d.zip"}]`},
		{"a pipeline project builds with artifacts of its own", pipeline, api.StartBuildInput{
			ArtifactsOverride: &api.ProjectArtifacts{Type: "NO_ARTIFACTS"}, SourceTypeOverride: "GITHUB", SourceLocationOverride: new("https://github.com/a/b.git")}, "source.type", `"GITHUB"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := started(t, tt.project, tt.in)
			if got := member(t, b.Public, tt.member); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.member, got, tt.want)
			}
		})
	}
}

func TestRefusedOverrides(t *testing.T) {
	folder := func(p *api.Project) { p.Source = &api.ProjectSource{Type: "S3", Location: new("bucket/src/")} }
	pipeline := func(p *api.Project) {
		p.Source, p.Artifacts = &api.ProjectSource{Type: "CODEPIPELINE"}, &api.ProjectArtifacts{Type: "CODEPIPELINE"}
	}
	tests := []struct {
		name    string
		project func(*api.Project)
		in      api.StartBuildInput
		want    string // the message, or how it begins
	}{
		{"a pipeline project needs artifacts", pipeline, api.StartBuildInput{}, "ArtifactsOverride must be set when using artifacts type CodePipelines"},
		{"a pipeline on one side only", pipeline, api.StartBuildInput{ArtifactsOverride: &api.ProjectArtifacts{Type: "NO_ARTIFACTS"}}, "Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE"},
		{"a folder in S3 has no version", folder, api.StartBuildInput{SourceVersion: new("v")}, "Source version should be empty for S3 folder source location"},
		{"statuses of a source without them", folder, api.StartBuildInput{ReportBuildStatusOverride: new(false)}, "Source type S3 does not support ReportBuildStatus"},
		{"a status config likewise", folder, api.StartBuildInput{BuildStatusConfigOverride: &api.BuildStatusConfig{}}, "Source type S3 does not support BuildStatusConfig"},
		{"a login for S3", folder, api.StartBuildInput{SourceAuthOverride: &api.SourceAuth{Type: "OAUTH"}}, "Source type S3 does not support SourceAuth"},
		{"a source type that is none", nil, api.StartBuildInput{SourceTypeOverride: "SVN"}, "Invalid type provided: Project source type"},
		{"no location", func(p *api.Project) { p.Source.Location = nil }, api.StartBuildInput{}, "Project source location is required"},
		{"a location on no source", nil, api.StartBuildInput{SourceTypeOverride: "NO_SOURCE", SourceLocationOverride: new("x"), BuildspecOverride: new("version: 0.2\n")}, "Invalid input: source location must be empty for source type NO_SOURCE"},
		{"thirteen secondary sources", nil, api.StartBuildInput{SecondarySourcesOverride: make([]api.ProjectSource, 13)}, "Invalid input: the maximum number of secondary sources is 12"},
		{"a version of an unknown source", nil, api.StartBuildInput{SecondarySourcesVersionOverride: []api.ProjectSourceVersion{{SourceIdentifier: "x", SourceVersion: "y"}}}, "Invalid input: secondary source identifier does not exist"},
		{"a variable twice", nil, api.StartBuildInput{EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "A"}, {Name: "A"}}}, "EnvironmentVariable name cannot be duplicated"},
		{"a variable of the service's", nil, api.StartBuildInput{EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "CODEBUILD_CI", Value: "x"}}}, "No user environment variables can start with CODEBUILD_"},
		{"privileged on Windows", nil, api.StartBuildInput{EnvironmentTypeOverride: "WINDOWS_SERVER_2019_CONTAINER", PrivilegedModeOverride: new(true)}, "PrivilegedMode is not supported for WINDOWS_SERVER_2019_CONTAINER projects"},
		{"artifacts without a bucket", nil, api.StartBuildInput{ArtifactsOverride: &api.ProjectArtifacts{Type: "S3"}}, "Invalid artifacts: location is required"},
		{"a local cache without modes", nil, api.StartBuildInput{CacheOverride: &api.ProjectCache{Type: "LOCAL"}}, "At least one mode must be provided for cache type: LOCAL"},
		{"S3 logs without a place", nil, api.StartBuildInput{LogsConfigOverride: &api.LogsConfig{S3Logs: &api.S3LogsConfig{Status: "ENABLED"}}}, "Invalid logsConfig: s3Logs location must be provided if status is 'ENABLED'"},
		{"a role that is none", nil, api.StartBuildInput{ServiceRoleOverride: new("me")}, "Invalid service role"},
		{"a key of another region", nil, api.StartBuildInput{EncryptionKeyOverride: new("arn:aws:kms:eu-west-1:123456789012:alias/mine")}, "Invalid encryption key: region does not match current region"},
		{"four minutes", nil, api.StartBuildInput{TimeoutInMinutesOverride: new(4)}, "TimeoutInMins must be between 5 and 2160"},
		{"2161 minutes", nil, api.StartBuildInput{TimeoutInMinutesOverride: new(2161)}, "TimeoutInMins must be between 5 and 2160"},
		{"481 minutes in the queue", nil, api.StartBuildInput{QueuedTimeoutInMinutesOverride: new(481)}, "QueuedTimeoutInMins must be between 5 and 480"},
		{"fewer than no retries", nil, api.StartBuildInput{AutoRetryLimitOverride: new(-1)}, "Invalid input: autoRetryLimit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := demo()
			if tt.project != nil {
				tt.project(&p.Public)
			}
			_, err := build.New(p, &tt.in, caller, id, start)
			if fault.KindOf(err) != fault.Invalid || !strings.HasPrefix(fault.Message(err), tt.want) {
				t.Errorf("New = %v, want an Invalid that says %q", err, tt.want)
			}
		})
	}
}

func TestNewLeavesItsProjectAlone(t *testing.T) {
	p := demo()
	p.Public.Environment.EnvironmentVariables = append(make([]api.EnvironmentVariable, 0, 8), api.EnvironmentVariable{Name: "A", Type: "PLAINTEXT", Value: "project"})
	before := string(encoded(t, p.Public))
	in := api.StartBuildInput{
		SourceTypeOverride: "NO_SOURCE", BuildspecOverride: new("version: 0.2\n"),
		EnvironmentVariablesOverride: []api.EnvironmentVariable{{Name: "A", Value: "build"}, {Name: "B"}},
	}
	b, err := build.New(p, &in, caller, id, start)
	if err != nil {
		t.Fatal(err)
	}
	b.Claim(nil, at(1), at(2))
	b.Begin(at(2), at(3))
	if diff := cmp.Diff(before, string(encoded(t, p.Public))); diff != "" {
		t.Errorf("the project changed:\n%s", diff)
	}
}

func TestArtifactLocation(t *testing.T) {
	tests := []struct {
		name string
		a    api.ProjectArtifacts
		want string
	}{
		{"no artifacts", api.ProjectArtifacts{Type: "NO_ARTIFACTS"}, ""},
		{"the project's name by default", api.ProjectArtifacts{Type: "S3", Location: new("bucket")}, "arn:aws:s3:::bucket/my-demo"},
		{"path, UUID and name", api.ProjectArtifacts{Type: "S3", Location: new("bucket"), Path: new("a/b/"), NamespaceType: "BUILD_ID", Name: new("out.zip")}, "arn:aws:s3:::bucket/a/b/" + own + "/out.zip"},
		{"a slash puts the content below the path", api.ProjectArtifacts{Type: "S3", Location: new("bucket"), Path: new("a"), Name: new("/")}, "arn:aws:s3:::bucket/a"},
		{"the bucket as an ARN", api.ProjectArtifacts{Type: "S3", Location: new("arn:aws:s3:::bucket")}, "arn:aws:s3:::bucket/my-demo"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := started(t, func(p *api.Project) { p.Artifacts = &tt.a }, api.StartBuildInput{})
			if got := *b.Public.Artifacts.Location; got != tt.want {
				t.Errorf("location = %q, want %q", got, tt.want)
			}
		})
	}
}

func encoded(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decoded(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// member returns a dotted member of v's JSON, members sorted, or "".
func member(t testing.TB, v any, path string) string {
	t.Helper()
	var at any = decoded(t, encoded(t, v))
	for name := range strings.SplitSeq(path, ".") {
		of, _ := at.(map[string]any)
		var ok bool
		if at, ok = of[name]; !ok {
			return ""
		}
	}
	return string(encoded(t, at))
}
