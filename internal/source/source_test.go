package source_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/source"
)

func at(server api.ServerType, apiBase, webBase, owner, name string) source.Repository {
	return source.Repository{Site: source.Site{Server: server, APIBase: apiBase, WebBase: webBase}, Owner: owner, Name: name}
}

func TestCloneURLAndRepository(t *testing.T) {
	tests := []struct {
		name      string
		endpoints string
		server    api.ServerType
		location  string
		clone     string // "" means Invalid
		want      source.Repository
	}{
		{"GitHub", "", "GITHUB", "https://github.com/o/r.git", "https://github.com/o/r.git", at("GITHUB", "https://api.github.com", "https://github.com", "o", "r")},
		{"GitHub without .git, with a slash, in capitals", "", "GITHUB", "https://GitHub.com/O/R/", "https://github.com/O/R", at("GITHUB", "https://api.github.com", "https://github.com", "O", "R")},
		{"an embedded login is dropped", "", "GITHUB", "https://user:ghp_secret@github.com/o/r?token=x#y", "https://github.com/o/r", at("GITHUB", "https://api.github.com", "https://github.com", "o", "r")},
		{"http becomes https", "", "GITHUB", "http://github.com/o/r", "https://github.com/o/r", at("GITHUB", "https://api.github.com", "https://github.com", "o", "r")},
		{"a name for SSH", "", "GITHUB", "git@github.com:o/r.git", "https://github.com/o/r.git", at("GITHUB", "https://api.github.com", "https://github.com", "o", "r")},
		{"a URL for SSH", "", "GITHUB", "ssh://git@github.com/o/r.git", "https://github.com/o/r.git", at("GITHUB", "https://api.github.com", "https://github.com", "o", "r")},
		{"an endpoint takes GitHub's place", "GITHUB=http://127.0.0.1:4000/", "GITHUB", "https://github.com/o/r.git", "http://127.0.0.1:4000/o/r.git", at("GITHUB", "http://127.0.0.1:4000/api/v3", "http://127.0.0.1:4000", "o", "r")},
		{"an endpoint below a path", "GITHUB=https://mirror.example/git", "GITHUB", "https://github.com/o/r", "https://mirror.example/git/o/r", at("GITHUB", "https://mirror.example/git/api/v3", "https://mirror.example/git", "o", "r")},
		{"a location at the endpoint itself", "GITHUB=http://127.0.0.1:4000", "GITHUB", "http://127.0.0.1:4000/o/r", "http://127.0.0.1:4000/o/r", at("GITHUB", "http://127.0.0.1:4000/api/v3", "http://127.0.0.1:4000", "o", "r")},
		{"a location that only begins like the endpoint", "GITHUB=http://127.0.0.1:4000", "GITHUB", "http://127.0.0.1:40001/o/r", "", source.Repository{}},
		{"GitHub Enterprise Server keeps scheme and port", "", "GITHUB_ENTERPRISE", "http://ghe.example:8080/o/r.git", "http://ghe.example:8080/o/r.git", at("GITHUB_ENTERPRISE", "http://ghe.example:8080/api/v3", "http://ghe.example:8080", "o", "r")},
		{"Bitbucket with the user that it copies", "", "BITBUCKET", "https://me@bitbucket.org/ws/repo.git", "https://bitbucket.org/ws/repo.git", at("BITBUCKET", "https://api.bitbucket.org/2.0", "https://bitbucket.org", "ws", "repo")},
		{"GitLab with subgroups", "", "GITLAB", "https://gitlab.com/a/b/c/repo.git", "https://gitlab.com/a/b/c/repo.git", at("GITLAB", "https://gitlab.com/api/v4", "https://gitlab.com", "a/b/c", "repo")},
		{"another host that mentions github.com", "", "GITHUB", "https://evil.example/github.com/o/r", "", source.Repository{}},
		{"another host that ends like github.com", "", "GITHUB", "https://notgithub.com/o/r", "", source.Repository{}},
		{"github.com as a user name", "", "GITHUB", "https://github.com@evil.example/o/r", "", source.Repository{}},
		{"github.com on another port", "", "GITHUB", "https://github.com:8443/o/r", "", source.Repository{}},
		{"no repository", "", "GITHUB", "https://github.com/o", "", source.Repository{}},
		{"a path that climbs", "", "GITHUB_ENTERPRISE", "https://ghe.example/../r", "", source.Repository{}},
		{"a line break in the path", "", "GITHUB_ENTERPRISE", "https://ghe.example/o/r%0Ahost=evil", "", source.Repository{}},
		{"a file", "", "GITHUB_ENTERPRISE", "file:///etc/o/r", "", source.Repository{}},
		{"an option for git", "", "GITHUB_ENTERPRISE", "--upload-pack=touch /tmp/x", "", source.Repository{}},
		{"the default webhook location", "", "GITHUB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION", "", source.Repository{}},
		{"CodeCommit", "", source.CodeCommit, "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/r", "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/r",
			at(source.CodeCommit, "", "https://git-codecommit.us-east-1.amazonaws.com", "v1/repos", "r")},
		{"an endpoint takes CodeCommit's place", "CODECOMMIT=http://127.0.0.1:4000/x", source.CodeCommit, "https://git-codecommit-fips.us-east-1.amazonaws.com/v1/repos/r", "http://127.0.0.1:4000/x/v1/repos/r",
			at(source.CodeCommit, "", "http://127.0.0.1:4000/x", "v1/repos", "r")},
		{"another host that begins like CodeCommit's", "", source.CodeCommit, "https://git-codecommit.us-east-1.amazonaws.com.evil.example/v1/repos/r", "", source.Repository{}},
		{"CodeCommit over http", "", source.CodeCommit, "http://git-codecommit.us-east-1.amazonaws.com/v1/repos/r", "", source.Repository{}},
		{"an unknown type", "", "SVN", "https://svn.example/v1/repos/r", "", source.Repository{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := source.ParseEndpoints(tt.endpoints)
			if err != nil {
				t.Fatal(err)
			}
			clone, err := e.CloneURL(tt.server, tt.location)
			if clone != tt.clone || (err != nil) != (tt.clone == "") {
				t.Errorf("CloneURL = %q, %v, want %q", clone, err, tt.clone)
			}
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("CloneURL: %v is not Invalid", err)
			}
			got, err := e.Repository(tt.server, tt.location)
			if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != (tt.clone == "") {
				t.Errorf("Repository: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestLocationIsWhatAProjectMayHave(t *testing.T) {
	e, err := source.ParseEndpoints("GITHUB=http://127.0.0.1:4000,BITBUCKET=https://mirror.example/git,GITLAB=http://127.0.0.1:4001,GITHUB_ENTERPRISE=http://127.0.0.1:4002")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		server        api.ServerType
		clone, want   string
		comesBack     bool
		withoutMoving bool
	}{
		{"GITHUB", "http://127.0.0.1:4000/o/r.git", "https://github.com/o/r.git", true, false},
		{"GITHUB", "http://127.0.0.1:40001/o/r.git", "http://127.0.0.1:40001/o/r.git", false, false},
		{"GITHUB", "https://github.com/o/r.git", "https://github.com/o/r.git", false, false},
		{"GITHUB", "https://github.com/o/r.git", "https://github.com/o/r.git", true, true},
		{"BITBUCKET", "https://mirror.example/git/ws/r.git", "https://bitbucket.org/ws/r.git", true, false},
		{"GITLAB", "http://127.0.0.1:4001/a/b/r.git", "https://gitlab.com/a/b/r.git", true, false},
		{"GITHUB_ENTERPRISE", "http://127.0.0.1:4002/o/r.git", "http://127.0.0.1:4002/o/r.git", true, false},
		{"GITLAB_SELF_MANAGED", "https://git.example:8443/a/r.git", "https://git.example:8443/a/r.git", true, false},
	} {
		at := e
		if tt.withoutMoving {
			at = nil
		}
		got := at.Location(tt.server, tt.clone)
		if got != tt.want {
			t.Errorf("Location(%s, %s) = %s, want %s", tt.server, tt.clone, got, tt.want)
		}
		if clone, err := at.CloneURL(tt.server, got); tt.comesBack && (clone != tt.clone || err != nil) {
			t.Errorf("CloneURL(%s, %s) = %s, %v, want %s", tt.server, got, clone, err, tt.clone)
		}
	}
}

func TestGitHubHasNoSubgroups(t *testing.T) {
	if _, err := source.Endpoints(nil).Repository(api.ServerTypeGithub, "https://github.com/a/b/c"); err == nil {
		t.Error("Repository succeeded, want an error")
	}
}

func TestParseEndpointsRefuses(t *testing.T) {
	for _, text := range []string{"GITHUB", "GITHUB=", "GITHUB=ftp://x", "GITHUB=https://u:p@x", "GITHUB=https://x?y", "github=https://x", "S3=https://x", "GITHUB=https://x,BITBUCKET"} {
		if e, err := source.ParseEndpoints(text); err == nil {
			t.Errorf("ParseEndpoints(%q) = %v, want an error", text, e)
		}
	}
}

func TestGitUser(t *testing.T) {
	tests := []struct {
		server                api.ServerType
		username, token, want string
	}{
		{"GITHUB", "", "ghp_x", "x-access-token"},
		{"GITHUB", "", "ghs_1_x.y.z", "x-access-token"},
		{"GITHUB_ENTERPRISE", "", "ghp_x", "x-access-token"},
		{"BITBUCKET", "me", "app-password", "me"},
		{"BITBUCKET", "", "ATCTT3xFfGN0x", "x-token-auth"},
		{"BITBUCKET", "", "ATATT3xFfGF0x", "x-bitbucket-api-token-auth"},
		{"BITBUCKET", "me@example.com", "ATATT3xFfGF0x", "x-bitbucket-api-token-auth"},
		{"BITBUCKET", "me@example.com", "of a new form", "x-bitbucket-api-token-auth"},
		{"GITLAB", "", "glpat-x", "oauth2"},
		{"GITLAB", "gitlab+deploy-token-7", "gldt-x", "gitlab+deploy-token-7"},
		{"GITLAB_SELF_MANAGED", "", "a prefix of the administrator's", "oauth2"},
	}
	for _, tt := range tests {
		if got := source.NewLogin(tt.server, tt.username, secret.New(tt.token)).GitUser(); got != tt.want {
			t.Errorf("GitUser of %s, %q, %q = %s, want %s", tt.server, tt.username, tt.token, got, tt.want)
		}
	}
}

// However a location is written, a GitHub token's clone URL is at github.com
// and holds no login.
func FuzzCloneURL(f *testing.F) {
	for _, seed := range []string{"https://github.com/o/r", "git@github.com:o/r", "https://u:p@github.com/o/r", "https://github.com\\@evil/o/r", "https://github.com%2f@evil/o/r", "ssh://github.com:x/o"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, location string) {
		clone, err := source.Endpoints(nil).CloneURL(api.ServerTypeGithub, location)
		if err != nil {
			return
		}
		u, err := url.Parse(clone)
		if err != nil || u.Host != "github.com" || u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
			t.Errorf("CloneURL(%q) = %q", location, clone)
		}
		if strings.ContainsAny(clone, "\n\r\x00 ") {
			t.Errorf("CloneURL(%q) = %q holds a control character", location, clone)
		}
	})
}

func TestServerOf(t *testing.T) {
	const moved = "GITHUB=http://127.0.0.1:4000,GITLAB=https://mirror.example/git,GITLAB_SELF_MANAGED=https://mirror.example/git/inner"
	for _, tt := range []struct {
		name, endpoints, url string
		want                 api.ServerType
	}{
		{"GitHub", "", "https://github.com/o/r", "GITHUB"},
		{"GitHub in capitals, with its port", "", "https://GitHub.com:443/o/r", "GITHUB"},
		{"Bitbucket", "", "https://bitbucket.org/o/r", "BITBUCKET"},
		{"GitLab", "", "https://gitlab.com/o/r", "GITLAB"},
		{"http", "", "http://github.com/o/r", ""},
		{"another port", "", "https://github.com:8443/o/r", ""},
		{"another host", "", "https://github.com.evil.example/o/r", ""},
		{"an endpoint", moved, "http://127.0.0.1:4000/o/r", "GITHUB"},
		{"an endpoint below a path", moved, "https://mirror.example/git/o/r", "GITLAB"},
		{"an endpoint below an endpoint", moved, "https://mirror.example/git/inner/o/r", "GITLAB_SELF_MANAGED"},
		{"beside an endpoint", moved, "https://mirror.example/gitx/o/r", ""},
		{"the usual place of what has an endpoint", moved, "https://github.com/o/r", ""},
		{"the usual place of what has none", moved, "https://bitbucket.org/o/r", "BITBUCKET"},
		{"the scheme of an endpoint is another", moved, "https://127.0.0.1:4000/o/r", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := source.ParseEndpoints(tt.endpoints)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := e.ServerOf(u); got != tt.want || ok != (tt.want != "") {
				t.Errorf("ServerOf(%s) = %q, %v, want %q", tt.url, got, ok, tt.want)
			}
		})
	}
}
