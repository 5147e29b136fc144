package main

import (
	"strings"
	"testing"

	"slipway/internal/api"
)

// TestTokenDecidesTheNextBuild changes the token between builds: each build
// uses what is imported when it fetches, and one that cannot fetch says what
// refused it and what to do.
func TestTokenDecidesTheNextBuild(t *testing.T) {
	ghes := newProvider(t)
	s := serve(t)
	s.gitProject("app", ghes.cloneURL)
	const arn = "arn:aws:codebuild:us-east-1:000000000000:token/github_enterprise"

	fails := func(t *testing.T, wants ...string) {
		t.Helper()
		b := s.finished(s.build("app"))
		if b.BuildStatus != api.StatusTypeFailed {
			t.Fatalf("the build ended %s, want FAILED: %+v", b.BuildStatus, b.Phases)
		}
		for _, p := range b.Phases {
			if p.PhaseType != api.BuildPhaseTypeDownloadSource {
				continue
			}
			if p.PhaseStatus != api.StatusTypeFailed || len(p.Contexts) != 1 {
				t.Fatalf("DOWNLOAD_SOURCE ended %s with %d contexts", p.PhaseStatus, len(p.Contexts))
			}
			message := value(p.Contexts[0].Message)
			for _, want := range append(wants, "for primary source and source version main") {
				if !strings.Contains(message, want) {
					t.Errorf("the context does not say %q: %s", want, message)
				}
			}
			if got := value(p.Contexts[0].StatusCode); got != "CLIENT_ERROR" {
				t.Errorf("statusCode is %s, want CLIENT_ERROR", got)
			}
			return
		}
		t.Fatalf("the build has no DOWNLOAD_SOURCE phase: %+v", b.Phases)
	}
	succeeds := func(t *testing.T) {
		t.Helper()
		if b := s.finished(s.build("app")); b.BuildStatus != api.StatusTypeSucceeded {
			t.Fatalf("the build ended %s, want SUCCEEDED: %+v", b.BuildStatus, b.Phases)
		}
	}
	token := func(text string) {
		call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(text))
	}

	t.Run("without a token a private repository cannot be fetched", func(t *testing.T) {
		fails(t, "authentication required", "GitHub Enterprise", "team/recipes", "import-source-credentials")
	})
	t.Run("a wrong token is refused", func(t *testing.T) {
		token("ghp_wrongwrongwrongwrongwrongwrongwrong00")
		fails(t, "refused the token", arn, "GitHub Enterprise", "team/recipes", "import-source-credentials")
	})
	t.Run("replacing it with the right one is enough", func(t *testing.T) {
		token(" " + ghes.token + "\n") // as it is pasted
		succeeds(t)
	})
	t.Run("a revoked token is refused", func(t *testing.T) {
		ghes.RevokeToken(ghes.token)
		fails(t, "refused the token", arn, "GitHub Enterprise", "team/recipes", "import-source-credentials")
	})
	t.Run("deleting it makes builds anonymous again", func(t *testing.T) {
		call[api.DeleteSourceCredentialsOutput](s, "DeleteSourceCredentials", &api.DeleteSourceCredentialsInput{ARN: arn})
		fails(t, "authentication required", "GitHub Enterprise", "team/recipes", "import-source-credentials")
	})
	t.Run("a connection that is not here is stored, and using it says so", func(t *testing.T) {
		const connection = "arn:aws:codeconnections:us-east-1:000000000000:connection/8f9e0a1b-1111-2222-3333-444455556666"
		call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", map[string]string{
			"serverType": "GITHUB_ENTERPRISE", "authType": "CODECONNECTIONS", "token": connection,
		})
		fails(t, "Access denied to connection "+connection, "slipway credential import")
	})
}

// TestCommitStatuses holds what the provider hears of a build, and that a
// refusal is kept in the provider's words and fails nothing.
func TestCommitStatuses(t *testing.T) {
	ghes := newProvider(t)
	s := serve(t)
	call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", importInput(ghes.token))
	s.gitProject("app", ghes.cloneURL)

	t.Run("pending, then success", func(t *testing.T) {
		id := s.build("app")
		s.finished(id)
		got := s.statuses(id)
		want := "pending DELIVERED, success DELIVERED"
		if got != want {
			t.Errorf("the build's statuses are %s, want %s", got, want)
		}
		heard := ghes.heard(t)
		if !strings.HasSuffix(heard, "success AWS CodeBuild us-east-1 (app): Build succeeded for project app") {
			t.Errorf("the provider heard last: %s", heard)
		}
	})
	t.Run("that none is owed is said, and why", func(t *testing.T) {
		id := *call[api.StartBuildOutput](s, "StartBuild", &api.StartBuildInput{ProjectName: "app", ReportBuildStatusOverride: new(false)}).Build.ID
		s.finished(id)
		if out := s.command("status", id); !strings.HasPrefix(out, "No commit status is owed for this build: its source does not report statuses (reportBuildStatus)") {
			t.Errorf("slipway status says:\n%s", out)
		}
	})
	t.Run("a refusal is kept in the provider's words", func(t *testing.T) {
		ghes.refuseStatuses(t)
		id := s.build("app")
		if b := s.finished(id); b.BuildStatus != api.StatusTypeSucceeded {
			t.Errorf("a refused status made the build %s", b.BuildStatus)
		}
		if got := s.statuses(id); !strings.Contains(got, "success REFUSED") {
			t.Errorf("the build's statuses are %s, want them refused", got)
		}
		out := s.command("status", id)
		for _, want := range []string{"Resource not accessible by personal access token", "  403  ", ":token/github_enterprise  "} {
			if !strings.Contains(out, want) {
				t.Errorf("slipway status does not show %q:\n%s", want, out)
			}
		}
	})
}
