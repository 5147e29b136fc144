package buildspec_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/buildspec"
)

// FuzzParse holds that any text is read in bounded time, to an *Error or to a
// Spec that an agent can rely on.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "version: 0.2", "version: 0.1\nenvironment_variables: {plaintext: {A: b}, parameter-store: {C: d}}\n",
		"version: 0.2\nrun-as: ci\nenv:\n  shell: bash\n  variables: {A: NO, B: 0755}\n  parameter-store: {C: /d}\n  secrets-manager: {E: f:g::h}\n  exported-variables: [A, B, A]\n  git-credential-helper: yes\n",
		"version: 0.2\nphases:\n  install: {runtime-versions: {golang: 1.20}, commands: []}\n  build:\n    run-as: root\n    on-failure: RETRY-2-x+\n    commands:\n      - |\n        a\n        b\n      - >-\n        c\n    finally: ['d']\n",
		"x: &x [a]\ny: &y {run-as: b}\nversion: 0.2\nphases: {build: {<<: *y, commands: *x}, post_build: {<<: [*y, {finally: *x}]}}\n",
		"version: 0.2\nphases: &p {<<: *p, build: *p}\n", "version: 0.2\nphases:\n  build:\n    commands:\n      - a: b\n",
		`{"version": "0.2", "phases": {"build": {"commands": ["\u0000\t\"", null, 1, true]}}, "artifacts": {"files": ["**/*"]}}`,
		"%YAML 1.1\n%TAG ! tag:x,2026:\n---\n? !a [b]\n: !!binary c\n...\n---\n", "\ufeffversion: 0.2\r\nphases:\r\n  build:\r\n", "\xff\xfea\x00:\x00",
		"version: 0.2\n# c\nphases: # d\n  # e\n  build:\n    commands: # f\n    # g\n    - a # h\n", "a: &a [*a, *a]\nversion: *a\n", "buildspec.yml", "arn:aws:s3:::b/k",
		"version: 0.2\nartifacts: &o {files: a, exclude-paths: [b], secondary-artifacts: {c: {<<: *o, discard-paths: yes}, d: }}\nreports: {e: {files: [f], file-format: clover}, $g: *o}\ncache: {key: h, fallback-keys: [i], action: Save, paths: j}\nproxy: {logs: y}\n",
		"version: 0.2\nbatch:\n  fast-fail: yes\n  build-graph:\n    - &t {identifier: a, depend-on: [b], env: {image: c, privileged-mode: yes, variables: {D: e}}}\n    - {<<: *t, identifier: b, depend-on: }\n",
		"version: 0.2\nbatch: {build-matrix: {static: {env: {type: a}}, dynamic: {buildspec: [b, c], env: {variables: {D: [1, 2]}}}}}\n", "version: '0.2'\nbatch: {build-fanout: {parallelism: 9}}\n",
	} {
		f.Add([]byte(seed))
	}
	for _, c := range corpusTexts(f) {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		begin := time.Now()
		s, err := buildspec.Parse(text)
		place := buildspec.PlaceOf(string(text))
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("reading %d bytes took %s", len(text), took)
		}
		if err != nil {
			if e, ok := errors.AsType[*buildspec.Error](err); !ok || e.Message == "" || s != nil {
				t.Errorf("Parse = %+v, %v (%T), want an *Error with a message and nothing else", s, err, err)
			}
			return
		}
		checkSpec(t, s)
		checkBlocks(t, s)
		checkBatch(t, s, text)
		if place != buildspec.Inline && utf8.Valid(text) && !strings.HasPrefix(strings.TrimSpace(string(text)), "arn:") {
			t.Errorf("a buildspec's PlaceOf is %d, want inline", place)
		}
		if again, err := buildspec.Parse(text); err != nil || !cmp.Equal(s, again) {
			t.Errorf("the same text is read as %+v and as %+v, %v", s, again, err)
		}
	})
}

