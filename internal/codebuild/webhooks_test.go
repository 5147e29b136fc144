package codebuild

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/smithy-go"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/awsjson"
	"slipway/internal/registrar"
	"slipway/internal/registrar/hooktest"
)

// client returns the real SDK's client of the bench.
func (b *bench) client(t *testing.T) *sdk.Client {
	server := httptest.NewServer(awsjson.NewServer(awsjson.Options{AcceptAny: true, Default: accesskey.Caller{Scope: west}},
		awsjson.Service{Definition: api.CodeBuild, Implementation: b.Service}))
	t.Cleanup(server.Close)
	return sdk.NewFromConfig(aws.Config{
		Region: west.Region, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
}

// hooked is a bench with the project demo, whose provider makes webhooks.
func hooked(t *testing.T) (*bench, *hooktest.Server, *sdk.Client) {
	t.Helper()
	b, site := newBench(t), hooktest.Start(t)
	site.AddToken("ghp_1", hooktest.Access{Hooks: true})
	b.reach(t, site, registrar.Options{PublicURL: "https://ci.example.com"})
	for _, server := range []api.ServerType{"GITHUB", "GITHUB_ENTERPRISE"} {
		if _, err := b.ImportSourceCredentials(callerIn(t, west), token(server, "ghp_1")); err != nil {
			t.Fatal(err)
		}
	}
	b.create(t, demo("demo"))
	return b, site, b.client(t)
}

func TestWebhooksThroughSDK(t *testing.T) {
	b, site, client := hooked(t)
	ctx := t.Context()
	filters := [][]types.WebhookFilter{{
		{Type: types.WebhookFilterTypeEvent, Pattern: aws.String("PUSH")},
		{Type: types.WebhookFilterTypeHeadRef, Pattern: aws.String("^refs/heads/main$"), ExcludeMatchedPattern: aws.Bool(true)},
	}}
	made, err := client.CreateWebhook(ctx, &sdk.CreateWebhookInput{ProjectName: aws.String("demo"), FilterGroups: filters, BuildType: types.WebhookBuildTypeBuildBatch})
	if err != nil {
		t.Fatal(err)
	}
	w := made.Webhook
	if w.Secret != nil || w.Url == nil || !strings.HasPrefix(aws.ToString(w.PayloadUrl), "https://ci.example.com/webhooks?t=") || w.BuildType != types.WebhookBuildTypeBuildBatch ||
		w.Status != types.WebhookStatusActive || !aws.ToTime(w.LastModifiedSecret).Equal(b.now) {
		t.Errorf("CreateWebhook answers %+v", w)
	}
	if f := w.FilterGroups[0]; len(f) != 2 || f[0].ExcludeMatchedPattern == nil || *f[0].ExcludeMatchedPattern || !*f[1].ExcludeMatchedPattern {
		t.Errorf("its filters are %+v: every filter carries excludeMatchedPattern", f)
	}
	if w.PullRequestBuildPolicy.RequiresCommentApproval != types.PullRequestBuildCommentApprovalAllPullRequests || len(w.PullRequestBuildPolicy.ApproverRoles) == 0 {
		t.Errorf("its policy is %+v", w.PullRequestBuildPolicy)
	}
	var exists *types.ResourceAlreadyExistsException
	if _, err := client.CreateWebhook(ctx, &sdk.CreateWebhookInput{ProjectName: aws.String("demo")}); !errors.As(err, &exists) {
		t.Errorf("a second CreateWebhook: %v, want ResourceAlreadyExistsException", err)
	}
	read, err := client.BatchGetProjects(ctx, &sdk.BatchGetProjectsInput{Names: []string{"demo"}})
	if err != nil || aws.ToString(read.Projects[0].Webhook.PayloadUrl) != aws.ToString(w.PayloadUrl) || read.Projects[0].Webhook.Secret != nil {
		t.Errorf("BatchGetProjects: %+v, %v", read, err)
	}

	// As Terraform updates.
	b.now = b.now.Add(time.Hour)
	changed, err := client.UpdateWebhook(ctx, &sdk.UpdateWebhookInput{ProjectName: aws.String("demo"), BranchFilter: aws.String(""), RotateSecret: false})
	if err != nil || changed.Webhook.FilterGroups != nil || changed.Webhook.BranchFilter != nil || changed.Webhook.BuildType != types.WebhookBuildTypeBuildBatch {
		t.Errorf("UpdateWebhook answers %+v, %v", changed, err)
	}
	rotated, err := client.UpdateWebhook(ctx, &sdk.UpdateWebhookInput{ProjectName: aws.String("demo"), RotateSecret: true})
	if err != nil || !aws.ToTime(rotated.Webhook.LastModifiedSecret).Equal(b.now) || rotated.Webhook.Secret != nil {
		t.Errorf("UpdateWebhook answers %+v, %v", rotated, err)
	}

	if _, err := client.DeleteWebhook(ctx, &sdk.DeleteWebhookInput{ProjectName: aws.String("demo")}); err != nil || len(site.Hooks("o/r")) != 0 {
		t.Errorf("DeleteWebhook: %v, the provider has %+v", err, site.Hooks("o/r"))
	}
	var missing *types.ResourceNotFoundException
	for name, call := range map[string]func() error{
		"DeleteWebhook without one": func() error {
			_, err := client.DeleteWebhook(ctx, &sdk.DeleteWebhookInput{ProjectName: aws.String("demo")})
			return err
		},
		"UpdateWebhook without one": func() error {
			_, err := client.UpdateWebhook(ctx, &sdk.UpdateWebhookInput{ProjectName: aws.String("demo")})
			return err
		},
		"CreateWebhook of no project": func() error {
			_, err := client.CreateWebhook(ctx, &sdk.CreateWebhookInput{ProjectName: aws.String("none")})
			return err
		},
	} {
		if err := call(); !errors.As(err, &missing) {
			t.Errorf("%s: %v, want ResourceNotFoundException", name, err)
		}
	}
}

func TestWebhookFailuresThroughSDK(t *testing.T) {
	b, site, client := hooked(t)
	ctx := t.Context()
	create := func(change ...func(*sdk.CreateWebhookInput)) (*sdk.CreateWebhookOutput, error) {
		in := &sdk.CreateWebhookInput{ProjectName: aws.String("demo")}
		for _, c := range change {
			c(in)
		}
		return client.CreateWebhook(ctx, in)
	}
	site.AddToken("ghp_1", hooktest.Access{})
	var refused *types.OAuthProviderException
	if _, err := create(); !errors.As(err, &refused) || !strings.HasPrefix(refused.ErrorMessage(), "Failed to create webhook. Repository not found or permission denied. "+
		"Please make sure the source credentials associated with your project have the permission to create webhook. ") || !strings.Contains(refused.ErrorMessage(), "lacks the scope hooks") {
		t.Errorf("a token that may not: %v", err)
	}
	var failure smithy.APIError
	if _, err := create(func(in *sdk.CreateWebhookInput) { in.BranchFilter = aws.String("") }); !errors.As(err, &failure) || failure.ErrorCode() != "ValidationException" {
		t.Errorf("an empty branchFilter: %v, want ValidationException", err)
	}
	var invalid *types.InvalidInputException
	b.reach(t, site, registrar.Options{})
	client = b.client(t)
	if _, err := create(); !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), "--public-url") {
		t.Errorf("a server that nobody reaches: %v", err)
	}
	made, err := create(func(in *sdk.CreateWebhookInput) { in.ManualCreation = aws.Bool(true) })
	if err != nil || made.Webhook.Secret == nil || !aws.ToBool(made.Webhook.ManualCreation) || len(site.Hooks("o/r")) != 0 {
		t.Errorf("by hand: %+v, %v", made, err)
	}
}

