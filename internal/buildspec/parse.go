package buildspec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/api"
)

// MaxSize is the largest buildspec that is read, in bytes. The YAML library
// needs about a hundred times a text's size for it.
const MaxSize = 256 << 10

// Parse reads a buildspec. Unknown keys are ignored, as CodeBuild does: they
// often hold anchors. Of several documents the first counts. Every error is an
// *Error.
func Parse(text []byte) (*Spec, error) {
	doc, err := document(text)
	if err != nil {
		return nil, err
	}
	s := new(Spec)
	if err := newReader(text, nil).spec(doc, s); err != nil {
		return nil, err
	}
	return s, nil
}

// document reads the first document of a text.
func document(text []byte) (*yaml.Node, error) {
	if len(text) > MaxSize {
		return nil, tooLarge(text)
	}
	doc := new(yaml.Node)
	if err := yaml.Unmarshal(text, doc); err != nil {
		f := newPlaces(text).syntax(err)
		return nil, &Error{Message: suffixed(err), Line: f.Line, Column: f.Column}
	}
	return doc, nil
}

func tooLarge(text []byte) *Error {
	return &Error{Message: fmt.Sprintf("the buildspec has %d bytes, at most %d are read", len(text), MaxSize)}
}

// suffixed words the YAML library's error as CodeBuild shows it: "line 3: text"
// becomes "text at line 3", and a position the library left out is line 0.
func suffixed(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := "0"
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, message, ok := strings.Cut(rest, ": "); ok {
			if _, err := strconv.Atoi(n); err == nil {
				line, text = n, message
			}
		}
	}
	return text + " at line " + line
}

func (r *reader) spec(doc *yaml.Node, s *Spec) error {
	// The text for "not a buildspec at all" is CodeBuild's own.
	notOne := &Error{Message: "wrong number of container tags, expected 1"}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return notOne
	}
	top, err := r.resolve(doc.Content[0])
	if err != nil {
		return err
	}
	if top.Kind != yaml.MappingNode {
		return notOne
	}
	keys, err := r.mapping(top)
	if err != nil {
		return err
	}
	if s.Version, err = r.version(keys, notOne); err != nil {
		return err
	}
	r.lint.top(keys, s.Version)
	if s.RunAs, err = r.scalar(keys.get("run-as")); err != nil {
		return err
	}
	if s.Version == "0.1" {
		err = r.env01(keys.get("environment_variables"), s)
	} else {
		err = r.env(keys.get("env"), s)
	}
	if err != nil {
		return err
	}
	if err := r.phases(keys.get("phases"), s); err != nil {
		return err
	}
	if s.Reports, err = r.reports(keys.get("reports")); err != nil {
		return err
	}
	if s.Artifacts, err = r.artifacts(keys.get("artifacts")); err != nil {
		return err
	}
	if s.Cache, err = r.cache(keys.get("cache")); err != nil {
		return err
	}
	if s.Proxy, err = r.proxy(keys.get("proxy")); err != nil {
		return err
	}
	return r.optionalBatch(keys, s)
}

// optionalBatch reads the batch block. An ordinary build does without it, so
// that a wrong one is refused only if a batch is asked for. It is read last:
// no other block may depend on how much of it there is.
func (r *reader) optionalBatch(keys keys, s *Spec) error {
	r.lint.begin(Odd, "A batch build of this fails: ")
	batch, err := r.batch(keys.get("batch"), keys.get("version"))
	r.lint.begin(Bad, "")
	if err == nil {
		s.Batch = batch
		return nil
	}
	if r.strict {
		return err
	}
	r.lint.also(err)
	return nil
}

func (r *reader) version(keys keys, none *Error) (string, error) {
	n := keys.get("version")
	version, err := r.scalar(n)
	if err != nil {
		return "", err
	}
	if version == "" {
		return "0.2", r.lint.unversioned(n, none)
	}
	// The key is a number: 0.20 is 0.2.
	switch f, _ := strconv.ParseFloat(version, 64); f {
	case 0.1:
		return "0.1", nil
	case 0.2:
		return "0.2", nil
	}
	return "0.2", r.wrong(n, fmt.Sprintf("unknown buildspec version %s, expected 0.1 or 0.2", clip(version)))
}

