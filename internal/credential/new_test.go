package credential

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

var (
	here = arn.Scope{Account: "123456789012", Region: "us-west-2"}
	then = time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600))
)

const (
	connectionARN = "arn:aws:codeconnections:us-west-2:123456789012:connection/0a1b2c3d-0000-4000-8000-000000000000"
	oldConnection = "arn:aws:codestar-connections:us-west-2:123456789012:connection/0a1b"
	secretARN     = "arn:aws:secretsmanager:us-west-2:123456789012:secret:team/github-AbCdEf"
)

// The table of the pairs that can be imported, and the error of each other one.
func TestPairsOfServerAndAuthType(t *testing.T) {
	const ok = ""
	pair := func(s api.ServerType) string { return "Invalid AuthType provided for ServerType " + string(s) }
	const oauth = "OAUTH is not supported by the CodeBuild API. To connect to your account with OAUTH, use the AWS CodeBuild console."
	for server, want := range map[api.ServerType][5]string{
		"GITHUB":              {ok, pair("GITHUB"), ok, ok, oauth},
		"GITHUB_ENTERPRISE":   {ok, pair("GITHUB_ENTERPRISE"), ok, ok, oauth},
		"BITBUCKET":           {ok, ok, ok, ok, oauth},
		"GITLAB":              {ok, pair("GITLAB"), ok, ok, oauth},
		"GITLAB_SELF_MANAGED": {ok, pair("GITLAB_SELF_MANAGED"), ok, ok, oauth},
	} {
		for i, auth := range []api.AuthType{"PERSONAL_ACCESS_TOKEN", "BASIC_AUTH", "CODECONNECTIONS", "SECRETS_MANAGER", "OAUTH"} {
			token := map[api.AuthType]string{"CODECONNECTIONS": connectionARN, "SECRETS_MANAGER": secretARN}[auth]
			if token == "" {
				token = "token"
			}
			_, err := New(here, &api.ImportSourceCredentialsInput{ServerType: server, AuthType: auth, Token: secret.New(token), Username: new("somebody")}, then)
			if got := fault.Message(err); got != want[i] {
				t.Errorf("New(%s, %s) = %q, want %q", server, auth, got, want[i])
			}
		}
	}
}

