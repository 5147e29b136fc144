package runtimes_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agent/runtimes"
	"slipway/internal/buildspec"
)

const file = `
version: 0.1
runtimes:
  android:
    versions:
      28: {requires: {java: ["jdk8"]}, commands: [android 28]}
      29: {requires: {java: ["jdk8", "jdk11"]}, commands: [android 29]}
  java:
    versions:
      jdk8: {commands: [java 8]}
      jdk11: {commands: [java 11]}
  golang:
    versions:
      1.9: {commands: [go 1.9]}
      1.20: {commands: [go 1.20]}
      1.3: {commands: [go 1.3]}
      2.0: {commands: [go 2.0]}
  nodejs:
    versions:
      22: {commands: [n 22]}
      24: {commands: [n 24]}
      default: {commands: ["echo $VERSION", "n ${VERSION} && echo $VERSIONS"]}
  first: {versions: {1: {requires: {second: [1]}}}}
  second: {versions: {1: {requires: {first: [1]}}}}
`

func TestSelecting(t *testing.T) {
	image, err := runtimes.Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	variable := func(name string) (string, bool) {
		v, ok := map[string]string{"GO": "1.x", "EMPTY": "", "NODE": "22"}[name]
		return v, ok
	}
	const by = " based on manual selections..."
	for name, c := range map[string]struct {
		want  string // runtime=version, …
		run   string // commands
		lines []string
		err   string
	}{
		"a key":              {want: "golang=1.20", run: "go 1.20", lines: []string{"Selecting 'golang' runtime version '1.20'" + by}},
		"not another number": {want: "golang=1.2", err: "Unknown runtime version named '1.2' of golang. This build image has the following versions: 1.3, 1.9, 1.20, 2.0", lines: []string{"Selecting 'golang' runtime version '1.2'" + by}},
		"the latest minor":   {want: "golang=1.x", run: "go 1.20", lines: []string{"Resolved 'golang' runtime alias '1.x' to '1.20'.", "Selecting 'golang' runtime version '1.20'" + by}},
		"a major alone":      {want: "nodejs=22.x", run: "n 22", lines: []string{"Resolved 'nodejs' runtime alias '22.x' to '22'.", "Selecting 'nodejs' runtime version '22'" + by}},
		"the latest":         {want: "java=latest", run: "java 11", lines: []string{"Resolved 'java' runtime alias 'latest' to 'jdk11'.", "Selecting 'java' runtime version 'jdk11'" + by}},
		"a variable": {want: "golang=$GO,nodejs=${NODE}", run: "go 1.20,n 22", lines: []string{
			"Resolved 'golang' runtime alias '$GO' to '1.x'.", "Resolved 'golang' runtime alias '1.x' to '1.20'.", "Selecting 'golang' runtime version '1.20'" + by,
			"Resolved 'nodejs' runtime alias '${NODE}' to '22'.", "Selecting 'nodejs' runtime version '22'" + by,
		}},
		"a variable that is not set":           {want: "golang=$NONE", err: "The variable NONE, which runtime-versions names for golang, has no value"},
		"a variable that is empty":             {want: "golang=$EMPTY", err: "The variable EMPTY, which runtime-versions names for golang, has no value"},
		"a version that an image may install":  {want: "nodejs=18.1.0", run: "echo 18.1.0,n 18.1.0 && echo 18.1.0S", lines: []string{"Selecting 'nodejs' runtime version '18.1.0'" + by}},
		"a version that is a command":          {want: "nodejs=1; rm -rf /", err: "Unknown runtime version named '1; rm -rf /' of nodejs. This build image has the following versions: 22, 24", lines: []string{"Selecting 'nodejs' runtime version '1; rm -rf /'" + by}},
		"the key of all others is no version":  {want: "nodejs=default", run: "echo default,n default && echo defaultS", lines: []string{"Selecting 'nodejs' runtime version 'default'" + by}},
		"a runtime that there is not":          {want: "golang=2.0,docker=20", err: "Unknown runtime named 'docker'. This build image has the following runtimes: android, first, golang, java, nodejs, second", lines: []string{"Selecting 'golang' runtime version '2.0'" + by, "Selecting 'docker' runtime version '20'" + by}},
		"what is required comes first":         {want: "android=28", run: "java 8,android 28", lines: []string{"Selecting 'android' runtime version '28'" + by, "Selecting 'java' runtime version 'jdk8' based on the dependencies of 'android' runtime version '28'..."}},
		"what is required is wanted, too":      {want: "android=29,java=jdk11", run: "java 11,android 29", lines: []string{"Selecting 'android' runtime version '29'" + by, "Selecting 'java' runtime version 'jdk11'" + by}},
		"what is required conflicts":           {want: "android=28,java=jdk11", err: "Conflicting runtime versions: android 28 requires java jdk8, and jdk11 is selected", lines: []string{"Selecting 'android' runtime version '28'" + by, "Selecting 'java' runtime version 'jdk11'" + by, "Runtime 'android' version '28' has a dependency on runtime 'java', but 'java' version 'jdk11' has already been manually selected. Not attempting to override."}},
		"runtimes that require each other":     {want: "first=1", err: "The runtimes of this build image require each other in a circle", lines: []string{"Selecting 'first' runtime version '1'" + by, "Selecting 'second' runtime version '1' based on the dependencies of 'first' runtime version '1'..."}},
		"a major that there is not, installed": {want: "nodejs=16.x", run: "echo 16.x,n 16.x && echo 16.xS", lines: []string{"Selecting 'nodejs' runtime version '16.x'" + by}},
	} {
		t.Run(name, func(t *testing.T) {
			var wanted []buildspec.Variable
			for pair := range strings.SplitSeq(c.want, ",") {
				name, value, _ := strings.Cut(pair, "=")
				wanted = append(wanted, buildspec.Variable{Name: name, Value: value})
			}
			choices, lines, err := runtimes.Select(image, wanted, variable)
			var run []string
			for _, c := range choices {
				run = append(run, c.Commands...)
			}
			if got := strings.Join(run, ","); got != c.run {
				t.Errorf("it runs %q, want %q", got, c.run)
			}
			if d := cmp.Diff(c.lines, lines); d != "" {
				t.Error("the lines (-want +got)\n", d)
			}
			if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("the error is %v, want %q", err, c.err)
			}
		})
	}
}

// Whatever a file and a buildspec say, selecting ends, and a version reaches a
// command only if it is one word to a shell.
func FuzzSelect(f *testing.F) {
	f.Add([]byte(file), "nodejs", "1.x")
	f.Add([]byte("runtimes: {a: {versions: {default: {commands: ['$VERSION']}}}}"), "a", "$(x)")
	f.Fuzz(func(t *testing.T, text []byte, name, version string) {
		image, err := runtimes.Parse(text)
		if err != nil {
			return
		}
		choices, _, err := runtimes.Select(image, []buildspec.Variable{{Name: name, Value: version}}, func(string) (string, bool) { return version, true })
		if err != nil {
			return
		}
		for _, c := range choices {
			for _, command := range c.Commands {
				if strings.ContainsAny(version, " \t\n;|&`'\"<>()") && strings.Contains(command, version) && !strings.Contains(string(text), version) {
					t.Errorf("%q is run for version %q", command, version)
				}
			}
		}
	})
}
