package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	smapi "slipway/internal/api/secretsmanager"
	"slipway/internal/api/slipway"
	ssmapi "slipway/internal/api/ssm"
)

// held returns the value of a secret, or of a parameter if its name begins with
// a slash.
func (s *serverProcess) held(name string) string {
	s.t.Helper()
	if strings.HasPrefix(name, "/") {
		var out ssmapi.GetParameterResult
		if err := s.client.Call(s.t.Context(), ssmapi.Definition, "GetParameter", &ssmapi.GetParameterRequest{Name: name, WithDecryption: new(true)}, &out); err != nil {
			s.t.Fatal(err)
		}
		return *out.Parameter.Value
	}
	var out smapi.GetSecretValueResponse
	if err := s.client.Call(s.t.Context(), smapi.Definition, "GetSecretValue", &smapi.GetSecretValueRequest{SecretID: name}, &out); err != nil {
		s.t.Fatal(err)
	}
	if out.SecretString == nil {
		return string(out.SecretBinary)
	}
	return *out.SecretString
}

// TestSecretCommands is what a person does with secrets, from the first to the
// last. No output shows a value.
func TestSecretCommands(t *testing.T) {
	s := serve(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	expects := func(code int, stdin string, args []string, wants ...string) string {
		t.Helper()
		out := s.expects(code, stdin, args, wants...)
		if strings.Contains(out, "hunter") {
			t.Errorf("slipway %s shows a value:\n%s", strings.Join(args, " "), out)
		}
		return out
	}
	holds := func(name, want string) {
		t.Helper()
		if got := s.held(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	expects(0, "", words("secret list"), "There are no parameters and no secrets.", "slipway secret put NAME --file FILE")
	expects(0, "hunter22\n", []string{"secret", "put", "app/db", "--description", "the database"}, "Made the secret app/db.", "arn arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-")
	holds("app/db", "hunter22")
	expects(0, "", words("secret put app/db --file "+file("one", "hunter23\r\n")), "The secret app/db has a new value.")
	holds("app/db", "hunter23")
	expects(0, "", words("secret put app/db --file "+file("pem", "hunter24\nhunter25\n")), "has a new value")
	holds("app/db", "hunter24\nhunter25\n")
	expects(0, "", words("secret put bytes --file "+file("bytes", "\x00\xffhunter26")), "Made the secret bytes.")
	holds("bytes", "\x00\xffhunter26")

	expects(0, "hunter27", words("secret put --parameter /app/token --file -"), "Made the parameter /app/token.")
	holds("/app/token", "hunter27")
	expects(0, "a,b", words("secret put --parameter /app/stages --type StringList"), "Made the parameter")
	expects(0, "a,b,c", words("secret put --parameter /app/stages"), "The parameter /app/stages has a new value.")
	expects(0, strings.Repeat("hunter28", 600), words("secret put --parameter /app/long"), "Made the parameter")
	var put struct{ Kind, Name, ARN, Version string }
	if err := json.Unmarshal([]byte(expects(0, "hunter29", words("secret put app/db --output json"))), &put); err != nil || put.Kind != "SECRET" || put.Name != "app/db" || put.ARN == "" || len(put.Version) != 36 {
		t.Errorf("as JSON it is %+v, %v", put, err)
	}

	expects(0, "", words("secret list"), "NAME KIND CHANGED LAST USED BY DESCRIPTION", "/app/stages parameter, StringList", "/app/token parameter, SecureString", "app/db secret", " owner the database")
	if out := expects(0, "", words("secret list --search token")); strings.Contains(out, "app/db") {
		t.Errorf("a search finds more than it should:\n%s", out)
	}
	expects(0, "", words("secret list --search nothing"), "There is no such parameter or secret.")
	var list slipway.ListSecretsOutput
	if err := json.Unmarshal([]byte(expects(0, "", words("secret list --output json"))), &list); err != nil || len(list.Secrets) != 5 {
		t.Errorf("as JSON there are %+v, %v", list, err)
	}

	expects(0, "", words("secret rm --parameter /app/token"), "Removed the parameter /app/token.")
	expects(1, "", words("secret rm --parameter /app/token"), "ParameterNotFound", "slipway secret list")
	expects(0, "", words("secret rm app/db"), "Removed the secret app/db.", "aws secretsmanager restore-secret --secret-id app/db")
	expects(0, "", words("secret list"), "app/db secret, goes on ")
	expects(1, "hunter22", words("secret put app/db"), "marked for deletion", "slipway secret rm --force app/db")
	expects(0, "", words("secret rm --force app/db"), "Removed the secret app/db for good.")
	expects(1, "", words("secret rm --force app/db"), "ResourceNotFoundException", "slipway secret list")
	expects(1, "", words("secret rm app/db"), "ResourceNotFoundException", "a parameter is removed with --parameter")

	for args, want := range map[string]string{
		"secret put":                              "needs one name",
		"secret put app/db hunter22":              "never goes on the command line",
		"secret rm":                               "needs one name",
		"secret put app/db --type String":         "give --parameter, too",
		"secret put /a --parameter --type Secret": "expected String, StringList or SecureString",
		"secret list --output yaml":               "expected text or json",
		"serve --secrets vault":                   "expected embedded, aws, or both",
		"serve --secrets aws,aws":                 "expected embedded, aws, or both",
	} {
		expects(2, "", words(args), want)
	}
	expects(1, "", words("secret put app/db"), "is empty")
	expects(1, "", words("secret put app/db --file "+filepath.Join(dir, "none")), "no such file")
	expects(1, strings.Repeat("hunter22", 20<<10), words("secret put app/db"), "too long")
	expects(1, "\xffhunter22", words("secret put --parameter /a"), "bytes and no text")
	if strings.Contains(s.printed(), "hunter") {
		t.Error("a value is in the server's log")
	}
}

func TestValuesAsTheyAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "a\n": "a", "a\r\n": "a", " a \n": " a ", "a\n\n": "a\n\n", "a\nb\n": "a\nb\n", "\n": "! is empty", "": "! is empty",
	} {
		got, err := readValue("-", strings.NewReader(text), io.Discard)
		if problem, bad := strings.CutPrefix(want, "! "); bad {
			if err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("%q is read as %q, %v, want an error", text, got, err)
			}
		} else if err != nil || string(got) != want {
			t.Errorf("%q is read as %q, %v, want %q", text, got, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := readValue("-", io.MultiReader(strings.NewReader("a"), failing{broken}), io.Discard); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