func checkSpec(t *testing.T, s *buildspec.Spec) {
	t.Helper()
	if s.Version != "0.1" && s.Version != "0.2" {
		t.Errorf("version %q", s.Version)
	}
	texts := slices.Concat([]string{s.RunAs, s.Shell}, s.Exported)
	for _, v := range slices.Concat(s.Variables, s.Parameters, s.Secrets) {
		texts = append(texts, v.Value)
	}
	keys := []string{"install", "pre_build", "build", "post_build"}
	for _, p := range s.Phases {
		i := slices.Index(keys, p.Key())
		if i < 0 {
			t.Fatalf("phase %q is unknown, repeated or out of order", p.Type)
		}
		keys = keys[i+1:]
		if !cmp.Equal(s.Phase(p.Type), p) {
			t.Errorf("Phase(%s) = %+v, want %+v", p.Type, s.Phase(p.Type), p)
		}
		if p.Runtimes != nil && p.Type != install {
			t.Errorf("%s has runtimes %q", p.Type, p.Runtimes)
		}
		if len(p.CommandLines) != len(p.Commands) || len(p.FinallyLines) != len(p.Finally) {
			t.Errorf("%d commands in %d lines, %d finally in %d", len(p.Commands), len(p.CommandLines), len(p.Finally), len(p.FinallyLines))
		}
		checkOnFailure(t, p.OnFailure)
		texts = slices.Concat(texts, []string{p.RunAs, p.OnFailure.Pattern}, p.Commands, p.Finally)
	}
	size := 0
	for _, text := range texts {
		size += len(text)
		if strings.Contains(text, "\x00") || !utf8.ValidString(text) {
			t.Errorf("%q cannot be part of a command or a variable", text)
		}
	}
	if size > 16*buildspec.MaxSize || len(texts) > 110_000 {
		t.Errorf("the spec has %d values with %d bytes", len(texts), size)
	}
	for i, name := range s.Exported {
		if slices.Index(s.Exported, name) != i {
			t.Errorf("%q is exported twice", name)
		}
	}
	for user := range s.Users() {
		if user == "" {
			t.Error("a user without a name")
		}
	}
}

// checkBlocks holds what the readers of a Spec's blocks rely on.
func checkBlocks(t *testing.T, s *buildspec.Spec) {
	t.Helper()
	var texts []string
	output := func(o buildspec.Output) {
		texts = slices.Concat(texts, []string{o.Name, o.BaseDirectory, o.S3Prefix}, o.Files, o.Exclude)
	}
	if a := s.Artifacts; a != nil {
		if a.Identifier != "" {
			t.Errorf("the primary artifact has the identifier %q", a.Identifier)
		}
		output(a.Output)
		seen := map[string]bool{}
		for _, o := range a.Secondary {
			if seen[o.Identifier] {
				t.Errorf("two secondary artifacts %q", o.Identifier)
			}
			seen[o.Identifier] = true
			output(o)
		}
	}
	if c := s.Cache; c != nil {
		if len(c.Fallbacks) > 5 || c.Key == "" && c.Fallbacks != nil || !slices.Contains([]string{"", "restore", "save"}, c.Action) {
			t.Errorf("a cache %+v", c)
		}
		texts = slices.Concat(texts, []string{c.Key}, c.Fallbacks, c.Paths)
	}
	for _, r := range s.Reports {
		if r.Format == "" || r.Format != strings.ToUpper(r.Format) {
			t.Errorf("a report of the format %q", r.Format)
		}
		texts = slices.Concat(texts, []string{r.Group, r.BaseDirectory}, r.Files)
	}
	checkTexts(t, texts)
}

func checkTexts(t *testing.T, texts []string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, "\x00") || !utf8.ValidString(text) {
			t.Errorf("%q cannot be the name of a file or part of a key", text)
		}
	}
}

// checkBatch holds that a batch is read by Parse if ParseBatch reads it, and
// that its tasks can be run in some order.
func checkBatch(t *testing.T, s *buildspec.Spec, text []byte) {
	t.Helper()
	b, err := buildspec.ParseBatch(text)
	if err != nil {
		e, ok := errors.AsType[*buildspec.Error](err)
		if !ok || e.Message == "" || b != nil {
			t.Errorf("ParseBatch = %+v, %v (%T), want an *Error with a message and nothing else", b, err, err)
		}
		if s.Batch != nil {
			t.Errorf("Parse has the batch %+v, and ParseBatch answers %v", s.Batch, err)
		}
		return
	}
	if !cmp.Equal(b, s.Batch) {
		t.Errorf("Parse has the batch %+v, ParseBatch %+v", s.Batch, b)
	}
	kinds := 0
	for _, there := range []bool{b.List != nil, b.Graph != nil, b.Matrix != nil, b.Fanout != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 || b.Fanout != nil && b.Fanout.Parallelism < 1 {
		t.Errorf("a batch of %d kinds: %+v", kinds, b)
	}
	done := map[string]bool{}
	for left := len(b.Graph); left > 0; {
		before := left
		for _, task := range b.Graph {
			if !done[task.Identifier] && !slices.ContainsFunc(task.DependOn, func(on string) bool { return !done[on] }) {
				done[task.Identifier] = true
				left--
			}
		}
		if before == left {
			t.Fatalf("%d tasks can never begin: %+v", left, b.Graph)
		}
	}
}

func checkOnFailure(t *testing.T, o buildspec.OnFailure) {
	t.Helper()
	switch o.Action {
	case buildspec.Retry:
		if o.Retries < 0 || o.Retries > 100 {
			t.Errorf("%d retries", o.Retries)
		}
	case buildspec.DefaultAction, buildspec.Abort, buildspec.Continue:
		if o.Retries != 0 || o.Pattern != "" {
			t.Errorf("%s has %d retries and the pattern %q", o.Action, o.Retries, o.Pattern)
		}
	default:
		t.Errorf("action %q", o.Action)
	}
}
