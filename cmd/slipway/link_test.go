package main

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
)

// TestABuildsLink holds what builds and providers are told of where a build is
// looked at.
func TestABuildsLink(t *testing.T) {
	ghes := newProvider(t)
	ghes.commitFiles(t, map[string]string{"buildspec.yml": "version: 0.2\nphases:\n  build:\n    commands:\n      - echo \"look at <$CODEBUILD_BUILD_URL>\"\n"})
	for _, c := range []struct {
		name, public string
		config       *api.BuildStatusConfig
		printed      func(s *serverProcess, id string) string
		status       func(id string) string
	}{
		{"with a public URL", "https://ci.example.com", nil,
			func(_ *serverProcess, id string) string {
				return "https://ci.example.com/console/builds/" + url.QueryEscape(id)
			},
			func(id string) string { return "https://ci.example.com/console/builds/" + url.QueryEscape(id) }},
		{"with a public URL and a target of the project's own", "https://ci.example.com", &api.BuildStatusConfig{TargetURL: new("https://elsewhere.example/$CODEBUILD_BUILD_NUMBER")},
			func(_ *serverProcess, id string) string {
				return "https://ci.example.com/console/builds/" + url.QueryEscape(id)
			},
			func(string) string { return "https://elsewhere.example/1" }},
		{"without", "", nil,
			func(s *serverProcess, id string) string { return s.url + "/console/builds/" + url.QueryEscape(id) },
			func(string) string { return "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var args []string
			if c.public != "" {
				args = []string{"--public-url", c.public}
			}
			s := serve(t, args...)
			call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
			s.gitProject("app", ghes.cloneURL)
			if c.config != nil {
				location := ghes.cloneURL
				call[api.UpdateProjectOutput](s, "UpdateProject", &api.UpdateProjectInput{Name: "app", Source: &api.ProjectSource{
					Type: api.SourceTypeGithubEnterprise, Location: &location, ReportBuildStatus: new(true), BuildStatusConfig: c.config,
				}})
			}
			id := s.build("app")
			if log, want := s.log(s.finished(id)), "look at <"+c.printed(s, id)+">"; !strings.Contains(log, want) {
				t.Errorf("the build printed\n%s\nwant %s", log, want)
			}
			s.statuses(id) // until all is told
			all := ghes.Statuses("team", "recipes", ghes.commit)
			for _, told := range all[len(all)-2:] {
				if told.TargetURL != c.status(id) {
					t.Errorf("the status %s leads to %q, want %q", told.State, told.TargetURL, c.status(id))
				}
			}
		})
	}
}

func TestALinkNeedsAnAddressToGoTo(t *testing.T) {
	for _, c := range []struct {
		ip   string
		want string
	}{{"127.0.0.1", "http://here"}, {"::1", "http://here"}, {"0.0.0.0", ""}, {"::", ""}} {
		if got := ownURL(&net.TCPAddr{IP: net.ParseIP(c.ip), Port: 1}, "http://here"); got != c.want {
			t.Errorf("at %s: %q, want %q", c.ip, got, c.want)
		}
	}
}

// TestDrafts holds that what the console's forms ask is answered by the server.
func TestDrafts(t *testing.T) {
	ghes := newProvider(t)
	s := serve(t)
	call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
	s.gitProject("app", ghes.cloneURL)
	own := func(op string, in, out any) {
		t.Helper()
		if err := s.client.Call(t.Context(), slipway.Definition, op, in, out); err != nil {
			t.Fatalf("%s: %v", op, err)
		}
	}
	var lint slipway.LintBuildspecOutput
	own("LintBuildspec", &slipway.LintBuildspecInput{}, &lint)
	if len(lint.Findings) != 1 || lint.Findings[0].Level != slipway.LintLevelError {
		t.Errorf("of an empty buildspec: %+v", lint)
	}
	var checked slipway.CheckProjectOutput
	own("CheckProject", &slipway.CheckProjectInput{Request: `{"name": "app", "serviceRole": "x", "artifacts": {"type": "NO_ARTIFACTS"}, "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2\n"},
		"environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"}}`}, &checked)
	members := ""
	for _, f := range checked.Findings {
		members += string(f.Level) + " " + f.Member + ", "
	}
	if members != "ERROR serviceRole, ERROR name, WARNING source.buildspec, " {
		t.Errorf("of a project: %+v", checked)
	}
	var branches slipway.ListBranchesOutput
	own("ListBranches", &slipway.ListBranchesInput{RepositoryURL: ghes.cloneURL, ServerType: slipway.ServerTypeGithubEnterprise}, &branches)
	if branches.DefaultBranch != "main" || len(branches.Branches) != 1 || branches.Branches[0].CommitID != ghes.commit {
		t.Errorf("of a repository: %+v, want main at %s", branches, ghes.commit)
	}
	var kinds slipway.ListTokenKindsOutput
	own("ListTokenKinds", &slipway.ListTokenKindsInput{ServerType: slipway.ServerTypeBitbucket}, &kinds)
	if len(kinds.Kinds) < 2 {
		t.Errorf("of Bitbucket: %+v", kinds)
	}
	var preview slipway.PreviewWebhookOutput
	own("PreviewWebhook", &slipway.PreviewWebhookInput{ProjectName: "app", FilterGroups: [][]slipway.TestFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "main"}}}}, &preview)
	if len(preview.Warnings) != 1 {
		t.Errorf("of a webhook: %+v", preview)
	}
	var deliveries slipway.ListWebhookDeliveriesOutput
	own("ListWebhookDeliveries", &slipway.ListWebhookDeliveriesInput{BuildID: s.build("app")}, &deliveries)
	if len(deliveries.Deliveries) != 0 {
		t.Errorf("of a build that somebody started: %+v", deliveries)
	}
}
