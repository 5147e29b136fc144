package fetch_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/source/codecommit"
	"slipway/internal/source/sourcetest"
)

// atCodeCommit is a world whose provider is CodeCommit, with the repository
// app, and a source there whose login is made with a secret key at a time.
func atCodeCommit(t *testing.T, secretKey string, now time.Time) (*world, fetch.Source) {
	t.Helper()
	w := newWorld(t)
	p, err := sourcetest.New(sourcetest.Options{Dir: t.TempDir(), Server: "CODECOMMIT"})
	must(t, err)
	t.Cleanup(func() { p.Close() })
	at, err := p.Start("127.0.0.1:0")
	must(t, err)
	p.AddToken(sourcetest.Token{Login: "AKIACANARY", Value: "the secret key", Scopes: []string{"repo"}})
	must(t, p.CreateRepository("v1", "app", true))
	_, err = p.Commit("v1", "app", "main", map[string]string{"a": "x"}, "first")
	must(t, err)
	location := "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/app"
	load := func(context.Context) (aws.Config, error) {
		return aws.Config{Credentials: credentials.NewStaticCredentialsProvider("AKIACANARY", secretKey, canary)}, nil
	}
	login, err := codecommit.New(load, func() time.Time { return now }).Login(t.Context(), location)
	must(t, err)
	w.credential = agentapi.Credential{
		Username: login.User.Reveal(), Password: agentapi.Bearer{Text: login.Password}, Host: strings.TrimPrefix(at, "http://"), ARN: "the server's AWS access key " + login.KeyID,
	}
	return w, fetch.Source{
		Source: agentapi.Source{Type: api.SourceTypeCodecommit, URL: at + "/v1/repos/app", Location: location},
		Dir:    filepath.Join(t.TempDir(), "src"),
	}
}

func TestCodeCommitIsClonedWithASignature(t *testing.T) {
	w, s := atCodeCommit(t, "the secret key", time.Now())
	for _, version := range []string{"", "main"} {
		s.Version, s.Dir = version, filepath.Join(t.TempDir(), "src")
		if result := w.fetched(t, s); len(result.Commits) != 1 {
			t.Errorf("Commits = %v, want one", result.Commits)
		}
		noSecretBelow(t, s.Dir)
	}
}

func TestCodeCommitsRefusals(t *testing.T) {
	const what = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/app"
	for _, c := range []struct {
		name, key string
		now       time.Time
		change    func(*fetch.Source)
		want      string // the beginning of the message
	}{
		{"another key", "not the key", time.Now(), func(*fetch.Source) {}, "authorization failed for primary source: AWS CodeCommit at "},
		{"a clock that is wrong", "the secret key", time.Now().Add(-time.Hour), func(*fetch.Source) {}, "authorization failed for primary source: AWS CodeCommit at "},
		{"a pull request, which it has no refs for", "the secret key", time.Now(), func(s *fetch.Source) { s.Version = "pr/7" }, "reference not found for primary source and source version pr/7: " + what + " has no branch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, s := atCodeCommit(t, c.key, c.now)
			c.change(&s)
			message, log := w.fails(t, s)
			if !strings.HasPrefix(message, c.want) {
				t.Errorf("message = %q, want it to begin with %q", message, c.want)
			}
			if s.Version == "" && (!strings.Contains(message, "the server's AWS access key AKIACANARY") || !strings.Contains(message, "codecommit:GitPull")) {
				t.Errorf("message = %q, want it to name the key and what it needs", message)
			}
			if strings.Contains(message+log, canary) {
				t.Errorf("the session's token is in %q or %q", message, log)
			}
		})
	}
}
