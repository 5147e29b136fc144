package sourcetest_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/source/sourcetest"
)

// git runs the real git with nothing of this machine's configuration, and with
// token as password for everything, if there is one.
func git(t *testing.T, token string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=T", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=T", "GIT_COMMITTER_EMAIL=t@example.com",
	}
	if token != "" {
		cmd.Env = append(cmd.Env, "TOKEN="+token, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=credential.helper",
			`GIT_CONFIG_VALUE_0=!f() { echo username=anyone; echo "password=$TOKEN"; }; f`)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestCloneAsGitHubAllowsIt(t *testing.T) {
	s, _, _ := start(t)
	for _, c := range []struct{ name, repo, token, want string }{
		{"a private repository with the scope", "app", full, ""},
		{"a private repository with a fine-grained token", "app", fineRead, ""},
		{"a private repository without a token", "app", "", "could not read Username"},
		{"a wrong token", "app", unknown, "Invalid username or token"},
		{"an expired token", "app", expired, "Authentication failed"},
		{"a wrong token that git is not asked for", "site", unknown, ""},
		{"a token without the scope", "app", noScopes, "Repository not found"},
		{"a token that does not reach it", "app", elsewhere, "Repository not found"},
		{"a public repository without a token", "site", "", ""},
		{"a repository that is not there", "nothing", full, "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := git(t, c.token, "clone", "-q", s.CloneURL("octo", c.repo), "work")
			if (err == nil) != (c.want == "") || !strings.Contains(out, c.want) {
				t.Errorf("git clone = %v\n%s\nwant %q", err, out, c.want)
			}
		})
	}
}

func TestGitHearsOfPolicies(t *testing.T) {
	s, _, _ := start(t)
	s.SetPolicy("octo", sourcetest.Policy{SSO: true})
	if out, err := git(t, full, "ls-remote", s.CloneURL("octo", "app")); err == nil || !strings.Contains(out, "SAML SSO") {
		t.Errorf("git ls-remote = %v %s", err, out)
	}
}

func TestPushAndFetch(t *testing.T) {
	s, _, _ := start(t)
	work := filepath.Join(t.TempDir(), "work")
	run := func(token string, args ...string) string {
		t.Helper()
		out, err := git(t, token, args...)
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(out)
	}
	run(full, "clone", "-q", s.CloneURL("octo", "app"), work)
	big := make([]byte, 3<<20) // larger than git sends in one piece: the request is chunked
	_, _ = rand.Read(big)
	must(t, os.WriteFile(filepath.Join(work, "big"), big, 0o600))
	run("", "-C", work, "add", "big")
	run("", "-C", work, "commit", "-q", "-m", "big")
	run(full, "-C", work, "push", "-q", "origin", "HEAD:refs/heads/topic")
	if got := ask(t, "GET", s.URL()+"/repos/octo/app/commits/topic", full, "", "Accept", "application/vnd.github.sha").text; got != run("", "-C", work, "rev-parse", "HEAD") {
		t.Errorf("topic at the provider = %q", got)
	}
	if out, err := git(t, fineRead, "-C", work, "push", "-q", "origin", "HEAD:refs/heads/other"); err == nil || !strings.Contains(out, "Permission to octo/app.git denied to mona") {
		t.Errorf("push with a token that only reads = %v %s", err, out)
	}
	if out, err := git(t, full, "-C", work, "push", "-q", "origin", "HEAD:refs/pull/1/head"); err == nil {
		t.Errorf("push to refs/pull was accepted: %s", out)
	}
	pull, err := s.Commit("octo", "app", "refs/pull/1/head", map[string]string{"pull": "1"}, "pull")
	must(t, err)
	run(full, "-C", work, "fetch", "-q", "--depth=1", "origin", pull) // as at GitHub, by commit id
	run(full, "-C", work, "fetch", "-q", "origin", "refs/pull/1/head")
}

