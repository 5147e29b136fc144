package gitlab_test

import (
	"cmp"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/secret"
	"slipway/internal/source"
	"slipway/internal/source/sourcetest"
)

// abilities writes what a health says of the jobs: Y, N or ? for clone, status,
// webhook and files.
func abilities(h slipway.CredentialHealth) string {
	var out strings.Builder
	for _, j := range h.Jobs {
		out.WriteString(map[slipway.Ability]string{slipway.AbilityYes: "Y", slipway.AbilityNo: "N", slipway.AbilityUnknown: "?"}[j.Ability])
	}
	return out.String()
}

func TestCheckWithoutARepository(t *testing.T) {
	l := start(t, sourcetest.Options{})
	for _, c := range []struct {
		name, token string
		kind        slipway.TokenKind
		state       slipway.CredentialState
		owner, jobs string
		cause       slipway.FailureCause
		link        string
	}{
		{"everything", full, "GITLAB_PERSONAL", "VALID", "mona", "YYYY", "", ""},
		{"a project's token", bot, "GITLAB_PROJECT", "VALID", "project_1_bot_0a", "YYYY", "", ""},
		{"a group's token", groupBot, "GITLAB_GROUP", "VALID", "group_9_bot_0b", "YYYY", "", ""},
		{"only read_api", readAPI, "GITLAB_PERSONAL", "LIMITED", "mona", "NNNY", "MISSING_SCOPE", "scopes=api"},
		{"only read_repository, under an administrator's prefix", cloneOnly, "GITLAB_PERSONAL", "LIMITED", "", "YNNN", "MISSING_SCOPE", "scopes=api"},
		{"only read_user and self_rotate", userOnly, "GITLAB_PERSONAL", "LIMITED", "mona", "NNNN", "MISSING_SCOPE", "scopes=api"},
		{"expired", expired, "GITLAB_PERSONAL", "EXPIRED", "", "NNNN", "EXPIRED_TOKEN", "scopes=api"},
		{"wrong, or of another GitLab", unknown, "GITLAB_PERSONAL", "INVALID", "", "NNNN", "BAD_TOKEN", "scopes=api"},
		{"a deploy token", deploy, "GITLAB_DEPLOY", "LIMITED", deployName, "?NNN", "WRONG_KIND", "scopes=api"},
		{"the token of a CI job", "glcbt-64_xxxxxxxxxxxxxxxxxxxx", "GITLAB_CI_JOB", "INVALID", "", "NNNN", "WRONG_KIND", "scopes=api"},
		{"a trigger token", "glptt-xxxxxxxxxxxxxxxxxxxx", "GITLAB_TRIGGER", "INVALID", "", "NNNN", "WRONG_KIND", ""},
		{"a runner's token", "glrt-xxxxxxxxxxxxxxxxxxxx", "GITLAB_RUNNER", "INVALID", "", "NNNN", "WRONG_KIND", ""},
		{"a token of GitHub", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "GITHUB_CLASSIC", "INVALID", "", "NNNN", "WRONG_KIND", ""},
		{"a token of Bitbucket", "ATCTT3xFfGN0xxxxxxxxxxxx", "BITBUCKET_ACCESS_TOKEN", "INVALID", "", "NNNN", "WRONG_KIND", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(l.Requests())
			h, err := l.Check(t.Context(), l.at, nil, login(c.token))
			must(t, err)
			if h.TokenKind != c.kind || h.State != c.state || h.Owner != c.owner || abilities(h) != c.jobs || h.Cause != c.cause || !strings.Contains(h.Link, c.link) {
				t.Errorf("Check = %s %s %q %s %s %s\nwant    %s %s %q %s %s %s\n%s %s",
					h.TokenKind, h.State, h.Owner, abilities(h), h.Cause, h.Link, c.kind, c.state, c.owner, c.jobs, c.cause, c.link, h.Message, h.NextStep)
			}
			if c.cause != "" && (h.Message == "" || h.NextStep == "") {
				t.Errorf("it says %q and %q, want what is wrong and the next step", h.Message, h.NextStep)
			}
			if strings.Contains(h.Message+h.NextStep, c.token) {
				t.Error("the token is in the message")
			}
			if c.cause == "WRONG_KIND" && len(l.Requests()) != before {
				t.Error("a token of another kind was sent")
			}
		})
	}
}

func TestCheckTellsWhatGitLabKnowsOfAToken(t *testing.T) {
	l := start(t, sourcetest.Options{})
	h, err := l.Check(t.Context(), l.at, nil, login(full))
	must(t, err)
	if !h.Expires.Equal(dayAfter) || h.LastUsedAtProvider.IsZero() || h.OwnerID == "" || !h.ScopesKnown || strings.Join(h.Scopes, " ") != "api" || h.OwnerIsBot || h.Host == "" {
		t.Errorf("health = %+v", h)
	}
	if len(h.Warnings) != 0 {
		t.Errorf("warnings = %q of a good token", h.Warnings)
	}
	h, err = l.Check(t.Context(), l.at, nil, login(bot))
	if must(t, err); !h.OwnerIsBot || len(h.Warnings) != 0 {
		t.Errorf("health of a bot = %+v", h)
	}
}

