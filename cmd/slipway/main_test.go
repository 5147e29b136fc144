package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/awsjson"
)

// bin is the folder with the two binaries under test, built once as users build
// them. In raced the server has the race detector if the tests have it: it makes
// a program so slow to start that only those that stay have it. The tests of the
// agent's own package run it so.
var bin, raced string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "slipway-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin, raced = dir, dir
	if err := os.Chmod(dir, 0o755); err != nil { // builds in containers may be other users'
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "slipway/cmd/slipway", "slipway/cmd/slipway-agent") // as make does, which has compiled them
	programs.Env = append(os.Environ(), "CGO_ENABLED=0")
	builds := []*exec.Cmd{programs}
	if raceEnabled {
		raced = filepath.Join(dir, "raced")
		builds = append(builds, exec.Command("go", "build", "-race", "-o", raced+"/", "slipway/cmd/slipway"), exec.Command("ln", filepath.Join(bin, "slipway-agent"), raced))
		os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
	}
	for _, build := range builds {
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, out)
			os.Exit(1)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A serverProcess is a real slipway serve on a data folder of its own.
type serverProcess struct {
	t      *testing.T
	data   string
	args   []string
	bin    string              // folder of its two programs; empty means raced
	as     *syscall.Credential // the user it runs as; nil means that of the test
	url    string
	client *awsjson.Client

	cmd    *exec.Cmd
	exited chan struct{}

	mu     sync.Mutex
	output bytes.Buffer // everything the server ever printed, over all its starts
}

// serve starts a server on a fresh data folder. It is stopped when the test ends.
func serve(t *testing.T, args ...string) *serverProcess {
	t.Helper()
	s := &serverProcess{t: t, data: filepath.Join(t.TempDir(), "data"), args: args}
	s.run()
	return s
}

// run starts the server, which is stopped when the test ends.
func (s *serverProcess) run() {
	s.t.Helper()
	s.start()
	s.t.Cleanup(func() {
		s.stop()
		if s.t.Failed() {
			s.t.Logf("the server printed:\n%s", s.printed())
		}
	})
}

// start starts the server on s.data, on a new port, and waits until it listens.
func (s *serverProcess) start() {
	s.t.Helper()
	args := append([]string{"serve", "--data", s.data, "--listen", "127.0.0.1:0", "--drain", "0s"}, s.args...)
	s.cmd = exec.Command(filepath.Join(cmp.Or(s.bin, raced), "slipway"), args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	listens := make(chan string, 1)
	var copies sync.WaitGroup
	copies.Go(func() {
		at := ""
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			s.print(lines.Text())
			if _, url, ok := strings.Cut(lines.Text(), " listens on "); ok {
				at = url
			}
			if strings.HasPrefix(strings.TrimSpace(lines.Text()), "clients ") && at != "" { // the last line of what it says at its start
				listens <- at
				at = ""
			}
		}
	})
	copies.Go(func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.print(lines.Text())
		}
	})
	exited := make(chan struct{})
	s.exited = exited
	cmd := s.cmd
	go func() {
		copies.Wait()
		_ = cmd.Wait() // how it ended is in what it printed
		close(exited)
	}()
	select {
	case s.url = <-listens:
	case <-exited:
		s.t.Fatalf("the server did not start:\n%s", s.printed())
	case <-time.After(time.Minute):
		s.t.Fatalf("the server does not listen after a minute:\n%s", s.printed())
	}
	if s.client, err = connect(s.t.Context(), dataFolder(s.data)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *serverProcess) print(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.output.WriteString(line + "\n")
}

func (s *serverProcess) printed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()
}

// stop ends the server as an operator does, with SIGTERM.
func (s *serverProcess) stop() { s.signal(syscall.SIGTERM) }

// kill ends the server as a power cut does.
func (s *serverProcess) kill() { s.signal(syscall.SIGKILL) }

func (s *serverProcess) signal(sig syscall.Signal) {
	s.t.Helper()
	_ = s.cmd.Process.Signal(sig) // it may have ended already
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		s.t.Fatalf("the server is still there a minute after %s:\n%s", sig, s.printed())
	}
}

// call runs one operation of CodeBuild and fails the test if it fails.
func call[Out any](s *serverProcess, op string, in any) *Out {
	s.t.Helper()
	out := new(Out)
	if err := s.client.Call(s.t.Context(), api.CodeBuild, op, in, out); err != nil {
		s.t.Fatalf("%s: %v", op, err)
	}
	return out
}

// finished waits until a build has ended and returns it.
func (s *serverProcess) finished(id string) api.Build {
	s.t.Helper()
	return s.until(id, "has ended", func(b api.Build) bool { return value(b.BuildComplete) })
}

// until waits until a build satisfies done and returns it.
func (s *serverProcess) until(id, what string, done func(api.Build) bool) api.Build {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	var last api.Build
	for {
		out := call[api.BatchGetBuildsOutput](s, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{id}})
		if len(out.Builds) != 1 {
			s.t.Fatalf("BatchGetBuilds(%s) found %d builds, want 1", id, len(out.Builds))
		}
		if last = out.Builds[0]; done(last) {
			return last
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("build %s is %s in %s after two minutes; waited until it %s", id, last.BuildStatus, value(last.CurrentPhase), what)
		case <-poll.C:
		}
	}
}

// project makes a project that builds NO_SOURCE with an inline buildspec.
func (s *serverProcess) project(name, buildspec string) {
	s.t.Helper()
	call[api.CreateProjectOutput](s, "CreateProject", &api.CreateProjectInput{
		Name:        name,
		Source:      &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: &buildspec},
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	})
}
