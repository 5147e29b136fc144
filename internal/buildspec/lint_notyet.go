package buildspec

import (
	"go.yaml.in/yaml/v3"
)

// notYet tells what of the whole this server reads and does not carry out.
func (l *linter) notYet(k keys) {
	if l == nil {
		return
	}
	for _, block := range []struct{ key, so string }{
		{"cache", "nothing is kept for the next build."},
		{"reports", "no report is made."},
	} {
		if k.has(block.key) {
			l.add(Odd, k.at[block.key], "This server reads "+block.key+" and does not act upon it yet: "+block.so)
		}
	}
}

// envNotYet is notYet for the environment.
func (l *linter) envNotYet(k keys) {
	if l == nil {
		return
	}
	for _, key := range []string{"parameter-store", "secrets-manager"} {
		if n := k.get(key); n != nil && n.Kind == yaml.MappingNode && len(n.Content) > 0 {
			l.add(Odd, k.at[key], "This server does not read variables from AWS yet: a build with "+key+" fails before its first command.")
		}
	}
}
