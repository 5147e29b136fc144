package fetch_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch"
	"slipway/internal/agentapi"
)

// BenchmarkClone compares fetches with git clone of the same private
// repository, in medians: one without a cache, one that makes the cache, one
// that has it, and one that has it and finds a new commit. Use TMPDIR=/dev/shm:
// a disk's noise is larger than the difference. SLIPWAY_AGENT names a built
// slipway-agent, which starts faster than this test.
func BenchmarkClone(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		w := newWorld(b)
		must(b, w.CreateRepository("octo", "app", true))
		files := map[string]string{}
		for i := range n {
			files[fmt.Sprintf("d%d/f%d.txt", i%37, i)] = strings.Repeat(fmt.Sprintf("line %d of a file\n", i), 100)
		}
		if _, err := w.Commit("octo", "app", "main", files, "files"); err != nil {
			b.Fatal(err)
		}
		for _, depth := range []int{0, 1} {
			b.Run(fmt.Sprintf("files=%d/depth=%d", n, depth), func(b *testing.B) { w.compare(b, depth) })
		}
	}
}

// A contender fetches octo/app into a directory.
type contender struct {
	name  string
	fetch func(b *testing.B, dir string)
}

func (w *world) compare(b *testing.B, depth int) {
	self := []string{os.Getenv("SLIPWAY_AGENT")}
	if self[0] == "" {
		self = []string{os.Args[0]}
	}
	plain := func(b *testing.B, dir string) {
		args := []string{"clone", "-q"}
		if depth > 0 {
			args = append(args, "--depth="+strconv.Itoa(depth))
		}
		login := "://mona:" + strings.ReplaceAll(canary, "/", "%2F") + "@"
		cmd := exec.CommandContext(b.Context(), "git", append(args, strings.Replace(w.CloneURL("octo", "app"), "://", login, 1), dir)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v %s", err, out)
		}
	}
	ours := func(mirrors string) func(*testing.B, string) {
		return func(b *testing.B, dir string) {
			s := w.sourceIn(dir, "main")
			s.Depth = depth
			job := w.job(s)
			if mirrors != "" {
				job.Mirrors, job.Launch.Mirrors = "project", agentapi.Mirrors{Dir: mirrors, Limit: 1 << 40}
			}
			result, err := fetch.Run(b.Context(), self, job, new(bytes.Buffer))
			if err != nil || result.Failure != nil {
				b.Fatal(err, result.Failure)
			}
		}
	}
	cache, news := b.TempDir(), b.TempDir()
	fresh := 0
	contenders := []contender{
		{"git", plain},
		{"fetch", ours("")},
		{"making", func(b *testing.B, dir string) {
			fresh++
			ours(filepath.Join(b.TempDir(), strconv.Itoa(fresh)))(b, dir)
		}},
		{"cached", ours(cache)},
		{"news", ours(news)},
	}
	ours(cache)(b, filepath.Join(b.TempDir(), "first"))
	ours(news)(b, filepath.Join(b.TempDir(), "first"))
	times := map[string][]float64{}
	for b.Loop() { // in turn, so that all meet the same noise
		for _, c := range contenders {
			if c.name == "news" {
				if _, err := w.Commit("octo", "app", "main", map[string]string{"news": time.Now().String()}, "news"); err != nil {
					b.Fatal(err)
				}
				ours(cache)(b, filepath.Join(b.TempDir(), "after"))
			}
			dir := filepath.Join(b.TempDir(), "src")
			start := time.Now()
			c.fetch(b, dir)
			times[c.name] = append(times[c.name], time.Since(start).Seconds()*1000)
			must(b, os.RemoveAll(dir))
		}
	}
	median := func(name string) float64 {
		slices.Sort(times[name])
		return times[name][len(times[name])/2]
	}
	b.ReportMetric(median("git"), "git-ms")
	for _, c := range contenders[1:] {
		b.ReportMetric(median(c.name)/median("git"), c.name+"/git")
	}
	b.ReportMetric(0, "ns/op")
}
