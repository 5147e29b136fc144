package vault

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

const secretARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-AbCdEf"

func TestSecretReferences(t *testing.T) {
	for text, want := range map[string]SecretReference{
		"db":                        {ID: "db"},
		"app/db:password":           {ID: "app/db", JSONKey: "password"},
		"db::AWSPREVIOUS":           {ID: "db", Stage: "AWSPREVIOUS"},
		"db:password:AWSPREVIOUS":   {ID: "db", JSONKey: "password", Stage: "AWSPREVIOUS"},
		"db:password::v1":           {ID: "db", JSONKey: "password", Version: "v1"},
		"db:::v1":                   {ID: "db", Version: "v1"},
		"db:::":                     {ID: "db"},
		"db:pass word":              {ID: "db", JSONKey: "pass word"},
		secretARN:                   {ID: secretARN},
		secretARN + ":password":     {ID: secretARN, JSONKey: "password"},
		secretARN + "::AWSPREVIOUS": {ID: secretARN, Stage: "AWSPREVIOUS"},
		secretARN + ":password::v1": {ID: secretARN, JSONKey: "password", Version: "v1"},
		secretARN + ":::":           {ID: secretARN},
		strings.TrimSuffix(secretARN, "-AbCdEf") + ":password": {ID: strings.TrimSuffix(secretARN, "-AbCdEf"), JSONKey: "password"},
	} {
		got, err := ParseSecretReference(text)
		if err != nil || got != want {
			t.Errorf("ParseSecretReference(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                       "names no secret",
		"  ":                     "names no secret",
		":password":              "names no secret",
		"arn:aws:secretsmanager": "names no secret",
		strings.TrimSuffix(secretARN, "app/db-AbCdEf"): "names no secret",
		"db:password:AWSCURRENT:v1":                    "both a version stage and a version id",
		secretARN + "::AWSCURRENT:v1":                  "both a version stage and a version id",
		"db:a:b:c:d":                                   "too many parts",
		"db::::":                                       "too many parts",
		secretARN + ":a:b:c:d":                         "too many parts",
	} {
		got, err := ParseSecretReference(text)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), want) {
			t.Errorf("ParseSecretReference(%q) = %+v, %v, want an error with %q", text, got, err, want)
		}
	}
}

// Whatever is read has an id and never both a stage and a version, and reads the
// same when it is written again.
func FuzzParseSecretReference(f *testing.F) {
	for _, text := range []string{"db", "db:password:AWSPREVIOUS", "db:::v1", secretARN + ":password::v1", "arn::::::", "arn", ":::", "a:b:c:d:e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseSecretReference(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v is no fault of the reference", text, err)
			}
			return
		}
		if strings.TrimSpace(r.ID) == "" || r.Stage != "" && r.Version != "" {
			t.Errorf("%q reads as %+v", text, r)
		}
		if !strings.HasPrefix(text, r.String()) || strings.Trim(text[len(r.String()):], ":") != "" {
			t.Errorf("%q is written as %q", text, r)
		}
		if again, err := ParseSecretReference(r.String()); err != nil || again != r {
			t.Errorf("%q reads as %+v, and written again as %+v, %v", text, r, again, err)
		}
	})
}
