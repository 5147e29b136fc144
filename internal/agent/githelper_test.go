package agent_test

import (
	"encoding/base64"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source/sourcetest"
)

const canary = "ghp_c4naryT0kenZq1Xw3Er5Ty7Ui9Op1As3Df5"

// provider is a source provider with two private repositories, and the work of
// building one of them.
func provider(t *testing.T, spec string) (*sourcetest.Server, agentapi.Work) {
	t.Helper()
	p, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if _, err = p.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.AddToken(sourcetest.Token{Value: canary, Login: "mona", Scopes: []string{"repo"}})
	for _, name := range []string{"app", "other"} {
		if err = p.CreateRepository("octo", name, true); err == nil {
			_, err = p.Commit("octo", name, "main", map[string]string{"buildspec.yml": spec, name: ""}, "first")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	at := p.CloneURL("octo", "app")
	return p, agentapi.Work{Source: agentapi.Source{Type: api.SourceTypeGithubEnterprise, URL: at, Location: at}}
}

// withLogins has the server answer for a provider as the real one does: with the
// login to every repository there, and to nothing elsewhere.
func withLogins(p *sourcetest.Server, helped func(agentapi.CredentialRequest) error) func(*agentProcess) {
	return func(a *agentProcess) {
		host := strings.TrimPrefix(p.URL(), "http://")
		a.logins = func(in agentapi.CredentialRequest) (*agentapi.Credential, error) {
			if in.Helper {
				if err := helped(in); err != nil {
					return nil, err
				}
				if in.URL == "" {
					return &agentapi.Credential{}, nil
				}
				if at, err := url.Parse(in.URL); err != nil || at.Host != host {
					return nil, fault.New(fault.Invalid, "None of the build's sources is at %s.", at.Host)
				}
			}
			return &agentapi.Credential{Username: "mona", Password: agentapi.Bearer{Text: secret.New(canary)}, Host: host}, nil
		}
	}
}

const helperSpec = `
version: 0.2
env: {git-credential-helper: yes}
phases:
  build:
    commands:
      - git fetch -q origin && git push -q origin HEAD:refs/heads/pushed
      - git clone -q "$(dirname "$(git remote get-url origin)")/other.git" ../other && test -e ../other/other
      - git -c user.name=n -c user.email=e commit -q --allow-empty -m two && GIT_CURL_VERBOSE=1 GIT_TRACE_REDACT=0 git push origin HEAD:refs/heads/pushed
      - git remote get-url origin | sed 's,:.*,,; s/^/protocol=/' > q; git remote get-url origin | sed 's,.*//,,; s,/.*,,; s/^/host=/' >> q; echo path=octo/app >> q; cat q
      - git credential fill < q
      - git credential approve < q; git credential reject < q
      - sed 's/^host=.*/host=elsewhere.example/' q | GIT_TERMINAL_PROMPT=0 git credential fill 2>&1 | grep -v password
      - P=c4nary; if env | grep -q "${P}[T]0" || grep -rls --exclude=agent "${P}[T]0" "$HOME" "$CODEBUILD_SRC_DIR" "$CODEBUILD_SCRIPT_DIR" "$CODEBUILD_SCRIPT_DIR/../../readonly" /proc/[0-9]*/environ /proc/[0-9]*/cmdline; then exit 1; fi
`

func TestTheGitOfABuildLogsIn(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		p, work := provider(t, helperSpec)
		a, log := run(t, box, work, withLogins(p, func(agentapi.CredentialRequest) error { return nil }))
		if a.status() != api.StatusTypeSucceeded {
			t.Errorf("the build ends %s:\n%s", a.status(), log)
		}
		if !strings.Contains(log, "\npassword=***\n") || !strings.Contains(log, "git-credential-helper: None of the build's sources is at") && !strings.Contains(log, "could not read") {
			t.Errorf("the log lacks what git says:\n%s", log)
		}
		forms := []string{canary, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("mona:"+canary)), "=")}
		for _, form := range forms {
			if strings.Contains(log, form) {
				t.Error("the token is in the log")
			}
		}
		err := filepath.WalkDir(a.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			for _, form := range forms {
				if strings.Contains(string(text), form) {
					t.Errorf("the token is in %s", path)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestTheGitOfABuildThatMayNotLogIn(t *testing.T) {
	const fetch = "phases: {build: {commands: ['! GIT_TERMINAL_PROMPT=0 git fetch -q origin 2>/dev/null', 'test ! -e ~/.gitconfig']}}\n"
	for name, c := range map[string]struct {
		spec, says string
		refuse     error
	}{
		"the buildspec says nothing": {"version: 0.2\n" + fetch, "", fault.New(fault.Invalid, "nobody asked")},
		"the server refuses": {"version: 0.2\nenv: {git-credential-helper: yes}\n" + fetch, "] TIME git-credential-helper is not for strangers.",
			fault.New(fault.Invalid, "git-credential-helper is not for strangers.")},
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
				p, work := provider(t, c.spec)
				asked := 0
				a, log := run(t, box, work, withLogins(p, func(agentapi.CredentialRequest) error { asked++; return c.refuse }))
				if a.status() != api.StatusTypeSucceeded || !strings.Contains(a.steady(log), c.says) || asked > 1 {
					t.Errorf("the build ends %s, asked %d times:\n%s", a.status(), asked, log)
				}
			})
		})
	}
}

func TestABuildWithoutAProviderHasNoUseForLogins(t *testing.T) {
	a, log := run(t, agentapi.Sandbox{}, inline("version: 0.2\nenv: {git-credential-helper: yes}\nphases: {build: {commands: [\"true\"]}}\n"))
	if a.status() != api.StatusTypeSucceeded || !strings.Contains(log, "git-credential-helper has no effect") {
		t.Errorf("the build ends %s:\n%s", a.status(), log)
	}
}