func TestCommitsKeepHistoryTagsAndModes(t *testing.T) {
	s, first, _ := start(t)
	second, err := s.Commit("octo", "app", "main", map[string]string{"run.sh": "#!/bin/sh\n", `odd "name"`: "x"}, "second")
	must(t, err)
	topic, err := s.Commit("octo", "app", "topic", map[string]string{"t": "t"}, "topic")
	must(t, err)
	must(t, s.Tag("octo", "app", "v1", first, ""))
	must(t, s.Tag("octo", "app", "v2", second, "annotated"))
	must(t, s.SetRef("octo", "app", "refs/pull/9/head", topic))
	out, err := git(t, full, "ls-remote", s.CloneURL("octo", "app"))
	must(t, err)
	for _, want := range []string{second + "\tHEAD", first + "\trefs/tags/v1", second + "\trefs/tags/v2^{}", topic + "\trefs/heads/topic", topic + "\trefs/pull/9/head"} {
		if !strings.Contains(out, want) {
			t.Errorf("ls-remote lacks %q:\n%s", want, out)
		}
	}
	work := filepath.Join(t.TempDir(), "work")
	_, err = git(t, full, "clone", "-q", "-b", "topic", s.CloneURL("octo", "app"), work)
	must(t, err)
	out, err = git(t, "", "-C", work, "log", "--format=%H %an", "topic")
	must(t, err)
	if want := topic + " Slipway\n" + second + " Slipway\n" + first + " Slipway\n"; out != want {
		t.Errorf("log = %q, want %q", out, want)
	}
	if info, err := os.Stat(filepath.Join(work, "run.sh")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("run.sh is not executable: %v %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(work, `odd "name"`)); err != nil {
		t.Error(err)
	}
}

func TestRedirectsOfGit(t *testing.T) {
	s, _, _ := start(t)
	must(t, s.Rename("octo/app", "octo/moved"))
	s.Redirect("octo/away", "http://localhost:1/else/where.git")
	for _, c := range []struct{ path, token, want string }{
		{"/octo/app.git/info/refs?service=git-upload-pack", full, s.URL() + "/octo/moved.git/info/refs?service=git-upload-pack"},
		{"/octo/away.git/info/refs?service=git-upload-pack", "", "http://localhost:1/else/where.git/info/refs?service=git-upload-pack"},
	} {
		if a := ask(t, "GET", s.URL()+c.path, c.token, ""); a.StatusCode != 301 || a.Header.Get("Location") != c.want {
			t.Errorf("%s = %d to %q, want 301 to %q", c.path, a.StatusCode, a.Header.Get("Location"), c.want)
		}
	}
	if a := ask(t, "GET", s.URL()+"/octo/app.git/info/refs?service=git-upload-pack", "", ""); a.StatusCode != 401 || a.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("a renamed private repository for strangers = %d, want 401", a.StatusCode)
	}
}

func TestOnlySmartGitIsServed(t *testing.T) {
	s, _, _ := start(t)
	for path, want := range map[string]int{
		"/octo/site.git/info/refs":                         403,
		"/octo/site.git/HEAD":                              404,
		"/octo/site.git/objects/info/packs":                404,
		"/octo/site.git/config":                            404,
		"/octo/site.git/git-upload-pack":                   404, // GET
		"/octo/site/info/refs?service=git-upload-pack":     200, // without .git
		"/octo/site.git/info/refs?service=git-upload-pack": 200,
	} {
		if a := ask(t, "GET", s.URL()+path, "", ""); a.StatusCode != want {
			t.Errorf("%s = %d, want %d", path, a.StatusCode, want)
		}
	}
}

func TestAWrongTokenIsRefusedForPublicRepositoriesToo(t *testing.T) {
	s, _, _ := start(t)
	if a := ask(t, "GET", s.URL()+"/octo/site.git/info/refs?service=git-upload-pack", unknown, ""); a.StatusCode != 401 {
		t.Errorf("= %d %s, want 401", a.StatusCode, a.text)
	}
}

func TestServesManyAtOnce(t *testing.T) {
	s, app, _ := start(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := s.Commit("octo", "app", "main", map[string]string{"f": rand.Text()}, "more"); err != nil {
				t.Error(err)
			}
			if a := ask(t, "POST", s.URL()+"/repos/octo/app/statuses/"+app, full, `{"state":"success"}`); a.StatusCode != 201 {
				t.Errorf("POST = %d %s", a.StatusCode, a.text)
			}
			if out, err := git(t, full, "ls-remote", s.CloneURL("octo", "app")); err != nil {
				t.Errorf("ls-remote: %v %s", err, out)
			}
			s.Requests()
		})
	}
	wg.Wait()
	if got := len(s.Statuses("octo", "app", app)); got != 4 {
		t.Errorf("%d statuses, want 4", got)
	}
}