func TestWhatIsImported(t *testing.T) {
	base := Credential{About: About{Scope: here, Created: then.UTC(), Modified: then.UTC()}}
	for _, test := range []struct {
		name           string
		server         api.ServerType
		auth           api.AuthType
		token          string
		username       *string
		wantToken      string
		wantName, from string
		arn            string
	}{
		{"a token", "GITHUB", "PERSONAL_ACCESS_TOKEN", "ghp_1", nil, "ghp_1", "", "", "arn:aws:codebuild:us-west-2:123456789012:token/github"},
		{"a token with white space around", "GITHUB_ENTERPRISE", "PERSONAL_ACCESS_TOKEN", " \t\u00a0ghp_1\r\n\n", nil, "ghp_1", "", "", "arn:aws:codebuild:us-west-2:123456789012:token/github_enterprise"},
		{"a token from a file with a byte order mark", "GITHUB", "PERSONAL_ACCESS_TOKEN", "\ufeffghp_1\r\n", nil, "ghp_1", "", "", "arn:aws:codebuild:us-west-2:123456789012:token/github"},
		{"a token of some KiB", "GITHUB", "PERSONAL_ACCESS_TOKEN", strings.Repeat("x", 16<<10), nil, strings.Repeat("x", 16<<10), "", "", "arn:aws:codebuild:us-west-2:123456789012:token/github"},
		{"a user name that is of no use", "GITHUB", "PERSONAL_ACCESS_TOKEN", "ghp_1", new("x:\n"), "ghp_1", "", "", "arn:aws:codebuild:us-west-2:123456789012:token/github"},
		{"a Bitbucket access token", "BITBUCKET", "PERSONAL_ACCESS_TOKEN", "t", nil, "t", "", "", "arn:aws:codebuild:us-west-2:123456789012:token/bitbucket"},
		{"a Bitbucket app password", "BITBUCKET", "BASIC_AUTH", "p w", new(" me@example.com\n"), "p w", "me@example.com", "", "arn:aws:codebuild:us-west-2:123456789012:token/bitbucket"},
		{"a GitLab token", "GITLAB_SELF_MANAGED", "PERSONAL_ACCESS_TOKEN", "glpat-1", nil, "glpat-1", "", "", "arn:aws:codebuild:us-west-2:123456789012:token/gitlab_self_managed"},
		{"a connection", "GITLAB", "CODECONNECTIONS", connectionARN + "\n", nil, "", "", connectionARN, "arn:aws:codebuild:us-west-2:123456789012:token/gitlab"},
		{"an old connection", "GITHUB", "CODECONNECTIONS", oldConnection, nil, "", "", oldConnection, "arn:aws:codebuild:us-west-2:123456789012:token/github"},
		{"a secret", "GITHUB", "SECRETS_MANAGER", secretARN, nil, "", "", secretARN, "arn:aws:codebuild:us-west-2:123456789012:token/github"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := New(here, &api.ImportSourceCredentialsInput{ServerType: test.server, AuthType: test.auth, Token: secret.New(test.token), Username: test.username}, then)
			if err != nil {
				t.Fatal(err)
			}
			if got.Token.Reveal() != test.wantToken {
				t.Errorf("the token is another one")
			}
			got.Token = secret.Text{}
			want := base
			want.ServerType, want.AuthType, want.Username, want.Resource, want.ARN = test.server, test.auth, test.wantName, test.from, test.arn
			if d := cmp.Diff(want, got, cmp.Comparer(func(a, b secret.Text) bool { return a.Reveal() == b.Reveal() })); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestWhatIsNotImported(t *testing.T) {
	for _, test := range []struct {
		name     string
		server   api.ServerType
		auth     api.AuthType
		token    string
		username *string
		want     string
	}{
		{"an unknown server", "SOURCEHUT", "PERSONAL_ACCESS_TOKEN", "t", nil, "Invalid ServerType provided"},
		{"an unknown login", "GITHUB", "KERBEROS", "t", nil, "Invalid AuthType provided for ServerType GITHUB"},
		{"no token", "GITHUB", "PERSONAL_ACCESS_TOKEN", "", nil, "Token is required"},
		{"a token of white space", "GITHUB", "PERSONAL_ACCESS_TOKEN", " \n\t\u3000\ufeff", nil, "Token is required"},
		{"no connection", "GITHUB", "CODECONNECTIONS", " ", nil, "Token is required"},
		{"a token of 16 KiB and one", "GITHUB", "PERSONAL_ACCESS_TOKEN", strings.Repeat("x", 16<<10+1), nil, "Token is too long: it can have at most 16384 bytes"},
		{"a token in two lines", "GITHUB", "PERSONAL_ACCESS_TOKEN", "hunter2\nhunter2", nil, "Token must not contain line breaks or control characters: copy the token alone, in one line"},
		{"a token with a NUL", "GITHUB", "PERSONAL_ACCESS_TOKEN", "hunter2\x00x", nil, "Token must not contain line breaks or control characters: copy the token alone, in one line"},
		{"a token with an invisible space", "GITHUB", "PERSONAL_ACCESS_TOKEN", "hun\u200bter2", nil, "Token must not contain line breaks or control characters: copy the token alone, in one line"},
		{"a token in place of a connection", "GITHUB", "CODECONNECTIONS", "hunter2", nil, "Token must be a valid CodeConnections arn"},
		{"a role in place of a connection", "GITLAB", "CODECONNECTIONS", "arn:aws:iam::123456789012:role/x", nil, "Token must be a valid CodeConnections arn"},
		{"a token in place of a secret", "GITHUB", "SECRETS_MANAGER", "hunter2", nil, "Token must be a valid Secrets Manager secret arn"},
		{"an app password without a user", "BITBUCKET", "BASIC_AUTH", "hunter2", nil, "Username is required for ServerType BITBUCKET with AuthType BASIC_AUTH"},
		{"an app password of nobody", "BITBUCKET", "BASIC_AUTH", "hunter2", new(" "), "Username is required for ServerType BITBUCKET with AuthType BASIC_AUTH"},
		{"a user name with a colon", "BITBUCKET", "BASIC_AUTH", "hunter2", new("a:b"), "Username must not contain colons, line breaks or control characters"},
		{"a user name of 300 characters", "BITBUCKET", "BASIC_AUTH", "hunter2", new(strings.Repeat("a", 300)), "Username is too long: it can have at most 256 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(here, &api.ImportSourceCredentialsInput{ServerType: test.server, AuthType: test.auth, Token: secret.New(test.token), Username: test.username}, then)
			if fault.KindOf(err) != fault.Invalid || fault.Message(err) != test.want {
				t.Errorf("New = %v, want Invalid: %s", err, test.want)
			}
		})
	}
}

func TestNoErrorRepeatsTheToken(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		token := "hunter2" + rapid.String().Draw(r, "token")
		in := &api.ImportSourceCredentialsInput{
			ServerType: rapid.SampledFrom([]api.ServerType{"GITHUB", "BITBUCKET", "X"}).Draw(r, "server"),
			AuthType:   rapid.SampledFrom([]api.AuthType{"OAUTH", "BASIC_AUTH", "CODECONNECTIONS", "SECRETS_MANAGER", "PERSONAL_ACCESS_TOKEN"}).Draw(r, "auth"),
			Token:      secret.New(token),
		}
		c, err := New(here, in, then)
		if said := fmt.Sprintf("%v %+v", err, c); strings.Contains(said, "hunter2") {
			r.Errorf("the token is in %q", said)
		}
	})
}
