package buildspec

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/api"
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
	l.userNotYet(k)
}

// userNotYet tells of a user for commands.
func (l *linter) userNotYet(k keys) {
	if user := k.get("run-as"); user != nil && user.Value != "root" {
		l.add(Odd, user, "This server does not carry out run-as yet: the build fails before its first command.")
	}
}

// phaseNotYet is notYet for a phase.
func (l *linter) phaseNotYet(k keys, p *Phase) {
	if l == nil {
		return
	}
	if k.has("runtime-versions") && p.Type == api.BuildPhaseTypeInstall {
		l.add(Odd, k.at["runtime-versions"], "This server does not install runtimes: builds use the tools that their machine or image has.")
	}
	l.userNotYet(k)
	if p.OnFailure.Action == Retry {
		l.add(Odd, k.get("on-failure"), "This server does not carry out RETRY yet: the build goes on as without on-failure.")
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
	if n := k.get("git-credential-helper"); n != nil && n.Kind == yaml.ScalarNode && !slices.Contains([]string{"no", "false", "off", "n"}, strings.ToLower(n.Value)) {
		l.add(Odd, k.at["git-credential-helper"], "This server does not act upon git-credential-helper yet: git in the build's commands has no login.")
	}
}
