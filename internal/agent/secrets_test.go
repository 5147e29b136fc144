package agent_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// vaultWith has the server answer references with values, by type and reference,
// and keeps what it was asked for.
func vaultWith(values map[string]string, asked *[]string) func(*agentProcess) {
	return func(a *agentProcess) {
		a.vault = func(refs []agentapi.Reference) (*agentapi.Secrets, error) {
			out := &agentapi.Secrets{}
			for _, r := range refs {
				key := fmt.Sprintf("%s %s", r.Type, r.Value)
				*asked = append(*asked, key)
				value, ok := values[key]
				if !ok {
					return &agentapi.Secrets{Failure: &api.PhaseContext{StatusCode: new("Decrypted Variables Error"), Message: new("parameter does not exist: " + r.Value)}}, nil
				}
				out.Values = append(out.Values, agentapi.Bearer{Text: secret.New(value)})
			}
			return out, nil
		}
	}
}

const secretSpec = `
version: 0.2
env:
  variables: {ALL: plain, LOW: plain, ONE: plain}
  parameter-store: {ALL: /all, LOW: /low, STORE: /store, BEATEN: /beaten, TINY: /tiny}
  secrets-manager: {ALL: all, SECRET: "db:password", LINES: lines}
  exported-variables: [STORE, TYPED, PLAIN]
phases:
  build:
    commands:
      - |
        for n in ALL LOW ONE STORE BEATEN TINY SECRET LINES TYPED PLAIN; do
          eval "v=\$$n"; printf '%s has %s bytes\n' $n $(printf %s "$v" | wc -c)
        done
      - echo "raw $STORE $SECRET $TYPED"
      - printf %s "$SECRET" | base64
      - echo "$FORMS"
      - echo "whole $LINES"; printf %s "$LINES" | sed 's/^/line /'
      - echo "tiny is [$TINY]"
  post_build: {commands: ['PLAIN="x$STORE"']}
`

// A build has the values that its variables refer to, and its log has none of
// them in any form.
func TestVariablesThatAreReferences(t *testing.T) {
	const password = `p4ss/w+rd é="1'`
	quoted, err := json.Marshal(password)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		"PARAMETER_STORE /low": "low-value-1", "PARAMETER_STORE /store": "store-value-22", "PARAMETER_STORE /tiny": "abc",
		"SECRETS_MANAGER all": "all-value-4444", "SECRETS_MANAGER db:password": password, "SECRETS_MANAGER lines": "first line of it\nsecond line of it\n",
		"SECRETS_MANAGER typed": "typed-va\x00lue-55555",
	}
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		work := inline(secretSpec)
		work.Variables = []agentapi.Variable{
			{Name: "BEATEN", Value: "by the project", Type: api.EnvironmentVariableTypePlaintext},
			{Name: "ONE", Value: "/low", Type: api.EnvironmentVariableTypeParameterStore},
			{Name: "TYPED", Value: "typed", Type: api.EnvironmentVariableTypeSecretsManager},
			{Name: "FORMS", Value: strings.Join([]string{url.QueryEscape(password), base64.StdEncoding.EncodeToString([]byte(password)), string(quoted)}, " | ")},
		}
		var asked []string
		a, log := run(t, box, work, vaultWith(values, &asked))
		if a.status() != api.StatusTypeSucceeded {
			t.Fatalf("the build ends %s:\n%s", a.status(), log)
		}
		want := "PARAMETER_STORE /low, PARAMETER_STORE /low, PARAMETER_STORE /store, PARAMETER_STORE /tiny, SECRETS_MANAGER typed, SECRETS_MANAGER all, SECRETS_MANAGER db:password, SECRETS_MANAGER lines"
		if got := strings.Join(asked, ", "); got != want {
			t.Errorf("the server was asked for %s, want %s", got, want)
		}
		for name, value := range map[string]string{
			"ALL": values["SECRETS_MANAGER all"], "LOW": "low-value-1", "ONE": "low-value-1", "STORE": "store-value-22", "BEATEN": "by the project",
			"TINY": "abc", "SECRET": password, "LINES": values["SECRETS_MANAGER lines"], "TYPED": "typed-value-55555", "PLAIN": "", // no program can be given a NUL
		} {
			if line := fmt.Sprintf("%s has %d bytes\n", name, len(value)); !strings.Contains(log, line) {
				t.Errorf("the log lacks %q", line)
			}
		}
		for _, says := range []string{
			"Decrypting parameter store environment variables\n", "raw *** *** ***\n", "\n*** | *** | \"***\"\n", "whole ***", "line ***\nline ***\n", "tiny is [abc]\n",
			"The value of the variable TINY is too short to be masked in the log\n",
		} {
			if !strings.Contains(log, says) {
				t.Errorf("the log lacks %q", says)
			}
		}
		for key, value := range values {
			for line := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '\n' }) {
				if len(line) > 3 && strings.Contains(log, line) {
					t.Errorf("the log shows %s", key)
				}
			}
		}
		if t.Failed() {
			t.Log(log)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		exported := map[string]string{}
		for _, v := range a.build.Public.ExportedEnvironmentVariables {
			exported[*v.Name] = *v.Value
		}
		if len(exported) != 2 || exported["STORE"] != "***" || exported["PLAIN"] != "x***" {
			t.Errorf("exported are %v: what the project takes from a secret cannot be", exported)
		}
	})
}

