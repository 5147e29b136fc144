package schedule_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/build"
	"slipway/internal/build/event"
	"slipway/internal/credential"
	"slipway/internal/fault"
	"slipway/internal/outbox"
	"slipway/internal/schedule"
	"slipway/internal/secret"
	"slipway/internal/source"
)

// relocate is a project edited by somebody who may not read its token.
func relocate(location string) func(*build.Build) ([]outbox.Item, error) {
	return func(b *build.Build) ([]outbox.Item, error) {
		b.Public.Source.Location = &location
		return nil, nil
	}
}

// importCredential stores a source credential as ImportSourceCredentials does.
func (b *bench) importCredential(server api.ServerType, auth api.AuthType, username, token string) {
	b.t.Helper()
	sealed, err := credential.Seal(credential.Credential{About: credential.About{
		Scope: scope, ARN: scope.Token(string(server)), ServerType: server, AuthType: auth, Username: username,
		Created: time.Now(), Modified: time.Now(),
	}, Token: secret.New(token)}, b.keys)
	must(b.t, err)
	must(b.t, b.db.Credentials().Put(b.t.Context(), sealed, true))
}

func override(t api.SourceType, location string) func(*api.StartBuildInput) {
	return func(in *api.StartBuildInput) {
		in.SourceTypeOverride, in.SourceLocationOverride = t, &location
		in.ReportBuildStatusOverride = new(false)
	}
}

// importReference stores a source credential that says where the token is.
func (b *bench) importReference(server api.ServerType, auth api.AuthType, arn string) {
	b.t.Helper()
	c, err := credential.New(scope, &api.ImportSourceCredentialsInput{ServerType: server, AuthType: auth, Token: secret.New(arn)}, time.Now())
	must(b.t, err)
	b.importNamed(c)
}

// importNamed stores a credential as it is.
func (b *bench) importNamed(c credential.Credential) {
	b.t.Helper()
	sealed, err := credential.Seal(c, b.keys)
	must(b.t, err)
	must(b.t, b.db.Credentials().Put(b.t.Context(), sealed, true))
}

// team is a named credential that serves only who names it.
func team() credential.Credential {
	c, err := credential.NewNamed(scope, &slipway.ImportCredentialInput{Name: "team", ServerType: "GITHUB", AuthType: "PERSONAL_ACCESS_TOKEN", Token: secret.New("ghp_team")}, time.Now())
	if err != nil {
		panic(err)
	}
	return c
}

const (
	connectionARN = "arn:aws:codeconnections:us-east-1:000000000000:connection/11111111-2222-3333-4444-555555555555"
	secretARN     = "arn:aws:secretsmanager:us-east-1:000000000000:secret:github-AbCdEf"
)

// names makes the source name a connection.
func names(arn string) func(*api.StartBuildInput) {
	return func(in *api.StartBuildInput) {
		in.SourceAuthOverride = &api.SourceAuth{Type: api.SourceAuthTypeCodeconnections, Resource: &arn}
	}
}

