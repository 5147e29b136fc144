package agent

import (
	"context"
	"slices"
	"strings"

	"slipway/internal/agent/redact"
	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/buildspec"
	"slipway/internal/fault"
)

const (
	parameterStore = api.EnvironmentVariableTypeParameterStore
	secretsManager = api.EnvironmentVariableTypeSecretsManager
)

func refers(typ api.EnvironmentVariableType) bool {
	return typ == parameterStore || typ == secretsManager
}

// references returns the variables that take their value from a parameter or a
// secret, parameters first. A name has one source of its value: the project's
// variable beats the buildspec's whatever their types, and within a buildspec
// secrets-manager beats parameter-store, which beats variables.
func references(work *agentapi.Work, spec *buildspec.Spec) []agentapi.Variable {
	var all []agentapi.Variable
	project := func(name string) bool {
		return slices.ContainsFunc(work.Variables, func(v agentapi.Variable) bool { return v.Name == name })
	}
	secret := func(name string) bool {
		return slices.ContainsFunc(spec.Secrets, func(v buildspec.Variable) bool { return v.Name == name })
	}
	for _, v := range work.Variables {
		if refers(v.Type) {
			all = append(all, v)
		}
	}
	for _, v := range spec.Parameters {
		if !project(v.Name) && !secret(v.Name) {
			all = append(all, agentapi.Variable{Name: v.Name, Value: v.Value, Type: parameterStore})
		}
	}
	for _, v := range spec.Secrets {
		if !project(v.Name) {
			all = append(all, agentapi.Variable{Name: v.Name, Value: v.Value, Type: secretsManager})
		}
	}
	slices.SortStableFunc(all, func(a, b agentapi.Variable) int { return strings.Compare(string(a.Type), string(b.Type)) })
	return all
}

// secrets gets the values of variables that are references, which are masked in
// the log from then on.
func (e *engine) secrets(ctx context.Context) outcome {
	all := references(e.work, e.spec)
	if len(all) == 0 {
		return succeeded
	}
	if all[0].Type == parameterStore {
		e.log.Service("Decrypting parameter store environment variables")
	}
	in := agentapi.SecretsRequest{}
	var names []string
	for _, v := range all {
		in.References = append(in.References, agentapi.Reference{Type: v.Type, Value: v.Value, Name: v.Name})
		names = append(names, v.Name)
	}
	var out *agentapi.Secrets
	err := persist(ctx, func(ctx context.Context) (err error) {
		out, err = e.client.Secrets(ctx, in)
		return err
	})
	switch {
	case err != nil && fault.KindOf(err) == fault.Invalid:
		return failed(clientError, "The variables %s take their values from parameters and secrets. %s", strings.Join(names, ", "), fault.Message(err))
	case err != nil:
		return faulty("The values of parameters and secrets could not be had: %v", err)
	case out.Failure != nil && out.Failure.StatusCode != nil && out.Failure.Message != nil:
		return failed(*out.Failure.StatusCode, "%s", *out.Failure.Message)
	case out.Failure != nil || len(out.Values) != len(all):
		return faulty("The server's answer about parameters and secrets is not understood")
	}
	e.values = map[string]string{}
	for i, v := range all {
		e.values[v.Name] = strings.ReplaceAll(out.Values[i].Reveal(), "\x00", "") // as programs are given it, and print it
		e.log.Hide(e.values[v.Name])
	}
	for _, v := range all {
		if n := len(e.values[v.Name]); n > 0 && n < redact.MinSecret {
			e.log.Service("The value of the variable %s is too short to be masked in the log", v.Name)
		}
	}
	return succeeded
}

// exportable reports whether the value of a variable may be exported: those of
// AWS may not, nor those that the project takes from a parameter or a secret.
func (e *engine) exportable(name string) bool {
	return !strings.HasPrefix(name, "AWS_") && !slices.ContainsFunc(e.work.Variables, func(v agentapi.Variable) bool { return v.Name == name && refers(v.Type) })
}
