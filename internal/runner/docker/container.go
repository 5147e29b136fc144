package docker

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"slipway/internal/agent/relay"
	"slipway/internal/agent/sandbox"
	"slipway/internal/agentapi"
	"slipway/internal/runner"
)

// Labels of what this package makes in an engine.
const (
	folderLabel  = "slipway.folder"  // Options.Dir: containers of other servers are not touched
	placeLabel   = "slipway.place"   // id of the place
	buildLabel   = "slipway.build"   // id of the build, for people
	projectLabel = "slipway.project" // of a volume of layers
)

// What the agent's program and the socket to it are called in the workspace's
// folder that user code cannot change.
const (
	programFile = "readonly/agent"
	socketFile  = "readonly/place"
)

// connectTime is how long a container's first process may take from its start
// to its first word; with a Docker daemon to start, relay.DockerdTime more.
const connectTime = 30 * time.Second

// pids is how many processes a container may have at once.
const pids = 16 << 10

// layers is where Docker keeps its layers. They cannot be in a container's own
// layer: that would be one file system of their kind in another.
const layers = "/var/lib/docker"

// contain makes the container of a place and returns the connection to it,
// which the caller hands to the agent. Commands can run there.
func (r *Runner) contain(ctx context.Context, p runner.Place, l runner.Launch, image Image) (*os.File, error) {
	workspace := filepath.Join(r.agents.Dir(p), "codebuild") // as the agent calls it
	for _, dir := range []string{workspace, filepath.Join(workspace, "output"), filepath.Join(workspace, "readonly")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	// Each mount takes the engine its time, and a link none.
	program := filepath.Join(workspace, programFile)
	linked := os.Link(r.options.Inside[0], program) == nil
	if !linked {
		if err := os.WriteFile(program, nil, 0o755); err != nil { // the program is shown over it
			return nil, err
		}
	}
	listener, err := agentapi.ListenUnix(ctx, filepath.Join(workspace, socketFile))
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(ctx, engineTime+connectTime)
	defer cancel()
	name := containerName(p.ID)
	if err := r.create(ctx, name, p, l, image, workspace, !linked); err != nil {
		return nil, fmt.Errorf("create container: %w", err)
	}
	if _, err := r.engine.client.ContainerStart(ctx, name, client.ContainerStartOptions{}); err != nil {
		return nil, fmt.Errorf("start container: %w", err)
	}
	conn, err := r.connect(ctx, listener, name, l)
	if err == nil {
		err = os.Remove(filepath.Join(workspace, socketFile)) // before user code is there to find it
	}
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		return nil, err
	}
	return conn, nil
}

// connect waits for a container's first process and for its first word.
func (r *Runner) connect(ctx context.Context, listener net.Listener, name string, l runner.Launch) (*os.File, error) {
	limit := time.Now().Add(connectTime)
	if l.Privileged {
		limit = limit.Add(relay.DockerdTime)
	}
	waiting, done := context.WithDeadline(ctx, limit)
	defer done()
	// Whoever waits for the one that does not come is woken by this.
	defer context.AfterFunc(waiting, func() { listener.Close() })()
	go func() {
		exit := r.engine.client.ContainerWait(waiting, name, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		select {
		case <-exit.Result:
		case <-exit.Error:
		}
		done()
	}()
	conn, err := listener.Accept()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("the container's first process does not connect to the agent (%s); the engine must see %s under the same path as this server",
			r.state(context.WithoutCancel(ctx), name), r.agents.Root())
	}
	defer conn.Close()
	var problem *relay.Problem
	switch err := relay.Await(conn, limit); {
	case errors.As(err, &problem):
		return nil, unsupported(problem)
	case errors.Is(err, io.EOF):
		return nil, unsupported(errors.New(r.state(context.WithoutCancel(ctx), name)))
	case err != nil:
		return nil, fmt.Errorf("connect to the container: %w", err)
	}
	return conn.(*net.UnixConn).File()
}

// unsupported is CodeBuild's word for an image in which commands cannot run.
func unsupported(why error) *runner.Failure {
	return &runner.Failure{
		Code: "CLIENT_ERROR",
		Message: "Build container found dead before completing the build. Build container died because it was out of memory, or the Docker image is not supported. ErrorCode: 500 (" +
			oneLine(why.Error()) + ")",
		Err: why,
	}
}

// state tells how a container is, for an error.
func (r *Runner) state(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	got, err := r.engine.client.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil || got.Container.State == nil {
		return "it is gone"
	}
	s := got.Container.State
	text := fmt.Sprintf("it is %s, exit status %d", s.Status, s.ExitCode)
	if s.OOMKilled {
		text += ", out of memory"
	}
	if s.Error != "" {
		text += ": " + s.Error
	}
	return text
}

