package fetch_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/source/sourcetest"
)

const importing = "aws codebuild import-source-credentials --server-type GITHUB_ENTERPRISE --auth-type PERSONAL_ACCESS_TOKEN --token <token>"

// mishap is one way in which a fetch goes wrong.
type mishap struct {
	name    string
	happens func(t *testing.T, w *world, s *fetch.Source)
	reason  string   // the message's first words, before "for primary source"
	says    []string // what else is in the message
	log     string   // what is in the log
}

func TestAFailureSaysWhatHappenedAndWhatToDo(t *testing.T) {
	const other = "ghp_0ther000000000000000000000000000000000"
	for _, c := range []mishap{
		{
			"a wrong token", func(_ *testing.T, w *world, _ *fetch.Source) { w.login(other) },
			"authentication required", []string{"GitHub Enterprise Server at 127.0.0.1:", " refused the token of " + arn + " for http://127.0.0.1:", "/octo/app.git", "Invalid username or token", "Git says: \"fatal: Authentication failed for", "expired or revoked", importing},
			"fatal: Authentication failed",
		},
		{
			"a revoked token", func(_ *testing.T, w *world, _ *fetch.Source) { w.RevokeToken(canary) },
			"authentication required", []string{" refused the token of " + arn, importing}, "fatal: Authentication failed",
		},
		{
			"an expired token", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.AddToken(sourcetest.Token{Value: canary, Login: "mona", Scopes: []string{"repo"}, Expires: time.Now().Add(-time.Hour)})
			},
			"authentication required", []string{" refused the token of " + arn, "expired", importing}, "fatal: Authentication failed",
		},
		{
			"no token", func(_ *testing.T, w *world, _ *fetch.Source) { w.login("") },
			"authentication required", []string{"asks for a login", "no source credential for GITHUB_ENTERPRISE is imported", importing}, "terminal prompts disabled",
		},
		{
			"a token without the scope", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.AddToken(sourcetest.Token{Value: canary, Login: "mona"})
			},
			"repository not found", []string{"either there is no repository http://127.0.0.1:", "or the token of " + arn + " may not see it", "the same in both cases", "the scope repo", importing}, "Repository not found",
		},
		{
			"a repository that is not there", func(_ *testing.T, w *world, s *fetch.Source) { s.URL = w.CloneURL("octo", "nothing") },
			"repository not found", []string{"either there is no repository", "source location"}, "not found",
		},
		{
			"single sign-on", func(_ *testing.T, w *world, _ *fetch.Source) { w.SetPolicy("octo", sourcetest.Policy{SSO: true}) },
			"authorization failed", []string{"knows the token of " + arn, "SAML SSO", "single sign-on", importing}, "SAML SSO",
		},
		{
			"an organization that wants no classic tokens", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.SetPolicy("octo", sourcetest.Policy{ForbidClassic: true})
			},
			"authorization failed", []string{"Personal access tokens (classic) are forbidden", importing}, "403",
		},
		{
			"an empty repository", func(t *testing.T, w *world, s *fetch.Source) {
				must(t, w.CreateRepository("octo", "empty", true))
				s.URL, s.Location = w.CloneURL("octo", "empty"), w.CloneURL("octo", "empty")
			},
			"reference not found", []string{"/octo/empty.git is empty"}, "",
		},
		{
			"a host that does not listen", func(_ *testing.T, _ *world, s *fetch.Source) { s.URL = "http://127.0.0.1:1/octo/app.git" },
			"repository not reachable", []string{"127.0.0.1:1 could not be reached", "Failed to connect"}, "Failed to connect",
		},
		{
			"a host that does not exist", func(_ *testing.T, _ *world, s *fetch.Source) { s.URL = "https://host.invalid/octo/app.git" },
			"repository not reachable", []string{"host.invalid could not be reached", "Could not resolve host"}, "Could not resolve host",
		},
		{
			"a page instead of a repository", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.FailNext("POST */git-upload-pack", 200, "<html>\nsign in\n</html>\n", 1)
				w.FailNext("*/info/refs", 200, "<html>\nsign in\n</html>\n", 1)
			},
			"repository not found", []string{"does not answer as a Git repository does", "source location"}, "not valid",
		},
		{
			"a provider that stays broken", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.FailNext("*/octo/app.git/*", 503, "try later", 4)
			},
			"repository not reachable", []string{"could not serve", "try later", "503", "later"}, "503",
		},
		{
			"a login that belongs to another host", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.credential.Host = "ghe.example"
			},
			"authentication required", []string{"the token of " + arn + " is sent to ghe.example only"}, "terminal prompts disabled",
		},
		{
			"a login whose scheme is another", func(_ *testing.T, w *world, s *fetch.Source) {
				// The same host over another port is another host.
				w.credential.Host = "127.0.0.1"
			},
			"authentication required", []string{"is sent to 127.0.0.1 only"}, "",
		},
		{
			"a credential that the server refuses to give", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.refuse(fault.New(fault.Invalid, "SECRETS_MANAGER credentials cannot be used yet."))
			},
			"authentication failed", []string{"SECRETS_MANAGER credentials cannot be used yet."}, "",
		},
		{
			"words that repeat the token", func(_ *testing.T, w *world, _ *fetch.Source) {
				w.FailNext("*/octo/app.git/*", 403, "you sent "+canary, 2)
			},
			"authorization failed", []string{"you sent ***"}, "you sent ***",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := withApp(t)
			s := w.source(t, "")
			c.happens(t, w, &s)
			message, log := w.fails(t, s)
			t.Log(message)
			if want := c.reason + " for primary source: "; !strings.HasPrefix(message, want) {
				t.Errorf("it does not begin with %q", want)
			}
			for _, want := range c.says {
				if !strings.Contains(message, want) {
					t.Errorf("it lacks %q", want)
				}
			}
			if !strings.Contains(log, c.log) {
				t.Errorf("log = %q, want %q in it", log, c.log)
			}
			if left, _ := os.ReadDir(s.Dir); len(left) > 0 && c.reason != "reference not found" {
				t.Errorf("%d files are left in the source's directory", len(left))
			}
		})
	}
}