func (r *reader) env01(n *yaml.Node, s *Spec) error {
	keys, err := r.mapping(n)
	if err != nil {
		return err
	}
	r.lint.block(keys, "environment_variables", "plaintext", "parameter-store")
	if s.Variables, err = r.variables(keys.get("plaintext")); err != nil {
		return err
	}
	if s.Parameters, err = r.variables(keys.get("parameter-store")); err != nil {
		return err
	}
	r.lint.environment(keys.get("plaintext"), keys.get("parameter-store"))
	return nil
}

func (r *reader) env(n *yaml.Node, s *Spec) error {
	keys, err := r.mapping(n)
	if err != nil {
		return err
	}
	r.lint.block(keys, "env", "shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper")
	r.lint.env(keys)
	if s.Shell, err = r.scalar(keys.get("shell")); err != nil {
		return err
	}
	if s.Variables, err = r.variables(keys.get("variables")); err != nil {
		return err
	}
	if s.Parameters, err = r.variables(keys.get("parameter-store")); err != nil {
		return err
	}
	if s.Secrets, err = r.variables(keys.get("secrets-manager")); err != nil {
		return err
	}
	exported, err := r.strings(keys.get("exported-variables"), "Exported-variables")
	if err != nil {
		return err
	}
	r.lint.environment(keys.get("variables"), keys.get("parameter-store"), keys.get("secrets-manager"))
	r.lint.exported(keys.get("exported-variables"))
	for _, name := range exported {
		if !slices.Contains(s.Exported, name) {
			s.Exported = append(s.Exported, name)
		}
	}
	s.GitHelper, err = r.boolean(keys.get("git-credential-helper"))
	return err
}

func (r *reader) phases(n *yaml.Node, s *Spec) error {
	keys, err := r.mapping(n)
	if err != nil {
		return err
	}
	for _, name := range keys.names {
		if slices.Contains(phaseNames, name) {
			continue
		}
		// CodeBuild's words, which name no line.
		message := fmt.Sprintf("Invalid buildspec phase name: %s. Expecting: build,install,post_build,pre_build", short(name))
		if r.lint == nil {
			return r.failure(keys.at[name], message)
		}
		r.lint.add(Bad, keys.at[name], message+instead(name, phaseNames))
	}
	for _, k := range phaseKeys {
		if !keys.named(k.key) {
			continue
		}
		p := Phase{Type: k.typ}
		if err := r.phase(keys.get(k.key), &p, s); err != nil {
			return err
		}
		s.Phases = append(s.Phases, p)
	}
	return nil
}

func (r *reader) phase(n *yaml.Node, p *Phase, s *Spec) error {
	keys, err := r.mapping(n)
	if err != nil {
		return err
	}
	if steps := keys.get("steps"); steps != nil {
		if err := r.wrong(keys.at["steps"], `unsupported field "steps" in buildspec: GitHub Actions are not run by this server, only commands`); err != nil {
			return err
		}
	}
	r.lint.phase(keys, p)
	if p.RunAs, err = r.scalar(keys.get("run-as")); err != nil {
		return err
	}
	if n := keys.get("on-failure"); n != nil {
		text, err := r.scalar(n)
		if err != nil {
			return err
		}
		if p.OnFailure, err = ParseOnFailure(text); err != nil {
			what := err.Error()
			if r.lint != nil {
				what += didYouMean(text, []string{string(Abort), string(Continue), string(Retry)})
			}
			if err := r.wrong(n, what); err != nil {
				return err
			}
		}
		r.lint.onFailure(n, p.OnFailure)
	}
	if p.Type == api.BuildPhaseTypeInstall {
		if p.Runtimes, err = r.variables(keys.get("runtime-versions")); err != nil {
			return err
		}
	}
	if p.Commands, err = r.strings(keys.get("commands"), "Commands"); err != nil {
		return err
	}
	if p.Finally, err = r.strings(keys.get("finally"), "Finally"); err != nil {
		return err
	}
	p.CommandLines, p.FinallyLines = lines(keys.get("commands")), lines(keys.get("finally"))
	r.lint.commands(keys.get("commands"), s)
	r.lint.commands(keys.get("finally"), s)
	return nil
}
