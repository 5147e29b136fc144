package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"slipway/internal/agent/sandbox"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/runner"
	"slipway/internal/runner/docker"
	"slipway/internal/runner/local"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

// The runners, as --runner and DescribeServer name them.
const (
	autoRunner   = "auto" // docker for what needs a container, local for all else
	localRunner  = "local"
	dockerRunner = "docker"
	noRunner     = "none"
)

// localImage is what a project names as its image to be built with the tools of
// the server's machine.
const localImage = "local"

// runner returns where agents live, and says loudly if user code is not shut in.
func (s *server) runner(ctx context.Context) (runner.Runner, error) {
	if s.o.runner == noRunner {
		s.sandboxNote = "are accepted and wait: there is no runner"
		return nowhere{}, nil
	}
	agent := s.o.agent
	if len(agent) == 0 {
		var err error
		if agent, err = agentCommand(); err != nil {
			return nil, err
		}
	}
	ended := make(chan runner.Place, 256)
	if s.o.runner != localRunner {
		var err error
		if s.docker, err = s.containers(ctx, agent, ended); err != nil && (s.o.runner == dockerRunner || s.o.images.Len() > 0) {
			return nil, err
		} else if err != nil {
			s.o.log.Debug("builds have no containers", "reason", err)
		}
	}
	if s.o.runner == dockerRunner {
		s.runners = []string{dockerRunner}
		s.sandboxNote = "run in containers of Docker " + s.docker.Engine().Version
		return s.docker, nil
	}
	place, err := s.onMachine(ctx, agent, ended)
	if err != nil || s.docker == nil {
		s.runners = []string{localRunner}
		return place, err
	}
	s.runners = []string{dockerRunner, localRunner}
	s.sandboxNote = fmt.Sprintf("run in containers of Docker %s; those with the image local, or one of CodeBuild's that is not mapped, %s", s.docker.Engine().Version, s.sandboxNote)
	return &mixed{local: place, docker: s.docker, images: s.o.images, ended: ended}, nil
}

// containers returns the Docker runner.
func (s *server) containers(ctx context.Context, agent []string, ended chan runner.Place) (*docker.Runner, error) {
	return docker.Open(ctx, docker.Options{
		Dir: s.o.data.file("containers"), Server: "unix://" + s.o.data.file("agent.sock"), Agent: agent,
		Engine: os.Getenv("DOCKER_HOST"), Images: s.o.images, Network: s.o.network,
		Mirrors: s.o.mirrors(), Secret: s.registryLogin, Ended: ended, Log: s.o.log,
	})
}

// registryLogin returns the secret that a launch's RegistryCredential names.
func (s *server) registryLogin(ctx context.Context, l runner.Launch) (secret.Text, error) {
	ref := vault.Reference{Type: api.EnvironmentVariableTypeSecretsManager, Value: l.RegistryCredential}
	values, failure, err := vault.Resolve(ctx, l.Scope, s.sources(), []vault.Reference{ref}, vault.Use{BuildID: l.BuildID, Project: l.ProjectName})
	switch {
	case err != nil:
		return secret.Text{}, err
	case failure != nil:
		return secret.Text{}, fault.New(fault.Invalid, "%s", failure.Message)
	}
	return values[0], nil
}

// onMachine returns the local runner.
func (s *server) onMachine(ctx context.Context, agent []string, ended chan runner.Place) (runner.Runner, error) {
	box := agentapi.Sandbox{Hide: []string{string(s.o.data)}, ReadOnly: s.o.readOnly}
	if os.Geteuid() == 0 {
		box.Hide = append(box.Hide, sandbox.RootOnly(s.o.readOnly)...)
	}
	s.sandboxNote = "run on this machine, in a bubblewrap sandbox"
	if s.o.sandbox != "none" {
		bwrap, err := local.Probe(ctx)
		if err != nil && s.o.sandbox == "bubblewrap" {
			return nil, err
		}
		if err != nil {
			s.o.log.Warn("no sandbox is possible here: builds can read and change whatever this user can", "reason", err)
		}
		box.Bubblewrap = bwrap
	}
	if box.Bubblewrap == "" {
		s.sandboxNote = "run on this machine WITHOUT A SANDBOX: they can read and change whatever this user can, the tokens' key included"
	}
	return local.New(local.Options{
		Dir: s.o.data.file("builds"), Server: "unix://" + s.o.data.file("agent.sock"), Agent: agent, Sandbox: box, Ended: ended, Log: s.o.log,
		Mirrors: s.o.mirrors(),
	})
}

// mixed gives a container to builds that name an image which can be had, and a
// place on the machine itself to all others.
type mixed struct {
	local, docker runner.Runner
	images        docker.Images
	ended         chan runner.Place // of both
}

// Start starts a build where it belongs. That one of CodeBuild's images is not
// there is the first thing that its log says.
func (m *mixed) Start(ctx context.Context, l runner.Launch) (runner.Place, error) {
	_, mapped := m.images.Mapped(l.Image)
	switch {
	case mapped, l.Image != localImage && !docker.IsCurated(l.Image):
		return m.docker.Start(ctx, l)
	case l.Image != localImage:
		l.Notes = append(slices.Clip(l.Notes), "The image "+l.Image+" is CodeBuild's own and not mapped to another one (--docker-image), so the tools of this machine are used")
	}
	return m.local.Start(ctx, l)
}

// Stop ends an agent wherever it is.
func (m *mixed) Stop(ctx context.Context, p runner.Place, grace time.Duration) error {
	if strings.HasPrefix(p.ID, docker.Prefix) {
		return m.docker.Stop(ctx, p, grace)
	}
	return m.local.Stop(ctx, p, grace)
}

// List returns the places of both.
func (m *mixed) List(ctx context.Context) ([]runner.Place, error) {
	one, err := m.docker.List(ctx)
	other, otherErr := m.local.List(ctx)
	return append(one, other...), errors.Join(err, otherErr)
}

// Ended tells of agents that have ended.
func (m *mixed) Ended() <-chan runner.Place { return m.ended }
