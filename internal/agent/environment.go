package agent

import (
	"slices"
	"strconv"
	"strings"

	"slipway/internal/agentapi"
	"slipway/internal/buildspec"
	"slipway/internal/lazy"
)

// defaultPath is where tools are looked for, as in most images.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// An environment is the variables a build starts with. Nothing in it comes
// from the agent's own environment.
type environment struct {
	names  []string
	values map[string]string
	odd    []string // names that no shell accepts: left out
}

var shellName = lazy.Regexp(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (e *environment) set(name, value string) {
	if !shellName().MatchString(name) {
		if !slices.Contains(e.odd, name) {
			e.odd = append(e.odd, name)
		}
		return
	}
	if _, ok := e.values[name]; !ok {
		e.names = append(e.names, name)
	}
	e.values[name] = strings.ReplaceAll(value, "\x00", "") // no program can be given one
}

// newEnvironment merges the sources of variables. The project's beat the
// buildspec's; values has those of variables that are references. What CodeBuild says of a build cannot be replaced; the region
// and the rest can, since people do that to reach another region.
func newEnvironment(base []buildspec.Variable, work *agentapi.Work, spec *buildspec.Spec, values map[string]string, own []buildspec.Variable) *environment {
	e := &environment{values: make(map[string]string)}
	for _, v := range base {
		e.set(v.Name, v.Value)
	}
	for _, v := range work.Service {
		e.set(v.Name, v.Value)
	}
	for _, v := range spec.Variables {
		e.set(v.Name, v.Value)
	}
	for _, v := range slices.Concat(spec.Parameters, spec.Secrets) {
		if value, ok := values[v.Name]; ok {
			e.set(v.Name, value)
		}
	}
	for _, v := range work.Variables {
		if refers(v.Type) {
			v.Value = values[v.Name]
		}
		e.set(v.Name, v.Value)
	}
	for _, v := range work.Service {
		if strings.HasPrefix(v.Name, "CODEBUILD_") {
			e.set(v.Name, v.Value)
		}
	}
	for _, v := range own {
		e.set(v.Name, v.Value)
	}
	return e
}

// constant are variables some shells refuse to set. Without "command", the
// refusal would end a shell that follows POSIX to the letter.
var constant = []string{"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"}

// script returns the environment as a shell script.
func (e *environment) script() string {
	var b strings.Builder
	for _, name := range e.names {
		if slices.Contains(constant, name) {
			b.WriteString("command ")
		}
		b.WriteString("export " + name + "=" + quote(e.values[name]) + "\n")
	}
	return b.String()
}

// quote returns s as one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// script returns the script of one command. Its first three lines are ours, so
// that the shell's errors name line 4 for the first line of the command, as
// CodeBuild's do; a last line of the command that ends in a backslash has an
// empty one to join.
//
// First goes before the first line, where nothing is exported yet.
//
// State is carried on by the lines after the command: they are not reached
// when the command ends the shell, and then its changes are lost.
func script(w *workspace, first, home, cwd, command string, succeeding bool) string {
	flag := "1"
	if !succeeding {
		flag = "0"
	}
	state := quote(w.place(stateFile))
	return first + "cd -- " + quote(cwd) + " 2>/dev/null || cd -- " + quote(home) + "\n" +
		"set -a\n" +
		". " + state + " 2>/dev/null; CODEBUILD_BUILD_SUCCEEDING=" + flag + "; [ -d \"$PWD\" ] || cd .\n" + // so that PWD is true
		command + "\n\n" +
		"{ CODEBUILD_LAST_EXIT=$?; set +xu; } 2>/dev/null\n" +
		"[ -z \"${BASH_VERSION-}\" ] || set +o posix\n" + // its export -p can then be read back whatever it holds
		"export -p >| " + state + "\n" +
		"{ jobs -p; echo \"$!\"; echo; pwd; } >| " + quote(w.place(cwdFile)) + "\n" + // see readState
		"exit \"$CODEBUILD_LAST_EXIT\"\n"
}

// isolatedScript is script for version 0.1, where every command starts from
// the source's root with the variables of the start, and leaves nothing behind.
func isolatedScript(w *workspace, home, command string, succeeding bool, lastExit int) string {
	flag := "1"
	if !succeeding {
		flag = "0"
	}
	return "cd -- " + quote(home) + "\n" +
		"set -a\n" +
		". " + quote(w.place(stateFile)) + " 2>/dev/null; CODEBUILD_BUILD_SUCCEEDING=" + flag +
		"; CODEBUILD_LAST_EXIT=" + strconv.Itoa(lastExit) + "; set +a\n" +
		command + "\n"
}

// exportScript writes names and values, each followed by a NUL, to exportedFile.
// The shell does it because only the shell can read back what it saved.
func exportScript(w *workspace, names []string) string {
	var b strings.Builder
	b.WriteString(". " + quote(w.place(stateFile)) + " 2>/dev/null\n{\n")
	for _, name := range names {
		b.WriteString("[ -z \"${" + name + "+x}\" ] || printf '%s\\0' " + name + " \"$" + name + "\"\n")
	}
	b.WriteString(":\n} >| " + quote(w.place(exportedFile)) + "\n")
	return b.String()
}