func TestCheckWithARepository(t *testing.T) {
	l := start(t, sourcetest.Options{})
	for _, c := range []struct {
		name, token, role string
		public            bool
		state             slipway.CredentialState
		jobs              string
		cause             slipway.FailureCause
		says              string
	}{
		{"an Owner", full, "", false, "VALID", "YYYY", "", ""},
		{"a Maintainer", full, "maintain", false, "VALID", "YYYY", "", ""},
		{"a Developer cannot make webhooks", full, "write", false, "LIMITED", "YYNY", "NOT_ADMIN", "role Maintainer on a/b/app, and has the role Developer there"},
		{"a Reporter cannot report statuses", full, "read", false, "LIMITED", "YNNY", "NOT_ADMIN", "role Developer on a/b/app, and has the role Reporter there"},
		{"a Guest does not see the code", full, "guest", false, "LIMITED", "NNNN", "NOT_ADMIN", "role Reporter on a/b/app, and has the role Guest there"},
		{"a stranger does not see a private project", full, "none", false, "LIMITED", "NNNN", "NOT_VISIBLE", "404"},
		{"a stranger reads a public project", full, "none", true, "LIMITED", "YNNY", "NOT_ADMIN", "is no member there"},
		{"a token for git only", cloneOnly, "", false, "LIMITED", "YNNN", "MISSING_SCOPE", "lacks the scope api."},
		{"a token for the API only", readAPI, "", false, "LIMITED", "NNNY", "MISSING_SCOPE", "lacks the scope read_repository, which api includes"},
		{"a deploy token", deploy, "", false, "LIMITED", "YNNN", "WRONG_KIND", "clone works, statuses and webhooks do not"},
		{"a project's token with a low role", bot, "write", false, "LIMITED", "YYNY", "NOT_ADMIN", "role Maintainer"},
		{"a wrong token", unknown, "", false, "INVALID", "NNNN", "BAD_TOKEN", "401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := l.repo
			if c.public {
				r = l.site
			}
			for _, who := range []string{"mona", "project_1_bot_0a"} {
				l.SetRole(r.Owner, r.Name, who, cmp.Or(c.role, "admin"))
			}
			if c.role == "guest" {
				l.SetGuest(r.Owner, r.Name, "mona", false)
			}
			h, err := l.Check(t.Context(), l.at, &r, login(c.token))
			must(t, err)
			if h.State != c.state || abilities(h) != c.jobs || h.Cause != c.cause || !strings.Contains(h.Message, c.says) {
				t.Errorf("Check = %s %s %s %q\nwant    %s %s %s %q", h.State, abilities(h), h.Cause, h.Message, c.state, c.jobs, c.cause, c.says)
			}
			for _, j := range h.Jobs {
				if j.Ability == slipway.AbilityNo && (j.Message == "" || j.NextStep == "" || j.Link == "") {
					t.Errorf("%s: %q, %q, %q: want what is wrong, the next step and where", j.Job, j.Message, j.NextStep, j.Link)
				}
			}
		})
	}
}

func TestADeployTokenNeedsItsOwnName(t *testing.T) {
	l := start(t, sourcetest.Options{})
	h, err := l.Check(t.Context(), l.at, &l.repo, source.NewLogin(api.ServerTypeGitlab, "", secret.New(deploy)))
	must(t, err)
	if h.State != slipway.CredentialStateInvalid || h.Cause != slipway.FailureCauseWrongUsername || !strings.Contains(h.NextStep, "--username") {
		t.Errorf("health = %+v", h)
	}
}

func TestAMemberThroughAnInvitedGroupIsFound(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("/api/v4/projects/a/b/app", 200, `{"path_with_namespace":"a/b/app","visibility":"private","permissions":{"project_access":null,"group_access":null}}`, 1)
	h, err := l.Check(t.Context(), l.at, &l.repo, login(full))
	if must(t, err); abilities(h) != "YYYY" {
		t.Errorf("Check = %s %q", abilities(h), h.Message)
	}
}

func TestAFineGrainedTokenIsNotCondemned(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("*/personal_access_tokens/self", 200, `{"scopes":["granular"],"user_id":1,"active":true}`, 1)
	h, err := l.Check(t.Context(), l.at, nil, login(full))
	if must(t, err); h.State != slipway.CredentialStateValid || abilities(h) != "????" {
		t.Errorf("Check = %s %s", h.State, abilities(h))
	}
}

func TestAnOldGitLabDoesNotKnowTheToken(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("*/personal_access_tokens/self", 404, `{"error":"404 Not Found"}`, 1)
	h, err := l.Check(t.Context(), l.at, nil, login(full))
	if must(t, err); h.Owner != "mona" || h.ScopesKnown || abilities(h) != "????" {
		t.Errorf("Check = %q %s", h.Owner, abilities(h))
	}
}

func TestAnInactiveTokenIsSaidToBe(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("*/personal_access_tokens/self", 200, `{"scopes":["api"],"active":false,"revoked":true}`, 1)
	h, err := l.Check(t.Context(), l.at, nil, login(full))
	if must(t, err); h.State != slipway.CredentialStateInvalid || !strings.Contains(h.Message, "revoked") {
		t.Errorf("Check = %s %q", h.State, h.Message)
	}
}

func TestAGitLabThatIsAwayIsNotTheTokensFault(t *testing.T) {
	l := start(t, sourcetest.Options{})
	l.FailNext("*", 503, "GitLab is not responding", 100)
	h, err := l.Check(t.Context(), l.at, nil, login(full))
	if must(t, err); h.State != slipway.CredentialStateUnreachable || abilities(h) != "????" {
		t.Errorf("Check = %s %s", h.State, abilities(h))
	}
}
