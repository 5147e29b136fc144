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
	b.importBound(server, auth, username, token)
}

// importBound imports a credential that may go to hosts.
func (b *bench) importBound(server api.ServerType, auth api.AuthType, username, token string, hosts ...string) {
	b.t.Helper()
	sealed, err := credential.Seal(credential.Credential{About: credential.About{
		Scope: scope, ARN: scope.Token(string(server)), ServerType: server, AuthType: auth, Username: username, Hosts: hosts,
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

func withSubmodules(t api.SourceType, location string) func(*api.StartBuildInput) {
	return func(in *api.StartBuildInput) {
		override(t, location)(in)
		in.GitSubmodulesConfigOverride = &api.GitSubmodulesConfig{FetchSubmodules: true}
	}
}

// A submodule's URL is written by whoever can push, so it must not lead a
// login to where that person likes.
func TestCredentialOfASubmodule(t *testing.T) {
	imports := func(b *bench) {
		b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
		b.importCredential("BITBUCKET", api.AuthTypePersonalAccessToken, "", "ATCT_secret")
		b.importBound("GITHUB_ENTERPRISE", api.AuthTypePersonalAccessToken, "", "ghp_enterprise", "ghe.example", "ghe.example:8443", "10.0.0.1:8080")
		b.importBound("GITLAB_SELF_MANAGED", api.AuthTypePersonalAccessToken, "", "glpat-x", "shared.example/git")
	}
	github := withSubmodules(api.SourceTypeGithub, "https://github.com/octo/app")
	enterprise := withSubmodules(api.SourceTypeGithubEnterprise, "https://ghe.example/octo/app")
	plain := withSubmodules(api.SourceTypeGithubEnterprise, "http://10.0.0.1:8080/octo/app")
	tests := []struct {
		name    string
		build   func(*api.StartBuildInput)
		url     string
		want    string // the password; "" means none
		refused string
	}{
		{name: "the host of the source", build: github, url: "https://github.com/octo/lib.git", want: "ghp_secret"},
		{name: "the host of the source with its port", build: github, url: "https://GitHub.com:443/octo/lib.git", want: "ghp_secret"},
		{name: "another provider", build: github, url: "https://bitbucket.org/ws/lib.git", want: "ATCT_secret"},
		{name: "another provider, without a credential", build: github, url: "https://gitlab.com/g/lib.git"},
		{name: "a host that a credential was used for", build: github, url: "https://ghe.example/octo/lib.git", want: "ghp_enterprise"},
		{name: "a port that a credential was used for", build: github, url: "https://ghe.example:8443/octo/lib.git", want: "ghp_enterprise"},
		{name: "a path that a credential was given for", build: github, url: "https://shared.example/git/octo/lib.git", want: "glpat-x"},
		{name: "another path of that host", build: github, url: "https://shared.example/evil/lib.git"},
		{name: "a path that begins alike", build: github, url: "https://shared.example/github/lib.git"},
		{name: "a host that no credential was used for", build: github, url: "https://evil.example/octo/lib.git"},
		{name: "the host of the source, self-hosted", build: enterprise, url: "https://ghe.example/octo/lib.git", want: "ghp_enterprise"},
		{name: "a host in plain sight, from elsewhere", build: enterprise, url: "http://10.0.0.1:8080/octo/lib.git"},
		{name: "the host of the source in plain sight", build: plain, url: "http://10.0.0.1:8080/octo/lib.git", want: "ghp_enterprise"},
		{name: "another host, from a self-hosted source", build: enterprise, url: "https://evil.example/octo/lib.git"},
		{name: "another port of the source's host", build: enterprise, url: "https://ghe.example:9999/octo/lib.git"},
		{name: "another port of a provider", build: github, url: "https://github.com:8443/octo/lib.git"},
		{name: "http of an https host", build: enterprise, url: "http://ghe.example/octo/lib.git"},
		{name: "http of an https host, with its port", build: enterprise, url: "http://ghe.example:443/octo/lib.git"},
		{name: "http of a provider", build: github, url: "http://github.com/octo/lib.git"},
		{name: "a host that begins alike", build: github, url: "https://github.com.evil.example/octo/lib.git"},
		{name: "a host that ends alike", build: github, url: "https://notgithub.com/octo/lib.git"},
		{name: "something that is no repository", build: github, url: "https://github.com/lib"},
		{name: "a user before another host", build: github, url: "https://github.com@evil.example/octo/lib.git", refused: "without a login in them"},
		{name: "a login in it", build: github, url: "https://u:p@github.com/octo/lib.git", refused: "without a login in them"},
		{name: "a line break", build: github, url: "https://github.com/octo/lib.git\nhost=evil.example", refused: "without a login in them"},
		{name: "an escaped line break", build: github, url: "https://evil.example/%0Ahost=github.com/o/r", refused: "without a login in them"},
		{name: "an escaped carriage return", build: github, url: "https://github.com/o%0D/r", refused: "without a login in them"},
		{name: "a query", build: github, url: "https://github.com/octo/lib?x", refused: "without a login in them"},
		{name: "SSH", build: github, url: "ssh://git@github.com/octo/lib.git", refused: "http:// and https://"},
		{name: "a file", build: github, url: "file:///etc/passwd", refused: "http:// and https://"},
		{name: "a very long one", build: github, url: "https://github.com/octo/" + strings.Repeat("x", agentapi.MaxURL), refused: "http:// and https://"},
		{name: "a source without submodules", build: override(api.SourceTypeGithub, "https://github.com/octo/app"), url: "https://github.com/octo/lib.git", refused: "without submodules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, schedule.Options{})
				b.runner.behave = deaf
				imports(b)
				id := b.queue(tt.build)
				synctest.Wait()
				a := b.runner.only(t)
				must(t, a.begin())
				got, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{URL: tt.url})
				if tt.refused != "" {
					if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.refused) {
						t.Errorf("Credential: %v, want Invalid with %q", err, tt.refused)
					}
					return
				}
				must(t, err)
				if got.Password.Reveal() != tt.want {
					t.Errorf("the login of %s is given: %v, want %q", got.ARN, !got.Password.IsZero(), tt.want)
				}
				if used := strings.Contains(b.journal.String(), "source credential used"); used != (tt.want != "") {
					t.Errorf("a use is recorded: %v\n%s", used, b.journal)
				}
				if tt.want != "" && !strings.Contains(strings.ToLower(tt.url), "://"+got.Host) {
					t.Errorf("the login is for %s", got.Host)
				}
			})
		})
	}
}

func TestASubmoduleAtAnEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{Endpoints: source.Endpoints{"GITHUB": "http://127.0.0.1:4000", "BITBUCKET": "http://127.0.0.1:5000"}})
		b.runner.behave = deaf
		b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
		b.importCredential("BITBUCKET", api.AuthTypePersonalAccessToken, "", "ATCT_secret")
		id := b.queue(withSubmodules(api.SourceTypeGithub, "https://github.com/octo/app"))
		synctest.Wait()
		a := b.runner.only(t)
		must(t, a.begin())
		for url, want := range map[string]string{
			"http://127.0.0.1:4000/octo/lib.git": "ghp_secret",
			"http://127.0.0.1:5000/ws/lib.git":   "ATCT_secret",
			"http://127.0.0.1:6000/ws/lib.git":   "",
			"https://github.com/octo/lib.git":    "", // GitHub's login belongs to the endpoint
			"https://bitbucket.org/ws/lib.git":   "",
		} {
			got, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{URL: url})
			must(t, err)
			if got.Password.Reveal() != want {
				t.Errorf("the login to %s is that of %q, want %q", url, got.ARN, want)
			}
		}
	})
}

func TestCredentialOnlyWhileSourcesAreDownloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, schedule.Options{})
		b.importCredential("GITHUB", api.AuthTypePersonalAccessToken, "", "ghp_secret")
		b.runner.behave = deaf
		id := b.queue(withSubmodules(api.SourceTypeGithub, "https://github.com/octo/app"))
		synctest.Wait()
		a := b.runner.only(t)
		open := func() bool {
			_, err := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{})
			_, below := b.Credential(t.Context(), id, a.token, agentapi.CredentialRequest{URL: "https://github.com/octo/lib"})
			if (err == nil) != (below == nil) {
				t.Errorf("for the source it is %v, for a submodule %v", err, below)
			}
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
			Artifacts: agentapi.Artifact{Type: "NO_ARTIFACTS"}, CacheType: w.CacheType, Deadline: b.of(id).State.Deadline,
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
