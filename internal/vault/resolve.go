package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A Source is where values are: in our own store, or at AWS. What it refuses is
// a *Refusal; other errors are failures of its own, worth trying again.
type Source interface {
	// Parameters returns the values of those of names that it has, by name. No
	// name occurs twice; by is whom the values are for.
	Parameters(ctx context.Context, scope arn.Scope, names []string, by Use) (map[string]secret.Text, error)
	// Secret returns the text of a version of a secret; r's JSONKey is not its affair.
	Secret(ctx context.Context, scope arn.Scope, r SecretReference, by Use) (secret.Text, error)
}

// A Refusal is why a Source does not give a value, in the words that AWS has for
// it, and that reach the phase context.
type Refusal struct {
	Name    string // of the exception; "" if it has none
	Message string
}

func (r *Refusal) Error() string {
	if r.Name == "" {
		return r.Message
	}
	return r.Name + ": " + r.Message
}

// notFoundName is the exception that lets the next source be asked.
const notFoundName = "ResourceNotFoundException"

// NoSecret is the Refusal of a Source that has no such secret, or none that it
// gives out as text.
func NoSecret(message string) error { return &Refusal{notFoundName, message} }

// The codes of the phase contexts of CodeBuild, spaces included.
const (
	ParameterFailure = "Decrypted Variables Error"
	SecretFailure    = "Secrets Manager Error"
)

// A Failure is why a reference has no value, as the build's phase context says it.
type Failure struct{ Code, Message string }

// A Reference is the value of a variable of a type that is a reference.
type Reference struct {
	Type  api.EnvironmentVariableType
	Value string
}

// Resolve returns a value for each of refs, in order, asking each of sources in
// turn for what those before it do not have; each thing is asked for once. If
// one cannot be had, it returns why instead. Use says whom the values are for.
func Resolve(ctx context.Context, scope arn.Scope, sources []Source, refs []Reference, use Use) ([]secret.Text, *Failure, error) {
	r := resolver{scope: scope, sources: sources, use: use, parameters: map[string]secret.Text{}, secrets: map[SecretReference]secret.Text{}}
	if failure, err := r.askParameters(ctx, refs); failure != nil || err != nil {
		return nil, failure, err
	}
	values := make([]secret.Text, len(refs))
	for i, ref := range refs {
		var failure *Failure
		var err error
		switch ref.Type {
		case api.EnvironmentVariableTypeParameterStore:
			values[i] = r.parameters[ref.Value]
		case api.EnvironmentVariableTypeSecretsManager:
			values[i], failure, err = r.secret(ctx, ref.Value)
		default:
			return nil, nil, fault.New(fault.Invalid, "A variable of type %s is no reference.", ref.Type)
		}
		if failure != nil || err != nil {
			return nil, failure, err
		}
	}
	return values, nil, nil
}

type resolver struct {
	scope      arn.Scope
	sources    []Source
	use        Use
	parameters map[string]secret.Text
	secrets    map[SecretReference]secret.Text // by reference without a JSONKey
}

func (r *resolver) askParameters(ctx context.Context, refs []Reference) (*Failure, error) {
	var missing []string
	for _, ref := range refs {
		if ref.Type == api.EnvironmentVariableTypeParameterStore && !slices.Contains(missing, ref.Value) {
			missing = append(missing, ref.Value)
		}
	}
	for _, source := range r.sources {
		if len(missing) == 0 {
			break
		}
		found, err := source.Parameters(ctx, r.scope, missing, r.use)
		if refusal, ok := errors.AsType[*Refusal](err); ok {
			return &Failure{ParameterFailure, refusal.Error()}, nil
		}
		if err != nil {
			return nil, err
		}
		missing = slices.DeleteFunc(missing, func(name string) bool {
			value, ok := found[name]
			if ok {
				r.parameters[name] = value
			}
			return ok
		})
	}
	if len(missing) > 0 {
		return &Failure{ParameterFailure, "parameter does not exist: " + missing[0]}, nil
	}
	return nil, nil
}

func (r *resolver) secret(ctx context.Context, reference string) (secret.Text, *Failure, error) {
	ref, err := ParseSecretReference(reference)
	if err != nil {
		return secret.Text{}, &Failure{SecretFailure, fault.Message(err)}, nil
	}
	whole := ref
	whole.JSONKey = ""
	value, ok := r.secrets[whole]
	if !ok {
		if value, err = r.ask(ctx, whole); err != nil {
			if refusal, ok := errors.AsType[*Refusal](err); ok {
				return secret.Text{}, &Failure{SecretFailure, refusal.Error()}, nil
			}
			return secret.Text{}, nil, err
		}
		r.secrets[whole] = value
	}
	if ref.JSONKey == "" {
		return value, nil, nil
	}
	field, problem := member(value, ref.JSONKey)
	if problem != "" {
		return secret.Text{}, &Failure{SecretFailure, "The reference " + ref.String() + " has no value: " + problem}, nil
	}
	return field, nil, nil
}

// ask asks each source in turn until one has the secret.
func (r *resolver) ask(ctx context.Context, ref SecretReference) (secret.Text, error) {
	err := NoSecret(notFound)
	for _, source := range r.sources {
		var value secret.Text
		value, err = source.Secret(ctx, r.scope, ref, r.use)
		if refusal, refused := errors.AsType[*Refusal](err); !refused || refusal.Name != notFoundName {
			return value, err
		}
	}
	return secret.Text{}, err
}

// member returns a field of a JSON object: the text of a string, and anything
// else as it is written. problem says why there is none, and repeats nothing of
// the secret.
func member(value secret.Text, key string) (field secret.Text, problem string) {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(value.Reveal()), &object) != nil || object == nil {
		return secret.Text{}, "the secret's text is no JSON object, so that it has no key " + key
	}
	raw, ok := object[key]
	if !ok {
		return secret.Text{}, "the secret's JSON has no key " + key
	}
	var s string
	if json.Unmarshal(raw, &s) == nil && !bytes.Equal(raw, []byte("null")) {
		return secret.New(s), ""
	}
	if string(raw) == "null" {
		return secret.Text{}, "the value of key " + key + " is null"
	}
	return secret.New(strings.TrimSpace(string(raw))), ""
}
