package build_test

import (
	"testing"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/project"
)

const (
	own = "9b175d16-66fd-4e71-93a0-50a08c4e19aa"
	id  = "my-demo:" + own
)

var (
	scope  = arn.Scope{Account: "123456789012", Region: "us-west-2"}
	caller = accesskey.Caller{Scope: scope, User: "ann"}
	start  = time.UnixMilli(1603302698161).UTC()
)

// at is so many seconds after the build was asked for.
func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// demo is a project as BatchGetProjects answers it, defaults filled in.
func demo() project.Project {
	return project.Project{Scope: scope, Public: api.Project{
		Name: new("my-demo"),
		ARN:  new(scope.Project("my-demo")),
		Source: &api.ProjectSource{
			Type:                api.SourceTypeGithub,
			Location:            new("https://github.com/example/my-demo.git"),
			GitCloneDepth:       new(1),
			GitSubmodulesConfig: &api.GitSubmodulesConfig{},
			ReportBuildStatus:   new(false),
			InsecureSSL:         new(false),
		},
		SecondarySources:        []api.ProjectSource{},
		SecondarySourceVersions: []api.ProjectSourceVersion{},
		Artifacts:               &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		SecondaryArtifacts:      []api.ProjectArtifacts{},
		Cache:                   &api.ProjectCache{Type: api.CacheTypeNoCache},
		Environment: &api.ProjectEnvironment{
			Type:                     "LINUX_CONTAINER",
			Image:                    "aws/codebuild/amazonlinux2-x86_64-standard:3.0",
			ComputeType:              "BUILD_GENERAL1_SMALL",
			EnvironmentVariables:     []api.EnvironmentVariable{},
			PrivilegedMode:           new(false),
			ImagePullCredentialsType: "CODEBUILD",
		},
		ServiceRole:            new("arn:aws:iam::123456789012:role/service-role/my-service-role"),
		TimeoutInMinutes:       new(60),
		QueuedTimeoutInMinutes: new(480),
		EncryptionKey:          new("arn:aws:kms:us-west-2:123456789012:alias/aws/s3"),
	}}
}

// started is a build of demo, changed and with overrides.
func started(t testing.TB, change func(*api.Project), in api.StartBuildInput) build.Build {
	t.Helper()
	p := demo()
	if change != nil {
		change(&p.Public)
	}
	in.ProjectName = "my-demo"
	b, err := build.New(p, &in, caller, id, start)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return b
}

// begun is a build whose agent has said its first word after five seconds.
func begun(t testing.TB) build.Build {
	t.Helper()
	b := started(t, nil, api.StartBuildInput{})
	b.Claim([]byte("hash"), at(1.5), at(31.5))
	b.Begin(at(5), at(35))
	return b
}

func enter(seconds float64, p api.BuildPhaseType) event.Event {
	return event.Event{Time: at(seconds), Enter: p}
}

func leave(seconds float64, s api.StatusType, contexts ...api.PhaseContext) event.Event {
	return event.Event{Time: at(seconds), Leave: &event.PhaseEnd{Status: s, Contexts: contexts}}
}

func end(seconds float64, s api.StatusType) event.Event {
	return event.Event{Time: at(seconds), End: s}
}

// apply applies events an hour after the last of them.
func apply(t testing.TB, b *build.Build, events ...event.Event) {
	t.Helper()
	for i, e := range events {
		if err := b.Apply(e, at(3600)); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

// passing are the events of a phase that goes well.
func passing(seconds float64, phases ...api.BuildPhaseType) []event.Event {
	var all []event.Event
	for i, p := range phases {
		all = append(all, enter(seconds+float64(i), p), leave(seconds+float64(i)+0.7, "SUCCEEDED"))
	}
	return all
}
