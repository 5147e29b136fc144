package fetch_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/agent/fetch"
)

// BenchmarkClone compares a fetch with git clone of the same private
// repository of 1,000 files, both cold. Use TMPDIR=/dev/shm: a disk's noise is
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
	for _, depth := range []int{0, 1} {
		b.Run(fmt.Sprintf("git/depth=%d", depth), func(b *testing.B) {
			for b.Loop() {
				dir := filepath.Join(b.TempDir(), "src")
				args := []string{"clone", "-q"}
				if depth > 0 {
					args = append(args, fmt.Sprint("--depth=", depth))
				}
				cmd := exec.CommandContext(b.Context(), "git", append(args, strings.Replace(w.CloneURL("octo", "app"), "://", "://mona:"+strings.ReplaceAll(canary, "/", "%2F")+"@", 1), dir)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v %s", err, out)
				}
			}
		})
		b.Run(fmt.Sprintf("fetch/depth=%d", depth), func(b *testing.B) {
			for b.Loop() {
				s := w.sourceIn(filepath.Join(b.TempDir(), "src"), "main")
				s.Depth = depth
				result, err := fetch.Run(b.Context(), self, w.job(s), new(bytes.Buffer))
				if err != nil || result.Failure != nil {
					b.Fatal(err, result.Failure)
				}
			}
		})
	}
}
