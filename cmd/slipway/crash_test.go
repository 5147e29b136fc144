package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/api"
)

// TestKillAtAnyMoment kills the server without warning, 30 times, while
// credentials are imported, projects made and builds started, and holds it to
// what it answered: every accepted build exists and ends, every credential
// opens, and when all is over no process is left.
func TestKillAtAnyMoment(t *testing.T) {
	const rounds = 30
	s := serve(t, "--max-builds", "4")
	s.project("app", "version: 0.2\nphases:\n  build:\n    commands:\n      - echo works & sleep 0.05\n      - sleep 0.1\n")
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))

	var mu sync.Mutex // guards accepted and projects
	accepted := map[string]bool{}
	projects := map[string]bool{"app": true}
	for round := range rounds {
		var load sync.WaitGroup
		stopLoad := make(chan struct{})
		for worker := range 3 {
			load.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stopLoad:
						return
					default:
					}
					if n%5 == 4 {
						name := fmt.Sprintf("p-%d-%d-%d", round, worker, n)
						if s.try("CreateProject", &api.CreateProjectInput{
							Name: name, Source: &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: new("version: 0.2\nphases: {}\n")},
							Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
							Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
							ServiceRole: "arn:aws:iam::000000000000:role/build",
						}, new(api.CreateProjectOutput)) == nil {
							mu.Lock()
							projects[name] = true
							mu.Unlock()
						}
						continue
					}
					mu.Lock()
					enough := len(accepted) >= (round+1)*8 // bounds the builds to wait for at the end
					mu.Unlock()
					if enough {
						<-stopLoad
						return
					}
					var out api.StartBuildOutput
					if s.try("StartBuild", &api.StartBuildInput{ProjectName: "app"}, &out) == nil {
						mu.Lock()
						accepted[value(out.Build.ID)] = true
						mu.Unlock()
					}
				}
			})
		}
		// The moment is random, but never a sleep that anything waits for: the
		// timer only says when the axe falls.
		<-time.After(time.Duration(random.IntN(300)) * time.Millisecond)
		s.kill()
		close(stopLoad)
		load.Wait()
		s.start()
	}

	if len(accepted) < rounds/3 { // machines are slow at times
		t.Fatalf("only %d builds were accepted in %d rounds: the load was not real", len(accepted), rounds)
	}
	ends := map[api.StatusType]int{}
	for id := range accepted {
		b := s.finished(id)
		ends[b.BuildStatus]++
		switch b.BuildStatus {
		case api.StatusTypeSucceeded:
		case api.StatusTypeFault:
			if !explained(b) {
				t.Errorf("build %s ended FAULT without a reason: %+v", id, b.Phases)
			}
		default:
			t.Errorf("build %s ended %s: %+v", id, b.BuildStatus, b.Phases)
		}
	}
	t.Logf("%d accepted builds ended: %v", len(accepted), ends)
	for name := range projects {
		if out := call[api.BatchGetProjectsOutput](s, "BatchGetProjects", &api.BatchGetProjectsInput{Names: []string{name}}); len(out.Projects) != 1 {
			t.Errorf("project %s was accepted and is gone", name)
		}
	}
	s.stop()
	noProcessLeft(t, s.data)
}

// try runs one operation and returns its error; while the server is down there
// is one.
func (s *serverProcess) try(op string, in, out any) error {
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	return client.Call(s.t.Context(), api.CodeBuild, op, in, out)
}

// explained reports whether some phase says why the build did not succeed.
func explained(b api.Build) bool {
	for _, p := range b.Phases {
		for _, c := range p.Contexts {
			if value(c.Message) != "" {
				return true
			}
		}
	}
	return false
}

// noProcessLeft fails the test if a process still works on the data folder.
func noProcessLeft(t *testing.T, data string) {
	t.Helper()
	// An agent that has just reported its end needs a moment to be gone.
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for range 100 {
		if len(processes(data)) == 0 {
			return
		}
		<-poll.C
	}
	t.Errorf("processes are left behind: %v", processes(data))
}

// processes returns the command lines of all processes that mention dir in
// their arguments or work below it.
func processes(dir string) []string {
	var found []string
	pids, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range pids {
		if p == fmt.Sprintf("/proc/%d", os.Getpid()) {
			continue
		}
		args, err := os.ReadFile(p + "/cmdline")
		if err != nil {
			continue
		}
		cwd, _ := os.Readlink(p + "/cwd")
		if bytes.Contains(args, []byte(dir)) || strings.HasPrefix(cwd, dir) {
			found = append(found, strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}
