// Package buildspec reads a buildspec, the YAML or JSON text that says what a
// build does. It is pure: where the text comes from is the caller's affair.
package buildspec

import (
	"iter"

	"slipway/internal/api"
)

// A Spec is what one buildspec says. Scalars are kept as they are written:
// `FLAG: NO` is "NO", `3.10` is "3.10".
type Spec struct {
	Version    string // "0.1" or "0.2"
	RunAs      string // the user for all phases; empty means the agent's own
	Shell      string // env.shell as written; empty means sh
	Variables  []Variable
	Parameters []Variable // parameter-store: names of parameters
	Secrets    []Variable // secrets-manager: references to secrets
	Exported   []string   // exported-variables, in order, each once
	GitHelper  bool       // git-credential-helper
	Phases     []Phase    // those the buildspec names, in the order they run

	Artifacts *Artifacts // nil: the buildspec has no such block
	Cache     *Cache     // likewise
	Reports   []Report   // in the order of the text
	Proxy     Proxy
	Batch     *Batch // nil if there is none or it is wrong, which ParseBatch tells: only a batch build needs it
}

// A Variable is a name and a text.
type Variable struct{ Name, Value string }

// A Phase is one of the four phases that have commands.
type Phase struct {
	Type      api.BuildPhaseType
	RunAs     string // wins over the Spec's
	OnFailure OnFailure
	Runtimes  []Variable // runtime-versions, of install only
	Commands  []string
	Finally   []string

	// The lines of the buildspec, counted from 1, in which each of Commands and
	// of Finally begins.
	CommandLines, FinallyLines []int
}

// phaseKeys names the phases as a buildspec spells them, in the order they run.
var phaseKeys = []struct {
	key string
	typ api.BuildPhaseType
}{
	{"install", api.BuildPhaseTypeInstall},
	{"pre_build", api.BuildPhaseTypePreBuild},
	{"build", api.BuildPhaseTypeBuild},
	{"post_build", api.BuildPhaseTypePostBuild},
}

// phaseNames are the keys of phaseKeys.
var phaseNames = []string{"install", "pre_build", "build", "post_build"}

// Phase returns the phase of that type; a phase the buildspec does not name has
// no commands.
func (s *Spec) Phase(typ api.BuildPhaseType) Phase {
	for _, p := range s.Phases {
		if p.Type == typ {
			return p
		}
	}
	return Phase{Type: typ}
}

// Key returns the phase's name as a buildspec spells it.
func (p Phase) Key() string {
	for _, k := range phaseKeys {
		if k.typ == p.Type {
			return k.key
		}
	}
	return ""
}

// Users yields every user that the buildspec wants commands to run as.
func (s *Spec) Users() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.RunAs != "" && !yield(s.RunAs) {
			return
		}
		for _, p := range s.Phases {
			if p.RunAs != "" && !yield(p.RunAs) {
				return
			}
		}
	}
}

// An Error is a text that is no buildspec. Its message is the one that the
// build's phase context shows.
type Error struct {
	Message string
	// Where it is, counted from 1, the column in characters; 0 if it is about
	// the text as a whole. The line in the message is the YAML library's, which
	// may be another.
	Line, Column int

	invalid bool // a value that no batch can have
}

func (e *Error) Error() string { return e.Message }

// Code is the phase context's: YAML_FILE_ERROR, or BATCH_SPEC_VALIDATION_ERROR
// for a batch block that can be read and makes no sense.
func (e *Error) Code() string {
	if e.invalid {
		return "BATCH_SPEC_VALIDATION_ERROR"
	}
	return "YAML_FILE_ERROR"
}
