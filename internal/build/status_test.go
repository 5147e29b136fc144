package build_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/build/event"
)

var sha = strings.Repeat("ab", 20)

// reporting is a build that reports its status and is in the middle of BUILD.
func reporting(t testing.TB, change func(*api.Project)) build.Build {
	t.Helper()
	b := started(t, func(p *api.Project) {
		p.Source.ReportBuildStatus = new(true)
		if change != nil {
			change(p)
		}
	}, api.StartBuildInput{})
	b.Public.BuildNumber = new(int64(42))
	b.Claim(nil, at(1), at(31))
	b.Begin(at(2), at(32))
	apply(t, &b, enter(6, "DOWNLOAD_SOURCE"), event.Event{Resolved: &event.Resolved{Commit: sha}}, leave(7, "SUCCEEDED"))
	return b
}

func TestCommitStatus(t *testing.T) {
	const ctx = "AWS CodeBuild us-west-2 (my-demo)"
	const repo = "https://github.com/example/my-demo.git"
	owed := func(state, description string) build.CommitStatus {
		return build.CommitStatus{ServerType: "GITHUB", Location: repo, Commit: sha, State: state, Context: ctx, Description: description}
	}
	tests := []struct {
		name string
		end  api.StatusType
		want build.CommitStatus
	}{
		{"running", "", owed("pending", "Build started for project my-demo")},
		{"succeeded", "SUCCEEDED", owed("success", "Build succeeded for project my-demo")},
		{"failed", "FAILED", owed("failure", "Build failed for project my-demo")},
		{"timed out", "TIMED_OUT", owed("failure", "Build timed out for project my-demo")},
		{"faulted", "FAULT", owed("error", "Build faulted for project my-demo")},
		{"stopped", "STOPPED", owed("stopped", "Build stopped for project my-demo")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := reporting(t, nil)
			switch tt.end {
			case "":
			case "SUCCEEDED":
				apply(t, &b, passing(8, "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING")...)
				apply(t, &b, end(20, tt.end))
			default:
				apply(t, &b, end(20, tt.end))
			}
			got, ok := b.CommitStatus("")
			if diff := cmp.Diff(tt.want, got); diff != "" || !ok {
				t.Errorf("CommitStatus ok %v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestEveryProviderHearsOfABuild(t *testing.T) {
	for kind, location := range map[api.SourceType]string{
		"GITHUB": "https://github.com/a/b", "GITHUB_ENTERPRISE": "https://ghe.example/a/b", "BITBUCKET": "https://bitbucket.org/a/b",
		"GITLAB": "https://gitlab.com/a/b", "GITLAB_SELF_MANAGED": "https://git.example/a/b",
	} {
		const secretARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:slipway/acme-AbCdEf"
		got, ok := reporting(t, func(p *api.Project) {
			p.Source = &api.ProjectSource{Type: kind, Location: &location, ReportBuildStatus: new(true), InsecureSSL: new(kind == "GITHUB_ENTERPRISE"),
				Auth: &api.SourceAuth{Type: "SECRETS_MANAGER", Resource: new(secretARN)}}
		}).CommitStatus("")
		want := build.CommitStatus{ServerType: api.ServerType(kind), Location: location, Commit: sha, State: "pending", Context: "AWS CodeBuild us-west-2 (my-demo)",
			Description: "Build started for project my-demo", AuthType: "SECRETS_MANAGER", AuthResource: secretARN, Insecure: kind == "GITHUB_ENTERPRISE"}
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%s ok %v (-want +got):\n%s", kind, ok, diff)
		}
		if a := got.Auth(); a == nil || a.Type != "SECRETS_MANAGER" || *a.Resource != secretARN {
			t.Errorf("Auth = %+v", a)
		}
	}
	if a := (build.CommitStatus{}).Auth(); a != nil {
		t.Errorf("without auth it is %+v", a)
	}
}

func TestStatusOnABranch(t *testing.T) {
	for version, want := range map[string]string{
		"refs/heads/main": "refs/heads/main", "refs/heads/feature/x": "refs/heads/feature/x", "main": "refs/heads/main", "feature/x": "refs/heads/feature/x",
		"": "", "refs/tags/v1": "", "refs/pull/7/head": "", "pr/7": "", "mr/7": "", "abcdef1": "", strings.Repeat("ab", 20): "", "refs/heads/": "",
		"refs/heads/main^{" + strings.Repeat("ab", 20) + "}": "", "main~1": "", "a..b": "", "a b": "", "refs/heads/abcdef1": "refs/heads/abcdef1",
	} {
		b := reporting(t, nil)
		b.State.SourceVersion = version
		if got, ok := b.CommitStatus(""); !ok || got.Ref != want {
			t.Errorf("the status of version %q is on %q, want %q", version, got.Ref, want)
		}
	}
}

func TestNoCommitStatus(t *testing.T) {
	codecommit := reporting(t, nil)
	codecommit.Public.Source = &api.ProjectSource{Type: "CODECOMMIT", Location: new("https://git.example/b"), ReportBuildStatus: new(true)}
	if _, ok := codecommit.CommitStatus(""); ok {
		t.Error("a status is owed to CODECOMMIT")
	}
	if _, ok := reporting(t, func(p *api.Project) { p.Source.ReportBuildStatus = new(false) }).CommitStatus(""); ok {
		t.Error("a status is owed though none is asked for")
	}
	b := started(t, func(p *api.Project) { p.Source.ReportBuildStatus = new(true) }, api.StartBuildInput{})
	if _, ok := b.CommitStatus(""); ok {
		t.Error("a status is owed for an unknown commit")
	}
}

func TestStatusConfigIsExpanded(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "ci", "ci"},
		{"number and region", "ci/$AWS_REGION/${CODEBUILD_BUILD_NUMBER}", "ci/us-west-2/42"},
		{"the build", "https://ci.example.com/?id=$CODEBUILD_BUILD_ID", "https://ci.example.com/?id=" + id},
		{"the commit", "$CODEBUILD_RESOLVED_SOURCE_VERSION", sha},
		{"no webhook", "[$CODEBUILD_WEBHOOK_TRIGGER]", "[]"},
		{"the user's variables stay hidden", "$SECRET ${HOME} $$ ${", "$SECRET ${HOME} $$ ${"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := reporting(t, func(p *api.Project) {
				p.Source.BuildStatusConfig = &api.BuildStatusConfig{Context: &tt.text, TargetURL: &tt.text}
				p.Environment.EnvironmentVariables = []api.EnvironmentVariable{{Name: "SECRET", Type: "PLAINTEXT", Value: "hunter2"}}
			})
			got, _ := b.CommitStatus("")
			if got.Context != tt.want || got.TargetURL != tt.want {
				t.Errorf("context %q, targetUrl %q, want %q", got.Context, got.TargetURL, tt.want)
			}
		})
	}
}

