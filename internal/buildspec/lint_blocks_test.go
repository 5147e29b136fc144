package buildspec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/buildspec"
)

const simple = "version: 0.2\nphases: {build: {commands: [make]}}\n"

// The blocks begin in line 3.
func TestLintOfBlocks(t *testing.T) {
	const none = "no files are named here: CodeBuild wants a list 'files' with patterns such as '**/*'.\n"
	const below = "Files are looked for below base-directory, by default the source"
	for _, c := range []struct{ name, yaml, want string }{
		{"artifacts that are right", "artifacts: {files: ['**/*'], base-directory: $CODEBUILD_SRC_DIR_x/a, name: a-$(date +%F), type: zip}\n", ""},
		{"artifacts without files", "artifacts: {base-directory: out}\n", "odd 3:12-3:33 A build whose project has artifacts fails with 'no definition for primary artifacts in buildspec', since " + none},
		{"patterns that lead elsewhere", "artifacts:\n  files:\n    - ./out/*\n    - /root/a\n    - ../a\n    - out/\n    - out/*\n",
			"odd 5:7-5:14 " + below + ": write out/*\n" +
				"odd 6:7-6:14 " + below + ". An absolute path belongs there: base-directory: /folder and files: ['**/*']\n" +
				"odd 7:7-7:11 " + below + ": what is above it cannot be named here, but base-directory can be another one.\n" +
				"odd 8:7-8:11 A directory alone names no file: write out/**/*\n"},
		{"a misspelt key", "artifacts: {files: [a], exclude_paths: [b], base-dir: c}\n",
			"odd 3:25-3:38 The key \"exclude_paths\" is unknown in artifacts and ignored: did you mean exclude-paths?\n" +
				"odd 3:45-3:53 The key \"base-dir\" is unknown in artifacts and ignored. There are secondary-artifacts, type, files, name, base-directory, exclude-paths, discard-paths, enable-symlinks, s3-prefix.\n"},
		{"secondary artifacts", "artifacts:\n  files: [a]\n  secondary-artifacts:\n    my-docs: {files: [a]}\n    bin: {discard-paths: yes}\n    files: [a]\n",
			"odd 6:5-6:12 No project can have the artifact \"my-docs\": an identifier is made of letters, digits and underscores, and shorter than 128.\n" +
				"odd 7:5-7:8 Nothing can be uploaded as bin, since " + none +
				"odd 8:5-8:10 This makes files a secondary artifact. Each begins with its identifier, below which are its files.\n" +
				"bad 8:12-8:15 cannot unmarshal !!seq into map[string]interface {}: keys with values are expected here, each in a line of its own\n"},
		{"an identifier too many", "artifacts: {files: [a], secondary-artifacts: {files: {files: [a]}}}\n", "odd 3:47-3:52 This makes files a secondary artifact. Each begins with its identifier, below which are its files.\n"},

		{"a cache of directories", "cache:\n  paths:\n    - node_modules\n    - /root/.m2/\n    - $HOME/.cache/pip\n    - .gradle\n    - vendor/**/*\n    - go.sum\n    - .npmrc.lock\n",
			"odd 5:7-5:19 CodeBuild keeps nothing of a directory that is named alone: write node_modules/**/*\n" +
				"odd 6:7-6:17 CodeBuild keeps nothing of a directory that is named alone: write /root/.m2/**/*\n" +
				"odd 7:7-7:23 CodeBuild keeps nothing of a directory that is named alone: write $HOME/.cache/pip/**/*\n" +
				"odd 8:7-8:14 CodeBuild keeps nothing of a directory that is named alone: write .gradle/**/*\n"},
		{"a cache of nothing", "cache: {fallback-keys: [a], acton: save}\n",
			"odd 3:8-3:41 Nothing is kept, since cache has no list 'paths' with patterns such as '/root/.m2/**/*'.\n" +
				"odd 3:9-3:22 Without a key fallback-keys are ignored.\n" +
				"odd 3:29-3:34 The key \"acton\" is unknown in cache and ignored: did you mean action?\n"},
		{"a cache with too much", "cache:\n  paths: [a/*]\n  key: k\n  fallback-keys: [a, b, c, d, e, f]\n  action: keep\n",
			"bad 6:18-6:36 cache has 6 fallback-keys, at most 5 are allowed\nbad 7:11-7:15 the action of cache must be restore or save, not keep\n"},

		{"reports", "reports:\n  unit: {files: [a.xml], file-format: JUNITXMLS}\n  cover: {files: [./b], file-format: lcov}\n  ok: {files: [a], file-format: CucumberJson}\n  empty:\n",
			"odd 4:39-4:48 No report can be read of the format \"JUNITXMLS\". Did you mean JUNITXML?\n" +
				"odd 5:19-5:22 " + below + ": write b\n" +
				"odd 5:38-5:42 No report can be read of the format \"lcov\". There are CUCUMBERJSON, JUNITXML, NUNITXML, NUNIT3XML, TESTNGXML, VISUALSTUDIOTRX, CLOVERXML, COBERTURAXML, JACOCOXML, SIMPLECOV.\n" +
				"odd 7:3-7:8 No report can be made, since " + none},
		{"six reports", "reports:\n  a: &r {files: [a]}\n  b: *r\n  c: *r\n  d: *r\n  e: *r\n  f: *r\n", "odd 9:3-9:4 CodeBuild makes reports of at most 5 groups, and this is one more.\n"},
		{"a report twice", "reports: {a: {files: [a]}, a: {files: [b]}}\n", "odd 3:11-3:12 The key \"a\" is written again in line 3, and only that one counts.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, shown(buildspec.Lint([]byte(simple+c.yaml)))); d != "" {
				t.Errorf("Lint (-want +got):\n%s", d)
			}
		})
	}
}

