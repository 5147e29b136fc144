package project

import (
	"net/url"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/fault"
)

func TestLocations(t *testing.T) {
	for _, test := range []struct {
		of       api.SourceType
		location string
		ok       bool
	}{
		{"GITHUB", "https://github.com/o/r", true},
		{"GITHUB", "https://github.com/o/r.git", true},
		{"GITHUB", "https://GitHub.com/O/R.git/", true},
		{"GITHUB", "https://www.github.com/o/r", true},
		{"GITHUB", "http://github.com/o/r", true},
		{"GITHUB", "git@github.com:o/r.git", true},
		{"GITHUB", "ssh://git@github.com/o/r.git", true},
		{"GITHUB", "https://somebody@github.com/o/r", true},
		{"GITHUB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION", true},
		{"GITHUB", "https://github.com", false},
		{"GITHUB", "https://github.com/o", false},
		{"GITHUB", "https://github.com/o/r/tree/main", false},
		{"GITHUB", "https://github.com/o/..", false},
		{"GITHUB", "https://github.com/o/r?x=y", false},
		{"GITHUB", "https://github.com/o/r#x", false},
		{"GITHUB", "https://github.com.example.com/o/r", false},
		{"GITHUB", "https://github.com:8443/o/r", false},
		{"GITHUB", "https://github.com@example.com/o/r", false},
		{"GITHUB", "file:///github.com/o/r", false},
		{"GITHUB", "ext::sh -c id github.com/o/r", false},
		{"GITHUB", "--upload-pack=github.com/o/r", false},
		{"GITHUB", "o/r", false},
		{"GITHUB", "https://github.com/o/r\n", false},
		{"GITHUB", "https://github.com/o/r\u202e", false},
		{"GITHUB", "https://github.com/o/" + strings.Repeat("r", 3000), false},
		{"GITHUB_ENTERPRISE", "https://ghe.example/o/r.git", true},
		{"GITHUB_ENTERPRISE", "http://ghe.example:8080/o/r", true},
		{"GITHUB_ENTERPRISE", "https://ghe.example/o", false},
		{"GITHUB_ENTERPRISE", "ftp://ghe.example/o/r", false},
		{"BITBUCKET", "https://somebody@bitbucket.org/ws/repo.git", true},
		{"BITBUCKET", "https://bitbucket.example/ws/repo.git", false},
		{"BITBUCKET", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION", false},
		{"GITLAB", "https://gitlab.com/g/sub/sub/r.git", true},
		{"GITLAB", "https://gitlab.example/g/r", false},
		{"GITLAB", "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION", true},
		{"GITLAB_SELF_MANAGED", "https://gitlab.example/below/g/r.git", true},
		{"CODECOMMIT", "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/r", true},
		{"CODECOMMIT", "https://git-codecommit.us-west-2.example.com/v1/repos/r", false},
		{"S3", "bucket/path/object.zip", true},
		{"S3", "bucket/path/", true},
		{"S3", "bucket/", true},
		{"S3", "arn:aws:s3:::bucket/object.zip", true},
		{"S3", "bucket", false},
		{"S3", "s3://bucket/object.zip", false},
		{"CODEPIPELINE", "", true},
		{"NO_SOURCE", "", true},
	} {
		err := checkSource(&api.ProjectSource{Type: test.of, Location: &test.location}, true)
		if (err == nil) != test.ok {
			t.Errorf("source(%s, %q) = %v, want accepted: %v", test.of, test.location, err, test.ok)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("source(%s, %q) = %v, want Invalid", test.of, test.location, err)
		}
	}
}

func TestPasswordsInLocationsAreRefusedAndNotRepeated(t *testing.T) {
	const secret = "hunter2"
	for _, location := range []string{
		"https://user:hunter2@github.com/o/r",
		"https://:hunter2@github.com/o/r",
		"https://user:hunter2@github.com",
		"https://user:hunt/er2hunter2@github.com/o/r",
		"https://user%3Ahunter2@github.com/o/r",
		"https://a@b:hunter2@github.com/o/r",
		"ssh://git:hunter2@github.com/o/r",
		"https://ghp_hunter2@github.com/o/r",
		"https://github_pat_hunter2@github.com/o/r",
		"https://glpat-hunter2@gitlab.com/o/r",
		"https://user:%zzhunter2@github.com/o/r",
	} {
		for of := range sourceKinds {
			if of == "NO_SOURCE" {
				continue // has no location at all
			}
			err := checkSource(&api.ProjectSource{Type: of, Location: &location, SourceIdentifier: new("a")}, false)
			message := fault.Message(err)
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(message, "ImportSourceCredentials") || strings.Contains(err.Error(), secret) {
				t.Errorf("source(%s, %q) = %v, want advice without the password", of, location, err)
			}
		}
	}
	for _, location := range []string{
		"https://ghe.example:8443/scm/~user@x/repo.git", "https://somebody@ghe.example/o/r", "https://git@ghe.example/o/r", "https://[::1]:80/a@b/c",
	} {
		if holdsSecret(location) {
			t.Errorf("holdsSecret(%q) = true", location)
		}
	}
}

// Whatever is accepted for a provider's own site is a URL at that site without
// a password.
func FuzzLocation(f *testing.F) {
	for _, s := range []string{"https://github.com/o/r", "git@github.com:o/r.git", "https://u:p@github.com/o/r", "https://u@github.com/o/r", "ssh://git@github.com/o/r", "https://github.com:443/o/r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, location string) {
		err := checkSource(&api.ProjectSource{Type: "GITHUB", Location: &location}, true)
		if err != nil {
			return
		}
		if location == anyRepository || strings.HasPrefix(location, "git@") {
			return
		}
		u, err := url.Parse(location)
		if err != nil {
			t.Fatalf("accepted %q, which is no URL", location)
		}
		_, password := u.User.Password()
		host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
		if host != "github.com" || password || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("accepted %q", location)
		}
	})
}

func checkSource(s *api.ProjectSource, primary bool) error {
	f := new(faults)
	f.source("source", s, primary)
	return f.first()
}
