package desk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/build"
	"slipway/internal/fault"
	"slipway/internal/secret"
	"slipway/internal/vault"
)

// source has one parameter and remembers whom it was for.
type source struct {
	by     vault.Use
	scope  arn.Scope
	broken error
}

func (s *source) Parameters(_ context.Context, scope arn.Scope, _ []string, by vault.Use) (map[string]secret.Text, error) {
	s.by, s.scope = by, scope
	return map[string]secret.Text{"/a": secret.New("hunter22"), "/long": secret.New(strings.Repeat("x", 8<<10))}, s.broken
}

func (s *source) Secret(context.Context, arn.Scope, vault.SecretReference, vault.Use) (secret.Text, error) {
	return secret.Text{}, vault.NoSecret("none")
}

func TestABuildGetsItsValues(t *testing.T) {
	s := &source{}
	b := build.Build{Scope: arn.Scope{Account: "1", Region: "us-east-1"}, Public: api.Build{ID: new("app:1"), ProjectName: new("app")}}
	ask := func(refs ...agentapi.Reference) (*agentapi.Secrets, error) {
		return New(s).Resolve(t.Context(), b, refs)
	}
	out, err := ask(agentapi.Reference{Type: "PARAMETER_STORE", Value: "/a"}, agentapi.Reference{Type: "PARAMETER_STORE", Value: "/a"})
	if err != nil || out.Failure != nil || len(out.Values) != 2 || out.Values[1].Reveal() != "hunter22" {
		t.Errorf("Resolve = %+v, %v", out, err)
	}
	if s.by != (vault.Use{BuildID: "app:1", Project: "app"}) || s.scope != b.Scope {
		t.Errorf("they were for %+v in %+v", s.by, s.scope)
	}
	out, err = ask(agentapi.Reference{Type: "SECRETS_MANAGER", Value: "x"})
	if err != nil || len(out.Values) != 0 || *out.Failure.StatusCode != "Secrets Manager Error" || *out.Failure.Message != "ResourceNotFoundException: none" {
		t.Errorf("Resolve = %+v, %v", out, err)
	}
	long := slices.Repeat([]agentapi.Reference{{Type: "PARAMETER_STORE", Value: "/long"}}, 256)
	if out, err := ask(long...); err != nil || len(out.Values) != 256 {
		t.Errorf("2 MiB of values: %v", err)
	}
	if _, err := ask(append(long, long[0])...); fault.KindOf(err) != fault.Invalid {
		t.Errorf("more than 2 MiB of values: %v", err)
	}
	s.broken = errors.New("the disk is full")
	if _, err := ask(agentapi.Reference{Type: "PARAMETER_STORE", Value: "/a"}); !errors.Is(err, s.broken) {
		t.Errorf("a source that fails: %v", err)
	}
	if _, err := ask(make([]agentapi.Reference, 1001)...); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too many: %v", err)
	}
}
