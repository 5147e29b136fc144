package main

import (
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// A server with AWS credentials clones from CodeCommit with a login that it
// signs; one without says what it needs.
func TestCodeCommit(t *testing.T) {
	at, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Server: "CODECOMMIT"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.Close() })
	url, err := at.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at.AddToken(sourcetest.Token{Login: "AKIACODECOMMITTEST", Value: "s3cretKeyOfCodeCommit"})
	if err := at.CreateRepository("v1", "recipes", true); err != nil {
		t.Fatal(err)
	}
	commit, err := at.Commit("v1", "recipes", "main", map[string]string{"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - test -n \"$CODEBUILD_SOURCE_REPO_URL\" && ! env | grep s3cretKey\n"}, "first")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, id, message string }{
		{"with credentials", "AKIACODECOMMITTEST", ""},
		{"without", "", "authentication failed for primary source: AWS CodeCommit takes the AWS credentials of the server, and it has none: start it with AWS_ACCESS_KEY_ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir()) // no shared files, and no role of a machine
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("AWS_ACCESS_KEY_ID", c.id)
			t.Setenv("AWS_SECRET_ACCESS_KEY", map[bool]string{true: "s3cretKeyOfCodeCommit"}[c.id != ""])
			t.Setenv("AWS_SESSION_TOKEN", map[bool]string{true: "t0ken/of+the=session"}[c.id != ""])
			s := serve(t, "--source-endpoint", "CODECOMMIT="+url)
			call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
				Name:        "app",
				Source:      &api.ProjectSource{Type: api.SourceTypeCodecommit, Location: new("https://git-codecommit.us-east-1.amazonaws.com/v1/repos/recipes"), GitCloneDepth: new(1)},
				Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
				Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
				ServiceRole: "arn:aws:iam::000000000000:role/build",
			})
			b := s.finished(value(call[api.StartBuildOutput](s, "StartBuild", &api.StartBuildInput{ProjectName: "app"}).Build.ID))
			if c.message == "" {
				if b.BuildStatus != api.StatusTypeSucceeded || value(b.ResolvedSourceVersion) != commit {
					t.Errorf("the build is %s at %q, want SUCCEEDED at %s: %s", b.BuildStatus, value(b.ResolvedSourceVersion), commit, messages(b))
				}
				return
			}
			if got := messages(b); b.BuildStatus != api.StatusTypeFailed || !strings.Contains(got, c.message) {
				t.Errorf("the build is %s: %q, want FAILED: %q", b.BuildStatus, got, c.message)
			}
		})
	}
}
