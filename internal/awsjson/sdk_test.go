package awsjson

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"slipway/internal/accesskey"
	"slipway/internal/secret"
)

// config points the AWS SDK at r as the owner of key.
func (r running) config(key accesskey.Key) aws.Config {
	return aws.Config{
		Region:           "eu-west-1",
		BaseEndpoint:     aws.String(r.URL),
		HTTPClient:       r.Client(),
		RetryMaxAttempts: 1,
		Credentials:      credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), key.SessionToken.Reveal()),
	}
}

func TestTheSDKReadsAnswers(t *testing.T) {
	s := start(t, Options{})
	for _, key := range []accesskey.Key{alice, bob} {
		out, err := codebuild.NewFromConfig(s.config(key)).BatchGetProjects(t.Context(), &codebuild.BatchGetProjectsInput{Names: []string{"shop", "gone"}})
		if err != nil {
			t.Fatalf("BatchGetProjects as %s: %v", key.User, err)
		}
		if len(out.Projects) != 1 || len(out.ProjectsNotFound) != 1 || out.ProjectsNotFound[0] != "gone" {
			t.Fatalf("BatchGetProjects = %+v", out)
		}
		p := out.Projects[0]
		if *p.Arn != "arn:aws:codebuild:eu-west-1:123456789012:project/shop" || *p.Description != "<&>" || p.Created.UnixMilli() != 1472848787882 {
			t.Errorf("project = %s %q %v", *p.Arn, *p.Description, p.Created)
		}
	}
	if _, err := codebuild.NewFromConfig(s.config(alice)).DeleteProject(t.Context(), &codebuild.DeleteProjectInput{Name: aws.String("shop")}); err != nil {
		t.Errorf("DeleteProject: %v", err)
	}
	imported, err := codebuild.NewFromConfig(s.config(alice)).ImportSourceCredentials(t.Context(), &codebuild.ImportSourceCredentialsInput{
		AuthType: types.AuthTypePersonalAccessToken, ServerType: types.ServerTypeGithub, Token: aws.String(token),
	})
	if err != nil || !strings.HasSuffix(*imported.Arn, ":token/github") {
		t.Errorf("ImportSourceCredentials: %v", err)
	}
}

func TestTheSDKReadsLogs(t *testing.T) {
	s := start(t, Options{})
	client := cloudwatchlogs.NewFromConfig(s.config(alice))
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("there"), Limit: aws.Int32(10)}
	out, err := client.GetLogEvents(t.Context(), in)
	if err != nil || *out.NextForwardToken != "f/1" || out.Events == nil {
		t.Fatalf("GetLogEvents = %+v, %v", out, err)
	}
	in.LogStreamName = aws.String("elsewhere")
	_, err = client.GetLogEvents(t.Context(), in)
	if _, ok := errors.AsType[*logstypes.ResourceNotFoundException](err); !ok {
		t.Errorf("GetLogEvents of a missing stream: %v, want ResourceNotFoundException", err)
	}
	in.LogStreamName, in.Limit = aws.String("there"), nil
	_, err = client.GetLogEvents(t.Context(), in)
	if _, ok := errors.AsType[*logstypes.InvalidParameterException](err); !ok {
		t.Errorf("GetLogEvents of a fault of kind Invalid: %v, want InvalidParameterException", err)
	}
	in.Limit = aws.Int32(100_000)
	_, err = client.GetLogEvents(t.Context(), in)
	if e, ok := errors.AsType[*logstypes.InvalidParameterException](err); !ok || !strings.Contains(e.ErrorMessage(), "Member must have value less than or equal to 10000") {
		t.Errorf("GetLogEvents of a broken constraint: %v, want InvalidParameterException", err)
	}
}

func TestTheSDKReadsTypedErrors(t *testing.T) {
	client := codebuild.NewFromConfig(start(t, Options{}).config(alice))
	stop := func(id string) error {
		_, err := client.StopBuild(t.Context(), &codebuild.StopBuildInput{Id: aws.String(id)})
		return err
	}
	if e, ok := errors.AsType[*types.ResourceNotFoundException](stop("project:wrapped")); !ok || e.ErrorMessage() != "Build project:wrapped does not exist" {
		t.Errorf("NotFound is %v", e)
	}
	if e, ok := errors.AsType[*types.InvalidInputException](stop("project:invalid")); !ok || e.ErrorMessage() != "Invalid build ID" {
		t.Errorf("Invalid is %v", e)
	}
	// StopBuild declares no others, so that the SDK has no types for them here.
	for id, want := range map[string]string{
		"project:exists": "ResourceAlreadyExistsException: It exists", "project:limit": "AccountLimitExceededException: Too many",
		"project:provider": "OAuthProviderException: GitHub refused the token", "project:internal": "InternalFailure: internal failure",
	} {
		if e, ok := errors.AsType[smithy.APIError](stop(id)); !ok || e.ErrorCode()+": "+e.ErrorMessage() != want {
			t.Errorf("%s is %v, want %s", id, e, want)
		}
	}
	if err := stop("project:success"); err != nil {
		t.Errorf("success is %v", err)
	}
}

