package webhook_test

import (
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

func TestCheck(t *testing.T) {
	policy := func(roles ...api.PullRequestBuildApproverRole) *api.Webhook {
		return &api.Webhook{PullRequestBuildPolicy: &api.PullRequestBuildPolicy{RequiresCommentApproval: "ALL_PULL_REQUESTS", ApproverRoles: roles}}
	}
	scope := func(s api.WebhookScopeType, name string, domain *string) *api.Webhook {
		return &api.Webhook{ScopeConfiguration: &api.ScopeConfiguration{Scope: s, Name: name, Domain: domain}}
	}
	both := hook(t, "EVENT=PUSH")
	both.BranchFilter = new("main")
	tests := []struct {
		name   string
		server api.ServerType
		hook   *api.Webhook
		want   string // part of the message; "" means that it is valid
	}{
		{"nothing set", "GITHUB", &api.Webhook{}, ""},
		{"no provider", "CODECOMMIT", &api.Webhook{}, "Webhooks are not available for sources of type CODECOMMIT"},
		{"a branch filter", "BITBUCKET", hook(t, "branch=^main$"), ""},
		{"an empty branch filter, in CodeBuild's words", "GITHUB", hook(t, "branch="), "1 validation error detected: Value '' at 'newProjectVersion.webhook.branches' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"both kinds of filters", "GITHUB", both, "Only one of branchFilter and filterGroups"},
		{"a group without EVENT", "GITHUB", hook(t, "EVENT=PUSH or HEAD_REF=x"), "Filter group 2 has no filter of type EVENT"},
		{"an empty group", "GITHUB", &api.Webhook{FilterGroups: [][]api.WebhookFilter{{}}}, "Filter group 1 has no filter of type EVENT"},
		{"names with blanks", "GITHUB", &api.Webhook{FilterGroups: [][]api.WebhookFilter{{{Type: "EVENT", Pattern: " PUSH , PULL_REQUEST_MERGED"}}}}, ""},
		{"no event's name", "GITHUB", hook(t, "EVENT=PUSHED"), "The EVENT filter names 'PUSHED', which is no event of GitHub"},
		{"no name at all", "GITHUB", hook(t, "EVENT=,"), "names no event"},
		{"a pull request cannot be reopened at Bitbucket", "BITBUCKET", hook(t, "EVENT=PULL_REQUEST_REOPENED"), "no event of Bitbucket"},
		{"GitLab has no prereleases", "GITLAB", hook(t, "EVENT=PRERELEASED"), "no event of GitLab"},
		{"filters that an event cannot carry, in CodeBuild's words", "GITHUB", hook(t, "EVENT=PUSH BASE_REF=x"),
			"The following filter types are not allowed for GitHub webhook when EVENT is [PUSH]: [BASE_REF]. Make sure input filter types are supported by all the EVENT types specified."},
		{"one of two events cannot", "GITLAB", hook(t, "EVENT=PUSH,RELEASED FILE_PATH=x TAG_NAME=x"), "GitLab webhook when EVENT is [PUSH, RELEASED]: [FILE_PATH, TAG_NAME]"},
		{"paths of pull requests", "GITHUB_ENTERPRISE", hook(t, "EVENT=PULL_REQUEST_CREATED,PUSH FILE_PATH=x COMMIT_MESSAGE=y HEAD_REF=z ACTOR_ACCOUNT_ID=1"), ""},
		{"a broken pattern", "GITHUB", hook(t, "EVENT=PUSH HEAD_REF=(a"), "The pattern '(a' of the HEAD_REF filter cannot be used: missing closing ) at '(a'."},
		{"negative look-ahead", "GITHUB", hook(t, "EVENT=PUSH HEAD_REF=^(?!refs/heads/main).*"), "with excludeMatchedPattern set to true"},
		{"look-behind", "GITHUB", hook(t, "EVENT=PUSH HEAD_REF=(?<=heads/)main"), "Look-behind is not available"},
		{"negative look-behind", "GITHUB", hook(t, "EVENT=PUSH HEAD_REF=(?<!x)main"), "with excludeMatchedPattern set to true"},
		{"look-ahead", "GITHUB", hook(t, "branch=(?=x)"), "all filters of a group must match"},
		{"a back reference", "GITHUB", hook(t, `branch=(a)\1`), "write the alternatives out"},
		{"a possessive repetition", "GITHUB", hook(t, `branch=a++`), "write + instead of ++"},
		{"a wildcard", "GITHUB", hook(t, `branch=*`), "write .* instead of *"},
		{"a long pattern", "GITHUB", hook(t, "branch="+strings.Repeat("a", 2001)), "cannot be longer than 2000 characters"},
		{"a repository's name without a scope", "GITHUB", hook(t, "EVENT=PUSH REPOSITORY_NAME=x"), "REPOSITORY_NAME are for webhooks of an organization"},
		{"a repository's name with one", "GITHUB", hook(t, "org:EVENT=PUSH REPOSITORY_NAME=x"), ""},
		{"an organization's name needs an enterprise", "GITHUB", hook(t, "org:EVENT=PUSH ORGANIZATION_NAME=x"), "GITHUB_GLOBAL"},
		{"batch builds", "GITHUB", &api.Webhook{BuildType: "BUILD_BATCH"}, ""},
		{"Buildkite", "GITHUB", &api.Webhook{BuildType: "RUNNER_BUILDKITE_BUILD"}, "Buildkite, which is not available"},
		{"another build type", "GITHUB", &api.Webhook{BuildType: "NIGHTLY"}, "Invalid webhook build type 'NIGHTLY'"},
		{"an organization", "GITHUB", scope("GITHUB_ORGANIZATION", "acme", nil), ""},
		{"another provider's scope", "GITLAB", scope("GITHUB_ORGANIZATION", "acme", nil), "Webhook scope 'GITHUB_ORGANIZATION' is not available for GitLab"},
		{"a scope without a name", "GITHUB", scope("GITHUB_GLOBAL", " ", nil), "needs the name"},
		{"a self-hosted one without a domain", "GITHUB_ENTERPRISE", scope("GITHUB_ORGANIZATION", "acme", nil), "needs the domain"},
		{"a self-hosted one with a domain", "GITLAB_SELF_MANAGED", scope("GITLAB_GROUP", "acme/platform", new("https://git.example.com:8443")), ""},
		{"a domain with a login", "GITLAB_SELF_MANAGED", scope("GITLAB_GROUP", "acme", new("user@git.example.com")), "must be a host name"},
		{"roles that fit", "BITBUCKET", policy("BITBUCKET_WRITE"), ""},
		{"roles of another provider", "GITLAB", policy("GITLAB_OWNER", "GITHUB_ADMIN"), "Approver role 'GITHUB_ADMIN' is not one of GitLab: its roles begin with GITLAB_"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := webhook.Check(tt.server, tt.hook)
			if tt.want == "" && err != nil || tt.want != "" && !strings.Contains(fault.Message(err), tt.want) {
				t.Errorf("Check = %v, want %q", err, tt.want)
			}
		})
	}
	if err := webhook.Check("GITHUB", hook(t, "branch=")); fault.KindOf(err) != fault.Constraint {
		t.Errorf("an empty branch filter is of kind %d", fault.KindOf(err))
	}
}

func TestFillLeavesItsInputAlone(t *testing.T) {
	given := [][]api.WebhookFilter{{{Type: "EVENT", Pattern: "PUSH"}, {Type: "HEAD_REF", Pattern: "x", ExcludeMatchedPattern: new(true)}}}
	w := api.Webhook{FilterGroups: given}
	webhook.Fill(&w)
	if f := w.FilterGroups[0]; f[0].ExcludeMatchedPattern == nil || *f[0].ExcludeMatchedPattern || !*f[1].ExcludeMatchedPattern {
		t.Errorf("Fill made %+v", f)
	}
	if given[0][0].ExcludeMatchedPattern != nil {
		t.Error("Fill changed what it was given")
	}
	none := api.Webhook{}
	if webhook.Fill(&none); none.FilterGroups != nil {
		t.Error("Fill made filter groups")
	}
}

func TestWarnings(t *testing.T) {
	const ref = "EVENT=PUSH HEAD_REF="
	const actor = "EVENT=PUSH ACTOR_ACCOUNT_ID="
	tests := []struct {
		filters string
		want    string // parts of the only warning, between "…"; "" means none
	}{
		{"-", ""},
		{actor + "^12345$", ""},
		{actor + "12345", "ACTOR_ACCOUNT_ID pattern '12345' also matches '9123456'. Write '^12345$'"},
		{actor + "^12345", "also matches '123456'. Write '^12345$'"},
		{actor + "12345$", "also matches '912345'. Write '^12345$'"},
		{actor + "123|456", "also matches '91236'. Write '^(?:123|456)$'"},
		{actor + "^123|456$", "'^123|456$' also matches '1236'. Write '^(?:123|456)$'"},
		{actor + "^123$|^456$", ""},
		{actor + "^(123|456)$", ""},
		{actor + "^123$|456", "also matches '94566'. Write '^(?:123|456)$'"},
		{actor + "(123|456)", "also matches '91236'. Write '^(123|456)$'"},
		{actor + "^70121:[0-9a-f-]+$", ""},
		{"EVENT=PUSH ACTOR_ACCOUNT_ID!=12345", ""},
		{ref + "^refs/heads/main$", ""},
		{ref + "^refs/heads/.*", ""},
		{ref + "^refs/heads/release/", ""},
		{ref + ".*", ""},
		{ref + "main", "HEAD_REF pattern 'main' also matches 'refs/heads/not-main-at-all'. Write '^refs/heads/main$'"},
		{ref + "refs/heads/main", "also matches 'refs/heads/main-and-more'. Write '^refs/heads/main$'"},
		{ref + "^refs/heads/main", "also matches 'refs/heads/main-and-more'. Write '^refs/heads/main$'"},
		{ref + "^refs/heads/main$|dev", "Write '^(?:refs/heads/main|refs/heads/dev)$'"},
		{ref + "^main$", "HEAD_REF pattern '^main$' can never match…held against full refs…Write '^refs/heads/main$'"},
		{ref + "^main$|^dev$", "can never match…Write '^(?:refs/heads/main|refs/heads/dev)$'"},
		{ref + "^(main|dev)$", "can never match"},
		{ref + "^main$|^refs/heads/dev$", ""},
		{"EVENT=PUSH HEAD_REF!=^main$", "excludes nothing"},
		{"EVENT=PULL_REQUEST_CREATED BASE_REF=main", "BASE_REF pattern 'main' also matches"},
		{"branch=^main$", ""},
		{"branch=main", "branchFilter pattern 'main' also matches 'not-main-at-all'. Write '^main$'"},
		{"branch=^refs/heads/main$", "can never match: a branchFilter is held against the short name of the branch. Write '^main$'"},
		{"EVENT=PUSH EVENT=RELEASED", "Filter group 1 can never match"},
	}
	for _, tt := range tests {
		t.Run(tt.filters, func(t *testing.T) {
			got := webhook.Warnings("GITHUB", hook(t, tt.filters))
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("warns: %q", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("Warnings = %q", got)
			}
			for part := range strings.SplitSeq(tt.want, "…") {
				if !strings.Contains(got[0], part) {
					t.Errorf("the warning is %q, want %q in it", got[0], part)
				}
			}
		})
	}
}

func TestApproval(t *testing.T) {
	for comment, want := range map[string]string{
		"/codebuild_run(" + sha + ")":                        sha,
		"Looks good.\r\n/codebuild_run(" + sha + ") \r\nThx": sha,
		"/codebuild_run( " + strings.ToUpper(sha) + " )":     sha,
		"/codebuild_run(" + sha[:12] + ")":                   "asked",
		"/codebuild_run()":                                   "asked",
		"> /codebuild_run(" + sha + ")":                      "",
		"do not write /codebuild_run(" + sha + ")":           "",
		"thanks": "",
	} {
		commit, asked := webhook.Approved(comment)
		if commit != strings.TrimPrefix(want, "asked") || asked != (want != "") {
			t.Errorf("Approved(%q) = %q, %t, want %q", comment, commit, asked, want)
		}
	}
	pull := func(name event.Type, author, actor string, fork bool) event.Event {
		return event.Event{Type: name, ActorID: actor, ActorName: actor, PullRequest: &event.PullRequest{Number: 7, AuthorID: author, AuthorName: author, Fork: fork}}
	}
	names := func(e event.Event) (all string) {
		for _, a := range webhook.Authors(e) {
			all += a.Name + " "
		}
		return all
	}
	for want, e := range map[string]event.Event{
		"mona ":     pull(event.PullRequestCreated, "mona", "mona", true),
		"mona bob ": pull(event.PullRequestReopened, "mona", "bob", true),
		"bob ":      pull(event.PullRequestMerged, "mona", "bob", true),
		"":          {Type: event.Push},
	} {
		if got := names(e); got != want {
			t.Errorf("the authors of %s are %q, want %q", e.Type, got, want)
		}
	}
	for policy, want := range map[api.PullRequestBuildCommentApproval][2]bool{"": {}, "DISABLED": {}, "ALL_PULL_REQUESTS": {true, true}, "FORK_PULL_REQUESTS": {false, true}} {
		w := &api.Webhook{PullRequestBuildPolicy: &api.PullRequestBuildPolicy{RequiresCommentApproval: policy}}
		for i, fork := range []bool{false, true} {
			if got := webhook.NeedsApproval(w, pull(event.PullRequestCreated, "m", "m", fork)); got != want[i] {
				t.Errorf("with %q a pull request (fork %t) needs approval: %t", policy, fork, got)
			}
		}
	}
	if webhook.NeedsApproval(&api.Webhook{}, pull(event.PullRequestCreated, "m", "m", true)) {
		t.Error("a webhook without a policy asks for approval")
	}
}

func TestLabel(t *testing.T) {
	for label, want := range map[string]bool{
		"codebuild-app-123-1": true, "codebuild-app-123-1-arm-3.0-large": true, "codebuild-app-123-1-with-buildspec": true,
		"codebuild-app-123": false, "codebuild-app-x-1": false, "codebuild-other-123-1": false, "ubuntu-latest": false, "codebuild-app-2-123": true,
	} {
		if _, got := webhook.Label("app", &event.Job{Labels: []string{"self-hosted", label}}); got != want {
			t.Errorf("label %q names the project: %t, want %t", label, got, want)
		}
	}
	if _, ok := webhook.Label("app", &event.Job{RunID: 123, Labels: []string{"codebuild-app-2-123-1"}}); ok {
		t.Error("the label of another project is taken for this one's")
	}
	if _, ok := webhook.Label("app-2", &event.Job{Labels: []string{"codebuild-app-2-123-1"}}); !ok {
		t.Error("a project with a dash is not found")
	}
}
