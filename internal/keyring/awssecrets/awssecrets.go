// Package awssecrets reads secrets of AWS Secrets Manager.
package awssecrets

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

const (
	lookTime = 5 * time.Second  // to find AWS credentials, which an instance's metadata may hold
	callTime = 15 * time.Second // of one reading, its tries included
)

// A Client reads secrets as whoever the AWS credentials of this process are. It
// looks for them at its first call, in the usual places: the environment, the
// shared files, the container's or the instance's role. Its methods may be
// called from several goroutines.
type Client struct {
	load func(ctx context.Context) (aws.Config, error)

	mu     sync.Mutex // guards config
	config *aws.Config
}

// New returns a Client. load returns the configuration to use; nil means the
// usual places.
func New(load func(ctx context.Context) (aws.Config, error)) *Client {
	if load == nil {
		load = func(ctx context.Context) (aws.Config, error) { return config.LoadDefaultConfig(ctx) }
	}
	return &Client{load: load}
}

// Read returns the string that a secret holds, read in the region that its ARN
// names, which must be the whole one: AWS takes shorter ones, too, but what host
// a credential is bound to is remembered by its ARN. Without AWS credentials that is Denied; Invalid if AWS says no, with
// what to do; Unavailable if it does not answer. No error holds the value.
func (c *Client) Read(ctx context.Context, name string) (secret.Text, error) {
	cfg, err := c.configured(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	a, ok := arn.Parse(name)
	if !ok || a.Service != "secretsmanager" {
		return secret.Text{}, fault.New(fault.Invalid, "%s is not the ARN of a secret in AWS Secrets Manager.", name)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	client := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) { o.Region = a.Region })
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return secret.Text{}, explain(name, err)
	}
	if out.ARN != nil && *out.ARN != name {
		return secret.Text{}, fault.New(fault.Invalid, "Access denied to secret %s. It is not the secret's whole ARN: copy that, with the six characters at its end.", name)
	}
	if out.SecretString == nil {
		return secret.Text{}, fault.New(fault.Invalid, "The secret %s holds bytes and no text. Store the source credential as JSON text.", name)
	}
	return secret.New(*out.SecretString), nil
}

// configured returns the configuration, which is looked for until it was found
// with credentials in it.
func (c *Client) configured(ctx context.Context) (aws.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config != nil {
		return *c.config, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cfg, err := c.load(ctx)
	if err != nil {
		return aws.Config{}, &fault.Error{Kind: fault.Denied, Message: "The server's AWS configuration cannot be read", Err: err}
	}
	if cfg.Credentials == nil {
		return aws.Config{}, fault.New(fault.Denied, "The server has no AWS credentials")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, fault.New(fault.Denied, "The server has no AWS credentials")
	}
	c.config = &cfg
	return cfg, nil
}

// explain says what AWS's no means and what to do about it.
func explain(name string, err error) error {
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return fault.New(fault.Invalid, "Access denied to secret %s. AWS Secrets Manager has no such secret: check the ARN, its region and the six characters at its end.", name)
	}
	if _, ok := errors.AsType[*types.DecryptionFailure](err); ok {
		return fault.New(fault.Invalid, "Access denied to secret %s. Its key cannot be used: allow the server's AWS identity kms:Decrypt on it.", name)
	}
	status := 0
	if answered, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		status = answered.HTTPStatusCode()
	}
	api, said := errors.AsType[smithy.APIError](err)
	switch {
	case said && (status == http.StatusTooManyRequests || status >= 500 || api.ErrorCode() == "ThrottlingException"):
	case said && api.ErrorCode() == "AccessDeniedException":
		return fault.New(fault.Invalid, "Access denied to secret %s. Allow the server's AWS identity secretsmanager:GetSecretValue on it, and kms:Decrypt if it has a key of its own.", name)
	case said:
		return fault.New(fault.Invalid, "Access denied to secret %s. AWS Secrets Manager answered %s: check the server's AWS credentials and AWS_ENDPOINT_URL.", name, api.ErrorCode())
	}
	return fault.New(fault.Unavailable, "AWS Secrets Manager did not answer for %s. Try again in a moment, and check that the server reaches AWS.", name)
}
