package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"slipway/internal/api"
	"slipway/internal/source/sourcetest"
)

// start measures from StartBuild to the first command, and to COMPLETED.
func (b *bench) start() error {
	shell, err := execFloor(b.ctx)
	if err != nil {
		return err
	}
	fsync, err := fsyncFloor(b.dir)
	if err != nil {
		return err
	}
	floor := fsync + shell
	b.table.add("sh -c true", ms(shell), "", "", "")
	rounds := b.pick(50, 5)
	for _, c := range []struct {
		name, sandbox, goal string
	}{
		{"sandboxed", "bubblewrap", "≤ 25 ms"},
		{"without sandbox", "none", "≤ 15 × (fsync + sh -c true)"},
	} {
		first, ended, err := b.latency(rounds, nil, []string{"--sandbox", c.sandbox})
		if err != nil {
			return err
		}
		b.table.add("StartBuild → first command, "+c.name, first.String(), ms(floor), times(float64(first.at(50)), float64(floor)), c.goal)
		b.table.add("StartBuild → COMPLETED, "+c.name, ended.String(), "", "", "")
	}
	provider, err := b.provider(b.dir, 1)
	if err != nil {
		return err
	}
	defer provider.Close()
	location := provider.CloneURL("team", "recipes")
	first, ended, err := b.latency(rounds, &location, sandboxed)
	if err != nil {
		return err
	}
	b.table.add("StartBuild → first command, private repository", first.String(), "", "", "")
	b.table.add("StartBuild → COMPLETED, private repository", ended.String(), "", "", "")
	return nil
}

// latency runs trivial builds one after another.
func (b *bench) latency(rounds int, location *string, args []string, more ...func(*api.CreateProjectInput)) (first, ended sample, err error) {
	l, err := b.line(location, args, more...)
	if err != nil {
		return nil, nil, err
	}
	defer l.close()
	for range rounds {
		if err := l.build(b.ctx); err != nil {
			return nil, nil, err
		}
	}
	return l.first, l.ended, nil
}

// A line is a server with one project, whose trivial builds are measured. The
// build's first command writes to a named pipe that this process reads, so the
// moment is its own.
type line struct {
	server       *server
	rung         *os.File
	heard        chan time.Time
	first, ended sample // from StartBuild to the first command, and to COMPLETED
}

