package checkup

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/source"
	"slipway/internal/source/github"
	"slipway/internal/source/rest"
)

// branching is a bench whose provider lists branches, and its URL of team/app.
func branching(t *testing.T) (b *bench, url string) {
	b = newBench(t, Options{})
	b.parts.Providers[api.ServerTypeGithubEnterprise] = github.New(rest.Options{})
	if err := b.provider.CreateRepository("team", "app", true); err != nil {
		t.Fatal(err)
	}
	return b, b.provider.CloneURL("team", "app")
}

func (b *bench) commit(branch string) string {
	b.t.Helper()
	id, err := b.provider.Commit("team", "app", branch, map[string]string{"a": branch}, "one")
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func TestBranchesAreReadByTheCredentialThatServes(t *testing.T) {
	b, url := branching(t)
	main, zed, first := b.commit("main"), b.commit("zed"), b.commit("a/first")
	in := &slipway.ListBranchesInput{RepositoryURL: url, ServerType: slipway.ServerTypeGithubEnterprise}

	if _, _, err := b.Branches(t.Context(), scope, in); fault.KindOf(err) != fault.Provider {
		t.Errorf("a private repository without a credential: %v, want a provider's refusal", err)
	}
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	if _, _, err := b.Branches(t.Context(), scope, in); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "was not sent there") {
		t.Errorf("a token that nobody has bound: %v, want Invalid", err)
	}
	b.project("app", strings.TrimSuffix(url, ".git"), false)
	want := fmt.Sprint([]slipway.Branch{{Name: "main", CommitID: main}, {Name: "a/first", CommitID: first}, {Name: "zed", CommitID: zed}})
	for _, name := range []string{"", a.ARN, "GITHUB_ENTERPRISE"} {
		in.Credential = name
		byDefault, all, err := b.Branches(t.Context(), scope, in)
		if err != nil || byDefault != "main" || fmt.Sprint(all) != want {
			t.Errorf("by %q: Branches = %q, %v, %v, want %s", name, byDefault, all, err, want)
		}
	}
	in.ServerType, in.Credential = "", ""
	if _, all, err := b.Branches(t.Context(), scope, in); err != nil || len(all) != 3 {
		t.Errorf("of a host that is known: %v, %v", all, err)
	}
}

func TestBranchesRefuse(t *testing.T) {
	b, url := branching(t)
	b.commit("main")
	a := b.imports(api.ServerTypeGithubEnterprise, good, nil)
	b.project("app", strings.TrimSuffix(url, ".git"), false)
	elsewhere, sent := b.stranger()
	for _, c := range []struct {
		name string
		in   slipway.ListBranchesInput
		kind fault.Kind
		want string
	}{
		{"no URL", slipway.ListBranchesInput{RepositoryURL: "ghp_secretsecret"}, fault.Invalid, "A repositoryUrl must be the URL of a repository"},
		{"an unknown host", slipway.ListBranchesInput{RepositoryURL: "https://git.invalid/o/r"}, fault.Invalid, "give the server type"},
		{"an unknown type", slipway.ListBranchesInput{RepositoryURL: url, ServerType: "SVN"}, fault.Invalid, "Invalid ServerType provided"},
		{"no such credential", slipway.ListBranchesInput{RepositoryURL: url, Credential: "other"}, fault.NotFound, ""},
		{"a credential of another type", slipway.ListBranchesInput{RepositoryURL: url, Credential: a.ARN, ServerType: "GITHUB"}, fault.Invalid, "is for GITHUB_ENTERPRISE and not for GITHUB"},
		{"another host", slipway.ListBranchesInput{RepositoryURL: elsewhere + "/o/r", ServerType: "GITHUB_ENTERPRISE"}, fault.Invalid, ""},
		{"another host by name", slipway.ListBranchesInput{RepositoryURL: elsewhere + "/o/r", Credential: a.ARN}, fault.Invalid, "was not sent there"},
		{"no such repository", slipway.ListBranchesInput{RepositoryURL: strings.Replace(url, "app", "none", 1), Credential: a.ARN}, fault.Provider, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := b.Branches(t.Context(), scope, &c.in)
			if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.want) || strings.Contains(fmt.Sprint(err), "ghp_") {
				t.Errorf("Branches = %v, want kind %d: %s", err, c.kind, c.want)
			}
		})
	}
	if n := sent.Load(); n != 0 {
		t.Errorf("the token was sent %d times to another host", n)
	}
}

// many is a provider with more branches than are listed.
type many struct{ asker }

func (many) Branches(context.Context, source.Repository, source.Login) (string, map[string]string, error) {
	all := map[string]string{"main": "m"}
	for i := range maxBranches {
		all[fmt.Sprintf("a%04d", i)] = "a"
	}
	return "main", all, nil
}

func TestBranchesAreBounded(t *testing.T) {
	b := newBench(t, Options{})
	b.parts.Providers[api.ServerTypeGithub] = many{}
	byDefault, all, err := b.Branches(t.Context(), scope, &slipway.ListBranchesInput{RepositoryURL: "https://github.com/o/r"})
	if err != nil || byDefault != "main" || len(all) != maxBranches || all[0].Name != "main" || all[1].Name != "a0000" {
		t.Errorf("Branches = %q, %d branches, %v", byDefault, len(all), err)
	}
}