func TestReferencesWithoutAValue(t *testing.T) {
	var asked []string
	none := vaultWith(nil, &asked)
	answer := func(out *agentapi.Secrets, err error) func(*agentProcess) {
		return func(a *agentProcess) {
			a.vault = func([]agentapi.Reference) (*agentapi.Secrets, error) { return out, err }
		}
	}
	for _, c := range []struct {
		name      string
		has       func(*agentProcess)
		status    api.StatusType
		code, why string
	}{
		{"there is none", none, api.StatusTypeFailed, "Decrypted Variables Error", "parameter does not exist: /none"},
		{"there is no vault", answer(nil, fault.New(fault.Invalid, "This server keeps no secrets.")), api.StatusTypeFailed, "CLIENT_ERROR",
			"The variables A take their values from parameters and secrets. This server keeps no secrets."},
		{"too few values", answer(&agentapi.Secrets{}, nil), api.StatusTypeFault, "INTERNAL_SERVICE_ERROR", "is not understood"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, log := run(t, agentapi.Sandbox{}, inline("version: 0.2\nenv: {parameter-store: {A: /none}}\nphases: {build: {commands: [echo never $((40+2))]}}\n"), c.has)
			code, why := a.context(api.BuildPhaseTypeDownloadSource)
			if a.status() != c.status || code != c.code || !strings.Contains(why, c.why) {
				t.Errorf("the build ends %s with %s: %s, want %s with %s: %s", a.status(), code, why, c.status, c.code, c.why)
			}
			if strings.Contains(log, "never 42") || !strings.Contains(log, "Phase context status code: "+c.code+" Message: "+why) {
				t.Errorf("the log is\n%s", log)
			}
		})
	}
	t.Run("the server fails for a while", func(t *testing.T) {
		tries := 0
		a, log := run(t, agentapi.Sandbox{}, inline("version: 0.2\nenv: {parameter-store: {A: /a}}\nphases: {build: {commands: [test $A = value]}}\n"), func(a *agentProcess) {
			a.vault = func([]agentapi.Reference) (*agentapi.Secrets, error) {
				if tries++; tries < 3 {
					return nil, errors.New("the disk is full")
				}
				return &agentapi.Secrets{Values: []agentapi.Bearer{{Text: secret.New("value")}}}, nil
			}
		})
		if a.status() != api.StatusTypeSucceeded {
			t.Errorf("the build ends %s:\n%s", a.status(), log)
		}
	})
}
