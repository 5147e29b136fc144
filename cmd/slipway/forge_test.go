package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
)

// A forge is a provider of one server type with a private repository and a
// token that may do everything there, and a server that it reaches.
type forge struct {
	*sourcetest.Server
	server      *serverProcess
	serverType  api.ServerType
	owner, name string // of the repository
	location    string // of the repository, as a project says it
	login       string // the token's owner, who is an administrator
}

// forges are the five server types, each with a token as its users have it.
var forges = []struct {
	serverType api.ServerType
	owner      string
	cloud      string // where its location is, if it is not where the provider listens
	token      sourcetest.Token
	auth       api.AuthType
	username   string
}{
	{serverType: "GITHUB", owner: "octo", cloud: "https://github.com", token: sourcetest.Token{Value: "ghp_ForgeForgeForgeForgeForgeForgeForge01", Scopes: []string{"repo"}}},
	{serverType: "GITHUB_ENTERPRISE", owner: "octo", token: sourcetest.Token{Value: "github_pat_ForgeForgeForgeForge_02", Owner: "octo",
		Permissions: map[string]string{"contents": "read", "statuses": "write", "repository_hooks": "write", "pull_requests": "read"}}},
	{serverType: "BITBUCKET", owner: "octo", cloud: "https://bitbucket.org", auth: "BASIC_AUTH", username: "mona@example.com",
		token: sourcetest.Token{Value: "ATATT3xFfGF0ForgeForge03", Email: "mona@example.com", Scopes: []string{
			"read:user:bitbucket", "read:workspace:bitbucket", "read:repository:bitbucket", "read:pullrequest:bitbucket",
			"read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket",
		}}},
	{serverType: "GITLAB", owner: "octo/kitchen", cloud: "https://gitlab.com", token: sourcetest.Token{Value: "glpat-ForgeForgeForgeForge04", Scopes: []string{"api"}}},
	{serverType: "GITLAB_SELF_MANAGED", owner: "octo/kitchen", token: sourcetest.Token{Value: "glpat-ForgeForgeForgeForge05", Scopes: []string{"api"}}},
}

// eachForge runs a test against every server type: a server is started with
// args, its provider's token imported, and a project app made. If it is
// reachable, the provider can deliver to it.
func eachForge(t *testing.T, reachable bool, args []string, test func(t *testing.T, f *forge)) {
	for _, kind := range forges {
		t.Run(string(kind.serverType), func(t *testing.T) {
			t.Parallel()
			at, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Server: kind.serverType})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { at.Close() })
			url, err := at.Start("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			f := &forge{Server: at, serverType: kind.serverType, owner: kind.owner, name: "recipes", login: "mona"}
			f.location = at.CloneURL(f.owner, f.name)
			all := append([]string{}, args...)
			if reachable {
				address := freeAddress(t)
				all = append(all, "--listen", address, "--public-url", "http://"+address)
			}
			if kind.cloud != "" {
				f.location = kind.cloud + "/" + f.owner + "/" + f.name + ".git"
				all = append(all, "--source-endpoint", string(kind.serverType)+"="+url)
			}
			token := kind.token
			token.Login = f.login
			at.AddToken(token)
			if err := at.CreateRepository(f.owner, f.name, true); err != nil {
				t.Fatal(err)
			}
			at.SetRole(f.owner, f.name, f.login, "admin")
			f.commit(t, "main", "Start")
			f.server = serve(t, all...)
			auth := kind.auth
			if auth == "" {
				auth = api.AuthTypePersonalAccessToken
			}
			in := map[string]string{"serverType": string(kind.serverType), "authType": string(auth), "token": token.Value}
			if kind.username != "" {
				in["username"] = kind.username
			}
			call[api.ImportSourceCredentialsOutput](f.server, "ImportSourceCredentials", in)
			f.project(t, "app")
			test(t, f)
		})
	}
}

