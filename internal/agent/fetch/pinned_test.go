package fetch_test

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"slipway/internal/api"
)

func TestPullRequestsByTheirNumber(t *testing.T) {
	w, h := withHistory(t)
	must(t, w.SetRef("octo", "app", "refs/merge-requests/7/head", h.merge))
	for kind, want := range map[api.SourceType]string{
		api.SourceTypeGithub: h.pull, api.SourceTypeGithubEnterprise: h.pull,
		api.SourceTypeGitlab: h.merge, api.SourceTypeGitlabSelfManaged: h.merge,
	} {
		for _, version := range []string{"pr/7", "pr/7^{" + want + "}"} {
			s := w.source(t, version)
			s.Type = kind
			if got := w.fetched(t, s).Commits[0].Commit; got != want {
				t.Errorf("%s of %s is %s, want %s", version, kind, got, want)
			}
		}
	}
	s := w.source(t, "pr/7")
	s.Type = api.SourceTypeBitbucket
	message, _ := w.fails(t, s)
	if want := "reference not found for primary source and source version pr/7: Bitbucket has no refs for pull requests: build the commit or the branch"; !strings.HasPrefix(message, want) {
		t.Errorf("message = %q, want it to begin with %q", message, want)
	}
}

// What is left of a pull request after its branch was rewritten, or merged and
// deleted: a commit that the provider still hands out by its id.
func TestAPinnedCommitThatIsNoLongerOnItsRef(t *testing.T) {
	w, h := withHistory(t)
	must(t, w.SetRef("octo", "app", "refs/heads/pushed", h.first)) // by force
	for _, c := range []struct{ name, version, says string }{
		{"a force push", "refs/heads/pushed^{" + h.topic + "}", "is no longer on refs/heads/pushed"},
		{"a deleted branch", "refs/heads/deleted^{" + h.topic + "}", "is no longer on refs/heads/deleted"},
		{"a deleted branch by its name", "deleted^{" + h.topic + "}", "is no longer on deleted"},
		{"a pull request that was pushed again", "pr/7^{" + h.topic + "}", "is no longer on refs/pull/7/head"},
	} {
		for _, depth := range []int{0, 1} {
			t.Run(c.name+" at depth "+strconv.Itoa(depth), func(t *testing.T) {
				s := w.source(t, c.version)
				s.Depth = depth
				result, log := w.fetch(t, s)
				if result.Failure != nil {
					t.Fatalf("Failure = %s", *result.Failure.Message)
				}
				if got := git(t, s.Dir, "rev-parse", "HEAD"); got != h.topic || result.Commits[0].Commit != h.topic {
					t.Errorf("HEAD = %s, told as %s, want %s", got, result.Commits[0].Commit, h.topic)
				}
				if depth == 1 {
					if got := git(t, s.Dir, "rev-list", "--count", "HEAD"); got != "1" {
						t.Errorf("%s commits, want 1", got)
					}
				}
				told := strings.Contains(log, c.says)
				if known := depth == 0 || strings.Contains(c.name, "deleted"); told != known || strings.Count(log, "\n") > 1 {
					t.Errorf("log = %q, told %v, want %v", log, told, known)
				}
			})
		}
	}
}

func TestAPinnedCommitThatIsGone(t *testing.T) {
	w, _ := withHistory(t)
	lost := strings.Repeat("12", 20)
	for _, c := range []struct {
		version string
		says    string
	}{
		{"refs/heads/main^{" + lost + "}", " has no commit " + lost + " on refs/heads/main any more, as after a force push or a squash merge, and does not hand it out by its id."},
		{"pr/7^{" + lost + "}", " has no commit " + lost + " on refs/pull/7/head any more"},
		{"refs/heads/deleted^{" + lost + "}", " has no refs/heads/deleted any more, as after its branch was deleted or its pull request merged, and does not hand out the commit " + lost + " by its id."},
	} {
		message, _ := w.fails(t, w.source(t, c.version))
		if !strings.Contains(message, c.says) || !strings.Contains(message, "Push the commit again, or build what is there now") {
			t.Errorf("%s: message = %q, want %q in it", c.version, message, c.says)
		}
	}
}

// advertisedOnly serves a copy of octo/app as the providers do that hand out
// what their refs lead to and no other commit.
func advertisedOnly(t *testing.T, w *world) (url string) {
	t.Helper()
	dir := t.TempDir()
	mirror := w.source(t, "")
	mirror.Dir = filepath.Join(t.TempDir(), "src")
	w.fetched(t, mirror)
	git(t, dir, "clone", "--quiet", "--mirror", mirror.Dir, filepath.Join(dir, "octo", "app.git"))
	git(t, filepath.Join(dir, "octo", "app.git"), "fetch", "--quiet", mirror.Dir, "+refs/remotes/origin/*:refs/heads/*")
	path, err := exec.LookPath("git")
	must(t, err)
	backend := &cgi.Handler{Path: path, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Del("Git-Protocol") // version 2 would hand out everything
		backend.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/octo/app.git"
}

func TestAProviderThatHandsOutNoCommitsByID(t *testing.T) {
	w, h := withHistory(t)
	url := advertisedOnly(t, w)
	w.login("")
	nothing := strings.Repeat("12", 20)
	for _, c := range []struct{ name, version, want string }{
		{"a commit below a tip", h.second, h.second},
		{"a pin at the tip", "refs/heads/main^{" + h.third + "}", h.third},
		{"a pin below the tip", "refs/heads/main^{" + h.second + "}", h.second},
		{"a pin that is on another branch", "refs/heads/main^{" + h.topic + "}", h.topic},
		{"a pin whose branch is gone", "refs/heads/deleted^{" + h.second + "}", h.second},
		{"a pin that is nowhere", "refs/heads/main^{" + nothing + "}", ""},
		{"a pin that is nowhere, nor is its branch", "refs/heads/deleted^{" + nothing + "}", ""},
		{"a commit that is nowhere", nothing, ""},
	} {
		for _, depth := range []int{0, 1} {
			t.Run(c.name+" at depth "+strconv.Itoa(depth), func(t *testing.T) {
				s := w.source(t, c.version)
				s.URL, s.Location, s.Depth = url, url, depth
				if c.want == "" {
					message, _ := w.fails(t, s)
					if !strings.HasPrefix(message, "reference not found for primary source and source version ") || !strings.Contains(message, url+" has no ") {
						t.Errorf("message = %q", message)
					}
					return
				}
				result, _ := w.fetch(t, s)
				if result.Failure != nil {
					t.Fatalf("Failure = %s", *result.Failure.Message)
				}
				if got := git(t, s.Dir, "rev-parse", "HEAD"); got != c.want {
					t.Errorf("HEAD = %s, want %s", got, c.want)
				}
				if c.name == "a pin at the tip" && depth == 1 {
					if got := git(t, s.Dir, "rev-list", "--count", "HEAD"); got != "1" {
						t.Errorf("%s commits, want 1", got)
					}
				}
			})
		}
	}
}
