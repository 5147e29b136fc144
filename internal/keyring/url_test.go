package keyring_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/keyring"
	"slipway/internal/seal"
	"slipway/internal/secret"
	"slipway/internal/store"
)

// A credential without a host is one that was imported and not used yet: a
// stranger's URL must not be its first use.
func TestAURLBindsNoCredential(t *testing.T) {
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	var journal bytes.Buffer
	ring := keyring.New(db.Credentials(), keys, slog.New(slog.NewTextHandler(&journal, nil)), keyring.Options{})
	put := func(server api.ServerType, token string, hosts ...string) {
		t.Helper()
		sealed, err := credential.Seal(credential.Credential{About: credential.About{
			Scope: scope, ARN: scope.Token(string(server)), ServerType: server, AuthType: api.AuthTypePersonalAccessToken, Hosts: hosts,
			Created: time.Now(), Modified: time.Now(),
		}, Token: secret.New(token)}, keys)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Credentials().Put(t.Context(), sealed, true); err != nil {
			t.Fatal(err)
		}
	}
	find := func(url string) (keyring.Found, error) {
		return ring.FindURL(t.Context(), keyring.Need{Scope: scope, Location: url, Purpose: slipway.CredentialPurposeFetch, BuildID: "app:1"})
	}
	wants := func(url, want string) {
		t.Helper()
		found, err := find(url)
		if err != nil || found.Login.Token.Reveal() != want {
			t.Errorf("FindURL(%s): the login of %q, %v, want %q", url, found.ARN, err, want)
		}
		if want == "" && (found.ARN != "" || found.Host == "") {
			t.Errorf("FindURL(%s) = %q at %q, want a host alone", url, found.ARN, found.Host)
		}
	}

	wants("https://github.com/octo/lib", "")
	put(api.ServerTypeGithub, "ghp_cloud")
	put(api.ServerTypeGithubEnterprise, "ghp_enterprise")
	wants("https://github.com/octo/lib", "ghp_cloud")
	wants("https://ghe.example/octo/lib", "")
	wants("https://ghe.example/octo/lib", "")

	journal.Reset()
	put(api.ServerTypeGithubEnterprise, "ghp_enterprise", "ghe.example")
	put(api.ServerTypeGitlabSelfManaged, "glpat-x", "gitlab.example:8443", "gitlab.example/below")
	for url, want := range map[string]string{
		"https://ghe.example/octo/lib":               "ghp_enterprise",
		"https://GHE.example:443/octo/lib":           "ghp_enterprise",
		"https://ghe.example:444/octo/lib":           "",
		"http://ghe.example/octo/lib":                "",
		"https://ghe.example.evil.example/octo/lib":  "",
		"https://gitlab.example:8443/a/b/c/lib.git":  "glpat-x",
		"https://gitlab.example/below/a/b/c/lib.git": "glpat-x",
		"https://gitlab.example/a/b/c/lib.git":       "",
		"https://gitlab.example/belowx/lib.git":      "",
	} {
		wants(url, want)
	}
	if used := strings.Count(journal.String(), "source credential used"); used != 4 {
		t.Errorf("%d uses are recorded, want 4\n%s", used, &journal)
	}
	for _, url := range []string{"https://github.com@evil.example/o/r", "https://github.com/o/r?x=y", "https://github.com/o/r#x", "/etc/passwd", "https://[::1/o/r", ""} {
		if found, err := find(url); fault.KindOf(err) != fault.Invalid || !found.Login.IsZero() {
			t.Errorf("FindURL(%q): %v, want Invalid", url, err)
		}
	}
}
