// Command bench measures Slipway beside its floors: each figure stands next to
// what the machine can do at all, measured in the same run.
//
//	go run ./bench            everything, about ten minutes
//	go run ./bench -only api  one section: api, start, builds, logs, clone, caches, artifacts, docker, webhooks, size
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// A bench is one run: where the binaries are, where data goes, what is printed.
type bench struct {
	ctx   context.Context
	bin   string // folder of the two binaries
	dir   string // folder for data, removed at the end
	quick bool
	table table
}

var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"size", (*bench).size},
	{"api", (*bench).api},
	{"start", (*bench).start},
	{"builds", (*bench).builds},
	{"logs", (*bench).logs},
	{"clone", (*bench).clone},
	{"caches", (*bench).caches},
	{"artifacts", (*bench).artifacts},
	{"docker", (*bench).docker},
	{"webhooks", (*bench).webhooks},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "echo" {
		echo(os.Args[2:])
		return
	}
	only := flag.String("only", "", "comma-separated sections: api, start, builds, logs, clone, caches, artifacts, docker, webhooks, size")
	quick := flag.Bool("quick", false, "shorter runs, to see that everything works")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, quick bool) error {
	dir, err := os.MkdirTemp("", "slipway-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, bin: filepath.Join(dir, "bin"), dir: dir, quick: quick}
	for _, name := range []string{"slipway", "slipway-agent"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(b.bin, name), "slipway/cmd/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", name, err, out)
		}
	}
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", s.name)
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return b.table.print(os.Stdout)
}

// pick returns n, or short in a quick run.
func (b *bench) pick(n, short int) int {
	if b.quick {
		return short
	}
	return n
}
