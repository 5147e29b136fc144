package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/logs"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
)

// A provider is a GitHub Enterprise Server with one private repository,
// team/recipes, and a token that may clone it and report statuses.
type provider struct {
	*sourcetest.Server
	token    string
	cloneURL string
	commit   string // head of main
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	server, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if _, err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p := &provider{Server: server, token: "ghp_C4n4ryT0ken7Zq1Xw3Er5Ty7Ui9Op1As3Df5"}
	server.AddToken(sourcetest.Token{Value: p.token, Login: "ada", Scopes: []string{"repo"}})
	if err := server.CreateRepository("team", "recipes", true); err != nil {
		t.Fatal(err)
	}
	p.cloneURL = server.CloneURL("team", "recipes")
	p.commitFiles(t, map[string]string{
		"secret.txt":    "the secret ingredient is basil\n",
		"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - cat secret.txt\n",
	})
	return p
}

func (p *provider) commitFiles(t *testing.T, files map[string]string) {
	t.Helper()
	commit, err := p.Commit("team", "recipes", "main", files, "Change the recipe")
	if err != nil {
		t.Fatal(err)
	}
	p.commit = commit
}

// heard returns what the provider was told of the head of main, in order.
func (p *provider) heard(t *testing.T) string {
	t.Helper()
	var all []string
	for _, s := range p.Statuses("team", "recipes", p.commit) {
		all = append(all, s.State+" "+s.Context+": "+s.Description)
	}
	return strings.Join(all, ", ")
}

// refuseStatuses makes the provider refuse every status from now on.
func (p *provider) refuseStatuses(t *testing.T) {
	t.Helper()
	p.FailNext("POST *statuses*", 403, `{"message":"Resource not accessible by personal access token","documentation_url":"https://docs.github.com/rest"}`, 1000)
}

// gitProject makes a project on a GitHub Enterprise Server repository.
func (s *serverProcess) gitProject(name, location string) {
	s.t.Helper()
	call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
		Name:        name,
		Source:      &api.ProjectSource{Type: api.SourceTypeGithubEnterprise, Location: &location, ReportBuildStatus: new(true)},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
}

// build starts a build of main and returns its id.
func (s *serverProcess) build(project string) string {
	s.t.Helper()
	out := call[api.StartBuildOutput](s, "StartBuild", &api.StartBuildInput{ProjectName: project, SourceVersion: new("main")})
	return value(out.Build.ID)
}

// log returns everything a build printed.
func (s *serverProcess) log(b api.Build) string {
	s.t.Helper()
	var text strings.Builder
	in := &logs.GetLogEventsRequest{LogGroupName: b.Logs.GroupName, LogStreamName: value(b.Logs.StreamName), StartFromHead: new(true)}
	for {
		var page logs.GetLogEventsResponse
		if err := s.client.Call(s.t.Context(), logs.Definition, "GetLogEvents", in, &page); err != nil {
			s.t.Fatalf("GetLogEvents: %v", err)
		}
		for _, e := range page.Events {
			text.WriteString(value(e.Message))
		}
		if value(page.NextForwardToken) == value(in.NextToken) {
			return text.String()
		}
		in.NextToken = page.NextForwardToken
	}
}

// statuses returns the commit statuses of a build once none is owed any more.
func (s *serverProcess) statuses(id string) string {
	s.t.Helper()
	var all []string
	s.until(id, "owes no commit status", func(api.Build) bool {
		var out slipway.ListCommitStatusesOutput
		if err := s.client.Call(s.t.Context(), slipway.Definition, "ListCommitStatuses", &slipway.ListCommitStatusesInput{BuildID: id}, &out); err != nil {
			s.t.Fatal(err)
		}
		all = nil
		for _, c := range out.CommitStatuses {
			if c.DeliveryStatus == slipway.DeliveryStatusOwed {
				return false
			}
			all = append(all, string(c.State)+" "+string(c.DeliveryStatus))
		}
		return len(all) > 0
	})
	return strings.Join(all, ", ")
}

// command runs a slipway command on the server's data folder.
func (s *serverProcess) command(args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(bin, "slipway"), append(args, "--data", s.data)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("slipway %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pid() string { return strconv.Itoa(os.Getpid()) }
