package extension

import (
	"context"
	"strings"
	"testing"

	"slipway/internal/accesskey"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/fault"
)

// trunk is a repository with one branch, or with none.
type trunk struct{}

func (trunk) Branches(_ context.Context, in arn.Scope, r *slipway.ListBranchesInput) (string, []slipway.Branch, error) {
	switch {
	case in != scope:
		return "", nil, fault.New(fault.NotFound, "elsewhere")
	case r.RepositoryURL == "empty":
		return "", nil, nil
	}
	return "main", []slipway.Branch{{Name: "main", CommitID: "c"}}, nil
}

func TestListBranches(t *testing.T) {
	s := NewSources(trunk{})
	ctx := accesskey.WithCaller(t.Context(), accesskey.Caller{Scope: scope})
	if out, err := s.ListBranches(ctx, &slipway.ListBranchesInput{RepositoryURL: "r"}); err != nil || out.DefaultBranch != "main" || len(out.Branches) != 1 {
		t.Errorf("ListBranches = %+v, %v", out, err)
	}
	if out, err := s.ListBranches(ctx, &slipway.ListBranchesInput{RepositoryURL: "empty"}); err != nil || out.Branches == nil {
		t.Errorf("an empty repository: %+v, %v, want an empty list", out, err)
	}
	if _, err := s.ListBranches(t.Context(), &slipway.ListBranchesInput{RepositoryURL: "r"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another caller: %v", err)
	}
}

func TestListTokenKinds(t *testing.T) {
	s := NewSources(trunk{})
	for _, c := range []struct {
		server slipway.ServerType
		host   string
		want   string // the first link's beginning
	}{
		{"GITHUB", "", "https://github.com/settings/personal-access-tokens/new?name=Slipway&contents=read"},
		{"GITHUB", "https://GitHub.com/", "https://github.com/settings/"},
		{"GITHUB_ENTERPRISE", "", ""},
		{"GITHUB_ENTERPRISE", "https://ghe.example/", "https://ghe.example/settings/personal-access-tokens/new?"},
		{"GITLAB_SELF_MANAGED", "http://127.0.0.1:80/gitlab", "http://127.0.0.1:80/gitlab/-/user_settings/personal_access_tokens?name=slipway&scopes=api"},
		{"BITBUCKET", "", "https://id.atlassian.com/"},
	} {
		out, err := s.ListTokenKinds(t.Context(), &slipway.ListTokenKindsInput{ServerType: c.server, Host: c.host})
		if err != nil || len(out.Kinds) < 2 || !strings.HasPrefix(out.Kinds[0].Link, c.want) || c.want == "" && out.Kinds[0].Link != "" {
			t.Errorf("%s at %q: %+v, %v, want the link %s", c.server, c.host, out, err, c.want)
		}
	}
	for _, c := range []slipway.ListTokenKindsInput{
		{ServerType: "SVN"}, {ServerType: "GITHUB", Host: "ghe.example"}, {ServerType: "GITHUB_ENTERPRISE", Host: "javascript:alert(1)"}, {ServerType: "GITHUB_ENTERPRISE", Host: "a b"},
		{ServerType: "GITLAB_SELF_MANAGED", Host: "a.example/x?y=z"},
	} {
		if out, err := s.ListTokenKinds(t.Context(), &c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %+v, %v, want Invalid", c, out, err)
		}
	}
}
