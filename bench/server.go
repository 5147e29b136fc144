package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/awsjson"
	"slipway/internal/secret"
)

// A server is a slipway serve process on an empty data folder.
type server struct {
	cmd    *exec.Cmd
	data   string
	url    string
	ready  time.Duration // from exec to listening
	client *awsjson.Client
}

// serve starts a server below parent and waits until it listens.
func (b *bench) serve(parent string, args ...string) (*server, error) {
	data, err := os.MkdirTemp(parent, "data-")
	if err != nil {
		return nil, err
	}
	s := &server{data: data}
	s.cmd = exec.Command(filepath.Join(b.bin, "slipway"), append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level", "error", "--drain", "0s"}, args...)...)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), " listens on "); ok {
			s.ready, s.url = time.Since(began), url
			break
		}
	}
	if s.url == "" {
		return nil, errors.New("the server did not start")
	}
	go func() { // the pipe must not fill up
		for lines.Scan() {
		}
	}()
	env, err := exec.CommandContext(b.ctx, filepath.Join(b.bin, "slipway"), "env", "--data", data).Output()
	if err != nil {
		return nil, fmt.Errorf("slipway env: %w", err)
	}
	key := accesskey.Key{}
	for line := range strings.Lines(string(env)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		switch value = strings.Trim(value, "'"); name {
		case "AWS_ACCESS_KEY_ID":
			key.ID = value
		case "AWS_SECRET_ACCESS_KEY":
			key.Secret = secret.New(value)
		}
	}
	s.client = &awsjson.Client{Endpoint: s.url, Key: key, Region: "us-east-1"}
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.data)
}

// memory returns a field of the server's /proc/…/status, VmRSS or VmHWM, in MiB.
func (s *server) memory(field string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// forgetPeak makes VmHWM count from now.
func (s *server) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0)
}

func (s *server) call(ctx context.Context, op string, in, out any) error {
	return s.client.Call(ctx, api.CodeBuild, op, in, out)
}

// project makes a project; a nil location is NO_SOURCE with the buildspec inline.
// more, if there is any, changes it first.
func (s *server) project(ctx context.Context, name, buildspec string, location *string, more ...func(*api.CreateProjectInput)) error {
	source := &api.ProjectSource{Type: api.SourceTypeNoSource, Buildspec: &buildspec}
	if location != nil {
		source.Type, source.Location = api.SourceTypeGithubEnterprise, location
	}
	in := &api.CreateProjectInput{
		Name: name, Source: source,
		Artifacts:   &api.ProjectArtifacts{Type: api.ArtifactsTypeNoArtifacts},
		Environment: &api.ProjectEnvironment{Type: api.EnvironmentTypeLinuxContainer, Image: "local", ComputeType: api.ComputeTypeBuildGeneral1Small},
		ServiceRole: "arn:aws:iam::000000000000:role/build",
	}
	for _, change := range more {
		change(in)
	}
	return s.call(ctx, "CreateProject", in, new(api.CreateProjectOutput))
}

// build starts a build and returns its id.
func (s *server) build(ctx context.Context, project string) (string, error) {
	var out api.StartBuildOutput
	if err := s.call(ctx, "StartBuild", &api.StartBuildInput{ProjectName: project}, &out); err != nil {
		return "", err
	}
	return *out.Build.ID, nil
}

// wait polls until the builds have ended, and fails if one did not succeed.
func (s *server) wait(ctx context.Context, every time.Duration, ids ...string) error {
	poll := time.NewTicker(every)
	defer poll.Stop()
	for len(ids) > 0 {
		page := ids[:min(len(ids), 100)]
		var out api.BatchGetBuildsOutput
		if err := s.call(ctx, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: page}, &out); err != nil {
			return err
		}
		ended := map[string]bool{}
		for _, b := range out.Builds {
			if b.BuildComplete != nil && *b.BuildComplete {
				if b.BuildStatus != api.StatusTypeSucceeded {
					return fmt.Errorf("build %s ended %s: %+v", *b.ID, b.BuildStatus, b.Phases)
				}
				ended[*b.ID] = true
			}
		}
		var left []string
		for _, id := range ids {
			if !ended[id] {
				left = append(left, id)
			}
		}
		if ids = left; len(ids) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
	}
	return nil
}
