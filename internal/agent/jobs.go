package agent

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// maxJobs bounds how many jobs of earlier commands can be waited for.
const maxJobs = 1000

// readState reads what the lines after a command wrote into cwdFile: the
// processes it left in the background, an empty line, and its directory. What
// user code wrote there instead comes out as nothing, or as a directory that the
// next command does not find.
func readState(text []byte) (dir string, jobs []int) {
	for len(text) > 0 && text[0] != '/' {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if pid, err := strconv.Atoi(string(line)); err == nil && pid > 1 {
			jobs = append(jobs, pid)
		}
		text = rest
	}
	dir = strings.TrimSuffix(string(text), "\n")
	if strings.Contains(dir, "\x00") {
		dir = ""
	}
	return dir, jobs
}

// left takes in the state that a command left.
func (e *engine) left() {
	text, err := read(e.w.root, cwdFile, 64<<10) // longer than any path
	if err != nil {
		text = nil // without it, at the source
	}
	dir, jobs := readState(text)
	e.cwd = dir
	for _, pid := range jobs {
		if !slices.Contains(e.jobs, pid) && len(e.jobs) < maxJobs {
			e.jobs = append(e.jobs, pid)
		}
	}
}

// waitFunction is the beginning of a script in which wait knows the jobs of
// earlier commands, too, as in one long session of a shell: see "Run commands
// in the background" in the guide. Since they are no children of this shell, how
// they end is not known: waiting for one succeeds. Nothing is there before the
// first job, and it is not exported.
func (e *engine) waitFunction() string {
	if len(e.jobs) == 0 {
		return ""
	}
	var list, program strings.Builder
	for _, pid := range e.jobs {
		list.WriteString(" " + strconv.Itoa(pid))
	}
	for _, word := range e.w.program(e.self) {
		program.WriteString(quote(word) + " ")
	}
	return `wait() { case "${1--}" in [0-9]*) ;; *) command wait "$@"; return;; esac; ` +
		`while [ $# -gt 1 ]; do wait "$1" || :; shift; done; ` +
		`case '` + list.String() + ` ' in *" $1 "*) ` + program.String() + `wait "$1";; *) command wait "$1";; esac; }; `
}
