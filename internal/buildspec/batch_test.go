package buildspec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/buildspec"
)

func TestBatches(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name, yaml string
		want       buildspec.Batch
	}{
		{"a list", `
batch:
  fast-fail: true
  build-list:
    - identifier: unit
      env:
        variables: {SUITE: unit, N: 010}
        compute-type: BUILD_GENERAL1_MEDIUM
        privileged-mode: no
    - identifier: lint
      buildspec: ci/lint.yml
      ignore-failure: true
      debug-session: yes
      env: {image: $WINDOWS_IMAGE, type: WINDOWS_SERVER_2022_CONTAINER, fleet: pool}
`, buildspec.Batch{FastFail: true, List: []buildspec.Task{
			{Identifier: "unit", Environment: buildspec.TaskEnvironment{ComputeType: "BUILD_GENERAL1_MEDIUM", Privileged: &no, Variables: []buildspec.Variable{{"SUITE", "unit"}, {"N", "010"}}}},
			{Identifier: "lint", Buildspec: "ci/lint.yml", IgnoreFailure: true, DebugSession: true, Environment: buildspec.TaskEnvironment{Image: "$WINDOWS_IMAGE", Type: "WINDOWS_SERVER_2022_CONTAINER", Fleet: "pool"}},
		}}},
		{"a graph, tasks before those they wait for", `
batch:
  build-graph:
    - {identifier: ship, depend-on: [test_a, test_b, compile]}
    - {identifier: test_a, depend-on: compile}
    - {identifier: test_b, depend-on: [compile]}
    - {identifier: compile}
`, buildspec.Batch{Graph: []buildspec.Task{
			{Identifier: "ship", DependOn: []string{"test_a", "test_b", "compile"}}, {Identifier: "test_a", DependOn: []string{"compile"}}, {Identifier: "test_b", DependOn: []string{"compile"}}, {Identifier: "compile"},
		}}},
		{"a matrix", `
batch:
  build-matrix:
    static:
      ignore-failure: true
      env: {type: LINUX_CONTAINER, privileged-mode: true, image: all, variables: {SHARD: all, OTHER: o}}
    dynamic:
      buildspec: [a.yml, b.yml]
      env:
        compute-type: [BUILD_GENERAL1_SMALL]
        image: [one, two]
        variables:
          SHARD: ["1", 2, "3"]
          MODE: fast
`, buildspec.Batch{Matrix: &buildspec.Matrix{
			IgnoreFailure: true, Environment: buildspec.TaskEnvironment{Type: "LINUX_CONTAINER", Privileged: &yes, Variables: []buildspec.Variable{{"OTHER", "o"}}},
			Buildspecs: []string{"a.yml", "b.yml"}, ComputeTypes: []string{"BUILD_GENERAL1_SMALL"}, Images: []string{"one", "two"},
			Variables: []buildspec.Axis{{"SHARD", []string{"1", "2", "3"}}, {"MODE", []string{"fast"}}},
		}}},
		{"a fanout", "batch: {build-fanout: {parallelism: 4, ignore-failure: true}}\n", buildspec.Batch{Fanout: &buildspec.Fanout{Parallelism: 4, IgnoreFailure: true}}},
		{"a kind that is null is not there", "batch: {build-list: , build-fanout: {parallelism: 1}}\n", buildspec.Batch{Fanout: &buildspec.Fanout{Parallelism: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 0.2\n" + c.yaml
			got, err := buildspec.ParseBatch([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(&c.want, got); d != "" {
				t.Error(d)
			}
			if d := diff(&c.want, parse(t, text).Batch); d != "" {
				t.Errorf("Parse has another one:\n%s", d)
			}
		})
	}
}

func TestABatchThatIsWrongSaysWhy(t *testing.T) {
	const invalid, unread = "BATCH_SPEC_VALIDATION_ERROR", "YAML_FILE_ERROR"
	for _, c := range []struct {
		name, text, code, want string
		line                   int
	}{
		{"none", "version: 0.2\n", invalid, "The buildspec has no batch block.", 0},
		{"no buildspec", "batch: {build-fanout: {parallelism: 1}}\n", unread, "wrong number of container tags, expected 1", 0},
		{"another block is wrong", "version: 0.2\nbatch: {build-fanout: {parallelism: 1}}\ncache: {action: no}\n", unread, "the action of cache must be restore or save, not no at line 3", 3},
		{"a version in quotes", "version: \"0.2\"\nbatch: {build-fanout: {parallelism: 1}}\n", unread, "cannot unmarshal !!str `0.2` into float64 at line 1", 1},
		{"no kind", "version: 0.2\nbatch: {fast-fail: yes}\n", invalid, "batch needs one of build-list, build-graph, build-matrix, build-fanout.", 2},
		{"two kinds", "version: 0.2\nbatch:\n  build-fanout: {parallelism: 1}\n  build-list: [{identifier: a}]\n", invalid, "batch may have one of build-list, build-graph, build-matrix, build-fanout, not build-list and build-fanout.", 3},
		{"a text", "version: 0.2\nbatch: all\n", unread, "cannot unmarshal !!str `all` into map[string]interface {} at line 2", 2},
		{"a list that is none", "version: 0.2\nbatch:\n  build-list: {identifier: a}\n", unread, "cannot unmarshal !!map into []map[string]interface {} at line 3", 3},
		{"a list of texts", "version: 0.2\nbatch:\n  build-list:\n    - unit\n", unread, "cannot unmarshal !!str `unit` into map[string]interface {} at line 4", 4},
		{"a list without tasks", "version: 0.2\nbatch:\n  build-list: []\n", invalid, "build-list has no task.", 3},
		{"a task without identifier", "version: 0.2\nbatch:\n  build-list:\n    - buildspec: a.yml\n", invalid, "every task needs an identifier.", 4},
		{"an identifier with a hyphen", "version: 0.2\nbatch:\n  build-list:\n    - identifier: multi-env-app\n", invalid, "Build Identifiers multi-env-app must contain only alphanumeric characters and underscores and be less than 128 characters in length.", 4},
		{"an identifier that is long", "version: 0.2\nbatch:\n  build-list:\n    - identifier: " + strings.Repeat("a", 128) + "\n", invalid, "Build Identifiers " + strings.Repeat("a", 40) + "... must contain only alphanumeric characters and underscores and be less than 128 characters in length.", 4},
		{"an identifier twice", "version: 0.2\nbatch:\n  build-list:\n    - identifier: a\n    - identifier: a\n", invalid, "the identifier a is that of two tasks.", 5},
		{"a task that waits for none", "version: 0.2\nbatch:\n  build-graph:\n    - identifier: one\n      depend-on: [nobody]\n", invalid, "the task one waits for nobody, which is no task.", 5},
		{"a task that waits for itself", "version: 0.2\nbatch:\n  build-graph:\n    - identifier: one\n      depend-on: [one]\n", invalid, "tasks wait for one another in a circle: one for one.", 4},
		{"tasks that wait for each other", "version: 0.2\nbatch:\n  build-graph:\n    - {identifier: farm, depend-on: hen}\n    - {identifier: hen, depend-on: [egg]}\n    - {identifier: egg, depend-on: [hen]}\n", invalid, "tasks wait for one another in a circle: hen for egg for hen.", 5},
		{"a size and a fleet", "version: 0.2\nbatch:\n  build-list:\n    - identifier: both\n      env:\n        compute-type: BUILD_GENERAL1_SMALL\n        fleet: pool\n", invalid, "the task both has a compute-type and a fleet, and may have one of them.", 7},
		{"a matrix of nothing", "version: 0.2\nbatch:\n  build-matrix: {static: {ignore-failure: yes}}\n", invalid, "build-matrix has no list below dynamic to combine.", 3},
		{"a fanout of unknown size", "version: 0.2\nbatch:\n  build-fanout: {ignore-failure: yes}\n", invalid, "build-fanout needs parallelism, the number of builds.", 3},
		{"a fanout of none", "version: 0.2\nbatch:\n  build-fanout: {parallelism: 0}\n", invalid, "the parallelism of build-fanout must be a whole number from 1, not 0.", 3},
		{"a fanout of many", "version: 0.2\nbatch:\n  build-fanout: {parallelism: many}\n", invalid, "the parallelism of build-fanout must be a whole number from 1, not many.", 3},
		{"a size that is a list", "version: 0.2\nbatch:\n  build-list:\n    - {identifier: a, env: {image: [b]}}\n", unread, "cannot unmarshal !!seq into string at line 4", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if c.code == invalid {
				want = "BatchSpec has invalid values..\n" + want
			}
			b, err := buildspec.ParseBatch([]byte(c.text))
			e, ok := errors.AsType[*buildspec.Error](err)
			if !ok || b != nil || e.Message != want || e.Code() != c.code || e.Line != c.line {
				t.Errorf("ParseBatch = %+v, %+v, want %s %s in line %d", b, err, c.code, want, c.line)
			}
		})
	}
}

// A chain of many tasks must not need as much stack, and a circle of many not a
// message as long.
func TestALargeGraphIsRead(t *testing.T) {
	const n = 6000
	var b strings.Builder
	b.WriteString("version: 0.2\nbatch:\n  build-graph:\n    - {identifier: t0}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "    - {identifier: t%d, depend-on: t%d}\n", i, i-1)
	}
	began := time.Now()
	batch, err := buildspec.ParseBatch([]byte(b.String()))
	if err != nil || len(batch.Graph) != n {
		t.Fatalf("ParseBatch = %v", err)
	}
	round := strings.Replace(b.String(), "{identifier: t0}", fmt.Sprintf("{identifier: t0, depend-on: t%d}", n-1), 1)
	_, err = buildspec.ParseBatch([]byte(round))
	if want := fmt.Sprintf("BatchSpec has invalid values..\ntasks wait for one another in a circle: t0 for t%d for t%d for t%d for t%d for … for t0.", n-1, n-2, n-3, n-4); err == nil || err.Error() != want {
		t.Errorf("ParseBatch = %v, want %s", err, want)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("two graphs of %d tasks took %s", n, took)
	}
}
