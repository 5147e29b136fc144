package fetch_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/internal/agent/fetch"
)

// BenchmarkClone compares a fetch with git clone of the same private
// repository of 1,000 files, both cold, in medians. Use TMPDIR=/dev/shm: a disk's noise is
// larger than the difference. SLIPWAY_AGENT names a built slipway-agent, which
// starts faster than this test.
func BenchmarkClone(b *testing.B) {
	w := newWorld(b)
	must(b, w.CreateRepository("octo", "app", true))
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprintf("d%d/f%d.txt", i%37, i)] = strings.Repeat(fmt.Sprintf("line %d of a file\n", i), 100)
	}
	if _, err := w.Commit("octo", "app", "main", files, "files"); err != nil {
		b.Fatal(err)
	}
	self := []string{os.Getenv("SLIPWAY_AGENT")}
	if self[0] == "" {
		self = []string{os.Args[0]}
	}
	plain := func(b *testing.B, dir string, depth int) {
		args := []string{"clone", "-q"}
		if depth > 0 {
			args = append(args, fmt.Sprint("--depth=", depth))
		}
		login := "://mona:" + strings.ReplaceAll(canary, "/", "%2F") + "@"
		cmd := exec.CommandContext(b.Context(), "git", append(args, strings.Replace(w.CloneURL("octo", "app"), "://", login, 1), dir)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v %s", err, out)
		}
	}
	ours := func(b *testing.B, dir string, depth int) {
		s := w.sourceIn(dir, "main")
		s.Depth = depth
		result, err := fetch.Run(b.Context(), self, w.job(s), new(bytes.Buffer))
		if err != nil || result.Failure != nil {
			b.Fatal(err, result.Failure)
		}
	}
	for _, depth := range []int{0, 1} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			times := map[string][]float64{}
			for b.Loop() { // in turn, so that both meet the same noise
				for name, clone := range map[string]func(*testing.B, string, int){"git": plain, "fetch": ours} {
					dir := filepath.Join(b.TempDir(), "src")
					start := time.Now()
					clone(b, dir, depth)
					times[name] = append(times[name], time.Since(start).Seconds()*1000)
				}
			}
			median := func(name string) float64 {
				slices.Sort(times[name])
				return times[name][len(times[name])/2]
			}
			b.ReportMetric(median("git"), "git-ms")
			b.ReportMetric(median("fetch"), "fetch-ms")
			b.ReportMetric(median("fetch")/median("git"), "fetch/git")
		})
	}
}
