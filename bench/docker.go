package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/moby/moby/client"

	"slipway/internal/api"
	"slipway/internal/runner/docker/dockertest"
)

// clock is a command that every image of the tests has: it prints when it ran,
// to the microsecond, by the clock of the machine.
const clock = "adjtimex"

var clockOf = regexp.MustCompile(`time\.tv_sec: +(\d+)\s+time\.tv_usec: +(\d+)`)

// ran is when a clock that printed this ran.
func ran(printed string) (time.Time, error) {
	m := clockOf.FindStringSubmatch(printed)
	if m == nil {
		return time.Time{}, fmt.Errorf("%s printed no time: %q", clock, printed)
	}
	sec, _ := strconv.ParseInt(m[1], 10, 64)
	usec, _ := strconv.ParseInt(m[2], 10, 64)
	return time.Unix(sec, usec*1000), nil
}

// docker measures from StartBuild to the first command in a container of its
// image, beside docker run with the same one, in turn.
func (b *bench) docker() error {
	engine, err := dockertest.Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, "docker is not measured:", err)
		return nil
	}
	defer engine.Close()
	before, err := containers(b.ctx, engine)
	if err != nil {
		return err
	}
	s, err := b.serve(b.dir, "--runner", "docker")
	if err != nil {
		return err
	}
	defer s.stop()
	spec := "version: 0.2\nenv:\n  exported-variables: [CLOCK]\nphases:\n  build:\n    commands:\n      - CLOCK=$(" + clock + ")\n"
	if err := s.project(b.ctx, "app", spec, nil, func(in *api.CreateProjectInput) { in.Environment.Image = dockertest.Image }); err != nil {
		return err
	}
	var floor, first, ended sample
	for n := range b.pick(15, 3) + 2 {
		// What is removed at the same time would be measured, too.
		if err := settle(b.ctx, engine, before); err != nil {
			return err
		}
		run, err := b.dockerRun()
		if err != nil {
			return err
		}
		if err := settle(b.ctx, engine, before); err != nil {
			return err
		}
		command, whole, err := b.dockerBuild(s)
		if err != nil {
			return err
		}
		if n >= 2 { // the first ones warm up
			floor, first, ended = append(floor, run), append(first, command), append(ended, whole)
		}
	}
	b.table.add("StartBuild → first command, Docker", first.String(), "docker run "+ms(floor.at(50)), times(float64(first.at(50)), float64(floor.at(50))), "≤ 1.15 ×")
	b.table.add("StartBuild → COMPLETED, Docker", ended.String(), "", "", "")
	return nil
}

// settle waits until the engine has no more containers than before.
func settle(ctx context.Context, engine *client.Client, before int) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		n, err := containers(ctx, engine)
		if err != nil || n <= before {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
		}
	}
}

func containers(ctx context.Context, engine *client.Client) (int, error) {
	got, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true})
	return len(got.Items), err
}

// dockerRun measures from docker run to the first command in the container.
func (b *bench) dockerRun() (time.Duration, error) {
	began := time.Now()
	out, err := exec.CommandContext(b.ctx, "docker", "run", "--rm", dockertest.Image, "sh", "-c", "CLOCK=$("+clock+`); echo "$CLOCK"`).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("docker run: %w\n%s", err, out)
	}
	at, err := ran(string(out))
	return at.Sub(began), err
}

// dockerBuild measures from StartBuild to the first command in the build's
// container, which exports when it ran, and to COMPLETED.
func (b *bench) dockerBuild(s *server) (first, ended time.Duration, err error) {
	began := time.Now()
	id, err := s.build(b.ctx, "app")
	if err == nil {
		err = s.wait(b.ctx, 50*time.Millisecond, id) // asking more often would be measured, too
	}
	if err != nil {
		return 0, 0, err
	}
	ended = time.Since(began)
	var out api.BatchGetBuildsOutput
	if err := s.call(b.ctx, "BatchGetBuilds", &api.BatchGetBuildsInput{IDs: []string{id}}, &out); err != nil {
		return 0, 0, err
	}
	for _, v := range out.Builds[0].ExportedEnvironmentVariables {
		at, err := ran(*v.Value)
		return at.Sub(began), ended, err
	}
	return 0, 0, errors.New("the build exported nothing")
}
