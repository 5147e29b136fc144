package buildspec_test

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/internal/buildspec"
)

// commandFindings are those of a build whose only command is this one.
func commandFindings(t *testing.T, env, command string) string {
	t.Helper()
	quoted, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	return shown(buildspec.Lint([]byte("version: 0.2\n" + env + "phases: {build: {commands: [" + string(quoted) + "]}}\n")))
}

func TestLintFindsLinesThatFailInSilence(t *testing.T) {
	const masked = "Only the last line decides whether this fails: begin it with 'set -e', or give each line an entry of its own."
	for command, want := range map[string]bool{
		"make\nmake check\n":                                     true,
		"cd app\nmake\n":                                         true,
		"# build\nnpm ci\n\n# test\nnpm test\n":                  true,
		"make | tee log\nmake check":                             true,
		"make \\\n  all\nmake check":                             true,
		"if true; then\n  make\nfi\nmake a\nmake b":              true,
		"cat > f <<EOF\nset -e\nEOF\nmake\nls":                   true,
		"make\nset -e\nmake check":                               true,
		"#!/bin/bash -e\nmake\nmake check":                       true, // a comment: the file is read by the shell that runs it
		"make":                                                   false,
		"make\n":                                                 false,
		"set -e\nmake\nmake check":                               false,
		"set -euo pipefail\nmake\nmake check":                    false,
		"set -x -e\nmake\nmake check":                            false,
		"set -o errexit\nmake\nmake check":                       false,
		"echo a\nexport A=b\nmake":                               false,
		"A=b\nB=$(date)\nmake":                                   false,
		"make || exit 1\nmake check":                             false,
		"make\nif [ $? -ne 0 ]; then exit 1; fi":                 false,
		"make &&\nmake check":                                    false,
		"make \\\n  all":                                         false,
		"docker run \\\n  -v a:b \\\n  image":                    false,
		"if true; then\n  make\nelse\n  exit 3\nfi\n":            false,
		"for a in b c; do\n  make $a\ndone":                      false,
		"while read x; do make; done < f":                        false,
		"case $A in\n  a) make;;\n  *) exit 1;;\nesac":           false,
		"f() {\n  make\n  ls\n}\nf":                              false,
		"(\n  make\n  ls\n)":                                     false,
		"cat > f <<'EOF'\na\nb\nEOF\n":                           false,
		"cat <<-EOF\n\ta\n\tEOF\n":                               false,
		"python -c '\nimport a\na.b()\n'":                        false,
		"[ -n \"$A\" ] && echo a\nmake":                          false,
		"tr a b <<<word\n":                                       false,
		"echo \"a\nb\nc\"\n":                                     false,
		strings.Repeat("echo 'a\n'\n", 20_000):                   false,
		"'" + strings.Repeat("\n", 100_000) + "'":                false,
		strings.Repeat("if true; then\n", 10_000) + "make\nmake": false,
		strings.Repeat("done\n", 3) + "fi\n}\n)\necho a\n":       true, // not a shell's, but no panic
		"x \\":      false,
		"cat <<EOF": false,
		"a\nif":     true,
		"export A=$(aws sts get-caller-identity)\necho $A\nmake $A": false,
	} {
		got := commandFindings(t, "env: {shell: bash}\n", command)
		if strings.Contains(got, masked) != want || !want && got != "" {
			t.Errorf("of %.80q there is %q, want it masked: %t", command, got, want)
		}
	}
}

func TestLintFindsWhatOnlyBashKnows(t *testing.T) {
	const rest = ": commands run in sh, which is not bash in every image. Write 'shell: bash' below env.\n"
	for command, want := range map[string]string{
		"set -o pipefail":                              "pipefail is an option of bash",
		"set -euo pipefail\nmake":                      "pipefail is an option of bash",
		"[[ $A = b ]]":                                 "[[ is a word of bash",
		"if [[ $A = b ]]; then make; fi":               "[[ is a word of bash",
		"make && [[ -f a ]]":                           "[[ is a word of bash",
		"source venv/bin/activate":                     "source is a word of bash, whose name in every shell is a dot",
		"echo set -o pipefail":                         "",
		"echo '[['":                                    "",
		"grep [[:alpha:]] a":                           "",
		"bash -c 'set -o pipefail; make'":              "",
		"set -e # not pipefail":                        "",
		"git log --source main":                        "",
		". venv/bin/activate":                          "",
		"dotnet nuget add source https://example.org/": "",
	} {
		for env, bash := range map[string]bool{"": false, "env: {shell: /bin/sh}\n": false, "env: {shell: bash}\n": true} {
			got := commandFindings(t, env, command)
			if bash || want == "" {
				if got != "" {
					t.Errorf("of %q with %q there is %q", command, env, got)
				}
			} else if !strings.HasSuffix(got, " "+want+rest) {
				t.Errorf("of %q with %q there is %q, want %q", command, env, got, want+rest)
			}
		}
	}
}

func TestLintKnowsThatCommandsOf01AreAlone(t *testing.T) {
	text := "version: 0.1\nphases: {build: {commands: [cd sub, cd sub && make, export A=b, make, 'A=b'], finally: ['. venv']}}\n"
	want := "odd 2:29-2:35 In version 0.1 every command has a shell of its own, so that this is forgotten when it ends: use version 0.2, or join the commands with &&.\n"
	got := shown(buildspec.Lint([]byte(text)))
	if !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 3 {
		t.Errorf("Lint = %s", got)
	}
}

func TestLintOfOnFailure(t *testing.T) {
	for value, want := range map[string]string{
		"ABORT": "", "Retry-3-exit status 75": "", "RETRY-.*": "",
		"CONTINE":   "bad 4:17-4:24 on-failure must be ABORT, CONTINUE or RETRY, not CONTINE. Did you mean CONTINUE?\n",
		"abort!":    "bad 4:17-4:23 on-failure must be ABORT, CONTINUE or RETRY, not abort!. Did you mean ABORT?\n",
		"RETRY-2-(": "odd 4:17-4:26 The build is never tried again: \"(\" is no regular expression.\n",
	} {
		text := "version: 0.2\nphases:\n  build:\n    on-failure: " + value + "\n    commands: [make]\n"
		if got := shown(buildspec.Lint([]byte(text))); got != want {
			t.Errorf("on-failure: %s has %q, want %q", value, got, want)
		}
	}
}