func TestCredential(t *testing.T) {
	type login struct{ Username, Password, Host, ARN string }
	tests := []struct {
		name       string
		build      func(*api.StartBuildInput)
		imports    func(*bench)
		project    func(*build.Build) ([]outbox.Item, error) // what StartBuild cannot say
		identifier string
		want       login
		refused    string
	}{
		{name: "GitHub", build: func(*api.StartBuildInput) {},
			imports: func(b *bench) {
				b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
				b.importCredential("BITBUCKET", api.AuthTypePersonalAccessToken, "", "ATCT_other")
			},
			want: login{"x-access-token", "ghp_secret", "github.com", scope.Token("GITHUB")}},
		{name: "GitHub Enterprise Server on a port", build: override(api.SourceTypeGithubEnterprise, "http://ghe.example:8080/o/r"),
			imports: func(b *bench) {
				b.importCredential("GITHUB_ENTERPRISE", api.AuthTypePersonalAccessToken, "", "ghp_enterprise")
			},
			want: login{"x-access-token", "ghp_enterprise", "ghe.example:8080", scope.Token("GITHUB_ENTERPRISE")}},
		{name: "Bitbucket with an access token", build: override(api.SourceTypeBitbucket, "https://bitbucket.org/ws/r"),
			imports: func(b *bench) { b.importCredential("BITBUCKET", api.AuthTypePersonalAccessToken, "", "ATCT_x") },
			want:    login{"x-token-auth", "ATCT_x", "bitbucket.org", scope.Token("BITBUCKET")}},
		{name: "Bitbucket with a user name", build: override(api.SourceTypeBitbucket, "https://bitbucket.org/ws/r"),
			imports: func(b *bench) { b.importCredential("BITBUCKET", api.AuthTypeBasicAuth, "me", "password") },
			want:    login{"me", "password", "bitbucket.org", scope.Token("BITBUCKET")}},
		{name: "nothing imported", build: func(*api.StartBuildInput) {}, imports: func(*bench) {}},
		{name: "only another provider's imported", build: func(*api.StartBuildInput) {},
			imports: func(b *bench) { b.importCredential("GITHUB_ENTERPRISE", api.AuthTypePersonalAccessToken, "", "x") }},
		{name: "a secret's ARN imported", build: func(*api.StartBuildInput) {},
			imports: func(b *bench) { b.importReference("GITHUB", api.AuthTypeSecretsManager, secretARN) },
			refused: "Access denied to secret " + secretARN + ". Slipway holds no credential with this ARN"},
		{name: "a source that names a connection that is not here", build: names(connectionARN),
			imports: func(b *bench) { b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret") },
			refused: "Access denied to connection " + connectionARN + ". Slipway holds no credential with this ARN"},
		{name: "a source that names a credential of ours", build: names(team().ConnectionARN),
			imports: func(b *bench) {
				b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
				b.importNamed(team())
			},
			want: login{"x-access-token", "ghp_team", "github.com", team().ARN}},
		{name: "a primary source that names one for all", build: func(in *api.StartBuildInput) {
			in.SourceTypeOverride, in.SourceLocationOverride, in.ReportBuildStatusOverride = api.SourceTypeNoSource, new(""), nil
			in.BuildspecOverride = new("version: 0.2")
			in.SecondarySourcesOverride = []api.ProjectSource{{Type: api.SourceTypeGithub, Location: new("https://github.com/octo/lib.git"), SourceIdentifier: new("lib")}}
		}, imports: func(b *bench) { b.importNamed(team()) }, identifier: "lib",
			project: func(b *build.Build) ([]outbox.Item, error) {
				b.Public.Source.Auth = &api.SourceAuth{Type: api.SourceAuthTypeCodeconnections, Resource: new(team().ConnectionARN)}
				return nil, nil
			},
			want: login{"x-access-token", "ghp_team", "github.com", team().ARN}},
		{name: "a token bound to another host", build: override(api.SourceTypeGithubEnterprise, "https://evil.example/o/r"),
			imports: func(b *bench) {
				b.importCredential("GITHUB_ENTERPRISE", api.AuthTypePersonalAccessToken, "", "ghp_enterprise")
				_, err := b.db.Credentials().BindHosts(b.t.Context(), scope.Token("GITHUB_ENTERPRISE"), "ghe.example")
				must(b.t, err)
			},
			refused: "is bound to ghe.example and is not sent to evil.example."},
		{name: "an unknown source", build: func(*api.StartBuildInput) {}, imports: func(*bench) {}, identifier: "nope", refused: "no such source"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.behave = deaf
				tt.imports(b)
				id := b.queue(tt.build)
				if tt.project != nil {
					_, err := b.db.Builds().Update(t.Context(), id, tt.project)
					must(t, err)
				}
				synctest.Wait()
				a := b.runner.only(t)
				must(t, a.begin())
				got, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{Identifier: tt.identifier})
				if tt.refused != "" {
					if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.refused) {
						t.Errorf("Credential: %v, want Invalid with %q", err, tt.refused)
					}
					return
				}
				must(t, err)
				if diff := cmp.Diff(tt.want, login{got.Username, got.Password.Reveal(), got.Host, got.ARN}); diff != "" {
					t.Errorf("Credential (-want +got):\n%s", diff)
				}
				journal := b.journal.String()
				if used := strings.Contains(journal, "source credential used"); used != (got.ARN != "") {
					t.Errorf("the use of %q was logged: %v\n%s", got.ARN, used, journal)
				}
				if got.ARN != "" && (strings.Contains(journal, got.Password.Reveal()) || !strings.Contains(journal, "arn="+got.ARN+" host="+got.Host) || !strings.Contains(journal, id)) {
					t.Errorf("the log does not say what was used, or says the token:\n%s", journal)
				}
			})
		})
	}
}

