package solo

import (
	"context"
	"fmt"
	"slices"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/build"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

// A Secret is a variable whose value nobody may see.
type Secret struct {
	Name  string
	Value secret.Text

	// That the buildspec takes the variable from a parameter or a secret, in
	// whose place Value stands: what follows from that is as on a server. It may
	// be exported, which a variable of the build's environment that is secret
	// never is, and the log says what it is.
	Referred bool
}

// A Vault has the values of parameters and secrets: see package vault/desk.
type Vault interface {
	Resolve(ctx context.Context, b build.Build, in []agentapi.Reference) (*agentapi.Secrets, error)
}

// given is what the record of a build has for the value of a Secret, followed
// by its name: no name of a parameter has a blank. So the value travels as that
// of a parameter does, is masked as one is, and is in no record.
const given = "--secret "

// variables are those of the build's environment.
func variables(o Options) []api.EnvironmentVariable {
	all := slices.DeleteFunc(slices.Clone(o.Variables), func(v api.EnvironmentVariable) bool {
		return slices.ContainsFunc(o.Secrets, func(s Secret) bool { return s.Name == v.Name })
	})
	for _, s := range o.Secrets {
		if s.Referred {
			continue
		}
		all = append(all, api.EnvironmentVariable{Name: s.Name, Value: given + s.Name, Type: api.EnvironmentVariableTypeParameterStore})
	}
	return all
}

// A safe gives out a build's Secrets, and asks another vault for what else the
// buildspec names.
type safe struct {
	secrets []Secret
	next    Vault // may be nil
}

// Resolve returns a value for each reference, or why one cannot be had.
func (s *safe) Resolve(ctx context.Context, b build.Build, in []agentapi.Reference) (*agentapi.Secrets, error) {
	out := &agentapi.Secrets{Values: make([]agentapi.Bearer, len(in))}
	var rest []agentapi.Reference
	var at []int // where they are in in
	for i, r := range in {
		j := slices.IndexFunc(s.secrets, func(s Secret) bool { return r.Value == given+s.Name || s.Referred && r.Name == s.Name })
		if j < 0 {
			rest, at = append(rest, r), append(at, i)
			continue
		}
		out.Values[i] = agentapi.Bearer{Text: s.secrets[j].Value}
	}
	if len(rest) == 0 {
		return out, nil
	}
	if s.next == nil {
		return &agentapi.Secrets{Failure: missing(rest)}, nil
	}
	more, err := s.next.Resolve(ctx, b, rest)
	if err != nil || more.Failure != nil {
		return more, err
	}
	if len(more.Values) != len(rest) {
		return nil, fmt.Errorf("%d values for %d references", len(more.Values), len(rest))
	}
	for i, v := range more.Values {
		out.Values[at[i]] = v
	}
	return out, nil
}

// missing says what to do about references that nobody answers.
func missing(refs []agentapi.Reference) *api.PhaseContext {
	code := vault.ParameterFailure
	if refs[0].Type == api.EnvironmentVariableTypeSecretsManager {
		code = vault.SecretFailure
	}
	text, flags := "", ""
	for i, r := range refs {
		kind := "parameter"
		if r.Type == api.EnvironmentVariableTypeSecretsManager {
			kind = "secret"
		}
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s from the %s %s", r.Name, kind, r.Value)
		flags += fmt.Sprintf(" --secret %s=env:%s", r.Name, r.Name)
	}
	message := "The buildspec takes " + text + ", and a build without a server has none of these. Give the values: add" + flags +
		" (env: names a variable of your shell, file: a file), or --aws-config to ask AWS"
	return &api.PhaseContext{StatusCode: &code, Message: &message}
}