// containerName returns the name of a place's container.
func containerName(id string) string { return "slipway-" + strings.TrimPrefix(id, Prefix) }

// create makes the container of a place. Its environment is the image's. The
// agent's program is mounted unless it is in the workspace.
func (r *Runner) create(ctx context.Context, name string, p runner.Place, l runner.Launch, image Image, workspace string, program bool) error {
	in := func(file string) string { return sandbox.Workspace + "/" + file }
	words := append([]string{in(programFile)}, r.options.Inside[1:]...)
	words = append(words, "place", in(socketFile))
	if l.Privileged && IsCurated(l.Image) { // as CodeBuild does with its own images
		words = append(words, relay.WithDockerd)
	}
	nanoCPUs, memory := r.engine.limits(l)
	processes := int64(pids)
	host := &container.HostConfig{
		LogConfig: container.LogConfig{Type: "none"}, NetworkMode: container.NetworkMode(r.options.Network), Privileged: l.Privileged,
		Resources: container.Resources{NanoCPUs: nanoCPUs, Memory: memory, MemorySwap: memory, PidsLimit: &processes},
		Mounts: []mount.Mount{
			{Type: mount.TypeBind, Source: filepath.Join(workspace, "output"), Target: in("output")},
			{Type: mount.TypeBind, Source: filepath.Join(workspace, "readonly"), Target: in("readonly"), ReadOnly: true},
		},
	}
	if program {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: r.options.Inside[0], Target: in(programFile), ReadOnly: true})
	}
	r.engine.secure(host)
	if l.Privileged {
		volume := mount.Mount{Type: mount.TypeVolume, Target: layers}
		if l.LayerCache {
			r.layering.Lock()
			defer r.layering.Unlock()
			var err error
			if volume.Source, err = r.engine.freeLayers(ctx, r.agents.Root(), l); err != nil {
				return err
			}
		}
		host.Mounts = append(host.Mounts, volume)
	}
	_, err := r.engine.client.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: name, HostConfig: host,
		Config: &container.Config{
			Image: image.Ref, Entrypoint: words, User: "0:0", WorkingDir: sandbox.Workspace, Hostname: r.hostname(),
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
			Labels:      map[string]string{folderLabel: r.agents.Root(), placeLabel: p.ID, buildLabel: p.BuildID},
		},
	})
	return err
}

// hostname is what containers call themselves, if they may choose.
func (r *Runner) hostname() string {
	if r.options.Network == "host" || strings.HasPrefix(r.options.Network, "container:") {
		return ""
	}
	return sandbox.Hostname
}

// secure has the workspace's files be for the container what they are for this
// server, on an engine that sees to it that they are not.
func (i *Info) secure(h *container.HostConfig) {
	for _, option := range i.security {
		switch {
		case strings.HasPrefix(option, "name=userns"):
			h.UsernsMode = "host"
		case strings.HasPrefix(option, "name=selinux"):
			h.SecurityOpt = append(h.SecurityOpt, "label=disable")
		}
	}
}

// containers returns the ids of places that have a container.
func (r *Runner) containers(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	got, err := r.engine.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", folderLabel+"="+r.agents.Root())})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range got.Items {
		if id := c.Labels[placeLabel]; r.agents.IsPlace(id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// removeContainer removes the container of a place with its own volumes, and
// returns when it is gone. That there is none is no error.
func (r *Runner) removeContainer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	return r.engine.remove(ctx, containerName(id))
}

func (e *Engine) remove(ctx context.Context, name string) error {
	_, err := e.client.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case err == nil, errdefs.IsNotFound(err):
		return nil
	case !errdefs.IsConflict(err): // somebody else removes it already
		return fmt.Errorf("remove container: %w", err)
	}
	gone := e.client.ContainerWait(ctx, name, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case <-gone.Result:
		return nil
	case err := <-gone.Error:
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("remove container: %w", err)
	}
}

// static returns a command whose program runs in any image, with the path of
// the program itself.
func static(command []string) ([]string, error) {
	if len(command) == 0 {
		return nil, errors.New("the agent's command is needed")
	}
	path, err := filepath.EvalSymlinks(command[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, err
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the agent %s is no program for containers: %w", path, err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return nil, fmt.Errorf("the agent %s needs libraries that images do not have: build it with CGO_ENABLED=0, as 'make build' does", path)
	}
	return append([]string{path}, command[1:]...), nil
}

// denied reports whether an error is of files that this user may not remove.
func denied(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EPERM)
}