// What is wrong with a batch block ends no ordinary build.
func TestLintOfABatch(t *testing.T) {
	const can = "odd 3:1-3:6 This server checks batch and cannot run batch builds yet: a build that is started of this is an ordinary one.\n"
	const fails = "A batch build of this fails: "
	for _, c := range []struct{ name, yaml, want string }{
		{"a good one", "batch:\n  build-graph:\n    - {identifier: a}\n    - {identifier: b, depend-on: [a]}\n", can},
		{"several faults", "batch:\n  build-graph:\n    - {identifier: compile}\n    - {identifier: b-c, depend-on: [complie]}\n    - {env: {fleet: f, compute-type: c}, buildspecs: a}\n    - x\n", can +
			"odd 6:20-6:23 " + fails + "Build Identifiers b-c must contain only alphanumeric characters and underscores and be less than 128 characters in length\n" +
			"odd 6:36-6:46 " + fails + "the task b-c waits for complie, which is no task. Did you mean compile?\n" +
			"odd 7:7-7:56 " + fails + "every task needs an identifier\n" +
			"odd 7:21-7:22 " + fails + "the task  has a compute-type and a fleet, and may have one of them\n" +
			"odd 7:42-7:52 The key \"buildspecs\" is unknown in build-graph and ignored: did you mean buildspec?\n" +
			"odd 8:7-8:8 " + fails + "cannot unmarshal !!str `x` into map[string]interface {}: keys with values are expected here, each in a line of its own\n" +
			"odd 8:7-8:8 " + fails + "every task needs an identifier\n"},
		{"a list that waits", "batch:\n  build-list:\n    - {identifier: a, depend-on: [b]}\n", can +
			"odd 5:23-5:32 The key \"depend-on\" is unknown in build-list and ignored. There are identifier, buildspec, debug-session, ignore-failure, env.\n"},
		{"a circle", "batch:\n  build-graph:\n    - {identifier: a, depend-on: b}\n    - {identifier: b, depend-on: a}\n", can + "odd 5:7-5:36 " + fails + "tasks wait for one another in a circle: a for b for a\n"},
		{"nothing", "batch: {fast-fail: x}\n", can + "odd 3:8-3:22 " + fails + "batch needs one of build-list, build-graph, build-matrix, build-fanout\n" +
			"odd 3:20-3:21 " + fails + "cannot unmarshal !!str `x` into bool: yes or no is expected here\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, shown(buildspec.Lint([]byte(simple+c.yaml)))); d != "" {
				t.Errorf("Lint (-want +got):\n%s", d)
			}
		})
	}
	quoted := strings.Replace(simple, "0.2", "'0.2'", 1) + "batch: {build-fanout: {parallelism: 2}}\n"
	if d := cmp.Diff("odd 1:10-1:15 "+fails+"cannot unmarshal !!str `0.2` into float64: a number without quotes is expected here\n"+can, shown(buildspec.Lint([]byte(quoted)))); d != "" {
		t.Errorf("Lint (-want +got):\n%s", d)
	}
	// More of it than is read.
	long := simple + "batch: {build-list: [" + strings.Repeat("{},", 50_001) + "]}\n"
	if _, err := buildspec.Parse([]byte(long)); err != nil {
		t.Errorf("Parse = %v", err)
	}
	for _, f := range buildspec.Lint([]byte(long)) {
		if f.Level == buildspec.Bad {
			t.Errorf("a finding that ends an ordinary build: %+v", f)
		}
	}
}