func TestAFailureOfACloudNamesItAlone(t *testing.T) {
	w, _ := withApp(t)
	for kind, want := range map[api.SourceType]string{
		api.SourceTypeGithub: "GitHub at 127.0.0.1:", api.SourceTypeBitbucket: "Bitbucket at 127.0.0.1:",
		api.SourceTypeGitlab: "GitLab at 127.0.0.1:", api.SourceTypeGitlabSelfManaged: "GitLab at 127.0.0.1:",
	} {
		w.login("")
		s := w.source(t, "")
		s.Type, s.Location = kind, "https://mona:"+canary+"@example.com/octo/app"
		message, _ := w.fails(t, s)
		for _, want := range []string{want, " https://example.com/octo/app", "--server-type " + string(kind) + " "} {
			if !strings.Contains(message, want) {
				t.Errorf("%s: message = %q, want %q in it", kind, message, want)
			}
		}
	}
}

func TestAProviderThatIsBusyForAMomentIsAskedAgain(t *testing.T) {
	w, commit := withApp(t)
	w.FailNext("*/git-upload-pack", 503, "try later", 1)
	w.FailNext("*/info/refs", 503, "try later", 1)
	w.FailNext("*/git-upload-pack", 429, "slow down", 1)
	if got := w.fetched(t, w.source(t, "")); got.Commits[0].Commit != commit {
		t.Errorf("commit %s, want %s", got.Commits[0].Commit, commit)
	}
}

func TestAServerThatRestartsIsAskedAgain(t *testing.T) {
	w, _ := withApp(t)
	w.refuse(fault.New(fault.Unavailable, "starting"), errors.New("not now"))
	w.fetched(t, w.source(t, ""))
	if w.asked != 3 {
		t.Errorf("asked %d times, want 3", w.asked)
	}
}

