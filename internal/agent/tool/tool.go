// Package tool has the commands that a build finds on its PATH beside the
// machine's own: those of CodeBuild, and slipway-mask.
package tool

import (
	"fmt"
	"io"
)

// A call is one use of a tool.
type call struct {
	name           string
	args           []string
	door           string // path of the door to the agent
	stdin          io.Reader
	stdout, stderr io.Writer
}

// tools are all that there are, by their names.
var tools = []struct {
	name string
	run  func(call) int
}{
	{"codebuild-breakpoint", breakpoint},
	{"codebuild-glob-search", globSearch},
	{"codebuild-hash-files", hashFiles},
	{"codebuild-resume", resume},
	{"codebuild-tests-run", testsRun},
	{"slipway-mask", mask},
}

// Names returns the names of the tools.
func Names() []string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.name
	}
	return names
}

// Main is one call of a tool: args are its name, the path of the door to the
// agent, and what the build's command says. It returns the exit status, 2 if
// the tool cannot be used like that.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) >= 2 {
		for _, t := range tools {
			if t.name == args[0] {
				return t.run(call{name: args[0], door: args[1], args: args[2:], stdin: stdin, stdout: stdout, stderr: stderr})
			}
		}
	}
	fmt.Fprintln(stderr, "usage: the agent shows the tools to its build itself")
	return exitUsage
}

// The exit statuses of tools.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// say tells the user who wrote the build something.
func (c call) say(format string, args ...any) {
	fmt.Fprintf(c.stderr, c.name+": "+format+"\n", args...)
}

// fail tells why it cannot be done.
func (c call) fail(format string, args ...any) int {
	c.say(format, args...)
	return exitFailed
}

// misused tells how the tool is called.
func (c call) misused(how string) int {
	fmt.Fprintf(c.stderr, "usage: %s %s\n", c.name, how)
	return exitUsage
}

// breakpoint pauses a build on CodeBuild while a debug session is enabled, and
// else does nothing.
func breakpoint(c call) int {
	c.say("the build goes on: this server has no debug sessions")
	return exitDone
}

// resume ends the pause of breakpoint.
func resume(call) int { return exitDone }
