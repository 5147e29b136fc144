package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"slipway/internal/agentapi"
	"slipway/internal/runner"
	"slipway/internal/runner/docker"
	"slipway/internal/runner/local"
)

// checkPlace holds the flags of containers against those of the sandbox.
func (o *runOptions) checkPlace() (docker.Images, error) {
	var none docker.Images
	switch o.sandbox {
	case "auto", "bubblewrap", "none":
	default:
		return none, usagef("--sandbox must be auto, bubblewrap or none")
	}
	if o.image == "" {
		switch {
		case o.privileged:
			return none, usagef("--privileged is for containers: name the image with --image")
		case len(o.images) > 0:
			return none, usagef("--docker-image says what an image is: name the one to use with --image")
		}
		return none, nil
	}
	if o.sandbox != "auto" || len(o.readOnly) > 0 {
		return none, usagef("--sandbox and --sandbox-read-only are for builds without --image: in a container commands see its image's files only")
	}
	images, err := docker.ParseImages(o.images)
	if err != nil {
		return none, usagef("--docker-image: %w", err)
	}
	if _, err := images.Resolve(o.image); err != nil && docker.IsCurated(o.image) {
		return none, usagef("--image %s: AWS does not publish this image; say which one stands for it with --docker-image %s=IMAGE", o.image, o.image)
	} else if err != nil {
		return none, usagef("--image %s is no name of an image", o.image)
	}
	return images, nil
}

// place returns where the build's agent lives, and what ends it.
func (o *runOptions) place(ctx context.Context, temp, socket string, images docker.Images, say *slog.Logger, stderr io.Writer) (runner.Runner, func() error, error) {
	agent, err := agentCommand()
	if err != nil {
		return nil, nil, err
	}
	if o.image != "" {
		r, err := docker.Open(ctx, docker.Options{
			Dir: filepath.Join(temp, "containers"), Server: "unix://" + socket, Agent: agent, Engine: os.Getenv("DOCKER_HOST"), Images: images, Log: say,
		})
		if err != nil {
			return nil, nil, fmt.Errorf("--image %s: %w; without --image the build uses the tools of this machine", o.image, err)
		}
		return r, r.Close, nil
	}
	box, err := o.shutIn(ctx, temp, stderr)
	if err != nil {
		return nil, nil, err
	}
	r, err := local.New(local.Options{
		Dir: filepath.Join(temp, "builds"), Server: "unix://" + socket, Agent: agent, Sandbox: box, Path: os.Getenv("PATH"), Log: say,
	})
	return r, func() error { return nil }, err
}

// shutIn says how commands are shut in here, and tells if they are not.
func (o *runOptions) shutIn(ctx context.Context, temp string, stderr io.Writer) (agentapi.Sandbox, error) {
	box := agentapi.Sandbox{Hide: []string{temp}, ReadOnly: o.readOnly}
	if o.cache != "" {
		box.Hide = append(box.Hide, o.cache)
	}
	if o.sandbox == "none" {
		return box, nil
	}
	bwrap, err := local.Probe(ctx)
	if err != nil && o.sandbox == "bubblewrap" {
		return box, err
	}
	if err != nil {
		fmt.Fprintf(stderr, "No sandbox is possible here, so that commands can read and change whatever you can: %v\n", err)
	}
	box.Bubblewrap = bwrap
	return box, nil
}
