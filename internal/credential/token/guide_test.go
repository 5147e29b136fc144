package token_test

import (
	"net/url"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
)

func TestGuidesSayHowToMakeEveryKindOfToken(t *testing.T) {
	for server, web := range map[api.ServerType]string{
		api.ServerTypeGithub: "https://github.com", api.ServerTypeGithubEnterprise: "https://ghe.example:8443", api.ServerTypeBitbucket: "https://bitbucket.org",
		api.ServerTypeGitlab: "https://gitlab.com", api.ServerTypeGitlabSelfManaged: "https://git.example/gitlab",
	} {
		all := token.Guides(server, web)
		if len(all) < 2 || !all[0].Recommended || all[0].Link == "" {
			t.Fatalf("%s: %+v, want the best first, with a link", server, all)
		}
		for i, g := range all {
			if g.Title == "" || g.Note == "" || len(g.Scopes) == 0 || g.Recommended != (i == 0) {
				t.Errorf("%s %s: %+v", server, g.Kind, g)
			}
			for _, s := range g.Scopes {
				if s.Scope == "" || !strings.HasPrefix(s.Why, "to ") {
					t.Errorf("%s %s: the scope %+v", server, g.Kind, s)
				}
			}
			if _, err := url.Parse(g.Link); err != nil || g.Link != "" && server != api.ServerTypeBitbucket && !strings.HasPrefix(g.Link, web+"/") {
				t.Errorf("%s %s: the link %q, want one at %s", server, g.Kind, g.Link, web)
			}
			if (g.UsernameLabel != "") != (g.AuthType == slipway.AuthTypeBasicAuth || g.Kind == slipway.TokenKindGitlabDeploy) {
				t.Errorf("%s %s: auth type %s with the label %q", server, g.Kind, g.AuthType, g.UsernameLabel)
			}
		}
	}
	if all := token.Guides("SVN", "https://x.example"); all != nil {
		t.Errorf("of an unknown server type there are %v", all)
	}
}

func TestGuidesOfAServerThatIsNowhereYetHaveNoLinks(t *testing.T) {
	for _, server := range []api.ServerType{api.ServerTypeGithubEnterprise, api.ServerTypeGitlabSelfManaged} {
		for _, g := range token.Guides(server, "") {
			if g.Link != "" {
				t.Errorf("%s %s: the link %q", server, g.Kind, g.Link)
			}
		}
	}
}

func TestPagesAreFilledIn(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{token.GitHubPage("https://github.com", token.Scopes(slipway.TokenKindGithubClassic)...), "https://github.com/settings/tokens/new?scopes=repo,admin:repo_hook&description=Slipway"},
		{token.GitHubFinePage("https://github.com", "a&b"), "https://github.com/settings/personal-access-tokens/new?name=Slipway&target_name=a%26b&contents=read&statuses=write&repository_hooks=write&pull_requests=read"},
		{token.GitLabPage("https://gitlab.com", "api"), "https://gitlab.com/-/user_settings/personal_access_tokens?name=slipway&scopes=api"},
	} {
		if c.got != c.want {
			t.Errorf("page %s, want %s", c.got, c.want)
		}
	}
}

func TestBitbucketsGuideTellsWhatBecameOfAppPasswords(t *testing.T) {
	all := token.Guides(api.ServerTypeBitbucket, "")
	for _, word := range []string{"app passwords", "2025-09-09", "2026-07-28", "Bitbucket Server"} {
		if !strings.Contains(all[0].Note, word) {
			t.Errorf("the note does not say %q: %s", word, all[0].Note)
		}
	}
}
