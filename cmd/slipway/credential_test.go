package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/source/sourcetest"
)

// tries runs a slipway command on the server's data folder and returns what it
// printed and its exit code.
func (s *serverProcess) tries(stdin string, args ...string) (out string, code int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(bin, "slipway"), append(args, "--data", s.data)...)
	cmd.Stdin = strings.NewReader(stdin)
	text, err := cmd.CombinedOutput()
	if err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			s.t.Fatalf("slipway %s: %v", strings.Join(args, " "), err)
		}
		code = exit.ExitCode()
	}
	return string(text), code
}

// expects runs a command and fails unless it ends with code and prints all of wants.
func (s *serverProcess) expects(code int, stdin string, args []string, wants ...string) string {
	s.t.Helper()
	out, got := s.tries(stdin, args...)
	if got != code {
		s.t.Errorf("slipway %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, want := range wants {
		if !strings.Contains(columns.ReplaceAllString(out, " "), columns.ReplaceAllString(want, " ")) {
			s.t.Errorf("slipway %s does not say %q:\n%s", strings.Join(args, " "), want, out)
		}
	}
	if strings.Contains(out, "ghp_") {
		s.t.Errorf("slipway %s shows a token:\n%s", strings.Join(args, " "), out)
	}
	return out
}

// columns are the gaps of tables, as wide as what stands in them.
var columns = regexp.MustCompile(` {2,}`)

func words(text string) []string { return strings.Fields(text) }

// TestCredentialCommands is what a person does with a token, from the first
// look to the last.
func TestCredentialCommands(t *testing.T) {
	ghes := newProvider(t)
	s := serve(t)
	s.gitProject("app", ghes.cloneURL)
	const arn = "arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise"
	web := strings.TrimSuffix(ghes.cloneURL, ".git")

	s.expects(0, "", words("credential list"), "There are no source credentials", "slipway credential import --server-type GITHUB --token-file FILE")
	s.expects(0, "", []string{"credential", "which", web}, web+" (GITHUB_ENTERPRISE)", "No credential serves this repository")

	t.Run("a token is imported and shown at once", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(ghes.token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.expects(0, "", words("credential import --server-type github_enterprise --expires 2099-12-31 --token-file "+file),
			"Imported.", "The account's default for GITHUB_ENTERPRISE: it works", "owner      ada", "scopes     repo", "expires    2099-12-31 (", "used by    app",
			"GitHub personal access token (classic)", "can clone: yes", "can report commit statuses: yes")
		s.expects(1, ghes.token, words("credential import --server-type GITHUB_ENTERPRISE --no-overwrite --token-file -"), "ResourceAlreadyExistsException")
	})
	t.Run("it is listed, shown and verified", func(t *testing.T) {
		s.expects(0, "", words("credential list"), "CREDENTIAL", "github_enterprise", "VALID", "ada", "app")
		s.expects(0, "", words("credential show "+arn), "it works", "arn        "+arn)
		s.expects(0, "", words("credential verify github_enterprise"), "can clone: yes", "tried at", "team/recipes")
		s.expects(0, "", []string{"credential", "verify", "github_enterprise", "--repository", web}, "can clone: yes")
		var out slipway.VerifyCredentialOutput
		if err := json.Unmarshal([]byte(s.expects(0, "", words("credential verify github_enterprise --output json"))), &out); err != nil || out.Credential.Health.State != slipway.CredentialStateValid {
			t.Errorf("as JSON: %+v, %v", out, err)
		}
	})
	t.Run("which shows the ladder", func(t *testing.T) {
		s.expects(0, "", []string{"credential", "which", web}, "This repository is served by the account's default, "+arn+".", "DEFAULT", "* serves it")
		s.expects(0, "", words("credential which --project app"), "* serves it")
		s.expects(1, "", words("credential which https://where.example/a/b"), "Which kind of source provider is at where.example is not known")
	})
	t.Run("a dry run says what each project would lose", func(t *testing.T) {
		ghes.AddToken(sourcetest.Token{Value: "ghp_statusonly", Login: "bob", Scopes: []string{"repo:status"}})
		s.expects(0, "ghp_statusonly", words("credential import --server-type GITHUB_ENTERPRISE --dry-run --token-file -"),
			"Nothing was imported. This would replace the token of "+arn, "owner    bob", "can clone: no", "app ("+web+")", "would lose: clone")
		s.expects(0, "", words("credential show github_enterprise"), "owner      ada")
	})
	t.Run("what a weak token lacks is named", func(t *testing.T) {
		s.expects(0, "ghp_statusonly", words("credential import --server-type GITHUB_ENTERPRISE --token-file -"),
			"Imported in place of the token before.", "it works, but not for everything", "can clone: no — ", "After that, check it again: slipway credential verify github_enterprise")
	})
	t.Run("a refused token is an exit code", func(t *testing.T) {
		ghes.RevokeToken("ghp_statusonly")
		s.expects(1, "", words("credential verify github_enterprise"), "it does not work", "can clone: no")
		s.expects(0, "", words("credential list"), "INVALID")
		out := s.expects(1, "", words("doctor"), "ERROR    credential GITHUB_ENTERPRISE: It does not work: ", "Used by the project app.", "Broken: 1")
		if strings.Contains(out, "slipway: exit code") {
			t.Errorf("the exit code is printed:\n%s", out)
		}
	})
	t.Run("a token of the wrong kind is imported with a word", func(t *testing.T) {
		s.expects(0, "glpat-x", words("credential import --server-type GITHUB_ENTERPRISE --token-file -"), "it does not work", "This is a token of GitLab, and the credential is for GitHub.", "--server-type GITLAB")
	})
	t.Run("deleting says who used it", func(t *testing.T) {
		s.expects(0, "", words("credential delete github_enterprise --dry-run"), "Nothing was deleted. Without "+arn, "app ("+web+")", "No other credential serves it", "would lose: report commit statuses")
		s.expects(0, "", words("credential show github_enterprise"))
		s.expects(0, "", words("credential delete github_enterprise"), "Deleted "+arn)
		s.expects(1, "", words("credential show github_enterprise"), "ResourceNotFoundException: There is no such source credential")
	})
	t.Run("a command line that is wrong says how it is right and shows no token", func(t *testing.T) {
		for args, want := range map[string]string{
			"credential import ghp_oops":                                               "the token comes from a file",
			"credential show":                                                          "needs one credential",
			"credential verify ghp_oops ghp_oops":                                      "needs one credential",
			"credential import --server-type svn --token-file -":                       "expected GITHUB",
			"credential import --server-type GITHUB":                                   "--token-file is missing",
			"credential import --server-type GITHUB --token-file - --expires tomorrow": "2027-05-31",
			"credential import --server-type GITHUB --token-file - --owner acme":       "give a --name",
			"credential which":                                                         "--project NAME",
			"credential list --output yaml":                                            "expected text or json",
			"doctor --output yaml":                                                     "expected text or json",
		} {
			s.expects(2, "", words(args), want)
		}
		s.expects(1, " \n", words("credential import --server-type GITHUB --token-file -"), "is empty")
		s.expects(1, "", words("credential show ghp_oops"), "There is no such source credential")
	})
	for _, token := range []string{ghes.token, "ghp_statusonly"} {
		if strings.Contains(s.printed(), token) {
			t.Error("a token is in the server's log")
		}
	}
}

// TestCredentialCheckModes holds what --credential-check changes of imports.
func TestCredentialCheckModes(t *testing.T) {
	ghes := newProvider(t)
	wrong := importInput("ghp_wrongwrongwrongwrongwrongwrongwrong00")
	t.Run("strict refuses what the provider refuses", func(t *testing.T) {
		s := serve(t, "--credential-check", "strict")
		s.gitProject("app", ghes.cloneURL)
		err := s.client.Call(t.Context(), api.CodeBuild, "ImportSourceCredentials", wrong, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "OAuthProviderException: Failed to verify the access token with server type GITHUB_ENTERPRISE. ") {
			t.Errorf("ImportSourceCredentials: %v", err)
		}
		s.expects(1, "ghp_wrong", words("credential import --server-type GITHUB_ENTERPRISE --token-file -"), "OAuthProviderException: Failed to verify")
		call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
	})
	t.Run("auto imports it and finds out by itself", func(t *testing.T) {
		s := serve(t)
		s.gitProject("app", ghes.cloneURL)
		call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", wrong)
		s.listed(t, slipway.CredentialStateInvalid)
		if log := s.printed(); !strings.Contains(log, `msg="source credential is refused"`) {
			t.Errorf("the log does not say so:\n%s", log)
		}
		resp, err := http.Get(s.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		want := `slipway_credential_state{arn="arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise",name="",server_type="GITHUB_ENTERPRISE",state="INVALID"} 1`
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("the metrics do not say %s: %v\n%s", want, err, body)
		}
	})
	t.Run("off asks nobody", func(t *testing.T) {
		s := serve(t, "--credential-check", "off")
		s.gitProject("app", ghes.cloneURL)
		asked := len(ghes.Requests())
		call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
		s.expects(0, "", words("credential list"), "UNCHECKED", "Check it now with 'slipway credential verify ")
		if n := len(ghes.Requests()); n != asked {
			t.Errorf("the provider was asked %d times", n-asked)
		}
	})
}

// listed waits until the only credential is in a state.
func (s *serverProcess) listed(t *testing.T, want slipway.CredentialState) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	late := time.After(time.Minute)
	for {
		var out slipway.ListCredentialsOutput
		if err := s.client.Call(t.Context(), slipway.Definition, "ListCredentials", &slipway.ListCredentialsInput{}, &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Credentials) == 1 && out.Credentials[0].Health.State == want {
			return
		}
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("after a minute the credential is %s", asJSON(t, out))
		}
	}
}
