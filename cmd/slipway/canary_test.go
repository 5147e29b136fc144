package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/api"
	"slipway/internal/secret"
)

// TestTokenIsFoundNowhere plants a token, builds a private repository with it
// and searches for it in every form a careless program would leave it in.
func TestTokenIsFoundNowhere(t *testing.T) {
	ghes := newProvider(t)
	ghes.commitFiles(t, map[string]string{"buildspec.yml": `version: 0.2
phases:
  build:
    commands:
      - env
      - cat /proc/self/environ /proc/1/environ | tr '\0' '\n' || true
      - ps auxeww || true
      - git config --list --show-origin || true
      - cat .git/config
      - git remote -v || true
      - find / -xdev -name '*.json' -path '*slipway*' 2>/dev/null || true
      - ls -laR /root /tmp /codebuild 2>/dev/null | head -500
`})
	s := serve(t, "--log-level", "debug")
	forms := formsOf(ghes.token)

	// Watch every process of this machine while the token is in use.
	seen := &sightings{forms: forms, where: map[string]bool{}}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { seen.watch(done) })

	call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
	s.gitProject("app", ghes.cloneURL)
	var answers bytes.Buffer
	id := s.build("app")
	b := s.finished(id)
	if b.BuildStatus != api.StatusTypeSucceeded {
		t.Fatalf("the build ended %s: %+v", b.BuildStatus, b.Phases)
	}
	close(done)
	watch.Wait()

	for _, answer := range []any{
		call[api.ListSourceCredentialsOutput](s, "ListSourceCredentials", &api.ListSourceCredentialsInput{}),
		call[api.BatchGetBuildsOutput](s, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{id}}),
		call[api.BatchGetProjectsOutput](s, "BatchGetProjects", &api.BatchGetProjectsInput{Names: []string{"app"}}),
	} {
		answers.WriteString(asJSON(t, answer))
	}
	log := s.log(b)
	if !strings.Contains(log, "CODEBUILD_BUILD_ID="+id) {
		t.Errorf("the build did not print its environment, so this test shows nothing:\n%s", log)
	}
	s.stop()
	seen.search(t, "the API's answers", answers.Bytes())
	seen.search(t, "the log", []byte(log))
	seen.search(t, "what the server and its agents printed", []byte(s.printed()))
	files := 0
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		seen.search(t, "the file "+path, text)
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("searched %d files of the data folder: %v", files, err)
	}
	for where := range seen.where {
		t.Errorf("the token was seen in %s", where)
	}
	if seen.processes == 0 {
		t.Error("no process was watched while the token was in use")
	}
}

// formsOf returns the token as it is and as programs encode it by habit.
func formsOf(token string) map[string]string {
	basic := "x-access-token:" + token
	return map[string]string{
		"the clear":              token,
		"URL-encoded form":       url.QueryEscape(token),
		"base64":                 base64.StdEncoding.EncodeToString([]byte(token)),
		"base64 of a basic auth": base64.StdEncoding.EncodeToString([]byte(basic)),
		"base64 for URLs":        base64.RawURLEncoding.EncodeToString([]byte(token)),
		"hexadecimal":            hex.EncodeToString([]byte(token)),
		"reverse":                reverse(token),
	}
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// sightings gathers where a token was seen.
type sightings struct {
	forms     map[string]string
	where     map[string]bool // only the watcher writes it until it has ended
	processes int
	own       bool // of environments only those of our own programs are read: user code has the secrets in its own
}

func (s *sightings) search(t *testing.T, place string, text []byte) {
	t.Helper()
	for form, needle := range s.forms {
		if bytes.Contains(text, []byte(needle)) {
			t.Errorf("%s holds the token in %s", place, form)
		}
	}
}

// watch reads the arguments and the environment of every process but this one,
// over and over, until done is closed.
func (s *sightings) watch(done chan struct{}) {
	self := "/proc/" + pid()
	for {
		select {
		case <-done:
			return
		default:
		}
		pids, _ := filepath.Glob("/proc/[0-9]*")
		for _, p := range pids {
			if p == self {
				continue
			}
			for _, file := range []string{"cmdline", "environ"} {
				if file == "environ" && s.own && !ours(p) {
					continue
				}
				text, err := os.ReadFile(filepath.Join(p, file))
				if err != nil {
					continue // it has ended, or is the kernel's
				}
				s.processes++
				for form, needle := range s.forms {
					if bytes.Contains(text, []byte(needle)) {
						args, _ := os.ReadFile(filepath.Join(p, "cmdline"))
						s.where[file+" of "+strings.ReplaceAll(string(args), "\x00", " ")+" in "+form] = true
					}
				}
			}
		}
	}
}

// ours reports whether a process is one of our programs.
func ours(process string) bool {
	args, _ := os.ReadFile(filepath.Join(process, "cmdline"))
	program, _, _ := strings.Cut(string(args), "\x00")
	return strings.HasPrefix(filepath.Base(program), "slipway")
}

func importInput(token string) any {
	return struct {
		ServerType string `json:"serverType"`
		AuthType   string `json:"authType"`
		Token      string `json:"token"`
	}{"GITHUB_ENTERPRISE", "PERSONAL_ACCESS_TOKEN", secret.New(token).Reveal()}
}