// project makes a project on the repository.
func (f *forge) project(t *testing.T, name string) {
	t.Helper()
	call[api.CreateProjectOutput](f.server, "CreateProject", &api.CreateProjectInput{
		Name:        name,
		Source:      &api.ProjectSource{Type: api.SourceType(f.serverType), Location: &f.location},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
}

// forgeSpec prints what a webhook build is told, on one line.
const forgeSpec = `version: 0.2
phases:
  build:
    commands:
      - echo "told $CODEBUILD_WEBHOOK_EVENT $CODEBUILD_WEBHOOK_TRIGGER $CODEBUILD_WEBHOOK_HEAD_REF ${CODEBUILD_WEBHOOK_BASE_REF:--} at $(git rev-parse HEAD)"
`

// commit adds to a branch without anybody being told.
func (f *forge) commit(t *testing.T, branch, message string) string {
	t.Helper()
	sha, err := f.Commit(f.owner, f.name, branch, map[string]string{"buildspec.yml": forgeSpec, "recipe.txt": message + "\n"}, message)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// push pushes as the token's owner, and the provider tells.
func (f *forge) push(t *testing.T, branch, message string) string {
	t.Helper()
	sha, err := f.Push(f.owner, f.name, branch, map[string]string{"buildspec.yml": forgeSpec, "recipe.txt": message + "\n"}, message, f.login)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// open opens a pull request of a branch of the repository and tells of it.
func (f *forge) open(t *testing.T, branch, author string) int {
	t.Helper()
	n, err := f.OpenPullRequest(f.owner, f.name, sourcetest.PullRequest{Title: "Change " + branch, Author: author, HeadBranch: branch, BaseBranch: "main"})
	if err == nil {
		err = f.DeliverPullRequest(f.owner, f.name, n, "opened", author)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fullName is the repository as sourcetest's targets name it.
func (f *forge) fullName() string { return f.owner + "/" + f.name }

// settled waits until no delivery waits for evaluation and returns them all,
// newest first.
func (f *forge) settled(t *testing.T) []slipway.WebhookDeliverySummary {
	t.Helper()
	var out slipway.ListWebhookDeliveriesOutput
	f.wait(t, "evaluates its deliveries", func() bool {
		out = slipway.ListWebhookDeliveriesOutput{}
		if err := f.server.client.Call(t.Context(), slipway.Definition, "ListWebhookDeliveries", &slipway.ListWebhookDeliveriesInput{}, &out); err != nil {
			t.Fatal(err)
		}
		for _, d := range out.Deliveries {
			if d.State == slipway.DeliveryStatePending {
				return false
			}
		}
		return true
	})
	return out.Deliveries
}

// verdict returns what the newest delivery came to for a project.
func (f *forge) verdict(t *testing.T, project string) slipway.ProjectVerdict {
	t.Helper()
	all := f.settled(t)
	if len(all) == 0 {
		t.Fatal("nothing was delivered")
	}
	return f.verdictOf(t, all[0].ID, project)
}

func (f *forge) verdictOf(t *testing.T, id, project string) slipway.ProjectVerdict {
	t.Helper()
	var out slipway.DescribeWebhookDeliveryOutput
	if err := f.server.client.Call(t.Context(), slipway.Definition, "DescribeWebhookDelivery", &slipway.DescribeWebhookDeliveryInput{ID: id}, &out); err != nil {
		t.Fatal(err)
	}
	for _, v := range out.Verdicts {
		if v.ProjectName == project {
			return v
		}
	}
	t.Fatalf("delivery %s (%s) has no verdict for %s: %s", id, out.Delivery.Event, project, out.Delivery.Note)
	return slipway.ProjectVerdict{}
}

// builds waits until a project has as many builds, all of them ended, and
// returns them in order.
func (f *forge) builds(t *testing.T, project string, n int) []api.Build {
	t.Helper()
	var ids []string
	f.wait(t, fmt.Sprintf("has %d builds of %s", n, project), func() bool {
		ids = call[api.ListBuildsForProjectOutput](f.server, "ListBuildsForProject", &api.ListBuildsForProjectInput{ProjectName: project, SortOrder: api.SortOrderTypeAscending}).IDs
		return len(ids) >= n
	})
	if len(ids) > n {
		t.Errorf("there are %d builds of %s, want %d", len(ids), project, n)
	}
	var all []api.Build
	for _, id := range ids {
		all = append(all, f.server.finished(id))
	}
	return all
}

// wait polls until the server does what is wanted.
func (f *forge) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("a minute later nobody %s; the newest delivery: %s", what, f.server.command("webhook", "explain", f.newest()))
		case <-poll.C:
		}
	}
}

// newest returns the name of the newest delivery, for messages.
func (f *forge) newest() string {
	var out slipway.ListWebhookDeliveriesOutput
	err := f.server.client.Call(f.server.t.Context(), slipway.Definition, "ListWebhookDeliveries", &slipway.ListWebhookDeliveriesInput{}, &out)
	if err != nil || len(out.Deliveries) == 0 {
		return "d-1"
	}
	return out.Deliveries[0].ID
}

// told returns the line of a build's log that forgeSpec prints.
func (f *forge) told(t *testing.T, b api.Build) string {
	t.Helper()
	for line := range strings.Lines(f.server.log(b)) {
		if strings.HasPrefix(line, "told ") {
			return strings.TrimSpace(line)
		}
	}
	t.Errorf("the build printed nothing of its webhook:\n%s", f.server.log(b))
	return ""
}

// heard waits until the provider's newest status of a commit begins so, in
// whatever case the provider writes it.
func (f *forge) heard(t *testing.T, commit, state string) {
	t.Helper()
	f.wait(t, "reported "+state+" of "+commit, func() bool {
		newest := ""
		for _, s := range f.Statuses(f.owner, f.name, commit) {
			newest = s.State
		}
		return strings.HasPrefix(strings.ToLower(newest), state)
	})
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