func TestUpdateAndDeleteProjectTakeTheWebhookAlong(t *testing.T) {
	b, site, client := hooked(t)
	ctx := t.Context()
	if _, err := client.CreateWebhook(ctx, &sdk.CreateWebhookInput{ProjectName: aws.String("demo")}); err != nil {
		t.Fatal(err)
	}
	source := func(t types.SourceType, location string) *types.ProjectSource {
		return &types.ProjectSource{Type: t, Location: aws.String(location)}
	}
	var invalid *types.InvalidInputException
	if _, err := client.UpdateProject(ctx, &sdk.UpdateProjectInput{Name: aws.String("demo"), Source: source("S3", "bucket/key")}); !errors.As(err, &invalid) {
		t.Errorf("to a source without webhooks: %v, want InvalidInputException", err)
	}
	moved, err := client.UpdateProject(ctx, &sdk.UpdateProjectInput{Name: aws.String("demo"), Source: source("GITHUB", "https://github.com/o/new")})
	if err != nil {
		t.Fatal(err)
	}
	if fresh := site.Hooks("o/new"); len(fresh) != 1 || fresh[0].URL != aws.ToString(moved.Project.Webhook.PayloadUrl) || len(site.Hooks("o/r")) != 0 {
		t.Errorf("the new repository has %+v, the old %+v, the project %+v", fresh, site.Hooks("o/r"), moved.Project.Webhook)
	}
	if _, err := client.UpdateProject(ctx, &sdk.UpdateProjectInput{Name: aws.String("demo"), Description: aws.String("changed")}); err != nil || len(site.Hooks("o/new")) != 1 {
		t.Errorf("another change: %v, the provider has %+v", err, site.Hooks("o/new"))
	}
	if _, err := client.DeleteProject(ctx, &sdk.DeleteProjectInput{Name: aws.String("demo")}); err != nil || len(site.Hooks("o/new")) != 0 {
		t.Errorf("DeleteProject: %v, the provider has %+v", err, site.Hooks("o/new"))
	}
	if all, err := b.db.Hooks().All(ctx); err != nil || len(all) != 0 {
		t.Errorf("the store has %+v, %v", all, err)
	}
}
