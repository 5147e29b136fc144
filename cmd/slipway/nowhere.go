package main

import (
	"context"
	"errors"
	"time"

	"slipway/internal/runner"
)

// nowhere is the runner of a server that only accepts builds. Nothing is ever
// launched on it: the server drains its scheduler from the start.
type nowhere struct{}

func (nowhere) Start(context.Context, runner.Launch) (runner.Place, error) {
	return runner.Place{}, errors.New("this server has no runner")
}

func (nowhere) Stop(context.Context, runner.Place, time.Duration) error { return nil }

func (nowhere) List(context.Context) ([]runner.Place, error) { return nil, nil }
