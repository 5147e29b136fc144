package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
)

// endless is a buildspec whose build runs until it is stopped, in processes
// that do not go by themselves.
const endless = "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        trap '' TERM INT HUP; sleep 1000 & (setsid nohup sleep 1000 >/dev/null 2>&1 &)\n        sleep 1000\n    finally: [echo finally]\n  post_build: {commands: [echo post]}\n"

// running waits until a build's BUILD phase runs.
func (s *serverProcess) running(id string) api.Build {
	s.t.Helper()
	return s.until(id, "runs", func(b api.Build) bool { return value(b.CurrentPhase) == "BUILD" })
}

func phasesOf(b api.Build) string {
	var all []string
	for _, p := range b.Phases {
		all = append(all, strings.TrimSuffix(fmt.Sprintf("%s:%s", p.PhaseType, p.PhaseStatus), ":SUCCEEDED"))
	}
	return strings.Join(all, " ")
}

func TestStopBuild(t *testing.T) {
	for _, sandbox := range []string{"bubblewrap", "none"} {
		t.Run("sandbox "+sandbox, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--sandbox", sandbox, "--max-builds", "1")
			s.project("app", endless)
			id := s.build("app")
			queued := s.build("app")
			s.running(id)

			stopped := call[api.StopBuildOutput](s, "StopBuild", &api.StopBuildInput{ID: queued})
			if stopped.Build.BuildStatus != api.StatusTypeStopped || phasesOf(*stopped.Build) != "SUBMITTED QUEUED:STOPPED COMPLETED:" {
				t.Errorf("the queued build is %s with %s", stopped.Build.BuildStatus, phasesOf(*stopped.Build))
			}
			began := time.Now()
			call[api.StopBuildOutput](s, "StopBuild", &api.StopBuildInput{ID: id})
			b := s.finished(id)
			if took := time.Since(began); took > 20*time.Second { // it did not take the grace
				t.Errorf("stopping took %v", took)
			}
			if b.BuildStatus != api.StatusTypeStopped || phasesOf(b) != "SUBMITTED QUEUED PROVISIONING DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD:STOPPED COMPLETED:" {
				t.Errorf("the build is %s with %s", b.BuildStatus, phasesOf(b))
			}
			if log := s.log(b); strings.Contains(log, "Running command echo") {
				t.Errorf("commands ran on:\n%s", log)
			}
			again := call[api.StopBuildOutput](s, "StopBuild", &api.StopBuildInput{ID: id})
			if again.Build.BuildStatus != api.StatusTypeStopped {
				t.Errorf("stopping again changes it to %s", again.Build.BuildStatus)
			}
			s.stop()
			noProcessLeft(t, s.data)
		})
	}
}

// A server that is stopped and started in the middle of a build does not end
// it: the build goes on, and its log misses nothing.
func TestRestartInTheMiddleOfABuild(t *testing.T) {
	for _, sandbox := range []string{"bubblewrap", "none"} {
		t.Run("sandbox "+sandbox, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--sandbox", sandbox)
			s.project("app", "version: 0.2\nphases:\n  build:\n    commands:\n      - for i in $(seq 40); do echo line $i; sleep 0.1; done\n")
			id := s.build("app")
			s.running(id)
			for range 2 {
				s.stop()
				s.start()
			}
			b := s.finished(id)
			if b.BuildStatus != api.StatusTypeSucceeded {
				t.Fatalf("the build ended %s: %s", b.BuildStatus, phasesOf(b))
			}
			log := s.log(b)
			for i := 1; i <= 40; i++ {
				if line := fmt.Sprintf("\nline %d\n", i); i > 1 && strings.Count(log, line) != 1 {
					t.Errorf("%q is %d times in the log", line, strings.Count(log, line))
				}
			}
		})
	}
}

// concurrentBuildLimit keeps a project's builds in the queue, or refuses them,
// as AWS does.
func TestConcurrentBuildLimit(t *testing.T) {
	s := serve(t)
	s.project("app", endless)
	call[api.UpdateProjectOutput](s, "UpdateProject", &api.UpdateProjectInput{Name: "app", ConcurrentBuildLimit: new(1)})
	first := s.build("app")
	s.running(first)
	err := s.try("StartBuild", &api.StartBuildInput{ProjectName: "app"}, nil)
	if err == nil || !strings.Contains(err.Error(), "AccountLimitExceededException") {
		t.Errorf("a build too many: %v", err)
	}
	call[api.StopBuildOutput](s, "StopBuild", &api.StopBuildInput{ID: first})
	s.finished(first)
	second := s.build("app")
	s.running(second)
	call[api.StopBuildOutput](s, "StopBuild", &api.StopBuildInput{ID: second})
	s.finished(second)
}

// Whoever can push to a repository cannot have the server read its machine.
func TestABuildspecThatIsALink(t *testing.T) {
	t.Parallel()
	ghes := newProvider(t)
	s := serve(t)
	call[api.ImportSourceCredentialsOutput](s, "ImportSourceCredentials", map[string]string{
		"serverType": "GITHUB_ENTERPRISE", "authType": "PERSONAL_ACCESS_TOKEN", "token": ghes.token,
	})
	secret := t.TempDir() + "/secret.yml"
	if err := os.WriteFile(secret, []byte("a secret of the machine's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ghes.Link("team", "recipes", "main", "buildspec.yml", secret); err != nil {
		t.Fatal(err)
	}
	s.gitProject("app", ghes.cloneURL)
	b := s.finished(s.build("app"))
	download := b.Phases[3]
	if b.BuildStatus != api.StatusTypeFailed || download.PhaseType != "DOWNLOAD_SOURCE" || !strings.Contains(value(download.Contexts[0].Message), "must be a regular file of the source") {
		t.Errorf("the build is %s with %+v", b.BuildStatus, download)
	}
	if strings.Contains(s.log(b), "a secret of") {
		t.Error("the log shows a file of the machine's")
	}
}
