package source_test

import (
	"net/http"
	"strconv"
	"time"

	"slipway/internal/api"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/gitlab"
	"slipway/internal/source/rest"
	"slipway/internal/source/sourcetest"
)

// gitLab is gitlab.com or a self-managed GitLab.
func gitLab(server api.ServerType, name string) flavour {
	personal := func(value string, scopes ...string) sourcetest.Token {
		return sourcetest.Token{Value: "glpat-" + value, Login: "mona", Scopes: scopes}
	}
	member := func(login, is, role string) kind {
		return kind{name: "personal, `api`, owner " + is, token: sourcetest.Token{Value: "glpat-" + login, Login: login, Scopes: []string{"api"}}, role: role}
	}
	const deployName = "gitlab+deploy-token-7"
	return flavour{
		server: server, name: name,
		site: func(base string) source.Site {
			return source.Endpoints{server: base}.Site(server, base)
		},
		make:  func(o rest.Options) provider { return gitlab.New(o) },
		owner: "octo/sub",
		good:  kind{name: "personal, `api`", token: personal("good", "api")},
		kinds: []kind{
			{name: "personal, `read_api` and `read_repository`", token: personal("reads", "read_api", "read_repository")},
			{name: "personal, `read_api`", token: personal("readapi", "read_api")},
			{name: "personal, `read_repository`", token: personal("readrepo", "read_repository")},
			{name: "personal, `write_repository`", token: personal("writerepo", "write_repository")},
			{name: "personal, `read_user`", token: personal("readuser", "read_user")},
			{name: "personal, `self_rotate`", token: personal("rotate", "self_rotate")},
			member("mary", "has the role Maintainer", "maintain"),
			member("dave", "has the role Developer", "write"),
			member("rita", "has the role Reporter", "read"),
			member("zora", "is no member", "none"),
			{name: "project access token, `api`, Maintainer", token: sourcetest.Token{Value: "glpat-project", Login: "project_1_bot_0a", Scopes: []string{"api"}}, role: "maintain"},
			{name: "group access token, `api`, Owner", token: sourcetest.Token{Value: "glpat-group", Login: "group_1_bot_0b", Scopes: []string{"api"}}},
			{name: "deploy token, `read_repository`", token: sourcetest.Token{Value: "gldt-deploy", Login: deployName, Scopes: []string{"read_repository"}}, username: deployName},
			{name: "CI job token", token: sourcetest.Token{Value: "glcbt-job"}},
			{name: "pipeline trigger token", token: sourcetest.Token{Value: "glptt-trigger"}},
			{name: "runner token", token: sourcetest.Token{Value: "glrt-runner"}},
		},
		foreign: []secret.Text{secret.New("ghp_0123456789abcdefghijklmnopqrstuvwxyz"), secret.New("github_pat_0123"), secret.New("ghs_1_a.b.c"), secret.New("ATATT3xFfGF0abc"), secret.New("ATCTT3xFfGN0abc"), secret.New("ATBBabc")},
		expired: kind{token: sourcetest.Token{Value: "glpat-old", Login: "mona", Scopes: []string{"api"}, Expires: time.Now().Add(-time.Hour)}},
		limited: func(after time.Duration) sourcetest.Failure {
			return sourcetest.Failure{Status: http.StatusTooManyRequests, Body: "Retry later\n",
				Header: http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(after).Unix()+1, 10)}}}
		},
		pullRef: func(number int) string { return "refs/merge-requests/" + strconv.Itoa(number) + "/head" },
		roles: map[string]api.PullRequestBuildApproverRole{
			"none": "", "read": api.PullRequestBuildApproverRoleGitlabReporter, "write": api.PullRequestBuildApproverRoleGitlabDeveloper,
			"maintain": api.PullRequestBuildApproverRoleGitlabMaintainer, "admin": api.PullRequestBuildApproverRoleGitlabOwner,
		},
		reopens: true, // a secret that cannot sign is sent in the clear: the body is not signed
	}
}
