package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"slipway/internal/secret"
	"slipway/internal/solo"
	"slipway/internal/vault/awsvault"
	"slipway/internal/vault/desk"
)

// awsTime is how long looking for AWS credentials may take: those of a profile
// may have to be asked for.
const awsTime = 30 * time.Second

// awsKeys are the variables of credentials, which the log must not show.
const (
	awsKeyID   = "AWS_ACCESS_KEY_ID"
	awsKey     = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // a name
	awsSession = "AWS_SESSION_TOKEN"     //nolint:gosec // a name
)

// awsHere are variables that mean something on this machine only: what they
// name is not in the build, and what it holds is given as keys.
var awsHere = []string{
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_PAGER", "AWS_SECURITY_TOKEN",
}

// An awsGiven is what a build gets of the AWS configuration here.
type awsGiven struct {
	variables [][2]string
	secrets   []solo.Secret
	vault     solo.Vault // asks AWS for parameters and secrets
}

// aws reads the AWS configuration of this shell, as AWS's own clients do. The
// build gets keys rather than files and profiles, which works in a container,
// too, and for profiles that take on a role or sign in.
func (o *runOptions) aws(ctx context.Context) (awsGiven, error) {
	var given awsGiven
	if !o.awsConfig {
		if o.awsProfile != "" {
			return given, usagef("--profile %s is of no use without --aws-config", o.awsProfile)
		}
		return given, nil
	}
	load := func(ctx context.Context) (aws.Config, error) {
		return config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(o.awsProfile))
	}
	ctx, cancel := context.WithTimeout(ctx, awsTime)
	defer cancel()
	cfg, err := load(ctx)
	if err != nil {
		return given, fmt.Errorf("--aws-config: %w", err)
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return given, fmt.Errorf("--aws-config: there are no AWS credentials here: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile: %w", err)
	}
	given.secrets = []solo.Secret{{Name: awsKey, Value: secret.New(keys.SecretAccessKey)}}
	if keys.SessionToken != "" {
		given.secrets = append(given.secrets, solo.Secret{Name: awsSession, Value: secret.New(keys.SessionToken)})
	}
	given.variables = [][2]string{{awsKeyID, keys.AccessKeyID}}
	if cfg.Region != "" {
		given.variables = append(given.variables, [2]string{"AWS_REGION", cfg.Region}, [2]string{"AWS_DEFAULT_REGION", cfg.Region})
	}
	taken := append([]string{awsKeyID, awsKey, awsSession, "AWS_REGION", "AWS_DEFAULT_REGION"}, awsHere...)
	for _, text := range os.Environ() {
		name, value, _ := strings.Cut(text, "=")
		if strings.HasPrefix(name, "AWS_") && !slices.Contains(taken, name) {
			given.variables = append(given.variables, [2]string{name, value})
		}
	}
	given.vault = desk.New(awsvault.New(load))
	return given, nil
}
