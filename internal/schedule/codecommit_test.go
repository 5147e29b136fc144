package schedule_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/schedule"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// A signer signs with the location itself, or says no.
type signer struct{ no error }

func (s signer) Login(_ context.Context, location string) (source.SignedLogin, error) {
	if s.no != nil {
		return source.SignedLogin{}, s.no
	}
	return source.SignedLogin{User: secret.New("AKIA%session"), Password: secret.New("signed for " + location), KeyID: "AKIA"}, nil
}

func atCodeCommit(location string, submodules bool) func(*api.StartBuildInput) {
	return func(in *api.StartBuildInput) {
		in.SourceTypeOverride, in.SourceLocationOverride = api.SourceTypeCodecommit, &location
		in.GitSubmodulesConfigOverride = &api.GitSubmodulesConfig{FetchSubmodules: submodules}
	}
}

func TestCredentialOfCodeCommit(t *testing.T) {
	const at = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/"
	moved := source.Endpoints{"CODECOMMIT": "http://127.0.0.1:4000/x"}
	for _, c := range []struct {
		name      string
		build     func(*api.StartBuildInput)
		endpoints source.Endpoints
		no        error
		url       string // of a submodule
		host      string // of the login
		want      string // the password
		refused   string
	}{
		{name: "the source", build: atCodeCommit(at+"app", false), host: "git-codecommit.us-east-1.amazonaws.com", want: "signed for " + at + "app"},
		{name: "the source at an endpoint is signed for AWS", build: atCodeCommit(at+"app", false), endpoints: moved, host: "127.0.0.1:4000", want: "signed for " + at + "app"},
		{name: "no AWS credentials", build: atCodeCommit(at+"app", false), no: fault.New(fault.Invalid, "none here"), refused: "none here"},
		{name: "a submodule beside it", build: atCodeCommit(at+"app", true), url: at + "lib", host: "git-codecommit.us-east-1.amazonaws.com", want: "signed for " + at + "lib"},
		{name: "a submodule beside it at an endpoint", build: atCodeCommit(at+"app", true), endpoints: moved, url: "http://127.0.0.1:4000/x/v1/repos/lib.git", host: "127.0.0.1:4000", want: "signed for " + at + "lib"},
		{name: "a submodule in another region", build: atCodeCommit(at+"app", true), url: "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/lib"},
		{name: "a submodule at GitHub", build: atCodeCommit(at+"app", true), url: "https://github.com/octo/lib", host: "github.com", want: "ghp_secret"},
		{name: "a submodule of GitHub's at CodeCommit", build: withSubmodules(api.SourceTypeGithub, "https://github.com/octo/app"), url: at + "lib"},
		{name: "a submodule that is not to be fetched", build: atCodeCommit(at+"app", false), url: at + "lib", refused: "without submodules"},
		{name: "a submodule with a login", build: atCodeCommit(at+"app", true), url: "https://u:p@git-codecommit.us-east-1.amazonaws.com/v1/repos/lib", refused: "without a login in them"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{Endpoints: c.endpoints})
				b.stop()
				b.codeCommit = &signer{c.no}
				b.start()
				b.runner.behave = deaf
				b.importBound("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret", "github.com")
				id := b.queue(c.build)
				synctest.Wait()
				a := b.runner.only(t)
				must(t, a.begin())
				got, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{URL: c.url})
				if c.refused != "" {
					if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), c.refused) {
						t.Errorf("Credential: %v, want Invalid with %q", err, c.refused)
					}
					return
				}
				must(t, err)
				if got.Password.Reveal() != c.want || got.Host != c.host {
					t.Errorf("Credential = %q for %q, want %q for %q", got.Password.Reveal(), got.Host, c.want, c.host)
				}
			})
		})
	}
}

func TestWithoutASignerCodeCommitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue(atCodeCommit("https://git-codecommit.us-east-1.amazonaws.com/v1/repos/app", false))
		synctest.Wait()
		a := b.runner.only(t)
		must(t, a.begin())
		if _, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Credential: %v, want Invalid", err)
		}
	})
}