// line starts a line and warms it up.
func (b *bench) line(location *string, args []string, more ...func(*api.CreateProjectInput)) (*line, error) {
	dir, err := os.MkdirTemp(b.dir, "bell-")
	if err != nil {
		return nil, err
	}
	bell := filepath.Join(dir, "bell")
	if err := syscall.Mkfifo(bell, 0o600); err != nil {
		return nil, err
	}
	l := &line{heard: make(chan time.Time)}
	if l.rung, err = os.OpenFile(bell, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(l.rung); lines.Scan(); {
			l.heard <- time.Now()
		}
	}()
	if l.server, err = b.serve(b.dir, append(slices.Clone(args), "--sandbox-read-only", dir)...); err != nil {
		_ = l.rung.Close()
		return nil, err
	}
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n      - echo > " + bell + "\n"
	err = l.server.benchProject(b.ctx, spec, location, more...)
	for n := 0; n < 2 && err == nil; n++ {
		err = l.build(b.ctx)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	l.first, l.ended = nil, nil
	return l, nil
}

// build runs one build.
func (l *line) build(ctx context.Context) error {
	began := time.Now()
	id, err := l.server.build(ctx, "app")
	if err != nil {
		return err
	}
	var at time.Time
	select {
	case at = <-l.heard:
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the build's command did not run"), l.server.wait(ctx, time.Second, id))
	}
	if err := l.server.wait(ctx, time.Millisecond, id); err != nil {
		return err
	}
	l.first, l.ended = append(l.first, at.Sub(began)), append(l.ended, time.Since(began))
	return nil
}

func (l *line) close() {
	l.server.stop()
	_ = l.rung.Close()
}

// benchProject makes the project app with the buildspec given, and imports the
// token if it has a private repository.
func (s *server) benchProject(ctx context.Context, spec string, location *string, more ...func(*api.CreateProjectInput)) error {
	if location != nil {
		in := map[string]string{"serverType": "GITHUB_ENTERPRISE", "authType": "PERSONAL_ACCESS_TOKEN", "token": benchToken}
		if err := s.call(ctx, "ImportSourceCredentials", in, new(struct{})); err != nil {
			return err
		}
	}
	return s.project(ctx, "app", spec, location, more...)
}

// builds measures how many trivial builds a minute get through.
func (b *bench) builds() error {
	n := b.pick(200, 20)
	for _, atATime := range []int{2, 8} {
		s, err := b.serve(b.dir, "--max-builds", fmt.Sprint(atATime), "--sandbox", "bubblewrap")
		if err != nil {
			return err
		}
		err = b.throughput(s, n, atATime)
		s.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) throughput(s *server, n, atATime int) error {
	if err := s.project(b.ctx, "app", "version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n", nil); err != nil {
		return err
	}
	began := time.Now()
	ids := make([]string, 0, n)
	for range n {
		id, err := s.build(b.ctx, "app")
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	// They are taken in order, so the last one is watched: asking for all of
	// them over and over would be what is measured.
	for _, ids := range [][]string{ids[n-1:], ids} {
		if err := s.wait(b.ctx, 20*time.Millisecond, ids...); err != nil {
			return err
		}
	}
	rate := float64(n) / time.Since(began).Minutes()
	goal := map[int]string{2: "≥ 4,800", 8: "≥ 7,900"}[atATime]
	b.table.add(fmt.Sprintf("%d trivial builds, %d at a time, sandboxed", n, atATime), fmt.Sprintf("%.0f a minute", rate), "", "", goal)
	return nil
}

// clone measures a private repository of 1,000 files, on tmpfs, beside git.
func (b *bench) clone() error {
	dir, err := os.MkdirTemp("/dev/shm", "slipway-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	provider, err := b.provider(dir, 1000)
	if err != nil {
		return err
	}
	defer provider.Close()
	location := provider.CloneURL("team", "recipes")
	b.dir, dir = dir, b.dir // the builds work on tmpfs too
	defer func() { b.dir, dir = dir, b.dir }()
	source := func(in *api.CreateProjectInput) {
		in.Cache = &api.ProjectCache{Type: api.CacheTypeLocal, Modes: []api.CacheMode{api.CacheModeLocalSourceCache}}
	}
	var lines []*line // without a source, with one, and with a cache of it
	for _, c := range []struct {
		location *string
		more     []func(*api.CreateProjectInput)
	}{{}, {location: &location}, {location: &location, more: []func(*api.CreateProjectInput){source}}} {
		l, err := b.line(c.location, sandboxed, c.more...)
		if err != nil {
			return err
		}
		defer l.close()
		lines = append(lines, l)
	}
	var plain sample
	for n := range b.pick(21, 5) { // in turn, so that all meet the same machine
		into := filepath.Join(b.dir, fmt.Sprint("clone-", n))
		cmd := exec.CommandContext(b.ctx, "git", "clone", "--quiet", "http://x:"+benchToken+"@"+location[len("http://"):], into)
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git clone: %w\n%s", err, out)
		}
		plain = append(plain, time.Since(began))
		for _, l := range lines {
			if err := l.build(b.ctx); err != nil {
				return err
			}
		}
	}
	without := lines[0].first.at(50)
	fetch, again := lines[1].first.at(50)-without, lines[2].first.at(50)-without
	b.table.add("fetch of 1,000 files, cold, tmpfs", ms(fetch), "git clone "+ms(plain.at(50)), times(float64(fetch), float64(plain.at(50))), "≤ 1.15 ×")
	b.table.add("the same with LOCAL_SOURCE_CACHE", ms(again), "git clone "+ms(plain.at(50)), times(float64(again), float64(plain.at(50))), "≤ 0.6 ×")
	return nil
}

// sandboxed are the arguments of a server whose builds are.
var sandboxed = []string{"--sandbox", "bubblewrap"}

const benchToken = "ghp_BenchBenchBenchBenchBenchBenchBench0"

// provider starts a source provider with a private repository of so many files.
func (b *bench) provider(dir string, files int) (*sourcetest.Server, error) {
	p, err := sourcetest.New(sourcetest.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if _, err := p.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.AddToken(sourcetest.Token{Value: benchToken, Login: "bench", Scopes: []string{"repo"}})
	if err := p.CreateRepository("team", "recipes", true); err != nil {
		return nil, err
	}
	tree := map[string]string{}
	for n := range files {
		tree[fmt.Sprintf("dir-%d/file-%d.txt", n%20, n)] = fmt.Sprintf("file %d\n", n)
	}
	_, err = p.Commit("team", "recipes", "main", tree, "Fill the repository")
	return p, err
}

// execFloor is the median of starting a shell that does nothing.
func execFloor(ctx context.Context) (time.Duration, error) {
	var all sample
	for range 100 {
		began := time.Now()
		if err := exec.CommandContext(ctx, "sh", "-c", "true").Run(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	return all.at(50), nil
}
