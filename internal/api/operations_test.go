package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
	"slipway/internal/api/logs"
	"slipway/internal/api/secretsmanager"
	"slipway/internal/api/slipway"
	"slipway/internal/api/ssm"
	"slipway/internal/api/sts"
)

func TestDefinitionsHaveEveryOperationOfTheirModel(t *testing.T) {
	services := []struct {
		definition         *api.Definition
		model, name, match string
		operations         int
	}{
		{api.CodeBuild, "codebuild", "codebuild", "CodeBuild_20161006", 59},
		{logs.Definition, "logs", "logs", "Logs_20140328", 4},
		{sts.Definition, "sts", "sts", "", 1},
		{ssm.Definition, "ssm", "ssm", "AmazonSSM", 11},
		{secretsmanager.Definition, "secretsmanager", "secretsmanager", "secretsmanager", 13},
		{slipway.Definition, "slipway", "slipway", "Slipway_20261123", 36},
	}
	for _, s := range services {
		t.Run(s.model, func(t *testing.T) {
			text, err := os.ReadFile("model/" + s.model + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var model struct{ Operations map[string]any }
			if err := json.Unmarshal(text, &model); err != nil {
				t.Fatal(err)
			}
			d := s.definition
			if diff := cmp.Diff(slices.Sorted(maps.Keys(model.Operations)), slices.Sorted(maps.Keys(d.Operations))); diff != "" {
				t.Errorf("operations (-model +definition):\n%s", diff)
			}
			if d.Name != s.name || d.TargetPrefix != s.match || len(d.Operations) != s.operations {
				t.Errorf("definition is %s, %s with %d operations, want %s, %s with %d", d.Name, d.TargetPrefix, len(d.Operations), s.name, s.match, s.operations)
			}
			for name, op := range d.Operations {
				in := op.New()
				if op.Name != name || reflect.TypeOf(in).Kind() != reflect.Pointer {
					t.Errorf("%s is named %s and has input %T", name, op.Name, in)
				}
				if op.Check != nil {
					op.Check(new(api.Checker), in) // an empty input breaks rules, not the check
				}
				if _, err := op.Call(t.Context(), struct{}{}, in); !errors.Is(err, api.ErrNotImplemented) {
					t.Errorf("%s of a service without methods: %v, want ErrNotImplemented", name, err)
				}
				for _, e := range op.Errors {
					if !regexp.MustCompile(`^[A-Z][A-Za-z]+$`).MatchString(e) {
						t.Errorf("%s declares %q", name, e)
					}
				}
			}
		})
	}
}

type stopper struct{}

func (stopper) StopBuild(_ context.Context, in *api.StopBuildInput) (*api.StopBuildOutput, error) {
	return &api.StopBuildOutput{Build: &api.Build{ID: &in.ID}}, nil
}

func TestCallRunsTheMethodOfTheOperationsName(t *testing.T) {
	out, err := api.CodeBuild.Operations["StopBuild"].Call(t.Context(), stopper{}, &api.StopBuildInput{ID: "p:1"})
	if err != nil || *out.(*api.StopBuildOutput).Build.ID != "p:1" {
		t.Errorf("Call = %v, %v", out, err)
	}
}

func TestOnlySignInIsUnsigned(t *testing.T) {
	for _, d := range []*api.Definition{api.CodeBuild, logs.Definition, sts.Definition, ssm.Definition, secretsmanager.Definition, slipway.Definition} {
		for name, op := range d.Operations {
			if want := d == slipway.Definition && name == "SignIn"; op.Unsigned != want {
				t.Errorf("%s: Unsigned = %v, want %v", name, op.Unsigned, want)
			}
		}
	}
}

func TestSensitiveInputsCannotBePrinted(t *testing.T) {
	in := api.CodeBuild.Operations["ImportSourceCredentials"].New().(*api.ImportSourceCredentialsInput)
	if err := json.Unmarshal([]byte(`{"token":"ghp_example","serverType":"GITHUB","authType":"PERSONAL_ACCESS_TOKEN"}`), in); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(in)
	if err != nil || in.Token.Reveal() != "ghp_example" || regexp.MustCompile("ghp_example").Match(text) {
		t.Errorf("Marshal = %s, %v", text, err)
	}
}

func TestSensitiveBlobsCannotBePrinted(t *testing.T) {
	in := secretsmanager.Definition.Operations["CreateSecret"].New().(*secretsmanager.CreateSecretRequest)
	if err := json.Unmarshal([]byte(`{"SecretBinary":"c2VjcmV0","SecretString":"hunter22"}`), in); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(in)
	if err != nil || in.SecretBinary.Reveal() != "c2VjcmV0" || in.SecretString.Reveal() != "hunter22" || regexp.MustCompile("c2Vj|hunter").Match(text) {
		t.Errorf("Marshal = %s, %v", text, err)
	}
}
