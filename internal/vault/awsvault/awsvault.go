// Package awsvault gives out the values of parameters and secrets that are kept
// at AWS: in the Parameter Store and in Secrets Manager.
package awsvault

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"slipway/internal/arn"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

const (
	lookTime = 5 * time.Second  // to find AWS credentials, which an instance's metadata may hold
	callTime = 15 * time.Second // of one call, its tries included
	atOnce   = 10               // parameters in one call: AWS takes no more
)

// A Vault is a vault.Source that asks AWS as whoever the AWS credentials of this
// process are. It looks for them at its first call, in the usual places. Its
// methods may be called from several goroutines.
type Vault struct {
	load func(ctx context.Context) (aws.Config, error)

	mu     sync.Mutex // guards config
	config *aws.Config
}

var _ vault.Source = (*Vault)(nil)

// New returns a Vault. load returns the configuration to use; nil means the
// usual places: the environment, the shared files, the machine's role.
func New(load func(ctx context.Context) (aws.Config, error)) *Vault {
	if load == nil {
		load = func(ctx context.Context) (aws.Config, error) { return config.LoadDefaultConfig(ctx) }
	}
	return &Vault{load: load}
}

// Parameters returns the values of those of names that AWS has in scope's region.
func (v *Vault) Parameters(ctx context.Context, scope arn.Scope, names []string, _ vault.Use) (map[string]secret.Text, error) {
	cfg, err := v.configured(ctx)
	if err != nil {
		return nil, err
	}
	client := ssm.NewFromConfig(cfg, func(o *ssm.Options) { o.Region = scope.Region })
	found := map[string]secret.Text{}
	for rest := names; len(rest) > 0; {
		some := rest[:min(len(rest), atOnce)]
		rest = rest[len(some):]
		if err := ask(ctx, client, some, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// ask puts the values of those of names that AWS has into found.
func ask(ctx context.Context, client *ssm.Client, names []string, found map[string]secret.Text) error {
	calling, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	out, err := client.GetParameters(calling, &ssm.GetParametersInput{Names: names, WithDecryption: new(true)})
	if err != nil {
		return refusal(ctx, "The Parameter Store of AWS", err)
	}
	for _, p := range out.Parameters {
		selector := aws.ToString(p.Selector)
		for _, called := range []string{aws.ToString(p.Name) + selector, aws.ToString(p.ARN) + selector} {
			found[called] = secret.New(aws.ToString(p.Value))
		}
	}
	return nil
}

// Secret returns the text of a version of a secret, read in the region that its
// ARN names, or else in scope's.
func (v *Vault) Secret(ctx context.Context, scope arn.Scope, r vault.SecretReference, _ vault.Use) (secret.Text, error) {
	cfg, err := v.configured(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	region := scope.Region
	if a, ok := arn.Parse(r.ID); ok && a.Region != "" {
		region = a.Region
	}
	client := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) { o.Region = region })
	in := &secretsmanager.GetSecretValueInput{SecretId: &r.ID}
	if r.Stage != "" {
		in.VersionStage = &r.Stage
	}
	if r.Version != "" {
		in.VersionId = &r.Version
	}
	calling, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	out, err := client.GetSecretValue(calling, in)
	if err != nil {
		return secret.Text{}, refusal(ctx, "AWS Secrets Manager", err)
	}
	if out.SecretString == nil {
		return secret.Text{}, &vault.Refusal{Message: "The secret " + r.ID + " holds bytes and no text, which a variable cannot hold: store it as SecretString"}
	}
	return secret.New(*out.SecretString), nil
}

// configured returns the configuration, which is looked for until it was found
// with credentials in it.
func (v *Vault) configured(ctx context.Context) (aws.Config, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.config != nil {
		return *v.config, nil
	}
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cfg, err := v.load(looking)
	if err == nil && cfg.Credentials == nil {
		err = errors.New("none found")
	}
	if err == nil {
		_, err = cfg.Credentials.Retrieve(looking)
	}
	switch {
	case ctx.Err() != nil:
		return aws.Config{}, ctx.Err()
	case err != nil: // its text may name files
		return aws.Config{}, &vault.Refusal{Message: "The server has no AWS credentials with which to ask AWS: give it some, or keep the value here with 'slipway secret put'."}
	}
	v.config = &cfg
	return cfg, nil
}

// refusal is AWS's no in its own words, or what to do if AWS said nothing.
func refusal(ctx context.Context, service string, err error) error {
	if said, ok := errors.AsType[smithy.APIError](err); ok {
		return &vault.Refusal{Name: said.ErrorCode(), Message: said.ErrorMessage()}
	}
	if ctx.Err() != nil { // whoever asked has left
		return ctx.Err()
	}
	return &vault.Refusal{Message: service + " did not answer: check that the server reaches it, and try again."}
}
