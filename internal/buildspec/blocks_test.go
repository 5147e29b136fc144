package buildspec_test

import (
	"fmt"
	"testing"

	"slipway/internal/buildspec"
)

// with parses a buildspec that has these blocks besides a build phase.
func with(t *testing.T, blocks string) *buildspec.Spec {
	t.Helper()
	return parse(t, "version: 0.2\nphases: {build: {commands: [make]}}\n"+blocks)
}

func TestArtifacts(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       *buildspec.Artifacts
	}{
		{"no block", "", nil},
		{"a block with nothing in it", "artifacts:\n", nil},
		{"an empty block", "artifacts: {}\n", &buildspec.Artifacts{}},
		{"every key", `
artifacts:
  files: ['**/*', app.zip]
  name: app-$(date +%Y-%m-%d)-$CODEBUILD_BUILD_NUMBER
  base-directory: dist
  exclude-paths: ['**/.*/**/*', '**/.*']
  discard-paths: no
  enable-symlinks: yes
  s3-prefix: nightly
`, &buildspec.Artifacts{Output: buildspec.Output{
			Files: []string{"**/*", "app.zip"}, Name: "app-$(date +%Y-%m-%d)-$CODEBUILD_BUILD_NUMBER", BaseDirectory: "dist",
			Exclude: []string{"**/.*/**/*", "**/.*"}, EnableSymlinks: true, S3Prefix: "nightly",
		}}},
		{"one file and one pattern to leave out", "artifacts: {files: app.zip, exclude-paths: '**/*.map', discard-paths: true, name: 5}\n",
			&buildspec.Artifacts{Output: buildspec.Output{Files: []string{"app.zip"}, Exclude: []string{"**/*.map"}, DiscardPaths: true, Name: "5"}}},
		{"secondary ones, in the order they are written", `
artifacts:
  files: [main.txt]
  secondary-artifacts:
    docs: {files: ['**/*'], base-directory: $CODEBUILD_SRC_DIR/d, name: docs}
    bin: {files: [tool], discard-paths: yes, s3-prefix: p}
    empty:
`, &buildspec.Artifacts{Output: buildspec.Output{Files: []string{"main.txt"}}, Secondary: []buildspec.Output{
			{Identifier: "docs", Files: []string{"**/*"}, BaseDirectory: "$CODEBUILD_SRC_DIR/d", Name: "docs"},
			{Identifier: "bin", Files: []string{"tool"}, DiscardPaths: true, S3Prefix: "p"},
			{Identifier: "empty"},
		}}},
		{"secondary ones alone", "artifacts: {secondary-artifacts: {docs: {files: [a]}}}\n",
			&buildspec.Artifacts{Secondary: []buildspec.Output{{Identifier: "docs", Files: []string{"a"}}}}},
		{"the type of version 0.1", "artifacts: {type: zip, files: [a]}\n", &buildspec.Artifacts{Output: buildspec.Output{Files: []string{"a"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := diff(c.want, with(t, c.yaml).Artifacts); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestCaches(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       *buildspec.Cache
	}{
		{"no block", "", nil},
		{"a block with nothing in it", "cache:\n", nil},
		{"paths alone", "cache:\n  paths:\n    - /root/.m2/**/*\n    - node_modules/**/*\n", &buildspec.Cache{Paths: []string{"/root/.m2/**/*", "node_modules/**/*"}}},
		{"one path", "cache: {paths: '/root/.m2/**/*'}\n", &buildspec.Cache{Paths: []string{"/root/.m2/**/*"}}},
		{"every key", "cache:\n  key: go-$(codebuild-hash-files go.sum '**/go.mod')\n  fallback-keys: [go-main-, go-]\n  action: restore\n  paths: [/go/**/*]\n",
			&buildspec.Cache{Paths: []string{"/go/**/*"}, Key: "go-$(codebuild-hash-files go.sum '**/go.mod')", Fallbacks: []string{"go-main-", "go-"}, Action: "restore"}},
		{"five fallbacks", "cache: {key: k, fallback-keys: [a, b, c, d, e], action: SAVE}\n", &buildspec.Cache{Key: "k", Fallbacks: []string{"a", "b", "c", "d", "e"}, Action: "save"}},
		{"fallbacks without a key are ignored", "cache: {fallback-keys: [a], paths: [b]}\n", &buildspec.Cache{Paths: []string{"b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := diff(c.want, with(t, c.yaml).Cache); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReports(t *testing.T) {
	got := with(t, `
reports:
  unit:
    files: ['junit/**/*.xml']
    base-directory: target
  arn:aws:codebuild:eu-north-1:111122223333:report-group/coverage:
    files: coverage.xml
    file-format: CoberturaXml
    discard-paths: yes
  $NIGHTLY_GROUP: {files: ['*.trx'], file-format: VISUALSTUDIOTRX}
  odd: {file-format: made up}
  none:
`).Reports
	want := []buildspec.Report{
		{Group: "unit", Files: []string{"junit/**/*.xml"}, Format: "JUNITXML", BaseDirectory: "target"},
		{Group: "arn:aws:codebuild:eu-north-1:111122223333:report-group/coverage", Files: []string{"coverage.xml"}, Format: "COBERTURAXML", DiscardPaths: true},
		{Group: "$NIGHTLY_GROUP", Files: []string{"*.trx"}, Format: "VISUALSTUDIOTRX"},
		{Group: "odd", Format: "MADE UP"},
		{Group: "none", Format: "JUNITXML"},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestProxy(t *testing.T) {
	for yaml, want := range map[string]buildspec.Proxy{
		"": {}, "proxy:\n": {}, "proxy: {upload-artifacts: yes}\n": {UploadArtifacts: true}, "proxy: {logs: true, upload-artifacts: no}\n": {Logs: true},
	} {
		if got := with(t, yaml).Proxy; got != want {
			t.Errorf("%q is read as %+v, want %+v", yaml, got, want)
		}
	}
}

func TestABlockThatIsWrongSaysWhereAndWhy(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"artifacts that are a list", "artifacts: [a]\n", "cannot unmarshal !!seq into map[string]interface {} at line 3"},
		{"files that are keys", "artifacts:\n  files: {a: b}\n", "cannot unmarshal !!map into []string at line 4"},
		{"a file that is a key", "artifacts:\n  files:\n    - a: b\n", "Expected Files[0] to be of string type: found subkeys instead at line 5, value of the key tag on line 4 might be empty"},
		{"a pattern to leave out that is a key", "artifacts:\n  exclude-paths:\n    - a: b\n", "Expected Exclude-paths[0] to be of string type: found subkeys instead at line 5, value of the key tag on line 4 might be empty"},
		{"a switch that is none", "artifacts:\n  discard-paths: maybe\n", "cannot unmarshal !!str `maybe` into bool at line 4"},
		{"another", "artifacts:\n  secondary-artifacts:\n    a: {enable-symlinks: 2}\n", "cannot unmarshal !!int `2` into bool at line 5"},
		{"a name that is a list", "artifacts:\n  name: [a]\n", "cannot unmarshal !!seq into string at line 4"},
		{"secondary artifacts that are a list", "artifacts:\n  secondary-artifacts: [a]\n", "cannot unmarshal !!seq into map[string]interface {} at line 4"},
		{"a secondary artifact that is a text", "artifacts:\n  secondary-artifacts:\n    docs: a\n", "cannot unmarshal !!str `a` into map[string]interface {} at line 5"},
		{"a cache that is a list", "cache: [a]\n", "cannot unmarshal !!seq into map[string]interface {} at line 3"},
		{"a path that is a key", "cache:\n  paths:\n    - a: b\n", "Expected Paths[0] to be of string type: found subkeys instead at line 5, value of the key tag on line 4 might be empty"},
		{"six fallbacks", "cache:\n  key: a\n  fallback-keys: [a, b, c, d, e, f]\n", "cache has 6 fallback-keys, at most 5 are allowed at line 5"},
		{"an action that is none", "cache:\n  action: keep\n", "the action of cache must be restore or save, not keep at line 4"},
		{"reports that are a list", "reports: [a]\n", "cannot unmarshal !!seq into map[string]interface {} at line 3"},
		{"a report that is a text", "reports:\n  unit: a.xml\n", "cannot unmarshal !!str `a.xml` into map[string]interface {} at line 4"},
		{"a format that is a list", "reports:\n  unit:\n    file-format: [a]\n", "cannot unmarshal !!seq into string at line 5"},
		{"a proxy that is a text", "proxy: yes\n", "cannot unmarshal !!str `yes` into map[string]interface {} at line 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, "version: 0.2\nphases: {build: {commands: [make]}}\n"+c.yaml, c.want)
		})
	}
}

// A buildspec that CodeBuild takes is not refused for what it says beside that.
func TestWhatCodeBuildIgnoresIsNotRefused(t *testing.T) {
	for _, yaml := range []string{
		"artifacts: {unknown: [1], files: [a]}\n", "cache: {unknown: {a: b}, paths: [a]}\n", "reports: {unit: {unknown: 1, files: [a]}}\n", "proxy: {unknown: x}\n",
		"batch: 5\n", "batch: {build-list: {a: b}}\n", "batch: {build-graph: [{identifier: a, depend-on: [a]}]}\n", "batch: {fast-fail: maybe}\n", "a: &a b\nbatch: [*a]\n",
		"notifications: &n [a]\n",
	} {
		with(t, yaml)
	}
	if s := with(t, "batch: {build-list: [{}]}\n"); s.Batch != nil {
		t.Errorf("a batch that is wrong is read as %+v", s.Batch)
	}
}

func TestAliasesLeadIntoBlocks(t *testing.T) {
	s := parse(t, "shared: {common: &common {discard-paths: yes, base-directory: out}, all: &all ['**/*']}\nversion: 0.2\n"+
		"artifacts: {<<: *common, files: *all, secondary-artifacts: {a: {<<: *common, files: *all, base-directory: own}}}\nreports: {r: {<<: *common, files: *all}}\ncache: {paths: *all}\n")
	want := buildspec.Output{Files: []string{"**/*"}, BaseDirectory: "out", DiscardPaths: true}
	other := want
	other.Identifier, other.BaseDirectory = "a", "own"
	if d := diff(&buildspec.Artifacts{Output: want, Secondary: []buildspec.Output{other}}, s.Artifacts); d != "" {
		t.Error(d)
	}
	if d := diff([]buildspec.Report{{Group: "r", Files: want.Files, Format: "JUNITXML", BaseDirectory: "out", DiscardPaths: true}}, s.Reports); d != "" {
		t.Error(d)
	}
	if got := fmt.Sprint(s.Cache.Paths); got != "[**/*]" {
		t.Errorf("cache paths %s", got)
	}
}
