package main

import (
	"time"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// The repository that every provider has, and who owns its token.
const (
	repository = "recipes"
	login      = "mona"
)

// kinds are the providers, each with a token as its users have it.
var kinds = []struct {
	serverType api.ServerType
	owner      string
	cloud      string // where its location is, if it is not where the provider listens
	token      sourcetest.Token
	username   string
}{
	{serverType: "GITHUB", owner: "octo", cloud: "https://github.com", token: sourcetest.Token{Value: "ghp_StageStageStageStageStageStageStage01", Scopes: []string{"repo"}}},
	{serverType: "GITHUB_ENTERPRISE", owner: "octo", token: sourcetest.Token{Value: "github_pat_StageStageStageStage_02", Owner: "octo",
		Permissions: map[string]string{"contents": "read", "statuses": "write", "repository_hooks": "write", "pull_requests": "read"}, Expires: time.Now().AddDate(0, 0, 9)}},
	{serverType: "BITBUCKET", owner: "octo", cloud: "https://bitbucket.org", username: "mona@example.com",
		token: sourcetest.Token{Value: "ATATT3xFfGF0StageStage03", Email: "mona@example.com", Scopes: []string{
			"read:user:bitbucket", "read:workspace:bitbucket", "read:repository:bitbucket", "read:pullrequest:bitbucket",
			"read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket",
		}}},
	{serverType: "GITLAB", owner: "octo/kitchen", cloud: "https://gitlab.com", token: sourcetest.Token{Value: "glpat-StageStageStageStage04", Scopes: []string{"api"}, Expires: time.Now().AddDate(0, 6, 0)}},
	{serverType: "GITLAB_SELF_MANAGED", owner: "octo/kitchen", token: sourcetest.Token{Value: "glpat-StageStageStageStage05", Scopes: []string{"read_api"}}},
}

// spec is the buildspec of a new repository.
const spec = `version: 0.2
phases:
  build:
    commands:
      - echo "Building $CODEBUILD_SOURCE_VERSION"
      - cat recipe.txt
`

// open starts the providers, each with its repository and token.
func (s *stage) open() error {
	for _, kind := range kinds {
		at, err := sourcetest.New(sourcetest.Options{Dir: s.dir, Server: kind.serverType})
		if err != nil {
			return err
		}
		f := &forge{at: at, Owner: kind.owner, Token: kind.token.Value, Username: kind.username}
		s.forges[string(kind.serverType)] = f
		if f.URL, err = at.Start("127.0.0.1:0"); err != nil {
			return err
		}
		f.Location = at.CloneURL(kind.owner, repository)
		if kind.cloud != "" {
			f.Location = kind.cloud + "/" + kind.owner + "/" + repository + ".git"
			s.endpoints = append(s.endpoints, string(kind.serverType)+"="+f.URL)
		}
		token := kind.token
		token.Login = login
		at.AddToken(token)
		for _, name := range []string{repository, "menu", "website"} {
			if err := at.CreateRepository(kind.owner, name, true); err != nil {
				return err
			}
			at.SetRole(kind.owner, name, login, "admin")
			if _, err := at.Commit(kind.owner, name, "main", map[string]string{"buildspec.yml": spec, "recipe.txt": "Basil\n"}, "Write down the recipe"); err != nil {
				return err
			}
		}
		if _, err := at.Commit(kind.owner, repository, "feature/soup", map[string]string{"recipe.txt": "Soup\n"}, "Try soup"); err != nil {
			return err
		}
	}
	return nil
}
