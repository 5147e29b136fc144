package fetch_test

import (
	"encoding/base64"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"slipway/internal/agent/fetch"
)

// canaries are the forms in which the token may be somewhere.
func canaries() []string {
	all := []string{url.QueryEscape(canary), url.PathEscape(canary), strings.TrimPrefix(canary, "ghp_")}
	for _, token := range []string{canary, otherCanary} {
		all = append(all, token)
		for _, user := range []string{"", "mona:", "otto:", "x-access-token:"} {
			all = append(all, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(user+token)), "="))
		}
	}
	return all
}

func noSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, c := range canaries() {
		if strings.Contains(text, c) {
			t.Errorf("%s holds the token", where)
		}
	}
}

// noSecretBelow looks into every file below dir and returns how many there were.
func noSecretBelow(t *testing.T, dir string) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what vanishes while git works is not what stays
		}
		text, err := os.ReadFile(path)
		if err == nil {
			files++
			noSecret(t, path, string(text))
			noSecret(t, "the name of a file", path)
		}
		return nil
	})
	must(t, err)
	return files
}

// noSecretInProcesses looks at what every process of this machine shows of
// itself, and returns how many gits, and credential helpers' sockets in their
// environments, it saw.
func noSecretInProcesses(t *testing.T) (gits, sockets int) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, p := range processes {
		for _, what := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(filepath.Join(p, what))
			if err != nil {
				continue // it has ended
			}
			noSecret(t, filepath.Join(p, what), string(text))
			if what == "cmdline" && strings.Contains(string(text), "git\x00clone") {
				gits++
			}
			if what == "environ" && strings.Contains(string(text), "SLIPWAY_CREDENTIAL_SOCKET=") {
				sockets++
			}
		}
	}
	return gits, sockets
}

func TestTheTokenIsNowhereWhileAndAfterGitWorks(t *testing.T) {
	w, commit := withApp(t)
	s := w.source(t, "main")
	var looked atomic.Int32
	w.OnRequest(func(r *http.Request) {
		if _, password, ok := r.BasicAuth(); !ok || password != canary || !asksForObjects(r) {
			return
		}
		// git waits for our answer, and the token has been sent.
		looked.Add(1)
		gits, sockets := noSecretInProcesses(t)
		if gits == 0 || sockets == 0 {
			t.Errorf("saw %d gits and %d environments of git: the search finds nothing", gits, sockets)
		}
		noSecretBelow(t, w.launch.Dir) // HOME of git
		noSecretBelow(t, s.Dir)
	})
	result := w.fetched(t, s)
	if looked.Load() == 0 {
		t.Fatal("git never sent the token")
	}
	if result.Commits[0].Commit != commit {
		t.Errorf("commit %s, want %s", result.Commits[0].Commit, commit)
	}
	if files := noSecretBelow(t, filepath.Dir(s.Dir)); files < 10 {
		t.Errorf("looked into %d files only", files)
	}
}

func TestNoTokenIsAnywhereWhileSubmodulesAreFetched(t *testing.T) {
	w, other, _ := withOtherProvider(t)
	s := w.source(t, "main")
	s.Submodules = true
	var looked atomic.Int32
	look := func(r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok || !strings.HasSuffix(r.URL.Path, "git-upload-pack") || strings.Contains(r.URL.Path, "/app") {
			return
		}
		looked.Add(1)
		noSecretInProcesses(t)
		noSecretBelow(t, w.launch.Dir)
		noSecretBelow(t, s.Dir)
	}
	w.OnRequest(look)
	other.OnRequest(look)
	_, log := w.fetch(t, s)
	noSecret(t, "the log", log)
	if looked.Load() < 2 {
		t.Errorf("looked %d times, want it for each submodule", looked.Load())
	}
	noSecretBelow(t, s.Dir)
}

func TestTheRepositoryKeepsNothingOfOurs(t *testing.T) {
	w, _ := withApp(t)
	s := w.source(t, "")
	w.fetched(t, s)
	text, err := os.ReadFile(filepath.Join(s.Dir, ".git/config"))
	must(t, err)
	want := `[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
[remote "origin"]
	url = ` + w.CloneURL("octo", "app") + `
	fetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
	remote = origin
	merge = refs/heads/main
`
	if string(text) != want {
		t.Errorf(".git/config = %s\nwant %s", text, want)
	}
	noSecretBelow(t, s.Dir)
}

func TestARedirectIsNotFollowed(t *testing.T) {
	w, _ := withApp(t)
	thief := newProvider(t)
	away := strings.Replace(thief.URL(), "127.0.0.1", "localhost", 1)
	w.Redirect("octo/app", away+"/octo/app.git")
	message, _ := w.fails(t, w.source(t, "main"))
	if want := "repository moved for primary source and source version main: GitHub Enterprise Server at "; !strings.HasPrefix(message, want) {
		t.Errorf("message = %q, want it to begin with %q", message, want)
	}
	if want := " is at another host, " + strings.TrimPrefix(away, "http://") + ", to which no token of ours is sent"; !strings.Contains(message, want) || !strings.Contains(message, "location=<address>") {
		t.Errorf("message = %q, want %q in it", message, want)
	}
	if got := thief.Requests(); len(got) != 0 {
		t.Errorf("the redirect's target got %+v", got)
	}
}

