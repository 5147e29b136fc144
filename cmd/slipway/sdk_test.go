package main

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/smithy-go"
)

// TestGuideThroughSDK is the guide's flow through aws-sdk-go-v2, with the typed
// errors that programs branch on.
func TestGuideThroughSDK(t *testing.T) {
	ghes := newProvider(t)
	s := serve(t)
	ctx := t.Context()
	config := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(s.url),
		Credentials:  credentials.NewStaticCredentialsProvider(s.client.Key.ID, s.client.Key.Secret.Reveal(), ""),
	}
	client := codebuild.NewFromConfig(config)

	imported, err := client.ImportSourceCredentials(ctx, &codebuild.ImportSourceCredentialsInput{
		ServerType: types.ServerTypeGithubEnterprise, AuthType: types.AuthTypePersonalAccessToken, Token: aws.String(ghes.token),
	})
	if err != nil {
		t.Fatal(err)
	}
	var exists *types.ResourceAlreadyExistsException
	if _, err := client.ImportSourceCredentials(ctx, &codebuild.ImportSourceCredentialsInput{
		ServerType: types.ServerTypeGithubEnterprise, AuthType: types.AuthTypePersonalAccessToken, Token: aws.String("x"), ShouldOverwrite: aws.Bool(false),
	}); !errors.As(err, &exists) {
		t.Errorf("importing again: %v, want ResourceAlreadyExistsException", err)
	}
	var invalid *types.InvalidInputException
	if _, err := client.ImportSourceCredentials(ctx, &codebuild.ImportSourceCredentialsInput{
		ServerType: types.ServerTypeGithub, AuthType: types.AuthTypeOauth, Token: aws.String("x"),
	}); !errors.As(err, &invalid) {
		t.Errorf("importing OAUTH: %v, want InvalidInputException", err)
	}
	list, err := client.ListSourceCredentials(ctx, &codebuild.ListSourceCredentialsInput{})
	if err != nil || len(list.SourceCredentialsInfos) != 1 || aws.ToString(list.SourceCredentialsInfos[0].Arn) != aws.ToString(imported.Arn) {
		t.Errorf("ListSourceCredentials: %+v, %v", list, err)
	}

	if _, err := client.CreateProject(ctx, &codebuild.CreateProjectInput{
		Name:        aws.String("app"),
		Source:      &types.ProjectSource{Type: types.SourceTypeGithubEnterprise, Location: aws.String(ghes.cloneURL)},
		Artifacts:   &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts},
		Environment: &types.ProjectEnvironment{Type: types.EnvironmentTypeLinuxContainer, Image: aws.String("local"), ComputeType: types.ComputeTypeBuildGeneral1Small},
		ServiceRole: aws.String("arn:aws:iam::000000000000:role/build"),
	}); err != nil {
		t.Fatal(err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := client.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("nothing")}); !errors.As(err, &missing) {
		t.Errorf("starting an unknown project: %v, want ResourceNotFoundException", err)
	}
	before := time.Now().Add(-time.Second)
	started, err := client.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("app"), SourceVersion: aws.String("main")})
	if err != nil {
		t.Fatal(err)
	}
	if at := aws.ToTime(started.Build.StartTime); at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("the build's startTime is %v", at)
	}
	if b := s.finished(aws.ToString(started.Build.Id)); b.BuildStatus != "SUCCEEDED" {
		t.Fatalf("the build ended %s: %+v", b.BuildStatus, b.Phases)
	}
	got, err := client.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{aws.ToString(started.Build.Id), "app:00000000-0000-0000-0000-000000000000"}})
	if err != nil || len(got.Builds) != 1 || len(got.BuildsNotFound) != 1 {
		t.Fatalf("BatchGetBuilds: %+v, %v", got, err)
	}
	logs := cloudwatchlogs.NewFromConfig(config)
	events, err := logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: got.Builds[0].Logs.GroupName, LogStreamName: got.Builds[0].Logs.StreamName, StartFromHead: aws.Bool(true),
	})
	if err != nil || len(events.Events) == 0 {
		t.Errorf("GetLogEvents: %+v, %v", events, err)
	}
	if _, err := client.DeleteSourceCredentials(ctx, &codebuild.DeleteSourceCredentialsInput{Arn: imported.Arn}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteSourceCredentials(ctx, &codebuild.DeleteSourceCredentialsInput{Arn: imported.Arn}); !errors.As(err, &missing) {
		t.Errorf("deleting it again: %v, want ResourceNotFoundException", err)
	}

	var failure smithy.APIError
	if _, err := client.ListFleets(ctx, &codebuild.ListFleetsInput{}); !errors.As(err, &failure) || failure.ErrorCode() != "NotImplementedException" {
		t.Errorf("an operation that is not built: %v, want NotImplementedException", err)
	}
	config.Credentials = credentials.NewStaticCredentialsProvider(s.client.Key.ID, "wrong", "")
	if _, err := codebuild.NewFromConfig(config).ListProjects(ctx, &codebuild.ListProjectsInput{}); !errors.As(err, &failure) || failure.ErrorCode() != "InvalidSignatureException" {
		t.Errorf("a wrong secret: %v, want InvalidSignatureException", err)
	}
	config.Credentials = credentials.NewStaticCredentialsProvider("AKIAUNKNOWNUNKNOWNXX", "wrong", "")
	if _, err := codebuild.NewFromConfig(config).ListProjects(ctx, &codebuild.ListProjectsInput{}); !errors.As(err, &failure) || failure.ErrorCode() != "UnrecognizedClientException" {
		t.Errorf("an unknown key: %v, want UnrecognizedClientException", err)
	}
}
