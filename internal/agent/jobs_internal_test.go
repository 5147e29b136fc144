package agent

import (
	"slices"
	"strings"
	"testing"
)

func TestTheStateThatACommandLeft(t *testing.T) {
	for text, want := range map[string]struct {
		dir  string
		jobs []int
	}{
		"\n\n/src\n":                 {"/src", nil},
		"12\n15\n15\n\n/src/a\nb\n":  {"/src/a\nb", []int{12, 15, 15}},
		"12\n":                       {"", []int{12}},
		"":                           {"", nil},
		"x\n-4\n0\n1\n\n/":           {"/", nil},
		"7; rm -rf /\n\n/src\x00x\n": {"", nil},
	} {
		dir, jobs := readState([]byte(text))
		if dir != want.dir || !slices.Equal(jobs, want.jobs) {
			t.Errorf("readState(%q) = %q, %v", text, dir, jobs)
		}
	}
}

func FuzzReadState(f *testing.F) {
	f.Add([]byte("12\n\n/src\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir, jobs := readState(text)
		if dir != "" && (dir[0] != '/' || strings.Contains(dir, "\x00")) {
			t.Errorf("the directory is %q", dir)
		}
		for _, pid := range jobs {
			if pid <= 1 {
				t.Errorf("the jobs are %v", jobs)
			}
		}
	})
}
