package source_test

import (
	"net/http"
	"strconv"
	"time"

	"slipway/internal/api"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/github"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
)

// gitHub is GitHub in either of its forms.
func gitHub(server api.ServerType, name string) flavour {
	classic := func(value string, scopes ...string) sourcetest.Token {
		return sourcetest.Token{Value: "ghp_" + value, Login: "mona", Scopes: scopes}
	}
	fine := func(value string, permissions map[string]string) sourcetest.Token {
		return sourcetest.Token{Value: "github_pat_" + value, Login: "mona", Owner: "octo", Permissions: permissions}
	}
	all := map[string]string{"contents": "read", "statuses": "write", "repository_hooks": "write", "pull_requests": "read"}
	otherOwner, pending := fine("mine", all), fine("pending", all)
	otherOwner.Owner, pending.Pending = "mona", true
	limit := func(after time.Duration) sourcetest.Failure {
		return sourcetest.Failure{Status: http.StatusForbidden, Body: `{"message":"API rate limit exceeded for user ID 1.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"}`,
			Header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(after).Unix()+1, 10)}}}
	}
	return flavour{
		server: server, name: name,
		site: func(base string) source.Site {
			return source.Endpoints{server: base}.Site(server, base)
		},
		make:  func(o rest.Options) provider { return github.New(o) },
		owner: "octo",
		good:  kind{name: "classic, `repo`", token: classic("good", "repo")},
		kinds: []kind{
			{name: "classic, `public_repo`", token: classic("public", "public_repo")},
			{name: "classic, `repo:status`", token: classic("status", "repo:status")},
			{name: "classic, `admin:repo_hook`", token: classic("hooks", "admin:repo_hook")},
			{name: "classic, `repo:status` and `write:repo_hook`", token: classic("write", "repo:status", "write:repo_hook")},
			{name: "classic, no scopes", token: classic("none")},
			{name: "classic, `repo`, owner has the role write", token: sourcetest.Token{Value: "ghp_writer", Login: "hubot", Scopes: []string{"repo"}}, role: "write"},
			{name: "classic, `repo`, owner has the role read", token: sourcetest.Token{Value: "ghp_reader", Login: "ro", Scopes: []string{"repo"}}, role: "read"},
			{name: "fine-grained, all four permissions", token: fine("all", all)},
			{name: "fine-grained, Contents: read", token: fine("contents", map[string]string{"contents": "read"})},
			{name: "fine-grained, Commit statuses: write", token: fine("statuses", map[string]string{"statuses": "write"})},
			{name: "fine-grained, Webhooks: write", token: fine("hooks", map[string]string{"repository_hooks": "write"})},
			{name: "fine-grained, Webhooks: read", token: fine("hooksread", map[string]string{"repository_hooks": "read"})},
			{name: "fine-grained, Pull requests: read", token: fine("pulls", map[string]string{"pull_requests": "read"})},
			{name: "fine-grained, of another resource owner", token: otherOwner},
			{name: "fine-grained, not approved yet", token: pending},
			{name: "App installation, all four permissions", token: sourcetest.Token{Value: "ghs_1_eyJ0.eyJ1.sig", Owner: "octo", Permissions: all}},
			{name: "App refresh token", token: sourcetest.Token{Value: "ghr_refresh"}},
		},
		foreign: []secret.Text{secret.New("glpat-0123456789abcdefghij"), secret.New("gldt-0123456789"), secret.New("ATATT3xFfGF0abc"), secret.New("ATCTT3xFfGN0abc"), secret.New("ATBBabc"), secret.New("ghr_abc")},
		expired: kind{token: sourcetest.Token{Value: "ghp_old", Login: "mona", Scopes: []string{"repo"}, Expires: time.Now().Add(-time.Hour)}},
		limited: limit,
		pullRef: func(number int) string { return "refs/pull/" + strconv.Itoa(number) + "/head" },
		roles: map[string]api.PullRequestBuildApproverRole{
			"none": "", "read": api.PullRequestBuildApproverRoleGithubRead, "triage": api.PullRequestBuildApproverRoleGithubTriage,
			"write": api.PullRequestBuildApproverRoleGithubWrite, "maintain": api.PullRequestBuildApproverRoleGithubMaintain, "admin": api.PullRequestBuildApproverRoleGithubAdmin,
		},
		signs: true, reopens: true,
	}
}
