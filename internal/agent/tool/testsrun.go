package tool

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// The variable in which a test command finds its files, and what Linux allows
// one variable of a program to have, in bytes.
const (
	filesVariable = "CODEBUILD_CURRENT_SHARD_FILES"
	maxVariable   = 128 << 10
)

// strategies are the ways to share test files out among parallel builds. A
// build that is none of several has all the files with either.
var strategies = []string{"equal-distribution", "stability"}

// testsRun runs a test command with the files that a search finds: behind the
// command's text, or wherever that uses filesVariable.
func testsRun(c call) int {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(c.stderr)
	command := f.String("test-command", "", "the `command` that runs tests")
	search := f.String("files-search", "", "a `command` that prints the test files, one a line")
	strategy := f.String("sharding-strategy", strategies[0], "how files are shared out: `"+strings.Join(strategies, "` or `")+"`")
	switch err := f.Parse(c.args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	case *command == "" || *search == "" || f.NArg() > 0:
		return c.misused("--test-command COMMAND --files-search COMMAND [--sharding-strategy equal-distribution|stability]")
	case !slices.Contains(strategies, *strategy):
		return c.misused("--sharding-strategy " + strings.Join(strategies, "|"))
	}
	var found strings.Builder
	finder := exec.Command("/bin/sh", "-c", *search)
	finder.Stdin, finder.Stdout, finder.Stderr = c.stdin, &found, c.stderr
	if status := c.status(finder); status != exitDone {
		c.say("the search for files failed: %s", *search)
		return status
	}
	var files []string
	for line := range strings.Lines(found.String()) {
		if name := strings.TrimRight(line, "\r\n"); strings.TrimSpace(name) != "" {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return c.fail("no test files are found by: %s", *search)
	}
	return c.runTests(*command, files)
}

// runTests runs command by way of a file, since Linux allows an argument too
// little for the names of many files.
func (c call) runTests(command string, files []string) int {
	script, err := os.CreateTemp("", c.name+"-")
	if err != nil {
		return c.fail("%v", err)
	}
	defer os.Remove(script.Name())
	_, err = script.WriteString(testScript(command, files))
	if err = errors.Join(err, script.Close()); err != nil {
		return c.fail("%v", err)
	}
	tests := exec.Command("/bin/sh", script.Name())
	tests.Stdin, tests.Stdout, tests.Stderr = c.stdin, c.stdout, c.stderr
	return c.status(tests)
}

// testScript returns command with its files.
func testScript(command string, files []string) string {
	list := strings.Join(files, "\n")
	var b strings.Builder
	if len(list)+len(filesVariable)+2 <= maxVariable { // else no program could be started with it
		b.WriteString("export " + filesVariable + "\n")
	}
	b.WriteString(filesVariable + "=" + quote(list) + "\n")
	b.WriteString(strings.TrimRight(command, " \t\r\n"))
	if !strings.Contains(command, filesVariable) {
		for _, name := range files {
			b.WriteString(" " + plain(name))
		}
	}
	b.WriteString("\n")
	return b.String()
}

// status runs a program and returns its exit status as a shell does.
func (c call) status(p *exec.Cmd) int {
	err := p.Run()
	ended, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return exitDone
	case !ok:
		return c.fail("%v", err)
	}
	return exitStatus(ended.ProcessState)
}

// plain returns a file's name as a word of a shell, as it is if that is one.
func plain(name string) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@%=", r) || r > 0x7f)
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return quote(name)
	}
	return name
}

// quote returns s as one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// quoted returns words as they are shown.
func quoted(words []string) string {
	shown := make([]string, len(words))
	for i, w := range words {
		shown[i] = fmt.Sprintf("%.200q", w)
	}
	return strings.Join(shown, ", ")
}