func TestLintOfTheEnvironment(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"variables that are right", "env:\n  variables: {A: 'costs $5', B_1: a$, C: '$$', CODEBUILD_CONFIG_AUTO_DISCOVER: 'false'}\n  parameter-store: {P: /a/$x}\n  exported-variables: [A]\n", ""},
		{"values that look like a shell's", "env:\n  variables:\n    PATH: $PATH:/opt/bin\n    IMAGE: ${REPO}:latest\n    DAY: $(date)\n",
			"odd 5:11-5:25 PATH becomes exactly this text, since nothing is expanded here, and then no tool is found. Extend it in a command: export PATH=\"$PATH:/opt/tool/bin\"\n" +
				"odd 6:12-6:26 Nothing is expanded here: IMAGE becomes exactly this text, with its dollar sign. Set it in a command if it is made of other variables.\n" +
				"odd 7:10-7:17 Nothing is expanded here: DAY becomes exactly this text, with its dollar sign. Set it in a command if it is made of other variables.\n"},
		{"names", "env:\n  variables: {with space: a, CODEBUILD_X: b, 8: c}\n  secrets-manager: {my-secret: d}\n",
			"odd 4:15-4:25 The variable \"with space\" is left out: a name is made of letters, digits and underscores and does not begin with a digit.\n" +
				"odd 4:30-4:41 Names that begin with CODEBUILD_ are the service's own: give it another one.\n" +
				"odd 4:46-4:47 The variable \"8\" is left out: a name is made of letters, digits and underscores and does not begin with a digit.\n" +
				"odd 5:21-5:30 The variable \"my-secret\" is left out: a name is made of letters, digits and underscores and does not begin with a digit.\n"},
		{"one in two blocks", "env:\n  variables: {A: b}\n  secrets-manager: {A: c}\n", "odd 5:21-5:22 The variable \"A\" is in another block of env too: give it one value, since CodeBuild does not say which one counts.\n"},
		{"what cannot be exported", "env:\n  exported-variables: [AWS_X, $B, C]\n",
			"odd 4:24-4:29 CodeBuild exports no variable whose name begins with AWS_.\nodd 4:31-4:33 This is a list of names: write them without a dollar sign.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, shown(buildspec.Lint([]byte(simple+c.yaml)))); d != "" {
				t.Errorf("Lint (-want +got):\n%s", d)
			}
		})
	}
	old := "version: 0.1\nenvironment_variables: {plaintext: {A: $B}}\nphases: {build: {commands: [make]}}\n"
	if got := shown(buildspec.Lint([]byte(old))); !strings.HasPrefix(got, "odd 2:40-2:42 Nothing is expanded here: A becomes") {
		t.Errorf("of version 0.1: %s", got)
	}
}
