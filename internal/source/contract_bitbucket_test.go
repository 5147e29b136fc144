package source_test

import (
	"net/http"
	"strconv"
	"time"

	"slipway/internal/api"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/bitbucket"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
)

// bitbucketCloud is Bitbucket Cloud.
func bitbucketCloud() flavour {
	const server, email = api.ServerTypeBitbucket, "mona@example.com"
	granular := func(value, login string, scopes ...string) sourcetest.Token {
		for i, s := range scopes {
			scopes[i] = s + ":bitbucket"
		}
		return sourcetest.Token{Value: "ATATT3xFfGF0" + value, Login: login, Email: email, Scopes: scopes}
	}
	all := func(value, login string) sourcetest.Token {
		return granular(value, login, "read:repository", "read:pullrequest", "read:webhook", "write:webhook", "delete:webhook", "read:user", "read:workspace")
	}
	user := func(name string, token sourcetest.Token) kind { return kind{name: name, token: token, username: email} }
	access := func(name, credential string, scopes ...string) kind {
		return kind{name: name, token: sourcetest.Token{Value: "ATCTT3xFfGN0" + name, Login: "app-bot", CredentialType: credential, Scopes: scopes}}
	}
	expired := user("", all("old", "mona"))
	expired.token.Expires = time.Now().Add(-time.Hour)
	elsewhere := access("repository access token, of another repository", "repo_access_token", "repository")
	elsewhere.token.Repositories = []string{"octo/other"}
	writer := user("API token, all scopes, owner has the role write", all("writer", "hubot"))
	writer.role = "write"
	return flavour{
		server: server, name: "Bitbucket Cloud",
		site: func(base string) source.Site {
			return source.Endpoints{server: base}.Site(server, base)
		},
		make:  func(o rest.Options) provider { return bitbucket.New(o) },
		owner: "octo",
		good:  user("API token, all scopes, with the e-mail address", all("good", "mona")),
		kinds: []kind{
			writer,
			user("API token, all scopes but `read:user:bitbucket`", granular("nouser", "mona", "read:repository", "read:pullrequest", "read:webhook", "write:webhook", "delete:webhook")),
			user("API token, `read:repository:bitbucket`", granular("repo", "mona", "read:repository")),
			user("API token, `read:pullrequest:bitbucket`", granular("pulls", "mona", "read:pullrequest")),
			user("API token, `write:repository:bitbucket`", granular("write", "mona", "write:repository")),
			user("API token, created without scopes", granular("none", "mona")),
			{name: "API token, all scopes, with the Bitbucket user name", token: all("name", "mona"), username: "mona"},
			{name: "API token, all scopes, without a user name", token: all("alone", "mona")},
			access("repository access token, `repository`", "repo_access_token", "repository"),
			access("repository access token, `pullrequest` and `webhook`", "repo_access_token", "pullrequest", "webhook"),
			access("project access token, `pullrequest` and `webhook`", "project_access_token", "pullrequest", "webhook"),
			access("workspace access token, `pullrequest`, `webhook` and `account`", "workspace_access_token", "pullrequest", "webhook", "account"),
			elsewhere,
			{name: "app password", token: sourcetest.Token{Value: "ATBB3xFfGF0", Login: "mona", Scopes: []string{"repository"}}, username: "mona"},
		},
		foreign: []secret.Text{secret.New("ghp_0123456789abcdef"), secret.New("github_pat_abc"), secret.New("glpat-0123456789abcdefghij"), secret.New("gldt-0123456789"), secret.New("ATBBabc")},
		expired: expired,
		limited: func(after time.Duration) sourcetest.Failure {
			return sourcetest.Failure{Status: http.StatusTooManyRequests, Body: `{"type":"error","error":{"message":"Rate limit for this resource has been exceeded"}}`,
				Header: http.Header{"Retry-After": {strconv.Itoa(int(after / time.Second))}}}
		},
		roles: map[string]api.PullRequestBuildApproverRole{
			"none": "", "read": api.PullRequestBuildApproverRoleBitbucketRead, "triage": api.PullRequestBuildApproverRoleBitbucketRead,
			"write": api.PullRequestBuildApproverRoleBitbucketWrite, "maintain": api.PullRequestBuildApproverRoleBitbucketWrite, "admin": api.PullRequestBuildApproverRoleBitbucketAdmin,
		},
		user:  (*sourcetest.Server).AccountID,
		signs: true,
	}
}
