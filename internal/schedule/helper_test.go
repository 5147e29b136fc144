package schedule_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/schedule"
)

// triggered makes a build one that a webhook started.
func triggered(t build.Trigger) func(*build.Build) ([]outbox.Item, error) {
	return func(b *build.Build) ([]outbox.Item, error) {
		b.State.Webhook = &t
		return nil, nil
	}
}

// The way is opened while sources are downloaded, before user code can ask for
// it, and leads to the hosts of the build's sources as long as the build lives.
func TestGitCredentialHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
		b.importCredential("BITBUCKET", api.AuthTypePersonalAccessToken, "", "ATCT_other")
		id := b.queue(func(in *api.StartBuildInput) {
			in.SecondarySourcesOverride = []api.ProjectSource{{Type: api.SourceTypeBitbucket, Location: new("https://bitbucket.org/octo/lib"), SourceIdentifier: new("lib")}}
		})
		synctest.Wait()
		a := b.runner.only(t)
		must(t, a.begin())
		ask := func(url string) (string, error) {
			got, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{Helper: true, URL: url})
			if err != nil {
				return "", err
			}
			return got.Password.Reveal() + "@" + got.Host, nil
		}
		refused := func(url, why string) {
			t.Helper()
			if got, err := ask(url); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), why) {
				t.Errorf("%q: %q, %v, want Invalid with %q", url, got, err, why)
			}
		}
		const app = "https://github.com/octo/app"
		refused(app, "git-credential-helper of the buildspec is not yes")
		if got, err := ask(""); err != nil || got != "@" {
			t.Fatalf("opening: %q, %v", got, err)
		}
		_, err := a.report(append(through(agentPhases[0]), enter(agentPhases[1]))...)
		must(t, err)
		for url, want := range map[string]string{
			app: "ghp_secret@github.com", "https://github.com/octo/other.git": "ghp_secret@github.com", "https://bitbucket.org/octo/lib.git": "ATCT_other@bitbucket.org",
		} {
			if got, err := ask(url); err != nil || got != want {
				t.Errorf("%s: %q, %v, want %q", url, got, err, want)
			}
		}
		refused("https://gitlab.com/octo/app", "None of the build's sources is at gitlab.com")
		refused("http://github.com/octo/app", "None of the build's sources is at github.com")
		refused("https://me:secret@github.com/octo/app", "without a login in them")
		refused("ssh://github.com/octo/app", "http:// and https://")
		refused("", "settled while sources are downloaded")
		if _, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("the fetch's own login after the fetch: %v", err)
		}
		_, err = a.report(leave(api.StatusTypeFailed), end(api.StatusTypeFailed))
		must(t, err)
		if _, err := ask(app); fault.KindOf(err) != fault.Gone {
			t.Errorf("after the end: %v, want Gone", err)
		}
		if journal := b.journal.String(); strings.Contains(journal, "ghp_secret") || strings.Count(journal, "source credential used") != 3 {
			t.Errorf("the log is\n%s", journal)
		}
	})
}

func TestGitCredentialHelperIsNotForStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		trigger build.Trigger
		refused string
	}{
		"a push to a private repository":       {build.Trigger{Event: "PUSH", Private: true}, ""},
		"a push to a public repository":        {build.Trigger{Event: "PUSH"}, "webhook of a public repository"},
		"a pull request from a fork":           {build.Trigger{Event: "PULL_REQUEST_CREATED", Fork: true, Private: true}, "pull requests from forks"},
		"somebody's retry of a forks's change": {build.Trigger{Event: "PULL_REQUEST_CREATED", Fork: true, Retried: true}, "pull requests from forks"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.behave = deaf
				b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
				id := b.queue()
				_, err := b.db.Builds().Update(t.Context(), id, triggered(c.trigger))
				must(t, err)
				synctest.Wait()
				a := b.runner.only(t)
				must(t, a.begin())
				_, err = b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{Helper: true})
				if c.refused == "" {
					must(t, err)
					return
				}
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), c.refused) {
					t.Errorf("opening: %v, want Invalid with %q", err, c.refused)
				}
				if _, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{Helper: true, URL: "https://github.com/octo/app"}); fault.KindOf(err) != fault.Invalid {
					t.Errorf("asking all the same: %v", err)
				}
			})
		})
	}
}