func TestCredentialOnlyWhileSourcesAreDownloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
		b.runner.behave = deaf
		id := b.queue()
		synctest.Wait()
		a := b.runner.only(t)
		open := func() bool {
			_, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{})
			return err == nil
		}
		var got []bool
		got = append(got, open())
		must(t, a.begin())
		got = append(got, open())
		for _, e := range [][]event.Event{{enter(api.BuildPhaseTypeDownloadSource)}, {resolved()}, {leave(api.StatusTypeSucceeded)}, {enter(api.BuildPhaseTypeInstall)}} {
			_, err := a.report(e...)
			must(t, err)
			got = append(got, open())
		}
		want := []bool{false, true, true, true, false, false} // before Begin, after it, in DOWNLOAD_SOURCE twice, after it, in INSTALL
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the door was open (-want +got):\n%s", diff)
		}
	})
}

func TestWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{Endpoints: source.Endpoints{"GITHUB": "http://127.0.0.1:4000"}})
		b.runner.behave = deaf
		id := b.queue(func(in *api.StartBuildInput) {
			in.SourceVersion = new("refs/heads/main")
			in.GitCloneDepthOverride = new(26)
			in.BuildspecOverride = new("ci/build.yml")
			in.EnvironmentVariablesOverride = []api.EnvironmentVariable{{Name: "A", Value: "b", Type: api.EnvironmentVariableTypePlaintext}}
			in.SecondarySourcesOverride = []api.ProjectSource{{Type: api.SourceTypeGithub, Location: new("https://github.com/octo/lib.git"), SourceIdentifier: new("lib"), GitCloneDepth: new(1), GitSubmodulesConfig: &api.GitSubmodulesConfig{FetchSubmodules: true}}}
			in.SecondarySourcesVersionOverride = []api.ProjectSourceVersion{{SourceIdentifier: "lib", SourceVersion: "v1"}}
		})
		synctest.Wait()
		a := b.runner.only(t)
		w, err := b.Begin(t.Context(), id, a.token)
		must(t, err)
		service := map[string]string{}
		for _, v := range w.Service {
			service[v.Name] = v.Value
		}
		if service["CODEBUILD_BUILD_ID"] != id || service["AWS_REGION"] != "us-east-1" {
			t.Errorf("service variables %v", service)
		}
		w.Service = nil
		want := &agentapi.Work{
			BuildID: id, BuildARN: scope.Build(id), ProjectName: "app", Region: "us-east-1",
			Source: agentapi.Source{Type: "GITHUB", URL: "http://127.0.0.1:4000/octo/app", Location: "https://github.com/octo/app", Version: "refs/heads/main"},
			SecondarySources: []agentapi.Source{{Type: "GITHUB", Identifier: "lib", URL: "http://127.0.0.1:4000/octo/lib.git", Location: "https://github.com/octo/lib.git",
				Version: "v1", Depth: 1, Submodules: true}},
			Buildspec: "ci/build.yml", Variables: []agentapi.Variable{{Name: "A", Value: "b", Type: "PLAINTEXT"}},
			ArtifactsType: "NO_ARTIFACTS", CacheType: w.CacheType, Deadline: b.of(id).State.Deadline,
		}
		if diff := cmp.Diff(want, w); diff != "" {
			t.Errorf("Work (-want +got):\n%s", diff)
		}
	})
}

func TestASourceElsewhereThanItsTypeSaysEndsTheBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.runner.behave = deaf
		id := b.queue()
		_, err := b.db.Builds().Update(t.Context(), id, relocate("https://evil.example/github.com/o/r"))
		must(t, err)
		synctest.Wait()
		a := b.runner.only(t)
		if err := a.begin(); fault.KindOf(err) != fault.Gone {
			t.Errorf("Begin: %v, want Gone", err)
		}
		b.want(id, api.StatusTypeFailed, api.BuildPhaseTypeDownloadSource, api.StatusTypeFailed, "CLIENT_ERROR Invalid project source: a location of type GITHUB must be at https://github.com")
	})
}
