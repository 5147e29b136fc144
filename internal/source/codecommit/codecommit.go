// Package codecommit logs in to repositories of AWS CodeCommit.
//
// CodeCommit has no tokens to import: git's password there is a signature that
// the AWS credentials of whoever clones make, good for a quarter of an hour and
// for one repository. Those of this process are used, as CodeBuild uses the
// project's service role.
package codecommit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// lookTime is how long AWS credentials are looked for, which an instance's
// metadata may hold.
const lookTime = 5 * time.Second

// A Client makes logins. It looks for AWS credentials at its first login, in
// the usual places: the environment, the shared files, the container's or the
// instance's role. Its methods may be called from several goroutines.
type Client struct {
	load func(ctx context.Context) (aws.Config, error)
	now  func() time.Time

	mu          sync.Mutex // guards credentials
	credentials aws.CredentialsProvider
}

// New returns a Client. load returns the configuration to use; nil means the
// usual places. now is the clock; nil means time.Now.
func New(load func(ctx context.Context) (aws.Config, error), now func() time.Time) *Client {
	if load == nil {
		load = func(ctx context.Context) (aws.Config, error) { return config.LoadDefaultConfig(ctx) }
	}
	if now == nil {
		now = time.Now
	}
	return &Client{load: load, now: now}
}

// Login returns the login to the repository at a location, which is its URL at
// AWS. Without AWS credentials, and for what is no such location, that is a
// fault of kind Invalid that says what to do.
func (c *Client) Login(ctx context.Context, location string) (source.SignedLogin, error) {
	at, ok := parse(location)
	if !ok {
		return source.SignedLogin{}, fault.New(fault.Invalid, "The location is not that of a repository of AWS CodeCommit, such as https://git-codecommit.us-east-1.amazonaws.com/v1/repos/name.")
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	credentials, err := c.find(ctx)
	if err == nil {
		var keys aws.Credentials
		if keys, err = credentials.Retrieve(ctx); err == nil {
			return at.login(keys, c.now()), nil
		}
	}
	return source.SignedLogin{}, &fault.Error{Kind: fault.Invalid, Err: err, Message: "AWS CodeCommit takes the AWS credentials of the server, and it has none: " +
		"start it with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_PROFILE, or on a machine with a role. They must be allowed codecommit:GitPull."}
}

// find returns where credentials come from, which renews them by itself.
func (c *Client) find(ctx context.Context) (aws.CredentialsProvider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.credentials != nil {
		return c.credentials, nil
	}
	cfg, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.Credentials == nil {
		return nil, fault.New(fault.Invalid, "no credentials")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, err // it is looked for again: somebody may write the shared files meanwhile
	}
	c.credentials = cfg.Credentials
	return c.credentials, nil
}

// A repository is one at CodeCommit.
type repository struct{ host, region, path string }

var hostForm = regexp.MustCompile(`^git-codecommit(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// parse reads the URL of a repository.
func parse(location string) (repository, bool) {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Port() != "" {
		return repository{}, false
	}
	host := hostForm.FindStringSubmatch(u.Host)
	path := strings.TrimSuffix(u.Path, "/")
	name, ok := strings.CutPrefix(path, "/v1/repos/")
	if host == nil || !ok || name == "" || strings.ContainsAny(name, "/\n") {
		return repository{}, false
	}
	return repository{u.Host, host[1], path}, true
}

// login signs a made-up request, as AWS's credential helper for git does: its
// method is GIT, its body is not signed, and its time of day has no zone where
// it is signed.
func (r repository) login(keys aws.Credentials, now time.Time) source.SignedLogin {
	stamp := now.UTC().Format("20060102T150405")
	scope := []string{stamp[:8], r.region, "codecommit", "aws4_request"}
	request := sha256.Sum256([]byte("GIT\n" + r.path + "\n\nhost:" + r.host + "\n\nhost\n"))
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + strings.Join(scope, "/") + "\n" + hex.EncodeToString(request[:])
	key := []byte("AWS4" + keys.SecretAccessKey)
	for _, part := range append(scope, text) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	user := keys.AccessKeyID
	if keys.SessionToken != "" {
		user += "%" + keys.SessionToken
	}
	return source.SignedLogin{User: secret.New(user), Password: secret.New(stamp + "Z" + hex.EncodeToString(key)), KeyID: keys.AccessKeyID}
}
