package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// TestParametersThroughTheCLI is what people do with the Parameter Store, with
// the AWS CLI as it is.
func TestParametersThroughTheCLI(t *testing.T) {
	for _, cli := range clis(t) {
		t.Run("AWS CLI "+cli.version, func(t *testing.T) {
			t.Parallel()
			sh := newShell(serve(t), cli)
			sh.write("value", "hunter22")
			text := func(args ...string) string {
				t.Helper()
				return strings.TrimSpace(sh.aws(append(args, "--output", "text")...))
			}
			fails := func(want string, args ...string) {
				t.Helper()
				if _, problem, ok := sh.try(args...); ok || !strings.Contains(problem, want) {
					t.Errorf("aws %s: ok=%v, want %s: %s", strings.Join(args, " "), ok, want, problem)
				}
			}
			put := []string{"ssm", "put-parameter", "--name", "/app/password", "--type", "SecureString", "--value", "file://value"}
			if got := text(append(put, "--tags", "Key=team,Value=shop", "--query", "[Version,Tier]")...); got != "1\tStandard" {
				t.Errorf("put-parameter answered %q", got)
			}
			fails("(ParameterAlreadyExists)", put...)
			if got := text(append(put, "--overwrite", "--query", "Version")...); got != "2" {
				t.Errorf("putting it over the first answered version %q", got)
			}
			sh.aws("ssm", "put-parameter", "--name", "/app/stages", "--type", "StringList", "--value", "test,prod")
			for want, args := range map[string][]string{
				"hunter22":                   {"ssm", "get-parameter", "--name", "/app/password", "--with-decryption", "--query", "Parameter.Value"},
				"1":                          {"ssm", "get-parameter", "--name", "/app/password:1", "--query", "Parameter.Version"},
				"test,prod\t/app/none":       {"ssm", "get-parameters", "--names", "/app/stages", "/app/none", "--query", "[Parameters[0].Value,InvalidParameters[0]]"},
				"/app/password\t/app/stages": {"ssm", "get-parameters-by-path", "--path", "/app", "--query", "Parameters[].Name"},
				"/app/stages":                {"ssm", "describe-parameters", "--parameter-filters", "Key=Type,Values=StringList", "--query", "Parameters[].Name"},
				"2":                          {"ssm", "get-parameter-history", "--name", "/app/password", "--query", "length(Parameters)"},
				"team\tshop":                 {"ssm", "list-tags-for-resource", "--resource-type", "Parameter", "--resource-id", "/app/password", "--query", "TagList[0].[Key,Value]"},
			} {
				if got := text(args...); got != want {
					t.Errorf("aws %s answered %q, want %q", strings.Join(args, " "), got, want)
				}
			}
			fails("(ParameterNotFound)", "ssm", "get-parameter", "--name", "/app/none")
			fails("(ParameterVersionNotFound)", "ssm", "get-parameter", "--name", "/app/password:9")
			fails("(ValidationException)", "ssm", "put-parameter", "--name", "app/password", "--type", "String", "--value", "x")
			fails("(ParameterPatternMismatchException)", "ssm", "put-parameter", "--name", "/n", "--type", "String", "--value", "x", "--allowed-pattern", `^\d+$`)
			sh.aws("ssm", "delete-parameters", "--names", "/app/password", "/app/stages")
			fails("(ParameterNotFound)", "ssm", "delete-parameter", "--name", "/app/password")
		})
	}
}

