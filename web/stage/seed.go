package main

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source/sourcetest"
)

const plainSpec = `version: 0.2
phases:
  build:
    commands:
      - echo "Stirring"
      - printf '\033[32mok\033[0m soup\n'
`

const failingSpec = `version: 0.2
env:
  variables:
    KITCHEN: downstairs
phases:
  pre_build:
    commands:
      - echo "Laying the table in the $KITCHEN kitchen"
  build:
    commands:
      - for i in 1 2 3; do echo "course $i"; done
      - printf '\033[31mFAIL\033[0m soup is too salty\n'; exit 3
  post_build:
    commands:
      - echo "Washing up"
`

const longSpec = `version: 0.2
phases:
  build:
    commands:
      - for i in $(seq 1 100000); do echo "still stirring $i"; sleep 0.5; done
`

// seed fills the server as it is after some weeks of use.
func (s *stage) seed(ctx context.Context) error {
	for _, kind := range kinds {
		in := &api.ImportSourceCredentialsInput{ServerType: kind.serverType, AuthType: api.AuthTypePersonalAccessToken, Token: secret.New(kind.token.Value)}
		if kind.username != "" {
			in.AuthType, in.Username = api.AuthTypeBasicAuth, &kind.username
		}
		if _, err := call[api.ImportSourceCredentialsOutput](ctx, s, "ImportSourceCredentials", in); err != nil {
			return err
		}
	}
	named := &slipway.ImportCredentialInput{
		Name: "website-only", ServerType: slipway.ServerTypeGithub, AuthType: slipway.AuthTypePersonalAccessToken,
		Token: secret.New("ghp_StageStageStageStageStageNobodyKnows"), Match: &slipway.CredentialMatch{Host: "github.com", Owner: "octo", Repository: "website"},
	}
	if err := s.client.Call(ctx, slipway.Definition, "ImportCredential", named, nil); err != nil {
		return err
	}
	for _, kind := range kinds {
		f := s.forges[string(kind.serverType)]
		name := map[api.ServerType]string{"GITHUB": "storefront", "GITHUB_ENTERPRISE": "recipes", "BITBUCKET": "menu", "GITLAB": "kitchen", "GITLAB_SELF_MANAGED": "cellar"}[kind.serverType]
		if err := s.project(ctx, name, &api.ProjectSource{Type: api.SourceType(kind.serverType), Location: &f.Location, ReportBuildStatus: new(true)}); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"soup": plainSpec, "salad": failingSpec, "stew": longSpec} {
		if err := s.project(ctx, name, &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: &text}); err != nil {
			return err
		}
	}
	if err := s.webhooks(ctx); err != nil {
		return err
	}
	if err := s.feast(ctx); err != nil {
		return err
	}
	for _, name := range []string{"soup", "salad", "soup", "soup", "salad", "stew"} {
		if _, err := s.start(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// webhooks registers hooks, and lets providers tell of what matches and what does not.
func (s *stage) webhooks(ctx context.Context) error {
	pushes := []api.WebhookFilter{{Type: api.WebhookFilterTypeEvent, Pattern: "PUSH"}, {Type: api.WebhookFilterTypeHeadRef, Pattern: "^refs/heads/main$"}}
	pulls := []api.WebhookFilter{{Type: api.WebhookFilterTypeEvent, Pattern: "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"}, {Type: api.WebhookFilterTypeBaseRef, Pattern: "main"}}
	for _, name := range []string{"storefront", "recipes", "kitchen"} {
		if _, err := call[api.CreateWebhookOutput](ctx, s, "CreateWebhook", &api.CreateWebhookInput{ProjectName: name, FilterGroups: [][]api.WebhookFilter{pushes, pulls}}); err != nil {
			return err
		}
	}
	for _, server := range []string{"GITHUB", "GITHUB_ENTERPRISE", "GITLAB"} {
		f := s.forges[server]
		for _, branch := range []string{"main", "feature/soup", "main"} {
			if _, err := f.at.Push(f.Owner, repository, branch, command{Message: "Season the " + branch}.files(), "Season the "+branch, login); err != nil {
				return err
			}
		}
		n, err := f.at.OpenPullRequest(f.Owner, repository, sourcetest.PullRequest{Title: "Soup of the day", Author: login, HeadBranch: "feature/soup", BaseBranch: "main"})
		if err != nil {
			return err
		}
		if err := f.at.DeliverPullRequest(f.Owner, repository, n, "opened", login); err != nil {
			return err
		}
	}
	return nil
}

// project makes a project that builds on this machine.
func (s *stage) project(ctx context.Context, name string, source *api.ProjectSource) error {
	_, err := call[api.CreateProjectOutput](ctx, s, "CreateProject", &api.CreateProjectInput{
		Name: name, Source: source,
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
	return err
}

// start starts a build and, unless it goes on for long, waits for its end.
func (s *stage) start(ctx context.Context, project string) (id string, err error) {
	out, err := call[api.StartBuildOutput](ctx, s, "StartBuild", &api.StartBuildInput{ProjectName: project})
	if err != nil || project == "stew" {
		return "", err
	}
	id = *out.Build.ID
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := call[api.BatchGetBuildsOutput](ctx, s, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{id}})
		if err != nil {
			return "", err
		}
		if len(got.Builds) != 1 {
			return "", fmt.Errorf("build %s is gone", id)
		}
		if done := got.Builds[0].BuildComplete; done != nil && *done {
			return id, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