func TestARedirectAfterTheLoginIsNotFollowed(t *testing.T) {
	w, _ := withApp(t)
	must(t, w.Rename("octo/app", "octo/renamed"))
	message, _ := w.fails(t, w.source(t, ""))
	for _, want := range []string{" is at " + w.CloneURL("octo", "renamed") + " now: it was renamed or moved", "aws codebuild update-project --name <project> --source type=GITHUB_ENTERPRISE,location=" + w.CloneURL("octo", "renamed")} {
		if !strings.HasPrefix(message, "repository moved for primary source: ") || !strings.Contains(message, want) {
			t.Errorf("message = %q, want %q in it", message, want)
		}
	}
	for _, r := range w.Requests() {
		if strings.Contains(r.Path, "renamed") {
			t.Errorf("the redirect was followed: %+v", r)
		}
	}
}

func TestTheAgentsGitVariablesDoNotReachGit(t *testing.T) {
	w, _ := withApp(t)
	trace := filepath.Join(t.TempDir(), "trace")
	for name, value := range map[string]string{
		"GIT_TRACE": trace, "GIT_TRACE_CURL": trace, "GIT_CURL_VERBOSE": "1", "GIT_TRACE_REDACT": "0", "GIT_TRACE2_ENV_VARS": "x",
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": "/tmp", "GIT_DIR": "/nowhere",
		"GIT_ASKPASS": "/bin/false", "GIT_SSL_NO_VERIFY": "1", "GIT_TEMPLATE_DIR": "/nowhere", "AWS_SECRET_ACCESS_KEY": "x",
	} {
		t.Setenv(name, value)
	}
	var once atomic.Bool
	w.OnRequest(func(*http.Request) {
		if once.Swap(true) {
			return
		}
		processes, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, p := range processes {
			text, _ := os.ReadFile(p)
			if strings.Contains(string(text), "SLIPWAY_CREDENTIAL_SOCKET="+w.launch.Dir) && (strings.Contains(string(text), "GIT_TRACE") || strings.Contains(string(text), "AWS_")) {
				t.Errorf("git's environment has %q", text)
			}
		}
	})
	w.fetched(t, w.source(t, "main"))
	if _, err := os.Stat(trace); err == nil {
		t.Error("git wrote a trace")
	}
}

// attack is a job whose one source is hostile in one way.
type attack struct {
	name   string
	change func(*fetch.Source)
	want   string
}

func TestHostileSourcesAreRefusedBeforeAnythingIsAsked(t *testing.T) {
	w, _ := withApp(t)
	version := func(v string) func(*fetch.Source) { return func(s *fetch.Source) { s.Version = v } }
	address := func(u string) func(*fetch.Source) { return func(s *fetch.Source) { s.URL, s.Location = u, u } }
	for _, c := range []attack{
		{"an option as version", version("--upload-pack=touch /tmp/x"), "reference not found for primary source and source version --upload-pack=touch /tmp/x: "},
		{"a short option as version", version("-u"), "reference not found for primary source and source version -u: "},
		{"two dots", version("main..topic"), "reference not found"},
		{"a space", version("main topic"), "reference not found"},
		{"a line break", version("main\nx"), "reference not found for primary source and source version main x: "},
		{"a NUL", version("main\x00"), "reference not found"},
		{"a colon", version("main:refs/heads/x"), "reference not found"},
		{"a glob", version("refs/heads/*"), "reference not found"},
		{"an expression", version("main~1"), "reference not found"},
		{"an expression in braces", version("main@{1}"), "reference not found"},
		{"a pin to what is no commit", version("main^{tree}"), "reference not found"},
		{"a pin without a reference", version("^{0123456789012345678901234567890123456789}"), "reference not found"},
		{"an option before a pin", version("--x^{0123456789012345678901234567890123456789}"), "reference not found"},
		{"a very long version", version(strings.Repeat("x", 5000)), "reference not found"},
		{"a file", address("file:///etc"), "invalid source location"},
		{"a path", address("/etc"), "invalid source location"},
		{"a program", address("ext::sh -c id"), "invalid source location"},
		{"SSH", address("ssh://git@github.com/o/r"), "invalid source location"},
		{"an option as address", address("--upload-pack=id"), "invalid source location"},
		{"a login in the address", address("https://x:" + canary + "@example.com/o/r"), "invalid source location"},
		{"no repository", address("https://example.com/"), "invalid source location"},
		{"a type that cannot be fetched", func(s *fetch.Source) { s.Type = "FTP" }, "source type FTP is not supported for primary source"},
		{"a pipeline's source without a pipeline", func(s *fetch.Source) { s.Type = "CODEPIPELINE" }, "no source for primary source: A source of type CODEPIPELINE is brought by a pipeline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.source(t, "")
			c.change(&s)
			message, log := w.fails(t, s)
			if !strings.HasPrefix(message, c.want) {
				t.Errorf("message = %q, want it to begin with %q", message, c.want)
			}
			if log != "" || w.asked > 0 || len(w.Requests()) > 0 {
				t.Errorf("log %q, %d logins asked for, %d requests: want none", log, w.asked, len(w.Requests()))
			}
		})
	}
}
