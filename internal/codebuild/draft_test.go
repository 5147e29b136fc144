package codebuild

import (
	"slices"
	"testing"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/project"
)

func TestFaultsOfACreateAreWhatItRefuses(t *testing.T) {
	b := newBench(t)
	b.create(t, demo("taken"))
	for _, c := range []struct {
		name   string
		change func(*api.CreateProjectInput)
		want   []string // members
	}{
		{"nothing is wrong", func(*api.CreateProjectInput) {}, nil},
		{"the name is taken", func(in *api.CreateProjectInput) { in.Name = "taken" }, []string{"name"}},
		{"no credential serves it", func(in *api.CreateProjectInput) { in.Source.Auth = &api.SourceAuth{Type: "OAUTH"} }, []string{"source.auth"}},
		{"several things", func(in *api.CreateProjectInput) {
			in.Name, in.ServiceRole, in.Environment.Image = "taken", "admin", ""
			in.SecondarySources = []api.ProjectSource{{Type: "GITHUB", Location: new("https://github.com/o/r"), SourceIdentifier: new("s"), Auth: &api.SourceAuth{Type: "OAUTH"}}}
		}, []string{"environment.image", "serviceRole", "secondarySources[0].auth", "name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := demo("new")
			c.change(in)
			all, err := b.CreateFaults(callerIn(t, west), in)
			if err != nil {
				t.Fatal(err)
			}
			members := membersOf(all)
			if !slices.Equal(members, c.want) {
				t.Errorf("members %q, want %q", members, c.want)
			}
			if got := b.get(t, "new"); len(got.Projects) != 0 {
				t.Error("a project was made")
			}
			switch _, err := b.CreateProject(callerIn(t, west), in); {
			case len(all) == 0 && err != nil:
				t.Errorf("CreateProject = %v, want none as foretold", err)
			case len(all) > 0 && fault.Message(err) != all[0].Message:
				t.Errorf("CreateProject = %v, want the first fault, %s", err, all[0].Message)
			}
			if _, err := b.DeleteProject(callerIn(t, west), &api.DeleteProjectInput{Name: "new"}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestFaultsOfAnUpdateAreWhatItRefuses(t *testing.T) {
	b := newBench(t)
	b.create(t, demo("demo"))
	before := b.get(t, "demo").Projects[0]
	for _, c := range []struct {
		name string
		in   *api.UpdateProjectInput
		want []string
	}{
		{"nothing is wrong", &api.UpdateProjectInput{Name: "demo", Description: new("d")}, nil},
		{"there is no such project", &api.UpdateProjectInput{Name: "other", ServiceRole: new("x")}, []string{"name"}},
		{"nor such a name", &api.UpdateProjectInput{Name: "!"}, []string{"name"}},
		{"nor one elsewhere", &api.UpdateProjectInput{Name: arn.Scope{Account: west.Account, Region: "eu-west-1"}.Project("demo")}, []string{"name"}},
		{"several things", &api.UpdateProjectInput{Name: west.Project("demo"), ServiceRole: new("x"), Source: &api.ProjectSource{Type: "GITHUB", Location: new("nowhere"), Auth: &api.SourceAuth{Type: "OAUTH"}}},
			[]string{"source.auth", "source.location", "serviceRole"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := b.UpdateFaults(callerIn(t, west), c.in)
			if err != nil {
				t.Fatal(err)
			}
			members := membersOf(all)
			if !slices.Equal(members, c.want) {
				t.Errorf("members %q, want %q", members, c.want)
			}
			if now := b.get(t, "demo").Projects[0]; now.LastModified != before.LastModified {
				t.Error("the project was changed")
			}
			if len(all) == 0 {
				return
			}
			if _, err := b.UpdateProject(callerIn(t, west), c.in); fault.Message(err) != all[0].Message {
				t.Errorf("UpdateProject = %v, want the first fault, %s", err, all[0].Message)
			}
		})
	}
}

func membersOf(all []project.Fault) []string {
	var members []string
	for _, f := range all {
		members = append(members, f.Member)
	}
	return members
}