func TestTheSDKIsRefused(t *testing.T) {
	other := func(k accesskey.Key, change func(*accesskey.Key)) accesskey.Key {
		change(&k)
		return k
	}
	const unknown = "The security token included in the request is invalid."
	tests := []struct {
		name          string
		key           accesskey.Key
		ahead         time.Duration // of the server's clock
		json, query   string
		message, text string // text must be in the message
	}{
		{name: "a wrong secret", key: other(alice, func(k *accesskey.Key) { k.Secret = secret.New("x") }),
			json: "InvalidSignatureException", query: "SignatureDoesNotMatch", text: "does not match the signature you provided"},
		{name: "an unknown key", key: other(alice, func(k *accesskey.Key) { k.ID = "AKIANOBODY" }),
			json: "UnrecognizedClientException", query: "InvalidClientTokenId", message: unknown},
		{name: "a session without its token", key: other(bob, func(k *accesskey.Key) { k.SessionToken = secret.Text{} }),
			json: "UnrecognizedClientException", query: "InvalidClientTokenId", message: unknown},
		{name: "a session with another token", key: other(bob, func(k *accesskey.Key) { k.SessionToken = secret.New("x") }),
			json: "UnrecognizedClientException", query: "InvalidClientTokenId", message: unknown},
		{name: "a clock that is behind", key: alice, ahead: time.Hour,
			json: "InvalidSignatureException", query: "SignatureDoesNotMatch", text: "Signature expired: "},
		{name: "a clock that is ahead", key: alice, ahead: -time.Hour,
			json: "InvalidSignatureException", query: "SignatureDoesNotMatch", text: "Signature not yet current: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, Options{Now: func() time.Time { return time.Now().Add(test.ahead) }})
			_, err := codebuild.NewFromConfig(s.config(test.key)).ListProjects(t.Context(), nil)
			_, asked := sts.NewFromConfig(s.config(test.key)).GetCallerIdentity(t.Context(), nil)
			for name, err := range map[string]error{test.json: err, test.query: asked} {
				e, ok := errors.AsType[smithy.APIError](err)
				if !ok || e.ErrorCode() != name {
					t.Errorf("got %v, want %s", err, name)
				} else if m := e.ErrorMessage(); (test.message != "" && m != test.message) || !strings.Contains(m, test.text) {
					t.Errorf("message = %q", m)
				}
			}
			if log := s.log.String(); strings.Count(log, "request refused") != 2 || strings.Contains(log, test.key.Secret.Reveal()+"\"") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

func TestTheSDKLearnsWhoItIs(t *testing.T) {
	s := start(t, Options{})
	out, err := sts.NewFromConfig(s.config(bob)).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != "123456789012" || *out.Arn != "arn:aws:iam::123456789012:user/bob" || !strings.HasPrefix(*out.UserId, "AIDA") {
		t.Errorf("GetCallerIdentity = %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
	_, err = sts.NewFromConfig(s.config(bob)).GetSessionToken(t.Context(), nil)
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "InvalidAction" {
		t.Errorf("GetSessionToken: %v, want InvalidAction", err)
	}
}

func TestAnOperationThatIsNotBuiltSaysSo(t *testing.T) {
	s := start(t, Options{})
	_, err := codebuild.NewFromConfig(s.config(alice)).ListFleets(t.Context(), nil)
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != "NotImplementedException" || e.ErrorMessage() != "Slipway does not implement ListFleets yet." {
		t.Errorf("ListFleets: %v, want NotImplementedException", err)
	}
}

func TestAnyCredentialsAreAcceptedWhenToldSo(t *testing.T) {
	s := start(t, Options{AcceptAny: true, Default: accesskey.Caller{User: "carol"}})
	who, err := sts.NewFromConfig(s.config(accesskey.Key{ID: "testing", Secret: secret.New("testing")})).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != "arn:aws:iam::000000000000:user/carol" {
		t.Fatalf("GetCallerIdentity = %+v, %v", who, err)
	}
	for key, arn := range map[accesskey.Key]string{
		{ID: "testing", Secret: secret.New("x")}: "arn:aws:codebuild:eu-west-1:000000000000:project/shop",
		{}:                                       "arn:aws:codebuild:us-east-1:000000000000:project/shop",
	} {
		in := map[string]any{"names": []string{"shop"}}
		var out struct{ Projects []struct{ ARN string } }
		if err := s.client(key).Call(t.Context(), codeBuild, "BatchGetProjects", in, &out); err != nil || out.Projects[0].ARN != arn {
			t.Errorf("BatchGetProjects with key %q = %+v, %v; want %s", key.ID, out, err, arn)
		}
	}
}
