package main

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/logs"
	"slipway/internal/api/ssm"
	"slipway/internal/secret"
)

// logs measures a build that prints 200 MB of 100-byte lines, from its first
// byte to the build's end, beside a program that only masks and stores them.
func (b *bench) logs() error {
	lines := b.pick(2_000_000, 200_000)
	megabytes := float64(lines) * 100 / 1e6
	dir, err := os.MkdirTemp(b.dir, "text-")
	if err != nil {
		return err
	}
	text := filepath.Join(dir, "text")
	if err := writeText(text, lines/textRepeats); err != nil {
		return err
	}
	print := "cat" + strings.Repeat(" "+text, textRepeats)
	rounds := b.pick(3, 1)

	var floor, got sample
	for range rounds {
		d, err := b.logFloor(print)
		if err != nil {
			return err
		}
		floor = append(floor, d)
	}
	s, err := b.serve(b.dir, "--sandbox", "bubblewrap", "--sandbox-read-only", dir)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.project(b.ctx, "quiet", "version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n", nil); err != nil {
		return err
	}
	if err := s.project(b.ctx, "app", "version: 0.2\nphases:\n  build:\n    commands:\n      - "+print+"\n", nil); err != nil {
		return err
	}
	for _, n := range []int{1, 100} {
		if err := s.secretive(b.ctx, fmt.Sprint("secrets-", n), print, n); err != nil {
			return err
		}
	}
	run := func(project string) (time.Duration, error) {
		began := time.Now()
		id, err := s.build(b.ctx, project)
		if err != nil {
			return 0, err
		}
		err = s.wait(b.ctx, 5*time.Millisecond, id)
		return time.Since(began), err
	}
	trivial, err := run("quiet")
	if err != nil {
		return err
	}
	idle := s.memory("VmRSS")
	s.forgetPeak()
	for range rounds {
		d, err := run("app")
		if err != nil {
			return err
		}
		got = append(got, d-trivial)
	}
	peak := s.memory("VmHWM")
	var one, hundred sample // in turn: what else the machine does meets all of them
	for range rounds {
		d, err := b.logFloor(print)
		if err != nil {
			return err
		}
		floor = append(floor, d)
		for name, all := range map[string]*sample{"secrets-1": &one, "secrets-100": &hundred} {
			d, err := run(name)
			if err != nil {
				return err
			}
			*all = append(*all, d-trivial)
		}
	}
	rate, floorRate := megabytes/got.at(50).Seconds(), megabytes/floor.at(50).Seconds()
	stored := folderSize(filepath.Join(s.data, "logs")) / 1e6 / float64(3*rounds)
	single, many := megabytes/one.at(50).Seconds(), megabytes/hundred.at(50).Seconds()
	b.table.add(fmt.Sprintf("log of %.0f MB, step → stored, masked", megabytes), fmt.Sprintf("%.0f MB/s", rate), fmt.Sprintf("%.0f MB/s", floorRate), times(rate, floorRate), "≥ 0.70 ×")
	b.table.add("the same with one secret of the project", fmt.Sprintf("%.0f MB/s", single), fmt.Sprintf("%.0f MB/s", floorRate), times(single, floorRate), "≥ 0.70 ×")
	b.table.add("the same with 100 secrets", fmt.Sprintf("%.0f MB/s", many), fmt.Sprintf("one: %.0f MB/s", single), times(many, single), "≥ 0.8 ×")
	b.table.add("server memory while it flows", fmt.Sprintf("%.0f MB", peak), fmt.Sprintf("idle %.0f MB", idle), fmt.Sprintf("+%.0f MB", peak-idle), "≤ +32 MB")
	b.table.add("stored log", fmt.Sprintf("%.1f MB", stored), fmt.Sprintf("%.0f MB", megabytes), times(stored, megabytes), "≤ 0.3 ×")
	return b.follow()
}

// secretive makes a project whose builds run a command with n secrets.
func (s *server) secretive(ctx context.Context, name, command string, n int) error {
	var all []api.EnvironmentVariable
	for i := range n {
		parameter := fmt.Sprintf("/%s/%d", name, i)
		in := &ssm.PutParameterRequest{Name: parameter, Value: secret.New(crand.Text()), Type: ssm.ParameterTypeSecureString}
		if err := s.client.Call(ctx, ssm.Definition, "PutParameter", in, nil); err != nil {
			return err
		}
		all = append(all, api.EnvironmentVariable{Name: fmt.Sprint("SECRET_", i), Value: parameter, Type: api.EnvironmentVariableTypeParameterStore})
	}
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n      - " + command + "\n"
	return s.project(ctx, name, spec, nil, func(in *api.CreateProjectInput) { in.Environment.EnvironmentVariables = all })
}

