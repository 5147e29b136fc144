package codebuild

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

func demo(name string) *api.CreateProjectInput {
	return &api.CreateProjectInput{
		Name:        name,
		Source:      &api.ProjectSource{Type: "GITHUB", Location: new("https://github.com/o/r")},
		Artifacts:   &api.ProjectArtifacts{Type: "NO_ARTIFACTS"},
		Environment: &api.ProjectEnvironment{Type: "LINUX_CONTAINER", Image: "aws/codebuild/standard:7.0", ComputeType: "BUILD_GENERAL1_SMALL"},
		ServiceRole: "arn:aws:iam::123456789012:role/r",
	}
}

func (b *bench) create(t *testing.T, wanted *api.CreateProjectInput) *api.Project {
	t.Helper()
	out, err := b.CreateProject(callerIn(t, west), wanted)
	if err != nil {
		t.Fatal(err)
	}
	return out.Project
}

func (b *bench) get(t *testing.T, names ...string) *api.BatchGetProjectsOutput {
	t.Helper()
	out, err := b.BatchGetProjects(callerIn(t, west), &api.BatchGetProjectsInput{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAProjectIsReadAsItWasAnswered(t *testing.T) {
	b := newBench(t)
	created := b.create(t, demo("demo"))
	if got := b.get(t, "demo"); len(got.Projects) != 1 || !cmp.Equal(*created, got.Projects[0]) {
		t.Errorf("-created +read\n%s", cmp.Diff([]api.Project{*created}, got.Projects))
	}
	_, err := b.CreateProject(callerIn(t, west), demo("demo"))
	refused(t, err, fault.Exists, "Project already exists: arn:aws:codebuild:us-west-2:123456789012:project/demo")
}

// What Terraform and scripts do: read a project, change nothing, send it back.
func TestSendingBackWhatWasReadChangesNothing(t *testing.T) {
	b := newBench(t)
	b.create(t, demo("demo"))
	read := b.get(t, "demo").Projects[0]
	text, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	var back api.UpdateProjectInput
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"demo", west.Project("demo")} {
		b.now = b.now.Add(time.Minute)
		back.Name = name
		out, err := b.UpdateProject(callerIn(t, west), &back)
		if err != nil {
			t.Fatal(err)
		}
		want := read
		want.LastModified = api.At(b.now)
		if d := cmp.Diff(want, *out.Project); d != "" {
			t.Errorf("update %d: -want +got\n%s", i, d)
		}
		if d := cmp.Diff(*out.Project, b.get(t, "demo").Projects[0]); d != "" {
			t.Errorf("update %d: -answered +read\n%s", i, d)
		}
	}
}

func TestUpdateProjectRefuses(t *testing.T) {
	b := newBench(t)
	b.create(t, demo("demo"))
	before := b.get(t, "demo")
	for _, test := range []struct {
		name string
		in   api.UpdateProjectInput
		kind fault.Kind
		want string
	}{
		{"an unknown project", api.UpdateProjectInput{Name: "other"}, fault.NotFound, "Project cannot be found: arn:aws:codebuild:us-west-2:123456789012:project/other"},
		{"a project of another account", api.UpdateProjectInput{Name: "arn:aws:codebuild:us-west-2:210987654321:project/demo"}, fault.NotFound, "Project cannot be found: arn:aws:codebuild:us-west-2:210987654321:project/demo"},
		{"an endless name", api.UpdateProjectInput{Name: strings.Repeat("a", 300)}, fault.Invalid, "Project name length cannot be greater than 150 characters"},
		{"a wrong setting", api.UpdateProjectInput{Name: "demo", ServiceRole: new("x")}, fault.Invalid, "Invalid service role"},
		{"a badge on what is no repository", api.UpdateProjectInput{Name: "demo", Source: &api.ProjectSource{Type: "S3", Location: new("bucket/k")}, BadgeEnabled: new(true)}, fault.Invalid, "Build badges are not supported for S3 source"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := b.UpdateProject(callerIn(t, west), &test.in)
			refused(t, err, test.kind, test.want)
		})
	}
	if d := cmp.Diff(before, b.get(t, "demo")); d != "" {
		t.Errorf("what was refused changed the project: -before +after\n%s", d)
	}
}

func TestBatchGetProjectsTakesNamesAndARNs(t *testing.T) {
	b := newBench(t)
	b.create(t, demo("one"))
	b.create(t, demo("two"))
	const foreign = "arn:aws:codebuild:us-west-2:210987654321:project/one"
	out := b.get(t, "two", "none", foreign, west.Project("one"), "one", "none", "arn:aws:codebuild:eu-west-1:123456789012:project/one", "a\x00b", west.Build("one:1"))
	var names []string
	for _, p := range out.Projects {
		names = append(names, *p.Name)
	}
	if d := cmp.Diff([]string{"two", "one"}, names); d != "" {
		t.Errorf("projects: -want +got\n%s", d)
	}
	if d := cmp.Diff([]string{"none", foreign, "arn:aws:codebuild:eu-west-1:123456789012:project/one", "a\x00b", west.Build("one:1")}, out.ProjectsNotFound); d != "" {
		t.Errorf("projectsNotFound: -want +got\n%s", d)
	}
	if out := b.get(t, "none"); out.Projects == nil || len(out.Projects) != 0 {
		t.Errorf("projects = %v, want an empty list", out.Projects)
	}
}

func TestDeleteProject(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	for _, name := range []string{"demo", west.Project("demo")} {
		b.create(t, demo("demo"))
		for range 2 { // the second time there is none, which is fine
			if _, err := b.DeleteProject(ctx, &api.DeleteProjectInput{Name: name}); err != nil {
				t.Errorf("DeleteProject(%s) = %v", name, err)
			}
		}
		if out := b.get(t, "demo"); len(out.Projects) != 0 {
			t.Errorf("DeleteProject(%s) left it there", name)
		}
	}
	_, err := b.DeleteProject(ctx, &api.DeleteProjectInput{Name: "arn:aws:codebuild:us-west-2:210987654321:project/demo"})
	refused(t, err, fault.Invalid, "Invalid project: the arn is not that of a project in this account and Region")
	if _, err := b.DeleteProject(ctx, &api.DeleteProjectInput{Name: strings.Repeat("a", 300)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("DeleteProject of an endless name = %v, want Invalid", err)
	}
}

func TestListProjects(t *testing.T) {
	b, ctx := newBench(t), callerIn(t, west)
	const n = 205
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("p%03d", i))
	}
	for i := n - 1; i >= 0; i-- { // made in the other order
		b.now = b.now.Add(time.Second)
		b.create(t, demo(names[i]))
	}
	reversed := slices.Clone(names)
	slices.Reverse(reversed)
	b.now = b.now.Add(time.Second)
	if _, err := b.UpdateProject(ctx, &api.UpdateProjectInput{Name: "p200"}); err != nil {
		t.Fatal(err)
	}
	touched := append(slices.DeleteFunc(slices.Clone(reversed), func(s string) bool { return s == "p200" }), "p200")

	for _, test := range []struct {
		by    api.ProjectSortByType
		order api.SortOrderType
		want  []string
	}{
		{"", "", names}, {"NAME", "DESCENDING", reversed}, {"CREATED_TIME", "ASCENDING", reversed},
		{"CREATED_TIME", "DESCENDING", names}, {"LAST_MODIFIED_TIME", "", touched},
	} {
		t.Run(fmt.Sprintf("by %s %s", test.by, test.order), func(t *testing.T) {
			var got []string
			var sizes []int
			for next := (*string)(nil); len(sizes) == 0 || next != nil; {
				out, err := b.ListProjects(ctx, &api.ListProjectsInput{SortBy: test.by, SortOrder: test.order, NextToken: next})
				if err != nil {
					t.Fatal(err)
				}
				got, sizes, next = append(got, out.Projects...), append(sizes, len(out.Projects)), out.NextToken
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if d := cmp.Diff([]int{100, 100, 5}, sizes); d != "" {
				t.Errorf("page sizes: -want +got\n%s", d)
			}
		})
	}
	t.Run("a token is good for its own list only", func(t *testing.T) {
		out, err := b.ListProjects(ctx, &api.ListProjectsInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []*api.ListProjectsInput{
			{NextToken: out.NextToken, SortOrder: "DESCENDING"}, {NextToken: out.NextToken, SortBy: "CREATED_TIME"},
			{NextToken: new("p099")}, {NextToken: new("%%%")}, {NextToken: new(*out.NextToken + "A")},
		} {
			_, err := b.ListProjects(ctx, in)
			refused(t, err, fault.Invalid, "Invalid next token provided")
		}
	})
	t.Run("nothing is an empty list", func(t *testing.T) {
		out, err := b.ListProjects(callerIn(t, arn.Scope{Account: west.Account, Region: "eu-west-1"}), &api.ListProjectsInput{})
		if err != nil || out.Projects == nil || len(out.Projects) != 0 || out.NextToken != nil {
			t.Errorf("ListProjects = %+v, %v", out, err)
		}
	})
}

func TestOAuthNeedsACredential(t *testing.T) {
	const none = "No Access token found, please visit AWS CodeBuild console to connect to GitHub. " +
		"No source credential serves this repository: none for GITHUB is imported in account 123456789012, region us-west-2. " +
		"Import one with 'aws codebuild import-source-credentials --region us-west-2 --server-type GITHUB --auth-type PERSONAL_ACCESS_TOKEN --token TOKEN'."
	b, ctx := newBench(t), callerIn(t, west)
	oauth := demo("demo")
	oauth.Source.Auth = &api.SourceAuth{Type: "OAUTH"}
	_, err := b.CreateProject(ctx, oauth)
	refused(t, err, fault.Invalid, none)
	second := demo("demo")
	second.SecondarySources = []api.ProjectSource{{Type: "GITHUB", Location: new("https://github.com/o/r"), SourceIdentifier: new("s"), Auth: &api.SourceAuth{Type: "OAUTH"}}}
	_, err = b.CreateProject(ctx, second)
	refused(t, err, fault.Invalid, none)

	b.create(t, demo("public")) // without auth nobody needs one
	_, err = b.UpdateProject(ctx, &api.UpdateProjectInput{Name: "public", Source: oauth.Source})
	refused(t, err, fault.Invalid, none)

	b.named(t, &slipway.ImportCredentialInput{Name: "other", ServerType: "GITHUB", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("t"), Match: &slipway.CredentialMatch{Owner: "nobody"}})
	_, err = b.CreateProject(ctx, oauth)
	refused(t, err, fault.Invalid, none)
	b.named(t, &slipway.ImportCredentialInput{Name: "o", ServerType: "GITHUB", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("t"), Match: &slipway.CredentialMatch{Owner: "o"}})
	second.Source.Auth = nil
	second.Name = "second" // a named credential serves it
	b.create(t, second)

	if _, err := b.ImportSourceCredentials(ctx, token("GITHUB", "ghp_1")); err != nil {
		t.Fatal(err)
	}
	b.create(t, oauth)
	if _, err := b.UpdateProject(ctx, &api.UpdateProjectInput{Name: "public", Source: oauth.Source}); err != nil {
		t.Error(err)
	}
}