func TestDescriptionFitsGitHub(t *testing.T) {
	b := reporting(t, func(p *api.Project) { p.Name = new(strings.Repeat("p", 150)) })
	if got, _ := b.CommitStatus(""); len(got.Description) != 140 {
		t.Errorf("description has %d characters, want 140", len(got.Description))
	}
}

func TestServiceVariables(t *testing.T) {
	b := started(t, func(p *api.Project) {
		p.SecondarySources = []api.ProjectSource{{Type: "S3", Location: new("arn:aws:s3:::bucket/a.zip"), SourceIdentifier: new("lib")}}
		p.SecondarySourceVersions = []api.ProjectSourceVersion{{SourceIdentifier: "lib", SourceVersion: "v9"}}
	}, api.StartBuildInput{SourceVersion: new("pr/25")})
	b.Public.BuildNumber = new(int64(42))
	got := map[string]string{}
	for _, v := range b.ServiceVariables("https://ci.example.com/console/") {
		if _, twice := got[v.Name]; twice || v.Type != "PLAINTEXT" {
			t.Errorf("%s: twice %v, type %s", v.Name, twice, v.Type)
		}
		got[v.Name] = v.Value
	}
	want := map[string]string{
		"AWS_DEFAULT_REGION":             "us-west-2",
		"AWS_REGION":                     "us-west-2",
		"CODEBUILD_BUILD_ARN":            "arn:aws:codebuild:us-west-2:123456789012:build/" + id,
		"CODEBUILD_BUILD_ID":             id,
		"CODEBUILD_BUILD_IMAGE":          "aws/codebuild/amazonlinux2-x86_64-standard:3.0",
		"CODEBUILD_BUILD_NUMBER":         "42",
		"CODEBUILD_BUILD_URL":            "https://ci.example.com/console/builds/my-demo%3A" + own,
		"CODEBUILD_CI":                   "true",
		"CODEBUILD_CONTAINER_NAME":       "default",
		"CODEBUILD_EXECUTION_ROLE_BUILD": "",
		"CODEBUILD_INITIATOR":            "ann",
		"CODEBUILD_KMS_KEY_ID":           "arn:aws:kms:us-west-2:123456789012:alias/aws/s3",
		"CODEBUILD_LOG_PATH":             own,
		"CODEBUILD_PROJECT_ARN":          "arn:aws:codebuild:us-west-2:123456789012:project/my-demo",
		"CODEBUILD_PROJECT_UUID":         got["CODEBUILD_PROJECT_UUID"],
		"CODEBUILD_SOURCE_REPO_URL":      "https://github.com/example/my-demo.git",
		"CODEBUILD_SOURCE_REPO_URL_lib":  "s3://bucket/a.zip",
		"CODEBUILD_SOURCE_VERSION":       "pr/25",
		"CODEBUILD_SOURCE_VERSION_lib":   "v9",
		"CODEBUILD_START_TIME":           "1603302698161",
	}
	if u := got["CODEBUILD_PROJECT_UUID"]; len(u) != 36 || u[14] != '5' {
		t.Errorf("CODEBUILD_PROJECT_UUID = %q, want a UUID of version 5", u)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	for _, v := range b.ServiceVariables("") {
		if v.Name == "CODEBUILD_BUILD_URL" {
			t.Error("a build URL without a console")
		}
	}
}

func TestOnce(t *testing.T) {
	token := func(s string) *string { return &s }
	in := func(token *string, version string) *api.StartBuildInput {
		return &api.StartBuildInput{ProjectName: "app", SourceVersion: &version, IdempotencyToken: token, TimeoutInMinutesOverride: new(7)}
	}
	once := func(op string, in *api.StartBuildInput) *build.Idempotency {
		t.Helper()
		i, err := build.Once(op, in, in.IdempotencyToken, start)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	if got := once("StartBuild", in(nil, "main")); got != nil {
		t.Errorf("without a token: %+v, want nil", got)
	}
	first := once("StartBuild", in(token("a"), "main"))
	if first.Token != "a" || !first.Expires.Equal(at(300)) || len(first.Fingerprint) != 32 {
		t.Errorf("Once = %+v", first)
	}
	if diff := cmp.Diff(first.Fingerprint, once("StartBuild", in(token("b"), "main")).Fingerprint); diff != "" {
		t.Error("the token is part of the fingerprint")
	}
	if cmp.Equal(first.Fingerprint, once("StartBuild", in(token("a"), "dev")).Fingerprint) {
		t.Error("other parameters have the same fingerprint")
	}
	if cmp.Equal(first.Fingerprint, once("RetryBuild", in(token("a"), "main")).Fingerprint) {
		t.Error("another operation has the same fingerprint")
	}
	if _, err := build.Once("StartBuild", in(nil, ""), token(strings.Repeat("ä", 65)), start); err == nil {
		t.Error("a token of 65 characters is taken")
	}
	if _, err := build.Once("StartBuild", in(nil, ""), token(strings.Repeat("ä", 64)), start); err != nil {
		t.Errorf("a token of 64 characters: %v", err)
	}
}

func TestAStatusLeadsToTheBuild(t *testing.T) {
	const console = "https://ci.example.com/console"
	page := console + "/builds/my-demo%3A" + own
	for _, c := range []struct {
		name, console string
		target        *string
		want          string
	}{
		{"in the console", console, nil, page},
		{"without a console", "", nil, ""},
		{"an empty target is none", console, new(""), page},
		{"where the source says", console, new("https://x.example/"), "https://x.example/"},
		{"and how", console, new("$CODEBUILD_BUILD_URL#log"), page + "#log"},
	} {
		b := reporting(t, func(p *api.Project) { p.Source.BuildStatusConfig = &api.BuildStatusConfig{TargetURL: c.target} })
		if got, _ := b.CommitStatus(c.console); got.TargetURL != c.want {
			t.Errorf("%s: the status leads to %q, want %q", c.name, got.TargetURL, c.want)
		}
	}
}