// TestSecretsThroughTheCLI is the same for Secrets Manager.
func TestSecretsThroughTheCLI(t *testing.T) {
	for _, cli := range clis(t) {
		t.Run("AWS CLI "+cli.version, func(t *testing.T) {
			t.Parallel()
			sh := newShell(serve(t), cli)
			sh.write("value.json", `{"password":"hunter22"}`)
			sh.write("bytes", "\x00\x01hunter23")
			text := func(args ...string) string {
				t.Helper()
				return strings.TrimSpace(sh.aws(append(args, "--output", "text")...))
			}
			fails := func(want string, args ...string) {
				t.Helper()
				if _, problem, ok := sh.try(args...); ok || !strings.Contains(problem, want) {
					t.Errorf("aws %s: ok=%v, want %s: %s", strings.Join(args, " "), ok, want, problem)
				}
			}
			arn := text("secretsmanager", "create-secret", "--name", "app/db", "--description", "the database", "--secret-string", "file://value.json", "--query", "ARN")
			if !strings.HasPrefix(arn, "arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-") {
				t.Errorf("create-secret answered %s", arn)
			}
			fails("(ResourceExistsException)", "secretsmanager", "create-secret", "--name", "app/db", "--secret-string", "x")
			if got := text("secretsmanager", "get-secret-value", "--secret-id", arn, "--query", "SecretString"); got != `{"password":"hunter22"}` {
				t.Errorf("get-secret-value answered %q", got)
			}
			sh.aws("secretsmanager", "put-secret-value", "--secret-id", "app/db", "--secret-binary", "fileb://bytes")
			sh.aws("secretsmanager", "tag-resource", "--secret-id", "app/db", "--tags", "Key=team,Value=shop")
			for want, args := range map[string][]string{
				"AAFodW50ZXIyMw==":         {"secretsmanager", "get-secret-value", "--secret-id", "app/db", "--query", "SecretBinary"},
				`{"password":"hunter22"}`:  {"secretsmanager", "get-secret-value", "--secret-id", "app/db", "--version-stage", "AWSPREVIOUS", "--query", "SecretString"},
				"the database\tteam\tshop": {"secretsmanager", "describe-secret", "--secret-id", "app/db", "--query", "[Description,Tags[0].Key,Tags[0].Value]"},
				"app/db":                   {"secretsmanager", "list-secrets", "--filters", "Key=tag-value,Values=shop", "--query", "SecretList[].Name"},
				"2":                        {"secretsmanager", "list-secret-version-ids", "--secret-id", "app/db", "--query", "length(Versions)"},
				"None":                     {"secretsmanager", "get-resource-policy", "--secret-id", "app/db", "--query", "ResourcePolicy"},
			} {
				if got := text(args...); got != want {
					t.Errorf("aws %s answered %q, want %q", strings.Join(args, " "), got, want)
				}
			}
			fails("(ResourceNotFoundException)", "secretsmanager", "get-secret-value", "--secret-id", "none")
			fails("(ValidationException)", "secretsmanager", "create-secret", "--name", "a b", "--secret-string", "x")
			fails("(InvalidParameterException)", "secretsmanager", "delete-secret", "--secret-id", "app/db", "--recovery-window-in-days", "3")
			sh.aws("secretsmanager", "delete-secret", "--secret-id", "app/db", "--recovery-window-in-days", "7")
			fails("(InvalidRequestException)", "secretsmanager", "get-secret-value", "--secret-id", "app/db")
			sh.aws("secretsmanager", "restore-secret", "--secret-id", "app/db")
			sh.aws("secretsmanager", "delete-secret", "--secret-id", "app/db", "--force-delete-without-recovery")
			fails("(ResourceNotFoundException)", "secretsmanager", "describe-secret", "--secret-id", "app/db")
		})
	}
}

// TestTypedErrorsOfTheVault holds what programs branch on, through the SDK.
func TestTypedErrorsOfTheVault(t *testing.T) {
	s, ctx := serve(t), t.Context()
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &s.url, Credentials: credentials.NewStaticCredentialsProvider(s.client.Key.ID, s.client.Key.Secret.Reveal(), "")}
	parameters, secrets := ssm.NewFromConfig(config), secretsmanager.NewFromConfig(config)

	put := &ssm.PutParameterInput{Name: aws.String("a"), Value: aws.String("v"), Type: ssmtypes.ParameterTypeString}
	if _, err := parameters.PutParameter(ctx, put); err != nil {
		t.Fatal(err)
	}
	_, err := parameters.PutParameter(ctx, put)
	if _, ok := errors.AsType[*ssmtypes.ParameterAlreadyExists](err); !ok {
		t.Errorf("PutParameter again: %v", err)
	}
	_, err = parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("none")})
	if _, ok := errors.AsType[*ssmtypes.ParameterNotFound](err); !ok {
		t.Errorf("GetParameter of none: %v", err)
	}
	_, err = parameters.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceType: "Parameter", ResourceId: aws.String("none")})
	if _, ok := errors.AsType[*ssmtypes.InvalidResourceId](err); !ok {
		t.Errorf("ListTagsForResource of none: %v", err)
	}
	for pages := ssm.NewDescribeParametersPaginator(parameters, &ssm.DescribeParametersInput{}); pages.HasMorePages(); {
		if page, err := pages.NextPage(ctx); err != nil || len(page.Parameters) != 1 {
			t.Fatalf("DescribeParameters: %+v, %v", page, err)
		}
	}

	create := secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("v")}
	for range 2 { // the client sends the token that it made again, as it does when it tries again
		if _, err := secrets.CreateSecret(ctx, &create); err != nil || create.ClientRequestToken == nil {
			t.Fatalf("CreateSecret with token %v: %v", create.ClientRequestToken, err)
		}
	}
	create.ClientRequestToken = nil
	_, err = secrets.CreateSecret(ctx, &create)
	if _, ok := errors.AsType[*smtypes.ResourceExistsException](err); !ok {
		t.Errorf("CreateSecret again: %v", err)
	}
	_, err = secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("none")})
	if missing, ok := errors.AsType[*smtypes.ResourceNotFoundException](err); !ok || missing.ErrorMessage() != "Secrets Manager can't find the specified secret." {
		t.Errorf("GetSecretValue of none: %v", err)
	}
	if _, err = secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	_, err = secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
	if _, ok := errors.AsType[*smtypes.InvalidRequestException](err); !ok {
		t.Errorf("GetSecretValue of a deleted one: %v", err)
	}
	_, err = secrets.ListSecrets(ctx, &secretsmanager.ListSecretsInput{NextToken: aws.String("x")})
	if _, ok := errors.AsType[*smtypes.InvalidNextTokenException](err); !ok {
		t.Errorf("ListSecrets with a wrong token: %v", err)
	}
}