// textRepeats is how often the text is printed: a frame of a log is smaller, so
// that repeating it does not make it compress better.
const textRepeats = 10

// writeText writes lines of 100 bytes as compilers and test runners write them.
func writeText(path string, lines int) error {
	words := strings.Fields("compiling linking testing package module ok passed skipped warning: unused variable in internal/server/handler.go src/main/java/App.java node_modules/react cached downloaded from to 200 404 elapsed ms MB")
	random := rand.New(rand.NewPCG(1, 2))
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	line := make([]byte, 0, 200)
	for n := range lines {
		line = fmt.Appendf(line[:0], "%08d %07x ", n, random.IntN(1<<28))
		for len(line) < 99 {
			line = append(append(line, words[random.IntN(len(words))]...), ' ')
		}
		_, _ = out.Write(append(line[:99], '\n')) // Flush has the error
	}
	return errors.Join(out.Flush(), file.Close())
}

// follow measures from a line's printing until a client that polls can read it.
func (b *bench) follow() error {
	s, err := b.serve(b.dir, "--sandbox", "bubblewrap")
	if err != nil {
		return err
	}
	defer s.stop()
	rounds := b.pick(50, 5)
	print := fmt.Sprintf("for i in $(seq %d); do echo at $(date +%%s%%N) now; sleep 0.13; done", rounds)
	if err := s.project(b.ctx, "app", "version: 0.2\nphases:\n  build:\n    commands:\n      - "+print+"\n", nil); err != nil {
		return err
	}
	id, err := s.build(b.ctx, "app")
	if err != nil {
		return err
	}
	_, stream, _ := strings.Cut(id, ":")
	in := logs.GetLogEventsRequest{LogGroupName: new("/aws/codebuild/app"), LogStreamName: stream, StartFromHead: new(true)}
	var seen sample
	for deadline := time.Now().Add(time.Minute); len(seen) < rounds; {
		var out logs.GetLogEventsResponse
		err := s.client.Call(b.ctx, logs.Definition, "GetLogEvents", &in, &out)
		if time.Now().After(deadline) {
			return errors.Join(errors.New("the log did not come"), err)
		}
		if err != nil { // there is no log yet
			continue
		}
		now := time.Now()
		for _, e := range out.Events {
			var printed int64
			if _, err := fmt.Sscanf(*e.Message, "at %d now", &printed); err == nil {
				seen = append(seen, now.Sub(time.Unix(0, printed)))
			}
		}
		in.NextToken = out.NextForwardToken
	}
	b.table.add("line printed → readable", seen.String(), "", "", "≤ 500 ms")
	return s.wait(b.ctx, 5*time.Millisecond, id)
}

// logFloor masks ten secrets in each line, stamps it and writes it to a file.
func (b *bench) logFloor(print string) (time.Duration, error) {
	var secrets [][]byte
	for n := range 10 {
		secrets = append(secrets, fmt.Appendf(nil, "secret-number-%d", n))
	}
	file, err := os.Create(filepath.Join(b.dir, "floor.log"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 64<<10)
	cmd := exec.CommandContext(b.ctx, "sh", "-c", print)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		line := lines.Bytes()
		for _, s := range secrets {
			line = bytes.ReplaceAll(line, s, []byte("***"))
		}
		fmt.Fprintf(out, "%d ", time.Now().UnixMilli())
		_, _ = out.Write(line)
		_ = out.WriteByte('\n')
	}
	if err := cmd.Wait(); err != nil {
		return 0, err
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// size measures what the program weighs before it does anything.
func (b *bench) size() error {
	for _, name := range []string{"slipway", "slipway-agent"} {
		info, err := os.Stat(filepath.Join(b.bin, name))
		if err != nil {
			return err
		}
		b.table.add("size of "+name, fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "", "", "")
	}
	var ready sample
	var idle float64
	for range b.pick(9, 3) {
		s, err := b.serve(b.dir)
		if err != nil {
			return err
		}
		ready = append(ready, s.ready)
		idle = s.memory("VmRSS")
		s.stop()
	}
	b.table.add("start to ready, empty data folder", ready.String(), "", "", "≤ 75 ms")
	b.table.add("idle memory (RSS)", fmt.Sprintf("%.0f MB", idle), "", "", "≤ 45 MB")
	return nil
}

func folderSize(dir string) float64 {
	var total float64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			total += float64(info.Size())
		}
		return nil
	})
	return total
}