func TestABuildThatIsGoneEndsTheFetch(t *testing.T) {
	w, _ := withApp(t)
	w.refuse(fault.New(fault.Gone, "another attempt has it"))
	_, err := fetch.Run(t.Context(), self(), w.job(w.source(t, "")), new(strings.Builder))
	if !errors.Is(err, agentapi.ErrGone) {
		t.Errorf("Run = %v, want ErrGone", err)
	}
	w.leavesNothing(t)
	if got := w.Requests(); len(got) > 0 {
		t.Errorf("the provider got %+v", got)
	}
}

// A token that an organization refuses does not stand in the way of what anybody
// may read: without it, git is sent what it asks for.
func TestAPublicRepositoryIsFetchedThoughItsTokenIsRefused(t *testing.T) {
	for name, policy := range map[string]sourcetest.Policy{"a list of addresses": {IPAllowList: true}, "single sign-on": {SSO: true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must(t, w.CreateRepository("octo", "app", false))
			w.commit(t, "main", "README.md")
			w.SetPolicy("octo", policy)
			w.fetched(t, w.source(t, ""))
			for _, r := range w.Requests() {
				if r.Authorization && r.Status < 400 {
					t.Errorf("the token was not refused: %+v", r)
				}
			}
		})
	}
}

func TestAPublicRepositoryNeedsNoToken(t *testing.T) {
	w := newWorld(t)
	w.login("")
	must(t, w.CreateRepository("octo", "app", false))
	w.commit(t, "main", "README.md")
	w.fetched(t, w.source(t, ""))
}

func TestTLS(t *testing.T) {
	w, commit := withApp(t)
	secure := httptest.NewTLSServer(http.Handler(w.Server))
	secure.Config.ErrorLog = nil
	t.Cleanup(secure.Close)
	w.credential.Host = strings.TrimPrefix(secure.URL, "https://")
	source := func() fetch.Source {
		s := w.source(t, "main")
		s.URL = secure.URL + "/octo/app.git"
		s.Location = s.URL
		return s
	}

	message, log := w.fails(t, source())
	if want := "Git clone failed: unable to access '" + secure.URL + "/octo/app.git': SSL certificate problem: "; !strings.HasPrefix(message, want) {
		t.Errorf("message = %q, want it to begin with %q", message, want)
	}
	for _, want := range []string{"insecureSsl", "SSL_CERT_FILE", "slipway credential import --name octo --server-type GITHUB_ENTERPRISE --host 127.0.0.1:", "--ca-file <file>"} {
		if !strings.Contains(message, want) {
			t.Errorf("message = %q, want %q in it", message, want)
		}
	}
	if log == "" {
		t.Error("the log is empty")
	}

	s := source()
	s.Insecure = true
	got, log := w.fetch(t, s)
	if got.Failure != nil || got.Commits[0].Commit != commit {
		t.Errorf("unchecked: %+v, want %s", got, commit)
	}
	if want := "The certificate of " + w.credential.Host + " is not checked: the project's source sets insecureSsl"; !strings.HasPrefix(log, want) {
		t.Errorf("log = %q, want %q in it", log, want)
	}

	bundle := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	t.Setenv("SSL_CERT_FILE", bundle)
	w.fetched(t, source())
}

func TestAHelperThatIsNotAsked(t *testing.T) {
	for _, c := range []struct {
		args   []string
		socket string
		want   int
	}{
		{[]string{"store"}, "", 0},
		{[]string{"erase"}, "", 0},
		{nil, "", 0},
		{[]string{"get"}, "", 1},
		{[]string{"get"}, filepath.Join(t.TempDir(), "none"), 1},
	} {
		t.Setenv("SLIPWAY_CREDENTIAL_SOCKET", c.socket)
		var out strings.Builder
		if got := fetch.CredentialHelper(c.args, strings.NewReader("protocol=https\nhost=x\n"), &out); got != c.want || out.Len() > 0 {
			t.Errorf("CredentialHelper(%v) = %d, printing %q, want %d and nothing", c.args, got, out.String(), c.want)
		}
	}
}
